//! What rules ask beside a verdict, that a change of one variable may switch off while the verdict stays: approvals that nothing
//! else asks for, and obligations of a call that may still run. In: the rules on a tool, and a change. Out: a rule that stops
//! to ask for something, and what.

use super::super::Decided;
use super::super::diagram::{Function, TooLarge};
use super::{Kept, Move};
use crate::domain::{ApprovalSpec, Verdict};
use crate::hir::{Duty, Package, Rule};

type Result<T> = std::result::Result<T, TooLarge>;

/// What is no longer asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Approvals,
    Obligation,
}

/// A rule that stops to ask for something.
pub(super) struct Weakened<'p> {
    pub rule: &'p Rule,
    pub what: What,
}

/// The rules by which some call is asked less where a variable changes so.
pub(super) fn weakened<'p>(
    decided: &mut Decided<'p>,
    step: &Move<'_>,
    kept: &Kept<'_>,
    verdicts: &[Function; 4],
) -> Result<Vec<Weakened<'p>>> {
    let package = decided.package;
    let rules: Vec<(&'p Rule, Function)> = decided
        .rules()
        .iter()
        .filter(|(rule, _)| (kept.is_of)(*rule))
        .filter_map(|(rule, calls)| Some((package.rules.get(*rule)?, *calls)))
        .collect();
    let may = may_change(decided, step, &rules)?;
    let mut found = Vec::new();
    for (rule, _) in rules.iter().filter(|(rule, _)| may.contains(&rule.name.as_str())) {
        if loses_approvals(decided, step, &rules, (rule, verdicts))? {
            let what = What::Approvals;
            found.push(Weakened { rule, what });
        } else if loses_duties(decided, step, &rules, (rule, verdicts))? {
            let what = What::Obligation;
            found.push(Weakened { rule, what });
        }
    }
    Ok(found)
}

/// Whether some call waits for fewer people without a rule.
fn loses_approvals(
    decided: &mut Decided<'_>,
    step: &Move<'_>,
    rules: &[(&Rule, Function)],
    (rule, verdicts): (&Rule, &[Function; 4]),
) -> Result<bool> {
    if rule.verdict != Verdict::RequireApproval {
        return Ok(false);
    }
    let waits = verdicts.get(Verdict::RequireApproval as usize).copied();
    let waits = waits.unwrap_or(Function::NOTHING);
    // An approval that anybody may give is what a default asks for.
    let specs = rule
        .approvals
        .iter()
        .filter(|spec| **spec != ApprovalSpec::default());
    for spec in specs {
        let asks = |other: &Rule| {
            let is_asked = other.verdict == Verdict::RequireApproval;
            is_asked && other.approvals.iter().any(|own| own.covers(spec))
        };
        if is_lost(decided, step, rules, (&asks, waits))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether some call that may run is obliged to less without a rule.
fn loses_duties(
    decided: &mut Decided<'_>,
    step: &Move<'_>,
    rules: &[(&Rule, Function)],
    (rule, verdicts): (&Rule, &[Function; 4]),
) -> Result<bool> {
    let package = decided.package;
    let runs = decided
        .logic()
        .any(verdicts.iter().take(Verdict::Block as usize).copied())?;
    for duty in &rule.duties {
        let asks = |other: &Rule| obliges(package, other, &duty.node);
        if is_lost(decided, step, rules, (&asks, runs))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of rules that a change keeps from some call.
fn may_change<'p>(
    decided: &mut Decided<'p>,
    step: &Move<'_>,
    rules: &[(&'p Rule, Function)],
) -> Result<Vec<&'p str>> {
    let mut found = Vec::new();
    for (rule, calls) in rules {
        let asks = !rule.duties.is_empty() || !rule.approvals.is_empty();
        if asks {
            let logic = decided.logic();
            let from = logic.at(*calls, step.variable, step.from)?;
            let to = logic.at(*calls, step.variable, step.to)?;
            if logic.without(from, to)? != Function::NOTHING {
                found.push(rule.name.as_str());
            }
        }
    }
    Ok(found)
}

/// Whether some call is asked for something before the change and not after it, where it is among some before and after.
fn is_lost(
    decided: &mut Decided<'_>,
    step: &Move<'_>,
    rules: &[(&Rule, Function)],
    (asks, among): (&dyn Fn(&Rule) -> bool, Function),
) -> Result<bool> {
    let possible = decided.possible();
    let logic = decided.logic();
    let asked: Vec<Function> = rules
        .iter()
        .filter(|(rule, _)| asks(rule))
        .map(|(_, calls)| *calls)
        .collect();
    let asked = logic.any(asked)?;
    let mut lost = Function::EVERYTHING;
    for (of, class) in [
        (asked, step.from),
        (among, step.from),
        (possible, step.to),
        (among, step.to),
    ] {
        let at = logic.at(of, step.variable, class)?;
        lost = logic.and(lost, at)?;
    }
    let still = logic.at(asked, step.variable, step.to)?;
    Ok(logic.without(lost, still)? != Function::NOTHING)
}

/// Whether a rule obliges all that a duty does.
fn obliges(package: &Package, rule: &Rule, duty: &Duty) -> bool {
    let mut duties = rule.duties.iter();
    duties.any(|other| duty.adds_nothing(package, &other.node, package))
}
