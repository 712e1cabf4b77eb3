//! Public test vectors: canonical JSON, JSON parsing, Ed25519, ZIP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use base64::Engine as _;
use gait::artifact::{VerifyingKey, archive, jcs};
use gait::json::{self, JsonErrorKind};

use crate::corpora;

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        path.is_file().then(|| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
    };
    let mut list: Vec<_> = std::fs::read_dir(dir).unwrap().filter_map(read).collect();
    list.sort();
    list
}

#[test]
fn canonical_json_is_that_of_the_published_vectors() {
    let Some(dir) = corpora::dir() else { return };
    let mut refused = Vec::new();
    let mut equal = 0;
    for project in ["cyberphone", "gowebpki"] {
        let data = dir.join("vectors/rfc8785-jcs").join(project).join("testdata");
        for (name, input) in files(&data.join("input")) {
            let expected = std::fs::read(data.join("output").join(&name)).unwrap();
            match json::parse(&input) {
                Ok(json) => {
                    assert_eq!(jcs::to_vec(&json), expected.trim_ascii_end(), "{project}/{name}");
                    equal += 1;
                }
                Err(error) => refused.push((project, name, error.kind)),
            }
        }
    }
    // 333333333.33333329 has no double of exactly that value.
    let values = |project| (project, "values.json".to_owned(), JsonErrorKind::Number);
    assert_eq!(refused, [values("cyberphone"), values("gowebpki")]);
    assert_eq!(equal, 14);
}

#[test]
fn json_parsing_suite_is_decided_as_it_says() {
    let Some(dir) = corpora::dir() else { return };
    let list = files(&dir.join("vectors/json-parsing-nst/test_parsing"));
    assert_eq!(list.len(), 318);
    let mut wrong = Vec::new();
    for (name, bytes) in list {
        let result = json::parse(&bytes).map_err(|error| error.kind);
        let right = match name.split('_').next() {
            Some("y") if name.contains("duplicated_key") => result == Err(JsonErrorKind::DuplicateKey),
            Some("y") => result.is_ok(),
            Some("n") => result.is_err(),
            _ => true,
        };
        if !right {
            wrong.push(format!("{name}: {result:?}"));
        }
        if let Ok(json) = result {
            let text = jcs::to_vec(&json);
            assert_eq!(
                json::parse(&text).map(|json| jcs::to_vec(&json)),
                Ok(text),
                "{name}"
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn hex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(pair).collect()
}

#[test]
fn wycheproof_signatures_are_decided_as_it_says() {
    let Some(dir) = corpora::dir() else { return };
    let text = std::fs::read(dir.join("vectors/ed25519-wycheproof/ed25519_test.json")).unwrap();
    let suite: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let mut count = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        let key: [u8; 32] = hex(group["publicKey"]["pk"].as_str().unwrap())
            .try_into()
            .unwrap();
        let key = VerifyingKey::from_bytes(&key).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let part = |name: &str| hex(test[name].as_str().unwrap());
            assert_eq!(
                key.verify(&part("msg"), &part("sig")),
                test["result"] == "valid",
                "{test}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 151);
}

#[test]
fn foreign_archives_are_refused_without_a_panic() {
    let Some(dir) = corpora::dir() else { return };
    let mut count = 0;
    for folder in ["async-zip", "zip2", "zip2/folder", "zip2/legacy"] {
        for (name, bytes) in files(&dir.join("vectors/zip").join(folder)) {
            match archive::read(&bytes) {
                Ok(entries) => assert_eq!(archive::write(entries).unwrap(), bytes, "{name}"),
                Err(error) => assert!(error.code().starts_with("verify.archive_"), "{name}"),
            }
            count += 1;
        }
    }
    assert!(count > 40, "{count} archives");
}

#[test]
fn standard_base64_takes_one_text_per_value() {
    let engine = base64::engine::general_purpose::STANDARD;
    for bad in ["QQ", "QQ=", "QR==", "QQ==\n", "Q Q=", "QQ==QQ==", "-_-_"] {
        assert!(engine.decode(bad).is_err(), "{bad}");
    }
}
