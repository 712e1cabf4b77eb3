//! Rules that change nothing: those that match no call, and those of whose calls other rules say all that they say. In:
//! a package. Out: such rules, each with a smallest set of rules that cover it. All of them can be removed at once. A
//! rule of which nothing is said may change nothing, too; of those that are named it is proved.

mod needs;

use super::diagram::{Function, TooLarge};
use super::related::Known;
use super::{Decided, Means};
use crate::classes::Matchers;
use crate::hir::{Package, Rule};
use crate::limits;
use needs::Need;
use std::collections::BTreeSet;

/// In what way a rule changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It matches no call.
    Vacuous,
    /// Without it every call gets the same verdict, codes, approvals and obligations.
    Dead,
    /// The same but for its code.
    Subsumed,
}

/// Why a rule changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// In what way.
    pub kind: Kind,
    /// Rules that together say all that it says, by index, in order; none of them can be left out.
    pub covers: Vec<usize>,
    /// Whether the default says the same of calls that no other rule speaks of.
    pub default: bool,
}

/// A rule that changes nothing, by index, and why.
pub fn idle(package: &Package) -> Vec<(usize, Idle)> {
    let mut tools = Tools::new(package);
    // A limit also counts.
    let own = |(_, rule): &(usize, &Rule)| rule.policy == 0 && !rule.limit && !rule.on.is_empty();
    let rules: Vec<(usize, &Rule)> = package.rules.iter().enumerate().filter(own).collect();
    let mut found: Vec<(usize, Idle)> = Vec::new();
    // Of two rules that say the same the later one is named; what only the default covers comes last.
    for (kind, by_default) in [
        (Kind::Dead, true),
        (Kind::Subsumed, false),
        (Kind::Subsumed, true),
    ] {
        for (index, rule) in rules.iter().rev() {
            // Whose code is written, that is what it is for.
            let may_be = kind == Kind::Dead || rule.code == rule.name;
            let is_last = kind == Kind::Subsumed && by_default;
            let may_be = may_be && (!is_last || rule.verdict == package.default.0);
            if may_be
                && found.iter().all(|(known, _)| known != index)
                && let Some(idle) = tools.everywhere((*index, rule), kind, by_default)
            {
                found.push((*index, idle));
            }
        }
    }
    found.sort_by_key(|(index, _)| *index);
    found
}

/// Rules that change nothing on one tool, by index, and why; each for itself.
pub(super) fn on_one(decided: &mut Decided<'_>) -> Result<Vec<(usize, Idle)>, TooLarge> {
    let package = decided.package;
    let none = BTreeSet::new();
    let mut found = Vec::new();
    for (index, _) in decided.rules().to_vec() {
        let Some(rule) = package.rules.get(index).filter(|rule| !rule.limit) else {
            continue;
        };
        let own_code = if rule.code == rule.name {
            Kind::Subsumed
        } else {
            Kind::Dead
        };
        let mut idle = on_tool(decided, index, Kind::Dead, &none)?;
        if idle.is_none() && own_code == Kind::Subsumed {
            idle = on_tool(decided, index, Kind::Subsumed, &none)?;
        }
        let is_needed =
            rule.refines || needs::is_needed_where_nothing_speaks(package, decided.tool, index, &none);
        found.extend(
            idle.filter(|idle| idle.kind == Kind::Vacuous || !is_needed)
                .map(|idle| (index, idle)),
        );
    }
    Ok(found)
}

/// Every tool, with what is decided of it as far as that can be told.
struct Tools<'p> {
    package: &'p Package,
    decided: Vec<Option<Decided<'p>>>,
    /// Rules that are taken to be removed.
    removed: BTreeSet<usize>,
}

