//! `unused_pred`: a predicate that no condition asks.

use super::uses::Uses;
use super::{Context, Group, Lint};
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
    if !context.is_policy {
        return;
    }
    let uses = Uses::of(context.module);
    for item in &context.module.items {
        let Item::Pred(declared) = item else { continue };
        let name = &declared.name;
        if !uses.calls.contains(name.text.as_str()) {
            let message = format!("predicate `{}` is used nowhere", name.text);
            out.push(
                LINT.finding(name.span, message)
                    .help("ask it in a rule, or remove it"),
            );
        }
    }
}
