//! Permits as a runtime meets them: what was allowed runs once, soon, and as it was judged.

use crate::folder::{Folder, compiled, eval, shown};
use serde_json::{Value, json};
use std::process::Stdio;

const POLICY: &str = r#"gaitpol 1
policy acme.files
default block code none
tool fs.read { path: Path }
tool fs.stat { path: Path }
tool mail.send { to: Email }
rule reads on fs.read, fs.stat allow
rule mails on mail.send require_approval
"#;

/// An intent of a call, with its arguments or what else it says.
pub fn intent(tool: &str, more: &str) -> Vec<u8> {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}",{more},"targets":[],
        "context":{{"identity":"a","workspace":"/w","risk_class":"low"}}}}"#
    )
    .into_bytes()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("b.gaitbundle", &compiled(POLICY));
    folder.write("read.json", &intent("fs.read", r#""args":{"path":"/w/./a"}"#));
    folder.write(
        "mail.json",
        &intent("mail.send", r#""args":{"to":"ann@acme.com"}"#),
    );
    folder.write("other.json", &intent("rm", r#""args":{}"#));
    folder
}

/// Judges a call now, and writes the arguments that were judged.
fn judged(folder: &Folder, intent: &str, more: &[&str], exit: i32) -> Value {
    let args: Vec<&str> = eval(intent, more);
    let at = args.iter().position(|arg| *arg == "--evaluation-time");
    let args: Vec<&str> = match at {
        // The clock of the machine says when a permit is over.
        Some(at) if !more.contains(&"--evaluation-time") => [&args[..at], &args[at + 2..]].concat(),
        _ => args,
    };
    let said = folder.json(&args, exit, "gate_eval");
    folder.write("args.json", said["canonical_args"].to_string().as_bytes());
    said
}

fn redeem(folder: &Folder, said: &Value, more: &[&str], exit: i32) -> Value {
    let trace = said["trace_path"].as_str().unwrap();
    let mut args = vec!["permit", "redeem", "--trace", trace];
    if !more.contains(&"--args") {
        args.extend(["--args", "args.json"]);
    }
    let args = [&args[..], more].concat();
    folder.json(&args, exit, if exit == 0 { "permit_redeem" } else { "error" })
}

#[test]
fn only_what_was_judged_runs() {
    let folder = folder();
    let said = judged(&folder, "read.json", &[], 0);
    assert_eq!(said["canonical_args"], json!({"path": "/w/a"}));
    folder.valid_trace(said["trace_path"].as_str().unwrap());
    for (args, code, exit) in [
        (r#"{"path":"/w/b"}"#, "permit.other_call", 2),
        // What was asked for, but not what was judged: it is written in another way.
        (r#"{"path":"/w/./a"}"#, "permit.other_call", 2),
        (r#"{"path":"/w/a","mode":"w"}"#, "permit.other_call", 2),
        ("{}", "permit.other_call", 2),
        (r#"{"path":"/w/a","path":"/w/a"}"#, "permit.args", 6),
        (r#"["/w/a"]"#, "permit.args", 6),
        (r#"{"path":"/w/a""#, "permit.args", 6),
        ("", "permit.args", 6),
    ] {
        folder.write("x.json", args.as_bytes());
        let refused = redeem(&folder, &said, &["--args", "x.json"], exit);
        assert_eq!(refused["error"]["code"], code, "{args}");
    }
    for (more, code, exit) in [
        (["--tool", "fs.stat"], "permit.other_call", 2),
        (["--step", "2"], "permit.step", 6),
        (["--step", "0"], "permit.step", 6),
    ] {
        assert_eq!(
            redeem(&folder, &said, &more, exit)["error"]["code"],
            code,
            "{more:?}"
        );
    }
    folder.write("x.json", b" { \"path\" : \"/w/a\" } ");
    let redeemed = redeem(&folder, &said, &["--args", "x.json", "--tool", "fs.read"], 0);
    assert_eq!(redeemed["call_digest"], said["call_digest"]);
}

#[test]
fn a_permit_is_good_once() {
    let folder = folder();
    let said = judged(&folder, "read.json", &[], 0);
    redeem(&folder, &said, &[], 0);
    assert_eq!(redeem(&folder, &said, &[], 2)["error"]["code"], "permit.redeemed");
    let settle = |said: &Value, outcome, exit| {
        let args = [
            "permit",
            "settle",
            "--trace",
            said["trace_path"].as_str().unwrap(),
            "--outcome",
            outcome,
        ];
        folder.json(&args, exit, if exit == 0 { "permit_settle" } else { "error" })
    };
    let settled = settle(&said, "executed", 0);
    let path = settled["outcome_path"].as_str().unwrap();
    let written = folder.read(path);
    let verified = folder.json(&["verify", path], 0, "verify");
    assert_eq!(verified["kind"], "outcome");
    assert_eq!(redeem(&folder, &said, &[], 2)["error"]["code"], "permit.settled");
    // The file was lost.
    folder.remove(path);
    assert_eq!(settle(&said, "executed", 0), settled);
    assert_eq!(folder.read(path), written);
    // What was not started is closed, too.
    let said = judged(&folder, "read.json", &[], 0);
    for (outcome, exit) in [
        ("executed", 6),
        ("failed", 6),
        ("ambiguous", 6),
        ("not_executed", 0),
    ] {
        settle(&said, outcome, exit);
    }
    assert_eq!(redeem(&folder, &said, &[], 2)["error"]["code"], "permit.settled");
}

#[test]
fn a_permit_is_good_for_a_while() {
    let folder = folder();
    let hour = jiff::SignedDuration::from_hours(1);
    let now = jiff::Timestamp::now();
    for (at, code) in [(now - hour, "permit.expired"), (now + hour, "permit.early")] {
        let at = at.to_string();
        let said = judged(&folder, "read.json", &["--evaluation-time", &at], 0);
        assert_eq!(redeem(&folder, &said, &[], 2)["error"]["code"], code, "{at}");
    }
    let said = judged(&folder, "read.json", &["--permit-for", "1ms"], 0);
    assert_eq!(redeem(&folder, &said, &[], 2)["error"]["code"], "permit.expired");
    for refused in ["0s", "61m", "-1s", "soon"] {
        let output = folder.run(&eval("read.json", &["--permit-for", refused]));
        assert_eq!(output.status.code(), Some(6), "{refused} {}", shown(&output));
    }
}

#[test]
fn what_is_not_allowed_has_no_permit() {
    let folder = folder();
    for (intent, exit) in [("mail.json", 4), ("other.json", 3)] {
        let said = judged(&folder, intent, &[], exit);
        assert_eq!(said["permit_until"], Value::Null);
        folder.write("args.json", b"{}");
        assert_eq!(redeem(&folder, &said, &[], 2)["error"]["code"], "permit.none");
    }
}

#[test]
fn steps_run_in_their_order() {
    let folder = folder();
    let step = |path: &str| json!({"tool_name": "fs.read", "args": {"path": path}, "targets": []});
    let steps = json!([step("/w/a"), step("/w/b")]);
    let script = format!(r#""args":{{}},"script":{{"steps":{steps}}}"#);
    folder.write("script.json", &intent("script", &script));
    let said = judged(&folder, "script.json", &[], 0);
    folder.write("a", br#"{"path":"/w/a"}"#);
    folder.write("b", br#"{"path":"/w/b"}"#);
    for (args, step, exit, code) in [
        ("a", None, 6, "permit.step"),
        ("b", Some("2"), 2, "permit.step_too_early"),
        ("b", Some("1"), 2, "permit.other_call"),
        ("a", Some("3"), 6, "permit.step"),
        ("a", Some("1"), 0, ""),
        ("a", Some("1"), 2, "permit.redeemed"),
        ("a", Some("2"), 2, "permit.other_call"),
        ("b", Some("2"), 0, ""),
    ] {
        let mut more = vec!["--args", args];
        more.extend(step.iter().flat_map(|step| ["--step", step]));
        let found = redeem(&folder, &said, &more, exit);
        if exit != 0 {
            assert_eq!(found["error"]["code"], code, "{args} {step:?}");
        }
    }
}

#[test]
fn of_two_processes_one_may_run_the_call() {
    let folder = folder();
    for round in 0..10 {
        let said = judged(&folder, "read.json", &[], 0);
        let trace = said["trace_path"].as_str().unwrap();
        let args = ["permit", "redeem", "--trace", trace, "--args", "args.json"];
        let start = || {
            let mut command = folder.command(&args);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut both = [start(), start(), start()];
        let mut codes: Vec<_> = both.iter_mut().map(|one| one.wait().unwrap().code()).collect();
        codes.sort();
        assert_eq!(codes, [Some(0), Some(2), Some(2)], "round {round}");
    }
}

#[test]
fn without_a_store_nothing_runs() {
    let folder = folder();
    let said = judged(&folder, "read.json", &[], 0);
    folder.write("file", b"");
    let refused = redeem(&folder, &said, &["--store", "file"], 6);
    assert_eq!(refused["error"]["code"], "file.not_folder");
    redeem(&folder, &said, &[], 0);
}

#[test]
fn what_was_stopped_since_is_not_run() {
    let folder = folder();
    let file = ["--kill-switch", "gait-kill-switch.json"];
    let renewed = folder.run(&["kill-switch", "renew"]);
    assert!(renewed.status.success(), "{}", shown(&renewed));
    let judge = |more: &[&str]| judged(&folder, "read.json", &[&file[..], more].concat(), 0);
    let refused = |said: &Value, more: &[&str]| redeem(&folder, said, more, 2)["error"]["code"].clone();
    // The gate has asked a kill switch, so it is asked again.
    let said = judge(&[]);
    assert_eq!(refused(&said, &[]), "permit.kill_switch");
    assert_eq!(
        refused(&said, &["--kill-switch", "nowhere.json"]),
        "permit.kill_switch"
    );
    redeem(&folder, &said, &file, 0);
    // What is on when the permit is redeemed: the scope, whether the trace keeps the intent, whether it is stopped.
    for (number, (scope, keeps, stops)) in [
        (["--tool", "fs.*"], false, true),
        (["--tool", "fs.stat"], false, false),
        (["--identity", "A"], false, true),
        (["--identity", "b"], false, false),
        // The trace says nothing of the workspace.
        (["--workspace", "/elsewhere"], false, true),
        (["--workspace", "/elsewhere"], true, false),
        (["--workspace", "/w"], true, true),
        // Nor of the targets that the caller has claimed.
        (["--path", "/elsewhere"], false, true),
        (["--path", "/elsewhere"], true, false),
    ]
    .into_iter()
    .enumerate()
    {
        let keep: &[&str] = if keeps { &["--keep-intent"] } else { &[] };
        let said = judge(keep);
        let id = format!("stop-{number}");
        let add = [
            "kill-switch",
            "add",
            "--id",
            &id,
            "--reason",
            "r",
            "--by",
            "ann@acme.com",
        ];
        let added = folder.run(&[&add[..], &scope].concat());
        assert!(added.status.success(), "{}", shown(&added));
        match stops {
            true => assert_eq!(refused(&said, &file), "permit.stopped", "{scope:?}"),
            false => drop(redeem(&folder, &said, &file, 0)),
        }
        let disabled = folder.run(&["kill-switch", "disable", &id]);
        assert!(disabled.status.success(), "{}", shown(&disabled));
        if stops {
            // It was not used up.
            redeem(&folder, &said, &file, 0);
        }
    }
}
