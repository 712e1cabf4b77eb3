//! Replay: recorded tool calls are decided again under a policy and counted, per tool, per task and per attacked run.
//! In: a gate and the bytes of call files (JSONL or JSON, plain or gzip). Out: a `Report`, the same for the same
//! bytes. Memory holds one line and the counts. It opens no files and prints nothing.

mod lines;
mod origins;
mod shape;
mod simulate;
mod tally;

pub use simulate::{Direction, Simulation};
pub use tally::{Attacked, Calls, Decided, Finding, FindingKind, Report, Tasks, ToolTally};

use crate::artifact::TraceRecord;
use crate::domain::{Counters, Decision, Request, State, Verdict};
use crate::eval::Workspace;
use crate::gate::{self, Gate};
use crate::json::{Json, JsonError};
use crate::limits;
use lines::{Document, Fault};
use shape::{Call, Grouping, Record};
use std::collections::BTreeMap;
use std::fmt;
use tally::Group;

/// What to replay of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Taken off tool names; calls of tools without it are left out and counted.
    pub tool_prefix: Option<String>,
    /// When the calls were made that do not say it, in milliseconds since 1970.
    pub at: Option<i128>,
    /// Only documents whose top-level members have these texts; the others are left out and counted.
    pub only: Vec<(String, String)>,
    /// Keep what was decided of each call.
    pub each: bool,
}

/// A place in a call file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of the (unpacked) text.
    Line(u64),
    /// An element of the array the file consists of.
    Element(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(n) => write!(f, "line {n}"),
            Place::Element(n) => write!(f, "element {n}"),
        }
    }
}

/// Why a call file cannot be replayed. No part of such a file counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Not JSON, or JSON that could be read in two ways.
    #[error("{file}, {place}: {error}")]
    Malformed {
        /// The file.
        file: String,
        /// Where.
        place: Place,
        /// What is wrong.
        error: JsonError,
    },
    /// JSON, but no recorded call.
    #[error("{file}, {place}: {reason}")]
    Shape {
        /// The file.
        file: String,
        /// Where.
        place: Place,
        /// What was expected.
        reason: String,
    },
    /// Damaged gzip, or a bound that the unpacked text exceeds.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

impl ReplayError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ReplayError::Malformed { .. } => "calls.malformed",
            ReplayError::Shape { .. } => "calls.shape",
            ReplayError::Unreadable { .. } => "calls.unreadable",
        }
    }
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay<'g> {
    gate: &'g Gate,
    workspace: Workspace,
    counters: Counters,
    options: Options,
    /// The file that is replayed; none where it is not one of calls.
    file: Option<String>,
    report: Report,
}

impl<'g> Replay<'g> {
    /// A replay under the gate's policy.
    pub fn new(gate: &'g Gate, options: Options) -> Self {
        Replay {
            gate,
            workspace: gate.workspace(),
            counters: Counters::default(),
            options,
            file: None,
            report: Report::default(),
        }
    }

    /// Replays one file. `name` is for messages; `progress` hears how many of the bytes are done. A session spans
    /// the lines of one file, never two files.
    pub fn file(
        &mut self,
        name: &str,
        bytes: &[u8],
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ReplayError> {
        let mut sessions = BTreeMap::new();
        self.file = Some(name.to_owned());
        let named = |fault: Fault| fault.named(name);
        lines::each(bytes, progress, &mut |document| {
            self.document(document, &mut sessions)
        })
        .map_err(named)?;
        for (group, _) in sessions.into_values() {
            self.report.close(&group);
        }
        Ok(())
    }

    /// Replays calls that gates have judged, with what each knew of its call and at its time, in the order in which they were
    /// judged. A call whose whole intent is not kept is left out and counted.
    pub fn traces<'r>(
        &mut self,
        records: impl IntoIterator<Item = (&'r TraceRecord, Option<&'r Json>)>,
    ) -> Result<(), ReplayError> {
        let mut sessions = BTreeMap::new();
        self.file = None;
        for (record, beside) in records {
            self.report.documents += 1;
            let whole = record.intent.as_ref().or(beside).filter(|_| !record.redacts());
            let Some(intent) = whole else {
                self.report.skipped_documents += 1;
                continue;
            };
            let Record { grouping, calls } = shape::of_trace(record, intent);
            self.record(grouping, calls, &mut sessions)
                .map_err(|reason| ReplayError::Unreadable {
                    file: record.trace_id.clone(),
                    reason,
                })?;
        }
        for (group, _) in sessions.into_values() {
            self.report.close(&group);
        }
        Ok(())
    }

    /// What was counted.
    pub fn finish(self) -> Report {
        self.report
    }

