//! A row as a store keeps it: kind, name, value, and a digest of the three, so that a row of which a bit was flipped, or
//! which stands in another's place, is found when it is read.

use super::KINDS;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::{Key, StoreError};
use crate::artifact::{Digest, digest};

/// A row, read and not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The kind's name.
    pub kind: String,
    /// The record's name.
    pub name: String,
    /// The value.
    pub value: Vec<u8>,
    /// What is kept as the digest.
    pub digest: Vec<u8>,
}

impl Row {
    /// What is wrong with it; its value where nothing is.
    pub fn checked(&self) -> Result<&[u8], String> {
        let name = self.kind.as_str();
        let kind = KINDS.iter().find(|kind| kind.name == name);
        let kind = kind.ok_or_else(|| "its kind is unknown".to_owned())?;
        if self.digest != of(&self.kind, &self.name, &self.value).as_bytes() {
            return Err(ALTERED.to_owned());
        }
        (kind.check)(&self.name, &self.value)?;
        Ok(&self.value)
    }
}

const ALTERED: &str = "its digest is of something else";

/// The digest of a row: each part with its length before it, after a tag.
pub(super) fn of(kind: &str, name: &str, value: &[u8]) -> Digest {
    let mut bytes = b"gait.store.row/1".to_vec();
    for part in [kind.as_bytes(), name.as_bytes(), value] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    digest::sha256(&bytes)
}

/// The value of a row whose digest is right.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn value(place: &str, key: &Key, value: Vec<u8>, kept: &[u8]) -> Result<Vec<u8>, StoreError> {
    if kept == of(key.kind(), key.name(), &value).as_bytes() {
        return Ok(value);
    }
    Err(StoreError::Damaged {
        place: place.to_owned(),
        record: key.to_string(),
        reason: ALTERED.to_owned(),
    })
}
