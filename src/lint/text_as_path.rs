//! `text_as_path`: the start of a path looked for in a text, which paths elsewhere have too.

use super::{Context, Group, Lint, looks};
use crate::diag::codes::TEXT_AS_PATH;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "text_as_path",
    code: TEXT_AS_PATH,
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
        let mut texts = comparison.texts().into_iter();
        let folder = |text: &str| looks::is_folder(text.trim_end_matches('*'));
        let Some((text, _)) = texts.find(|(text, _)| folder(text)) else {
            continue;
        };
        let prefix = text.trim_end_matches('*');
        let other = if prefix.ends_with('/') {
            format!("{prefix}../../etc/passwd")
        } else {
            format!("{prefix}-other/file")
        };
        let left = context.text(comparison.left.span);
        let message = format!("`{left} {} \"{text}\"` also holds for `{other}`", op.as_str());
        let report = LINT
            .finding(comparison.expr.span, message)
            .label("compares text, not paths")
            .why("`..`, `//` and a longer name lead out of a folder that a text starts with");
        out.push(report.help(format!(
            "declare `{left}` as `Path`, and write `under \"{}\"`",
            prefix.trim_end_matches('/')
        )));
    }
}
