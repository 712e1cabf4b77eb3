//! `unused_context`: a field of the context that no condition looks at, and no approval that excludes people.

use super::uses::Uses;
use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_CONTEXT;
use crate::diag::{Diagnostic, Level};
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
            let read =
                uses.context.contains(name.text.as_str()) || context.package.says_whom_to_exclude(&name.text);
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
