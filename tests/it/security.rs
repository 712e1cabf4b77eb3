//! The table of attacks in `docs/security.md`: every test it names is there, and every tampered fixture has its row.

use std::path::Path;

const PAGE: &str = include_str!("../../docs/security.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The third column of every row.
fn named() -> Vec<&'static str> {
    let rows = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line.ends_with("` |"));
    rows.map(|row| row.rsplit('`').nth(1).unwrap()).collect()
}

#[test]
fn every_attack_names_a_test_that_is_there() {
    let named = named();
    assert!(named.len() >= 120, "{}", named.len());
    for name in &named {
        if name.starts_with("fixtures/") {
            assert!(root().join(name).is_file(), "{name}");
            continue;
        }
        let (module, test) = name.split_once("::").unwrap();
        let text = std::fs::read_to_string(root().join(format!("tests/it/{module}.rs"))).unwrap();
        assert!(text.contains(&format!("fn {test}(")), "{name}");
    }
    for entry in std::fs::read_dir(root().join("fixtures/artifacts/tampered")).unwrap() {
        let path = format!(
            "fixtures/artifacts/tampered/{}",
            entry.unwrap().file_name().into_string().unwrap()
        );
        assert!(named.contains(&path.as_str()), "{path} has no row");
    }
}
