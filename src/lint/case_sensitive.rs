//! `case_sensitive`: a word that a stricter rule looks for in one spelling only.

use super::context::Comparison;
use super::walk::Polarity;
use super::{Context, Group, Lint};
use crate::diag::codes::CASE_SENSITIVE;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::syntax::ast::{ExprKind, Op};

/// The lint.
pub const LINT: Lint = Lint {
    name: "case_sensitive",
    code: CASE_SENSITIVE,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules().filter(|(_, r)| r.verdict > Verdict::Allow) {
        for comparison in context.comparisons_of(written) {
            let contains = comparison.op.node == Op::Contains && comparison.polarity == Polarity::Holds;
            if !contains || !comparison.is_of_text() {
                continue;
            }
            let texts = comparison.texts();
            let Some((word, _)) = texts.iter().find(|(text, _)| is_words(text)) else {
                continue;
            };
            let words: Vec<String> = texts.iter().map(|(text, _)| regex_syntax::escape(text)).collect();
            let pattern = match words.as_slice() {
                [one] => one.clone(),
                several => format!("(?:{})", several.join("|")),
            };
            let written = comparison.op.span.to(comparison.right.span);
            let swapped: String = word
                .chars()
                .map(|c| {
                    if c.is_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect();
            let message = format!("`contains \"{word}\"` does not hold for `{swapped}`");
            let report = LINT
                .finding(written, message)
                .label("one spelling only")
                .why("whoever wants past the rule writes the word in another case");
            let plain = format!("matches r\"(?is).*{pattern}.*\"");
            let whole = words.len() == texts.len() && !pattern.contains('"') && is_literal(&comparison);
            let report = report.help(format!("write `{plain}`"));
            out.push(if whole {
                report.suggest(written, plain)
            } else {
                report
            });
        }
    }
}

/// Whether the right side is written out, so that nothing is lost when it is replaced.
fn is_literal(comparison: &Comparison<'_, '_>) -> bool {
    match &comparison.right.kind {
        ExprKind::Set(members) => members.len() == comparison.texts().len(),
        kind => matches!(kind, ExprKind::String(_)),
    }
}

/// Letters, with blanks between: a word or phrase, not a name or a path.
fn is_words(text: &str) -> bool {
    text.len() >= 3 && text.chars().all(|c| c.is_ascii_alphabetic() || c == ' ')
}
