//! Session journals: one line per judged call, appended under a lock, each naming the line before it. In: recorded
//! calls. Out: a JSONL file that holds each signed trace with its intent, so that a run can be packed and judged
//! again. A line cut off by a crash was never acknowledged: it is set aside, not deleted; any other flaw is an error.

mod record;

pub use record::{RecordError, Recording, record};

use crate::artifact::{Digest, Signed, TraceRecord, digest, jcs};
use crate::host::{Append, Host, HostError, Mode, Tail};
use crate::json::{self, Json};
use crate::limits;
use crate::store::StoreError;
use crate::store::sessions::Last;
use std::fmt;
use std::path::{Path, PathBuf};

/// The schema every line names.
pub const SCHEMA: &str = "gait.session.entry/1";
/// The code of a call that cannot be recorded.
pub const NO_TRACE: &str = "gate.no_trace";
const MEMBERS: [&str; 6] = [
    "schema",
    "sequence",
    "previous",
    "trace_digest",
    "trace",
    "intent",
];

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The machine refused.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A line is not what a journal holds.
    #[error("line {line} of {} is no journal entry: {reason}", path.display())]
    Entry {
        /// The journal.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The last line, which the next one has to name, cannot be read.
    #[error("the last line of {} is no journal entry: {reason}", path.display())]
    Last {
        /// The journal.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It holds another session: a copy of its journal, or one that was moved.
    #[error("{} holds session `{holds}`, not `{wanted}`", path.display())]
    Foreign {
        /// The journal.
        path: PathBuf,
        /// The session of its last trace.
        holds: String,
        /// The one asked for.
        wanted: String,
    },
    /// The store does not know the journal's last call: one of them was put back, or is another session's.
    #[error("the store does not know call {number} of the session, which {} has", path.display())]
    Forked {
        /// The journal.
        path: PathBuf,
        /// The place in the session, from 1.
        number: u64,
    },
    /// The store, which says where the session is, cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The call could not be judged or signed, so nothing was written.
    #[error("the call has no trace: {0}")]
    NoTrace(String),
}

impl SessionError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SessionError::Host(error) => error.code(),
            SessionError::Entry { .. } | SessionError::Last { .. } => "session.entry",
            SessionError::Foreign { .. } => "session.foreign",
            SessionError::Forked { .. } => "session.forked",
            SessionError::Store(error) => error.code(),
            SessionError::NoTrace(_) => NO_TRACE,
        }
    }
}

/// Where a journal ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whether there was no journal.
    pub fresh: bool,
    /// The last call; nothing in it is trusted before its trace verifies.
    pub last: Option<Last>,
}

/// What a journal had lost when a call was appended to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Whether it has no entry, so that nobody knows what happened in the session.
    pub bare: bool,
    /// How many bytes of a line that was cut off it ended in.
    pub torn: usize,
    /// Where these are now.
    pub aside: Option<PathBuf>,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.aside, self.bare) {
            (Some(aside), _) => write!(
                f,
                "it ended in {} bytes of an entry that was cut off, now in {}",
                self.torn,
                aside.display()
            )?,
            (None, _) => f.write_str("it was there and empty")?,
        }
        if self.bare {
            f.write_str(
                "; no entry says what happened in the session before, so rules that ask about that block",
            )?;
        }
        Ok(())
    }
}

/// One line, read back. Nothing in it is trusted before its trace verifies.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of the call in its session, from 1.
    pub sequence: u64,
    /// The signed trace.
    pub trace: Signed<TraceRecord>,
    /// The intent, in canonical bytes.
    pub intent: Vec<u8>,
}

