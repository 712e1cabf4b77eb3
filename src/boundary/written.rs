//! Calls whose traces are kept: no trace, no verdict. In: a call, and what it is judged with. Out: the verdict and where its
//! trace is, once that is durable. The kill switch is asked here, the time is taken here, and what a call without a trace was
//! charged is taken back here, so no caller can leave one of them out.

use super::{Boundary, Journal, Moment, Recorded};
use crate::artifact::{BuildError, SigningKey, TrustedKeys};
use crate::domain::Intent;
use crate::domain::counter::Settlement;
use crate::host::{Host, HostError, Mode};
use crate::kill_switch;
use crate::limits;
use crate::session::{NO_TRACE, SessionError};
use crate::store::used::Used;
use crate::store::{self, Store, counters};
use jiff::{Timestamp, ToSpan};
use std::path::{Path, PathBuf};

/// Where traces are kept.
pub trait Traces {
    /// Errors where it is known before a call is judged that its trace could not be kept.
    fn ready(&self) -> Result<(), HostError>;

    /// Keeps the trace of a call: durable when this returns, and whole or not at all. Gives where it is. `Exists` says that the
    /// place is that of another call's trace.
    fn keep(&self, recorded: &Recorded) -> Result<TracePlace, HostError>;

    /// Whether another trace would have another place.
    fn has_many(&self) -> bool;
}

/// Where a trace is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracePlace {
    /// The file.
    pub file: PathBuf,
    /// Its line in the file, from 1; none where it has the file to itself.
    pub line: Option<u64>,
}

/// A new file for each trace.
pub struct TraceFiles<'a> {
    host: &'a dyn Host,
    place: FilePlace,
}

/// Where these files are.
enum FilePlace {
    Folder(PathBuf),
    File(PathBuf),
}

impl<'a> TraceFiles<'a> {
    /// A path that ends in a slash, or that is there and no file, is a folder; any other names one new file.
    pub fn new(host: &'a dyn Host, path: &Path) -> TraceFiles<'a> {
        let written = path.as_os_str().as_encoded_bytes();
        // What cannot be read because it is no file is a folder, or fails as one.
        let folder =
            written.ends_with(b"/") || matches!(host.read(path, 0), Err(HostError::NotRegular { .. }));
        let place = if folder {
            FilePlace::Folder(path.to_owned())
        } else {
            FilePlace::File(path.to_owned())
        };
        TraceFiles { host, place }
    }
}

impl Traces for TraceFiles<'_> {
    fn ready(&self) -> Result<(), HostError> {
        match &self.place {
            FilePlace::File(path) if self.host.exists(path) => Err(HostError::Exists { path: path.clone() }),
            FilePlace::File(_) | FilePlace::Folder(_) => Ok(()),
        }
    }

    fn keep(&self, recorded: &Recorded) -> Result<TracePlace, HostError> {
        let file = match &self.place {
            FilePlace::Folder(folder) => folder.join(format!("trace_{}.json", recorded.record.trace_id)),
            FilePlace::File(path) => path.clone(),
        };
        self.host
            .write_new(&file, recorded.trace.as_bytes(), Mode::Public)?;
        Ok(TracePlace { file, line: None })
    }

    fn has_many(&self) -> bool {
        matches!(self.place, FilePlace::Folder(_))
    }
}

/// Whose clock tells the time of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The machine's, when the call is judged.
    Machine,
    /// The caller's, who names this time.
    Named(Timestamp),
}

/// The kill switch that is asked.
#[derive(Clone, Copy, Debug)]
pub struct KillSwitchFile<'a> {
    /// Its signed state.
    pub path: &'a Path,
    /// Who may have signed it.
    pub operators: &'a TrustedKeys,
}

/// What calls are judged with.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// What gates share.
    pub store: &'a dyn Store,
    /// The key that signs traces.
    pub key: &'a SigningKey,
    /// Where traces are kept.
    pub traces: &'a dyn Traces,
    /// The kill switch; none where nobody keeps one.
    pub kill_switch: Option<KillSwitchFile<'a>>,
}

/// A call that is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What is asked for.
    pub intent: &'a Intent,
    /// What is known of it. Its time and what the kill switch says are found out.
    pub moment: &'a Moment,
    /// When it is.
    pub clock: Clock,
    /// The journal of its session; none where it is in none.
    pub journal: Option<&'a Path>,
}

/// A call that was judged and whose trace is kept.
#[derive(Clone, Debug)]
pub struct Written {
    /// What was decided.
    pub recorded: Recorded,
    /// Where the trace is.
    pub place: TracePlace,
    /// Since when the state of the kill switch is stale.
    pub stale_since: Option<Timestamp>,
}

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The record of the call is none.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The session cannot go on.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The trace cannot be kept.
    #[error(transparent)]
    Traces(#[from] HostError),
}

impl WriteError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            WriteError::Build(_) => NO_TRACE,
            WriteError::Session(error) => error.code(),
            WriteError::Traces(error) => error.code(),
        }
    }
}

impl Boundary {
    /// Judges a call and keeps its trace: the one way to a verdict that somebody may act on. Errors mean that there is none.
    pub fn judge_written(&mut self, desk: Desk<'_>, call: Call<'_>) -> Result<Written, WriteError> {
        desk.traces.ready()?;
        let now = match call.clock {
            Clock::Machine => desk.host.now(),
            Clock::Named(time) => time,
        };
        let asked = desk.kill_switch.map(|file| {
            let profile = self.policy().profile;
            kill_switch::consult((desk.host, desk.store), file.path, file.operators, now, profile)
        });
        let stale_since = asked.as_ref().and_then(|asked| asked.stale_since);
        let moment = Moment {
            now,
            kill_switch: asked,
            ..call.moment.clone()
        };
        let (recorded, place) = match call.journal {
            Some(path) => self.write_in_session(desk, (call, path), &moment)?,
            None => self.write_alone(desk, call, moment)?,
        };
        Ok(Written {
            recorded,
            place,
            stale_since,
        })
    }

