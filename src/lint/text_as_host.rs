//! `text_as_host`: the end or a part of a host name looked for in a text, which other hosts hold too.

use super::{Context, Group, Lint, looks};
use crate::diag::codes::TEXT_AS_HOST;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "text_as_host",
    code: TEXT_AS_HOST,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let op = comparison.op.node;
        let part = matches!(op, Op::StartsWith | Op::EndsWith | Op::Contains | Op::Like);
        if !part || !comparison.is_of_text() {
            continue;
        }
        let mut texts = comparison.texts().into_iter();
        let Some((text, _)) = texts.find(|(text, _)| looks::is_domain(text.trim_end_matches('*'))) else {
            continue;
        };
        let domain = text.trim_matches('*').trim_matches('.');
        let other = match op {
            Op::EndsWith if !text.starts_with('.') => format!("evil{domain}"),
            Op::Like if text.starts_with('*') && !text.starts_with("*.") => format!("evil{domain}"),
            Op::EndsWith => format!("evil.example/x.{domain}"),
            Op::Like if text.starts_with("*.") => format!("evil.example/x.{domain}"),
            _ => format!("{domain}.evil.example"),
        };
        let left = context.text(comparison.left.span);
        let message = format!("`{left} {} \"{text}\"` also holds for `{other}`", op.as_str());
        let report = LINT
            .finding(comparison.expr.span, message)
            .label("compares text, not hosts")
            .why("a part of a text says nothing about which host a name belongs to");
        out.push(report.help(format!(
            "declare `{left}` as `Host` or `Url`, and write `under \"{domain}\"` about the host"
        )));
    }
}
