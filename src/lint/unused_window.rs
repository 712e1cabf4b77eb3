//! `unused_window`: a window that no condition names.

use super::{Context, Group, Lint, uses};
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
    let declared = |item: &Item| match item {
        Item::Window(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.values);
    out.extend(found.into_iter().map(|name| {
        let message = format!("window `{}` is used nowhere", name.text);
        LINT.finding(name.span, message)
            .help("use it with `now in`, or remove it")
    }));
}
