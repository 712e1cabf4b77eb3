//! Shared state: records that gates change together. A record has a kind and a name; its value is bytes that its kind
//! reads and writes. In: which records, and what to do with them. Out: what that gives, when the changes are durable. It
//! knows no policy, and a record that is not what its kind says is an error, never an empty one.
//!
//! A kind is one file that implements `Kind`, and one line in `KINDS`.

pub mod counters;
pub mod kill_switches;
mod memory;
#[cfg(not(feature = "sqlite"))]
mod none;
pub mod permits;
#[cfg(feature = "postgres")]
pub mod postgres;
mod row;
pub mod sessions;
#[cfg(feature = "sqlite")]
mod sqlite;
pub mod used;

pub use memory::Memory;
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use row::Row;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

use crate::artifact::jcs;
use crate::host::HostError;
use crate::json::{self, Json};
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The file of the embedded store in its folder.
pub const FILE: &str = "gait.db";

/// Why a store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The machine refused.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A record is not what its kind says.
    #[error("{place}: {record} is damaged: {reason}")]
    Damaged {
        /// The store.
        place: String,
        /// The kind and name.
        record: String,
        /// What is wrong.
        reason: String,
    },
    /// It is no store of gait, or one of another version.
    #[error("{place} is no store that this program reads: {reason}")]
    Foreign {
        /// The store.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Others had the records for too long.
    #[error("{place} is in use by others")]
    Contended {
        /// The store.
        place: String,
    },
    /// It does not do what was asked; nothing was changed.
    #[error("{place}: {reason}")]
    Failed {
        /// The store.
        place: String,
        /// Its own words.
        reason: String,
    },
    /// It did not say whether the changes were made.
    #[error("{place} did not say whether the change was made: {reason}")]
    Unknown {
        /// The store.
        place: String,
        /// Its own words.
        reason: String,
    },
    /// Something is too large or too many for a store.
    #[error("{place}: {what} is over the limit of {limit}")]
    TooMuch {
        /// The store.
        place: String,
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A bug: a record was asked for that was not locked.
    #[error("{place}: {record} was not asked for")]
    NotLocked {
        /// The store.
        place: String,
        /// The kind and name.
        record: String,
    },
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Host(error) => error.code(),
            StoreError::Damaged { .. } => "store.damaged",
            StoreError::Foreign { .. } => "store.foreign",
            StoreError::Contended { .. } => "store.contended",
            StoreError::Failed { .. } => "store.failed",
            StoreError::Unknown { .. } => "store.unknown",
            StoreError::TooMuch { .. } => "store.too_much",
            StoreError::NotLocked { .. } => "store.not_locked",
        }
    }

    /// The store it is about, as people call it.
    pub fn place(&self) -> String {
        match self {
            StoreError::Host(error) => error.path().map(|p| p.display().to_string()).unwrap_or_default(),
            StoreError::Damaged { place, .. }
            | StoreError::Foreign { place, .. }
            | StoreError::Contended { place }
            | StoreError::Failed { place, .. }
            | StoreError::Unknown { place, .. }
            | StoreError::TooMuch { place, .. }
            | StoreError::NotLocked { place, .. } => place.clone(),
        }
    }
}

/// A kind of record.
pub trait Kind {
    /// What a record holds.
    type Value;
    /// The kind's name, distinct among `KINDS`.
    const NAME: &'static str;
    /// A value as a document.
    fn write(name: &str, value: &Self::Value) -> Json;
    /// The value of a document; an error says what is missing. Whether it is the one that `write` gives, the store asks.
    fn read(name: &str, document: &Json) -> Result<Self::Value, String>;
}

/// The value of bytes, which must be those that are written for it.
fn value_of<K: Kind>(name: &str, bytes: &[u8]) -> Result<K::Value, String> {
    let document = json::parse(bytes).map_err(|error| error.to_string())?;
    let value = K::read(name, &document)?;
    if jcs::to_vec(&K::write(name, &value)) == bytes {
        Ok(value)
    } else {
        Err("it is another document, or not in canonical form".to_owned())
    }
}

/// A kind as a check of a whole store knows it.
#[derive(Clone, Copy, Debug)]
pub struct KindEntry {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with a record of it.
    pub check: fn(&str, &[u8]) -> Result<(), String>,
}

impl KindEntry {
    const fn of<K: Kind>() -> KindEntry {
        KindEntry {
            name: K::NAME,
            check: |name, bytes| value_of::<K>(name, bytes).map(drop),
        }
    }
}

/// Every kind there is, by name.
pub const KINDS: &[KindEntry] = &[
    KindEntry::of::<counters::Counters>(),
    KindEntry::of::<kill_switches::KillSwitches>(),
    KindEntry::of::<permits::Permits>(),
    KindEntry::of::<sessions::Sessions>(),
    KindEntry::of::<used::UsedApprovals>(),
];

/// The kind and name of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    kind: &'static str,
    name: String,
}

impl Key {
    /// The key of a record of a kind.
    pub fn of<K: Kind>(name: impl Into<String>) -> Key {
        Key {
            kind: K::NAME,
            name: name.into(),
        }
    }

    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The record's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name.escape_debug())
    }
}