    fn document(
        &mut self,
        document: Document,
        sessions: &mut BTreeMap<String, (Group, State)>,
    ) -> Result<(), Fault> {
        let place = document.place;
        self.report.documents += 1;
        let text = |name: &str| document.json.get(name).and_then(crate::json::Json::as_str);
        if self
            .options
            .only
            .iter()
            .any(|(name, value)| text(name) != Some(value))
        {
            self.report.skipped_documents += 1;
            return Ok(());
        }
        self.report.inexact_documents += u64::from(document.inexact);
        let shape = |reason: String| Fault::Shape(place, reason);
        let Record { grouping, calls } = shape::read(document).map_err(shape)?;
        self.record(grouping, calls, sessions).map_err(shape)
    }

    fn record(
        &mut self,
        grouping: Grouping,
        calls: Vec<Call>,
        sessions: &mut BTreeMap<String, (Group, State)>,
    ) -> Result<(), String> {
        match grouping {
            Grouping::Own(id) => {
                let mut open = (Group::new(id), self.gate.fresh_state());
                self.calls(&mut open, calls)?;
                self.report.close(&open.0);
            }
            Grouping::Session(id) => {
                if sessions.len() >= limits::REPLAY_NAMES && !sessions.contains_key(&id) {
                    return Err(format!("over {} sessions in one file", limits::REPLAY_NAMES));
                }
                let gate = self.gate;
                let open = sessions
                    .entry(id.clone())
                    .or_insert_with(|| (Group::new(id), gate.fresh_state()));
                self.calls(open, calls)?;
            }
        }
        Ok(())
    }

    fn calls(&mut self, (group, state): &mut (Group, State), calls: Vec<Call>) -> Result<(), String> {
        for mut call in calls {
            if let Some(prefix) = &self.options.tool_prefix
                && !without_prefix(&mut call, prefix)
            {
                self.report.calls.skipped += 1;
                continue;
            }
            if self.report.tools.len() >= limits::REPLAY_NAMES && !self.report.tools.contains_key(&call.tool)
            {
                return Err(format!("over {} different tool names", limits::REPLAY_NAMES));
            }
            let (decision, after) = self.decide(&call, state, group.id());
            if let Some(after) = after {
                *state = after;
            }
            self.report.take_in(&decision);
            self.report.count(group, &call, &decision);
            if self.options.each {
                let decided = Decided::of(self.file.clone(), group, call.tool, &decision);
                self.report.each.push(decided);
            }
        }
        Ok(())
    }

    /// A call that could not be read as a request is one the gate refuses: nothing unread is ever allowed.
    ///
    /// Also gives the session after the call: one that is not blocked ran, as it was recorded.
    fn decide(&mut self, call: &Call, state: &State, session: &str) -> (Decision, Option<State>) {
        match &call.refusal {
            Some(refusal) => (
                Decision {
                    labels: Vec::new(),
                    verdict: Verdict::Block,
                    reason_codes: vec![refusal.code.to_owned()],
                    matched: Vec::new(),
                    targets: Vec::new(),
                    approvals: Vec::new(),
                    approved_by: Vec::new(),
                    limits: Vec::new(),
                    obligations: Vec::new(),
                    detail: Some(refusal.message.clone()),
                    steps: Vec::new(),
                },
                None,
            ),
            None => {
                let nothing = Json::Object(Vec::new());
                let facts = self.gate.declared_facts(call.facts.as_ref().unwrap_or(&nothing));
                let request = Request {
                    steps: &call.steps,
                    intent: call.intent.as_ref().unwrap_or(&nothing),
                    facts: &facts,
                    origins: call.origins.as_deref(),
                    state: Some(state),
                    fulfils: None,
                    now: call.at.or(self.options.at),
                    session: Some(session),
                    run: Some(session),
                    ..Request::call(&call.tool, &call.args)
                };
                let judged = self
                    .gate
                    .decide_counted(&request, &self.counters, &mut self.workspace);
                let runs = judged.decision.verdict != Verdict::Block;
                if runs {
                    self.counters
                        .reserve(session, &judged.charges, gate::millis(request.now));
                }
                (judged.decision, judged.after.filter(|_| runs))
            }
        }
    }
}

/// Takes a prefix off the tool, or those of the steps; whether all of them had it.
fn without_prefix(call: &mut Call, prefix: &str) -> bool {
    let mut tools: Vec<&mut String> = if call.steps.is_empty() {
        vec![&mut call.tool]
    } else {
        call.steps.iter_mut().map(|step| &mut step.tool).collect()
    };
    let have = tools.iter().all(|tool| tool.starts_with(prefix));
    if have {
        for tool in &mut tools {
            tool.drain(..prefix.len());
        }
    }
    have
}
