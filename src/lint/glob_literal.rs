//! `glob_literal`: `like` with a pattern that has no wildcard.

use super::{Context, Group, Lint};
use crate::diag::codes::GLOB_LITERAL;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::{ExprKind, Op};

/// The lint.
pub const LINT: Lint = Lint {
    name: "glob_literal",
    code: GLOB_LITERAL,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context
        .comparisons()
        .into_iter()
        .filter(|c| c.op.node == Op::Like)
    {
        let ExprKind::String(pattern) = &comparison.right.kind else {
            continue;
        };
        // `?` is in `(?i)`, too: no `==` compares in any case.
        if pattern.contains(['*', '?', '\\']) {
            continue;
        }
        let literal = context.text(comparison.right.span);
        let written = comparison.op.span.to(comparison.right.span);
        let plain = format!("== {literal}");
        let message = format!("`like {literal}` has no wildcard: it is `{plain}`");
        out.push(
            LINT.finding(written, message)
                .why("whoever reads `like` looks for what else it may match")
                .help(format!("write `{plain}`, or add the wildcard that is missing"))
                .edit(written, plain),
        );
    }
}
