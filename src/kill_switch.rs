//! The kill switch in a file: signed stops of an operator, read before every call and changed under a lock. In: a host,
//! a path, keys, the time. Out: the stops that are on, or why nobody can tell. Which call a stop is about is the
//! gate's to say.

use crate::artifact::envelope::{self, Verified};
use crate::artifact::{
    BuildError, Digest, KillSwitch, SigningKey, StopEntry, TrustedKeys, VerifyError, time,
};
use crate::builtins::{email, host as hostname, path, url};
use crate::domain::{Profile, Stop, StopScope, StopTarget, hidden};
use crate::host::{self, Host, HostError, Mode};
use crate::limits;
use crate::store::kill_switches::{KillSwitches, Seen};
use crate::store::{self, Key, Store, StoreError};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Where the kill switch lies unless the caller says otherwise.
pub const FILE: &str = "gait-kill-switch.json";

/// Why a kill switch cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KillSwitchError {
    /// It is not what a trusted key has signed.
    #[error("{}: {error}", path.display())]
    Verify {
        /// The file.
        path: PathBuf,
        /// Why.
        error: VerifyError,
    },
    /// A stop of this id is there already.
    #[error("stop `{0}` is there already")]
    Known(String),
    /// There is no stop of this id.
    #[error("there is no stop `{0}`")]
    Unknown(String),
    /// The stop is off already.
    #[error("stop `{0}` is off already")]
    Off(String),
    /// What a stop is about cannot be read.
    #[error("`{}` is no {what}: {reason}", value.escape_debug())]
    Scope {
        /// What was expected.
        what: &'static str,
        /// What was written.
        value: String,
        /// Why.
        reason: String,
    },
    /// There are as many stops as a kill switch may have.
    #[error("a kill switch has at most {} stops", limits::KILL_SWITCH_STOPS)]
    Full,
    /// A time that is none any more.
    #[error("the time is out of range")]
    Time,
    /// It cannot be signed.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The machine refuses.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// What a gate found when it asked the kill switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consulted {
    /// The state it asked; none where there is none that can be read.
    pub digest: Option<Digest>,
    /// The stops that are on, or why nobody can tell.
    pub stops: Result<Vec<Stop>, String>,
    /// Since when the state is stale.
    pub stale_since: Option<Timestamp>,
}

/// Asks the kill switch about a call at a time. A stop is on where it is on at that time or by the clock. Under a
/// strict profile a stale state tells nothing; a state that cannot be read never does, nor one that is older than what
/// gates of this store have seen.
pub fn consult(
    (host, store): (&dyn Host, &dyn Store),
    path: &Path,
    trusted: &TrustedKeys,
    at: Timestamp,
    profile: Profile,
) -> Consulted {
    let read = match read(host, path, trusted) {
        Ok(read) => read,
        Err(error) => {
            return Consulted {
                digest: None,
                stops: Err(format!("the kill switch cannot be read: {error}")),
                stale_since: None,
            };
        }
    };
    let times = [at, host.now()];
    let found = consulted(&read, &times, profile);
    let stops = remembered(store, &read).and(found.stops);
    Consulted { stops, ..found }
}

/// Remembers the last state that was seen. Errors where that is another one than this.
fn remembered(store: &dyn Store, state: &Verified<KillSwitch>) -> Result<(), String> {
    let id = &state.value().id;
    let seen = Seen {
        sequence: state.value().sequence,
        digest: state.digest(),
    };
    let key = || [Key::of::<KillSwitches>(id.as_str())];
    let known = store::read(store, key()).and_then(|records| records.get::<KillSwitches>(id));
    let is_known = known.map_err(|error| unknown(&error))? == Some(seen);
    if is_known {
        return Ok(());
    }
    let last = store::change(store, key(), |records| {
        let known = records.get::<KillSwitches>(id)?;
        if known.is_none_or(|known| known.sequence < seen.sequence) {
            records.put::<KillSwitches>(id, &seen)?;
            return Ok(seen);
        }
        Ok(known.unwrap_or(seen))
    });
    match last {
        Ok(last) if last == seen => Ok(()),
        Ok(last) => Err(format!(
            "state {} of the kill switch has been seen, and this is another one, state {}",
            last.sequence, seen.sequence
        )),
        Err(error) => Err(unknown(&error)),
    }
}

fn unknown(error: &StoreError) -> String {
    format!("nobody knows which state of the kill switch is the last: {error}")
}

/// The same of a state that was read, at any of these times.
pub fn consulted(state: &Verified<KillSwitch>, times: &[Timestamp], profile: Profile) -> Consulted {
    let fresh_until = state.value().fresh_until;
    let is_stale = times.iter().any(|at| *at >= fresh_until);
    let on = state
        .value()
        .stops
        .iter()
        .filter(|entry| times.iter().any(|at| entry.is_on(*at)));
    let stops = if is_stale && profile == Profile::Strict {
        Err(format!(
            "the kill switch is stale since {}",
            time::print(fresh_until)
        ))
    } else {
        Ok(on.map(|entry| entry.stop.clone()).collect())
    };
    Consulted {
        digest: Some(state.digest()),
        stops,
        stale_since: is_stale.then_some(fresh_until),
    }
}

/// Reads and verifies a kill switch.
pub fn read(
    host: &dyn Host,
    path: &Path,
    trusted: &TrustedKeys,
) -> Result<Verified<KillSwitch>, KillSwitchError> {
    let bytes = host.read(path, limits::ENVELOPE_BYTES as u64)?;
    envelope::verify(&bytes, trusted, host.now()).map_err(|error| KillSwitchError::Verify {
        path: path.to_owned(),
        error,
    })
}

