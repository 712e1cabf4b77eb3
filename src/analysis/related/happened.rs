//! What monitors have seen of the same events, or of events of which one is always the other: what happened at all happened
//! at least once, and within a span not more often than ever. In: the monitors that are asked. Out: a function that is
//! true of every call there can be.

use super::super::diagram::{Function, TooLarge};
use super::super::{Calls, Means, computed_ty};
use super::Related;
use crate::classes::{ClassSet, Classifier, Matchers, sample};
use crate::hir::{Cond, Event, Monitor, Package, Slot};
use crate::ir::space::Space;
use crate::limits;

type Result<T> = std::result::Result<T, TooLarge>;

pub(super) fn possible(
    related: &Related<'_>,
    calls: &mut Calls,
    matchers: &mut Matchers,
) -> Result<Function> {
    let seen = related
        .slots
        .iter()
        .enumerate()
        .filter_map(|(at, slot)| match slot {
            Slot::History(monitor) | Slot::Tally(monitor) => {
                let monitor = related.package.history.monitors.get(*monitor as usize)?;
                Some((Seen::of(monitor)?, related.variable(calls, at)?))
            }
            _ => None,
        });
    let seen: Vec<(Seen, u32)> = seen.collect();
    let mut all = Function::EVERYTHING;
    for ((a, small), (b, large)) in seen.iter().flat_map(|a| seen.iter().map(move |b| (a, b))) {
        if small == large || !a.at_most(b, &mut |small, large| is_always(related, small, large, matchers)) {
            continue;
        }
        for class in 0..calls.logic.count(*small) {
            let Some((least, _)) = counted(calls, *small, class) else {
                continue;
            };
            // Of a flag no more is known than whether it is set.
            let least = if b.is_flag { least.min(1) } else { least };
            let mut enough = ClassSet::empty(calls.logic.count(*large));
            for other in 0..calls.logic.count(*large) {
                if counted(calls, *large, other).is_none_or(|(_, most)| most >= least) {
                    enough.insert(other);
                }
            }
            let mut own = ClassSet::empty(calls.logic.count(*small));
            own.insert(class);
            let (own, enough) = (calls.logic.is(*small, &own)?, calls.logic.is(*large, &enough)?);
            let against = calls.logic.without(own, enough)?;
            all = calls.logic.without(all, against)?;
        }
    }
    Ok(all)
}

/// What a monitor has seen of one event: how often it was, or whether.
struct Seen {
    event: u32,
    /// The span before the call; none for ever.
    within: Option<u64>,
    is_flag: bool,
    /// Whether something may make it forget.
    forgets: bool,
}

impl Seen {
    fn of(monitor: &Monitor) -> Option<Seen> {
        let seen = |event, within, is_flag, forgets| Seen {
            event,
            within,
            is_flag,
            forgets,
        };
        match monitor {
            Monitor::Flag { set, clear, .. } => Some(seen(*set, None, true, clear.is_some())),
            Monitor::Count { event, .. } => Some(seen(*event, None, false, false)),
            Monitor::Recent { event, within, .. } => Some(seen(*event, Some(*within), false, false)),
            Monitor::Pattern(_) => None,
        }
    }

    /// Whether it has never seen more than another.
    fn at_most(&self, other: &Seen, is_always: &mut dyn FnMut(u32, u32) -> bool) -> bool {
        let within = match (self.within, other.within) {
            (_, None) => true,
            (Some(own), Some(other)) => own <= other,
            (None, Some(_)) => false,
        };
        // A flag stands for one event, and that it is not set says nothing where it forgets.
        within && !other.forgets && is_always(self.event, other.event)
    }
}

/// How often something was, by the class of what is counted or of its flag.
fn counted(calls: &Calls, variable: u32, class: u32) -> Option<(i128, i128)> {
    let found = calls.level.variables.get(variable as usize)?;
    match &found.classifier {
        Classifier::Bool => match class {
            0 => Some((0, 0)),
            1 => Some((1, i128::MAX)),
            _ => None,
        },
        Classifier::Cuts(cuts) if class + 1 < found.count => {
            let (least, most) = sample::interval(&found.ty, cuts, class)?;
            Some((least.max(0), most))
        }
        _ => None,
    }
}

/// Whether every event of one number is one of another number, too.
fn is_always(related: &Related<'_>, event: u32, other: u32, matchers: &mut Matchers) -> bool {
    let package = related.package;
    let events = &package.history.events;
    if event == other {
        return true;
    }
    let (Some(event), Some(other)) = (events.get(event as usize), events.get(other as usize)) else {
        return false;
    };
    // Of labels that results get for other reasons in the one policy than in the other, having one says nothing of the other.
    let narrower = event.labels & !(other.labels & related.known.labels) == 0;
    let labels = other.labels == 0 || event.labels != 0 && narrower;
    let ok = other.ok.is_none() || event.ok == other.ok;
    labels && ok && event.turn == other.turn && calls_are(package, event, other, matchers)
}

fn calls_are(package: &Package, event: &Event, other: &Event, matchers: &mut Matchers) -> bool {
    event.calls.iter().all(|(tool, cond)| {
        let mut wider = other.calls.iter().filter(|(of, _)| of == tool);
        wider.any(|(_, wide)| {
            cond.unplaced() == wide.unplaced()
                || implies(package, *tool, [cond, wide], matchers) == Some(true)
        })
    })
}

/// Whether every call of a tool that satisfies a condition satisfies another; none where that was not decided.
fn implies(package: &Package, tool: usize, conds: [&Cond; 2], matchers: &mut Matchers) -> Option<bool> {
    let declared = package.tools.get(tool)?;
    let first = u32::try_from(declared.args.len() + 1).ok()?;
    let mut space = Space::new(first, &declared.slots, &conds, matchers)?;
    let [narrow, wide] = conds.map(|cond| space.formula(cond));
    let ty = computed_ty(package, declared, space.slots().1);
    let means = Means::edges(limits::EDGES, limits::EDGES);
    let mut calls = Calls::over(space.level(), &ty, means).ok()?;
    let (narrow, wide) = (calls.function(&narrow?).ok()?, calls.function(&wide?).ok()?);
    let beyond = calls.logic.without(narrow, wide).ok()?;
    let beyond = calls.logic.and(beyond, calls.possible).ok()?;
    Some(beyond == Function::NOTHING)
}