impl<'p> Tools<'p> {
    fn new(package: &'p Package) -> Tools<'p> {
        let mut matchers = Matchers::default();
        let mut left = limits::ANALYSIS_EDGES;
        let decided = (0..package.tools.len()).map(|tool| {
            let most = left.min(limits::IDLE_EDGES);
            let means = Means::edges(most, limits::ANALYSIS_EDGES);
            let mut decided = Decided::with(package, tool, &[], (Known::ALL, means), &mut matchers).ok()?;
            left = left.saturating_sub(decided.logic().size());
            Some(decided)
        });
        Tools {
            package,
            decided: decided.collect(),
            removed: BTreeSet::new(),
        }
    }

    /// Why a rule changes nothing on any of its tools; then it counts as removed. `by_default` says whether the default may
    /// cover it.
    fn everywhere(&mut self, (index, rule): (usize, &Rule), kind: Kind, by_default: bool) -> Option<Idle> {
        let mut all = Idle {
            kind: Kind::Vacuous,
            covers: Vec::new(),
            default: false,
        };
        let mut is_needed_where_nothing_speaks = false;
        for (tool, _) in &rule.on {
            let decided = self.decided.get_mut(*tool)?.as_mut()?;
            let here = on_tool(decided, index, kind, &self.removed).ok()??;
            all.kind = all.kind.max(here.kind);
            all.covers.extend(here.covers);
            all.default |= here.default;
            is_needed_where_nothing_speaks |=
                needs::is_needed_where_nothing_speaks(self.package, *tool, index, &self.removed);
        }
        if all.default && !by_default {
            return None;
        }
        // Rules that give way to it would no longer.
        if (is_needed_where_nothing_speaks || rule.refines) && all.kind != Kind::Vacuous {
            return None;
        }
        if !is_needed_where_nothing_speaks {
            self.removed.insert(index);
        }
        all.covers.sort_unstable();
        all.covers.dedup();
        Some(all)
    }
}

/// Why a rule changes nothing on one tool, with some rules removed; none where it changes something.
pub(super) fn on_tool(
    decided: &mut Decided<'_>,
    index: usize,
    kind: Kind,
    removed: &BTreeSet<usize>,
) -> Result<Option<Idle>, TooLarge> {
    let possible = decided.possible();
    let own = decided.rules().iter().find(|(of, _)| *of == index);
    let Some((_, matches)) = own.copied() else {
        return Ok(None);
    };
    let calls = decided.logic().and(possible, matches)?;
    if calls == Function::NOTHING {
        return Ok(Some(Idle {
            kind: Kind::Vacuous,
            covers: Vec::new(),
            default: false,
        }));
    }
    let (needs, left_to_default) = needs::needs(decided, (index, calls), kind, removed)?;
    let mut covers = BTreeSet::new();
    for need in &needs {
        match cover(decided, need, &|_| true)? {
            Some(some) => covers.extend(some),
            None => return Ok(None),
        }
    }
    for rule in covers.clone().into_iter().rev() {
        covers.remove(&rule);
        for need in &needs {
            if cover(decided, need, &|other| covers.contains(&other))?.is_none() {
                covers.insert(rule);
                break;
            }
        }
    }
    Ok(Some(Idle {
        kind,
        covers: covers.into_iter().collect(),
        default: left_to_default,
    }))
}

/// Rules that speak of all calls of a need, of those that may count; none where some call is left.
fn cover(
    decided: &mut Decided<'_>,
    need: &Need,
    may_count: &dyn Fn(usize) -> bool,
) -> Result<Option<Vec<usize>>, TooLarge> {
    let logic = decided.logic();
    let mut left = need.calls;
    let mut used = Vec::new();
    while let Some(point) = logic.point(left)? {
        // One call of which nobody speaks is enough to know.
        let speaks = need
            .by
            .iter()
            .find(|(rule, calls)| may_count(*rule) && logic.is_at(*calls, &point));
        let Some((rule, calls)) = speaks else {
            return Ok(None);
        };
        left = logic.without(left, *calls)?;
        used.push(*rule);
    }
    Ok(Some(used))
}
