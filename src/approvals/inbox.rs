//! Calls that wait for people, told from the traces that gates have written. In: a host, folders of traces, the keys of gates,
//! approvals. Out: each call whose last trace asks for approval, once, and what could not be read. A trace that no trusted key
//! has signed is never shown as a call. Whether approvals are enough is for the gate.

use super::Handed;
use super::rows::rows;
use crate::artifact::{Digest, Subject, TraceRecord, TrustedKeys, time, trace};
use crate::domain::{Verdict, hidden};
use crate::host::{Host, HostError};
use crate::json::Json;
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where a trace is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line of a log, from 1 on; none where the file is one trace.
    pub line: Option<u64>,
}

/// A call that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its last trace.
    pub record: Box<TraceRecord>,
    /// The intent, without what rules redact; none where nobody has kept it.
    pub intent: Option<Json>,
    /// Where that is.
    pub place: Place,
    /// How often it was asked: traces of it that wait, since it was last decided otherwise.
    pub asked: u64,
    /// What is approved.
    pub subject: Subject,
    /// The approvals of it that are there, each with what is known against it.
    pub given: Vec<Handed>,
}

impl Waiting {
    /// What calls are ordered by: when they were asked for the last time.
    pub fn order(&self) -> (jiff::Timestamp, &str) {
        (self.record.created_at, &self.record.trace_id)
    }

    /// The document of a call.
    pub fn to_json(&self) -> Json {
        let (record, subject) = (&self.record, &self.subject);
        let calls = subject.call_digests.iter().map(Digest::to_json).collect();
        let asked = record.decision.approvals.iter();
        let asked = asked.map(|spec| Json::str(spec.to_string()));
        let rows = rows(record, self.intent.as_ref()).into_iter();
        let rows = rows.map(|(name, text)| {
            let text = ("text", Json::str(hidden::escaped(&text)));
            Json::object([("name", Json::str(name)), text])
        });
        let (file, line) = self.place.to_json();
        Json::object([
            ("tool", Json::str(&record.tool)),
            ("trace_id", Json::str(&record.trace_id)),
            ("file", file),
            ("line", line),
            ("asked_at", Json::str(time::print(record.created_at))),
            ("asked", i64::try_from(self.asked).map_or(Json::Null, Json::int)),
            ("identity", record.identity.as_ref().map_or(Json::Null, Json::str)),
            ("intent", self.intent.clone().unwrap_or(Json::Null)),
            ("shown", Json::Array(rows.collect())),
            ("bundle_digest", subject.bundle_digest.to_json()),
            ("intent_digest", subject.intent_digest.to_json()),
            ("call_digests", Json::Array(calls)),
            ("approvals", Json::Array(asked.collect())),
            (
                "given",
                Json::Array(self.given.iter().map(Handed::to_json).collect()),
            ),
        ])
    }
}

impl Place {
    /// The file, and the line.
    pub fn to_json(&self) -> (Json, Json) {
        let line = self.line.and_then(|line| i64::try_from(line).ok());
        (
            Json::str(self.file.to_string_lossy()),
            line.map_or(Json::Null, Json::int),
        )
    }
}

/// A trace that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it is.
    pub place: Place,
    /// Why: one sentence.
    pub reason: String,
}

/// Calls that wait for people.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Those that wait, the one that was asked first before all others.
    pub waiting: Vec<Waiting>,
    /// What could not be read, in the order of files and lines.
    pub unread: Vec<Unread>,
}

/// What is told of one call by the traces read so far.
struct Told {
    /// Where its last trace is, and that where it waits.
    last: (jiff::Timestamp, String),
    waits: Option<(Box<TraceRecord>, Place)>,
    /// Its traces that wait, by time and id, and the last time it was decided otherwise.
    asked: BTreeSet<(jiff::Timestamp, String)>,
    decided: Option<jiff::Timestamp>,
}

