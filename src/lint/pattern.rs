//! What a regular expression says that an operator says more plainly. In: an expression of a policy. Out: the operator
//! and its constants, or nothing.

use crate::builtins::regex;
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{Dot, Hir, HirKind, Literal};

/// What an expression asks of the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// It is one of these.
    Equal(Vec<String>),
    /// It starts so.
    Starts(String),
    /// It ends so.
    Ends(String),
    /// This is in it.
    Contains(String),
}

/// The plain form of an expression; `None` where no operator says the same.
pub(super) fn plain(expression: &str) -> Option<Plain> {
    let hir = regex::parse(expression)?;
    if let Some(texts) = texts(&hir) {
        return Some(Plain::Equal(texts));
    }
    let HirKind::Concat(parts) = hir.kind() else {
        return None;
    };
    match parts.as_slice() {
        [any, end] if is_any(any) => Some(Plain::Ends(text(end)?)),
        [start, any] if is_any(any) => Some(Plain::Starts(text(start)?)),
        [any, middle, rest] if is_any(any) && is_any(rest) => Some(Plain::Contains(text(middle)?)),
        _ => None,
    }
}

fn text(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(Literal(bytes)) => String::from_utf8(bytes.to_vec()).ok(),
        HirKind::Capture(group) => text(&group.sub),
        _ => None,
    }
}

/// The texts of an alternation of literals. The parser takes what alternatives have in common out of them.
fn texts(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Alternation(parts) => parts.iter().map(text).collect(),
        _ => Some(vec![text(hir)?]),
    }
}

/// `.*`
fn is_any(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repeat) => {
            repeat.min == 0 && repeat.max.is_none() && *repeat.sub == Hir::dot(Dot::AnyChar)
        }
        HirKind::Capture(group) => is_any(&group.sub),
        _ => false,
    }
}

/// Where in an expression dots stand that mean any character between the labels of a domain: byte offsets, with the
/// labels before and after.
pub(super) fn dots_of_domains(
    expression: &str,
    is_ending: impl Fn(&str) -> bool,
) -> Vec<(usize, String, String)> {
    let Ok(parsed) = ast::parse::Parser::new().parse(expression) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open = vec![&parsed];
    while let Some(ast) = open.pop() {
        match ast {
            Ast::Concat(concat) => {
                found.extend(in_sequence(&concat.asts, &is_ending));
                open.extend(&concat.asts);
            }
            Ast::Alternation(alternation) => open.extend(&alternation.asts),
            Ast::Group(group) => open.push(&group.ast),
            Ast::Repetition(repetition) => open.push(&repetition.ast),
            _ => {}
        }
    }
    found.sort();
    found
}

fn in_sequence(asts: &[Ast], is_ending: &impl Fn(&str) -> bool) -> Vec<(usize, String, String)> {
    let letter = |ast: &Ast| match ast {
        Ast::Literal(literal) if literal.c.is_ascii_alphanumeric() || literal.c == '-' => Some(literal.c),
        _ => None,
    };
    let mut found = Vec::new();
    for (at, ast) in asts.iter().enumerate() {
        let Ast::Dot(span) = ast else { continue };
        let before = asts.get(..at).unwrap_or_default();
        let mut label: Vec<char> = before.iter().rev().map_while(letter).collect();
        label.reverse();
        let after = asts.get(at + 1..).unwrap_or_default();
        let ending: String = after.iter().map_while(letter).collect();
        // `com.` may go on: the next dot is looked at by itself.
        if label.len() > 1 && is_ending(&ending) {
            found.push((span.start.offset, label.into_iter().collect(), ending));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_told_from_patterns() {
        let s = str::to_owned;
        for (expression, expected) in [
            ("abc", Some(Plain::Equal(vec![s("abc")]))),
            (r"a\.b", Some(Plain::Equal(vec![s("a.b")]))),
            ("abc|xyz", Some(Plain::Equal(vec![s("abc"), s("xyz")]))),
            ("abc.*", Some(Plain::Starts(s("abc")))),
            ("(abc)(.*)", Some(Plain::Starts(s("abc")))),
            (".*abc", Some(Plain::Ends(s("abc")))),
            (".*abc.*", Some(Plain::Contains(s("abc")))),
            ("(?i)abc.*", None),
            ("abc.+", None),
            ("(?-s)abc.*", None),
            ("^abc.*", None),
            ("a.c", None),
            ("[a-z]+", None),
            (".*", None),
        ] {
            assert_eq!(plain(expression), expected, "{expression}");
        }
    }

    #[test]
    fn dots_between_labels_are_found() {
        let found = |text| dots_of_domains(text, |end| end == "com");
        assert_eq!(
            found(r"https://acme.com/.*"),
            [(12, "acme".to_owned(), "com".to_owned())]
        );
        assert_eq!(
            found(r"(?:.*\.)?acme.com"),
            [(13, "acme".to_owned(), "com".to_owned())]
        );
        for none in [r"acme\.com", "acme.*com", "a.command", "x.com", "acme[.]com"] {
            assert_eq!(found(none), [], "{none}");
        }
    }
}
