//! One table of calls, `fixtures/calls/calls.jsonl`, is decided alike wherever it comes in: on the command line, by the daemon, and
//! behind the MCP gateway. Verdict, codes and both digests are those of the table.

use crate::daemon::client::Daemon;
use crate::folder::{Folder, compiled};
use crate::{mcp, mcp_pins};
use serde_json::{Value, json};
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/calls")
        .join(name)
}

fn table() -> Vec<Value> {
    let text = std::fs::read_to_string(fixture("calls.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn folder() -> Folder {
    let at = Folder::new();
    let policy = std::fs::read_to_string(fixture("policy.gaitpol")).unwrap();
    at.write("b.gaitbundle", &compiled(&policy));
    at
}

fn intent(call: &Value) -> Value {
    json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": "2026-11-23T09:00:00Z",
        "producer_version": "t", "tool_name": call["tool"], "args": call["args"], "targets": [],
        "context": {"identity": "a", "workspace": "/ws", "risk_class": "low"}
    })
}

/// A call as the table has it, with what was decided of it.
fn decided(call: &Value, decision: &Value) -> Value {
    let mut call = call.clone();
    for name in ["verdict", "reason_codes", "args_digest", "call_digest"] {
        call[name] = decision[name].clone();
    }
    call
}

fn is_as_the_table_says(found: &[Value]) {
    let table = table();
    assert_eq!(found.len(), table.len());
    for (found, call) in found.iter().zip(&table) {
        assert_eq!(found, call);
    }
}

#[test]
fn on_the_command_line() {
    let at = folder();
    let judge = |call: &Value| {
        at.write("call.json", intent(call).to_string().as_bytes());
        let args = [
            "gate",
            "eval",
            "--bundle",
            "b.gaitbundle",
            "--intent",
            "call.json",
            "--json",
        ];
        let out = at.run(&args);
        decided(call, &serde_json::from_slice(&out.stdout).unwrap())
    };
    let found: Vec<Value> = table().iter().map(judge).collect();
    if std::env::var_os("GAIT_BLESS").is_some() {
        let lines: String = found.iter().map(|call| format!("{call}\n")).collect();
        std::fs::write(fixture("calls.jsonl"), lines).unwrap();
    }
    is_as_the_table_says(&found);
    let verdicts = ["allow", "dry_run", "require_approval", "block"];
    for verdict in verdicts {
        assert!(found.iter().any(|call| call["verdict"] == verdict), "{verdict}");
    }
}

#[test]
fn by_the_daemon() {
    let at = folder();
    let daemon = Daemon::start(&at, &[]);
    let judge = |call: &Value| {
        let body = json!({ "intent": intent(call) });
        decided(call, &daemon.decide(&body.to_string()))
    };
    let found: Vec<Value> = table().iter().map(judge).collect();
    is_as_the_table_says(&found);
}

#[test]
fn behind_the_gateway() {
    let Some(venv) = mcp::venv() else { return };
    let at = folder();
    let calls = table();
    let mut names: Vec<&str> = calls.iter().map(|call| call["tool"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    mcp_pins::lists(&at, &names.iter().map(|name| mcp_pins::tool(name)).collect());
    let args = [
        "mcp",
        "proxy",
        "--bundle",
        "b.gaitbundle",
        "--workspace",
        "/ws",
        "--show-all",
        "--",
    ];
    let args = args.iter().map(|arg| (*arg).to_owned());
    let mut raw = mcp::Raw::before(&at, &args.chain(mcp_pins::server(&venv, &[])).collect::<Vec<_>>());
    let mut seen: Vec<String> = Vec::new();
    let mut judge = |call: &Value| {
        let params = json!({"name": call["tool"], "arguments": call["args"]});
        let line = json!({"jsonrpc": "2.0", "id": seen.len() + 1, "method": "tools/call", "params": params});
        let answer = raw.ask(&line.to_string());
        let runs = answer["result"]["isError"] != true;
        assert_eq!(runs, call["verdict"] == "allow", "{call} {answer}");
        // Each call leaves one more trace.
        let new = at
            .list("gait-out/traces")
            .into_iter()
            .find(|name| !seen.contains(name))
            .unwrap();
        let record = at.valid_trace(&format!("gait-out/traces/{new}"));
        seen.push(new);
        decided(call, &record)
    };
    let found: Vec<Value> = calls.iter().map(&mut judge).collect();
    is_as_the_table_says(&found);
    let allowed = calls.iter().filter(|call| call["verdict"] == "allow").count();
    assert_eq!(mcp_pins::calls(&at), allowed, "what is not allowed did not run");
}
