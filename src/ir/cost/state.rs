//! How large what is remembered becomes: the state of a session and the counters of limits, as the canonical documents that
//! are written of them, member by member. In: labels, monitors, limits. Out: bytes.

use crate::hir::{Labels, Monitor, Per};
use crate::limits;

/// A state without labels, monitors and events; the digest of what the policy asks of sessions is in it.
const EMPTY: usize =
    r#"{"definition":"sha256:","events":,"labels":"","monitors":[],"schema":"gait.state/1"}"#.len() + 64;
/// The number of events, which is written as an integer of JSON.
const EVENTS: usize = 16;
/// The time of an event, in quotes.
const TIME: usize = 22;

/// The most bytes that the state of a session takes.
pub fn state_bytes(labels: &Labels, monitors: &[Monitor]) -> u64 {
    let each = monitors.iter().map(|monitor| super::size(monitor_bytes(monitor)));
    let between = super::size(monitors.len().saturating_sub(1));
    super::sum(
        [super::size(EMPTY + EVENTS + hex(labels.names.len())), between]
            .into_iter()
            .chain(each),
    )
}

/// The most bytes that the state of a monitor takes in it.
pub fn monitor_bytes(monitor: &Monitor) -> usize {
    match monitor {
        Monitor::Flag { .. } => "false".len(),
        Monitor::Pattern(steps) => 2 + hex(steps.len() + 1),
        Monitor::Count { cap, .. } => cap.to_string().len(),
        Monitor::Recent { cap, .. } => 2 + (*cap as usize).saturating_mul(TIME + 1).saturating_sub(1),
    }
}

/// Digits of so many bits.
fn hex(bits: usize) -> usize {
    bits.div_ceil(4).max(1)
}

/// A counter without charges; the digest that names it is in it.
const EMPTY_COUNTER: usize = r#"{"counter":"sha256:","entries":[],"schema":"gait.counter/1"}"#.len() + 64;
/// A settled charge, with a comma: its amount and time are numbers of 128 and 64 bits.
const CHARGE: usize = r#"{"amount":"","at":""},"#.len() + 39 + 20;
/// What an open one has besides: the call.
const CALL: usize = r#","call":"""#.len() + limits::ID_BYTES;

/// The most bytes that one counter of a limit takes, while clocks do not go back.
pub fn counter_bytes(per: Per) -> u64 {
    let settled = match per {
        Per::Time(span) => {
            let step = (span / limits::COUNTER_STEPS).max(1);
            (span / step).saturating_add(2)
        }
        Per::Session | Per::Run => 1,
    };
    let size = super::size;
    let open = super::product(size(limits::OPEN_CHARGES), size(CHARGE + CALL));
    super::sum([size(EMPTY_COUNTER), super::product(settled, size(CHARGE)), open])
}
