//! `regex_as_operator`: a regular expression that `starts_with`, `ends_with` or `contains` says more plainly.

use super::pattern::{self, Plain};
use super::{Context, Group, Lint};
use crate::diag::codes::REGEX_AS_OPERATOR;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::{ExprKind, Op};
use crate::syntax::quote;

/// The lint.
pub const LINT: Lint = Lint {
    name: "regex_as_operator",
    code: REGEX_AS_OPERATOR,
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
        let ExprKind::String(expression) = &comparison.right.kind else {
            continue;
        };
        let (op, text) = match pattern::plain(expression) {
            Some(Plain::Starts(text)) => (Op::StartsWith, text),
            Some(Plain::Ends(text)) => (Op::EndsWith, text),
            Some(Plain::Contains(text)) => (Op::Contains, text),
            Some(Plain::Equal(_)) | None => continue,
        };
        let plain = format!("{} {}", op.as_str(), quote::string(&text));
        let written = comparison.op.span.to(comparison.right.span);
        let message = format!("`{}` is `{plain}`", context.text(written));
        out.push(
            LINT.finding(written, message)
                .help(format!("write `{plain}`"))
                .edit(written, plain),
        );
    }
}
