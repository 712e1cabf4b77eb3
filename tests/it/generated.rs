//! Files made from tables in the code are up to date. `GAIT_BLESS=1` rewrites them.

use std::path::Path;

fn check(path: &str, want: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("GAIT_BLESS").is_some() {
        std::fs::write(&file, want).unwrap();
    }
    let have = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(have == want, "{path} is stale; run the tests with GAIT_BLESS=1");
}

#[test]
fn editor_grammar_is_up_to_date() {
    check(
        "grammar/gaitpol.tmLanguage.json",
        &gait::syntax::highlight::textmate(),
    );
}

#[test]
fn the_page_of_types_is_up_to_date() {
    check("docs/reference/types.md", &gait::builtins::manual::page());
}

#[test]
fn the_page_of_lints_is_up_to_date() {
    check("docs/reference/lints.md", &gait::lint::manual::page());
}
