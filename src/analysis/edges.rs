//! Calls on and beside the boundary of every condition of every rule: `amount` at its limit and one step past it, a
//! folder and the one whose name only starts like it. In: a package, and a judge of single calls. Out: per condition the
//! calls at which it holds and those at which it does not, each as the judge saw it, and for what was not found the
//! reason. The condition decides its rule in these calls where that can be.

mod commands;
mod leaves;
mod values;

use super::diagram::{Function, TooLarge};
use super::related::Known;
use super::{Decided, Found, Means};
use crate::classes::Matchers;
use crate::hir::answer::holds;
use crate::hir::{Case, Cond, Package, Rule, Tool};
use crate::limits;
use crate::source::Span;
use crate::ty::Ty;
use crate::value::Value;
use leaves::Leaf;

/// The bounds of one search.
const EDGES: Means = Means::edges(limits::EDGES, limits::EDGES);

/// Judges a call as the gate does, and gives the request with all that the gate computes for it; none where the call is
/// refused before.
pub type Judge<'j> = &'j mut dyn FnMut(&Case) -> Option<Value>;

/// Why a call is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// There is none.
    Impossible,
    /// There are such calls, but in none that was found does the condition decide its rule.
    Masked,
    /// None was found, which does not say that there is none.
    NotFound,
    /// The rules on the tool tell too many kinds of calls apart, or the rule has too many conditions.
    TooLarge,
}

/// A call that shows one side of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Whether the condition holds of it.
    pub holds: bool,
    /// The call.
    pub call: Case,
}

/// A side of a condition without the call that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Whether the condition should have held.
    pub holds: bool,
    /// Whether another call shows that side, away from the boundary or without deciding the rule.
    pub instead: bool,
    /// Why.
    pub why: Missed,
}

/// What was found of one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The rule, by index.
    pub rule: usize,
    /// Where the condition is written; none for a rule without any.
    pub span: Option<Span>,
    /// Calls that show it.
    pub shown: Vec<Shown>,
    /// What was not found.
    pub gaps: Vec<Gap>,
}

/// The boundaries of every rule, in order.
pub fn edges(package: &Package, judge: Judge<'_>) -> Vec<Edge> {
    let mut matchers = Matchers::default();
    let mut all = Vec::new();
    let mut packages = Packages::new(package);
    for (number, rule) in package.rules.iter().enumerate() {
        all.extend(of_rule(&mut packages, (number, rule), &mut matchers, judge));
    }
    all
}

/// A condition by where it is written and how often that place came before in the rule: a predicate may be asked twice.
type Key = (Option<Span>, usize);

/// The rules of a package one at a time: what one decides is told with little work, what all decide with much.
struct Packages<'p> {
    /// All rules.
    all: &'p Package,
    /// The same with one rule, which changes.
    one: Package,
}

