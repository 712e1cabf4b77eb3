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
use gait::artifact::digest::sha256;
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

/// ECMAScript's text of a double (ECMA-262 Number::toString), from Rust's own digits: an oracle that shares no code
/// with the crate that `Number` uses. Rust's shortest form gives the count of digits; between two equally near ones
/// it rounds up, ECMAScript takes the even one, as does the form of fixed length.
fn es6(double: f64) -> String {
    let shortest = format!("{double:e}");
    let count = shortest
        .split('e')
        .next()
        .unwrap()
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    let text = format!("{double:.*e}", count - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap();
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let (count, point) = (digits.len() as i32, exponent.parse::<i32>().unwrap() + 1);
    let zeros = |n: i32| "0".repeat(n as usize);
    let body = if double == 0.0 {
        return "0".to_owned();
    } else if count <= point && point <= 21 {
        format!("{digits}{}", zeros(point - count))
    } else if 0 < point && point <= 21 {
        format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let rest = &digits[1..];
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{}{dot}{rest}e{:+}", &digits[..1], point - 1)
    };
    format!("{sign}{body}")
}

#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    let mut block = *sha256(b"numbers").as_bytes();
    let mut count = 0;
    while count < 100_000 {
        block = *sha256(&block).as_bytes();
        for bits in block.chunks_exact(8) {
            let random = u64::from_le_bytes(bits.try_into().unwrap());
            // Half of all bit patterns are far from 1; the second value has an exponent near it.
            for bits in [random, random & !(0x7ff << 52) | (1023 - 40 + random % 113) << 52] {
                let double = f64::from_bits(bits);
                if double.is_finite() {
                    let text = es6(double);
                    assert_eq!(text.parse(), Ok(double), "the oracle itself");
                    assert_eq!(
                        json::parse(text.as_bytes()).map(|json| jcs::to_vec(&json)),
                        Ok(text.into_bytes())
                    );
                    count += 1;
                }
            }
        }
    }
}
