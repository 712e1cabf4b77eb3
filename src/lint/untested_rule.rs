//! `untested_rule`: a rule that no test and no example names.

use super::{Context, Group, Lint};
use crate::diag::codes::UNTESTED_RULE;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;
use crate::syntax::quote::member_name;
use std::collections::BTreeSet;

/// The lint.
pub const LINT: Lint = Lint {
    name: "untested_rule",
    code: UNTESTED_RULE,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for item in &context.module.items {
        match item {
            Item::Test(test) => {
                let cases = test
                    .cases
                    .iter()
                    .flat_map(|case| case.by.iter().chain(&case.codes));
                named.extend(cases.map(|name| name.text.as_str()));
            }
            Item::Examples(examples) => {
                named.insert(&examples.rule.text);
            }
            _ => {}
        }
    }
    for (written, rule) in context.rules() {
        if !named.contains(rule.name.as_str()) && !named.contains(rule.code.as_str()) {
            let message = format!("no test is decided `by {}`", member_name(&rule.name));
            out.push(
                LINT.finding(written.name.span, message)
                    .help("add a case that names the rule or its code, or `examples` of it"),
            );
        }
    }
}
