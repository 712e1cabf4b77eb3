//! Policies under policies: whatever a lower policy that compiles says, a composed verdict is looser than that of the policy
//! above only where that policy delegates, and no looser than it delegates.

use crate::folder::{Folder, shown};
use gait::artifact::jcs;
use gait::compile::{self, Pin, Purpose, Report, Text, Texts};
use gait::diag::codes::OUTSIDE_DELEGATION;
use gait::domain::{ArgumentOrigin, ArgumentSource, Request, Verdict};
use gait::gate::Gate;
use gait::json;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

const TOOL: &str = "enum Kind { a, b, c }\n\
    tool t { path: Path, n: Int, m: Int, kind: Kind, tags: List[String[max 4], max 3], note: Path? }\n";
const PATHS: [&str; 5] = ["/ws", "/ws/a", "/ws/a/b", "/etc", "/ws/ab"];
const TAGS: [&str; 3] = ["x", "y", "xy"];

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&PATHS[..]).prop_map(|p| format!("args.path under \"{p}\"")),
        (0..4i32).prop_map(|n| format!("args.n < {n}")),
        (0..4i32).prop_map(|n| format!("args.n >= {n}")),
        Just("args.n <= args.m".to_owned()),
        prop::sample::select(vec!["a", "b", "c"]).prop_map(|k| format!("args.kind == {k}")),
        prop::sample::select(&TAGS[..]).prop_map(|t| format!("(any x in args.tags: x == \"{t}\")")),
        prop::sample::select(&TAGS[..]).prop_map(|t| format!("(all x in args.tags: x starts_with \"{t}\")")),
        prop::sample::select(&PATHS[..]).prop_map(|p| format!("(any x in args.note: x under \"{p}\")")),
    ]
}

fn cond() -> impl Strategy<Value = String> {
    atom().prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

const VERDICTS: [&str; 4] = ["allow", "dry_run", "require_approval", "block"];

fn verdict() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&VERDICTS[..])
}

