//! `regex_literal`: a regular expression without anything but letters, where a part of the text was meant.

use super::pattern::{self, Plain};
use super::{Context, Group, Lint};
use crate::diag::codes::REGEX_LITERAL;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::{ExprKind, Op};
use crate::syntax::quote;

/// The lint.
pub const LINT: Lint = Lint {
    name: "regex_literal",
    code: REGEX_LITERAL,
    group: Group::Correctness,
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
        let Some(Plain::Equal(texts)) = pattern::plain(expression) else {
            continue;
        };
        let quoted: Vec<String> = texts.iter().map(|text| quote::string(text)).collect();
        let plain = match quoted.as_slice() {
            [one] => format!("== {one}"),
            several => format!("in {{ {} }}", several.join(", ")),
        };
        let written = comparison.op.span.to(comparison.right.span);
        let message = format!(
            "`{}` holds for this text only, not for texts that contain it",
            context.text(written)
        );
        let report = LINT
            .finding(written, message)
            .label(format!("this is `{plain}`"))
            .why("`matches` asks about the whole text");
        out.push(report.help(format!(
            "write `{plain}` if the whole text is meant, `contains` if a part of it is"
        )));
    }
}
