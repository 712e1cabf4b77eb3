//! Calls that show the conditions of a rule about command lines: the parts of a command line are asked about in too many ways for
//! diagrams, so command lines are written from the words that the rule asks for, judged, and taken where they show something.
//! In: a rule's conditions on one tool. Out: calls, or that none was found, which proves nothing.

use super::super::witness::Maker;
use super::leaves::Leaf;
use super::{Gap, Goal, Judge, Missed, Search, Shown, goals, none, sort};
use crate::classes::Matchers;
use crate::hir::answer::holds;
use crate::hir::{Case, Cond, Package};
use crate::ir::space::Space;
use crate::limits;
use crate::value::Value;

/// What was found of each of some conditions, in their order.
pub(super) fn on_tool(
    package: &Package,
    (tool, cond): (usize, &Cond),
    leaves: &[&Leaf<'_>],
    matchers: &mut Matchers,
    judge: Judge<'_>,
) -> Vec<(Vec<Shown>, Vec<Gap>)> {
    let mut out = vec![(Vec::new(), Vec::new()); leaves.len()];
    let Some(calls) = calls(package, (tool, cond), matchers) else {
        out.fill((Vec::new(), none(Missed::TooLarge)));
        return out;
    };
    let judged: Vec<(Case, Value)> = calls
        .into_iter()
        .filter_map(|call| judge(&call).map(|record| (call, record)))
        .collect();
    let mut goals = goals(leaves, matchers);
    goals.retain(|goal| !goal.exact);
    let found: Vec<(&Goal, Search)> = goals.iter().map(|goal| (goal, shown(goal, &judged))).collect();
    sort(&found, &mut out);
    out
}

/// The first call that is as wanted, the best wish first.
fn shown(goal: &Goal, judged: &[(Case, Value)]) -> Search {
    let mut wishes = goal.tries.iter().enumerate();
    let found = wishes.find_map(|(at, cond)| {
        let mut those = judged.iter().filter(|(_, record)| holds(cond, &[record]));
        those.next().map(|(call, _)| (call.clone(), at < goal.deciding))
    });
    found.ok_or(Missed::NotFound)
}

/// Calls with command lines of the words that a condition asks for.
fn calls(package: &Package, (tool, cond): (usize, &Cond), matchers: &mut Matchers) -> Option<Vec<Case>> {
    let declared = package.tools.get(tool)?;
    let first = u32::try_from(declared.args.len() + 1).ok()?;
    let space = Space::new(first, &declared.slots, &[cond], matchers)?;
    let slots = space.slots().1.to_vec();
    let level = space.level();
    let maker = Maker::new(package, declared, (&level, &slots));
    Some(maker.with_each(&maker.pools(limits::EDGE_COMMANDS)))
}
