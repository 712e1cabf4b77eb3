//! Scopes: whether a lower policy stays within what those above it leave to it. A rule that is looser than the default
//! above must match only calls of which a rule above speaks anyway, or which are delegated. Then no call outside what is
//! delegated gets a looser verdict than the policies above give it. In: a package. Out: a report per rule that may reach
//! further; what cannot be decided is reported, too.

use super::asking::Asking;
use super::diagram::{Function, TooLarge};
use super::{Decided, Found, document, witness};
use crate::classes::Matchers;
use crate::diag::Diagnostic;
use crate::diag::codes::OUTSIDE_DELEGATION;
use crate::domain::Verdict;
use crate::hir::answer::holds;
use crate::hir::{Cond, Package, Policy, Rule, Tool, canonical_json};
use crate::limits;

/// Checks every rule of every policy that has one above it. The package is one with claims.
pub fn check(package: &Package, out: &mut Vec<Diagnostic>) {
    let mut matchers = Matchers::default();
    let mut search = Search {
        package,
        reported: vec![false; package.rules.len()],
        shown: 0,
    };
    for tool in 0..package.tools.len() {
        search.tool(tool, &mut matchers, out);
    }
}

struct Search<'p> {
    package: &'p Package,
    /// Whether there is a report of a rule already, by its index.
    reported: Vec<bool>,
    /// How many reports show a call.
    shown: usize,
}

impl<'p> Search<'p> {
    fn tool(&mut self, tool: usize, matchers: &mut Matchers, out: &mut Vec<Diagnostic>) {
        let package = self.package;
        let regions: Vec<Region<'p>> = regions(package, tool).collect();
        let conds: Vec<&Cond> = regions.iter().map(|region| region.cond).collect();
        let mut asking = Asking::about(package, tool, &conds);
        for (index, rule) in package.rules.iter().enumerate() {
            let Some((_, cond)) = rule.on.iter().find(|(on, _)| *on == tool) else {
                continue;
            };
            for (level, policy) in package.policies.iter().enumerate().skip(rule.policy + 1) {
                let done = self.reported.get(index).copied().unwrap_or(true);
                if done || rule.limit || rule.verdict >= policy.default {
                    continue;
                }
                // A limit only tightens: where it matches alone, the default counts.
                let speaks = |other: &Rule| other.policy >= level && !other.limit;
                let open: Vec<usize> = (0..regions.len())
                    .filter(|at| {
                        regions
                            .get(*at)
                            .is_some_and(|r| r.level == level && r.is_open_to(package, rule))
                    })
                    .collect();
                let others = package.rules.iter().filter(|other| speaks(other));
                let others = others.flat_map(|other| &other.on).filter(|(on, _)| *on == tool);
                let open_conds = open
                    .iter()
                    .filter_map(|at| regions.get(*at))
                    .map(|region| region.cond);
                let others = others.map(|(_, cond)| cond).chain(open_conds).cloned().collect();
                let beyond = Cond::And(vec![cond.clone(), Cond::Not(Box::new(Cond::Or(others)))]);
                let found = asking.ask(matchers, &mut |decided| {
                    self.beyond(decided, index, &speaks, &open, (tool, &beyond))
                });
                if found == Ok(Found::None) {
                    continue;
                }
                if let Some(reported) = self.reported.get_mut(index) {
                    *reported = true;
                }
                let report = package
                    .tools
                    .get(tool)
                    .map(|tool| report(package, policy, rule, tool));
                let call = match found {
                    Ok(Found::Call(call)) => Some(canonical_json(&document(&call))),
                    _ => None,
                };
                let call = call.filter(|call| call.len() <= limits::WITNESS_BYTES);
                out.extend(report.map(|report| match call {
                    Some(call) => report.witness(call),
                    None => report,
                }));
            }
        }
    }

    /// A call that a rule matches, and neither a rule of the policies above nor what is delegated.
    fn beyond(
        &mut self,
        decided: &mut Decided<'_>,
        rule: usize,
        speaks: &dyn Fn(&Rule) -> bool,
        open: &[usize],
        (tool, cond): (usize, &Cond),
    ) -> Result<Found, TooLarge> {
        let package = self.package;
        let mut all = decided.possible();
        let mut covered = Vec::new();
        for (index, function) in decided.rules().to_vec() {
            if index == rule {
                all = decided.logic().and(all, function)?;
            }
            if package.rules.get(index).is_some_and(speaks) {
                covered.push(function);
            }
        }
        covered.extend(open.iter().map(|at| decided.also(*at)));
        let covered = decided.logic().any(covered)?;
        let beyond = decided.logic().without(all, covered)?;
        if beyond != Function::NOTHING {
            self.shown += 1;
            if self.shown > limits::WITNESSES {
                return Ok(Found::Unknown);
            }
        }
        Ok(decided.find(beyond, &mut |call| {
            let first = witness::first(package, tool, call);
            first.is_some_and(|record| holds(cond, &[&record]))
        }))
    }
}

/// What a policy leaves to others of the calls of one tool.
struct Region<'p> {
    level: usize,
    delegation: &'p crate::hir::Delegation,
    cond: &'p Cond,
}

impl Region<'_> {
    /// Whether it is left to the scope of a rule, with its verdict.
    fn is_open_to(&self, package: &Package, rule: &Rule) -> bool {
        let scope = package.policies.get(rule.policy).and_then(|own| own.scope);
        is_within(rule.verdict, self.delegation.verdict)
            && scope.is_some_and(|scope| self.delegation.to.contains(&scope))
    }
}

/// Whether a verdict is given where another one or a stricter one may be: who approves a call lets it run.
fn is_within(verdict: Verdict, delegated: Verdict) -> bool {
    verdict >= delegated && !(delegated == Verdict::DryRun && verdict == Verdict::RequireApproval)
}

fn regions(package: &Package, tool: usize) -> impl Iterator<Item = Region<'_>> {
    let levels = package.policies.iter().enumerate();
    let all = levels.flat_map(|(level, policy)| policy.delegations.iter().map(move |d| (level, d)));
    all.flat_map(move |(level, delegation)| {
        let on = delegation.on.iter().filter(move |(on, _)| *on == tool);
        on.map(move |(_, cond)| Region {
            level,
            delegation,
            cond,
        })
    })
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
        is_within(rule.verdict, delegation.verdict)
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
