//! Comparisons against judged calls: what is said to be the same of two random policies is the same for every random
//! call, and what is said to be different is so for the call that is shown, for the reason that is shown.

use crate::folder::Folder;
use crate::judged::{call, checked};
use crate::oracle::{args, condition, policy};
use gait::analysis::Difference;
use gait::analysis::difference::What;
use gait::compare::compare;
use gait::compile::{self, Checked, Purpose, Texts};
use gait::hir::Case;
use gait::json;
use gait::suite::Runner;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Kinds with a call, kinds without one, tools that were too large.
static COUNTS: [AtomicUsize; 3] = [AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)];

fn verdict() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["allow", "dry_run", "require_approval", "block"])
}

/// Whether conditions are written as a policy writes them.
fn is_language(condition: &str) -> bool {
    !["is like", "is from", "of some kind", "in part", "any number", "…"]
        .iter()
        .any(|not| condition.contains(not))
}

fn same_verdicts(
    difference: &Difference,
    [old, new]: [&Checked; 2],
    calls: &[String],
) -> Result<(), TestCaseError> {
    let mut runners = [Runner::new(old), Runner::new(new)];
    for args in calls {
        let [before, after] = &mut runners;
        let (before, after) = (
            before.judge(&call(args)).decision,
            after.judge(&call(args)).decision,
        );
        let tool = difference.tools.iter().find(|tool| tool.tool == "t.one");
        if before.verdict != after.verdict {
            let said = tool.is_some_and(|tool| {
                let is = |what: &What| *what == What::Verdict(before.verdict, after.verdict);
                tool.too_large || tool.changes.iter().any(|change| is(&change.what))
            });
            prop_assert!(said, "{} -> {} of {args}", before.verdict, after.verdict);
        } else if before.reason_codes != after.reason_codes {
            let said = tool.is_some_and(|tool| {
                tool.too_large
                    || tool
                        .changes
                        .iter()
                        .any(|change| matches!(change.what, What::Codes(..)))
            });
            prop_assert!(said, "codes of {args}");
        }
    }
    Ok(())
}

