//! The store of a program that was built without one: it keeps nothing, and says so.

use super::{Key, Records, Row, Store, StoreError, Work};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// No store.
#[derive(Clone, Debug)]
pub struct None(PathBuf);

impl None {
    /// What stands for the store in a folder.
    pub fn new(folder: &Path) -> None {
        None(folder.to_owned())
    }

    fn refusal(&self) -> StoreError {
        StoreError::Failed {
            place: self.place(),
            reason: "this program was built without the feature `sqlite`, so it keeps no state".to_owned(),
        }
    }
}

impl Store for None {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn change(&self, _: &BTreeSet<Key>, _: &mut Work<'_>) -> Result<(), StoreError> {
        Err(self.refusal())
    }

    fn read(&self, _: &BTreeSet<Key>) -> Result<Records, StoreError> {
        Err(self.refusal())
    }

    fn list(&self, _: (&str, &str), _: usize) -> Result<Vec<Row>, StoreError> {
        Err(self.refusal())
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        Err(self.refusal())
    }
}
