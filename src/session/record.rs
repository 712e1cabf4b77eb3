//! Arrow 13: from a session's journal to the runpack of one run. In: entries, trusted keys, a key. Out: the bytes of
//! a pack, the same whenever the same run is packed: its time is that of the run's last trace, not the clock's.

use super::Entry;
use crate::artifact::{
    BuildError, Runpack, RunpackContents, SigningKey, TrustedKeys, Verified, VerifyError, runpack,
};
use jiff::Timestamp;

/// Why a run was not packed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A line's trace does not verify.
    #[error("the trace in line {line} of the journal: {error}")]
    Trace {
        /// From 1.
        line: u64,
        /// Why.
        error: VerifyError,
    },
    /// A line's trace is of another session: the journal is a copy, or was put together.
    #[error("line {line} of the journal belongs to session `{holds}`, not `{wanted}`")]
    Foreign {
        /// From 1.
        line: u64,
        /// The session of the trace.
        holds: String,
        /// The one whose journal it is.
        wanted: String,
    },
    /// The journal has no trace of this run.
    #[error("the journal has no trace of run `{run_id}`; it has {known}")]
    NoTrace {
        /// The run asked for.
        run_id: String,
        /// The runs there are, as a phrase.
        known: String,
    },
    /// Traces of another run stand between those of this one.
    #[error("line {line} of the journal belongs to another run, between two traces of run `{run_id}`")]
    Interleaved {
        /// The run asked for.
        run_id: String,
        /// The first line in between, from 1.
        line: u64,
    },
    /// The pack could not be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The pack does not verify under the trusted keys.
    #[error("the new runpack does not verify under the trusted keys: {0}")]
    Pack(VerifyError),
}

/// A packed run.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The archive.
    pub bytes: Vec<u8>,
    /// The archive, opened again under the trusted keys.
    pub pack: Verified<Runpack>,
    /// How many traces of the journal are of other runs, or of none.
    pub left_out: usize,
}

/// Packs the traces of one run with their intents. Every trace of the session's journal is verified first, of other runs
/// too.
pub fn record(
    entries: Vec<Entry>,
    (session, run_id): (&str, &str),
    trusted: &TrustedKeys,
    now: Timestamp,
    key: &SigningKey,
) -> Result<Recording, RecordError> {
    let mut contents = RunpackContents {
        run_id: run_id.to_owned(),
        traces: Vec::new(),
        intents: Vec::new(),
        created_at: Timestamp::MIN,
    };
    let mut others: Vec<String> = Vec::new();
    let mut gap = None;
    let total = entries.len();
    for (entry, line) in entries.into_iter().zip(1u64..) {
        let verified = entry.trace.verify(trusted, now);
        let trace = verified.map_err(|error| RecordError::Trace { line, error })?;
        let trace = trace.into_value();
        if trace.session_id.as_deref() != Some(session) {
            return Err(RecordError::Foreign {
                line,
                holds: trace.session_id.unwrap_or_default(),
                wanted: session.to_owned(),
            });
        }
        if trace.run_id.as_deref() != Some(run_id) {
            others.extend(trace.run_id);
            if !contents.traces.is_empty() {
                gap = gap.or(Some(line));
            }
            continue;
        }
        if let Some(line) = gap {
            let run_id = run_id.to_owned();
            return Err(RecordError::Interleaved { run_id, line });
        }
        contents.created_at = contents.created_at.max(trace.created_at);
        contents.intents.push((trace.trace_id, entry.intent));
        contents.traces.push(entry.trace);
    }
    if contents.traces.is_empty() {
        let (run_id, known) = (run_id.to_owned(), known(others));
        return Err(RecordError::NoTrace { run_id, known });
    }
    let left_out = total - contents.traces.len();
    let bytes = runpack::pack(contents, trusted, key)?;
    let pack = runpack::open(&bytes, trusted, now).map_err(RecordError::Pack)?;
    Ok(Recording {
        bytes,
        pack,
        left_out,
    })
}

fn known(mut runs: Vec<String>) -> String {
    runs.sort();
    runs.dedup();
    match runs.as_slice() {
        [] => "none at all".to_owned(),
        runs => format!("run {}", runs.join(", ")),
    }
}