#[derive(Clone, Debug)]
struct Policies {
    default: &'static str,
    above: Vec<(String, &'static str)>,
    regions: Vec<(String, &'static str)>,
    /// Each within a region where it names one.
    below: Vec<(Option<usize>, String, &'static str)>,
}

fn policies() -> impl Strategy<Value = Policies> {
    let pairs = |most| prop::collection::vec((cond(), verdict()), 0..most);
    let below = (prop::option::weighted(0.8, 0..2usize), cond(), verdict());
    let default = prop::sample::select(vec!["block", "require_approval"]);
    (default, pairs(3), pairs(3), prop::collection::vec(below, 1..3)).prop_map(
        |(default, above, regions, below)| Policies {
            default,
            above,
            regions,
            below,
        },
    )
}

impl Policies {
    fn above(&self) -> String {
        let mut text = format!(
            "gaitpol 1\npolicy above\nscope org\ndefault {}\n{TOOL}",
            self.default
        );
        for (number, (cond, verdict)) in self.above.iter().enumerate() {
            text += &format!("rule u{number} on t when {cond} {verdict}\n");
        }
        for (cond, verdict) in &self.regions {
            text += &format!("delegate {verdict} on t when {cond} to team\n");
        }
        text
    }

    fn below(&self) -> String {
        let mut text = "gaitpol 1\npolicy below\nscope team under \"above.gaitpol\"\n".to_owned();
        for (number, (region, cond, verdict)) in self.below.iter().enumerate() {
            let inside = region.and_then(|region| self.regions.get(region));
            let inside = inside.map_or(String::new(), |(cond, _)| format!(" when {cond}"));
            text += &format!("rule l{number} on t{inside} when {cond} {verdict}\n");
        }
        text
    }

    /// A policy with a rule per region, to ask which of them a call lies in.
    fn asked(&self) -> String {
        let mut text = format!("gaitpol 1\npolicy asked\ndefault block\n{TOOL}");
        for (number, (cond, verdict)) in self.regions.iter().enumerate() {
            text += &format!("rule r{number} on t when {cond} {verdict}\n");
        }
        text
    }
}

fn compiled(text: &str, above: Option<&str>) -> Option<Gate> {
    Some(Gate::new(compile::lower(&checked(text, above).checked?)))
}

fn checked(text: &str, above: Option<&str>) -> Report {
    let mut texts = Texts::default();
    if let Some(above) = above {
        let pin = Pin {
            digest: String::new(),
            locked: None,
        };
        let text = Text {
            text: above.to_owned(),
            pin,
        };
        texts.files.insert("above.gaitpol".to_owned(), Ok(text));
    }
    compile::check_with("p.gaitpol", text, &texts, Purpose::Author)
}

fn calls() -> Vec<String> {
    let mut calls = Vec::new();
    for (at, path) in PATHS.iter().chain(&["/ws/a/c", "/x"]).enumerate() {
        for n in -1..5 {
            let kind = ["a", "b", "c"][(at + (n + 1) as usize) % 3];
            for tags in ["[]", "[\"x\"]", "[\"xy\",\"y\"]", "[\"x\",\"xy\"]"] {
                let note = if n % 2 == 0 { ",\"note\":\"/ws/a\"" } else { "" };
                let m = (at as i32 + n) % 4;
                calls.push(format!(
                    "{{\"kind\":\"{kind}\",\"m\":{m},\"n\":{n}{note},\"path\":\"{path}\",\"tags\":{tags}}}"
                ));
            }
        }
    }
    calls
}

fn judge(gate: &Gate, args: &str) -> (Verdict, Vec<String>) {
    let args = json::parse(args.as_bytes()).unwrap();
    let decision = gate
        .decide(&Request::call("t", &args), &mut gate.workspace())
        .decision;
    let matched = decision
        .matched
        .iter()
        .map(|rule| rule.name.to_string())
        .collect();
    (decision.verdict, matched)
}

/// What happened to one set of policies: refused, or so many calls with a looser verdict.
fn holds(policies: &Policies) -> Option<usize> {
    let above = compiled(&policies.above(), None)?;
    let composed = compiled(&policies.below(), Some(&policies.above()))?;
    let asked = compiled(&policies.asked(), None);
    let mut looser = 0;
    for call in calls() {
        let (alone, _) = judge(&above, &call);
        let (both, _) = judge(&composed, &call);
        if both >= alone {
            continue;
        }
        looser += 1;
        let regions = asked
            .as_ref()
            .map(|gate| judge(gate, &call).1)
            .unwrap_or_default();
        let delegated = regions.iter().filter_map(|name| {
            let number: usize = name.trim_start_matches('r').parse().ok()?;
            Verdict::parse(policies.regions.get(number)?.1)
        });
        let least = delegated.min();
        assert!(
            least.is_some_and(|least| both >= least),
            "{call}: {alone} became {both}, delegated {least:?}\n{}\n{}",
            policies.above(),
            policies.below()
        );
    }
    Some(looser)
}

/// The calls shown beside refused rules, as the gate judges them: the rule matches, no rule above speaks, and what is
/// delegated is stricter than the rule or elsewhere. Gives how many rules were refused, and how many of them with a call.
fn refused(policies: &Policies) -> Option<(usize, usize)> {
    let above = compiled(&policies.above(), None)?;
    let asked = compiled(&policies.asked(), None);
    let report = checked(&policies.below(), Some(&policies.above()));
    let refused = report.diagnostics.iter().filter(|d| d.code == OUTSIDE_DELEGATION);
    let (mut rules, mut calls) = (0, 0);
    for diagnostic in refused {
        rules += 1;
        let Some(witness) = &diagnostic.witness else {
            continue;
        };
        calls += 1;
        let call = json::parse(witness.as_bytes()).unwrap();
        let args = String::from_utf8(jcs::to_vec(call.get("args").unwrap())).unwrap();
        let number: usize = diagnostic.message.split("`l").nth(1).unwrap()[..1]
            .parse()
            .unwrap();
        let (region, cond, verdict) = &policies.below[number];
        let inside = region.and_then(|region| policies.regions.get(region));
        let inside = inside.map_or(String::new(), |(cond, _)| format!(" when {cond}"));
        let alone = format!(
            "gaitpol 1\npolicy p\ndefault block\n{TOOL}rule l{number} on t{inside} when {cond} {verdict}\n"
        );
        let explain = || format!("{witness}\n{}\n{}", policies.above(), policies.below());
        // A rule that always holds, or never, is no rule alone.
        if let Some(alone) = compiled(&alone, None) {
            assert_eq!(judge(&alone, &args).1, [format!("l{number}")], "{}", explain());
        }
        let (default, spoken) = judge(&above, &args);
        assert_eq!(spoken, [""; 0], "{}", explain());
        let verdict = Verdict::parse(verdict).unwrap();
        assert!(verdict < default, "{}", explain());
        let regions = asked
            .as_ref()
            .map(|gate| judge(gate, &args).1)
            .unwrap_or_default();
        for region in regions {
            let number: usize = region.trim_start_matches('r').parse().unwrap();
            let delegated = Verdict::parse(policies.regions[number].1).unwrap();
            let tried = delegated == Verdict::DryRun && verdict == Verdict::RequireApproval;
            assert!(delegated > verdict || tried, "{}", explain());
        }
    }
    Some((rules, calls))
}

#[test]
fn the_call_beside_a_refused_rule_shows_why() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut rules, mut calls) = (0, 0);
    for _ in 0..200 {
        let policies = policies().new_tree(&mut runner).unwrap().current();
        let (refused, shown) = refused(&policies).unwrap_or_default();
        rules += refused;
        calls += shown;
    }
    assert!(rules > 50 && calls * 10 > rules * 9, "{calls} of {rules}");
}

#[test]
fn nothing_is_looser_outside_what_is_delegated() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut looser) = (0, 0);
    for _ in 0..400 {
        let policies = policies().new_tree(&mut runner).unwrap().current();
        if let Some(found) = holds(&policies) {
            accepted += 1;
            looser += usize::from(found > 0);
        }
    }
    assert!(
        accepted > 60 && looser > 20,
        "{accepted} accepted, {looser} looser somewhere"
    );
}

