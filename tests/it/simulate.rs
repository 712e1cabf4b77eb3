//! `gait policy simulate`: recorded calls decided by two policies, wherever they were recorded.

use crate::corpora;
use crate::folder::{AT, Folder, compiled, shown};
use serde_json::{Value, json};

const BEFORE: &str = r#"gaitpol 1
policy acme.desk @ "1"
default block code none
tool read { path: Path }
tool mail { to: Email }
latch saw on call read
rule look on read when args.path under "/ws" allow
rule mails on mail when args.to.domain under "acme.com" allow
"#;

const AFTER: &str = r#"gaitpol 1
policy acme.desk @ "2"
default block code unmatched
tool read { path: Path }
tool mail { to: Email }
latch saw on call read
rule look on read when args.path under "/ws" or args.path under "/tmp" allow
rule mails on mail when args.to.domain under "acme.com" allow
rule later on mail when saw require_approval code after_reading
"#;

fn intent(tool: &str, args: &Value) -> Value {
    json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": "2026-11-23T09:00:00Z",
        "producer_version": "t", "tool_name": tool, "args": args, "targets": [],
        "context": {"identity": "a", "workspace": "/ws", "risk_class": "low"}
    })
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("before.gaitpol", BEFORE.as_bytes());
    folder.write("after.gaitpol", AFTER.as_bytes());
    folder.write("b.gaitbundle", &compiled(BEFORE));
    for (name, tool, args) in [
        ("in", "read", json!({"path": "/ws/a"})),
        ("tmp", "read", json!({"path": "/tmp/a"})),
        ("out", "read", json!({"path": "/etc/a"})),
        ("mail", "mail", json!({"to": "ann@acme.com"})),
    ] {
        folder.write(
            &format!("calls/{name}.json"),
            intent(tool, &args).to_string().as_bytes(),
        );
    }
    folder
}

const SIMULATE: [&str; 7] = [
    "policy",
    "simulate",
    "--baseline",
    "before.gaitpol",
    "--policy",
    "after.gaitpol",
    "--intents",
];

fn simulate(folder: &Folder, intents: &[&str]) -> Value {
    folder.json(&[&SIMULATE[..], intents].concat(), 0, "policy_simulate")
}

/// What a simulation says of each call that changes.
fn changes(found: &Value) -> Vec<String> {
    let word = |one: &Value| one.as_str().unwrap().to_owned();
    let one = |one: &Value| {
        format!(
            "{} {} {} {}",
            word(&one["tool"]),
            word(&one["direction"]),
            word(&one["before"]["verdict"]),
            word(&one["after"]["verdict"])
        )
    };
    found["changed"].as_array().unwrap().iter().map(one).collect()
}

/// Judges the calls in one session, as the gate of the policy before.
fn recorded(folder: &Folder, intents: &[&str], more: &[&str]) {
    for intent in intents {
        let path = format!("calls/{intent}.json");
        let args = [
            "gate",
            "eval",
            "--bundle",
            "b.gaitbundle",
            "--intent",
            &path,
            "--session",
            "s",
        ];
        let out = folder.run(&[&args[..], more].concat());
        assert!(matches!(out.status.code(), Some(0 | 3)), "{}", shown(&out));
    }
}

#[test]
fn single_intents_of_a_folder_are_decided_by_both() {
    let folder = folder();
    let found = simulate(&folder, &["calls"]);
    assert_eq!(
        changes(&found),
        ["read sideways block block", "read loosened block allow"],
        "each is of a session of its own"
    );
    let counts = ["calls", "loosened", "tightened", "sideways", "skipped"].map(|name| found[name].clone());
    assert_eq!(counts, [4, 1, 0, 1, 0].map(|n| json!(n)));
    assert_eq!(found["stage"], "shadow");
    let same = [
        "policy",
        "simulate",
        "--baseline",
        "b.gaitbundle",
        "--policy",
        "before.gaitpol",
    ];
    let found = folder.json(
        &[&same[..], &["--intents", "calls/in.json", "calls/out.json"]].concat(),
        0,
        "policy_simulate",
    );
    assert_eq!(
        (&found["stage"], &found["changed"]),
        (&json!("enforce"), &json!([]))
    );
    folder.write("none.jsonl", b"\n");
    let found = simulate(&folder, &["none.jsonl"]);
    assert_eq!((&found["stage"], &found["calls"]), (&json!("observe"), &json!(0)));
}

