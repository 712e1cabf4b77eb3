//! `unused_approval`: an approval with a name that nothing asks for.

use super::uses::Uses;
use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_APPROVAL;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_approval",
    code: UNUSED_APPROVAL,
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
        let Item::Approval(declared) = item else { continue };
        let name = &declared.name;
        if !uses.approvals.contains(name.text.as_str()) {
            let message = format!("approval `{}` is used nowhere", name.text);
            out.push(
                LINT.finding(name.span, message)
                    .help("name it after `require_approval`, or remove it"),
            );
        }
    }
}
