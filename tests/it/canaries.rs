//! Secrets of every kind are planted in calls, and every byte that comes of them is looked through: traces, journals, runpacks, stores,
//! answers, messages. None may be there but in what the executor of an allowed call is handed.

use crate::daemon::client::Daemon;
use crate::folder::{AT, Folder, compiled, eval, key, shown, trusted};
use crate::secrets::{tokens, told};
use crate::{mcp, mcp_pins};
use gait::artifact::envelope::Payload as _;
use gait::artifact::{SigningKey, TraceSecrets, trace};
use serde_json::{Value, json};
use std::path::Path;

const POLICY: &str = r#"gaitpol 1
policy p
default block code none
tool send { items: List[String[max 4000], max 200], headers: Map[String[max 400], String[max 400], max 9]?
  login: { user: String[max 40], password: String[max 80] }?, url: String[max 900]?
  effect net.egress to url }
tool ask { text: String[max 9000] }
tool small { n: Int, password: String[max 5]? }
rule sends on send allow
rule stops on send when len(args.items) > 150 block
rule long on send when any i in args.items: i contains "git" dry_run
rule asks on ask require_approval { from finance }
rule smalls on small allow
role finance { "ann@acme.com" }
"#;

/// What tells a secret wherever it is written: its longest run of letters and digits.
fn needle(secret: &str) -> String {
    let runs = secret.split(|c: char| !c.is_ascii_alphanumeric());
    runs.max_by_key(|run| run.len()).unwrap().to_owned()
}

/// The texts to plant, and what must not be found.
fn planted() -> (Vec<String>, Vec<String>) {
    let told = told().into_iter().map(|(_, text, secret)| (text, secret));
    let tokens = tokens()
        .into_iter()
        .map(|(_, token)| (format!("put {token} there"), token));
    let (mut texts, mut needles): (Vec<String>, Vec<String>) = told
        .chain(tokens)
        .map(|(text, secret)| (text, needle(&secret)))
        .unzip();
    texts.push("harmless".to_owned());
    needles.push("opensesame".to_owned());
    (texts, needles)
}

fn intent(tool: &str, args: Value) -> Value {
    json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": "2026-11-23T09:00:00Z",
        "producer_version": "t", "tool_name": tool, "args": args, "targets": [],
        "context": {"identity": "a", "workspace": "/ws", "risk_class": "low"}
    })
}

/// Calls by the verdicts that they get, with a secret in every place that a call has.
fn calls() -> Vec<(&'static str, i32, Value)> {
    let (texts, _) = planted();
    let token = &texts[texts.len() - 5];
    let login = json!({"user": "ann", "password": "open sesame opensesame"});
    let url = "https://ann:opensesame@x.example/";
    let mut claims = intent(
        "send",
        json!({"items": ["a"], "headers": {"Authorization": "Bearer opensesame1"}, "url": url}),
    );
    claims["targets"] = json!([{"kind": "url", "value": url, "endpoint_domain": "opensesame1"}]);
    claims["arg_provenance"] = json!([{"arg_path": "url", "source": "external", "source_ref": "opensesame", "integrity_digest": "0".repeat(64)}]);
    claims["context"]["auth_context"] = json!({"token": token, "password": "opensesame"});
    claims["context"]["identity"] = token.as_str().into();
    claims["context"]["request_id"] = token.as_str().into();
    let mut script = intent("script", json!({}));
    script["script"] = json!({"steps": [
        {"tool_name": "send", "args": {"items": texts, "login": login}},
        {"tool_name": token, "args": {"x": token}},
        {"tool_name": "send", "args": {"items": ["a"], "url": url}}]});
    vec![
        (
            "allowed",
            0,
            intent(
                "send",
                json!({"items": ["a", format!("pwd: \"{}\"", "opensesame1!")], "login": login}),
            ),
        ),
        ("claims", 0, claims),
        (
            "tried",
            9,
            intent(
                "send",
                json!({"items": texts, "headers": {token.as_str(): "x"}, "url": url}),
            ),
        ),
        (
            "blocked",
            3,
            intent(
                "send",
                json!({"items": vec!["password=opensesame1"; 160], "login": login}),
            ),
        ),
        ("waits", 4, intent("ask", json!({"text": texts.join("\n")}))),
        (
            "wrong",
            3,
            intent("small", json!({"n": token, "password": "opensesame"})),
        ),
        (
            "unknown",
            3,
            intent("nothing", json!({"list": texts, "password": "opensesame"})),
        ),
        ("member", 3, intent("small", json!({"n": 1, token.as_str(): 1}))),
        ("tool", 3, intent(token, json!({"a": [token]}))),
        ("script", 3, script),
    ]
}

fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    let ann = SigningKey::from_seed(&[97; 32]);
    at.write_private("ann.key", &ann.to_file());
    at.write("ann.pub", &ann.verifying_key().to_file());
    let args = ["trust", "add", "--principal", "ann@acme.com", "--key", "ann.pub"];
    at.json(&args, 0, "trust_add");
    for (name, _, intent) in calls() {
        at.write(&format!("in/{name}.json"), intent.to_string().as_bytes());
    }
    at
}

fn clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for needle in planted().1 {
        assert!(!text.contains(&needle), "{needle} in {what}:\n{text}");
    }
}

/// Looks through every file but those that were given, and through every record in a trace.
fn clean_files(at: &Folder, given: &[&str]) {
    let mut folders = vec![at.path(".")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if given.iter().any(|given| Path::new(&name).ends_with(given)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(bytes) = std::fs::read(&path) else { continue };
            clean(&name, &bytes);
            for line in bytes.split(|byte| *byte == b'\n').chain([bytes.as_slice()]) {
                if let Ok(one) = trace::verify(line, &trusted(), AT.parse().unwrap()) {
                    clean(&name, &gait::artifact::jcs::to_vec(&one.value().to_json()));
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 0, "no trace was looked through");
}

#[test]
fn the_command_line_keeps_no_secret() {
    let at = folder();
    for (name, exit, intent) in calls() {
        let file = format!("in/{name}.json");
        for more in [&["--keep-intent"][..], &["--explain"]] {
            let args = [&["--session", "s", "--evaluation-time", AT][..], more].concat();
            let output = at.run(&[&eval(&file, &args)[..], &["--json"]].concat());
            assert_eq!(output.status.code(), Some(exit), "{name} {}", shown(&output));
            let mut said: Value = serde_json::from_slice(&output.stdout).unwrap();
            if exit == 0 {
                assert_eq!(
                    said["canonical_args"]["items"], intent["args"]["items"],
                    "the tool gets it"
                );
                said["canonical_args"] = Value::Null;
            }
            clean(name, said.to_string().as_bytes());
            clean(name, &output.stderr);
            let output = at.run(&eval(&file, &["--explain", "--trace-out", "more/"]));
            clean(name, shown(&output).as_bytes());
        }
    }
    let trace = at.valid_trace_of("waits");
    assert_eq!(trace["secrets"]["table"], 1);
    assert_eq!(trace["secrets"]["found"][0]["at"], "args.text");
    let text = trace["intent"]["args"]["text"].as_str().unwrap();
    for seen in [
        "put [secret github_token] there",
        "curl -H 'Authorization: Bearer [secret authorization]' https://x.example",
        "harmless",
    ] {
        assert!(text.contains(seen), "{text}");
    }
    let run = |args: &[&str]| {
        let output = at.run(args);
        clean(&args.join(" "), shown(&output).as_bytes());
        assert_eq!(output.status.code(), Some(0), "{args:?} {}", shown(&output));
    };
    run(&["run", "record", "--session", "s", "--out", "s.zip"]);
    run(&["run", "inspect", "s.zip"]);
    run(&["regress", "bootstrap", "s.zip", "--out", "fix"]);
    run(&["regress", "run", "fix", "--bundle", "b.gaitbundle"]);
    run(&["approvals"]);
    // A member of an intent that is none.
    for broken in [
        json!({token(): 1}),
        json!({"schema_id": token()}),
        json!({"a": token()}),
    ] {
        let mut intent = intent("small", json!({"n": 1}));
        intent
            .as_object_mut()
            .unwrap()
            .extend(broken.as_object().unwrap().clone());
        at.write("in/broken.json", intent.to_string().as_bytes());
        let output = at.run(&[&eval("in/broken.json", &[])[..], &["--json"]].concat());
        assert_eq!(output.status.code(), Some(6));
        clean("broken", shown(&output).as_bytes());
    }
    clean_files(&at, &["in"]);
}

fn borrowed(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn token() -> String {
    tokens()[0].1.clone()
}

#[test]
fn the_daemon_keeps_no_secret() {
    let at = folder();
    let daemon = Daemon::start(&at, &["--approvers", "gait-trust.json"]);
    for (name, exit, intent) in calls() {
        let mut said =
            daemon.decide(&json!({"intent": intent, "session": "d", "keep_intent": true}).to_string());
        if exit == 0 {
            said["canonical_args"] = Value::Null;
        }
        clean(name, said.to_string().as_bytes());
        let id = said["trace_id"].as_str().unwrap();
        clean(
            name,
            daemon
                .ask("GET", &format!("/v1/traces/{id}"), "")
                .text()
                .as_bytes(),
        );
    }
    let waiting = daemon.ask("GET", "/v1/approvals", "").text();
    assert!(
        waiting.contains("[secret github_token]"),
        "a person sees what is hidden: {waiting}"
    );
    clean("waiting", waiting.as_bytes());
    let wrong = json!({"intent": {token(): 1}}).to_string();
    clean(
        "refusal",
        daemon.ask("POST", "/v1/decide", &wrong).text().as_bytes(),
    );
    clean("metrics", daemon.ask("GET", "/metrics", "").text().as_bytes());
    drop(daemon);
    clean_files(&at, &["in"]);
}

#[test]
fn the_gateway_keeps_no_secret() {
    let Some(venv) = mcp::venv() else { return };
    let at = folder();
    mcp_pins::lists(
        &at,
        &["send", "ask", "small"]
            .iter()
            .map(|name| mcp_pins::tool(name))
            .collect(),
    );
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
    for (number, (name, _, intent)) in calls().into_iter().enumerate() {
        if !["allowed", "tried", "blocked", "waits", "wrong", "member"].contains(&name) {
            continue;
        }
        let params = json!({"name": intent["tool_name"], "arguments": intent["args"]});
        let line = json!({"jsonrpc": "2.0", "id": number + 1, "method": "tools/call", "params": params});
        let answer = raw.ask(&line.to_string());
        clean(name, answer.to_string().as_bytes());
    }
    drop(raw);
    clean_files(&at, &["in", "tools.json", "calls.txt"]);
}

#[test]
fn what_is_hidden_is_decided_again_from_the_whole_intent() {
    let at = folder();
    let again = |name: &str, more: &[&str]| {
        let args = ["trace", "recompute", "t.json", "--bundle", "b.gaitbundle"];
        let file = format!("in/{name}.json");
        let args: Vec<&str> = args.into_iter().chain(more.iter().copied()).collect();
        let with = [&args[..], &["--intent", &file]].concat();
        (
            args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(),
            with.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(),
        )
    };
    for (name, exit, _) in calls() {
        for keep in [&["--keep-intent"][..], &["--keep-intent", "--keep-secrets"]] {
            let file = format!("in/{name}.json");
            let _ = std::fs::remove_file(at.path("t.json"));
            at.json(
                &eval(&file, &[&["--trace-out", "t.json"], keep].concat()),
                exit,
                "gate_eval",
            );
            let record = at.valid_trace("t.json");
            let (alone, with) = again(name, &[]);
            let is_raw = keep.len() == 2;
            assert_eq!(record["secrets"]["kept"] == true, is_raw, "{name}");
            if is_raw {
                // Somebody asked for it, so it is whole.
                assert!(
                    planted()
                        .1
                        .iter()
                        .any(|needle| record.to_string().contains(needle)),
                    "{name}"
                );
                at.json(&borrowed(&alone), 0, "trace_recompute");
            } else {
                at.fails(&borrowed(&alone), 6, "recompute.intent_redacted");
            }
            at.json(&borrowed(&with), 0, "trace_recompute");
            let (_, other) = again(if name == "waits" { "tool" } else { "waits" }, &[]);
            at.fails(&borrowed(&other), 6, "recompute.other_intent");
        }
    }
}

#[test]
fn what_another_table_hid_is_said_to_be_of_another_table() {
    let at = folder();
    at.json(&eval("in/waits.json", &["--trace-out", "t.json"]), 4, "gate_eval");
    let record = trace::verify(&at.read("t.json"), &trusted(), AT.parse().unwrap())
        .unwrap()
        .into_value();
    let whole = gait::domain::Intent::read(&at.read("in/waits.json")).unwrap();
    let none = gait::artifact::TraceRecord {
        secrets: None,
        intent_digest: gait::artifact::digest::of_json(&whole.canonical()),
        args_digest: gait::artifact::digest::of_json(whole.args()),
        ..record.clone()
    };
    let other = gait::artifact::TraceRecord {
        secrets: record.secrets.as_ref().map(|secrets| TraceSecrets {
            table: 2,
            ..secrets.clone()
        }),
        intent_digest: gait::artifact::digest::sha256(b"hidden otherwise"),
        ..record.clone()
    };
    for record in [none, other] {
        at.write("o.json", trace::sign(&record, &key()).unwrap().as_bytes());
        let args = [
            "trace",
            "recompute",
            "o.json",
            "--bundle",
            "b.gaitbundle",
            "--intent",
            "in/waits.json",
        ];
        at.fails(&args, 6, "recompute.other_table");
    }
}

#[test]
fn an_approval_is_for_the_secret_that_was_there() {
    let at = folder();
    let text = |secret: &str| intent("ask", json!({"text": format!("password={secret}")}));
    at.write("in/one.json", text("opensesame1").to_string().as_bytes());
    at.write("in/other.json", text("opensesame2").to_string().as_bytes());
    let more = ["--approvers", "gait-trust.json"];
    at.json(
        &eval("in/one.json", &[&more[..], &["--trace-out", "t.json"]].concat()),
        4,
        "gate_eval",
    );
    // The trace does not keep the intent, so whoever approves names it; what is shown of it is what is kept.
    let args = [
        "approve",
        "t.json",
        "--intent",
        "in/one.json",
        "--key",
        "ann.key",
        "--yes",
        "--out",
        "a",
    ];
    let output = at.run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(
        shown(&output).contains("password=[secret password]"),
        "{}",
        shown(&output)
    );
    clean("approve", shown(&output).as_bytes());
    at.fails(
        &[
            "approve",
            "t.json",
            "--intent",
            "in/tool.json",
            "--key",
            "ann.key",
            "--yes",
            "--out",
            "b",
        ],
        2,
        "approve.other_intent",
    );
    let with = [&more[..], &["--approval", "a"]].concat();
    at.json(&eval("in/other.json", &with), 4, "gate_eval");
    at.json(&eval("in/one.json", &with), 0, "gate_eval");
}

#[test]
fn who_asks_is_not_hidden_behind_a_secret() {
    let at = folder();
    let of = |who: &str| {
        let mut one = intent("ask", json!({"text": "a"}));
        one["context"]["identity"] = format!("svc password={who}").into();
        one
    };
    at.write("in/one.json", of("opensesame1").to_string().as_bytes());
    at.write("in/other.json", of("opensesame2").to_string().as_bytes());
    let more = [
        "--approvers",
        "gait-trust.json",
        "--keep-intent",
        "--trace-out",
        "t.json",
    ];
    at.json(&eval("in/one.json", &more), 4, "gate_eval");
    let output = at.run(&["approve", "t.json", "--key", "ann.key", "--yes", "--out", "a"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let with = ["--approvers", "gait-trust.json", "--approval", "a"];
    for name in ["in/other.json", "in/one.json"] {
        let found = at.json(&eval(name, &with), 4, "gate_eval");
        assert_eq!(found["handed"][0]["standing"], "other_call", "{found}");
    }
}

impl Folder {
    /// The record of a call that this page judged in session `s` with its intent.
    fn valid_trace_of(&self, name: &str) -> Value {
        let tool = calls().into_iter().find(|call| call.0 == name).unwrap().2["tool_name"].clone();
        let traces = self.list("gait-out/traces").into_iter();
        let mut records = traces.map(|file| self.valid_trace(&format!("gait-out/traces/{file}")));
        records
            .find(|record| record["tool"] == tool && !record["intent"].is_null())
            .unwrap()
    }
}