/// Traces being read, by the call they are of.
#[derive(Default)]
pub struct Reading {
    calls: BTreeMap<(Digest, Digest, Vec<Digest>), Told>,
    unread: Vec<Unread>,
}

impl Reading {
    /// Reads a file of one trace (`.json`), or a log with a trace a line (`.jsonl`). A last line without its end is one that is
    /// being written, and is left alone.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn file(&mut self, host: &dyn Host, file: &Path, trusted: &TrustedKeys) -> Result<(), HostError> {
        let bytes = host.read(file, limits::FILE_BYTES)?;
        let file = file.to_owned();
        if file.extension().is_none_or(|extension| extension != "jsonl") {
            self.trace(host, &bytes, Place { file, line: None }, trusted);
            return Ok(());
        }
        let whole = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .filter_map(|line| line.strip_suffix(b"\n"));
        for (line, number) in whole.zip(1..) {
            let place = Place {
                file: file.clone(),
                line: Some(number),
            };
            self.trace(host, line, place, trusted);
        }
        Ok(())
    }

    /// Keeps in mind that a file could not be read.
    pub fn unreadable(&mut self, file: &Path, error: &HostError) {
        let place = Place {
            file: file.to_owned(),
            line: None,
        };
        let reason = error.to_string();
        self.unread.push(Unread { place, reason });
    }

    fn trace(&mut self, host: &dyn Host, bytes: &[u8], place: Place, trusted: &TrustedKeys) {
        match trace::verify(bytes, trusted, host.now()) {
            Ok(verified) => self.add(verified.into_value(), place),
            Err(error) => {
                let reason = error.to_string();
                self.unread.push(Unread { place, reason });
            }
        }
    }

    fn add(&mut self, record: TraceRecord, place: Place) {
        // A call without canonical form is blocked, and nobody can approve it.
        let Some(subject) = Subject::of_trace(&record) else {
            return;
        };
        // What runs anyway waits for nobody.
        let waits = record.decision.verdict == Verdict::RequireApproval && record.enforcement.binds();
        let at = record.created_at;
        let last = (at, record.trace_id.clone());
        let key = (subject.intent_digest, subject.bundle_digest, subject.call_digests);
        let told = self.calls.entry(key).or_insert_with(|| Told {
            last: last.clone(),
            waits: None,
            asked: BTreeSet::new(),
            decided: None,
        });
        if waits {
            told.asked.insert(last.clone());
        } else {
            told.decided = told.decided.max(Some(at));
        }
        if last >= told.last {
            told.last = last;
            told.waits = waits.then(|| (Box::new(record), place));
        }
    }

    /// The calls that wait, each with the approvals that are for it.
    pub fn inbox(self, given: &[Handed]) -> Inbox {
        let one = |((intent_digest, bundle_digest, call_digests), told): (_, Told)| {
            let (record, place) = told.waits?;
            let subject = Subject {
                bundle_digest,
                intent_digest,
                call_digests,
            };
            let asked = told
                .asked
                .iter()
                .filter(|(at, _)| told.decided.is_none_or(|decided| *at > decided));
            let given = given.iter().filter(|one| one.about.is_of(&subject));
            Some(Waiting {
                asked: asked.count().max(1) as u64,
                given: given.cloned().collect(),
                intent: record.intent.clone(),
                record,
                place,
                subject,
            })
        };
        let mut waiting: Vec<Waiting> = self.calls.into_iter().filter_map(one).collect();
        waiting.sort_by(|a, b| a.order().cmp(&b.order()));
        Inbox {
            waiting,
            unread: self.unread,
        }
    }
}

/// The traces and logs of traces in a folder, by name.
///
/// # Errors
/// The folder is not there, or cannot be read.
pub fn files(host: &dyn Host, folder: &Path) -> Result<Vec<PathBuf>, HostError> {
    let mut names = host.list_dir(folder)?;
    names.retain(|name| name.ends_with(".json") || name.ends_with(".jsonl"));
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}
