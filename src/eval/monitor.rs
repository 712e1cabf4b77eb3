//! Monitors over a session: the state before the first event, the step an event makes, and what a state says. All of
//! them are of constant size, and a step costs as much as the monitor is long.

use crate::domain::state::MonitorState;
use crate::hir::{Monitor, PatternStep};

/// The state before the first event.
pub fn initial(monitor: &Monitor) -> MonitorState {
    match monitor {
        Monitor::Flag { .. } => MonitorState::Flag(false),
        Monitor::Pattern(steps) => MonitorState::Positions(closure(steps, 1)),
        Monitor::Count { .. } => MonitorState::Count(0),
        Monitor::Recent { .. } => MonitorState::Times(Vec::new()),
    }
}

/// The state after an event at a time, in milliseconds since 1970; `is` says which numbered events it is. An event of
/// which nobody says when it was stays recent. A state of another kind stays as it is.
pub fn step(
    monitor: &Monitor,
    state: &MonitorState,
    now: Option<i128>,
    is: &dyn Fn(u32) -> bool,
) -> MonitorState {
    match (monitor, state.clone()) {
        (
            Monitor::Flag {
                set,
                clear,
                clear_wins,
            },
            MonitorState::Flag(flag),
        ) => {
            let (sets, clears) = (is(*set), clear.is_some_and(is));
            MonitorState::Flag(match (sets, clears) {
                (true, true) => !clear_wins,
                (true, false) => true,
                (false, true) => false,
                (false, false) => flag,
            })
        }
        (Monitor::Pattern(steps), MonitorState::Positions(at)) => {
            MonitorState::Positions(advance(steps, at, is))
        }
        (Monitor::Count { event, cap }, MonitorState::Count(n)) => {
            MonitorState::Count(n.saturating_add(u32::from(is(*event))).min(*cap))
        }
        (Monitor::Recent { event, cap, .. }, MonitorState::Times(mut times)) => {
            if is(*event) {
                let now = now.map_or(i64::MAX, |now| now.clamp(i64::MIN.into(), i64::MAX.into()) as i64);
                times.insert(times.partition_point(|at| *at <= now), now);
                let extra = times.len().saturating_sub(*cap as usize);
                times.drain(..extra);
            }
            MonitorState::Times(times)
        }
        (_, state) => state,
    }
}

/// How many events a monitor counts at a time, in milliseconds since 1970; `None` where it counts none, or where it
/// needs the time and nobody says it. An event is recent until its span has passed; one after `now` is, too.
pub fn count(monitor: &Monitor, state: &MonitorState, now: Option<i128>) -> Option<u32> {
    match (monitor, state) {
        (Monitor::Count { .. }, MonitorState::Count(n)) => Some(*n),
        (Monitor::Recent { within, .. }, MonitorState::Times(times)) => {
            let oldest = now?.saturating_sub(i128::from(*within));
            let recent = times.iter().filter(|at| i128::from(**at) > oldest).count();
            u32::try_from(recent).ok()
        }
        _ => None,
    }
}

/// Whether a flag is set or a pattern matches.
pub fn holds(monitor: &Monitor, state: &MonitorState) -> bool {
    match (monitor, state) {
        (Monitor::Flag { .. }, MonitorState::Flag(flag)) => *flag,
        (Monitor::Pattern(steps), MonitorState::Positions(at)) => at >> steps.len() & 1 == 1,
        _ => false,
    }
}

/// Whether a state is one of this monitor.
pub fn fits(monitor: &Monitor, state: &MonitorState) -> bool {
    match (monitor, state) {
        (Monitor::Flag { .. }, MonitorState::Flag(_)) => true,
        (Monitor::Pattern(steps), &MonitorState::Positions(at)) => {
            at & 1 == 1 && closure(steps, at) == at && at >> steps.len() >> 1 == 0
        }
        (Monitor::Count { cap, .. }, MonitorState::Count(n)) => n <= cap,
        (Monitor::Recent { cap, .. }, MonitorState::Times(times)) => {
            times.len() <= *cap as usize && times.is_sorted()
        }
        _ => false,
    }
}

/// A pattern may begin anywhere, so position 0 is always reached.
fn advance(steps: &[PatternStep], at: u64, is: &dyn Fn(u32) -> bool) -> u64 {
    let mut next = 1u64;
    for (index, step) in steps.iter().enumerate() {
        if at >> index & 1 == 0 {
            continue;
        }
        match step {
            PatternStep::Event(event) if is(*event) => next |= 1 << (index + 1),
            PatternStep::Event(_) => {}
            PatternStep::Any => next |= 1 << index,
            PatternStep::Maybe => next |= 1 << (index + 1),
        }
    }
    closure(steps, next)
}

