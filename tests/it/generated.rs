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

#[test]
fn the_page_of_the_library_is_up_to_date() {
    let head = "<!-- Made from stdlib/ by the tests (GAIT_BLESS=1); edit the comments there. -->\n\n\
        # The library\n\n\
        Modules inside the program. `gait explain std.NAME` prints one; a bundle records the text of each that its policy uses,\n\
        and `gait.lock` its digest.\n";
    let pages = gait::compile::LIBRARY.iter().map(|module| {
        // One level below the title of the document.
        let page = gait::compile::page(module);
        let deeper = page.lines().map(|l| {
            if l.starts_with('#') {
                format!("#{l}")
            } else {
                l.to_owned()
            }
        });
        deeper.collect::<Vec<_>>().join("\n")
    });
    let pages: Vec<String> = pages.collect();
    check(
        "docs/reference/stdlib.md",
        &format!("{head}\n{}\n", pages.join("\n\n")),
    );
}
