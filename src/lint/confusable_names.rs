//! `confusable_names`: two names that look alike and are not the same.

use super::{Context, Group, Lint};
use crate::diag::codes::CONFUSABLE_NAMES;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::{Item, Name};
use std::collections::BTreeMap;
use unicode_security::confusable_detection::skeleton;

/// The lint.
pub const LINT: Lint = Lint {
    name: "confusable_names",
    code: CONFUSABLE_NAMES,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for names in names(context) {
        let mut seen: BTreeMap<String, &Name> = BTreeMap::new();
        for name in names {
            let shape: String = skeleton(&name.text).collect();
            match seen.get(&shape) {
                Some(first) if first.text != name.text => {
                    let message = format!("`{}` looks like `{}` and is another name", name.text, first.text);
                    let report = LINT
                        .finding(name.span, message)
                        .also(first.span, "the other name")
                        .why("a reader takes the one for the other");
                    out.push(report.help("rename one of them"));
                }
                Some(_) => {}
                None => {
                    seen.insert(shape, name);
                }
            }
        }
    }
}

/// Names that stand beside one another: in each group no two may look alike.
fn names<'a>(context: &Context<'a>) -> Vec<Vec<&'a Name>> {
    let items = &context.module.items;
    let mut groups: Vec<Vec<&Name>> = Vec::new();
    let mut selected = Vec::new();
    let mut rules = Vec::new();
    let mut effects = Vec::new();
    let mut reused = Vec::new();
    let mut labels = Vec::new();
    let mut roles = Vec::new();
    let mut obligations = Vec::new();
    for item in items {
        match item {
            Item::Tool(tool) => {
                selected.push(&tool.name);
                groups.push(tool.args.iter().map(|arg| &arg.name).collect());
            }
            Item::Group(group) => selected.push(&group.name),
            Item::Rule(rule) => rules.push(&rule.name),
            Item::Limit(limit) => rules.push(&limit.name),
            Item::Effects(names) => effects.extend(names),
            Item::Enum(declared) => {
                reused.push(&declared.name);
                groups.push(declared.members.iter().collect());
            }
            Item::Type(alias) => reused.push(&alias.name),
            Item::Set(set) => reused.push(&set.name),
            Item::Pred(pred) => reused.push(&pred.name),
            Item::Context(declared) => groups.push(declared.fields.iter().map(|field| &field.name).collect()),
            Item::Label(names) => labels.extend(names),
            Item::Level(level) => labels.extend(&level.members),
            Item::Latch(latch) => reused.push(&latch.name),
            Item::Window(window) => reused.push(&window.name),
            Item::Approval(approval) => reused.push(&approval.name),
            Item::Role(role) => roles.push(&role.name),
            Item::Obligation(declared) => obligations.push(&declared.name),
            Item::Assert(assert) => reused.push(&assert.name),
            Item::Compat(compat) => reused.push(&compat.name),
            Item::Source(_)
            | Item::Declassify(_)
            | Item::Policy(_)
            | Item::Default(_)
            | Item::Profile(_)
            | Item::Scope(_)
            | Item::Delegate(_)
            | Item::Import(_)
            | Item::Lints(_)
            | Item::Test(_)
            | Item::Examples(_) => {}
        }
    }
    groups.extend([selected, rules, effects, reused, labels, roles, obligations]);
    groups
}
