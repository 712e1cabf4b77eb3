//! `uncovered_tool`: tools that no rule is about: all their calls end in the default.

use super::{Context, Group, Lint};
use crate::diag::codes::UNCOVERED_TOOL;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast;
use std::collections::BTreeSet;

/// The lint.
pub const LINT: Lint = Lint {
    name: "uncovered_tool",
    code: UNCOVERED_TOOL,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Tools a report points at, beside the first.
const SHOWN: usize = 8;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let rules = &context.package.rules;
    if rules.is_empty() || !context.is_policy {
        // Nothing has been written yet, or what is declared here is for others.
        return;
    }
    let covered: BTreeSet<usize> = rules.iter().flat_map(|r| &r.on).map(|(tool, _)| *tool).collect();
    let mut bare = context.tools().filter(|(_, index, _)| !covered.contains(index));
    let Some((first, _, _)) = bare.next() else { return };
    let others: Vec<&ast::Tool> = bare.map(|(tool, _, _)| tool).collect();
    let message = match others.len() {
        0 => format!("no rule is about tool `{}`", first.name.text),
        1 => format!("no rule is about tool `{}` and one other", first.name.text),
        n => format!("no rule is about tool `{}` and {n} others", first.name.text),
    };
    let (verdict, _) = &context.package.default;
    let mut report = LINT
        .finding(first.name.span, message)
        .why(format!("every call of it gives the default, `{verdict}`"));
    for tool in others.iter().take(SHOWN) {
        report = report.also(tool.name.span, "nor about this");
    }
    out.push(report.help("write a rule, or remove what no agent may call anyway"));
}
