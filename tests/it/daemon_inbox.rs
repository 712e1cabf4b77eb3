//! The inbox of the daemon: what waits is listed, answers are signed by people and kept where calls find them, and nothing else is taken.

use crate::approve::folder;
use crate::daemon::client::{Answer, Daemon, request};
use crate::folder::{Folder, shown};
use serde_json::{Value, json};

const APPROVERS: [&str; 2] = ["--approvers", "gait-trust.json"];

fn start(at: &Folder, more: &[&str]) -> Daemon {
    Daemon::start(at, &[&APPROVERS[..], more].concat())
}

fn decide(at: &Folder, daemon: &Daemon, intent: &str) -> Value {
    daemon.decide(&request(at, intent, ""))
}

fn waiting(daemon: &Daemon) -> Vec<Value> {
    let answer = daemon.ask("GET", "/v1/approvals", "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let found = answer.document("inbox");
    found["waiting"].as_array().unwrap().clone()
}

/// What a person signs for the call of a decision, in a file.
fn signed(at: &Folder, decision: &Value, who: &str, out: &str, denied: Option<&str>) -> Value {
    let file = decision["trace_file"].as_str().unwrap();
    let line = decision["trace_line"].to_string();
    let key = format!("{who}.key");
    let mut args = vec!["approve"];
    if let Some(reason) = denied {
        args = vec!["deny", "--reason", reason];
    }
    let intent = if decision["tool"] == "two" {
        "two.json"
    } else {
        "pay.json"
    };
    args.extend([
        file, "--line", &line, "--key", &key, "--intent", intent, "--out", out, "--yes",
    ]);
    let output = at.run(&args);
    assert!(output.status.success(), "{}", shown(&output));
    serde_json::from_slice(&at.read(out)).unwrap()
}

fn send(daemon: &Daemon, answer: &Value) -> Answer {
    daemon.ask("POST", "/v1/approvals", &answer.to_string())
}

#[test]
fn a_call_waits_is_answered_and_runs_once() {
    let at = folder();
    let daemon = start(&at, &[]);
    assert_eq!(waiting(&daemon), Vec::<Value>::new());
    decide(&at, &daemon, "pay.json");
    let decided = decide(&at, &daemon, "pay.json");
    let [one] = waiting(&daemon).try_into().unwrap();
    assert_eq!((&one["tool"], &one["asked"]), (&json!("pay"), &json!(2)));
    assert_eq!(
        one["intent"]["args"]["amount"], "700.00",
        "though the trace does not keep it"
    );
    let rows = one["shown"].as_array().unwrap().iter();
    let rows: Vec<String> = rows
        .map(|row| format!("{} {}", row["name"], row["text"]))
        .collect();
    assert!(rows.iter().any(|row| row.contains("amount")), "{rows:?}");
    let answer = signed(&at, &decided, "ann", "a", None);
    let kept = send(&daemon, &answer);
    assert_eq!(kept.status, 200, "{}", kept.text());
    let kept = kept.document("answered");
    assert_eq!(
        (&kept["by"], &kept["denied"]),
        (&json!("ann@acme.com"), &Value::Null)
    );
    assert_eq!(waiting(&daemon)[0]["given"][0]["by"], "ann@acme.com");
    // Sent again it is the same one.
    assert_eq!(send(&daemon, &answer).document("answered"), kept);
    assert_eq!(decide(&at, &daemon, "more.json")["verdict"], "require_approval");
    let runs = decide(&at, &daemon, "pay.json");
    assert_eq!(
        (&runs["verdict"], &runs["approved_by"]),
        (&json!("allow"), &json!(["ann@acme.com"]))
    );
    let left = waiting(&daemon);
    assert_eq!(left.len(), 1, "only the other one waits");
    assert_eq!(decide(&at, &daemon, "pay.json")["verdict"], "require_approval");
    assert_eq!(
        decide(&at, &daemon, "pay.json")["verdict"],
        "require_approval",
        "it is used up"
    );
}

#[test]
fn a_call_that_is_denied_stays_so() {
    let at = folder();
    let daemon = start(&at, &["--approvals", "answers"]);
    let decided = decide(&at, &daemon, "pay.json");
    let no = signed(&at, &decided, "bob", "no", Some("not today"));
    assert_eq!(send(&daemon, &no).document("answered")["denied"], "not today");
    let yes = signed(&at, &decided, "ann", "yes", None);
    assert_eq!(send(&daemon, &yes).status, 200);
    for _ in 0..3 {
        let decided = decide(&at, &daemon, "pay.json");
        assert_eq!(decided["reason_codes"], json!(["gait.denied"]));
        assert_eq!(decided["detail"], "bob@acme.com has denied the call: not today");
    }
    assert_eq!(at.list("answers").len(), 2);
    assert_eq!(waiting(&daemon)[0]["given"].as_array().unwrap().len(), 2);
}

#[test]
fn only_a_known_person_answers_and_only_what_waits() {
    let at = folder();
    let daemon = start(&at, &[]);
    let decided = decide(&at, &daemon, "pay.json");
    let eve = signed(&at, &decided, "eve", "eve", None);
    send(&daemon, &eve).is_refused(400, "verify.key_unknown");
    let mut forged = signed(&at, &decided, "ann", "a", None);
    let good = forged.clone();
    let two = decide(&at, &daemon, "two.json");
    let other = signed(&at, &two, "ann", "two", None);
    forged["payload"] = other["payload"].clone();
    send(&daemon, &forged).is_refused(400, "verify.signature_invalid");
    send(&daemon, &json!({})).is_refused(400, "verify.shape");
    let trace = daemon.ask(
        "GET",
        &format!("/v1/traces/{}", decided["trace_id"].as_str().unwrap()),
        "",
    );
    let trace: Value = serde_json::from_slice(&trace.body).unwrap();
    send(&daemon, &trace).is_refused(400, "verify.payload_type");
    for (body, code) in [
        ("{}", "verify.shape"),
        ("[]", "verify.shape"),
        (r#"{"payload": "", "payload": ""}"#, "verify.not_json"),
        ("", "verify.not_json"),
    ] {
        let answer = daemon.ask("POST", "/v1/approvals", body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.document("error")["code"], code, "{body}");
    }
    let ann = gait::artifact::SigningKey::from_seed(&[b'a'; 32])
        .verifying_key()
        .id()
        .to_string();
    at.json(&["trust", "revoke", "--key", &ann], 0, "trust_revoke");
    send(&daemon, &good).is_refused(409, "approval.not_counted");
    assert_eq!(at.list("gait-out/approvals"), Vec::<String>::new());
    drop(daemon);
    // After a restart nothing waits, until somebody asks again.
    let daemon = start(&at, &[]);
    assert_eq!(waiting(&daemon), Vec::<Value>::new());
    let bob = signed(&at, &decided, "bob", "b", None);
    send(&daemon, &bob).is_refused(404, "approval.not_waiting");
    decide(&at, &daemon, "pay.json");
    assert_eq!(send(&daemon, &bob).status, 200);
    let other = Folder::new();
    let alone = Daemon::start(&other, &[]);
    alone.refuses("GET", "/v1/approvals", "", (400, "request.no_approvers"));
}

#[test]
fn no_other_page_asks_and_none_shows_it() {
    let at = folder();
    at.write_private("token", b"00112233445566778899aabbccddeeff");
    let daemon = start(&at, &["--listen", "127.0.0.1:0", "--token-file", "token"]);
    let own = daemon.told("listening");
    let bearer = ("Authorization", "Bearer 00112233445566778899aabbccddeeff");
    let ask =
        |method: &str, path: &str, more: &[(&str, &str)]| daemon.connect().ask(method, path, more, b"{}");
    for path in ["/approvals", "/approvals/page.js", "/approvals/page.css"] {
        let page = ask("GET", path, &[]);
        assert_eq!(page.status, 200);
        let head = page.head.to_lowercase();
        for part in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "cache-control: no-store",
        ] {
            assert!(head.contains(part), "{part}: {head}");
        }
        assert!(!page.text().contains("http://"), "nothing comes from elsewhere");
        ask("GET", path, &[("Origin", "http://evil.example")]).is_refused(403, "request.origin");
        ask("GET", path, &[("Host", "evil.example")]).is_refused(403, "request.host");
    }
    for method in ["GET", "POST"] {
        ask(method, "/v1/approvals", &[]).is_refused(401, "request.token");
        for origin in ["http://evil.example", "null", "http://localhost"] {
            ask(method, "/v1/approvals", &[bearer, ("Origin", origin)]).is_refused(403, "request.origin");
        }
    }
    assert_eq!(
        ask("GET", "/v1/approvals", &[bearer, ("Origin", &own)]).status,
        200
    );
    // Its own page asks for what waits, and for nothing else.
    ask("POST", "/v1/decide", &[bearer, ("Origin", &own)]).is_refused(403, "request.origin");
}

#[test]
fn a_denial_counts_whatever_the_daemon_remembers() {
    let at = folder();
    let daemon = start(&at, &[]);
    let decided = decide(&at, &daemon, "pay.json");
    let yes = signed(&at, &decided, "ann", "yes", None);
    let no = signed(&at, &decided, "bob", "no", Some("not today"));
    assert_eq!(send(&daemon, &no).status, 200);
    // More denials of another call than approvals are weighed with one.
    let two = decide(&at, &daemon, "two.json");
    for number in 0..120 {
        let out = format!("gait-out/approvals/other_{number}.json");
        signed(&at, &two, "cid", &out, Some("no"));
    }
    drop(daemon);
    // Started anew it remembers nothing, and whoever asks brings an approval along.
    let daemon = start(&at, &[]);
    let denied = daemon.decide(&request(&at, "pay.json", &format!(r#", "approvals": [{yes}]"#)));
    assert_eq!(denied["reason_codes"], json!(["gait.denied"]), "{denied}");
}
