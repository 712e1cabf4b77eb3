//! Limits as a user meets them: `gait gate eval` counts, `gait permit settle` corrects, and neither loses a call.

use crate::folder::{AT, Folder, eval, key, shown};
use std::process::Stdio;

const POLICY: &str = r#"gaitpol 1
policy acme.payments
default block code none
context { fact user: String[max 100] }
tool pay { amount: Decimal[2] }
tool ask { question: String[max 100] }
rule all on * allow
limit rate on pay max 5 calls per 1h by user exceed block code rate
limit spend on pay max 100.00 of args.amount per session exceed require_approval code spend
"#;

fn intent(tool: &str, args: &str) -> Vec<u8> {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}","args":{args},"targets":[],
        "context":{{"identity":"a","workspace":"/w","risk_class":"low"}}}}"#
    )
    .into_bytes()
}

fn folder() -> Folder {
    let folder = Folder::new();
    let checked = gait::compile::check("p.gaitpol", POLICY);
    let checked = checked
        .checked
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    folder.write(
        "b.gaitbundle",
        &gait::bundling::build(&checked, 0, &key()).unwrap().bytes,
    );
    folder.write("pay.json", &intent("pay", r#"{"amount":"40.00"}"#));
    folder.write("ask.json", &intent("ask", r#"{"question":"?"}"#));
    for user in ["ann", "bob"] {
        folder.write(
            &format!("{user}.json"),
            format!(r#"{{"user":"{user}"}}"#).as_bytes(),
        );
    }
    folder
}

/// A payment in a session of its own, so that only the rate is looked at.
fn pay(folder: &Folder, user: &str, session: &str, at: &str, exit: i32) -> serde_json::Value {
    let facts = format!("{user}.json");
    let more = ["--facts", &facts, "--session", session, "--evaluation-time", at];
    folder.json(&eval("pay.json", &more), exit, "gate_eval")
}

#[test]
fn calls_count_where_they_are_said_to() {
    let folder = folder();
    for (session, exit, used, code) in [
        ("a", 0, 0, "all"),
        ("a", 0, 40, "all"),
        ("a", 4, 80, "spend"),
        ("b", 0, 0, "all"),
        // What waits for an approval has not been spent.
        ("a", 4, 80, "spend"),
        ("c", 0, 0, "all"),
        ("d", 0, 0, "all"),
        ("e", 3, 0, "rate"),
    ] {
        let said = pay(&folder, "ann", session, AT, exit);
        assert_eq!(said["reason_codes"], serde_json::json!([code]), "{said}");
        assert_eq!(said["limits"][1]["limit"], "spend");
        assert_eq!(said["limits"][1]["used"], used, "{said}");
        assert_eq!(said["limits"][1]["cost"], 40);
        assert_eq!(said["limits"][1]["max"], 100);
    }
    // Somebody else, and an hour later.
    pay(&folder, "bob", "e", AT, 0);
    pay(&folder, "ann", "f", "2026-11-23T13:15:00Z", 0);
    // A limit per session counts nothing where there is none, so nothing may run.
    let said = folder.json(&eval("pay.json", &["--facts", "ann.json"]), 3, "gate_eval");
    assert_eq!(
        said["reason_codes"],
        serde_json::json!(["gait.limits_unavailable"])
    );
    // What no limit counts touches no counter.
    let before = folder.list("gait-out/store");
    folder.json(&eval("ask.json", &[]), 0, "gate_eval");
    assert_eq!(folder.list("gait-out/store"), before);
    // The journal's calls are judged as they were, from what their traces say was spent.
    let output = folder.run(&["run", "record", "--session", "a", "--out", "a.zip"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let output = folder.run(&["regress", "bootstrap", "a.zip", "--out", "f"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let output = folder.run(&["regress", "run", "f", "--bundle", "b.gaitbundle"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
}

#[test]
fn a_call_is_settled_once() {
    let folder = folder();
    let now = jiff::Timestamp::now().to_string();
    let first = pay(&folder, "ann", "a", &now, 0);
    let second = pay(&folder, "ann", "a", &now, 0);
    let trace = |said: &serde_json::Value| said["trace_path"].as_str().unwrap().to_owned();
    let (first_trace, second_trace) = (trace(&first), trace(&second));
    let settle = |more: &[&str], exit| {
        let args = [&["permit", "settle", "--trace"][..], more].concat();
        folder.json(&args, exit, if exit == 0 { "permit_settle" } else { "error" })
    };
    let names = |said: &serde_json::Value| -> Vec<String> {
        let limits = said["limits"].as_array().unwrap().iter();
        limits
            .map(|one| one["limit"].as_str().unwrap().to_owned())
            .collect()
    };
    let not_run = [first_trace.as_str(), "--outcome", "not_executed"];
    let said = settle(&not_run, 0);
    assert_eq!(names(&said), ["rate", "spend"]);
    // The same again gives the same again, and nothing is taken back twice.
    assert_eq!(settle(&not_run, 0), said);
    for (outcome, code) in [("failed", "permit.settled"), ("executed", "permit.settled")] {
        let said = settle(&[&first_trace, "--outcome", outcome], 2);
        assert_eq!(said["error"]["code"], code);
    }
    let bundle = ["--bundle", "b.gaitbundle", "--amount"];
    let cost = |outcome: &'static str, amount: &'static str| {
        [
            &[second_trace.as_str(), "--outcome", outcome],
            &bundle[..],
            &[amount],
        ]
        .concat()
    };
    for (outcome, amount, code) in [
        ("executed", "spend=x", "permit.amount"),
        ("executed", "spent=1.00", "permit.amount"),
        ("executed", "spend=-1.00", "permit.amount"),
        ("executed", "spend", "permit.amount"),
        ("failed", "spend=1.00", "permit.amount"),
        ("executed", "spend=1.00", "permit.not_redeemed"),
    ] {
        let said = settle(&cost(outcome, amount), 6);
        assert_eq!(said["error"]["code"], code, "{outcome} {amount}");
    }
    folder.write("args.json", second["canonical_args"].to_string().as_bytes());
    let redeem = [
        "permit",
        "redeem",
        "--trace",
        &second_trace,
        "--args",
        "args.json",
    ];
    folder.json(&redeem, 0, "permit_redeem");
    let said = settle(&cost("executed", "spend=12.50"), 0);
    assert_eq!(said["limits"][1]["amount"], "12.50");
    assert_eq!(
        settle(&cost("executed", "spend=12.51"), 2)["error"]["code"],
        "permit.settled"
    );
    let third = pay(&folder, "ann", "a", &now, 0);
    assert_eq!(third["limits"][1]["used"], 12.5);
    assert_eq!(third["limits"][0]["used"], 1);
    // In a store that has not counted it, there is nothing to settle but the call itself.
    let waits = pay(&folder, "ann", "b", &now, 0);
    let elsewhere = [
        &trace(&waits),
        "--outcome",
        "not_executed",
        "--store",
        "elsewhere",
    ];
    assert_eq!(names(&settle(&elsewhere, 0)), Vec::<String>::new());
}

#[test]
fn a_damaged_counter_blocks_and_stays() {
    let folder = folder();
    pay(&folder, "ann", "a", AT, 0);
    let shown = folder.json(&["store", "show", "--kind", "counter"], 0, "store_show");
    let records = shown["records"].as_array().unwrap();
    assert_eq!(records.len(), 2, "{shown}");
    let name = records[0]["name"].as_str().unwrap();
    let garble = || {
        let database = rusqlite::Connection::open(folder.path("gait-out/store/gait.db")).unwrap();
        let garbled = "UPDATE record SET value = CAST('{}' AS BLOB) WHERE name = ?1";
        database.execute(garbled, [name]).unwrap()
    };
    assert_eq!(garble(), 1);
    let said = pay(&folder, "ann", "a", AT, 3);
    assert_eq!(
        said["reason_codes"],
        serde_json::json!(["gait.limits_unavailable"])
    );
    assert!(said["detail"].as_str().unwrap().contains("is damaged"), "{said}");
    // It is not mended, not shown, and what it does not count goes on.
    folder.fails(&["store", "check"], 2, "store.damaged");
    folder.fails(&["store", "show"], 2, "store.damaged");
    folder.json(&eval("ask.json", &["--session", "a"]), 0, "gate_eval");
}

#[test]
fn calls_at_once_do_not_pass_together() {
    let folder = folder();
    let start = |n: usize| {
        let session = format!("s{n}");
        let more = [
            "--facts",
            "ann.json",
            "--session",
            &session,
            "--evaluation-time",
            AT,
        ];
        let mut command = folder.command(&eval("pay.json", &more));
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..12).map(start).collect();
    let codes = children.into_iter().map(|mut child| child.wait().unwrap().code());
    let allowed = codes.filter(|code| *code == Some(0)).count();
    assert_eq!(allowed, 5);
}

#[test]
fn a_call_whose_trace_is_not_written_is_not_counted() {
    let folder = folder();
    folder.write("t.json", b"there already");
    let more = [
        "--facts",
        "ann.json",
        "--session",
        "s",
        "--trace-out",
        "t.json",
        "--evaluation-time",
        AT,
    ];
    for _ in 0..6 {
        assert_ne!(folder.eval("pay.json", &more).status.code(), Some(0));
    }
    let said = pay(&folder, "ann", "s", AT, 0);
    assert_eq!(said["limits"][0]["used"], 0);
}