/// Explanations, decisions and traces name the scope of every rule.
fn says_whose_rules(folder: &Folder) {
    let intent = r#"{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-01-01T00:00:00Z",
        "producer_version":"1","tool_name":"fs.read","args":{"path":"/ws/keys/a"},"targets":[],
        "context":{"identity":"bob","workspace":"/w","risk_class":"low"}}"#;
    folder.write("i.json", intent.as_bytes());
    let args = [
        "policy",
        "explain",
        "--policy",
        "p/web.gaitpol",
        "--intent",
        "i.json",
    ];
    let value = folder.json(&args, 0, "policy_explain");
    let scope = |of: &str, policy: &str| serde_json::json!({ "of": of, "policy": policy });
    let found: Vec<_> = value["explanation"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| &rule["scope"])
        .collect();
    assert_eq!(
        found,
        [&scope("org", "acme.org"), &scope("team", "acme.web")],
        "{value:#}"
    );
    let text = shown(&folder.run(&args));
    assert!(
        text.contains("[org acme.org]") && text.contains("[team acme.web]"),
        "{text}"
    );
    let compile = ["policy", "compile", "p/web.gaitpol", "--out", "c.gaitbundle"];
    let output = folder.run(&compile);
    assert!(output.status.success(), "{}", shown(&output));
    let eval = ["gate", "eval", "--bundle", "c.gaitbundle", "--intent", "i.json"];
    let value = folder.json(&eval, 3, "gate_eval");
    assert_eq!(
        value["matched_rules"][0]["scope"],
        scope("org", "acme.org"),
        "{value:#}"
    );
    folder.valid_trace(value["trace_path"].as_str().unwrap());
    let output = folder.run(&eval);
    assert!(shown(&output).contains("[org acme.org]"), "{}", shown(&output));
}

