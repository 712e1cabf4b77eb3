//! Conditions as they are written, read by their tokens alone: for what tells a condition back to people. In: source text
//! of one condition. Out: the same on one line, and whether its words ask for the opposite of its question.

use super::lexer::lex;
use super::token::Kind;
use crate::source::{FileId, Source};

/// Source text on one line: comments left out, every run of blanks one space.
pub fn one_line(text: &str) -> String {
    let source = Source::new(FileId(0), "", text);
    let mut out = String::new();
    let mut gap = false;
    for token in lex(&source) {
        match token.kind {
            Kind::Space | Kind::Comment => gap = !out.is_empty(),
            _ => {
                if std::mem::take(&mut gap) {
                    out.push(' ');
                }
                out.push_str(source.slice(token.span));
            }
        }
    }
    out
}

/// Whether a comparison as written asks for the opposite of its question: `!=` and `not in`. Only what stands outside
/// of brackets counts.
pub fn asks_opposite(text: &str) -> bool {
    let source = Source::new(FileId(0), "", text);
    let mut depth = 0usize;
    let mut after_not = false;
    for token in lex(&source) {
        let word = source.slice(token.span);
        match token.kind {
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth = depth.saturating_sub(1),
            kind if kind.is_trivia() || depth > 0 => continue,
            Kind::Ne => return true,
            Kind::Word if after_not && word == "in" => return true,
            _ => {}
        }
        after_not = token.kind == Kind::Word && word == "not";
    }
    false
}

/// Whether a condition is a quantifier over all elements, which is kept as one over the exceptions.
pub fn is_about_all(text: &str) -> bool {
    first_word(text) == Some("all")
}

/// Whether a condition is a quantifier.
pub fn is_quantifier(text: &str) -> bool {
    matches!(first_word(text), Some("any" | "all"))
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_fits_on_a_line() {
        assert_eq!(
            one_line("a  and\n\t// why not?\n  b(\"x  y\")"),
            "a and b(\"x  y\")"
        );
    }

    #[test]
    fn only_the_operator_asks_for_the_opposite() {
        for (text, opposite) in [
            ("args.a != 1", true),
            ("args.a not  in { 1 }", true),
            ("args.a == \"!=\"", false),
            ("count(x in args.l: x != 1) == 2", false),
            ("args.a in { \"not\", \"in\" }", false),
            ("args.\"not\" in x", false),
        ] {
            assert_eq!(asks_opposite(text), opposite, "{text}");
        }
    }
}
