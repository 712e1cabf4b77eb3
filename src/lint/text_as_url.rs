//! `text_as_url`: the start of a URL looked for in a text, which URLs of other hosts have too.

use super::{Context, Group, Lint, looks};
use crate::diag::codes::TEXT_AS_URL;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "text_as_url",
    code: TEXT_AS_URL,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let op = comparison.op.node;
        if !matches!(op, Op::StartsWith | Op::Like) || !comparison.is_of_text() {
            continue;
        }
        let hosts = comparison
            .texts()
            .into_iter()
            .find_map(|(text, _)| Some((text, looks::url_host(text)?)));
        let Some((text, host)) = hosts else { continue };
        let left = context.text(comparison.left.span);
        let written = format!("`{left} {} \"{text}\"`", op.as_str());
        let host = host.trim_end_matches(':');
        let ends = text.split_once("://").is_none_or(|(_, rest)| rest.contains('/'));
        let message = if host.is_empty() || (op == Op::Like && host.starts_with('*')) {
            format!("{written} compares text, not URLs")
        } else if ends {
            format!("{written} holds for texts that are read as other URLs")
        } else {
            format!(
                "{written} also holds for `{}@evil.example`",
                text.trim_end_matches('*')
            )
        };
        let report = LINT
            .finding(comparison.expr.span, message)
            .label("compares text, not URLs")
            .why("upper case, `..`, `@`, backslashes and escapes make one URL of many texts and many of one");
        out.push(report.help(format!(
            "declare `{left}` as `Url`, and ask about `.host`, `.path` and `.scheme`"
        )));
    }
}
