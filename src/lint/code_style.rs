//! `code_style`: a reason code that is not in `snake_case`.

use super::{Context, Group, Lint};
use crate::diag::codes::CODE_STYLE;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "code_style",
    code: CODE_STYLE,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules() {
        let code = written.code.as_ref().unwrap_or(&written.name);
        if !is_snake(&code.text) {
            let message = format!("code `{}` is not in snake_case", code.text);
            out.push(
                LINT.finding(code.span, message)
                    .why("programs compare codes byte by byte, and one style keeps them from guessing")
                    .help("use small letters, digits and `_`, with dots between parts"),
            );
        }
    }
}

fn is_snake(code: &str) -> bool {
    code.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}
