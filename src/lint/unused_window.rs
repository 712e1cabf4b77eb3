//! `unused_window`: a window that no condition names.

use super::uses::Uses;
use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_WINDOW;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_window",
    code: UNUSED_WINDOW,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    if !context.is_policy {
        return;
    }
    let uses = Uses::of(context.module);
    for item in &context.module.items {
        let Item::Window(declared) = item else { continue };
        let name = &declared.name;
        if !uses.values.contains(name.text.as_str()) {
            let message = format!("window `{}` is used nowhere", name.text);
            out.push(
                LINT.finding(name.span, message)
                    .help("use it with `now in`, or remove it"),
            );
        }
    }
}
