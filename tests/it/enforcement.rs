//! Bundles that enforce nothing: calls run whatever is decided, but for those that somebody has stopped; and nothing that they
//! leave behind passes for more than it is.

use crate::folder::{Folder, deployed, eval, policy, shown};
use crate::{mcp, mcp_pins};
use gait::domain::Enforcement;
use serde_json::{Value, json};

/// The starter policy at a level, as `NAME.gaitbundle`.
fn compile(folder: &Folder, level: &str) -> Value {
    folder.write("p.gaitpol", policy().as_bytes());
    let out = format!("{level}.gaitbundle");
    let args = [
        "policy",
        "compile",
        "p.gaitpol",
        "--out",
        &out,
        "--enforcement",
        level,
    ];
    folder.json(&args, 0, "policy_compile")
}

fn judge(folder: &Folder, level: &str, intent: &str, exit: i32, more: &[&str]) -> Value {
    let bundle = format!("{level}.gaitbundle");
    let args = ["gate", "eval", "--bundle", &bundle, "--intent", intent];
    folder.json(&[&args[..], more].concat(), exit, "gate_eval")
}

#[test]
fn the_manual_says_what_happens() {
    let folder = Folder::new();
    folder.remove("gait-out/keys/gait.private.json");
    folder.remove("gait-out/keys/gait.public.json");
    folder.page(include_str!("../../docs/reference/enforcement.md"));
}

#[test]
fn calls_run_whatever_is_decided_and_their_traces_say_so() {
    let folder = Folder::new();
    for level in ["shadow", "observe"] {
        assert_eq!(compile(&folder, level)["enforcement"], level);
        for (intent, verdict) in [
            ("allow", "allow"),
            ("block", "block"),
            ("approval", "require_approval"),
        ] {
            let trace = format!("{level}_{intent}.json");
            let intent = format!("{intent}.json");
            let said = judge(&folder, level, &intent, 0, &["--trace-out", &trace]);
            assert_eq!(said["verdict"], verdict);
            assert_eq!(
                (&said["enforcement"], &said["runs"]),
                (&json!(level), &json!(true))
            );
            assert_eq!(said["permit_until"], Value::Null);
            let record = folder.valid_trace(&trace);
            assert_eq!(
                (&record["enforcement"], &record["runs"]),
                (&json!(level), &json!(true))
            );
            assert_eq!(record.get("intent").is_some(), level == "observe", "{intent}");
            let verified = folder.json(&["trace", "verify", &trace], 0, "trace_verify");
            assert_eq!(verified["traces"][0]["enforcement"], level);
        }
    }
    compile(&folder, "enforce");
    let said = judge(&folder, "enforce", "block.json", 3, &["--trace-out", "e.json"]);
    assert_eq!(
        (&said["enforcement"], &said["runs"]),
        (&json!("enforce"), &json!(false))
    );
    assert_eq!(folder.valid_trace("e.json").get("runs"), None);
}

#[test]
fn what_was_not_enforced_is_no_permit_and_waits_for_nobody() {
    let folder = Folder::new();
    compile(&folder, "shadow");
    let said = judge(&folder, "shadow", "allow.json", 0, &[]);
    folder.write("args.json", said["canonical_args"].to_string().as_bytes());
    let trace = said["trace_path"].as_str().unwrap();
    let redeem = ["permit", "redeem", "--trace", trace, "--args", "args.json"];
    folder.fails(&redeem, 2, "permit.unenforced");
    let settle = ["permit", "settle", "--trace", trace, "--outcome", "executed"];
    folder.fails(&settle, 2, "permit.unenforced");

    let said = judge(&folder, "shadow", "approval.json", 0, &["--keep-intent"]);
    let waiting = folder.json(&["approvals"], 0, "approvals");
    assert_eq!(waiting["waiting"], json!([]));
    let trace = said["trace_path"].as_str().unwrap();
    let key = "gait-out/keys/gait.private.json";
    let approve = ["approve", trace, "--key", key, "--yes"];
    folder.fails(&approve, 6, "approve.not_asked");
}

#[test]
fn the_kill_switch_holds_at_every_level() {
    for level in ["shadow", "observe"] {
        let folder = Folder::new();
        compile(&folder, level);
        let ran = |exit: i32, intent: &str| {
            let more = ["--kill-switch", "gait-kill-switch.json"];
            judge(&folder, level, intent, exit, &more)
        };
        let mut odd: Value = serde_json::from_slice(&folder.read("block.json")).unwrap();
        let stopped = odd["tool_name"].as_str().unwrap().to_owned();
        odd["tool_name"] = json!("nobody.knows.it");
        folder.write("odd.json", odd.to_string().as_bytes());
        // It cannot be asked.
        let said = ran(3, "allow.json");
        assert_eq!(said["reason_codes"], json!(["gait.kill_switch_unavailable"]));
        assert_eq!(said["runs"], false);
        let add = ["kill-switch", "add", "--id", "x", "--tool", &stopped];
        let added = folder.run(&[&add[..], &["--reason", "r", "--by", "ann@acme.com"]].concat());
        assert!(added.status.success(), "{}", shown(&added));
        let said = ran(3, "block.json");
        assert_eq!(said["reason_codes"], json!(["gait.kill_switch"]));
        assert_eq!(ran(0, "approval.json")["runs"], true);
        // What it is aimed at is not known, and there is a stop.
        let said = ran(3, "odd.json");
        assert_eq!(said["runs"], false);
        let (path, intent) = (said["trace_path"].as_str().unwrap(), ["--intent", "odd.json"]);
        let bundle = format!("{level}.gaitbundle");
        let again = [&["trace", "recompute", path, "--bundle", &bundle][..], &intent].concat();
        folder.fails(&again, 6, "recompute.kill_switch");
        let with = [&again[..], &["--kill-switch", "gait-kill-switch.json"]].concat();
        assert_eq!(folder.run(&with).status.code(), Some(0));
    }
}

