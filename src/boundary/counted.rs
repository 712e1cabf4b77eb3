//! Calls that are counted: limits, approvals and sessions stand in a store that gates share. In: a store, an intent, a
//! moment. Out: a signed trace, once what the call changes is in the store, all of it or nothing. A store that cannot be used
//! blocks what limits count, lets no approval count, and takes no call of a session.

use super::{Boundary, Moment, Recorded, request};
use crate::artifact::{BuildError, Digest, SigningKey, TraceRecord, TrustedKeys, jcs};
use crate::domain::approval::Standing;
use crate::domain::{ArgumentOrigin, Charge, Intent, State, Verdict};
use crate::host::Host;
use crate::limits;
use crate::session::{self, Head, SessionError};
use crate::store::sessions::{Last, Sessions};
use crate::store::used::Used;
use crate::store::{self, Key, Records, Store, StoreError, counters};
use jiff::Timestamp;
use std::path::Path;

/// Where a session's calls are judged: its journal, and what its calls are counted in.
#[derive(Clone, Copy)]
pub struct Journal<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The journal's path.
    pub path: &'a Path,
    /// What gates share: the session's head, counters, approvals.
    pub store: &'a dyn Store,
}

/// What of the store a call needs beside its session.
struct Counting {
    charges: Vec<Charge>,
    approvals: Vec<Digest>,
}

impl Counting {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.charges.iter().map(|charge| charge.counter.as_str())
    }

    fn keys(&self) -> impl Iterator<Item = Key> {
        counters::keys(self.names()).chain(Used::keys(&self.approvals))
    }

    fn is_empty(&self) -> bool {
        self.charges.is_empty() && self.approvals.is_empty()
    }
}

/// The place of a call in its session.
struct Place {
    /// The call before it; none where the session starts.
    before: Option<Last>,
    /// Whether that one is not in this journal yet: another gate judged it, or this one was cut off.
    is_new: bool,
    /// What happened in the session.
    state: Option<State>,
}

/// What became of a session's next call.
enum Next {
    /// It was not judged: the journal has not this call before it.
    Behind(Last),
    /// It was judged after what was before it.
    Judged(Place, Box<Recorded>),
}

impl Boundary {
    /// Judges an intent as `judge` does, and counts it: what the limits that count it have spent is read from the
    /// store, and what it costs is charged there, under the trace's id, before this returns; where it is not allowed,
    /// nothing is. So are the approvals used up that let it run. A store that cannot be read or written blocks what limits
    /// count, and lets no approval count.
    pub fn judge_counted(
        &mut self,
        store: &dyn Store,
        intent: &Intent,
        moment: &Moment,
        key: &SigningKey,
    ) -> Result<Recorded, BuildError> {
        let counting = self.counting(intent, moment);
        if counting.is_empty() {
            return self.judge(intent, moment, key);
        }
        let counted = store::change(store, counting.keys(), |records| {
            self.counted(records, &counting, intent, moment, key)
        });
        // Nobody knows what is spent; the trace says why.
        counted.unwrap_or_else(|error| self.judge(intent, &uncounted(moment, &error), key))
    }

    /// Judges an intent as the next call of a session: the trace follows the session's last one, and is in the store and in
    /// the journal, durable, before this returns. `moment.previous` is taken from there.
    pub fn judge_in_session(
        &mut self,
        journal: Journal<'_>,
        intent: &Intent,
        moment: &Moment,
        key: &SigningKey,
    ) -> Result<Recorded, SessionError> {
        let (mut kept, mut flaw) = (None, None);
        // What the store knows and the journal does not is written first and by itself: were this process killed while it
        // judges, the store would know the next call only.
        for may_be_behind in [false, true] {
            let found = session::append(journal.host, journal.path, |head| {
                if let Some(last) = head
                    .last
                    .as_ref()
                    .and_then(|last| self.opened(last, key, moment.now))
                {
                    is_of(&last, moment, journal.path)?;
                }
                match self.judge_next((journal, head), may_be_behind, (intent, moment), key)? {
                    Next::Behind(last) => Ok(vec![last]),
                    Next::Judged(place, recorded) => {
                        let lines = lines(&place, &recorded);
                        kept = Some((place.before.is_some(), *recorded));
                        Ok(lines)
                    }
                }
            })?;
            flaw = flaw.or(found);
            if kept.is_some() {
                break;
            }
        }
        let (has_head, recorded) =
            kept.ok_or_else(|| SessionError::NoTrace("it was not judged".to_owned()))?;
        // What the journal does not tell, the store does.
        let flaw = flaw.map(|flaw| session::Flaw {
            bare: flaw.bare && !has_head,
            ..flaw
        });
        Ok(Recorded { flaw, ..recorded })
    }

