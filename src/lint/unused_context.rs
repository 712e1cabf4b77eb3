//! `unused_context`: a field of the context that no condition looks at, and no approval that excludes people.

use super::uses::Uses;
use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_CONTEXT;
use crate::diag::{Diagnostic, Level};
use crate::domain::approval;
use crate::hir::{ContextField, Package};
use crate::syntax::ast::Item;
use crate::syntax::quote::member_name;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_context",
    code: UNUSED_CONTEXT,
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
        let Item::Context(declared) = item else { continue };
        for field in &declared.fields {
            let name = &field.name;
            let read = uses.context.contains(name.text.as_str())
                || says_whom_to_exclude(&name.text, context.package);
            if !read {
                let message = format!("`context.{}` is looked at nowhere", member_name(&name.text));
                out.push(
                    LINT.finding(name.span, message)
                        .help("ask for it in a rule, or remove it"),
                );
            }
        }
    }
}

/// Whether a field says who asks, or in whose name, and an approval excludes these people.
fn says_whom_to_exclude(name: &str, package: &Package) -> bool {
    let of_rules = package.rules.iter().flat_map(|rule| &rule.approvals);
    let mut asked = of_rules.chain(package.labels.lifted.iter().map(|(spec, _)| spec));
    let excludes = |(requester, chain): (bool, bool)| {
        asked.any(|spec| requester && spec.excluding_requester || chain && spec.excluding_chain)
    };
    let field = package.context.iter().find(|known| known.field.name == name);
    field.map(says).is_some_and(excludes)
}

/// Whether a field says who asks, and whether it says in whose name.
fn says(known: &ContextField) -> (bool, bool) {
    let (name, from) = (&known.field.name, known.from.as_deref());
    (
        approval::says_who_asks(name, known.trust, from),
        approval::says_the_chain(name, known.trust, from),
    )
}