#[test]
fn a_composed_policy_is_locked_tested_and_bundled() {
    let folder = Folder::new();
    folder.write(
        "p/org/org.gaitpol",
        b"gaitpol 1\npolicy acme.org @ \"1\"\nscope org\ndefault block\ntool fs.read { path: Path }\n\
          rule keys on fs.read when args.path under \"/ws/keys\" block\n\
          delegate allow on fs.read when args.path under \"/ws\" to team\n",
    );
    folder.write(
        "p/web.gaitpol",
        b"gaitpol 1\npolicy acme.web @ \"1\"\nscope team under \"org/org.gaitpol\"\n\
          rule sources on fs.read when args.path under \"/ws\" allow\n\
          test \"sources\" {\n  call fs.read { path: \"/ws/a\" } => allow by sources\n  \
          call fs.read { path: \"/ws/keys/a\" } => block by keys, sources\n}\n",
    );
    let check = |exit| folder.json(&["policy", "check", "p/web.gaitpol"], exit, "policy_check");
    let found = check(0);
    assert_eq!(found["files"][0]["diagnostics"][0]["code"], "GP0120", "{found}");
    assert!(folder.run(&["policy", "lock", "p/web.gaitpol"]).status.success());
    assert_eq!(check(0)["files"][0]["diagnostics"].as_array().unwrap().len(), 0);
    assert!(folder.run(&["policy", "test", "p/web.gaitpol"]).status.success());
    says_whose_rules(&folder);
    folder.write(
        "p/org/org.gaitpol",
        b"gaitpol 1\npolicy acme.org\nscope org\ndefault block\n",
    );
    assert_eq!(check(6)["files"][0]["diagnostics"][0]["code"], "GP0119");
}

/// A name that no tool above has may stand for anything that was read; a tool of that name below does not make it less.
#[test]
fn a_tool_declared_below_returns_whatever_the_policies_above_fear() {
    let rules = "source tool_output => {}\nlabel pii\nsource external => pii\ntool web { returns untrusted }\n\
        tool send { to: String[max 9] }\nrule w on web allow\n\
        rule s on send when not (labels(args.to) has any { untrusted, pii }) allow\ndelegate tools to team\n";
    let above = format!("gaitpol 1\npolicy above\nscope org\ndefault block\n{rules}");
    let below =
        "gaitpol 1\npolicy below\nscope team under \"above.gaitpol\"\ntool foo {}\nrule f on foo block\n";
    let composed = compile::lower(&checked(below, Some(&above)).checked.unwrap());
    let returns = |name: &str| {
        composed
            .tools
            .iter()
            .find(|tool| tool.name == name)
            .unwrap()
            .returns
    };
    assert_eq!((returns("web"), returns("send"), returns("foo")), (1, 0, 3));
    let args = json::parse(br#"{"to":"x"}"#).unwrap();
    let origins = [ArgumentOrigin {
        path: vec!["to".to_owned()],
        source: ArgumentSource::ToolOutput,
        tool: Some("foo".to_owned()),
        digest: None,
    }];
    for gate in [compiled(&above, None).unwrap(), Gate::new(composed)] {
        let mut workspace = gate.workspace();
        let none = json::parse(b"{}").unwrap();
        let fresh = gate.fresh_state();
        let read = Request {
            state: Some(&fresh),
            ..Request::call("web", &none)
        };
        let after = gate.decide(&read, &mut workspace).after.unwrap();
        let send = Request {
            state: Some(&after),
            origins: Some(&origins),
            ..Request::call("send", &args)
        };
        assert_eq!(
            gate.decide(&send, &mut workspace).decision.verdict,
            Verdict::Block
        );
    }
}
