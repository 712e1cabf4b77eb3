//! Facts that a host holds, bound once: they decide as the same facts said with the call, and one that is not what the policy
//! declares blocks.

use gait::compile;
use gait::domain::{HeldFact, Request, Verdict, reserved};
use gait::gate::{Gate, request};
use gait::json::{self, Json};

const POLICY: &str = r#"gaitpol 1
policy held.facts
default block code none

type Id = String[max 64]

context {
  fact user: { groups: Set[Id, max 8], steward: Bool }
  fact file: { readers: Set[Id, max 8] }?
}

tool read {
  group: Id
}

rule members on read when args.group in context.user.groups and present context.file allow
rule readers on read when present context.file and (any g in context.user.groups: g in context.file.readers) dry_run
rule stewards on read when context.user.steward require_approval
"#;

fn gate(policy: &str) -> Gate {
    let report = compile::check("held.gaitpol", policy);
    Gate::new(compile::lower(
        &report
            .checked
            .unwrap_or_else(|| panic!("{:?}", report.diagnostics)),
    ))
}

fn read(text: &str) -> Json {
    json::parse(text.as_bytes()).unwrap()
}

fn hold(gate: &Gate, name: &str, text: &str) -> HeldFact {
    request::hold(gate.program(), name, read(text)).unwrap()
}

#[test]
fn what_is_held_decides_as_what_is_said() {
    let gate = gate(POLICY);
    let mut workspace = gate.workspace();
    let users = [
        r#"{"groups":["b","a"],"steward":false}"#,
        r#"{"groups":["c"],"steward":false}"#,
        r#"{"groups":[],"steward":true}"#,
    ];
    let files = [r#"{"readers":["a","z"]}"#, r#"{"readers":[]}"#, "null"];
    let mut verdicts = Vec::new();
    for user in users {
        for file in files {
            for group in ["a", "c"] {
                let args = Json::object([("group", Json::str(group))]);
                let call = Request::call("read", &args);
                let (who, what) = (hold(&gate, "user", user), hold(&gate, "file", file));
                let said = Json::object([("user", read(user)), ("file", read(file))]);
                let expected = gate.decide(&call.with_facts(&said), &mut workspace);
                let held = [&who, &what];
                let found = gate.decide(&call.with_held(&held), &mut workspace);
                assert_eq!(found, expected, "{user} {file} {group}");
                let some = Json::object([("user", read(user))]);
                let held = [&what];
                let mixed = call.with_facts(&some).with_held(&held);
                assert_eq!(gate.decide(&mixed, &mut workspace), expected);
                assert_eq!(mixed.all_facts().into_owned(), said);
                verdicts.push(found.decision.verdict);
            }
        }
    }
    for verdict in Verdict::ALL {
        assert!(verdicts.contains(&verdict), "{verdict:?}");
    }
}

#[test]
fn what_is_no_fact_of_the_policy_blocks() {
    let gate = gate(POLICY);
    let mut workspace = gate.workspace();
    let other = POLICY.replace("steward: Bool }", "steward: Bool, since: Int? }");
    let other = self::gate(
        &other
            .replace("file: {", "folder: {")
            .replace("context.file", "context.folder"),
    );
    let user = r#"{"groups":["a"],"steward":false}"#;
    let mine = hold(&gate, "user", user);
    let foreign = hold(&other, "user", user);
    let unknown = hold(&other, "folder", r#"{"readers":[]}"#);
    let args = Json::object([("group", Json::str("a"))]);
    let nothing = Json::Object(Vec::new());
    let said = Json::object([("user", read(user))]);
    let cases: [(&Json, &[&HeldFact], &str); 5] = [
        (&nothing, &[&foreign], "bound to another type"),
        (&nothing, &[&mine, &unknown], "no fact called `folder`"),
        (&said, &[&mine], "given twice"),
        (&nothing, &[&mine, &mine], "given twice"),
        (&Json::Null, &[&mine], "have to be an object"),
    ];
    for (facts, held, why) in cases {
        let request = Request::call("read", &args).with_facts(facts).with_held(held);
        let decision = gate.decide(&request, &mut workspace).decision;
        assert_eq!(decision.reason_codes, [reserved::CONTEXT_INVALID], "{why}");
        let detail = decision.detail.unwrap_or_default();
        assert!(detail.contains(why), "{detail}");
    }
    for (name, said) in [("user", r#"{"groups":[]}"#), ("who", "1"), ("user", "null")] {
        let refused = request::hold(gate.program(), name, read(said)).unwrap_err();
        assert_eq!(refused.code, reserved::CONTEXT_INVALID);
    }
}
