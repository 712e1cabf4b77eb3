//! `redundant_anchor`: `^` or `$` around a regular expression that is about the whole text anyway.

use super::{Context, Group, Lint};
use crate::diag::codes::REDUNDANT_ANCHOR;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "redundant_anchor",
    code: REDUNDANT_ANCHOR,
    group: Group::Style,
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
            let start = expression.starts_with('^');
            let before = expression.strip_suffix('$').unwrap_or_default();
            let slashes = before.chars().rev().take_while(|c| *c == '\\').count();
            let end = expression.ends_with('$') && slashes % 2 == 0;
            if !start && !end {
                continue;
            }
            let marks = match (start, end) {
                (true, true) => "`^` and `$` say",
                (true, false) => "`^` says",
                _ => "`$` says",
            };
            let message = format!("{marks} nothing here: `matches` is about the whole text");
            let literal = context.text(span);
            let (open, inner) = literal
                .split_at_checked(literal.find('"').map_or(0, |n| n + 1))
                .unwrap_or_default();
            let inner = inner.strip_suffix('"').unwrap_or(inner);
            let inner = if start {
                inner.strip_prefix('^').unwrap_or(inner)
            } else {
                inner
            };
            let inner = if end {
                inner.strip_suffix('$').unwrap_or(inner)
            } else {
                inner
            };
            let plain = format!("{open}{inner}\"");
            out.push(
                LINT.finding(span, message)
                    .help(format!("write `{plain}`"))
                    .edit(span, plain),
            );
        }
    }
}
