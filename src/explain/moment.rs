//! The time of a call as a change of it. A rule sees the time as a slot, and so whether a window is open; what is changed
//! is the moment at which the call is made, and the gate judges it at that moment. In: changes of slots. Out: the same as
//! changes of the time. It reads no clock.

use super::candidate::{Candidate, Edit};
use crate::hir::{Open, Package, Slot, Step, Tool, Window};
use crate::value::Value;

/// The slot that a place of the request is.
pub(super) fn slot<'t>(tool: &'t Tool, steps: &[Step]) -> Option<&'t Slot> {
    let [Step::Field(first)] = steps else { return None };
    tool.slots
        .get((*first as usize).checked_sub(tool.args.len() + 1)?)
}

/// Whether a place of the request is one that follows from the time alone.
pub(super) fn is_of_time(tool: &Tool, steps: &[Step]) -> bool {
    matches!(slot(tool, steps), Some(Slot::Now | Slot::Window(_)))
}

/// A change of such a slot as one of the time; any other change as it is. `None` where no moment does it, and for what can be
/// no finding of the gate: nothing is counted below zero.
pub(super) fn placed(
    package: &Package,
    tool: &Tool,
    now: Option<i128>,
    candidate: Candidate,
) -> Option<Candidate> {
    let at = |moment: Option<i128>| {
        Some(Candidate {
            edit: Edit::At(moment?),
            ..candidate.clone()
        })
    };
    match (slot(tool, candidate.root()), &candidate.edit) {
        (Some(Slot::Now), Edit::Put(Value::Num(moment), _)) => at(Some(*moment)),
        (Some(Slot::Window(number)), Edit::Put(Value::Bool(open), _)) => {
            let window = package.windows.get(*number as usize)?;
            at(next(window, now?, *open))
        }
        (Some(Slot::Now | Slot::Window(_)), _) => None,
        (Some(Slot::Used { .. } | Slot::Tally(_)), Edit::Put(Value::Num(n), _)) if *n < 0 => None,
        _ => Some(candidate),
    }
}

/// The time that one of some changes is of.
pub(super) fn chosen<'c>(mut changes: impl Iterator<Item = &'c Candidate>) -> Option<i128> {
    changes.find_map(|candidate| match candidate.edit {
        Edit::At(moment) => Some(moment),
        _ => None,
    })
}

/// The first moment from `now` on at which a window is as wanted, of those at which one of its spans starts or ends; where there is
/// none, the last one before.
fn next(window: &Window, now: i128, open: bool) -> Option<i128> {
    let mut moments: Vec<i128> = Vec::new();
    for span in &window.spans {
        match *span {
            Open::Between { start, end } => moments.extend([start, end, start.saturating_sub(SECOND)]),
            Open::Weekly { start, end, .. } => {
                for day in -1..=DAYS {
                    moments.extend(edges(
                        window,
                        now.saturating_add(day * 86_400 * SECOND),
                        [start, end],
                    ));
                }
            }
        }
    }
    moments.sort_unstable();
    let fits = |moment: &i128| window.is_open(*moment) == Some(open);
    let mut after = moments.iter().filter(|moment| **moment >= now).copied();
    after
        .find(fits)
        .or_else(|| moments.iter().rev().copied().find(fits))
}

/// Milliseconds.
const SECOND: i128 = 1000;
/// How many days are looked at: every day of a week, whole.
const DAYS: i128 = 8;

/// The moments of a day at which the clocks of a window's zone show these seconds since midnight. The clocks may be put forward or
/// back on that day.
fn edges(window: &Window, day: i128, seconds: [u32; 2]) -> Vec<i128> {
    let Some(local) = window.zone.local(day) else {
        return Vec::new();
    };
    let midnight = day - day.rem_euclid(SECOND) - i128::from(local.second) * SECOND;
    let shifts = [0, -3600, 3600, -1800, 1800].map(|seconds| seconds * SECOND);
    let of = |second: u32| shifts.map(|shift| midnight + i128::from(second) * SECOND + shift);
    seconds.into_iter().flat_map(of).collect()
}
