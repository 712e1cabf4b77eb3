//! `unused_enum`: an enum that nothing has the type of.

use super::{Context, Group, Lint, uses};
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
    let declared = |item: &Item| match item {
        Item::Enum(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.types);
    out.extend(found.into_iter().map(|name| {
        let message = format!("enum `{}` is used nowhere", name.text);
        LINT.finding(name.span, message)
            .help("use it as a type, or remove it")
    }));
}