/// Adds what is reached without an event: the end of a gap.
fn closure(steps: &[PatternStep], mut at: u64) -> u64 {
    for (index, step) in steps.iter().enumerate() {
        if at >> index & 1 == 1 && !matches!(step, PatternStep::Event(_)) {
            at |= 1 << (index + 1);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{count, holds, initial, step};
    use crate::hir::{Monitor, PatternStep};
    use proptest::prelude::*;

    /// Whether the last events match the steps: by trying every way to lay the steps over every suffix.
    fn matches(steps: &[PatternStep], events: &[u8]) -> bool {
        fn from(steps: &[PatternStep], events: &[u8]) -> bool {
            match (steps.split_first(), events.split_first()) {
                (None, _) => events.is_empty(),
                (Some((PatternStep::Event(e), rest)), Some((event, later))) => {
                    event >> e & 1 == 1 && from(rest, later)
                }
                (Some((PatternStep::Event(_), _)), None) => false,
                (Some((PatternStep::Any, rest)), Some((_, later))) => {
                    from(rest, events) || from(steps, later)
                }
                (Some((PatternStep::Maybe, rest)), Some((_, later))) => {
                    from(rest, events) || from(rest, later)
                }
                (Some((PatternStep::Any | PatternStep::Maybe, rest)), None) => from(rest, events),
            }
        }
        (0..=events.len()).any(|start| from(steps, &events[start..]))
    }

    /// What a monitor says, from its definition over the whole history.
    fn naive(monitor: &Monitor, events: &[u8], times: &[i64]) -> (bool, u32) {
        let is = |event: u8, n: u32| event >> n & 1 == 1;
        match monitor {
            Monitor::Flag {
                set,
                clear,
                clear_wins,
            } => {
                let last = |n: u32| events.iter().rposition(|e| is(*e, n));
                let (set, clear) = (last(*set), clear.and_then(last));
                let holds = match (set, clear) {
                    (Some(set), Some(clear)) if set == clear => !clear_wins,
                    (Some(set), Some(clear)) => set > clear,
                    (set, _) => set.is_some(),
                };
                (holds, 0)
            }
            Monitor::Pattern(steps) => (matches(steps, events), 0),
            Monitor::Count { event, cap } => {
                let n = events.iter().filter(|e| is(**e, *event)).count();
                (false, u32::try_from(n).unwrap().min(*cap))
            }
            Monitor::Recent { event, cap, within } => {
                let now = *times.last().unwrap();
                let recent = |at: i64| now - at < i64::try_from(*within).unwrap();
                let both = events.iter().zip(times);
                let n = both.filter(|(e, at)| is(**e, *event) && recent(**at)).count();
                (false, u32::try_from(n).unwrap().min(*cap))
            }
        }
    }

    fn monitors() -> impl Strategy<Value = Monitor> {
        let step = prop_oneof![
            (0u32..4).prop_map(PatternStep::Event),
            Just(PatternStep::Any),
            Just(PatternStep::Maybe)
        ];
        prop_oneof![
            (0u32..4, prop::option::of(0u32..4), any::<bool>()).prop_map(|(set, clear, clear_wins)| {
                Monitor::Flag {
                    set,
                    clear,
                    clear_wins,
                }
            }),
            prop::collection::vec(step, 1..7).prop_map(Monitor::Pattern),
            (0u32..4, 1u32..40).prop_map(|(event, cap)| Monitor::Count { event, cap }),
            (0u32..4, 1u32..40, 1u64..90).prop_map(|(event, cap, within)| Monitor::Recent {
                event,
                cap,
                within
            }),
        ]
    }

    proptest! {
        #[test]
        fn monitors_say_what_the_whole_history_says(
            monitor in monitors(),
            // Each event is a set of the four numbered ones.
            events in prop::collection::vec(0u8..16, 0..300),
            // How long after the one before; a clock may go back.
            steps in prop::collection::vec(-3i64..20, 300),
        ) {
            let mut state = initial(&monitor);
            let mut times = Vec::new();
            for (at, event) in events.iter().enumerate() {
                times.push(times.last().unwrap_or(&0) + steps[at]);
                let now = times.last().copied().map(i128::from);
                state = step(&monitor, &state, now, &|n| event >> n & 1 == 1);
                prop_assert!(super::fits(&monitor, &state));
                // Trying every way takes long on long histories; the last dozen decides bounded patterns as well.
                let so_far = &events[..=at];
                let is_short = at < 14 || !matches!(&monitor, Monitor::Pattern(_));
                if is_short {
                    let (expected, counted) = naive(&monitor, so_far, &times);
                    prop_assert_eq!(holds(&monitor, &state), expected);
                    if matches!(&monitor, Monitor::Count { .. } | Monitor::Recent { .. }) {
                        prop_assert_eq!(count(&monitor, &state, now), Some(counted));
                    }
                }
            }
        }
    }
}
