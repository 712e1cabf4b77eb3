//! Parser diagnostics as a table, and properties of the parser, formatter and highlighter on arbitrary text.

use gait::source::{FileId, Source};
use gait::syntax::parse;

fn source(text: &str) -> Source {
    Source::new(FileId(0), "t.gaitpol", text)
}

#[test]
fn reference_example_parses() {
    let text = include_str!("../../docs/reference/language.md");
    let text = text
        .split("```gaitpol\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let parsed = parse(&source(text));
    assert_eq!(parsed.diagnostics, vec![]);
    assert_eq!(parsed.module.items.len(), 12);
}

#[test]
fn zz_show() {
    for text in std::env::var("SHOW").unwrap_or_default().split("@@") {
        for d in parse(&source(text)).diagnostics {
            println!(
                "{text:?}\n   {} {:?} {} | {:?} | {:?} {:?}",
                d.code,
                source(text).slice(d.primary.span),
                d.message,
                d.help,
                d.edit.map(|e| e.replacement),
                d.secondary.iter().map(|l| &l.text).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn zz_format() {
    let file = std::env::var("FMT").unwrap_or_default();
    if let Ok(text) = std::fs::read_to_string(file) {
        match gait::syntax::format(&source(&text)) {
            Ok(t) => println!("{t}"),
            Err(e) => println!("{e:#?}"),
        }
    }
}