/// What is done with records while nobody else changes them. It is called at most once.
pub type Work<'w> = dyn FnMut(&mut Records) -> Result<(), StoreError> + 'w;

/// A place where gates share records.
pub trait Store: Send + Sync {
    /// What people call it.
    fn place(&self) -> String;

    /// Locks records, hands them to `work`, and writes what that changed, all or nothing, durable when this returns. A
    /// store that is not there yet is made. Errors mean that nothing was changed, except `Unknown`.
    fn change(&self, keys: &BTreeSet<Key>, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Reads records as they were at one moment, without a lock. A store that is not there has none.
    fn read(&self, keys: &BTreeSet<Key>) -> Result<Records, StoreError>;

    /// The rows after a kind and name, by kind and name, at most so many. A store that is not there is an error.
    fn list(&self, after: (&str, &str), max: usize) -> Result<Vec<Row>, StoreError>;

    /// What its own engine finds wrong with it. A store that is not there is an error.
    fn check(&self) -> Result<Vec<String>, StoreError>;
}

/// The embedded store in a folder, which is opened when it is needed and not before. A program that was built without
/// one has none, and says so when it is asked.
pub fn embedded(folder: &Path) -> Box<dyn Store> {
    #[cfg(feature = "sqlite")]
    return Box::new(Sqlite::new(folder));
    #[cfg(not(feature = "sqlite"))]
    return Box::new(none::None::new(folder));
}

/// Records that are locked, or were read.
#[derive(Clone, Debug)]
pub struct Records {
    place: String,
    keys: BTreeSet<Key>,
    rows: BTreeMap<Key, Vec<u8>>,
}

impl Records {
    /// What stands in a store under keys.
    fn new(place: String, keys: &BTreeSet<Key>, rows: BTreeMap<Key, Vec<u8>>) -> Records {
        let keys = keys.clone();
        Records { place, keys, rows }
    }

    /// A record; `None` where there is none.
    pub fn get<K: Kind>(&self, name: &str) -> Result<Option<K::Value>, StoreError> {
        let key = self.locked(Key::of::<K>(name))?;
        let Some(bytes) = self.rows.get(&key) else {
            return Ok(None);
        };
        let damaged = |reason| StoreError::Damaged {
            place: self.place.clone(),
            record: key.to_string(),
            reason,
        };
        value_of::<K>(name, bytes).map(Some).map_err(damaged)
    }

    /// Writes a record.
    pub fn put<K: Kind>(&mut self, name: &str, value: &K::Value) -> Result<(), StoreError> {
        let key = self.locked(Key::of::<K>(name))?;
        let bytes = jcs::to_vec(&K::write(name, value));
        let place = &self.place;
        within(
            place,
            "the name of a record",
            name.len(),
            limits::RECORD_NAME_BYTES,
        )?;
        within(place, "a record", bytes.len(), limits::RECORD_BYTES)?;
        self.rows.insert(key, bytes);
        Ok(())
    }

    /// Removes a record, which need not be there.
    pub fn remove<K: Kind>(&mut self, name: &str) -> Result<(), StoreError> {
        let key = self.locked(Key::of::<K>(name))?;
        self.rows.remove(&key);
        Ok(())
    }

    fn locked(&self, key: Key) -> Result<Key, StoreError> {
        if self.keys.contains(&key) {
            return Ok(key);
        }
        Err(StoreError::NotLocked {
            place: self.place.clone(),
            record: key.to_string(),
        })
    }
}

/// What a change wrote: the new value of each record that has another one, `None` where it was removed.
fn changes<'r>(before: &BTreeMap<Key, Vec<u8>>, after: &'r Records) -> Vec<(&'r Key, Option<&'r [u8]>)> {
    let changed = |key: &&Key| before.get(key) != after.rows.get(key);
    let value = |key| (key, after.rows.get(key).map(Vec::as_slice));
    after.keys.iter().filter(changed).map(value).collect()
}

fn within(place: &str, what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size <= limit {
        return Ok(());
    }
    let place = place.to_owned();
    Err(StoreError::TooMuch { place, what, limit })
}

/// Changes records as `Store::change` does, and gives what `work` gives.
pub fn change<T>(
    store: &dyn Store,
    keys: impl IntoIterator<Item = Key>,
    work: impl FnOnce(&mut Records) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let keys = asked_for(store, keys)?;
    let (mut work, mut value) = (Some(work), None);
    store.change(&keys, &mut |records| {
        if let Some(work) = work.take() {
            value = Some(work(records)?);
        }
        Ok(())
    })?;
    value.ok_or_else(|| StoreError::Failed {
        place: store.place(),
        reason: "it did not hand out the records".to_owned(),
    })
}

/// The keys, where they are not too many.
fn asked_for(store: &dyn Store, keys: impl IntoIterator<Item = Key>) -> Result<BTreeSet<Key>, StoreError> {
    let keys: BTreeSet<Key> = keys.into_iter().collect();
    within(
        &store.place(),
        "the number of records",
        keys.len(),
        limits::RECORD_KEYS,
    )?;
    Ok(keys)
}

/// Reads records as they were at one moment.
pub fn read(store: &dyn Store, keys: impl IntoIterator<Item = Key>) -> Result<Records, StoreError> {
    let keys = asked_for(store, keys)?;
    store.read(&keys)
}
