//! `unused_set`: a set that no condition and no other set names.

use super::{Context, Group, Lint, uses};
use crate::diag::codes::UNUSED_SET;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_set",
    code: UNUSED_SET,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let declared = |item: &Item| match item {
        Item::Set(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.values);
    out.extend(found.into_iter().map(|name| {
        let message = format!("set `{}` is used nowhere", name.text);
        LINT.finding(name.span, message)
            .help("use it with `in`, or remove it")
    }));
}
