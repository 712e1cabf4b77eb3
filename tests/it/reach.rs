//! `gait policy coverage` against judged calls: a verdict that a random call of a random policy gets is listed with the rules
//! that give it, and each call that is shown gets the verdict it is shown for.

use crate::folder::{Folder, shown};
use crate::judged::call;
use crate::oracle::{args, policy};
use gait::compile::{self, Purpose, Texts};
use gait::coverage::coverage;
use gait::suite::Runner;
use proptest::prelude::*;
use std::path::Path;

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_calls_get_is_listed(policy in policy(), calls in prop::collection::vec(args(), 1..16)) {
        let report = compile::check_with("p.gaitpol", &policy, &Texts::default(), Purpose::Author);
        let Some(checked) = report.checked else { return Ok(()) };
        let all = coverage(&checked);
        let tool = &all[0];
        prop_assert!(!tool.too_large && tool.tool == "t.one");
        let mut runner = Runner::new(&checked);
        for reached in &tool.reached {
            if let Some(call) = &reached.call {
                prop_assert_eq!(runner.judge(call).decision.verdict, reached.verdict);
            }
        }
        for args in &calls {
            let judged = runner.judge(&call(args));
            if judged.record.is_none() {
                continue;
            }
            let decision = judged.decision;
            let reached = tool.reached.iter().find(|reached| reached.verdict == decision.verdict);
            let Some(reached) = reached else {
                return Err(TestCaseError::fail(format!("{} of {args}\n{policy}", decision.verdict)));
            };
            prop_assert!(reached.default || !decision.matched.is_empty());
            let giving = decision.matched.iter().filter(|rule| rule.verdict == decision.verdict);
            for rule in giving {
                let is = |index: &usize| checked.package().rules[*index].name == rule.name;
                prop_assert!(reached.rules.iter().any(is), "{}", rule.name);
            }
        }
    }
}

/// The blocks of the page: the policy, and what is printed of it.
fn page() -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/coverage.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = |start: &str| {
        let (_, text) = text.split_once(start).unwrap();
        text.split_once("```").unwrap().0.to_owned()
    };
    (block("```gaitpol\n"), block("```text\n"))
}

#[test]
fn the_page_shows_what_is_printed() {
    let at = Folder::new();
    let (policy, output) = page();
    at.write("policy.gaitpol", policy.as_bytes());
    let printed = shown(&at.run(&["policy", "coverage", "policy.gaitpol"]));
    assert!(printed.ends_with(&output) || printed == output, "{printed}");
}

#[test]
fn the_document_says_it_all() {
    let at = Folder::new();
    at.write("policy.gaitpol", page().0.as_bytes());
    let found = at.json(&["policy", "coverage", "policy.gaitpol"], 0, "policy_coverage");
    let tools = &found["files"][0]["tools"];
    let list = |tool: &str, member: &str, of: &str| -> Vec<String> {
        let tool = tools
            .as_array()
            .unwrap()
            .iter()
            .find(|t| t["tool"] == tool)
            .unwrap();
        let all = tool[member].as_array().unwrap().iter();
        all.map(|one| one[of].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        list("pay", "verdicts", "verdict"),
        ["allow", "dry_run", "require_approval", "block"]
    );
    assert_eq!(list("notes.read", "verdicts", "verdict"), ["allow", "dry_run"]);
    assert_eq!(list("notes.list", "verdicts", "verdict"), ["block"]);
    assert_eq!(list("notes.list", "idle", "rule"), ["rehearsed"]);
    assert_eq!(list("pay", "idle", "rule"), Vec::<String>::new());
    let pay = tools
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["tool"] == "pay")
        .unwrap();
    assert_eq!(pay["unasked"], serde_json::json!(["note"]));
    assert_eq!(pay["runs_by_default"], true);
    assert_eq!(pay["call_by_default"]["tool"], "pay");
    let markdown = at.run(&["policy", "coverage", "--format", "markdown", "policy.gaitpol"]);
    assert!(shown(&markdown).contains("#### `pay`"));
    at.write("bad.gaitpol", b"gaitpol 1\npolicy x\n");
    at.fails(&["policy", "coverage", "bad.gaitpol"], 6, "policy.invalid");
}

/// What is asked about an argument in roundabout ways is asked.
#[test]
fn arguments_are_asked_about_in_many_ways() {
    const POLICY: &str = r#"gaitpol 1
policy acme.ways
default block
label secret
source tool_output from vault.read => secret
tool vault.read { key: String[max 9], why: String[max 9], returns secret }
tool t {
  plain: Int
  listed: List[Int, max 3]
  left: Int
  right: Int
  map: Map[String[max 9], Int, max 3]
  name: String[max 9]
  labelled: String[max 9]
  carried: String[max 9]
  each: List[String[max 9], max 3]
  amount: Int
  free: Int
  carries carried
}
rule a on t when args.plain > 1 and (any x in args.listed: x > 1) and args.left < args.right block
rule b on t when (args.map[args.name] else 0) > 1 and labels(args.labelled) has secret block
rule c on t when labels(carried) has secret and (any x in args.each: labels(x) has secret) allow
rule d on t when once(call vault.read when args.key == "k") block
limit spend on t max 100 of args.amount per 1d exceed block
"#;
    let checked = compile::check("p.gaitpol", POLICY);
    let Some(checked) = checked.checked else {
        panic!("{:#?}", checked.diagnostics)
    };
    let all = coverage(&checked);
    let unasked = |tool: &str| all.iter().find(|t| t.tool == tool).unwrap().unasked.clone();
    assert_eq!(unasked("t"), ["free"]);
    assert_eq!(unasked("vault.read"), ["why"]);
}

/// A call is found where it needs an entry of a list or map that the host supplies.
#[test]
fn calls_are_found_by_what_the_host_knows() {
    let head = "gaitpol 1\npolicy p\ndefault block code none\ncontext {\n  fact team: List[String[max 8], max 5]\n\
        fact people: List[{ id: String[max 8], on: Bool }, max 5]\n  fact open: Map[String[max 9], Money[USD, 2], max 5]\n}\n\
        tool t { id: String[max 8], amount: Money[USD, 2] }\n";
    for rule in [
        "args.id in context.team",
        "args.id in context.team and args.id starts_with \"a\" and args.amount > 3.00",
        "not args.id in context.team",
        "any p in context.people: p.id == args.id",
        "present context.open[args.id] and args.amount <= context.open[args.id] and args.amount > 5.00",
    ] {
        let text = format!("{head}rule r on t when {rule} allow\n");
        let report = compile::check_with("p.gaitpol", &text, &Texts::default(), Purpose::Author);
        let checked = report
            .checked
            .unwrap_or_else(|| panic!("{rule}: {:?}", report.diagnostics));
        for reached in &coverage(&checked)[0].reached {
            assert!(reached.call.is_some(), "{rule}: {}", reached.verdict);
        }
    }
}