#[test]
fn sessions_remember_what_ran() {
    let folder = Folder::new();
    compile(&folder, "shadow");
    let session = ["--session", "s", "--trace-out"];
    for n in 0..3 {
        let trace = format!("{n}.json");
        judge(
            &folder,
            "shadow",
            "block.json",
            0,
            &[&session[..], &[&trace]].concat(),
        );
    }
    for (trace, before) in [("1.json", "0.json"), ("2.json", "1.json")] {
        let args = [
            "trace",
            "recompute",
            trace,
            "--bundle",
            "shadow.gaitbundle",
            "--intent",
            "block.json",
            "--before",
            before,
        ];
        assert_eq!(folder.run(&args).status.code(), Some(0));
        // By a bundle that enforces, it would not have run.
        compile(&folder, "enforce");
        let other = args.map(|arg| arg.replace("shadow.gaitbundle", "enforce.gaitbundle"));
        folder.fails(&other.each_ref().map(String::as_str), 6, "recompute.other_bundle");
    }
}

#[test]
fn a_bundle_that_enforces_less_needs_a_second_signature() {
    let folder = Folder::new();
    for level in ["enforce", "shadow", "observe"] {
        compile(&folder, level);
    }
    for (level, before, refused) in [
        ("shadow", "enforce", true),
        ("observe", "enforce", true),
        ("observe", "shadow", true),
        ("shadow", "observe", false),
        ("enforce", "shadow", false),
    ] {
        let (bundle, before) = (format!("{level}.gaitbundle"), format!("{before}.gaitbundle"));
        let args = ["gate", "eval", "--bundle", &bundle, "--intent", "allow.json"];
        let args = [&args[..], &["--predecessor", &before]].concat();
        match refused {
            true => folder.fails(&args, 2, "succession.enforcement"),
            false => assert_eq!(folder.run(&args).status.code(), Some(0), "{args:?}"),
        }
    }
}

#[test]
fn strict_policies_are_enforced() {
    let folder = Folder::new();
    let strict = policy().replacen("\ndefault", "\nprofile strict\ndefault", 1);
    folder.write("p.gaitpol", strict.as_bytes());
    let args = ["policy", "compile", "p.gaitpol", "--enforcement", "shadow"];
    folder.fails(&args, 6, "policy.strict_enforced");
    assert!(folder.list(".").iter().all(|name| name != "p.gaitbundle"));
    folder.fails(
        &["policy", "compile", "p.gaitpol", "--enforcement", "Shadow"],
        6,
        "usage.invalid",
    );
    assert_eq!(folder.run(&eval("block.json", &[])).status.code(), Some(3));
}

#[test]
fn an_agent_behind_the_gateway_is_not_held_up() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp_pins::pinned(&venv);
    let policy = mcp_pins::POLICY.replace("on say, shout allow", "on say block");
    folder.write("b.gaitbundle", &deployed(&policy, Enforcement::Shadow));
    let mut raw = mcp_pins::gateway(&folder, mcp_pins::server(&venv, &[]), &[]);
    let result = mcp_pins::call(&mut raw, "say");
    assert_eq!(result["content"][0]["text"], "done", "{result}");
    assert_eq!(result.get("_meta"), None, "what the server says goes on as it is");
    assert_eq!(mcp_pins::calls(&folder), 1);
    drop(raw);
    let traces = folder.list("gait-out/traces");
    let [trace] = traces.as_slice() else {
        panic!("{traces:?}")
    };
    let record = folder.valid_trace(&format!("gait-out/traces/{trace}"));
    assert_eq!(
        (&record["verdict"], &record["enforcement"]),
        (&json!("block"), &json!("shadow"))
    );
    // A tool that was defined otherwise since is not called at any level.
    mcp_pins::lists(&folder, &json!([mcp_pins::tool("shout")]));
    let mut raw = mcp_pins::gateway(&folder, mcp_pins::server(&venv, &[]), &[]);
    let refused = mcp_pins::call(&mut raw, "say");
    assert_eq!(mcp_pins::code(&refused).as_deref(), Some("mcp.pin_gone"));
}

#[cfg(unix)]
#[test]
fn the_daemon_says_what_may_run() {
    use crate::daemon::client::{Daemon, request};
    let folder = Folder::new();
    folder.write("b.gaitbundle", &deployed(&policy(), Enforcement::Shadow));
    let daemon = Daemon::start(&folder, &[]);
    let decided = daemon.decide(&request(&folder, "block.json", ""));
    assert_eq!(
        (&decided["verdict"], &decided["runs"]),
        (&json!("block"), &json!(true))
    );
    let body = json!({"trace_id": decided["trace_id"], "args": decided["canonical_args"]}).to_string();
    daemon.refuses("POST", "/v1/permits/redeem", &body, (409, "permit.unenforced"));
}
