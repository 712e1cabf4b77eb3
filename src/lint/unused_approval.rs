//! `unused_approval`: an approval with a name that nothing asks for.

use super::{Context, Group, Lint, uses};
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
    let declared = |item: &Item| match item {
        Item::Approval(declared) => Some(declared.name.clone()),
        _ => None,
    };
    let found = uses::unused(context, declared, |uses| &uses.approvals);
    out.extend(found.into_iter().map(|name| {
        let message = format!("approval `{}` is used nowhere", name.text);
        LINT.finding(name.span, message)
            .help("name it after `require_approval`, or remove it")
    }));
}
