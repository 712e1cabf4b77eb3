//! What a server said last, for as long as it counts: until the server says that it is otherwise, for as long as the server says, and never for
//! longer than `limits::MCP_LIST_MILLIS`. In: whoever can ask, and the time. Out: what it says now. It must not know how a server is asked.

use crate::limits;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was said last.
#[derive(Debug)]
pub struct Fresh<T>(Mutex<Seen<T>>);

#[derive(Debug)]
struct Seen<T> {
    said: Option<Arc<T>>,
    /// From when to when it counts.
    counts: Option<(Timestamp, Timestamp)>,
    /// How often the server has said that it is otherwise.
    changes: u64,
}

impl<T> Default for Fresh<T> {
    fn default() -> Fresh<T> {
        Fresh(Mutex::new(Seen {
            said: None,
            counts: None,
            changes: 0,
        }))
    }
}

impl<T> Fresh<T> {
    fn seen(&self) -> MutexGuard<'_, Seen<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server says that it is otherwise, or another server answers: what was said counts no more.
    pub fn changed(&self) {
        let mut seen = self.seen();
        seen.changes = seen.changes.wrapping_add(1);
        seen.said = None;
    }

    /// What the server says now; none where nobody can know. Where nothing counts any more, `ask` asks it, and gives for how many milliseconds
    /// it holds where the server says that; where it changes while it is asked for, it is asked for again.
    pub fn get<E>(
        &self,
        now: &dyn Fn() -> Timestamp,
        ask: &mut dyn FnMut() -> Result<(T, Option<i64>), E>,
    ) -> Option<Arc<T>> {
        for _ in 0..limits::MCP_LIST_TRIES {
            let begun = now();
            let changes = {
                let seen = self.seen();
                let counts = |(from, to): (Timestamp, Timestamp)| from <= begun && begun < to;
                match &seen.said {
                    Some(said) if seen.counts.is_some_and(counts) => return Some(Arc::clone(said)),
                    _ => seen.changes,
                }
            };
            let (said, holds) = ask().ok()?;
            let said = Arc::new(said);
            let mut seen = self.seen();
            if seen.changes == changes {
                let holds = holds.unwrap_or(limits::MCP_LIST_MILLIS);
                let holds = holds.clamp(0, limits::MCP_LIST_MILLIS);
                let to = begun.saturating_add(SignedDuration::from_millis(holds));
                seen.counts = Some((begun, to.unwrap_or(begun)));
                seen.said = Some(Arc::clone(&said));
                return Some(said);
            }
        }
        None
    }
}
