//! `openapi.json` is what the daemon does: its schemas are those of `schemas/v1/daemon`, its routes answer, and what they answer is
//! among what it says.

use crate::approve;
use crate::daemon::{Daemon, request};
use crate::folder::{Folder, deployed, policy};
use gait::domain::Enforcement;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/v1")
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn its_schemas_are_the_files_of_the_same_name() {
    let path = schemas().join("daemon/openapi.json");
    let mut document = read(&path);
    let mut all = serde_json::Map::new();
    for entry in std::fs::read_dir(schemas().join("daemon")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(name) = name.strip_suffix(".schema.json") {
            all.insert(name.to_owned(), read(&file));
        }
    }
    all.insert(
        "envelope".to_owned(),
        read(&schemas().join("envelope.schema.json")),
    );
    all.insert(
        "intent_request".to_owned(),
        read(&schemas().join("gate/intent_request.schema.json")),
    );
    if std::env::var_os("GAIT_BLESS").is_some() {
        document["components"]["schemas"] = Value::Object(all.clone());
        std::fs::write(&path, format!("{document:#}\n")).unwrap();
    }
    assert!(
        document["components"]["schemas"] == Value::Object(all),
        "run the tests with GAIT_BLESS=1"
    );
}

/// Every place of a document that a `$ref` names.
fn references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get("$ref") {
                out.push(to.clone());
            }
            members.values().for_each(|value| references(value, out));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, out)),
        _ => {}
    }
}

#[test]
fn every_route_it_names_answers_as_it_says() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let served = daemon.ask("GET", "/openapi.json", "");
    let document: Value = serde_json::from_slice(&served.body).unwrap();
    assert_eq!(document, read(&schemas().join("daemon/openapi.json")));
    let mut named = Vec::new();
    references(&document["paths"], &mut named);
    assert!(!named.is_empty());
    for reference in named {
        assert!(
            document.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference}"
        );
    }
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 10);
    for (path, methods) in paths {
        let asked = path.replace("{trace_id}", "0123456789abcdef01234567");
        for (method, operation) in methods.as_object().unwrap() {
            let answer = daemon.ask(&method.to_uppercase(), &asked, "");
            let said = &operation["responses"][answer.status.to_string()];
            assert!(said.is_object(), "{method} {path}: {}", answer.status);
            let schema = said
                .pointer("/content/application~1json/schema/$ref")
                .and_then(Value::as_str);
            if let Some(name) = schema.and_then(|schema| schema.strip_prefix("#/components/schemas/")) {
                answer.document(name);
            }
            let other = if methods.get("get").is_some() {
                "POST"
            } else {
                "GET"
            };
            if methods.get(other.to_lowercase()).is_some() {
                continue;
            }
            daemon.refuses(other, &asked, "", (405, "request.method"));
        }
    }
}

/// The names of what a document says in the text format of Prometheus, each told of before it is said, as `promtool check metrics` wants it.
fn named(text: &str) -> BTreeSet<&str> {
    let (mut kinds, mut series) = (Vec::new(), BTreeSet::new());
    let mut helped = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(words.ends_with('.'), "{line}");
            helped = name;
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, helped);
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(kinds.iter().all(|(known, _)| *known != name), "{line}");
            kinds.push((name, kind));
        } else {
            let (one, number) = line.rsplit_once(' ').unwrap();
            assert!(number.parse::<f64>().is_ok(), "{line}");
            assert!(series.insert(one), "{line}");
            let (name, kind) = kinds.last().unwrap();
            let own = one.split('{').next().unwrap();
            let part = own.strip_prefix(name).unwrap();
            match *kind {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&part), "{line}"),
                _ => assert_eq!(part, "", "{line}"),
            }
        }
    }
    kinds.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_is_counted_is_told_as_prometheus_reads_it_and_in_the_manual() {
    let at = Folder::new();
    at.write("b.gaitbundle", &deployed(&policy(), Enforcement::Shadow));
    let daemon = Daemon::start(&at, &["--otlp-endpoint", "http://127.0.0.1:9"]);
    for intent in ["allow.json", "block.json", "block.json"] {
        daemon.decide(&request(&at, intent, ""));
    }
    let count = |verdict, enforcement| {
        let labels = format!("{{verdict=\"{verdict}\",enforcement=\"{enforcement}\"}}");
        daemon.metric(&format!("gait_decisions_total{labels}"))
    };
    assert_eq!((count("allow", "shadow"), count("block", "shadow")), (1, 2));
    assert_eq!((count("allow", "enforce"), count("block", "enforce")), (0, 0));
    let text = daemon.ask("GET", "/metrics", "").text();
    let manual = include_str!("../../docs/reference/serve.md");
    for name in named(&text) {
        assert!(
            manual.contains(&format!("`{name}")),
            "serve.md does not tell of {name}"
        );
    }
    assert!(!text.contains("gait_calls_waiting"), "nobody may answer");
}

#[test]
fn what_people_answer_is_counted() {
    let at = approve::folder();
    let daemon = Daemon::start(&at, &["--approvers", "gait-trust.json"]);
    let asked = request(&at, "pay.json", "");
    let count = |name: &str| daemon.metric(name);
    assert_eq!(count("gait_calls_waiting"), 0);
    daemon.decide(&asked);
    assert_eq!(count("gait_calls_waiting"), 1);
    approve::approve(&at, "pay.json", "ann", "a");
    let sent = daemon.ask("POST", "/v1/approvals", &String::from_utf8(at.read("a")).unwrap());
    assert_eq!(sent.status, 200, "{}", sent.text());
    assert_eq!(count("gait_answers_total{answer=\"approve\"}"), 1);
    assert_eq!(count("gait_answers_total{answer=\"deny\"}"), 0);
    assert_eq!(daemon.decide(&asked)["verdict"], "allow");
    assert_eq!(
        (
            count("gait_calls_approved_total"),
            count("gait_calls_denied_total")
        ),
        (1, 0)
    );
    assert_eq!(count("gait_calls_waiting"), 0);
    // A denial stops a call that would wait.
    daemon.decide(&request(&at, "more.json", ""));
    let trace = [
        "gate",
        "eval",
        "--bundle",
        "b.gaitbundle",
        "--intent",
        "more.json",
        "--keep-intent",
    ];
    at.json(
        &[&trace[..], &["--trace-out", "more.trace"]].concat(),
        4,
        "gate_eval",
    );
    let deny = [
        "deny",
        "more.trace",
        "--reason",
        "no",
        "--key",
        "ann.key",
        "--yes",
        "--out",
        "d",
    ];
    at.json(&deny, 0, "deny");
    let sent = daemon.ask("POST", "/v1/approvals", &String::from_utf8(at.read("d")).unwrap());
    assert_eq!(sent.status, 200, "{}", sent.text());
    assert_eq!(count("gait_answers_total{answer=\"deny\"}"), 1);
    daemon.decide(&request(&at, "more.json", ""));
    assert_eq!(count("gait_calls_denied_total"), 1);
}
