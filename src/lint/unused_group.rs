//! `unused_group`: a group that no rule is about.

use super::uses::Uses;
use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_GROUP;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_group",
    code: UNUSED_GROUP,
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
        let Item::Group(declared) = item else { continue };
        let name = &declared.name;
        if !uses.selected.contains(name.text.as_str()) {
            let message = format!("group `{}` is used nowhere", name.text);
            out.push(
                LINT.finding(name.span, message)
                    .help("name it after `on`, or remove it"),
            );
        }
    }
}
