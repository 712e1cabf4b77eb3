//! The connections of one process to one server: a bounded number, kept to be used again. While the server is known to be away, one caller
//! at a time finds out whether it is back, and all others are told at once that it is not: a server that is gone or silent keeps one
//! thread, whatever comes. It must not know what is asked.

use super::super::StoreError;
use super::link::Link;
use crate::limits;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The connections.
#[derive(Default)]
pub struct Pool {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    /// How many places are taken.
    taken: usize,
    /// Why the server could not be reached, the last time that it was tried.
    away: Option<StoreError>,
    /// Whether somebody is trying to reach it again.
    is_tried: bool,
}

/// The right to one connection; it ends with its value.
pub struct Place<'p> {
    pool: &'p Pool,
    /// A connection that was kept.
    pub kept: Option<Link>,
    tries: bool,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. Gives why there is none: the server is away, or too many others ask.
    pub fn place(&self, contended: StoreError) -> Result<Place<'_>, StoreError> {
        let most = Duration::from_millis(limits::LOCK_WAIT_MILLIS);
        let must_wait = |state: &mut State| state.away.is_none() && state.taken >= limits::STORE_LINKS;
        let waited = self.freed.wait_timeout_while(self.state(), most, must_wait);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        let tries = match &state.away {
            Some(error) if state.is_tried => return Err(error.clone()),
            None if waited.timed_out() => return Err(contended),
            away => away.is_some(),
        };
        state.is_tried |= tries;
        state.taken = state.taken.saturating_add(1);
        let kept = state.idle.pop();
        Ok(Place {
            pool: self,
            kept,
            tries,
        })
    }
}

impl Place<'_> {
    /// The server has answered.
    pub fn reached(&self) {
        self.pool.state().away = None;
    }

    /// A connection was lost: the others that were kept are as old.
    pub fn lost(&self) {
        self.pool.state().idle.clear();
    }

    /// The server cannot be reached, or says nothing.
    pub fn away(&self, error: &StoreError) {
        let mut state = self.pool.state();
        state.idle.clear();
        state.away = Some(error.clone());
        self.pool.freed.notify_all();
    }

    /// Keeps a connection for others.
    pub fn keep(self, link: Link) {
        if !link.is_closed() {
            self.pool.state().idle.push(link);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.taken = state.taken.saturating_sub(1);
        if self.tries {
            state.is_tried = false;
        }
        self.pool.freed.notify_one();
    }
}
