//! Approved scripts: somebody approves every script of a shape, which then runs again and again; and nothing else does.

use crate::folder::{Folder, compiled, eval, shown};
use gait::artifact::SigningKey;
use serde_json::{Value, json};

const POLICY: &str = r#"gaitpol 1
policy acme.reports
default block code none
context { fact identity from intent context.identity }
role desk { "ann@acme.com" }
tool fs.read { path: Path }
tool mail.send { to: Email, text: String[max 99]? }
tool pay { amount: Int }
limit hourly on mail.send max 3 calls per 1h by context.identity exceed block code too_many
rule reads on fs.read when args.path under "/ws" allow
rule mails on mail.send when args.to.domain under "acme.com" require_approval { from desk }
rule pays on pay require_approval { from desk single_use bind args }
"#;

fn script(steps: &Value) -> Vec<u8> {
    json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": "2026-11-23T09:00:00Z",
        "producer_version": "t", "tool_name": "script", "args": {}, "script": {"steps": steps}, "targets": [],
        "context": {"identity": "a", "workspace": "/ws", "risk_class": "low"}
    })
    .to_string()
    .into_bytes()
}

fn read(path: &str) -> Value {
    json!({"tool_name": "fs.read", "args": {"path": path}})
}

fn mail(to: &str, text: &str) -> Value {
    json!({"tool_name": "mail.send", "args": {"to": to, "text": text}})
}

fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    for (name, steps) in [
        (
            "report",
            json!([read("/ws/a"), mail("ann@acme.com", "as every day")]),
        ),
        (
            "other_file",
            json!([read("/ws/b"), mail("ann@acme.com", "as every day")]),
        ),
        (
            "outside",
            json!([read("/etc/passwd"), mail("ann@acme.com", "as every day")]),
        ),
        (
            "other_text",
            json!([read("/ws/a"), mail("ann@acme.com", "something else")]),
        ),
        (
            "other_order",
            json!([mail("ann@acme.com", "as every day"), read("/ws/a")]),
        ),
        (
            "longer",
            json!([
                read("/ws/a"),
                mail("ann@acme.com", "as every day"),
                mail("ann@acme.com", "x")
            ]),
        ),
        (
            "foreign",
            json!([read("/ws/a"), mail("eve@evil.example", "as every day")]),
        ),
        (
            "paid",
            json!([read("/ws/a"), {"tool_name": "pay", "args": {"amount": 5}}]),
        ),
        (
            "no_text",
            json!([read("/ws/a"), {"tool_name": "mail.send", "args": {"to": "ann@acme.com"}}]),
        ),
        (
            "number",
            json!([{"tool_name": "fs.read", "args": {"path": 7}}, mail("ann@acme.com", "as every day")]),
        ),
    ] {
        at.write(&format!("{name}.json"), &script(&steps));
    }
    for (name, seed) in [("ann", b'a'), ("eve", b'e')] {
        let key = SigningKey::from_seed(&[seed; 32]);
        at.write_private(&format!("{name}.key"), &key.to_file());
        at.write(&format!("{name}.pub"), &key.verifying_key().to_file());
    }
    at.json(
        &["trust", "add", "--principal", "ann@acme.com", "--key", "ann.pub"],
        0,
        "trust_add",
    );
    at
}

/// Approves every script of the shape of one that waits.
fn approve(at: &Folder, intent: &str, who: &str, more: &[&str], out: &str) -> Value {
    let trace = format!("{out}.trace");
    let intent = format!("{intent}.json");
    at.json(
        &eval(&intent, &["--keep-intent", "--trace-out", &trace]),
        4,
        "gate_eval",
    );
    let key = format!("{who}.key");
    let args = [
        "approve", &trace, "--script", "--key", &key, "--yes", "--out", out,
    ];
    at.json(&[&args[..], more].concat(), 0, "approve")
}

fn judge(at: &Folder, intent: &str, more: &[&str]) -> Value {
    let intent = format!("{intent}.json");
    let args = eval(
        &intent,
        &["--approvers", "gait-trust.json", "--approval", "yes", "--json"],
    );
    let out = at.run(&[&args[..], more].concat());
    serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", shown(&out)))
}

