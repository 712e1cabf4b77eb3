//! `unused_group`: a group that no rule is about.

use super::{Context, Group, Lint, uses};
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
    let declared = |item: &Item| match item {
        Item::Group(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.selected);
    out.extend(found.into_iter().map(|name| {
        let message = format!("group `{}` is used nowhere", name.text);
        LINT.finding(name.span, message)
            .help("name it after `on`, or remove it")
    }));
}
