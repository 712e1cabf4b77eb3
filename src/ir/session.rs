//! What a program asks of sessions: labels, events and monitors, as data and as canonical bytes.

use super::codec::{Reader, Writer};
use super::decode::DecodeError;
use super::slots::{self, decode_cond, encode_cond};
use super::{Program, ToolProgram, approval, encode, window};
use crate::domain::ArgumentSource;
use crate::hir::labels::{Labels, Level, Source};
use crate::hir::{Cond, Event, Monitor, Package, PatternStep};

type Result<T> = std::result::Result<T, DecodeError>;

/// What an event asks beside the condition on its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTest {
    /// The result has one of these labels; 0 where none is asked for.
    pub labels: u64,
    /// The call succeeded, or failed, where that is asked.
    pub ok: Option<bool>,
    /// A person spoke.
    pub turn: bool,
}

impl EventTest {
    pub(super) fn of(event: &Event) -> EventTest {
        EventTest {
            labels: event.labels,
            ok: event.ok,
            turn: event.turn,
        }
    }
}

/// The events that calls of a tool may be.
pub(super) fn events(package: &Package, tool: usize) -> Vec<(u32, Cond)> {
    let mut found = Vec::new();
    for (event, number) in package.history.events.iter().zip(0u32..) {
        let mine = event.calls.iter().filter(|(of, _)| *of == tool);
        found.extend(mine.map(|(_, cond)| (number, cond.unplaced())));
    }
    found
}

/// The bytes that say what a program asks of sessions: states of programs with equal bytes mean the same.
pub fn session_bytes(program: &Program) -> Vec<u8> {
    let mut w = Writer::default();
    encode_session(&mut w, program);
    // What the conditions of events look at.
    w.list(&program.context, encode::context_field);
    window::encode(&mut w, &program.windows);
    w.list(&program.tools, |w, tool| {
        w.text(&tool.name);
        encode_tool(w, tool);
        if !tool.events.is_empty() {
            w.list(&tool.args, encode::field);
            w.list(&tool.slots, slots::encode_slot);
        }
    });
    w.bytes
}

/// The number of what is detected, among those of sources.
const DETECTED: u8 = 5;

pub(super) fn encode_session(w: &mut Writer, program: &Program) {
    let labels = &program.labels;
    w.list(&labels.names, |w, name| w.text(name));
    w.list(&labels.levels, |w, level| {
        w.text(&level.name);
        w.list(&level.members, |w, member| w.text(member));
        w.int(u64::from(level.first));
    });
    // What is detected stands among the sources, so that a program that asks for nothing of it is as it was.
    let sources = labels
        .sources
        .iter()
        .map(|source| (source.kind as u8, source.from.as_slice(), source.labels));
    let detected = (labels.detected != 0).then_some((DETECTED, [].as_slice(), labels.detected));
    let sources: Vec<(u8, &[String], u64)> = sources.chain(detected).collect();
    w.list(&sources, |w, (kind, from, labels)| {
        w.byte(*kind);
        w.list(from, |w, tool| w.text(tool));
        w.int(*labels);
    });
    w.list(&labels.declassify, |w, (tool, labels)| {
        w.text(tool);
        w.int(*labels);
    });
    w.list(&labels.lifted, |w, (spec, labels)| {
        approval::encode(w, spec);
        w.int(*labels);
    });
    w.list(&program.events, event);
    w.list(&program.monitors, monitor);
}

pub(super) fn event(w: &mut Writer, event: &EventTest) {
    w.int(event.labels);
    w.byte(match event.ok {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    });
    w.byte(u8::from(event.turn));
}

pub(super) fn monitor(w: &mut Writer, monitor: &Monitor) {
    match monitor {
        Monitor::Flag {
            set,
            clear,
            clear_wins,
        } => {
            w.byte(0);
            w.int(u64::from(*set));
            w.list(clear.as_slice(), |w, clear| w.int(u64::from(*clear)));
            w.byte(u8::from(*clear_wins));
        }
        Monitor::Pattern(steps) => {
            w.byte(1);
            w.list(steps, |w, step| match step {
                PatternStep::Event(event) => {
                    w.byte(0);
                    w.int(u64::from(*event));
                }
                PatternStep::Any => w.byte(1),
                PatternStep::Maybe => w.byte(2),
            });
        }
        Monitor::Count { event, cap } => {
            w.byte(2);
            w.int(u64::from(*event));
            w.int(u64::from(*cap));
        }
        Monitor::Recent { event, cap, within } => {
            w.byte(3);
            w.int(u64::from(*event));
            w.int(u64::from(*cap));
            w.int(*within);
        }
    }
}

