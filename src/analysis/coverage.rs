//! What a policy can decide of each tool: the verdicts that some call gets, each with such a call and the rules that give
//! it; whether the default reaches what cannot be undone; what no rule asks about. In: a package, and a judge of single
//! calls. Out: a summary per tool. A verdict that is not in it is proved to be given to no call.

use super::asking::Asking;
use super::diagram::{Function, TooLarge};
use super::idle::{self, Idle};
use super::{Decided, Found};
use crate::classes::Matchers;
use crate::domain::{LabelOf, Verdict};
use crate::hir::{Case, Cond, Package, Place, Slot, Step};
use std::collections::BTreeSet;

/// Judges a call as the gate does: its verdict and the rules that give it; none where the call is refused before.
pub type Judge<'j> = &'j mut dyn FnMut(&Case) -> Option<(Verdict, Vec<String>)>;

/// A verdict that calls may get.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// The verdict.
    pub verdict: Verdict,
    /// A call that gets it; none was found where it is missing, and then none may get it.
    pub call: Option<Case>,
    /// The rules that give it to some call, by index, in order.
    pub rules: Vec<usize>,
    /// Whether the default gives it to some call.
    pub default: bool,
}

/// What is decided of the calls of one tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCoverage {
    /// Its name.
    pub tool: String,
    /// The verdicts that calls may get, the mildest first.
    pub reached: Vec<Reached>,
    /// Whether some rule is about it.
    pub spoken: bool,
    /// Whether its effect cannot be undone, and calls of it that no rule speaks of run: such a call, where one was found.
    pub unguarded: Option<Option<Case>>,
    /// Arguments that no rule and no condition on the session asks about.
    pub unasked: Vec<String>,
    /// Rules that change nothing on this tool, by index, and why. Each for itself: they may cover one another.
    pub idle: Vec<(usize, Idle)>,
    /// Whether its rules tell too many calls apart for any of this to be known.
    pub too_large: bool,
}

/// What is decided of every tool.
pub fn coverage(package: &Package, judge: Judge<'_>) -> Vec<ToolCoverage> {
    coverage_of(package, &|_| true, judge)
}

/// What is decided of some of the tools.
pub fn coverage_of(
    package: &Package,
    wanted: &dyn Fn(&crate::hir::Tool) -> bool,
    judge: Judge<'_>,
) -> Vec<ToolCoverage> {
    let mut matchers = Matchers::default();
    let tools = package.tools.iter().enumerate().filter(|(_, tool)| wanted(tool));
    let one = |(number, declared): (usize, &crate::hir::Tool)| {
        let tool = ToolCoverage {
            tool: declared.name.clone(),
            reached: Vec::new(),
            spoken: package.rules.iter().any(|rule| on(rule, number).is_some()),
            unguarded: None,
            unasked: unasked(package, number),
            idle: Vec::new(),
            too_large: false,
        };
        let told = Asking::about(package, number, &[]).ask(&mut matchers, &mut |decided| {
            let mut tool = tool.clone();
            tell(decided, declared, &mut tool, judge)?;
            Ok(tool)
        });
        told.unwrap_or(ToolCoverage {
            too_large: true,
            ..tool
        })
    };
    tools.map(one).collect()
}

fn on(rule: &crate::hir::Rule, tool: usize) -> Option<&Cond> {
    rule.on.iter().find(|(on, _)| *on == tool).map(|(_, cond)| cond)
}

fn tell(
    decided: &mut Decided<'_>,
    declared: &crate::hir::Tool,
    out: &mut ToolCoverage,
    judge: Judge<'_>,
) -> Result<(), TooLarge> {
    let package = decided.package;
    let default = package.default.0;
    let verdicts = decided.verdicts(default, &|_| true)?;
    let silent = decided.silent(&|_| true)?;
    for (verdict, calls) in Verdict::ALL.into_iter().zip(verdicts) {
        let rules = giving(decided, verdict, calls)?;
        let left = decided.logic().and(calls, silent)?;
        let by_default = verdict == default && left != Function::NOTHING;
        let found = decided.find(calls, &mut |call| {
            judge(call).is_some_and(|(given, _)| given == verdict)
        });
        if let Some(call) = call(found) {
            out.reached.push(Reached {
                verdict,
                call,
                rules,
                default: by_default,
            });
        }
        let runs =
            verdict <= Verdict::DryRun && declared.effects.iter().any(|effect| effect == "irreversible");
        if by_default && runs {
            let found = decided.find(left, &mut |call| {
                judge(call).is_some_and(|(given, rules)| given == verdict && rules.is_empty())
            });
            out.unguarded = call(found);
        }
    }
    out.idle = idle::on_one(decided)?;
    Ok(())
}

/// The rules that give a verdict to some of the calls that get it.
fn giving(decided: &mut Decided<'_>, verdict: Verdict, calls: Function) -> Result<Vec<usize>, TooLarge> {
    let package = decided.package;
    let mut rules = Vec::new();
    for (index, matches) in decided.rules().to_vec() {
        let gives = package
            .rules
            .get(index)
            .is_some_and(|rule| rule.verdict == verdict);
        if gives && decided.logic().and(calls, matches)? != Function::NOTHING {
            rules.push(index);
        }
    }
    Ok(rules)
}

/// The call of a search; none where there is no such call.
fn call(found: Found) -> Option<Option<Case>> {
    match found {
        Found::None => None,
        Found::Call(call) => Some(Some(*call)),
        Found::Unknown => Some(None),
    }
}

/// Arguments that no condition looks at.
fn unasked(package: &Package, number: usize) -> Vec<String> {
    let Some(tool) = package.tools.get(number) else {
        return Vec::new();
    };
    let mut asked: BTreeSet<usize> = BTreeSet::new();
    let mut whole = false;
    let mut see = |place: &Place| match (place.level, place.steps.first()) {
        (0, Some(Step::Field(field))) => {
            asked.insert(*field as usize);
        }
        (0, None) => whole = true,
        _ => {}
    };
    let events = package.history.events.iter().flat_map(|event| &event.calls);
    let events = events.filter(|(of, _)| *of == number).map(|(_, cond)| cond);
    let rules = package.rules.iter().filter_map(|rule| on(rule, number));
    rules.chain(events).for_each(|cond| cond.each_place(&mut see));
    tool.slots.iter().for_each(|slot| slot.each_place(&mut see));
    let carried = tool.carries.iter();
    let names = tool.slots.iter().flat_map(|slot| match slot {
        Slot::Label {
            of: LabelOf::Argument(path),
            ..
        } => path.first().into_iter().collect(),
        Slot::Label {
            of: LabelOf::Carried, ..
        } => carried.clone().filter_map(|path| path.first()).collect(),
        _ => Vec::new(),
    });
    let names: BTreeSet<&String> = names.collect();
    let args = tool.args.iter().enumerate();
    let left = args.filter(|(at, arg)| !whole && !asked.contains(at) && !names.contains(&arg.name));
    left.map(|(_, arg)| arg.name.clone()).collect()
}