impl<'p> Packages<'p> {
    fn new(all: &'p Package) -> Packages<'p> {
        let mut one = all.clone();
        one.rules.clear();
        Packages { all, one }
    }
}

/// Whether arguments of a tool are read from texts of a grammar, whose parts are asked about in many ways.
pub fn is_heavy(tool: &Tool) -> bool {
    holds_some(tool, &Ty::Command) || holds_some(tool, &Ty::Sql)
}

/// Conditions of one rule on a tool that are looked at.
fn most(tool: &Tool) -> usize {
    match is_heavy(tool) && !holds_some(tool, &Ty::Command) {
        true => limits::EDGE_SQL_CONDITIONS,
        false => limits::EDGE_CONDITIONS,
    }
}

fn holds_some(tool: &Tool, wanted: &Ty) -> bool {
    tool.args.iter().any(|arg| is_made_of(&arg.ty, wanted))
}

fn is_made_of(ty: &Ty, wanted: &Ty) -> bool {
    match ty {
        Ty::Optional(inner) => is_made_of(inner, wanted),
        Ty::List { element, .. } | Ty::Set { element, .. } => is_made_of(element, wanted),
        Ty::Map { value, .. } => is_made_of(value, wanted),
        Ty::Record(fields) => fields.iter().any(|field| is_made_of(&field.ty, wanted)),
        other => other == wanted,
    }
}

fn of_rule(
    packages: &mut Packages<'_>,
    (number, rule): (usize, &Rule),
    matchers: &mut Matchers,
    judge: Judge<'_>,
) -> Vec<Edge> {
    let mut known: Vec<(Key, Edge)> = Vec::new();
    for (tool, cond) in rule.on.iter().take(limits::EDGE_TOOLS) {
        let leaves = leaves::leaves(cond);
        let keyed = keys(&leaves);
        let is_open = |key: &Key| {
            let found = known.iter().find(|(of, _)| of == key);
            found.is_none_or(|(_, edge)| !edge.gaps.is_empty())
        };
        let open: Vec<(Key, &Leaf<'_>)> = keyed.into_iter().filter(|(key, _)| is_open(key)).collect();
        let declared = packages.all.tools.get(*tool);
        let heavy = declared.is_some_and(is_heavy);
        if declared.is_some_and(|tool| holds_some(tool, &Ty::Command)) {
            let asked: Vec<&Leaf<'_>> = open.iter().map(|(_, leaf)| *leaf).collect();
            let found = commands::on_tool(packages.all, (*tool, cond), &asked, matchers, judge);
            for ((key, _), (shown, gaps)) in open.iter().zip(found) {
                keep(&mut known, *key, edge(number, key.0, shown, gaps));
            }
            continue;
        }
        let (here, beyond) = open.split_at(open.len().min(declared.map_or(0, most)));
        for part in here.chunks(limits::EDGES_AT_ONCE) {
            let asked: Vec<&Leaf<'_>> = part.iter().map(|(_, leaf)| *leaf).collect();
            let found = if heavy {
                packages.one.rules = vec![rule.clone()];
                on_tool((&packages.one, heavy), (0, *tool), &asked, matchers, judge)
            } else {
                on_tool((packages.all, heavy), (number, *tool), &asked, matchers, judge)
            };
            for ((key, _), (shown, gaps)) in part.iter().zip(found) {
                keep(&mut known, *key, edge(number, key.0, shown, gaps));
            }
        }
        for (key, _) in beyond {
            keep(
                &mut known,
                *key,
                edge(number, key.0, Vec::new(), none(Missed::TooLarge)),
            );
        }
    }
    known.into_iter().map(|(_, edge)| edge).collect()
}

fn edge(rule: usize, span: Option<Span>, shown: Vec<Shown>, gaps: Vec<Gap>) -> Edge {
    Edge {
        rule,
        span,
        shown,
        gaps,
    }
}

fn keys<'l, 'c>(leaves: &'l [Leaf<'c>]) -> Vec<(Key, &'l Leaf<'c>)> {
    let mut keyed: Vec<(Key, &Leaf<'_>)> = Vec::new();
    for leaf in leaves {
        let before = keyed.iter().filter(|((span, _), _)| *span == leaf.span).count();
        keyed.push(((leaf.span, before), leaf));
    }
    keyed
}

/// Of what two tools show of a condition that with fewer gaps, then with more calls is kept.
fn keep(known: &mut Vec<(Key, Edge)>, key: Key, edge: Edge) {
    match known.iter_mut().find(|(of, _)| *of == key) {
        Some((_, old)) => {
            let better = edge.gaps.len() < old.gaps.len()
                || (edge.gaps.len() == old.gaps.len() && edge.shown.len() > old.shown.len());
            if better {
                *old = edge;
            }
        }
        None => known.push((key, edge)),
    }
}

fn none(why: Missed) -> Vec<Gap> {
    let gap = |holds| Gap {
        holds,
        instead: false,
        why,
    };
    vec![gap(true), gap(false)]
}

/// What is looked for: a side of a condition, at the boundary or anywhere, and conditions to try, the best one first; in so
/// many of them the condition decides its rule.
struct Goal {
    leaf: usize,
    holds: bool,
    exact: bool,
    tries: Vec<Cond>,
    deciding: usize,
}

/// What was found of some conditions of a rule on one tool.
fn on_tool(
    (package, heavy): (&Package, bool),
    (rule, tool): (usize, usize),
    leaves: &[&Leaf<'_>],
    matchers: &mut Matchers,
    judge: Judge<'_>,
) -> Vec<(Vec<Shown>, Vec<Gap>)> {
    let mut goals = goals(leaves, matchers);
    if heavy {
        goals.retain(|goal| !goal.exact);
    }
    let conds: Vec<&Cond> = goals.iter().flat_map(|goal| &goal.tries).collect();
    let decided = Decided::with(package, tool, &conds, (Known::ALL, EDGES), matchers);
    let mut out = vec![(Vec::new(), Vec::new()); leaves.len()];
    let Ok(mut decided) = decided else {
        out.fill((Vec::new(), none(Missed::TooLarge)));
        return out;
    };
    let mut first = 0;
    let mut found = Vec::new();
    for goal in &goals {
        // Where the boundary is shown, nothing else is looked for.
        let is_shown =
            |(of, result): &(&Goal, Search)| of.leaf == goal.leaf && of.holds == goal.holds && result.is_ok();
        if goal.exact || !found.iter().any(is_shown) {
            let result = reach(&mut decided, (rule, first), goal, judge);
            found.push((goal, result.unwrap_or(Err(Missed::TooLarge))));
        }
        first += goal.tries.len();
    }
    sort(&found, &mut out);
    out
}

/// Sorts what was found into the conditions it is of.
fn sort(found: &[(&Goal, Search)], out: &mut [(Vec<Shown>, Vec<Gap>)]) {
    for (number, result) in out.iter_mut().enumerate() {
        for holds in [true, false] {
            let here = found
                .iter()
                .filter(|(goal, _)| goal.leaf == number && goal.holds == holds);
            side(holds, &here.collect::<Vec<_>>(), result);
        }
    }
}

/// A call, and whether it is at the boundary; or why none was found.
type Search = Result<(Case, bool), Missed>;

/// Sorts what was found of one side of a condition into calls and gaps.
fn side(holds: bool, found: &[&(&Goal, Search)], (shown, gaps): &mut (Vec<Shown>, Vec<Gap>)) {
    let any = found.iter().any(|(_, result)| result.is_ok());
    for (goal, result) in found {
        let gap = |why, instead| Gap { holds, instead, why };
        match result {
            Ok((call, decides)) => {
                if !decides {
                    gaps.push(gap(Missed::Masked, true));
                }
                let call = call.clone();
                shown.push(Shown { holds, call });
            }
            // Without any call of this side the reason is that of the widest search.
            Err(why) if any || !goal.exact => gaps.push(gap(*why, any)),
            Err(_) => {}
        }
    }
    gaps.dedup();
}

fn goals(leaves: &[&Leaf<'_>], matchers: &mut Matchers) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (number, leaf) in leaves.iter().enumerate() {
        let mut goal = |holds, exact, tries: Vec<Cond>, deciding| {
            goals.push(Goal {
                leaf: number,
                holds,
                exact,
                tries,
                deciding,
            });
        };
        if let Cond::Atom(atom) = leaf.cond {
            for (holds, wants) in values::beside(atom, matchers) {
                let tries: Vec<Cond> = wants.iter().map(|want| leaf.deciding(want, holds)).collect();
                let all = tries.len();
                goal(holds, true, tries, all);
            }
        }
        goal(true, false, leaf.tries(leaf.cond, true), 1);
        if leaf.span.is_some() {
            let fails = Cond::Not(Box::new(leaf.cond.clone()));
            goal(false, false, leaf.tries(&fails, false), 1);
        }
    }
    goals
}

/// A call for a goal, and whether the condition decides its rule there: one that the rule alone gives its verdict, where
/// there is one.
fn reach(
    decided: &mut Decided<'_>,
    (rule, first): (usize, usize),
    goal: &Goal,
    judge: Judge<'_>,
) -> Result<Search, TooLarge> {
    let verdict = decided.package.rules.get(rule).map(|rule| rule.verdict);
    let others = decided.any(&|index, other| index != rule && Some(other.verdict) >= verdict)?;
    let possible = decided.possible();
    let mut why = Missed::Impossible;
    for (at, cond) in goal.tries.iter().enumerate() {
        let calls = decided.also(first + at);
        let calls = decided.logic().and(calls, possible)?;
        let alone = decided.logic().without(calls, others)?;
        for calls in [alone, calls] {
            if calls == Function::NOTHING {
                continue;
            }
            let mut is_one = |call: &Case| judge(call).is_some_and(|record| holds(cond, &[&record]));
            match decided.find_on(calls, limits::EDGE_PATHS, &mut is_one) {
                Found::Call(call) => return Ok(Ok((*call, at < goal.deciding))),
                Found::Unknown => why = Missed::NotFound,
                Found::None => {}
            }
        }
    }
    Ok(Err(why))
}
