//! The nearest allowed call is one: what an explanation names, put into the call, gives allow, and so does every number of a
//! range that it names. Also where the time of the call, what is used of a limit, or a text of some grammar decides.

use crate::folder::{Folder, shown};
use crate::judged::checked;
use crate::oracle;
use gait::compile;
use gait::domain::{Request, Verdict};
use gait::explain::{self, Change, Explanation, Nearest, Origin, Shown, What};
use gait::gate::Gate;
use gait::json::{self, Json};
use proptest::prelude::*;

/// 2026-11-26T10:00:00Z, a Thursday.
const NOW: i128 = 1_795_687_200_000;

const HEAD: &str = "gaitpol 1\npolicy x\ndefault block code none\n\
    window night = mon..fri \"22:30\"..\"24:00\" tz \"Europe/Berlin\"\n\
    window freeze = \"2026-11-20T00:00:00Z\"..\"2026-12-01T12:00:00Z\" tz \"UTC\"\n\
    tool t { when: Instant, dur: Duration, a: Int, b: Int, q: Sql, r: Repo, c: Cidr }\n";

const CALL: &str = r#"{"when":"2020-01-01T00:00:00Z","dur":"1h","a":0,"b":10,"q":"DROP TABLE users",
    "r":"https://evil.example/a/b","c":"0.0.0.0/0"}"#;

