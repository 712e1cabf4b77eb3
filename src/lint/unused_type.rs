//! `unused_type`: a type that nothing has.

use super::{Context, Group, Lint, uses};
use crate::diag::codes::UNUSED_TYPE;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_type",
    code: UNUSED_TYPE,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let declared = |item: &Item| match item {
        Item::Type(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.types);
    out.extend(found.into_iter().map(|name| {
        let message = format!("type `{}` is used nowhere", name.text);
        LINT.finding(name.span, message).help("use it, or remove it")
    }));
}
