//! Which windows are open together, and at which times: those of one zone are open by the same clock. In: the windows that are
//! asked, and what is asked of the time. Out: a function that is true of every call there can be.

use super::super::Calls;
use super::super::diagram::{Function, TooLarge};
use super::{Related, is};
use crate::builtins::zone::{Local, Zone};
use crate::classes::{ClassSet, Classifier};
use crate::hir::answer::View;
use crate::hir::{Open, Slot, Window};
use crate::limits;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TooLarge>;

const DAY: u32 = 86_400;

pub(super) fn possible(related: &Related<'_>, calls: &mut Calls) -> Result<Function> {
    let asked = related
        .slots
        .iter()
        .enumerate()
        .filter_map(|(at, slot)| match slot {
            Slot::Window(window) => {
                let window = related.package.windows.get(*window as usize)?;
                Some((related.variable(calls, at)?, window))
            }
            _ => None,
        });
    let asked: Vec<(u32, &Window)> = asked.collect();
    let at = related.slots.iter().position(|slot| *slot == Slot::Now);
    let now = at.and_then(|at| related.variable(calls, at));
    let mut zones: Vec<&Zone> = Vec::new();
    for (_, window) in &asked {
        if !zones.contains(&&window.zone) {
            zones.push(&window.zone);
        }
    }
    let mut all = Function::EVERYTHING;
    for zone in zones {
        let here: Vec<(u32, &Window)> = asked
            .iter()
            .filter(|(_, window)| window.zone == *zone)
            .copied()
            .collect();
        let together = together(calls, &here, now)?;
        all = calls.logic.and(all, together)?;
    }
    Ok(all)
}

/// How windows of one zone are open or not at some time.
fn together(calls: &mut Calls, windows: &[(u32, &Window)], now: Option<u32>) -> Result<Function> {
    let moments = moments(calls, windows, now);
    let clocks = clocks(windows);
    if moments.len().saturating_mul(clocks.len()) > limits::RELATED_CASES {
        return Ok(Function::EVERYTHING);
    }
    let class = |moment: i128| {
        let variable = calls.level.variables.get(now? as usize)?;
        variable.classifier.class(&View::Num(moment))
    };
    let mut seen: BTreeSet<(Vec<bool>, Option<u32>)> = BTreeSet::new();
    for moment in &moments {
        let class = class(*moment);
        for clock in &clocks {
            let open = windows
                .iter()
                .map(|(_, window)| window.is_open_by(*clock, *moment));
            seen.insert((open.collect(), class));
        }
    }
    let mut any = Function::NOTHING;
    for (open, class) in seen {
        let mut here = Function::EVERYTHING;
        for ((variable, _), open) in windows.iter().zip(open) {
            let own = is(calls, *variable, open)?;
            here = calls.logic.and(here, own)?;
        }
        if let (Some(variable), Some(class)) = (now, class) {
            let mut classes = ClassSet::empty(calls.logic.count(variable));
            classes.insert(class);
            let own = calls.logic.is(variable, &classes)?;
            here = calls.logic.and(here, own)?;
        }
        any = calls.logic.or(any, here)?;
    }
    Ok(any)
}

/// A moment of each span between those at which a window opens or closes for good, or the class of the time changes.
fn moments(calls: &Calls, windows: &[(u32, &Window)], now: Option<u32>) -> BTreeSet<i128> {
    let mut moments = BTreeSet::from([i128::MIN]);
    for span in windows.iter().flat_map(|(_, window)| &window.spans) {
        if let Open::Between { start, end } = span {
            moments.extend([*start, *end]);
        }
    }
    let asked = now.and_then(|now| calls.level.variables.get(now as usize));
    if let Some(Classifier::Cuts(cuts)) = asked.map(|variable| &variable.classifier) {
        moments.extend(cuts);
    }
    moments
}

/// What the clock shows at the start of each span of the week in which no window opens or closes.
fn clocks(windows: &[(u32, &Window)]) -> Vec<Local> {
    let mut seconds = BTreeSet::from([0, DAY]);
    for span in windows.iter().flat_map(|(_, window)| &window.spans) {
        if let Open::Weekly { start, end, .. } = span {
            seconds.extend([*start, *end]);
        }
    }
    seconds.remove(&DAY);
    let days = 0..7u8;
    days.flat_map(|weekday| {
        seconds.iter().map(move |second| Local {
            weekday,
            second: *second,
        })
    })
    .collect()
}
