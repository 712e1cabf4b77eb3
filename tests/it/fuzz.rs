//! Inputs that once failed under the fuzzer, and a seed of each kind, through the same checks as the fuzz targets.

use gait::artifact::{SigningKey, TrustedKeys, archive, bundle, jcs, runpack, trace};
use gait::domain::Intent;
use gait::source::{FileId, Source};
use gait::{compile, ir, syntax};

/// Every file of `fixtures/fuzz/<target>/`, by name.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = format!("{}/fixtures/fuzz/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no inputs in {dir}");
    files
        .into_iter()
        .map(|f| (f.display().to_string(), std::fs::read(&f).unwrap()))
        .collect()
}

#[test]
fn policies_are_answered_and_formatted_stably() {
    for (name, bytes) in inputs("policy") {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(checked) = compile::check("fuzz.gaitpol", &text).checked {
            let program = compile::lower(&checked);
            assert_eq!(ir::decode(&ir::encode(&program)).as_ref(), Ok(&program), "{name}");
        }
        if let Ok(once) = syntax::format(&Source::new(FileId(0), "fuzz.gaitpol", text)) {
            let again = syntax::format(&Source::new(FileId(0), "fuzz.gaitpol", once.clone()));
            assert_eq!(again.as_ref(), Ok(&once), "{name}");
        }
    }
}

#[test]
fn intents_are_read_or_refused() {
    for (name, bytes) in inputs("intent") {
        if let Ok(intent) = Intent::read(&bytes) {
            let canonical = jcs::to_vec(&intent.canonical());
            let again = Intent::read(&canonical).unwrap();
            assert_eq!(jcs::to_vec(&again.canonical()), canonical, "{name}");
        }
    }
}

#[test]
fn command_lines_are_read_the_same_way_twice() {
    for (name, bytes) in inputs("command") {
        let text = std::str::from_utf8(&bytes).unwrap();
        if let Ok(command) = gait::builtins::command::parse(text) {
            assert_eq!(&*command.text, text, "{name}");
            assert_eq!(gait::builtins::command::parse(text), Ok(command), "{name}");
        }
    }
}

#[test]
fn texts_of_sql_are_read_the_same_way_twice() {
    for (name, bytes) in inputs("sql") {
        let text = std::str::from_utf8(&bytes).unwrap();
        if let Ok(sql) = gait::builtins::sql::parse(text) {
            assert_eq!(&*sql.text, text, "{name}");
            assert_eq!(gait::builtins::sql::parse(text), Ok(sql), "{name}");
        }
    }
}

#[test]
fn artifacts_are_opened_or_refused() {
    let trusted = TrustedKeys::new([SigningKey::from_seed(&[7; 32]).verifying_key()]);
    let now = jiff::Timestamp::UNIX_EPOCH;
    for (name, bytes) in inputs("bundle").into_iter().chain(inputs("runpack")) {
        drop(bundle::open(&bytes, &trusted, now));
        drop(runpack::open(&bytes, &trusted, now));
        drop(trace::verify(&bytes, &trusted, now));
        if let Ok(program) = ir::decode(&bytes) {
            assert_eq!(ir::encode(&program), bytes, "{name}");
        }
        if let Ok(entries) = archive::read(&bytes) {
            assert_eq!(archive::write(entries).unwrap(), bytes, "{name}");
        }
    }
}
