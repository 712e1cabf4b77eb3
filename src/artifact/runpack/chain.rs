//! The order of a run's traces and the journal that follows from it. Traces name their predecessor by digest; where
//! they do not, time and id decide.

use std::collections::{BTreeMap, BTreeSet};

use super::{JOURNAL_SCHEMA, RunpackTrace};
use crate::artifact::digest::{Digest, sha256};
use crate::artifact::envelope::Verified;
use crate::artifact::fields::number;
use crate::artifact::trace::TraceRecord;
use crate::artifact::{VerifyError, jcs};
use crate::json::Json;

/// Puts traces into the one order: each after its predecessor, otherwise by time and id. Errors on a repeated id, a
/// fork, a cycle, or a missing predecessor, save one before the only start.
pub fn order<T>(items: Vec<T>, trace: impl Fn(&T) -> &Verified<TraceRecord>) -> Result<Vec<T>, VerifyError> {
    let links = Links::read(items.iter().map(&trace))?;
    let mut waiting: BTreeMap<Digest, Vec<T>> = BTreeMap::new();
    let mut ready = BTreeMap::new();
    let sort_key = |item: &T| {
        (
            trace(item).value().created_at,
            trace(item).value().trace_id.clone(),
        )
    };
    let total = items.len();
    for item in items {
        match trace(&item).value().previous {
            Some(previous) if links.inside.contains(&previous) => {
                waiting.entry(previous).or_default().push(item)
            }
            _ => {
                ready.insert(sort_key(&item), item);
            }
        }
    }
    let mut ordered = Vec::with_capacity(total);
    while let Some((_, item)) = ready.pop_first() {
        for next in waiting.remove(&trace(&item).digest()).unwrap_or_default() {
            ready.insert(sort_key(&next), next);
        }
        ordered.push(item);
    }
    if ordered.len() != total {
        return Err(VerifyError::TraceLink("a trace precedes itself".to_owned()));
    }
    links.check_start(&ordered, trace)?;
    Ok(ordered)
}

struct Links {
    inside: BTreeSet<Digest>,
}

impl Links {
    /// Digests of all traces. Errors on a repeated id or a predecessor with two successors.
    fn read<'a>(
        traces: impl Iterator<Item = &'a Verified<TraceRecord>> + Clone,
    ) -> Result<Links, VerifyError> {
        let mut ids = BTreeSet::new();
        let mut previous = BTreeSet::new();
        for trace in traces.clone() {
            let record = trace.value();
            if !ids.insert(record.trace_id.as_str()) {
                return Err(VerifyError::TraceLink(format!(
                    "trace `{}` is there twice",
                    record.trace_id
                )));
            }
            if let Some(digest) = record.previous
                && !previous.insert(digest)
            {
                return Err(VerifyError::TraceLink(format!("two traces follow {digest}")));
            }
        }
        Ok(Links {
            inside: traces.map(Verified::digest).collect(),
        })
    }

    /// Errors when a link is missing: a trace that follows one outside must be the only start. With another start
    /// beside it, a trace between them was cut out.
    fn check_start<T>(
        &self,
        ordered: &[T],
        trace: impl Fn(&T) -> &Verified<TraceRecord>,
    ) -> Result<(), VerifyError> {
        let starts = ordered.iter().map(|item| trace(item).value()).filter(|record| {
            record
                .previous
                .is_none_or(|digest| !self.inside.contains(&digest))
        });
        match starts.clone().find(|record| record.previous.is_some()) {
            Some(record) if starts.count() > 1 => {
                let reason = format!("trace `{}` follows one that is not there", record.trace_id);
                Err(VerifyError::TraceLink(reason))
            }
            _ => Ok(()),
        }
    }
}

/// Writes `journal.jsonl`: one canonical line per trace, each with the digest of the line before it.
pub fn journal(traces: &[&RunpackTrace]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut previous = Json::Null;
    for (index, item) in traces.iter().enumerate() {
        let record = item.trace.value();
        let line = jcs::to_vec(&Json::object([
            ("schema", Json::str(JOURNAL_SCHEMA)),
            ("sequence", number(index as u64 + 1)),
            ("trace_id", Json::str(&record.trace_id)),
            ("trace_digest", item.trace.digest().to_json()),
            ("previous", previous),
        ]));
        previous = sha256(&line).to_json();
        out.extend_from_slice(&line);
        out.push(b'\n');
    }
    out
}

/// Errors with the first line that differs.
pub fn check_journal(found: &[u8], expected: &[u8]) -> Result<(), VerifyError> {
    if found == expected {
        return Ok(());
    }
    let same = found.iter().zip(expected).take_while(|(a, b)| a == b);
    let line = same.filter(|(byte, _)| **byte == b'\n').count() + 1;
    Err(VerifyError::Chain { line })
}