/// What is shown is so, and for the reason that is shown.
fn shown_is_so(difference: &Difference, new: &Checked, text: &str) -> Result<(), TestCaseError> {
    for tool in &difference.tools {
        COUNTS[2].fetch_add(usize::from(tool.too_large), Ordering::Relaxed);
        for change in &tool.changes {
            for kind in &change.kinds {
                let Some((call, [before, after])) = &kind.example else {
                    COUNTS[1].fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                COUNTS[0].fetch_add(1, Ordering::Relaxed);
                if let What::Verdict(from, to) = change.what {
                    prop_assert_eq!((before.verdict, after.verdict), (from, to));
                }
                prop_assert_eq!(&Runner::new(new).judge(call).decision.reason_codes, &after.codes);
                if kind.conditions.is_empty() || !kind.conditions.iter().all(|c| is_language(c)) {
                    continue;
                }
                let all = kind.conditions.join(") and (");
                let with = format!("{text}\nrule shown on t.one when ({all}) allow\n");
                let report = compile::check_with("p.gaitpol", &with, &Texts::default(), Purpose::Author);
                let Some(checked) = &report.checked else {
                    return Err(TestCaseError::fail(format!("{:#?}\n{all}", report.diagnostics)));
                };
                let matched = Runner::new(checked).judge(call).decision.matched;
                let is_shown = matched.iter().any(|rule| rule.name == "shown");
                prop_assert!(is_shown, "{all}\n{:?}", call.args);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_said_is_the_same(
        policy in policy(),
        added in condition(),
        verdict in verdict(),
        taken in any::<bool>(),
        calls in prop::collection::vec(args(), 1..12),
    ) {
        let with = format!("{policy}rule added on t.one when {added} {verdict} code added\n");
        let (Some(less), Some(more)) = (checked(&policy), checked(&with)) else { return Ok(()) };
        let (old, new, text) = if taken { (&more, &less, &policy) } else { (&less, &more, &with) };
        let difference = compare(old, new);
        same_verdicts(&difference, [old, new], &calls)?;
        shown_is_so(&difference, new, text)?;
        let count = |at: usize| COUNTS[at].load(Ordering::Relaxed);
        println!("{} kinds with a call, {} without, {} tools too large", count(0), count(1), count(2));
    }

    #[test]
    fn a_policy_is_the_same_as_itself_in_any_order(policy in policy()) {
        let Some(one) = checked(&policy) else { return Ok(()) };
        prop_assert!(compare(&one, &one).tools.is_empty());
    }
}

const BASE: &str = r#"gaitpol 1
policy acme.desk
default require_approval code unmatched
label secret
enum Env { dev, staging, prod }
context { fact user: Email }
role finance { "ann@acme.com", "bob@acme.com" }
window office = mon..fri "08:00".."18:00" tz "Europe/Berlin"
tool vault.read { key: String[max 40], returns secret }
tool pay { to: Email, amount: Money[EUR, 2], env: Env, note: String[max 100]?, carries note }
tool fs.write { path: Path, mode: Int }
tool mail { to: List[Email, max 5], body: String[max 200], carries body }
tool sh { cmd: Command }
rule small on pay when args.to.domain under "acme.com" and args.amount <= 500.00 allow code small
rule prod on pay when args.env == prod require_approval { from finance count 2 distinct }
rule secrets on mail when labels(carried) has secret block
rule mails on mail when all r in args.to: r.domain == "acme.com" allow oblige log(info)
rule writes on fs.write when args.path under "/ws" allow
rule after_vault on fs.write when once(call vault.read) block
rule reads on vault.read when args.key starts_with "app/" allow
rule shell on sh when all c in args.cmd.commands: c.program == "ls" allow
limit spend on pay max 1_000.00 of args.amount per 1d exceed block
"#;

/// Changes of `BASE`, and what is said of them: direction, tool, what, conditions.
const CHANGES: &[(&str, &str, &[&str])] = &[
    ("args.amount <= 500.00", "args.amount <= 500", &[]),
    (
        "args.amount <= 500.00",
        "args.amount <= 800.00",
        &[
            "loosened pay: require_approval -> allow when args.to.domain under \"acme.com\" and args.amount > 500.00 and args.amount <= 800.00 and args.env != prod and used of spend per 24h + args.amount <= 1_000.00",
        ],
    ),
    (
        "r.domain == \"acme.com\" allow",
        "r.domain in { \"acme.com\", \"acme.org\" } allow",
        &[
            "loosened mail: require_approval -> allow when not labels(carried) has secret and any x in args.to: x.domain != \"acme.com\" and all x in args.to: x.domain in { \"acme.com\", \"acme.org\" }",
            "tightened mail: obliges nothing -> log(level: \"info\") when labels(carried) has secret and any x in args.to: x.domain != \"acme.com\" and all x in args.to: x.domain in { \"acme.com\", \"acme.org\" }",
        ],
    ),
    (
        "count 2 distinct",
        "count 1",
        &[
            "loosened pay: asks for approval from finance count 2 distinct -> from finance count 1 when args.env == prod and used of spend per 24h + args.amount <= 1_000.00",
        ],
    ),
    (
        "\"bob@acme.com\" }",
        "\"bob@acme.com\", \"cid@acme.com\" }",
        &[
            "loosened pay: asks for approval from finance count 2 distinct (ann@acme.com, bob@acme.com) -> from finance count 2 distinct (ann@acme.com, bob@acme.com, cid@acme.com) when args.env == prod and used of spend per 24h + args.amount <= 1_000.00",
        ],
    ),
    (
        "rule after_vault on fs.write when once(call vault.read) block\n",
        "",
        &[
            "loosened fs.write: block -> allow when args.path under \"/ws\" and once(call vault.read)",
            "loosened fs.write: block -> require_approval when not args.path under \"/ws\" and once(call vault.read)",
        ],
    ),
    (
        "once(call vault.read) block",
        "after(call vault.read) without(turn) block",
        &[
            "loosened fs.write: block -> allow when args.path under \"/ws\" and not after(call vault.read) without(turn) and once(call vault.read)",
            "loosened fs.write: block -> require_approval when not args.path under \"/ws\" and not after(call vault.read) without(turn) and once(call vault.read)",
        ],
    ),
    (
        "once(call vault.read) block",
        "count(call vault.read) > 2 block",
        &[
            "loosened fs.write: block -> allow when args.path under \"/ws\" and count(call vault.read) < 3 and once(call vault.read)",
            "loosened fs.write: block -> require_approval when not args.path under \"/ws\" and count(call vault.read) < 3 and once(call vault.read)",
        ],
    ),
    (
        "max 1_000.00 of",
        "max 2_000.00 of",
        &[
            "loosened -: limit `spend` was 1_000.00, is 2_000.00",
            "loosened pay: block -> allow when args.to.domain under \"acme.com\" and args.amount <= 500.00 and args.env != prod and used of spend per 24h + args.amount > 1_000.00 and used of spend per 24h + args.amount <= 2_000.00",
            "loosened pay: block -> require_approval when not args.to.domain under \"acme.com\" and used of spend per 24h + args.amount > 1_000.00 and used of spend per 24h + args.amount <= 2_000.00",
            "loosened pay: block -> require_approval when args.env == prod and used of spend per 24h + args.amount > 1_000.00 and used of spend per 24h + args.amount <= 2_000.00",
            "loosened pay: block -> require_approval when args.amount > 500.00 and used of spend per 24h + args.amount > 1_000.00 and used of spend per 24h + args.amount <= 2_000.00",
        ],
    ),
    (
        "per 1d exceed",
        "per 7d exceed",
        &[
            "tightened -: limit `spend` counts within another span",
            "tightened pay: allow -> block when args.to.domain under \"acme.com\" and args.amount <= 500.00 and args.env != prod and used of spend per 24h + args.amount <= 1_000.00 and used of spend per 168h + args.amount > 1_000.00",
            "tightened pay: require_approval -> block when not args.to.domain under \"acme.com\" and used of spend per 24h + args.amount <= 1_000.00 and used of spend per 168h + args.amount > 1_000.00",
            "tightened pay: require_approval -> block when args.env == prod and used of spend per 24h + args.amount <= 1_000.00 and used of spend per 168h + args.amount > 1_000.00",
            "tightened pay: require_approval -> block when args.amount > 500.00 and used of spend per 24h + args.amount <= 1_000.00 and used of spend per 168h + args.amount > 1_000.00",
        ],
    ),
    (
        "oblige log(info)",
        "oblige log(warn)",
        &[
            "tightened mail: obliges log(level: \"info\") -> log(level: \"warn\") when all x in args.to: x.domain == \"acme.com\"",
        ],
    ),
    (
        "oblige log(info)",
        "",
        &[
            "loosened mail: obliges log(level: \"info\") -> nothing when all x in args.to: x.domain == \"acme.com\"",
        ],
    ),
    (
        "default require_approval",
        "default block",
        &[
            "sideways pay: code nothing -> unmatched when not args.to.domain under \"acme.com\" and args.env != prod and used of spend per 24h + args.amount > 1_000.00",
            "sideways pay: code nothing -> unmatched when args.amount > 500.00 and args.env != prod and used of spend per 24h + args.amount > 1_000.00",
            "tightened fs.write: require_approval -> block when not args.path under \"/ws\" and not once(call vault.read)",
            "tightened mail: require_approval -> block when not labels(carried) has secret and any x in args.to: x.domain != \"acme.com\"",
            "tightened pay: require_approval -> block when not args.to.domain under \"acme.com\" and args.env != prod and used of spend per 24h + args.amount <= 1_000.00",
            "tightened pay: require_approval -> block when args.amount > 500.00 and args.env != prod and used of spend per 24h + args.amount <= 1_000.00",
            "tightened sh: require_approval -> block when any x in args.cmd.commands: x.program != \"ls\"",
            "tightened vault.read: require_approval -> block when not args.key starts_with \"app/\"",
        ],
    ),
    (
        "mode: Int",
        "mode: Int, force: Bool?",
        &["loosened fs.write: a new argument `force`: `Bool?`"],
    ),
    (
        "mode: Int",
        "mode: Int?",
        &["loosened fs.write: argument `mode` was `Int`, is `Int?`"],
    ),
    (
        "note: String[max 100]?, carries note",
        "note: String[max 10]?, carries note",
        &["tightened pay: argument `note` was `String[max 100]?`, is `String[max 10]?`"],
    ),
    (
        "{ dev, staging, prod }",
        "{ dev, staging, prod, lab }",
        &["loosened pay: argument `env` was one of dev, staging, prod, is one of dev, staging, prod, lab"],
    ),
    (
        "tool sh { cmd: Command }\n",
        "tool sh { cmd: Command }\ntool rm { path: Path }\nrule rms on rm when args.path under \"/tmp\" allow\n",
        &[
            "loosened rm: a new tool: what is said to come of it has its labels, and no others",
            "loosened rm: block -> allow when args.path under \"/tmp\"",
            "loosened rm: block -> require_approval when not args.path under \"/tmp\"",
        ],
    ),
    (
        "labels(carried) has secret",
        "labels(carried) has untrusted",
        &[
            "tightened mail: allow -> block when labels(carried) has untrusted and not labels(carried) has secret and all x in args.to: x.domain == \"acme.com\"",
            "tightened mail: require_approval -> block when labels(carried) has untrusted and not labels(carried) has secret and any x in args.to: x.domain != \"acme.com\"",
        ],
    ),
    (
        "returns secret",
        "returns untrusted",
        &[
            "loosened mail: block -> allow when not labels(carried) has secret and labels(carried) has secret (before) and all x in args.to: x.domain == \"acme.com\" (perhaps)",
            "loosened mail: block -> require_approval when not labels(carried) has secret and labels(carried) has secret (before) and any x in args.to: x.domain != \"acme.com\" (perhaps)",
            "sideways vault.read: what it returns was labelled secret, is labelled untrusted",
            "tightened mail: allow -> block when labels(carried) has secret and not labels(carried) has secret (before) and all x in args.to: x.domain == \"acme.com\" (perhaps)",
            "tightened mail: require_approval -> block when labels(carried) has secret and not labels(carried) has secret (before) and any x in args.to: x.domain != \"acme.com\" (perhaps)",
        ],
    ),
    (
        "rule writes on fs.write when",
        "rule writes on fs.write when now in office and",
        &[
            "tightened fs.write: allow -> require_approval when args.path under \"/ws\" and now not in office and not once(call vault.read)",
        ],
    ),
    (
        "fact user: Email",
        "claim user: Email from intent context.user",
        &[
            "loosened -: context `user` was a fact, is a claim",
            "loosened -: context `user` is taken from elsewhere",
        ],
    ),
    (
        "args.key starts_with \"app/\"",
        "args.key starts_with \"app/\" or args.key == \"x\"",
        &["loosened vault.read: require_approval -> allow when args.key == \"x\""],
    ),
    (
        "policy acme.desk\n",
        "policy acme.desk\nprofile dev\n",
        &["loosened -: profile was `standard`, is `dev`"],
    ),
    (
        "body: String[max 200], carries body",
        "body: String[max 200], carries to",
        &[
            "loosened mail: block -> allow when not labels(carried) has secret and labels(carried) has secret (before) and all x in args.to: x.domain == \"acme.com\" (perhaps)",
            "loosened mail: block -> require_approval when not labels(carried) has secret and labels(carried) has secret (before) and any x in args.to: x.domain != \"acme.com\" (perhaps)",
            "sideways mail: carried body, carries to",
            "tightened mail: allow -> block when labels(carried) has secret and not labels(carried) has secret (before) and all x in args.to: x.domain == \"acme.com\" (perhaps)",
            "tightened mail: require_approval -> block when labels(carried) has secret and not labels(carried) has secret (before) and any x in args.to: x.domain != \"acme.com\" (perhaps)",
        ],
    ),
    ("fact user: Email", "fact user: Email?", &[]),
    (
        "from finance count 2 distinct",
        "from finance count 2 single_use",
        &[
            "loosened pay: asks for approval from finance count 2 distinct -> from finance count 2 single_use when args.env == prod and used of spend per 24h + args.amount <= 1_000.00",
        ],
    ),
    (
        "oblige log(info)",
        "oblige notify(\"ops\")",
        &[
            "loosened mail: obliges log(level: \"info\") -> notify(channel: [\"ops\"]) when all x in args.to: x.domain == \"acme.com\"",
        ],
    ),
];

#[test]
fn changes_are_told_as_they_are() {
    for (from, to, expected) in CHANGES {
        assert_eq!(BASE.matches(from).count(), 1, "{from}");
        let at = Folder::new();
        at.write("a.gaitpol", BASE.as_bytes());
        at.write("b.gaitpol", BASE.replace(from, to).as_bytes());
        let found = at.json(&["policy", "diff", "a.gaitpol", "b.gaitpol"], 0, "policy_diff");
        let said: Vec<String> = found["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect();
        assert_eq!(said, *expected, "{from} -> {to}");
    }
}

fn line(entry: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let conditions: Vec<String> = entry["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    let when = if conditions.is_empty() { "" } else { " when " };
    let perhaps = if entry["certain"] == true {
        ""
    } else {
        " (perhaps)"
    };
    format!(
        "{} {}: {}{when}{}{perhaps}",
        text(&entry["direction"]),
        text(&entry["tool"]),
        text(&entry["what"]),
        conditions.join(" and ")
    )
}

/// Conditions on what is not in the call.
const AROUND: [&str; 16] = [
    "labels(args.to) has untrusted",
    "labels(args.to) has secret",
    "labels(carried) has secret",
    "labels(carried) has any { secret, pii }",
    "labels(session) has pii",
    "labels(session) has secret",
    "once(call read)",
    "not yet(call note)",
    "after(call read) without(turn)",
    "once(call read) since(turn)",
    "once(result has secret)",
    "count(call read) > 1",
    "count(call read within 1h) > 1",
    "count(call read within 2h) > 2",
    "history matches [call read, *, call note]",
    "now in office",
];

pub fn around() -> impl Strategy<Value = String> {
    let pick = |from: &'static [&'static str]| prop::sample::select(from);
    let rules = prop::collection::vec((pick(&AROUND), pick(&AROUND), any::<bool>(), verdict()), 1..4);
    let source = pick(&[
        "",
        "source tool_output from read => secret\n",
        "source external => pii\n",
    ]);
    let returns = pick(&["", ", returns secret", ", returns pii"]);
    let takes = pick(&["", "declassify note removes secret\n"]);
    let limit = pick(&[
        "",
        "2 calls per 1h",
        "3 calls per 1h",
        "2 calls per 2h",
        "5 of args.n per session",
        "3 of args.n per session",
    ]);
    let default = verdict();
    (rules, source, returns, takes, limit, default).prop_map(|(rules, source, returns, takes, limit, default)| {
        let mut text = format!(
            "gaitpol 1\npolicy random.around\nprofile dev\ndefault {default}\nlabel secret\nlabel pii\n{source}{takes}\
             window office = mon..fri \"08:00\"..\"18:00\" tz \"Europe/Berlin\"\n\
             tool read {{ n: Int{returns} }}\ntool note {{ n: Int }}\ntool send {{ to: String[max 9], n: Int, carries to }}\n"
        );
        for (number, (a, b, both, verdict)) in rules.iter().enumerate() {
            let word = if *both { "and" } else { "or" };
            text.push_str(&format!("rule r{number} on send when {a} {word} ({b}) {verdict}\n"));
        }
        if !limit.is_empty() {
            text.push_str(&format!("limit most on send max {limit} exceed block\n"));
        }
        text
    })
}

/// A call of `send` after others.
pub fn after_others() -> impl Strategy<Value = Case> {
    use gait::domain::{ArgumentOrigin, ArgumentSource};
    use gait::hir::SessionStep;
    const START: i128 = 1_767_571_200_000;
    let step = prop_oneof![
        (
            prop::sample::select(&["read", "note", "send"][..]),
            0..4,
            any::<bool>()
        )
            .prop_map(|(tool, n, ok)| {
                let to = if tool == "send" { "\"to\":\"a\"," } else { "" };
                let args = json::parse(format!("{{{to}\"n\":{n}}}").as_bytes()).unwrap_or(json::Json::Null);
                SessionStep::Call {
                    tool: tool.to_owned(),
                    args,
                    ok,
                }
            }),
        Just(SessionStep::Turn),
    ];
    let steps = prop::collection::vec((step, 0..90i128), 0..6);
    let origin = prop::sample::select(vec![
        None,
        Some((ArgumentSource::User, None)),
        Some((ArgumentSource::External, None)),
        Some((ArgumentSource::ToolOutput, Some("read"))),
        Some((ArgumentSource::ToolOutput, Some("note"))),
    ]);
    (steps, origin, 0..4, 0..30i128).prop_map(|(steps, origin, n, hours)| {
        let mut now = START;
        let mut session = Vec::new();
        for (step, minutes) in steps {
            now += minutes * 60_000;
            session.extend([SessionStep::At(now), step]);
        }
        let args = json::parse(format!("{{\"to\":\"a\",\"n\":{n}}}").as_bytes()).unwrap_or(json::Json::Null);
        let origins = origin.map(|(source, tool): (_, Option<&str>)| {
            vec![ArgumentOrigin {
                path: vec!["to".to_owned()],
                source,
                tool: tool.map(str::to_owned),
                digest: None,
            }]
        });
        Case {
            session,
            origins,
            at: Some(now + hours * 3_600_000),
            ..Case::call("send", args)
        }
    })
}

/// Kinds with a call, and without.
static AROUND_COUNTS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn labels_history_and_limits_are_compared(
        old in around(),
        new in around(),
        calls in prop::collection::vec(after_others(), 1..20),
    ) {
        let (Some(a), Some(b)) = (checked(&old), checked(&new)) else {
            return Err(TestCaseError::fail(format!("{old}\n{new}")));
        };
        let difference = compare(&a, &b);
        let tool = difference.tools.iter().find(|tool| tool.tool == "send");
        let mut runners = [Runner::new(&a), Runner::new(&b)];
        for call in &calls {
            let [before, after] = &mut runners;
            let (before, after) = (before.judge(call).decision.verdict, after.judge(call).decision.verdict);
            if before != after {
                let is = |what: &What| *what == What::Verdict(before, after);
                let said = tool.is_some_and(|tool| tool.changes.iter().any(|change| is(&change.what)));
                prop_assert!(said, "{before} -> {after} of {call:?}\n{old}\n{new}\n{tool:#?}");
            }
        }
        for kind in difference.tools.iter().flat_map(|tool| &tool.changes).flat_map(|change| &change.kinds) {
            AROUND_COUNTS[usize::from(kind.example.is_none())].fetch_add(1, Ordering::Relaxed);
            if kind.example.is_none() && std::env::var_os("GAIT_SHOW_OPEN").is_some() {
                println!("open: {:?}\n{old}\n{new}", kind.conditions);
            }
        }
        let count = |at: usize| AROUND_COUNTS[at].load(Ordering::Relaxed);
        println!("{} kinds with a call, {} without", count(0), count(1));
    }
}

fn differences(old: &str, new: &str) -> Vec<String> {
    let at = Folder::new();
    at.write("a.gaitpol", old.as_bytes());
    at.write("b.gaitpol", new.as_bytes());
    let found = at.json(&["policy", "diff", "a.gaitpol", "b.gaitpol"], 0, "policy_diff");
    let all = found.get("differences").and_then(|all| all.as_array());
    all.into_iter().flatten().map(line).collect()
}

/// A result may have a label by the one policy and not by the other, so that a session has seen it by one of them alone.
#[test]
fn what_a_session_has_seen_is_told_apart_where_labels_are() {
    let policy = |returns: &str, rule: &str| {
        format!(
            "gaitpol 1\npolicy p\nprofile dev\ndefault dry_run\nlabel secret\ntool read {{ n: Int{returns} }}\n\
             tool send {{ to: String[max 9] }}\nrule r on send when once(result has secret) {rule}\n"
        )
    };
    let (without, with) = (
        policy("", "allow"),
        policy(", returns secret", "require_approval"),
    );
    let told = differences(&without, &with);
    for change in ["dry_run -> require_approval", "allow -> require_approval"] {
        assert!(
            told.iter().any(|line| line.contains(change)),
            "{change}: {told:#?}"
        );
    }
    let told = differences(&with, &without);
    assert!(
        told.iter()
            .any(|line| line.contains("require_approval -> dry_run")),
        "{told:#?}"
    );
}

#[test]
fn what_is_asked_anyway_is_no_difference() {
    let policy = |more: &str| {
        format!(
            "gaitpol 1\npolicy p\ndefault block\ntool t {{ n: Int }}\nrole finance {{ \"ann\", \"bob\" }}\n\
             rule two on t when args.n > 0 require_approval {{ from finance count 2 distinct }}\n{more}"
        )
    };
    let plain = "rule one on t when args.n > 5 require_approval\n";
    let told = differences(&policy(plain), &policy(""));
    assert_eq!(told, ["sideways t: code one -> nothing when args.n >= 6"]);
    // It counts where it asks of calls that nothing else asks of.
    let wide = plain.replace("args.n > 5", "args.n > -5");
    let told = differences(&policy(&wide), &policy(plain));
    let expected = [
        "sideways t: code one -> nothing when args.n < 6 and args.n >= 1",
        "tightened t: require_approval -> block when args.n < 1 and args.n >= -4",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_call_is_shown_for_the_members_that_it_has() {
    let policy = |members: &str, rule: &str| {
        format!(
            "gaitpol 1\npolicy p\ndefault block\nenum Env {{ {members} }}\ntool t {{ env: Env, n: Int }}\n\
             rule all on t when {rule} allow\n"
        )
    };
    let told = differences(
        &policy("dev, test, lab, prod", "args.env == lab"),
        &policy("lab, prod", "args.env == lab and args.n > 2"),
    );
    let expected = [
        "tightened t: argument `env` was one of dev, test, lab, prod, is one of lab, prod",
        "tightened t: allow -> block when args.env == lab and args.n < 3",
    ];
    assert_eq!(told, expected);
}

fn pair(from: &str, to: &str) -> Folder {
    let at = Folder::new();
    at.write("a.gaitpol", BASE.as_bytes());
    at.write("b.gaitpol", BASE.replace(from, to).as_bytes());
    at
}

#[test]
fn a_loosening_has_to_be_accepted() {
    let at = pair("args.amount <= 500.00", "args.amount <= 800.00");
    let diff = ["policy", "diff", "a.gaitpol", "b.gaitpol", "--require-narrowing"];
    let found = at.json(&diff, 5, "policy_diff");
    assert_eq!(found["ok"], false);
    let id = found["differences"][0]["id"].as_str().unwrap();
    assert_eq!(
        found["differences"][0]["call"]["args"]["amount"],
        serde_json::json!(500.01)
    );
    assert_eq!(
        found["differences"][0]["after"]["rules"],
        serde_json::json!(["small"])
    );
    at.write(
        "ok.txt",
        format!("# raised in spring\n{id}  # by finance\n").as_bytes(),
    );
    let with = |file| [&diff[..], &["--accepted", file]].concat();
    let found = at.json(&with("ok.txt"), 0, "policy_diff");
    assert_eq!(found["differences"][0]["accepted"], true);
    // The other way round it is narrower.
    at.json(
        &["policy", "diff", "b.gaitpol", "a.gaitpol", "--require-narrowing"],
        0,
        "policy_diff",
    );
    at.write("bad.txt", b"5461c472fc89\nsmall\n");
    at.fails(&with("bad.txt"), 6, "diff.bad_accepted");
    at.write("c.gaitpol", b"gaitpol 1\npolicy x\ndefault blok\n");
    at.fails(&["policy", "diff", "a.gaitpol", "c.gaitpol"], 6, "policy.invalid");
}

#[test]
fn recorded_calls_are_counted() {
    let at = pair("args.amount <= 500.00", "args.amount <= 800.00");
    let call = |amount: u32| {
        format!(
            "{{\"tool\":\"pay\",\"args\":{{\"to\":\"ann@acme.com\",\"amount\":{amount},\"env\":\"dev\"}}}}\n"
        )
    };
    let calls: String = [100, 600].map(call).concat();
    at.write("calls.jsonl", calls.as_bytes());
    let diff = [
        "policy",
        "diff",
        "a.gaitpol",
        "b.gaitpol",
        "--calls",
        "calls.jsonl",
    ];
    let at_noon = [&diff[..], &["--evaluation-time", "2026-01-05T12:00:00Z"]].concat();
    let found = at.json(&at_noon, 0, "policy_diff");
    assert_eq!(found["recorded"]["calls"], 2);
    assert_eq!(found["recorded"]["changed"][0]["calls"], 1);
    assert_eq!(
        found["differences"][0]["recorded_calls"],
        found["recorded"]["changed"][0]["calls"]
    );
}

#[test]
fn people_read_it_in_a_terminal_a_pull_request_and_a_browser() {
    let at = pair(
        "r.domain == \"acme.com\" allow",
        "r.local == \"`a&b`\" or r.domain == \"acme.com\" allow",
    );
    for (format, parts) in [
        ("text", &["loosened ", "now allow by mails", "1 loosened"][..]),
        (
            "markdown",
            &["#### Loosened", "``all x in args.to: ", "- `mail`"][..],
        ),
        ("html", &["<h2>Loosened</h2>", "`a&amp;b`", "<!doctype html>"][..]),
    ] {
        let out = at.run(&["policy", "diff", "a.gaitpol", "b.gaitpol", "--format", format]);
        let text = String::from_utf8(out.stdout).unwrap();
        for part in parts {
            assert!(text.contains(part), "{format}: {part}\n{text}");
        }
        assert!(!text.contains("`a&b`") || format != "html");
    }
}

/// What a comparison must not stumble over: each policy is the same as itself.
const ITSELF: [&str; 3] = [
    "limit most on pay when labels(args.to) has untrusted max 2 calls per 1h exceed block",
    "limit most on pay when now in office and once(call vault.read) max 2 calls per session exceed block",
    "rule after on pay when once(call fs.write when now in office) block",
];

#[test]
fn what_is_computed_of_what_is_computed_is_compared() {
    for more in ITSELF {
        let text = format!("{BASE}{more}\n");
        let policy = checked(&text).unwrap_or_else(|| panic!("{more}"));
        let difference = compare(&policy, &policy);
        assert!(difference.tools.is_empty(), "{more}: {difference:#?}");
    }
}

#[test]
fn the_same_words_about_another_window_are_not_the_same() {
    let ids = ["18:01", "24:00"].map(|end| {
        let within = "rule writes on fs.write when now in office and";
        let base = BASE.replace("rule writes on fs.write when", within);
        let at = Folder::new();
        at.write("a.gaitpol", base.as_bytes());
        at.write(
            "b.gaitpol",
            base.replace("\"18:00\"", &format!("\"{end}\"")).as_bytes(),
        );
        let found = at.json(&["policy", "diff", "a.gaitpol", "b.gaitpol"], 0, "policy_diff");
        let first = &found["differences"][0];
        assert_eq!(first["direction"], "loosened");
        assert!(
            line(first).contains("now not in office (before)"),
            "{}",
            line(first)
        );
        first["id"].to_string()
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn obligations_are_told_as_a_policy_writes_them() {
    let at = pair(
        "rule small on pay",
        "obligation tick { n: Int merge max }\nrule small on pay",
    );
    let rule = "rule mails";
    let text = String::from_utf8(at.read("b.gaitpol")).unwrap();
    assert!(text.contains(rule), "{text}");
    at.write(
        "b.gaitpol",
        format!("{text}\nrule told on pay allow oblige tick(n: 3), redact(args.to)\n").as_bytes(),
    );
    let found = at.json(&["policy", "diff", "a.gaitpol", "b.gaitpol"], 0, "policy_diff");
    let differences = found["differences"].as_array().unwrap();
    let mut duties = differences
        .iter()
        .flat_map(|one| one["after"]["obligations"].as_array().into_iter().flatten())
        .map(|text| text.as_str().unwrap());
    assert!(duties.clone().any(|text| text == "tick(n: 3)"), "{found:#}");
    assert!(
        duties.all(|text| ["tick(n: 3)", "redact(args.to)"].contains(&text)),
        "{found:#}"
    );
}

#[test]
fn a_fact_that_only_approvals_ask_for_is_compared() {
    let policy = |ty: &str| {
        format!(
            "gaitpol 1\npolicy p\ndefault block\ncontext {{ fact identity: {ty} }}\ntool t {{ n: Int }}\n\
             rule all on t when args.n > 0 require_approval {{ excluding requester }}\n"
        )
    };
    let told = differences(&policy("Email"), &policy("String[max 90]"));
    assert_eq!(
        told,
        ["loosened -: context `identity` was `Email`, is `String[max 90]`"]
    );
}

#[test]
fn what_is_asked_in_other_words_is_no_difference() {
    let policy = |when: &str| {
        format!(
            "gaitpol 1\npolicy p\ndefault block\ntool t {{ s: String[max 9], p: Path, l: List[Int, max 3] }}\n\
             rule all on t when {when} allow\n"
        )
    };
    for (old, new) in [
        ("args.s like \"abc\"", "args.s == \"abc\""),
        ("args.s matches \"ab|cd\"", "args.s in { \"ab\", \"cd\" }"),
        (
            "args.p like \"/ws/**\" or args.p == \"/ws\"",
            "args.p under \"/ws\"",
        ),
        ("len(args.s) <= 9", "len(args.s) >= 0"),
        ("len(args.l) < 4", "len(args.l) >= 0"),
    ] {
        for (old, new) in [(old, new), (new, old)] {
            assert_eq!(differences(&policy(old), &policy(new)), [""; 0], "{old} / {new}");
        }
    }
}