/// Judges and appends in one step: `judge` is told where the journal ends, and nothing is appended when it fails. The
/// lock is held meanwhile, so two callers never write the same place of the chain. It gives the call, and before it one that the
/// journal has not yet. Bytes after the last line end stay when they are a whole entry that only lacks its line end; others
/// are set aside in a file of their own, never lost. Gives what the journal had lost before.
pub fn append(
    host: &dyn Host,
    path: &Path,
    judge: impl FnOnce(&Head) -> Result<Vec<Last>, SessionError>,
) -> Result<Option<Flaw>, SessionError> {
    let mut judge = Some(judge);
    let mut result: Option<Result<Option<Flaw>, SessionError>> = None;
    let mut next = |tail: Tail<'_>| {
        let judge = judge.take()?;
        let (append, outcome) = match appended(host, path, tail, judge) {
            Ok((append, flaw)) => (Some(append), Ok(flaw)),
            Err(error) => (None, Err(error)),
        };
        result = Some(outcome);
        append
    };
    host.append_line(path, &mut next)?;
    result.unwrap_or_else(|| Err(SessionError::NoTrace("the journal was not written".to_owned())))
}

fn appended(
    host: &dyn Host,
    path: &Path,
    tail: Tail<'_>,
    judge: impl FnOnce(&Head) -> Result<Vec<Last>, SessionError>,
) -> Result<(Append, Option<Flaw>), SessionError> {
    let before = head(path, tail.last, tail.fresh)?;
    let (keep_torn, aside) = mend(host, path, &before, tail.torn)?;
    let (head, previous) = if keep_torn {
        head(path, Some(tail.torn), false)?
    } else {
        before
    };
    let bare = head.last.is_none() && !head.fresh;
    let flaw = (bare || aside.is_some()).then_some(Flaw {
        bare,
        torn: tail.torn.len(),
        aside,
    });
    let line = lines(&judge(&head)?, previous)?;
    Ok((Append { line, keep_torn }, flaw))
}

/// Whether torn bytes are an entry that only lacks its line end. Others are copied beside the journal; where to.
fn mend(
    host: &dyn Host,
    path: &Path,
    (head, previous): &(Head, Option<Digest>),
    torn: &[u8],
) -> Result<(bool, Option<PathBuf>), SessionError> {
    let after = head.last.as_ref().map_or(0, |last| last.number);
    if torn.is_empty() || entry(torn, after, *previous).is_ok() {
        return Ok((!torn.is_empty(), None));
    }
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let digest = digest::sha256(torn).to_string();
    let short: String = digest.chars().skip("sha256:".len()).take(12).collect();
    let aside = path.with_file_name(format!("{name}.torn-{short}"));
    match host.write_new(&aside, torn, Mode::Private) {
        // The same bytes have been set aside before.
        Ok(()) | Err(HostError::Exists { .. }) => Ok((false, Some(aside))),
        Err(error) => Err(error.into()),
    }
}

