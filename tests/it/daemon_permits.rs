//! Permits over HTTP: what the daemon allowed runs once, as it was judged, and what became of it is signed.

use crate::daemon::{Daemon, request};
use crate::folder::{Folder, compiled, trusted, valid};
use gait::artifact::envelope::{self, Payload};
use gait::artifact::{CallOutcome, jcs};
use serde_json::{Value, json};

const POLICY: &str = r#"gaitpol 1
policy acme.pay @ "1"
default block code none
tool pay { to: Email, amount: Decimal[2] }
limit spend on pay max 100.00 of args.amount per 1h exceed block
rule one on pay allow
"#;

fn intent(amount: &str) -> Vec<u8> {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"pay","args":{{"to":"ann@acme.com","amount":"{amount}"}},"targets":[],
        "context":{{"identity":"a","workspace":"/w","risk_class":"low"}}}}"#
    )
    .into_bytes()
}

fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    at.write("pay.json", &intent("70.00"));
    at.write("little.json", &intent("40.00"));
    at
}

fn redeem(decision: &Value) -> String {
    json!({ "trace_id": decision["trace_id"], "args": decision["canonical_args"] }).to_string()
}

#[test]
fn what_was_allowed_runs_once_and_as_it_was_judged() {
    let at = folder();
    let daemon = Daemon::start(&at, &[]);
    let decision = daemon.decide(&request(&at, "pay.json", ""));
    let id = &decision["trace_id"];
    let path = "/v1/permits/redeem";
    let other = json!({ "trace_id": id, "args": { "to": "eve@acme.com", "amount": "70.00" } }).to_string();
    daemon.refuses("POST", path, &other, (409, "permit.other_call"));
    let other = json!({ "trace_id": id, "tool": "pay2", "args": decision["canonical_args"] }).to_string();
    daemon.refuses("POST", path, &other, (409, "permit.other_call"));
    let asked = redeem(&decision);
    let done: Vec<u16> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| daemon.ask("POST", path, &asked).status))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(
        done.iter().filter(|status| **status == 200).count(),
        1,
        "{done:?}"
    );
    daemon.refuses("POST", path, &asked, (409, "permit.redeemed"));
    assert_eq!(daemon.metric("gait_permits_redeemed_total"), 1);
    // The trace itself does as well as its id, and another store of the same gate says the same.
    let trace = daemon.ask("GET", &format!("/v1/traces/{}", id.as_str().unwrap()), "");
    let trace: Value = serde_json::from_slice(&trace.body).unwrap();
    let whole = json!({ "trace": trace, "args": decision["canonical_args"] }).to_string();
    daemon.refuses("POST", path, &whole, (409, "permit.redeemed"));
    for (body, answer) in [
        ("{}".to_owned(), (400, "request.missing_field")),
        (
            json!({ "trace_id": "0123", "args": {} }).to_string(),
            (404, "trace.not_found"),
        ),
        (
            json!({ "trace_id": id, "trace": {}, "args": {} }).to_string(),
            (400, "request.bad_value"),
        ),
        (
            json!({ "trace_id": id, "args": [] }).to_string(),
            (400, "request.wrong_type"),
        ),
        (
            json!({ "trace_id": id, "args": {}, "step": "1" }).to_string(),
            (400, "request.wrong_type"),
        ),
        (
            json!({ "trace_id": id, "args": {}, "step": 2 }).to_string(),
            (400, "permit.step"),
        ),
        (
            json!({ "trace_id": id, "args": {}, "now": 1 }).to_string(),
            (400, "request.unknown_field"),
        ),
        (
            json!({ "trace": {}, "args": {} }).to_string(),
            (400, "verify.shape"),
        ),
    ] {
        daemon.refuses("POST", path, &body, answer);
    }
    let blocked = daemon.decide(&request(&at, "block.json", ""));
    assert_eq!(blocked["verdict"], "block");
    let body = json!({ "trace_id": blocked["trace_id"], "args": {} }).to_string();
    daemon.refuses("POST", path, &body, (409, "permit.none"));
}

#[test]
fn what_became_of_a_call_is_signed_and_counted() {
    let at = folder();
    let daemon = Daemon::start(&at, &[]);
    let (redeemed, path) = ("/v1/permits/redeem", "/v1/permits/settle");
    let settle = |decision: &Value, outcome: &str, more: Value| {
        let mut body = json!({ "trace_id": decision["trace_id"], "outcome": outcome });
        if !more.is_null() {
            body["amounts"] = more;
        }
        body.to_string()
    };
    let first = daemon.decide(&request(&at, "pay.json", ""));
    assert_eq!(
        daemon.decide(&request(&at, "little.json", ""))["verdict"],
        "block"
    );
    daemon.refuses(
        "POST",
        path,
        &settle(&first, "executed", Value::Null),
        (409, "permit.not_redeemed"),
    );
    assert_eq!(
        daemon.ask("POST", redeemed, &redeem(&first)).document("redeemed")["step"],
        1
    );
    for (more, code) in [
        (json!({ "other": "1.00" }), "permit.amount"),
        (json!({ "spend": "lots" }), "permit.amount"),
        (json!({ "spend": "-1.00" }), "permit.amount"),
    ] {
        daemon.refuses("POST", path, &settle(&first, "executed", more), (400, code));
    }
    daemon.refuses(
        "POST",
        path,
        &settle(&first, "done", Value::Null),
        (400, "request.bad_value"),
    );
    let asked = settle(&first, "executed", json!({ "spend": "50.00" }));
    let settled = daemon.ask("POST", path, &asked).document("settled");
    let signed = serde_json::to_vec(&settled["signed"]).unwrap();
    let signed = jcs::to_vec(&gait::json::parse(&signed).unwrap());
    let outcome = envelope::verify::<CallOutcome>(&signed, &trusted(), jiff::Timestamp::now()).unwrap();
    valid(&jcs::to_vec(&outcome.value().to_json()), "outcome");
    assert_eq!(settled["outcome"], "executed");
    assert_eq!(
        daemon.ask("POST", path, &asked).document("settled"),
        settled,
        "said again"
    );
    daemon.refuses(
        "POST",
        path,
        &settle(&first, "failed", Value::Null),
        (409, "permit.settled"),
    );
    // 50 of 100 are spent now, so 40 more may be; of those nothing comes, so that they may be again.
    for _ in 0..3 {
        let next = daemon.decide(&request(&at, "little.json", ""));
        assert_eq!(next["verdict"], "allow");
        let asked = settle(&next, "not_executed", Value::Null);
        assert_eq!(daemon.ask("POST", path, &asked).status, 200);
    }
    // What was said again was said once.
    assert_eq!(daemon.metric("gait_calls_settled_total{outcome=\"executed\"}"), 1);
    assert_eq!(
        daemon.metric("gait_calls_settled_total{outcome=\"not_executed\"}"),
        3
    );
}