pub(super) fn encode_tool(w: &mut Writer, tool: &ToolProgram) {
    w.list(&tool.carries, |w, path| w.list(path, |w, name| w.text(name)));
    w.int(tool.returns);
    w.list(&tool.events, |w, (event, cond)| {
        w.int(u64::from(*event));
        encode_cond(w, cond);
    });
}

/// The session part of a program.
pub(super) struct Session {
    pub labels: Labels,
    pub events: Vec<EventTest>,
    pub monitors: Vec<Monitor>,
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<Session> {
    let names = r.list(Reader::text)?;
    if names.len() > crate::limits::LABELS {
        return Err(DecodeError::Malformed("labels"));
    }
    let levels = r.list(|r| {
        let level = Level {
            name: r.text()?,
            members: r.list(Reader::text)?,
            first: r.small()?,
        };
        let end = level.first as usize + level.members.len().saturating_sub(1);
        if end <= names.len() {
            Ok(level)
        } else {
            Err(DecodeError::Malformed("level"))
        }
    })?;
    let mut detected = 0;
    let sources = r.list(|r| {
        let (kind, from, labels) = (r.byte()?, r.list(Reader::text)?, r.int()?);
        if kind == DETECTED && from.is_empty() && labels != 0 && detected == 0 {
            detected = labels;
            return Ok(None);
        }
        let kind = ArgumentSource::ALL.get(usize::from(kind)).copied();
        let kind = kind.ok_or(DecodeError::Malformed("source"))?;
        Ok(Some(Source { kind, from, labels }))
    })?;
    let sources = sources.into_iter().flatten().collect();
    let declassify = r.list(|r| Ok((r.text()?, r.int()?)))?;
    let lifted = r.list(|r| Ok((approval::decode(r)?, r.int()?)))?;
    let events = r.list(|r| {
        Ok(EventTest {
            labels: r.int()?,
            ok: match r.byte()? {
                0 => None,
                1 => Some(false),
                2 => Some(true),
                _ => return Err(DecodeError::Malformed("event")),
            },
            turn: truth(r)?,
        })
    })?;
    let monitors = r.list(|r| decode_monitor(r, events.len()))?;
    let labels = Labels {
        names,
        levels,
        sources,
        declassify,
        detected,
        lifted,
    };
    Ok(Session {
        labels,
        events,
        monitors,
    })
}

fn truth(r: &mut Reader<'_>) -> Result<bool> {
    match r.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Malformed("truth value")),
    }
}

fn decode_monitor(r: &mut Reader<'_>, events: usize) -> Result<Monitor> {
    let event = |r: &mut Reader<'_>| {
        let event = r.small()?;
        if (event as usize) < events {
            Ok(event)
        } else {
            Err(DecodeError::Malformed("event"))
        }
    };
    Ok(match r.byte()? {
        0 => Monitor::Flag {
            set: event(r)?,
            clear: {
                let mut clear = r.list(event)?;
                if clear.len() > 1 {
                    return Err(DecodeError::Malformed("monitor"));
                }
                clear.pop()
            },
            clear_wins: truth(r)?,
        },
        1 => {
            let steps = r.list(|r| {
                Ok(match r.byte()? {
                    0 => PatternStep::Event(event(r)?),
                    1 => PatternStep::Any,
                    2 => PatternStep::Maybe,
                    _ => return Err(DecodeError::Malformed("pattern")),
                })
            })?;
            if steps.len() > crate::limits::PATTERN_STEPS {
                return Err(DecodeError::Malformed("pattern"));
            }
            Monitor::Pattern(steps)
        }
        2 => Monitor::Count {
            event: event(r)?,
            cap: r.small()?,
        },
        3 => {
            let (event, cap, within) = (event(r)?, r.small()?, r.int()?);
            if cap > crate::limits::HISTORY_RECENT {
                return Err(DecodeError::Malformed("monitor"));
            }
            Monitor::Recent { event, cap, within }
        }
        _ => return Err(DecodeError::Malformed("monitor")),
    })
}

/// What a tool says of sessions: the arguments that leave, the labels of its results, the events its calls may be.
type ToolSession = (Vec<Vec<String>>, u64, Vec<(u32, Cond)>);

pub(super) fn decode_tool(r: &mut Reader<'_>) -> Result<ToolSession> {
    Ok((
        r.list(|r| r.list(Reader::text))?,
        r.int()?,
        r.list(|r| Ok((r.small()?, decode_cond(r)?)))?,
    ))
}