/// Where a journal ends, and the digest of its last line.
fn head(path: &Path, last: Option<&[u8]>, fresh: bool) -> Result<(Head, Option<Digest>), SessionError> {
    let Some(bytes) = last else {
        return Ok((Head { fresh, last: None }, None));
    };
    let wrong = |reason: &str| SessionError::Last {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let parsed = json::parse(bytes).map_err(|e| wrong(&e.to_string()))?;
    let number = parsed.get("sequence").and_then(Json::as_i64);
    let number = number.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    let digest = parsed.get("trace_digest").and_then(Json::as_str);
    let of = |member: &str, reason| parsed.get(member).map(jcs::to_vec).ok_or_else(|| wrong(reason));
    let last = Last {
        number: number.ok_or_else(|| wrong("it has no sequence number"))?,
        digest: digest
            .and_then(Digest::parse)
            .ok_or_else(|| wrong("it names no trace"))?,
        trace: Signed::from_bytes(of("trace", "it has no trace")?),
        intent: of("intent", "it has no intent")?,
    };
    let last = Some(last);
    Ok((Head { fresh: false, last }, Some(digest::sha256(bytes))))
}

/// Lines with line ends between them, each naming the one before it.
fn lines(calls: &[Last], mut previous: Option<Digest>) -> Result<Vec<u8>, SessionError> {
    let mut bytes = Vec::new();
    for call in calls {
        let line = line(call, previous)?;
        previous = Some(digest::sha256(&line));
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes.extend(line);
    }
    Ok(bytes)
}

fn line(call: &Last, previous: Option<Digest>) -> Result<Vec<u8>, SessionError> {
    let tree = |bytes: &[u8]| json::parse(bytes).map_err(|e| SessionError::NoTrace(e.to_string()));
    let entry = Json::object([
        ("schema", Json::str(SCHEMA)),
        (
            "sequence",
            Json::int(i64::try_from(call.number).unwrap_or(i64::MAX)),
        ),
        ("previous", previous.map_or(Json::Null, |d| d.to_json())),
        ("trace_digest", call.digest.to_json()),
        ("trace", tree(call.trace.as_bytes())?),
        ("intent", tree(&call.intent)?),
    ]);
    Ok(jcs::to_vec(&entry))
}

/// A journal, read back.
#[derive(Clone, Debug)]
pub struct Entries {
    /// The whole lines, in order, and a last one that only lacks its line end.
    pub entries: Vec<Entry>,
    /// Bytes after them that are no entry: a write that was cut off and never acknowledged.
    pub torn: usize,
}

/// Reads a journal whole and checks its chain of lines. Signatures are the caller's to verify.
pub fn read(host: &dyn Host, path: &Path) -> Result<Entries, SessionError> {
    let bytes = host.read(path, limits::FILE_BYTES)?;
    let mut entries = Vec::new();
    let (mut previous, mut after): (Option<Digest>, u64) = (None, 0);
    for (line, number) in bytes.split_inclusive(|b| *b == b'\n').zip(1u64..) {
        let (line, whole) = match line.strip_suffix(b"\n") {
            Some(line) => (line, true),
            None => (line, false),
        };
        match entry(line, after, previous) {
            Ok(entry) => {
                after = entry.sequence;
                entries.push(entry);
            }
            Err(_) if !whole => {
                return Ok(Entries {
                    entries,
                    torn: line.len(),
                });
            }
            Err(reason) => {
                return Err(SessionError::Entry {
                    path: path.to_owned(),
                    line: number,
                    reason,
                });
            }
        }
        previous = Some(digest::sha256(line));
    }
    Ok(Entries { entries, torn: 0 })
}

/// A line that follows one with the number `after`. Between them may be calls that other gates judged.
fn entry(line: &[u8], after: u64, previous: Option<Digest>) -> Result<Entry, String> {
    let parsed = json::parse(line).map_err(|e| e.to_string())?;
    let members = parsed.as_object().ok_or("it is not an object")?;
    if members.len() != MEMBERS.len() || !members.iter().all(|(key, _)| MEMBERS.contains(&key.as_str())) {
        return Err("its members are not those of an entry".to_owned());
    }
    if jcs::to_vec(&parsed) != line {
        return Err("it is not in canonical form".to_owned());
    }
    if parsed.get("schema").and_then(Json::as_str) != Some(SCHEMA) {
        return Err("it has another schema".to_owned());
    }
    let sequence = parsed
        .get("sequence")
        .and_then(Json::as_i64)
        .and_then(|n| u64::try_from(n).ok());
    let sequence = sequence.filter(|n| *n > after);
    let sequence = sequence.ok_or("its sequence number is out of order")?;
    let named = parsed
        .get("previous")
        .and_then(Json::as_str)
        .and_then(Digest::parse);
    if named != previous {
        return Err("it does not follow the line before it".to_owned());
    }
    let bytes = |key: &str| {
        parsed
            .get(key)
            .map(jcs::to_vec)
            .ok_or_else(|| format!("`{key}` is missing"))
    };
    Ok(Entry {
        sequence,
        trace: Signed::from_bytes(bytes("trace")?),
        intent: bytes("intent")?,
    })
}