    /// The same intent judged twice in a millisecond would be the same event; the second is one of the next.
    fn write_alone(
        &mut self,
        desk: Desk<'_>,
        call: Call<'_>,
        mut moment: Moment,
    ) -> Result<(Recorded, TracePlace), WriteError> {
        let may_wait = call.clock == Clock::Machine && desk.traces.has_many();
        let mut tries = 1;
        loop {
            let recorded = self.judge_counted(desk.store, call.intent, &moment, desk.key)?;
            match desk.traces.keep(&recorded) {
                Err(HostError::Exists { .. }) if may_wait && tries < limits::TRACE_TRIES => {
                    take_back(desk.store, &recorded, Why::OthersTrace);
                    let next = moment.now.checked_add(1.millisecond()).unwrap_or(moment.now);
                    moment.now = next.max(desk.host.now());
                    tries += 1;
                }
                kept => return finished(desk, kept, recorded),
            }
        }
    }

    /// The journal's place in the chain makes the event distinct, so there is nothing to try again.
    fn write_in_session(
        &mut self,
        desk: Desk<'_>,
        (call, path): (Call<'_>, &Path),
        moment: &Moment,
    ) -> Result<(Recorded, TracePlace), WriteError> {
        let journal = Journal {
            host: desk.host,
            path,
            store: desk.store,
        };
        let recorded = self.judge_in_session(journal, call.intent, moment, desk.key)?;
        finished(desk, desk.traces.keep(&recorded), recorded)
    }
}

fn finished(
    desk: Desk<'_>,
    kept: Result<TracePlace, HostError>,
    recorded: Recorded,
) -> Result<(Recorded, TracePlace), WriteError> {
    match kept {
        Ok(place) => Ok((recorded, place)),
        Err(error) => {
            take_back(desk.store, &recorded, Why::Unknown);
            Err(error.into())
        }
    }
}

/// Why a call has no trace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// What has its place is another call's trace: it is certain that nobody has this one.
    OthersTrace,
    /// Whatever else went wrong: somebody may have it.
    Unknown,
}

/// Takes back what a call was charged that has no trace, and so no verdict. Approvals that it has used up are given back only
/// where nobody has its trace; else they stay used up.
fn take_back(store: &dyn Store, recorded: &Recorded, why: Why) {
    let names = || recorded.charges.iter().map(|charge| charge.counter.as_str());
    let trace_id = &recorded.record.trace_id;
    let approvals = match why {
        Why::OthersTrace => recorded.record.approved_with.as_slice(),
        Why::Unknown => &[],
    };
    let keys: Vec<store::Key> = counters::keys(names()).chain(Used::keys(approvals)).collect();
    if keys.is_empty() {
        return;
    }
    // Where it cannot be taken back, it counts.
    let _ = store::change(store, keys, |records| {
        let mut counters = counters::read(records, names())?;
        for counter in counters.0.values_mut() {
            counter.settle(trace_id, Settlement::TakeBack);
        }
        let mut used = Used::read(records, approvals)?;
        for approval in approvals {
            used.give_back(*approval, trace_id);
        }
        counters::write(records, &counters)?;
        used.write(records)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Memory;
    use crate::{bundling, compile};

    fn boundary(key: &SigningKey, now: Timestamp) -> Boundary {
        let text = include_str!("../../policies/starter/policy.gaitpol");
        let checked = compile::check("p.gaitpol", text).checked.unwrap();
        let built = bundling::build(&checked, 0, key).unwrap();
        Boundary::open(&built.bytes, &TrustedKeys::new([key.verifying_key()]), now).unwrap()
    }

    /// The clock of this machine stands still, so every call is in the same millisecond.
    #[test]
    fn equal_calls_in_one_millisecond_are_traces_of_their_own() {
        let now: Timestamp = "2026-01-02T03:04:05.006Z".parse().unwrap();
        let (host, key) = (Memory::new(now), SigningKey::from_seed(&[1; 32]));
        let first = boundary(&key, now);
        let store = store::Memory::default();
        let text = include_bytes!("../../policies/starter/intents/allow.json");
        let intent = Intent::read(text).unwrap();
        let moment = Moment::default();
        let written = |clock, path: &str| {
            let traces = TraceFiles::new(&host, Path::new(path));
            let desk = Desk {
                host: &host,
                store: &store,
                key: &key,
                traces: &traces,
                kill_switch: None,
            };
            let call = Call {
                intent: &intent,
                moment: &moment,
                clock,
                journal: None,
            };
            // A copy judges as the first does.
            first.clone().judge_written(desk, call)
        };
        for later in 0..3i64 {
            let written = written(Clock::Machine, "t/").unwrap();
            assert_eq!(written.recorded.record.created_at, now + later.milliseconds());
        }
        assert_eq!(host.list_dir(Path::new("t")).unwrap().len(), 3);
        written(Clock::Machine, "t.json").unwrap();
        for (clock, path) in [(Clock::Named(now), "t/"), (Clock::Machine, "t.json")] {
            let refused = written(clock, path).unwrap_err();
            let is_there = matches!(refused, WriteError::Traces(HostError::Exists { .. }));
            assert!(is_there, "{refused}");
        }
    }
}
