//! `openapi.json` is what the daemon does: its schemas are those of `schemas/v1/daemon`, its routes answer, and what they answer is
//! among what it says.

use crate::daemon::Daemon;
use crate::folder::Folder;
use serde_json::Value;
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
