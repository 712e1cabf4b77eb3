//! A store in memory, for tests and for programs that keep nothing: it keeps the same contract as the others, and ends
//! with the process.

use super::{Key, Records, Row, Store, StoreError, Work, changes, row};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Records in a map.
#[derive(Debug, Default)]
pub struct Memory {
    rows: Mutex<BTreeMap<Key, Vec<u8>>>,
}

impl Memory {
    /// The map. A thread that panicked changed nothing: what it changed was a copy.
    fn rows(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<u8>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn change(&self, keys: &BTreeSet<Key>, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut rows = self.rows();
        let before = of(&rows, keys);
        let mut records = Records::new(self.place(), keys, before.clone());
        work(&mut records)?;
        for (key, value) in changes(&before, &records) {
            match value {
                Some(value) => drop(rows.insert(key.clone(), value.to_vec())),
                None => drop(rows.remove(key)),
            }
        }
        Ok(())
    }

    fn read(&self, keys: &BTreeSet<Key>) -> Result<Records, StoreError> {
        Ok(Records::new(self.place(), keys, of(&self.rows(), keys)))
    }

    fn list(&self, after: (&str, &str), max: usize) -> Result<Vec<Row>, StoreError> {
        let rows = self.rows();
        let later = rows.iter().filter(|(key, _)| (key.kind(), key.name()) > after);
        let row = |(key, value): (&Key, &Vec<u8>)| Row {
            kind: key.kind().to_owned(),
            name: key.name().to_owned(),
            value: value.clone(),
            digest: row::of(key.kind(), key.name(), value).as_bytes().to_vec(),
        };
        Ok(later.take(max).map(row).collect())
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

fn of(rows: &BTreeMap<Key, Vec<u8>>, keys: &BTreeSet<Key>) -> BTreeMap<Key, Vec<u8>> {
    let known = |key: &Key| Some((key.clone(), rows.get(key)?.clone()));
    keys.iter().filter_map(known).collect()
}
