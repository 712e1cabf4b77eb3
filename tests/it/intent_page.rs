//! The page about the intent: its intents are decided under its policy by `gait gate eval`, and every member that an intent may
//! have at its top and in its context is named.

use crate::folder::{Folder, shown};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/reference/intent.md")).unwrap()
}

/// The fenced blocks of a page: what they are of, and their text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut parts = page.split("\n```");
    parts.next();
    let texts = parts.step_by(2).map(|part| {
        let (info, text) = part.split_once('\n').unwrap();
        (info.to_owned(), text.to_owned())
    });
    texts.collect()
}

#[test]
fn its_intents_are_decided_as_it_says() {
    let page = page();
    let blocks = blocks(&page);
    let folder = Folder::new();
    let policy = blocks.iter().find(|(info, _)| info == "gaitpol").unwrap();
    folder.write("p.gaitpol", policy.1.as_bytes());
    let compiled = folder.run(&["policy", "compile", "p.gaitpol", "--out", "p.gaitbundle"]);
    assert_eq!(compiled.status.code(), Some(0), "{}", shown(&compiled));
    let is_facts = |block: &&(String, String)| block.0 == "json" && !block.1.contains("schema_id");
    let facts = blocks.iter().find(is_facts).unwrap();
    folder.write("facts.json", facts.1.as_bytes());
    let mut decided = 0;
    for pair in blocks.windows(2) {
        let [(_, intent), (kind, expected)] = pair else {
            unreachable!()
        };
        if kind != "text" {
            continue;
        }
        folder.write("i.json", intent.as_bytes());
        let eval = ["gate", "eval", "--bundle", "p.gaitbundle", "--intent", "i.json"];
        let output = folder.run(&[&eval[..], &["--facts", "facts.json"]].concat());
        assert_eq!(shown(&output).lines().next(), Some(expected.trim()), "{intent}");
        decided += 1;
    }
    assert_eq!(decided, 3);
}

#[test]
fn it_names_every_member() {
    let page = page();
    let path = root().join("schemas/v1/gate/intent_request.schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let table = page.split("## What each member is").nth(1).unwrap();
    let whole = page.split("## With everything").nth(1).unwrap();
    for of in [&schema["properties"], &schema["$defs"]["context"]["properties"]] {
        for name in of.as_object().unwrap().keys().filter(|name| *name != "context") {
            assert!(table.contains(&format!("`{name}`")), "{name} is not in the table");
            assert!(whole.contains(&format!("\"{name}\"")), "{name} is in no intent");
        }
    }
}
