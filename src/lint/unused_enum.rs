//! `unused_enum`: an enum that nothing has the type of.

use super::uses::Uses;
use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_ENUM;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_enum",
    code: UNUSED_ENUM,
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
        let Item::Enum(declared) = item else { continue };
        let name = &declared.name;
        if !uses.types.contains(name.text.as_str()) {
            let message = format!("enum `{}` is used nowhere", name.text);
            out.push(
                LINT.finding(name.span, message)
                    .help("use it as a type, or remove it"),
            );
        }
    }
}
