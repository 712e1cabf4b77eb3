//! Session state as canonical bytes, and the steps it makes. In: a program, a state, what ran. Out: the next state. A
//! state of another policy, or one that could not be, is refused by name.

use super::labels;
use crate::artifact::{digest, jcs};
use crate::domain::state::{MonitorState, State};
use crate::eval::monitor;
use crate::hir::answer;
use crate::ir::{self, Program, ToolProgram};
use crate::json::{self, Json};
use crate::value::Value;

/// The schema of a state's document.
pub const SCHEMA: &str = "gait.state/1";

/// Why bytes are no state for a gate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Not a state.
    #[error("this is no session state: {0}")]
    Malformed(String),
    /// The state of a session under another policy.
    #[error("the state belongs to another policy, or to another version of this one")]
    Foreign,
}

/// The digest of what a program asks of sessions.
pub(super) fn definition(program: &Program) -> String {
    digest::sha256(&ir::session_bytes(program)).to_string()
}

/// The state before the first event.
pub(super) fn fresh(program: &Program, definition: &str) -> State {
    State {
        definition: definition.to_owned(),
        events: 0,
        labels: 0,
        monitors: program.monitors.iter().map(monitor::initial).collect(),
    }
}

/// Whether a state is one of this program.
pub(super) fn fits(program: &Program, definition: &str, state: &State) -> bool {
    state.definition == definition
        && state.monitors.len() == program.monitors.len()
        && state.labels >> program.labels.names.len() == 0
        && program
            .monitors
            .iter()
            .zip(&state.monitors)
            .all(|(monitor, state)| monitor::fits(monitor, state))
}

/// A call that ran.
pub(super) struct Ran<'a> {
    pub tool: &'a ToolProgram,
    /// What the rules looked at.
    pub record: &'a Value,
    /// The labels of its arguments.
    pub labels: u64,
    /// Whether it succeeded.
    pub ok: bool,
    /// When, in milliseconds since 1970.
    pub now: Option<i128>,
}

/// The state after a call.
pub(super) fn after(program: &Program, state: &State, ran: &Ran<'_>) -> State {
    let labels = labels::of_result(program, ran.tool) | ran.labels;
    let is = |number: u32| {
        let asked = ran.tool.events.iter().find(|(event, _)| *event == number);
        let test = program.events.get(number as usize);
        match (asked, test) {
            (Some((_, cond)), Some(test)) => {
                (test.labels == 0 || test.labels & labels != 0)
                    && test.ok.is_none_or(|ok| ok == ran.ok)
                    && answer::holds(cond, &[ran.record])
            }
            _ => false,
        }
    };
    stepped(program, state, labels, ran.now, &is)
}

/// The state after a person's turn.
pub(super) fn after_turn(program: &Program, state: &State, now: Option<i128>) -> State {
    let is = |number: u32| program.events.get(number as usize).is_some_and(|test| test.turn);
    stepped(program, state, 0, now, &is)
}

fn stepped(
    program: &Program,
    state: &State,
    labels: u64,
    now: Option<i128>,
    is: &dyn Fn(u32) -> bool,
) -> State {
    State {
        definition: state.definition.clone(),
        events: state.events.saturating_add(1),
        labels: state.labels | labels,
        monitors: program
            .monitors
            .iter()
            .zip(&state.monitors)
            .map(|(monitor, state)| monitor::step(monitor, state, now, is))
            .collect(),
    }
}

/// The canonical document of a state.
pub(super) fn to_bytes(state: &State) -> Vec<u8> {
    let monitor = |state: &MonitorState| match state {
        MonitorState::Flag(flag) => Json::Bool(*flag),
        // Bits as text: they need not fit a JSON number.
        MonitorState::Positions(at) => Json::str(format!("{at:x}")),
        MonitorState::Count(n) => Json::int(i64::from(*n)),
        // As text, for the same reason.
        MonitorState::Times(times) => Json::Array(times.iter().map(|at| Json::str(at.to_string())).collect()),
    };
    jcs::to_vec(&Json::object([
        ("schema", Json::str(SCHEMA)),
        ("definition", Json::str(&state.definition)),
        (
            "events",
            Json::int(i64::try_from(state.events).unwrap_or(i64::MAX)),
        ),
        ("labels", Json::str(format!("{:x}", state.labels))),
        (
            "monitors",
            Json::Array(state.monitors.iter().map(monitor).collect()),
        ),
    ]))
}

/// Reads a state; it may still be one of another policy.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<State, StateError> {
    let wrong = |reason: &str| StateError::Malformed(reason.to_owned());
    let json = json::parse(bytes).map_err(|error| wrong(&error.to_string()))?;
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    if text("schema") != Some(SCHEMA) {
        return Err(wrong("it has another schema"));
    }
    let bits = |text: &str| u64::from_str_radix(text, 16).map_err(|_| wrong("its bits are none"));
    let events = json.get("events").and_then(Json::as_i64);
    let monitors = json.get("monitors").and_then(Json::as_array);
    let state = State {
        definition: text("definition")
            .ok_or_else(|| wrong("it names no policy"))?
            .to_owned(),
        events: events
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| wrong("it counts no events"))?,
        labels: bits(text("labels").ok_or_else(|| wrong("it has no labels"))?)?,
        monitors: monitors
            .ok_or_else(|| wrong("it has no monitors"))?
            .iter()
            .map(|state| match state {
                Json::Bool(flag) => Ok(MonitorState::Flag(*flag)),
                Json::String(at) => bits(at).map(MonitorState::Positions),
                Json::Array(times) => {
                    let at = |time: &Json| time.as_str().and_then(|at| at.parse().ok());
                    let times: Option<Vec<i64>> = times.iter().map(at).collect();
                    times
                        .map(MonitorState::Times)
                        .ok_or_else(|| wrong("its times are none"))
                }
                other => other
                    .as_i64()
                    .and_then(|n| u32::try_from(n).ok())
                    .map(MonitorState::Count)
                    .ok_or_else(|| wrong("a monitor's state is none")),
            })
            .collect::<Result<_, _>>()?,
    };
    if to_bytes(&state) == bytes {
        Ok(state)
    } else {
        Err(wrong("it is not in canonical form"))
    }
}
