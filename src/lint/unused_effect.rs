//! `unused_effect`: an effect that the policy declares and no tool has.

use super::{Context, Group, Lint};
use crate::diag::codes::UNUSED_EFFECT;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unused_effect",
    code: UNUSED_EFFECT,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for item in &context.module.items {
        let Item::Effects(names) = item else { continue };
        for name in names {
            let tools = &context.package.tools;
            if !tools.iter().any(|tool| tool.effects.contains(&name.text)) {
                let message = format!("no tool has the effect `{}`", name.text);
                out.push(
                    LINT.finding(name.span, message)
                        .why("a rule on `tools with effect` is about none of the tools")
                        .help("declare it in the tools that have it, or remove it"),
                );
            }
        }
    }
}
