//! `overruled_rule`: a rule that never decides, because a stricter one always speaks with it.

use super::meaning::not;
use super::{Context, Group, Lint};
use crate::diag::codes::OVERRULED_RULE;
use crate::diag::{Diagnostic, Level};
use crate::hir::{Cond, Rule};

/// The lint.
pub const LINT: Lint = Lint {
    name: "overruled_rule",
    code: OVERRULED_RULE,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Stricter rules on one tool past which nothing is looked for.
const STRICTER: usize = 24;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    // What a rule obliges holds whatever the verdict.
    for (written, rule) in context.rules().filter(|(_, rule)| rule.duties.is_empty()) {
        let overruled = !rule.on.is_empty()
            && context.on(rule).all(|(index, tool, cond)| {
                let stricter: Vec<Cond> = context.stricter(rule.verdict, index).map(not).collect();
                if stricter.is_empty() || stricter.len() > STRICTER {
                    return false;
                }
                let mut all = vec![cond];
                all.extend(&stricter);
                context.calls(tool).impossible(&all)
            });
        if !overruled {
            continue;
        }
        let message = format!(
            "rule `{}` never decides: a stricter rule holds of every call it is about",
            rule.name
        );
        let mut report = LINT
            .finding(written.verdict.span, message)
            .label(format!("never `{}`", rule.verdict))
            .why("the strictest verdict of all rules that match counts");
        if let Some(other) = alone(context, rule) {
            report = report.also(other.name_span, "this rule alone overrules it");
        }
        out.push(report.help("narrow the stricter rule with `unless`, or remove this one"));
    }
}

/// A rule that by itself speaks whenever this one does.
fn alone<'a>(context: &Context<'a>, rule: &'a Rule) -> Option<&'a Rule> {
    let rules = context.package.rules.iter().filter(|r| r.verdict > rule.verdict);
    rules.into_iter().find(|other| {
        context.on(rule).all(|(index, tool, cond)| {
            let on = other.on.iter().find(|(tool, _)| *tool == index);
            on.is_some_and(|(_, wide)| context.calls(tool).implies(cond, wide))
        })
    })
}
