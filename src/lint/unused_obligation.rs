//! `unused_obligation`: an obligation that no rule obliges.

use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_OBLIGATION;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_obligation",
    code: UNUSED_OBLIGATION,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    if !context.is_policy {
        return;
    }
    let package = context.package;
    let obliged = |name: &str| {
        let mut duties = package.rules.iter().flat_map(|rule| &rule.duties);
        duties.any(|duty| {
            let kind = package.obligations.get(duty.node.kind as usize);
            kind.is_some_and(|kind| kind.name == name)
        })
    };
    for item in &context.module.items {
        let Item::Obligation(declared) = item else {
            continue;
        };
        let name = &declared.name;
        if !obliged(&name.text) {
            let message = format!("no rule obliges `{}`", name.text);
            out.push(
                LINT.finding(name.span, message)
                    .help(format!("write `oblige {}(…)` in a rule, or remove it", name.text)),
            );
        }
    }
}
