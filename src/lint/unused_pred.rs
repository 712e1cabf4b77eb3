//! `unused_pred`: a predicate that no condition asks.

use super::{Context, Group, Lint, uses};
use crate::diag::codes::UNUSED_PRED;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_pred",
    code: UNUSED_PRED,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let declared = |item: &Item| match item {
        Item::Pred(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.calls);
    out.extend(found.into_iter().map(|name| {
        let message = format!("predicate `{}` is used nowhere", name.text);
        LINT.finding(name.span, message)
            .help("ask it in a rule, or remove it")
    }));
}