/// Who changes a kill switch, and for how long the state they sign is fresh.
#[derive(Clone, Copy)]
pub struct Operator<'o> {
    /// The machine.
    pub host: &'o dyn Host,
    /// The file.
    pub path: &'o Path,
    /// The keys that may have signed the state before.
    pub trusted: &'o TrustedKeys,
    /// The key that signs the new one.
    pub key: &'o SigningKey,
    /// In milliseconds.
    pub fresh_for: i64,
}

/// A state that was written, and its name.
pub type Written = (KillSwitch, Digest);

impl Operator<'_> {
    /// Adds a stop, which is on from now on.
    pub fn add(&self, entry: StopEntry) -> Result<Written, KillSwitchError> {
        check(&entry.stop.scope)?;
        self.change(|stops| {
            if stops.len() >= limits::KILL_SWITCH_STOPS {
                return Err(KillSwitchError::Full);
            }
            match stops.binary_search_by(|known| known.stop.id.cmp(&entry.stop.id)) {
                Ok(_) => return Err(KillSwitchError::Known(entry.stop.id)),
                Err(at) => stops.insert(at, entry),
            }
            Ok(())
        })
    }

    /// Turns a stop off.
    pub fn disable(&self, id: &str) -> Result<Written, KillSwitchError> {
        let now = time::cut(self.host.now());
        self.change(|stops| {
            on(stops, id, now)?.disabled_at = Some(now);
            Ok(())
        })
    }

    /// Lets a stop go off by itself at a time, now or later.
    pub fn expire(&self, id: &str, at: Timestamp) -> Result<Written, KillSwitchError> {
        let now = time::cut(self.host.now());
        self.change(|stops| {
            on(stops, id, now)?.expires_at = Some(time::cut(at).max(now));
            Ok(())
        })
    }

    /// Signs the state anew, so that it is fresh; an empty one where there is none.
    pub fn renew(&self) -> Result<Written, KillSwitchError> {
        self.change(|_| Ok(()))
    }

    /// Changes the state while no other process does.
    fn change(
        &self,
        work: impl FnOnce(&mut Vec<StopEntry>) -> Result<(), KillSwitchError>,
    ) -> Result<Written, KillSwitchError> {
        host::alone(self.host, self.path, || self.changed(work))?
    }

    fn changed(
        &self,
        work: impl FnOnce(&mut Vec<StopEntry>) -> Result<(), KillSwitchError>,
    ) -> Result<Written, KillSwitchError> {
        let before = match read(self.host, self.path, self.trusted) {
            Err(KillSwitchError::Host(HostError::NotFound { .. })) => None,
            read => Some(read?),
        };
        let issued_at = time::cut(self.host.now());
        let until = issued_at.as_millisecond().checked_add(self.fresh_for);
        let until = until.and_then(|at| Timestamp::from_millisecond(at).ok());
        let mut stops = before
            .as_ref()
            .map(|before| before.value().stops.clone())
            .unwrap_or_default();
        work(&mut stops)?;
        let id = match &before {
            Some(before) => before.value().id.clone(),
            None => host::nonce(self.host)?,
        };
        let state = KillSwitch {
            id,
            sequence: before
                .as_ref()
                .map_or(0, |before| before.value().sequence.saturating_add(1)),
            previous: before.as_ref().map(Verified::digest),
            issued_at,
            fresh_until: until.ok_or(KillSwitchError::Time)?,
            stops,
        };
        let (signed, digest) = envelope::sign_and_name(&state, &[self.key])?;
        self.host.write_atomic(self.path, signed.as_bytes(), Mode::Kept)?;
        Ok((state, digest))
    }
}

/// A stop that is on.
fn on<'s>(
    stops: &'s mut [StopEntry],
    id: &str,
    now: Timestamp,
) -> Result<&'s mut StopEntry, KillSwitchError> {
    let entry = stops.iter_mut().find(|entry| entry.stop.id == id);
    let entry = entry.ok_or_else(|| KillSwitchError::Unknown(id.to_owned()))?;
    if entry.is_on(now) {
        Ok(entry)
    } else {
        Err(KillSwitchError::Off(id.to_owned()))
    }
}

/// Refuses a scope that could not be about any call, for it would stop nothing.
fn check(scope: &StopScope) -> Result<(), KillSwitchError> {
    let refused = |what, value: &str, reason: String| KillSwitchError::Scope {
        what,
        value: value.to_owned(),
        reason,
    };
    for (_, text) in scope.said() {
        hidden::check_line(&text, limits::STOP_TEXT_BYTES)
            .map_err(|reason| refused("text of a stop", &text, reason.to_owned()))?;
    }
    for folder in [&scope.workspace, &scope.path].into_iter().flatten() {
        let found = path::parse(folder).map_err(|error| refused("path", folder, error.to_string()))?;
        if !found.starts_with('/') {
            return Err(refused(
                "path",
                folder,
                "it does not start at the root".to_owned(),
            ));
        }
    }
    match &scope.target {
        Some(target) => check_target(target).map_err(|reason| refused("target", &target.value, reason)),
        None => Ok(()),
    }
}

fn check_target(target: &StopTarget) -> Result<(), String> {
    let value = target.value.as_str();
    match target.kind.as_str() {
        "host" => hostname::parse(value)
            .map(|_| ())
            .map_err(|error| error.to_string()),
        "url" => url::parse(value).map(|_| ()).map_err(|error| error.to_string()),
        "email" => email::parse(value).map(|_| ()).map_err(|error| error.to_string()),
        "name" => Ok(()),
        _ => Err(format!("its kind is none of {}", StopTarget::KINDS.join(", "))),
    }
}