fn explained(gate: &Gate, text: &str, args: &Json, tool: &str) -> Explanation {
    let checked = checked(text).unwrap_or_else(|| panic!("{text}"));
    let request = Request {
        now: Some(NOW),
        ..Request::call(tool, args)
    };
    explain::explain(&checked, gate, &request, &|_: &Request<'_>, _: &[String]| false)
}

/// Sets an argument of a call, by its place in an explanation.
fn with(args: &Json, place: &str, value: Json) -> Json {
    let name = place.strip_prefix("args.").unwrap();
    let members = args.as_object().unwrap().iter();
    Json::object(members.map(|(known, old)| {
        let new = if known == name { value.clone() } else { old.clone() };
        (known.as_str(), new)
    }))
}

/// The call with what is named changed, and when it is made.
fn applied(args: &Json, changes: &[Change]) -> (Json, i128) {
    let (mut args, mut now) = (args.clone(), NOW);
    for change in changes {
        let What::Put {
            sample: Shown::Value { json, .. },
            ..
        } = &change.what
        else {
            panic!("{change:?}")
        };
        match change.origin {
            Origin::Time => now = moment(json.as_str().unwrap()),
            _ => args = with(&args, &change.from.place, json.clone()),
        }
    }
    (args, now)
}

fn moment(text: &str) -> i128 {
    let moment: jiff::Timestamp = text.parse().unwrap();
    i128::from(moment.as_millisecond())
}

fn verdict(gate: &Gate, tool: &str, args: &Json, now: i128) -> Verdict {
    let request = Request {
        now: Some(now),
        ..Request::call(tool, args)
    };
    gate.decide(&request, &mut gate.workspace()).decision.verdict
}

/// Rules, and the changes that are named: place, sample, range.
type Named = (&'static str, &'static str, Option<&'static str>);
const CASES: &[(&str, &[Named])] = &[
    (
        "rule n on t when args.when > now and args.when - now < 7d allow",
        &[("args.when", "2026-11-26T10:00:01Z", None)],
    ),
    (
        "rule n on t when args.when > now and args.a == 1 allow",
        &[
            ("args.a", "1", Some("exactly 1")),
            ("args.when", "2026-11-26T10:00:01Z", None),
        ],
    ),
    (
        "rule n on t when args.when > now and args.when - now < 7d and args.dur <= 15m allow",
        &[
            ("args.dur", "15m", Some("at most 15m")),
            ("args.when", "2026-11-26T10:00:01Z", None),
        ],
    ),
    (
        "rule n on t when now in night allow",
        &[("now", "2026-11-26T21:30:00Z", None)],
    ),
    (
        "rule n on t when now in night and args.a == 1 allow",
        &[
            ("args.a", "1", Some("exactly 1")),
            ("now", "2026-11-26T21:30:00Z", None),
        ],
    ),
    (
        "rule n on t when args.a < 9 allow rule f on t when now in freeze block",
        &[("now", "2026-12-01T12:00:00Z", None)],
    ),
    (
        "rule n on t when now > \"2027-01-01T00:00:00Z\" allow",
        &[("now", "2027-01-01T00:00:00.001Z", None)],
    ),
    // A sum ends the range, and so does a value that must not be met.
    (
        "rule some on t when args.a > 0 allow rule much on t when args.a + args.b > 100 block",
        &[("args.a", "1", Some("1 to 90"))],
    ),
    (
        "rule some on t when args.a > 0 allow rule same on t when args.a == args.b block",
        &[("args.a", "1", Some("1 to 9"))],
    ),
    (
        "rule some on t when args.a > 0 and args.b == args.a allow",
        &[("args.a", "10", None)],
    ),
    (
        "rule some on t when args.a > 0 and args.a < 50 allow rule less on t when args.b - args.a > 30 block",
        &[("args.a", "1", Some("1 to 49"))],
    ),
    // Texts of a grammar are changed as a whole.
    (
        "rule s on t when any n in args.q.tables: n == \"orders\" \
         when not args.q.opaque and all s in args.q.statements: s.kind == select allow",
        &[("args.q", "\"SELECT * FROM orders\"", None)],
    ),
    (
        "rule s on t when args.r.host == \"git.acme.com\" and args.r.owner == \"acme\" allow",
        &[("args.r", "\"git.acme.com/acme/name\"", None)],
    ),
    (
        "rule s on t when args.c.length >= 24 allow",
        &[("args.c", "\"0.0.0.0/32\"", None)],
    ),
];

#[test]
fn what_is_named_gives_allow() {
    for (rules, named) in CASES {
        let text = format!("{HEAD}{}\n", rules.replace(" rule ", "\nrule "));
        let gate = Gate::new(compile::lower(
            &checked(&text).unwrap_or_else(|| panic!("{text}")),
        ));
        let args = json::parse(CALL.as_bytes()).unwrap();
        let explanation = explained(&gate, &text, &args, "t");
        let Nearest::Found { changes, .. } = &explanation.nearest else {
            panic!("{rules}: {:?}", explanation.nearest)
        };
        let told = changes.iter().map(|change| match &change.what {
            What::Put {
                sample: Shown::Value { text, .. },
                range,
            } => (change.from.place.as_str(), text.as_str(), range.as_deref()),
            other => panic!("{rules}: {other:?}"),
        });
        let told: Vec<_> = told.collect();
        assert_eq!(told, *named, "{rules}");
        assert!(
            changes.iter().all(|change| !change.turns.is_empty()),
            "{changes:#?}"
        );
        let (args, now) = applied(&args, changes);
        assert_eq!(verdict(&gate, "t", &args, now), Verdict::Allow, "{rules}");
    }
}

/// The ends of a range of whole numbers, as it is said.
fn ends(range: &str) -> Option<(i64, i64)> {
    let number = |text: &str| text.replace('_', "").parse::<i64>().ok();
    let most = i64::try_from(gait::limits::SAFE_INTEGER).unwrap();
    if let Some(n) = range.strip_prefix("at least ") {
        return Some((number(n)?, most));
    }
    if let Some(n) = range.strip_prefix("at most ") {
        return Some((-most, number(n)?));
    }
    if let Some(n) = range.strip_prefix("exactly ") {
        return Some((number(n)?, number(n)?));
    }
    let (lo, hi) = range.split_once(" to ")?;
    Some((number(lo)?, number(hi)?))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Every number of a range that is named gives allow beside the other changes.
    #[test]
    fn ranges_are_allowed_to_their_ends(
        policy in oracle::policy(),
        more in oracle::condition(),
        calls in prop::collection::vec(oracle::args(), 1..4),
        part in 0u8..=100,
    ) {
        let text = format!("{policy}rule sums on t.one when args.n > 3 and args.n + len(args.s) < 900 allow\n\
            rule more on t.one when {more} and args.n > args.du.seconds block\n");
        let text = if checked(&text).is_some() { text } else { text.replace("args.du.seconds", "len(args.s) + 40") };
        let Some(policy) = checked(&text) else { return Ok(()) };
        let gate = Gate::new(compile::lower(&policy));
        for call in &calls {
            let args = json::parse(call.as_bytes()).unwrap();
            let explanation = explained(&gate, &text, &args, "t.one");
            let Nearest::Found { changes, call: Some(said), .. } = &explanation.nearest else { continue };
            for change in changes.iter().filter(|change| change.from.place == "args.n") {
                let What::Put { range: Some(range), .. } = &change.what else { continue };
                let (lo, hi) = ends(range).unwrap();
                let inner = lo + i64::try_from(i128::from(hi - lo) * i128::from(part) / 100).unwrap();
                for n in [lo, hi, inner] {
                    let args = with(&said.args, "args.n", Json::int(n));
                    prop_assert_eq!(verdict(&gate, "t.one", &args, NOW), Verdict::Allow, "{} of {}\n{}", n, range, text);
                }
            }
        }
    }
}

/// What is used of a limit is shown as what has to be less.
#[test]
fn a_spent_limit_is_told_as_a_number() {
    let folder = Folder::new();
    let policy = "gaitpol 1\npolicy x\ndefault block code none\ntool t { a: Int }\nrule n on t when args.a == 1 allow\n\
        limit most on t max 2 calls per session exceed block\n";
    folder.write("l.gaitpol", policy.as_bytes());
    let compiled = folder.run(&["policy", "compile", "l.gaitpol", "--out", "l.gaitbundle"]);
    assert_eq!(compiled.status.code(), Some(0), "{}", shown(&compiled));
    let intent = String::from_utf8(folder.read("allow.json")).unwrap();
    let mut intent: serde_json::Value = serde_json::from_str(&intent).unwrap();
    intent["tool_name"] = "t".into();
    intent["args"] = serde_json::json!({ "a": 1 });
    folder.write("i.json", intent.to_string().as_bytes());
    let eval = [
        "gate",
        "eval",
        "--bundle",
        "l.gaitbundle",
        "--intent",
        "i.json",
        "--session",
        "s",
        "--explain",
    ];
    let texts = [(); 3].map(|()| shown(&folder.run(&eval)));
    assert!(texts[1].starts_with("allow"), "{}", texts[1]);
    assert!(
        texts[2].contains("what is spent of most 2 → 1 (what happened before)"),
        "{}",
        texts[2]
    );
}