#[test]
fn every_script_of_the_shape_runs_and_no_other() {
    let at = folder();
    let approved = approve(&at, "report", "ann", &["--vary", "1.path"], "yes");
    assert_eq!(approved["steps"], 2);
    at.json(&["verify", "yes", "--trust", "ann.pub"], 0, "verify");
    for (intent, verdict, standing) in [
        ("other_text", "require_approval", "other_call"),
        ("other_order", "require_approval", "other_call"),
        ("longer", "require_approval", "other_call"),
        ("no_text", "require_approval", "other_call"),
        ("paid", "require_approval", "other_call"),
        // What a rule blocks stays blocked, whatever is approved.
        ("foreign", "block", "other_call"),
        ("outside", "block", "not_asked"),
        ("number", "block", "other_call"),
        ("report", "allow", "counted"),
        ("report", "allow", "counted"),
        ("other_file", "allow", "counted"),
        // The limit counts them: three have run.
        ("report", "block", "not_asked"),
    ] {
        let said = judge(&at, intent, &[]);
        assert_eq!(said["verdict"], verdict, "{intent}: {said}");
        assert_eq!(said["handed"][0]["standing"], standing, "{intent}: {said}");
        at.valid_trace(said["trace_path"].as_str().unwrap());
    }
}

#[test]
fn what_asks_for_an_approval_of_its_own_is_not_met_by_it() {
    let at = folder();
    approve(&at, "paid", "ann", &[], "yes");
    let said = judge(&at, "paid", &[]);
    assert_eq!(
        (&said["verdict"], &said["handed"][0]["standing"]),
        (&json!("require_approval"), &json!("other_call"))
    );
}

#[test]
fn it_is_decided_again_from_it_and_stops_with_the_kill_switch() {
    let at = folder();
    approve(&at, "report", "ann", &[], "yes");
    let said = judge(&at, "report", &[]);
    let trace = said["trace_path"].as_str().unwrap();
    let again = [
        "trace",
        "recompute",
        trace,
        "--bundle",
        "b.gaitbundle",
        "--intent",
        "report.json",
    ];
    let given = ["--approvers", "gait-trust.json", "--approval", "yes"];
    at.json(&[&again[..], &given].concat(), 0, "trace_recompute");
    let add = [
        "kill-switch",
        "add",
        "--id",
        "x",
        "--tool",
        "mail.send",
        "--reason",
        "r",
        "--by",
        "ann@acme.com",
    ];
    assert!(at.run(&add).status.success());
    let said = judge(&at, "report", &["--kill-switch", "gait-kill-switch.json"]);
    assert_eq!(said["reason_codes"], json!(["gait.kill_switch"]));
    let ann = SigningKey::from_seed(&[b'a'; 32])
        .verifying_key()
        .id()
        .to_string();
    at.json(&["trust", "revoke", "--key", &ann], 0, "trust_revoke");
    assert_eq!(judge(&at, "report", &[])["handed"][0]["standing"], "key_revoked");
}

#[test]
fn what_cannot_be_approved_so_is_refused() {
    let at = folder();
    let one = String::from_utf8(script(&json!([]))).unwrap();
    let one = one
        .replace("\"tool_name\":\"script\"", "\"tool_name\":\"pay\"")
        .replace("\"args\":{}", "\"args\":{\"amount\":1}");
    at.write(
        "one.json",
        one.replace("\"script\":{\"steps\":[]},", "").as_bytes(),
    );
    at.json(
        &eval("one.json", &["--keep-intent", "--trace-out", "one.trace"]),
        4,
        "gate_eval",
    );
    let args = ["approve", "one.trace", "--script", "--key", "ann.key", "--yes"];
    at.fails(&args, 6, "approve.no_script");
    at.json(
        &eval("report.json", &["--keep-intent", "--trace-out", "r.trace"]),
        4,
        "gate_eval",
    );
    let args = [
        "approve", "r.trace", "--script", "--key", "ann.key", "--yes", "--vary",
    ];
    for (vary, code) in [
        ("3.path", "approve.no_argument"),
        ("1.text", "approve.no_argument"),
        ("0.path", "usage.invalid"),
        ("path", "usage.invalid"),
    ] {
        at.fails(&[&args[..], &[vary]].concat(), 6, code);
    }
    approve(&at, "report", "eve", &[], "yes");
    let out = judge(&at, "report", &[]);
    assert_eq!(out["error"]["code"], "verify.key_unknown");
}