    /// Judges the call after a session's last one, and makes it that. Another gate may judge one meanwhile; then this is
    /// done again, after that. Where the journal may not be behind the store and is, nothing is judged.
    fn judge_next(
        &mut self,
        (journal, head): (Journal<'_>, &Head),
        may_be_behind: bool,
        (intent, moment): (&Intent, &Moment),
        key: &SigningKey,
    ) -> Result<Next, SessionError> {
        let store = journal.store;
        for _ in 0..limits::SESSION_TRIES {
            let seen = last_call(store, moment)?;
            let place = self.place((journal.path, head), seen.as_ref(), moment, key)?;
            if let Some(last) = place.before.as_ref().filter(|_| place.is_new && !may_be_behind) {
                return Ok(Next::Behind(last.clone()));
            }
            let moment = Moment {
                previous: place.before.as_ref().map(|last| last.digest),
                state: place.state.clone(),
                ..moment.clone()
            };
            let counting = self.counting(intent, &moment);
            let keys = || counting.keys().chain(session_key(&moment));
            let counted = store::change(store, keys(), |records| {
                if !is_last(records, &moment, seen.as_ref())? {
                    return Ok(None);
                }
                let judged = self.counted(records, &counting, intent, &moment, key)?;
                put(records, &moment, place.before.as_ref(), judged).map(Some)
            });
            let judged = match counted {
                // The session's head may be whole where a counter is not.
                Err(error) if !counting.is_empty() => {
                    let moment = uncounted(&moment, &error);
                    store::change(store, session_key(&moment), |records| {
                        if !is_last(records, &moment, seen.as_ref())? {
                            return Ok(None);
                        }
                        let judged = self.judge(intent, &moment, key);
                        put(records, &moment, place.before.as_ref(), judged).map(Some)
                    })
                }
                counted => counted,
            };
            match judged? {
                Some(judged) => {
                    let recorded = judged.map_err(|error| SessionError::NoTrace(error.to_string()))?;
                    return Ok(Next::Judged(place, Box::new(recorded)));
                }
                None => continue,
            }
        }
        let place = store.place();
        Err(StoreError::Contended { place }.into())
    }

    fn counting(&self, intent: &Intent, moment: &Moment) -> Counting {
        let origins = ArgumentOrigin::of_intent(&intent.document);
        // What a chain of delegation says, or a statement, may be what a limit asks.
        let moment = &self.told(intent, moment);
        let used_up = moment.handed.iter().filter(|one| one.is_used_up());
        Counting {
            charges: self.gate().charges(&request(intent, moment, origins.as_deref())),
            approvals: used_up.map(|one| one.digest).collect(),
        }
    }

    /// Judges by what records say is spent and used up, and writes into them what the call spends and uses up.
    fn counted(
        &mut self,
        records: &mut Records,
        counting: &Counting,
        intent: &Intent,
        moment: &Moment,
        key: &SigningKey,
    ) -> Result<Result<Recorded, BuildError>, StoreError> {
        let mut counters = counters::read(records, counting.names())?;
        let mut used = Used::read(records, &counting.approvals)?;
        let now = moment.now.as_millisecond();
        let mut moment = moment.clone();
        moment.usage = (!counting.charges.is_empty()).then(|| counters.used(&counting.charges, now));
        for one in moment.handed.iter_mut().filter(|one| used.is_used(one.digest)) {
            one.flaw.get_or_insert(Standing::Used);
        }
        let recorded = match self.judge_approved(intent, &moment, key) {
            Ok(recorded) => recorded,
            Err(error) => return Ok(Err(error)),
        };
        if recorded.record.decision.verdict == Verdict::Allow {
            let trace_id = &recorded.record.trace_id;
            counters.reserve(trace_id, &recorded.charges, now);
            let is_used_up = |name: &&Digest| {
                let mut handed = moment.handed.iter();
                handed.any(|one| one.digest == **name && one.is_used_up())
            };
            for approval in recorded.record.approved_with.iter().filter(is_used_up) {
                used.use_up(*approval, trace_id);
            }
            counters::write(records, &counters)?;
            used.write(records)?;
        }
        Ok(Ok(recorded))
    }

    /// The place of the next call: after what the store has last; where it knows none, after the journal's last one.
    fn place(
        &self,
        (path, head): (&Path, &Head),
        seen: Option<&Last>,
        moment: &Moment,
        key: &SigningKey,
    ) -> Result<Place, SessionError> {
        let (before, is_new) = match (head.last.as_ref(), seen) {
            (Some(own), Some(seen)) if own.digest == seen.digest => (Some(seen), false),
            (Some(own), Some(seen)) if own.number >= seen.number => {
                return Err(SessionError::Forked {
                    path: path.to_owned(),
                    number: own.number,
                });
            }
            (_, Some(seen)) => (Some(seen), true),
            (own, None) => (own, false),
        };
        let last = before.and_then(|last| self.opened(last, key, moment.now));
        if let Some(last) = &last {
            is_of(last, moment, path)?;
        }
        let state = match before {
            None if head.fresh => Some(self.gate().fresh_state()),
            _ => last.and_then(|last| self.state_after(&last)),
        };
        Ok(Place {
            before: before.cloned(),
            is_new,
            state,
        })
    }

    /// The record of a session's last call; none where its trace does not verify.
    fn opened(&self, last: &Last, key: &SigningKey, now: Timestamp) -> Option<TraceRecord> {
        let own = TrustedKeys::new([key.verifying_key()]);
        let known = [&own, &self.loaded.trusted].into_iter();
        let verified = known
            .map(|trusted| last.trace.verify(trusted, now))
            .find_map(Result::ok)?;
        Some(verified.into_value())
    }

    /// The state a session's last trace leaves; none where that is of another policy, so that rules about the session
    /// block.
    fn state_after(&self, last: &TraceRecord) -> Option<State> {
        let after = &last.state.as_ref()?.after;
        self.gate().read_state(&jcs::to_vec(after)).ok()
    }
}

/// The moment of a call of which nobody knows what is spent, and why.
fn uncounted(moment: &Moment, error: &StoreError) -> Moment {
    Moment {
        uncounted: Some(error.to_string()),
        ..moment.clone()
    }
}

/// A journal holds one session.
fn is_of(last: &TraceRecord, moment: &Moment, path: &Path) -> Result<(), SessionError> {
    if last.session_id == moment.session_id {
        return Ok(());
    }
    Err(SessionError::Foreign {
        path: path.to_owned(),
        holds: last.session_id.clone().unwrap_or_default(),
        wanted: moment.session_id.clone().unwrap_or_default(),
    })
}

fn session_key(moment: &Moment) -> Option<Key> {
    moment.session_id.as_ref().map(Key::of::<Sessions>)
}

fn last_call(store: &dyn Store, moment: &Moment) -> Result<Option<Last>, StoreError> {
    let Some(session) = &moment.session_id else {
        return Ok(None);
    };
    store::read(store, session_key(moment))?.get::<Sessions>(session)
}

/// Whether the session is where it was seen to be.
fn is_last(records: &Records, moment: &Moment, seen: Option<&Last>) -> Result<bool, StoreError> {
    let Some(session) = &moment.session_id else {
        return Ok(true);
    };
    Ok(records.get::<Sessions>(session)?.as_ref() == seen)
}

/// Makes a call that was judged the last one of its session.
fn put(
    records: &mut Records,
    moment: &Moment,
    before: Option<&Last>,
    judged: Result<Recorded, BuildError>,
) -> Result<Result<Recorded, BuildError>, StoreError> {
    if let (Some(session), Ok(recorded)) = (&moment.session_id, &judged) {
        records.put::<Sessions>(session, &call(before, recorded))?;
    }
    Ok(judged)
}

/// A judged call as the last one of its session.
fn call(before: Option<&Last>, recorded: &Recorded) -> Last {
    Last {
        number: before.map_or(0, |last| last.number).saturating_add(1),
        digest: recorded.digest,
        trace: recorded.trace.clone(),
        intent: recorded.intent.clone(),
    }
}

/// What the journal has not yet: the call itself, and the one before it where that is not there.
fn lines(place: &Place, recorded: &Recorded) -> Vec<Last> {
    let new = call(place.before.as_ref(), recorded);
    let before = place.before.clone().filter(|_| place.is_new);
    before.into_iter().chain([new]).collect()
}
