//! `regex_dot`: a dot between the labels of a domain that stands for any character.

use super::{Context, Group, Lint, looks, pattern};
use crate::diag::codes::REGEX_DOT;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "regex_dot",
    code: REGEX_DOT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context
        .comparisons()
        .into_iter()
        .filter(|c| c.op.node == Op::Matches)
    {
        for (expression, span) in comparison.texts() {
            let dots = pattern::dots_of_domains(expression, looks::is_ending);
            let Some((at, label, ending)) = dots.into_iter().next() else {
                continue;
            };
            let message = format!(
                "the dot of `{label}.{ending}` stands for any character: `{label}x{ending}` matches too"
            );
            let report = LINT.finding(span, message).label("a regular expression");
            let help = format!(
                "write `{label}\\.{ending}` in a raw string, `r\"…\"`, or compare a `Host` with `under`"
            );
            let report = report.help(help);
            let literal = context.text(span);
            let raw = literal.strip_prefix("r\"").and_then(|t| t.strip_suffix('"'));
            out.push(match raw {
                Some(inner) if inner == expression => {
                    let start = span.start.saturating_add(2);
                    let dot = Span::new(span.file, start as usize + at, start as usize + at + 1);
                    report.suggest(dot, r"\.")
                }
                _ => report,
            });
        }
    }
}
