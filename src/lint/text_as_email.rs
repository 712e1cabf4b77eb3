//! `text_as_email`: the end of a mail address looked for in a text, which lists of addresses have too.

use super::{Context, Group, Lint, looks};
use crate::diag::codes::TEXT_AS_EMAIL;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "text_as_email",
    code: TEXT_AS_EMAIL,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let op = comparison.op.node;
        let part = matches!(op, Op::EndsWith | Op::Contains | Op::Like);
        if !part || !comparison.is_of_text() {
            continue;
        }
        let mut texts = comparison.texts().into_iter();
        let Some((text, _)) = texts.find(|(text, _)| looks::is_address(text)) else {
            continue;
        };
        let domain = text.split_once('@').map_or("", |(_, domain)| domain);
        let other = match op {
            Op::Contains => format!("ann@{domain}.evil.example"),
            _ => format!("eve@evil.example, ann@{domain}"),
        };
        let left = context.text(comparison.left.span);
        let message = format!("`{left} {} \"{text}\"` also holds for `{other}`", op.as_str());
        let report = LINT
            .finding(comparison.expr.span, message)
            .label("compares text, not addresses")
            .why("a part of a text says nothing about who receives the mail");
        out.push(report.help(format!(
            "declare `{left}` as `Email`, and compare its `.domain` with `\"{domain}\"`"
        )));
    }
}
