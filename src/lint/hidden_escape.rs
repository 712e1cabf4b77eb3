//! `hidden_escape`: an escape that writes a character nobody sees into a name or a text for people.

use super::{Context, Group, Lint};
use crate::diag::codes::HIDDEN_ESCAPE;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::Item;
use crate::syntax::hidden::is_hidden;

/// The lint.
pub const LINT: Lint = Lint {
    name: "hidden_escape",
    code: HIDDEN_ESCAPE,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut see = |span: Span, text: &str, what: &str| {
        if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
            let message = format!(
                "this {what} holds the hidden character U+{:04X}",
                u32::from(hidden)
            );
            out.push(
                LINT.finding(span, message)
                    .why("whoever reads it elsewhere sees another text, or none")
                    .help("leave the escape out"),
            );
        }
    };
    for item in &context.module.items {
        match item {
            Item::Policy(policy) => see(policy.name.span, &policy.name.text, "name"),
            Item::Enum(declared) => {
                for member in &declared.members {
                    see(member.span, &member.text, "name");
                }
            }
            Item::Tool(tool) => {
                see(tool.name.span, &tool.name.text, "name");
                for arg in &tool.args {
                    see(arg.name.span, &arg.name.text, "name");
                }
                if let Some(text) = &tool.description {
                    see(text.span, &text.node, "description");
                }
            }
            Item::Rule(rule) => {
                if let Some(code) = &rule.code {
                    see(code.span, &code.text, "code");
                }
                for (text, what) in [(&rule.description, "description"), (&rule.hint, "hint")] {
                    if let Some(text) = text {
                        see(text.span, &text.node, what);
                    }
                }
            }
            Item::Group(group) => see(group.name.span, &group.name.text, "name"),
            Item::Effects(names) => names.iter().for_each(|name| see(name.span, &name.text, "name")),
            Item::Test(test) => see(test.name.span, &test.name.node, "name"),
            _ => {}
        }
    }
}
