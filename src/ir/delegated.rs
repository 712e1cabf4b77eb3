//! Scopes: whether a lower policy stays within what those above it leave to it. A rule that is looser than the default
//! above must match only calls of which a rule above speaks anyway, or which are delegated. Then no call outside what is
//! delegated gets a looser verdict than the policies above give it. In: a package. Out: a report per rule that may reach
//! further; what cannot be decided is reported, too.

use super::solve::Solver;
use super::witness;
use crate::classes::Matchers;
use crate::diag::Diagnostic;
use crate::diag::codes::OUTSIDE_DELEGATION;
use crate::hir::{Cond, Package, Policy, Rule, Tool};
use crate::limits;

/// Checks every rule of every policy that has one above it. The package is one with claims.
pub fn check(package: &Package, out: &mut Vec<Diagnostic>) {
    let mut matchers = Matchers::default();
    let mut reported = vec![false; package.rules.len()];
    let mut shown = 0;
    for (number, tool) in package.tools.iter().enumerate() {
        let rules = About::all(package, number);
        let mut solver = Solver::new(tool);
        rules.iter().for_each(|rule| solver.learn(rule.cond));
        for delegation in package.policies.iter().flat_map(|policy| &policy.delegations) {
            let here = delegation.on.iter().filter(|(on, _)| *on == number);
            here.for_each(|(_, cond)| solver.learn(cond));
        }
        for rule in &rules {
            let above = package.policies.iter().enumerate().skip(rule.rule.policy + 1);
            for (level, policy) in above {
                let done = reported.get(rule.index).copied().unwrap_or(true);
                if done || rule.rule.limit || rule.rule.verdict >= policy.default {
                    continue;
                }
                let open = open(package, policy, rule.rule, number);
                // A limit only tightens: where it matches alone, the default counts.
                let speaks = |other: &&About<'_>| other.rule.policy >= level && !other.rule.limit;
                let spoken = rules.iter().filter(speaks);
                let others = spoken.map(|other| other.cond.clone()).chain(open).collect();
                let beyond = Cond::And(vec![rule.cond.clone(), Cond::Not(Box::new(Cond::Or(others)))]);
                if solver.ask(&beyond, &mut matchers) != Some(false) {
                    if let Some(reported) = reported.get_mut(rule.index) {
                        *reported = true;
                    }
                    let report = report(package, policy, rule.rule, tool);
                    shown += 1;
                    let call = (shown <= limits::WITNESSES).then(|| witness::call(package, tool, &beyond));
                    out.push(match call.flatten() {
                        Some(call) => report.witness(call),
                        None => report,
                    });
                }
            }
        }
    }
}

/// A rule with what it asks on one tool.
struct About<'a> {
    index: usize,
    rule: &'a Rule,
    cond: &'a Cond,
}

impl<'a> About<'a> {
    fn all(package: &'a Package, tool: usize) -> Vec<About<'a>> {
        let rules = package.rules.iter().enumerate();
        let on = rules.flat_map(|(index, rule)| {
            rule.on
                .iter()
                .map(move |(on, cond)| (*on, About { index, rule, cond }))
        });
        on.filter(|(on, _)| *on == tool).map(|(_, about)| about).collect()
    }
}

/// The calls of a tool that a policy leaves to the scope of a rule, with the verdict of the rule.
fn open(package: &Package, policy: &Policy, rule: &Rule, tool: usize) -> Vec<Cond> {
    let scope = package.policies.get(rule.policy).and_then(|own| own.scope);
    let mine = policy.delegations.iter().filter(|delegation| {
        rule.verdict >= delegation.verdict && scope.is_some_and(|scope| delegation.to.contains(&scope))
    });
    let on = mine.flat_map(|delegation| &delegation.on);
    on.filter(|(on, _)| *on == tool)
        .map(|(_, cond)| cond.clone())
        .collect()
}

fn report(package: &Package, policy: &Policy, rule: &Rule, tool: &Tool) -> Diagnostic {
    let own = package.policies.get(rule.policy);
    let scope = own.and_then(|own| own.scope).map_or("", |scope| scope.as_str());
    let message = format!(
        "rule `{}` gives `{}` to calls of `{}` that `{}` does not leave to a `{scope}`",
        rule.name, rule.verdict, tool.name, policy.name
    );
    let span = rule.conditions_span.unwrap_or(rule.name_span);
    let mut diagnostic = Diagnostic::error(OUTSIDE_DELEGATION, span, message)
        .label("reaches further than what is delegated")
        .why(format!(
            "where no rule of `{}` speaks, its default is `{}`",
            policy.name, policy.default
        ))
        .help(format!(
            "narrow the rule, or have `{}` say `delegate {} on {} when … to {scope}`",
            policy.name,
            rule.verdict,
            crate::syntax::quote::dotted_name(&tool.name)
        ));
    let delegated = policy.delegations.iter().filter(|delegation| {
        rule.verdict >= delegation.verdict
            && delegation
                .on
                .iter()
                .any(|(on, _)| package.tools.get(*on).is_some_and(|t| t.name == tool.name))
    });
    for delegation in delegated.take(3) {
        diagnostic = diagnostic.also(delegation.span, "this is delegated");
    }
    diagnostic
}
