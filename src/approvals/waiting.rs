//! The calls that wait at a running gate. In: calls as they are decided. Out: those that wait for people, until they are decided
//! otherwise, nobody has asked for them for a day, or too many newer ones wait.

use super::inbox::{Place, Waiting};
use crate::artifact::{Digest, Subject, TraceRecord};
use crate::domain::Verdict;
use crate::json;
use crate::limits;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Calls that wait, by what is asked for.
#[derive(Debug, Default)]
pub struct WaitingCalls(BTreeMap<Digest, Waiting>);

impl WaitingCalls {
    /// Whether a call waits, by the digest of its whole intent.
    pub fn has(&self, call: Digest) -> bool {
        self.0.contains_key(&call)
    }

    /// Takes note of a decision. What is denied waits, too: the denial may be over when the call is made again.
    pub fn note(&mut self, call: Digest, record: &TraceRecord, intent: &[u8], place: Place) {
        let waits = record.decision.verdict == Verdict::RequireApproval || !record.denied_with.is_empty();
        let subject = Subject::of_trace(record).filter(|_| waits && !record.runs);
        let Some(subject) = subject else {
            self.0.remove(&call);
            return;
        };
        let asked = self.0.get(&call).map_or(0, |known| known.asked);
        if asked == 0 && self.0.len() >= limits::WAITING_CALLS {
            let oldest = self.0.iter().min_by_key(|(_, waiting)| waiting.record.created_at);
            if let Some(oldest) = oldest.map(|(call, _)| *call) {
                self.0.remove(&oldest);
            }
        }
        let waiting = Waiting {
            record: Box::new(record.clone()),
            intent: json::parse(intent).ok(),
            place,
            asked: asked.saturating_add(1),
            subject,
            given: Vec::new(),
        };
        self.0.insert(call, waiting);
    }

    /// How many wait at a time.
    pub fn count(&mut self, now: Timestamp) -> usize {
        self.forget(now);
        self.0.len()
    }

    /// All that wait at a time, the one that was asked first before all others.
    pub fn list(&mut self, now: Timestamp) -> Vec<Waiting> {
        self.forget(now);
        let mut all: Vec<Waiting> = self.0.values().cloned().collect();
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        all
    }

    /// Forgets what nobody has asked for lately.
    fn forget(&mut self, now: Timestamp) {
        let is_old = |waiting: &Waiting| {
            let asked = waiting.record.created_at.as_millisecond();
            now.as_millisecond().saturating_sub(asked) > limits::WAITING_MILLIS
        };
        self.0.retain(|_, waiting| !is_old(waiting));
    }
}
