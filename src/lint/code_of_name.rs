//! `code_of_name`: a reason code that is the name of its rule, which it has anyway.

use super::{Context, Group, Lint};
use crate::diag::codes::CODE_OF_NAME;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;

/// The lint.
pub const LINT: Lint = Lint {
    name: "code_of_name",
    code: CODE_OF_NAME,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules() {
        let Some(code) = written
            .code
            .as_ref()
            .filter(|code| code.text == written.name.text)
        else {
            continue;
        };
        // A code that rules share is better written in each of them.
        let rules = context.package.rules.iter().filter(|rule| rule.code == code.text);
        if rules.count() > 1 {
            continue;
        }
        let message = format!("rule `{}` has its name as code without saying so", code.text);
        let before = context
            .source
            .text
            .get(..code.span.start as usize)
            .unwrap_or_default();
        let start = before
            .trim_end()
            .strip_suffix("code")
            .map(|head| head.trim_end().len());
        let report = LINT.finding(code.span, message).help("leave the code out");
        out.push(match start {
            Some(start) => report.edit(Span::new(code.span.file, start, code.span.end as usize), ""),
            None => report,
        });
    }
}
