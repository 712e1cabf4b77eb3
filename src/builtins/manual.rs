//! The manual's pages of built-in types, made from their documentation as data. In: a `Doc`. Out: Markdown. The whole
//! page is `docs/reference/types.md`, which a test keeps up to date; `gait explain` prints single entries.

use super::{ALL, Doc};
use crate::syntax::hidden::is_hidden;

const HEAD: &str = "# Built-in types

Made from `src/builtins/`; `GAIT_BLESS=1 cargo test --test it generated` rewrites it. `gait explain Email` prints one
entry. What a type refuses is `block` with the code `gait.arg_unparsable` for text that is no such value and
`gait.input_invalid` for everything else; nothing is repaired or rounded. Literals of a policy go through the same
rules. An input that is text stands without its quotes.
";

/// The whole page.
pub fn page() -> String {
    let entries: Vec<String> = ALL.iter().map(|doc| format!("\n#{}", entry(doc))).collect();
    format!("{HEAD}{}", entries.concat())
}

/// The word `gait explain` knows a type by: the name without parameters, or what it is called.
pub fn key(doc: &Doc) -> &'static str {
    match doc.name {
        "T?" => "optional",
        name if name.starts_with('{') => "record",
        name => name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or(name),
    }
}

/// The entry of the type that is called so; letters of either case.
pub fn find(word: &str) -> Option<&'static Doc> {
    ALL.iter()
        .copied()
        .find(|doc| doc.name == word || key(doc).eq_ignore_ascii_case(word))
}

/// One entry, as a page of its own.
pub fn entry(doc: &Doc) -> String {
    let mut out = format!("# `{}`\n\n{}.\n\n", doc.name, doc.summary);
    out.push_str(&format!(
        "- JSON: {}\n- Canonical form: {}\n",
        doc.json, doc.canonical
    ));
    out.push_str(&format!(
        "- Operators: {}\n",
        listed(doc.operators.iter().copied())
    ));
    if !doc.parts.is_empty() {
        let parts: Vec<String> = doc
            .parts
            .iter()
            .map(|(name, ty)| format!("`.{name}` (`{ty}`)"))
            .collect();
        out.push_str(&format!("- Parts: {}\n", parts.join(", ")));
    }
    out.push_str("\nRules:\n\n");
    for rule in doc.rules {
        out.push_str(&format!("- {rule}\n"));
    }
    out.push_str(&format!(
        "\n| as `{}` | canonical form |\n|---|---|\n",
        doc.example_type
    ));
    for (input, result) in doc.examples {
        let result = match result {
            Ok(canonical) => cell(canonical),
            Err(reason) => format!("refused: {}", reason.replace('|', "\\|")),
        };
        out.push_str(&format!("| {} | {result} |\n", cell(input)));
    }
    out
}

/// An operator or a word about use; only operators are code.
fn listed(operators: impl Iterator<Item = &'static str>) -> String {
    let one = |o: &str| {
        if o == "alone" {
            "alone, as a condition".to_owned()
        } else {
            format!("`{o}`")
        }
    };
    operators.map(one).collect::<Vec<_>>().join(", ")
}

/// Text as code in a table cell: what cannot be seen is escaped, and a bar does not end the cell.
fn cell(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() || is_hidden(c) => shown.extend(c.escape_unicode()),
            '|' => shown.push_str("\\|"),
            c => shown.push(c),
        }
    }
    if shown.is_empty() {
        return "(empty)".to_owned();
    }
    // A long example is for the tests; the manual needs its start.
    let long: String = shown.chars().take(60).collect();
    let more = if long.len() < shown.len() { "…" } else { "" };
    let ticks = if shown.contains('`') { "``" } else { "`" };
    let space = if ticks.len() > 1 || shown.starts_with(' ') {
        " "
    } else {
        ""
    };
    format!("{ticks}{space}{long}{more}{space}{ticks}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_word() {
        for doc in ALL {
            assert_eq!(find(key(doc)).unwrap().name, doc.name);
            assert_eq!(find(doc.name).unwrap().name, doc.name);
        }
        assert_eq!(find("money").unwrap().name, "Money[CUR, n]");
        assert!(find("Emial").is_none());
    }

    #[test]
    fn cells_hide_nothing_and_end_where_they_should() {
        assert_eq!(cell("a|b\u{202e}"), "`a\\|b\\u{202e}`");
        assert_eq!(cell(""), "(empty)");
        assert_eq!(cell("a`b"), "`` a`b ``");
    }
}