#[test]
fn calls_of_a_session_are_decided_after_each_other_wherever_they_were_recorded() {
    let folder = folder();
    recorded(&folder, &["mail", "in", "tmp", "mail"], &["--keep-intent"]);
    recorded(&folder, &["out"], &[]);
    let packed = folder.run(&["run", "record", "--session", "s", "--out", "s.zip"]);
    assert!(packed.status.success(), "{}", shown(&packed));
    let of_traces = simulate(&folder, &["gait-out/traces"]);
    let expected = [
        "read loosened block allow",
        "mail tightened allow require_approval",
    ];
    assert_eq!(changes(&of_traces), expected);
    assert_eq!(
        (&of_traces["calls"], &of_traces["skipped"]),
        (&json!(4), &json!(1))
    );
    // The journal keeps every intent.
    let of_pack = simulate(&folder, &["s.zip"]);
    assert_eq!(
        changes(&of_pack),
        [&expected[..], &["read sideways block block"]].concat()
    );
    assert_eq!(of_pack["calls"], 5);
    // A log of a daemon is the same, line by line.
    let traces = folder.list("gait-out/traces").into_iter();
    let lines: Vec<u8> = traces
        .flat_map(|name| [folder.read(&format!("gait-out/traces/{name}")), b"\n".to_vec()].concat())
        .collect();
    folder.write("log.jsonl", &[&lines[..], b"{\"payloadType\":\"half"].concat());
    assert_eq!(changes(&simulate(&folder, &["log.jsonl"])), expected);
}

#[test]
fn what_is_not_what_it_says_is_refused() {
    let folder = folder();
    recorded(&folder, &["in"], &["--keep-intent"]);
    let name = folder.list("gait-out/traces").remove(0);
    let trace = String::from_utf8(folder.read(&format!("gait-out/traces/{name}"))).unwrap();
    let at = trace.find("\"sig\":\"").unwrap() + 20;
    let other = if &trace[at..=at] == "A" { "B" } else { "A" };
    let forged = format!("{}{other}{}", &trace[..at], &trace[at + 1..]);
    folder.write("forged.json", forged.as_bytes());
    folder.write("broken.json", b"{\"tool\":");
    folder.write("pack.zip", b"PK\x03\x04nothing");
    std::fs::create_dir(folder.path("empty")).unwrap();
    for (path, exit, code) in [
        ("forged.json", 2, "verify.signature_invalid"),
        ("broken.json", 6, "calls.malformed"),
        ("pack.zip", 2, "verify.archive_end"),
        ("empty", 6, "calls.none"),
        ("nowhere", 6, "file.not_found"),
    ] {
        folder.fails(&[&SIMULATE[..], &[path]].concat(), exit, code);
    }
    let other = [
        "policy",
        "simulate",
        "--baseline",
        "before.gaitpol",
        "--policy",
        "calls/in.json",
    ];
    folder.fails(
        &[&other[..], &["--intents", "calls"]].concat(),
        6,
        "policy.invalid",
    );
}

#[test]
fn people_see_what_changes_and_what_comes_next() {
    let folder = folder();
    let out = folder.run(&[&SIMULATE[..], &["calls", "--evaluation-time", AT]].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn real_runs_are_simulated() {
    let Some(corpora) = corpora::dir() else { return };
    let folder = folder();
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let policy = std::fs::read_to_string(policies.join("agentdojo-banking/policy.gaitpol")).unwrap();
    folder.write("before.gaitpol", policy.as_bytes());
    folder.write(
        "after.gaitpol",
        format!("{policy}\nrule none on * block code nothing\n").as_bytes(),
    );
    let calls = corpora.join("agentdojo/intents.jsonl.gz");
    let calls = calls.to_str().unwrap();
    let of = ["--only", "suite=banking", "--tool-prefix", "banking."];
    let replay = ["policy", "replay", "--policy", "before.gaitpol", "--calls", calls];
    // What is left out is said beside it.
    let replayed = folder.run(&[&replay[..], &of, &["--json"]].concat());
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    let sum = |verdict: &str| -> u64 {
        let tools = replayed["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| tool["verdicts"][verdict].as_u64().unwrap())
            .sum()
    };
    let blocked = sum("block");
    let held = sum("allow") + sum("dry_run") + sum("require_approval");
    assert!(held > 0 && blocked > 0);
    let found = simulate(&folder, &[&[calls][..], &of].concat());
    assert_eq!(found["calls"], blocked + held);
    assert_eq!(
        (&found["tightened"], &found["loosened"]),
        (&json!(held), &json!(0))
    );
    assert_eq!(found["stage"], "shadow");
}
