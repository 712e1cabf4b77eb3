//! Strict reading of one JSON object: exactly the members named, each of its kind. Shared by every schema here.

use jiff::Timestamp;

use super::{Digest, VerifyError, time};
use crate::json::{Json, Text};
use crate::limits;
use std::cell::Cell;

/// An object whose member names are all known.
pub struct Fields<'a> {
    what: &'static str,
    members: &'a [(Text, Json)],
    /// Where the next member is looked for first: after the last one that was found.
    next: Cell<usize>,
}

impl<'a> Fields<'a> {
    /// Opens an object. Errors when it is none or has a member outside `known`.
    pub fn open(what: &'static str, json: &'a Json, known: &[&str]) -> Result<Self, VerifyError> {
        let fields = Fields {
            what,
            members: json.as_object().unwrap_or_default(),
            next: Cell::new(0),
        };
        if json.as_object().is_none() {
            return Err(fields.refuse(format!("expected an object, found {}", json.kind())));
        }
        let mut next = 0;
        for (key, _) in fields.members {
            let Some(at) = search(known, next, |name| key == name) else {
                return Err(fields.refuse(format!("unknown member `{}`", key.escape_debug())));
            };
            next = at + 1;
        }
        Ok(fields)
    }

    /// The error for this object.
    pub fn refuse(&self, reason: impl Into<String>) -> VerifyError {
        refuse(self.what, reason)
    }

    /// A member of any kind.
    pub fn any(&self, key: &str) -> Result<&'a Json, VerifyError> {
        self.optional(key)
            .ok_or_else(|| self.refuse(format!("member `{key}` is missing")))
    }

    /// A member that may be missing.
    pub fn optional(&self, key: &str) -> Option<&'a Json> {
        let at = search(self.members, self.next.get(), |(name, _)| name == key)?;
        self.next.set(at + 1);
        self.members.get(at).map(|(_, value)| value)
    }

    /// A string.
    pub fn text(&self, key: &str) -> Result<&'a str, VerifyError> {
        self.any(key)?
            .as_str()
            .ok_or_else(|| self.refuse(format!("`{key}` is not a string")))
    }

    /// A string that is not empty.
    pub fn name(&self, key: &str) -> Result<String, VerifyError> {
        self.named(key).map(str::to_owned)
    }

    /// The same where it stands.
    pub fn named(&self, key: &str) -> Result<&'a str, VerifyError> {
        let text = self.text(key)?;
        named(self.what, key, text).map(|()| text)
    }

    /// A string that may be missing.
    pub fn optional_text(&self, key: &str) -> Result<Option<String>, VerifyError> {
        self.optional(key)
            .map(|_| self.text(key).map(str::to_owned))
            .transpose()
    }

    /// What is never drawn twice: 64 lowercase hexadecimal digits.
    pub fn nonce(&self, key: &str) -> Result<String, VerifyError> {
        let text = self.name(key)?;
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 64 || !text.bytes().all(is_hex) {
            return Err(self.refuse(format!("`{key}` is not 64 lowercase hexadecimal digits")));
        }
        Ok(text)
    }

    /// A string of one fixed value.
    pub fn constant(&self, key: &str, value: &str) -> Result<(), VerifyError> {
        match self.text(key)? {
            found if found == value => Ok(()),
            found => Err(self.refuse(format!("`{key}` is `{}`, not `{value}`", found.escape_debug()))),
        }
    }

    /// An id that may be part of an archive name.
    pub fn id(&self, key: &str) -> Result<String, VerifyError> {
        let text = self.text(key)?;
        id(self.what, key, text).map(|()| text.to_owned())
    }

    /// A whole number from 0, within 2^53 - 1.
    pub fn count(&self, key: &str) -> Result<u64, VerifyError> {
        let number = self.any(key)?.as_i64().and_then(|n| u64::try_from(n).ok());
        let safe = number.filter(|n| i128::from(*n) <= limits::SAFE_INTEGER);
        safe.ok_or_else(|| self.refuse(format!("`{key}` is not a whole number from 0 to 2^53 - 1")))
    }

    /// A whole number of 32 bits.
    pub fn small(&self, key: &str) -> Result<u32, VerifyError> {
        u32::try_from(self.count(key)?).map_err(|_| self.refuse(format!("`{key}` does not fit 32 bits")))
    }

    /// A digest.
    pub fn digest(&self, key: &str) -> Result<Digest, VerifyError> {
        Digest::parse(self.text(key)?).ok_or_else(|| self.refuse(format!("`{key}` is not a digest")))
    }

    /// A digest or `null`.
    pub fn digest_or_null(&self, key: &str) -> Result<Option<Digest>, VerifyError> {
        match self.any(key)? {
            Json::Null => Ok(None),
            _ => self.digest(key).map(Some),
        }
    }

    /// An instant in the one form of `time`.
    pub fn instant(&self, key: &str) -> Result<Timestamp, VerifyError> {
        time::parse(self.text(key)?)
            .ok_or_else(|| self.refuse(format!("`{key}` is not RFC 3339 in UTC with milliseconds")))
    }

    /// Every element of an array through `read`.
    pub fn list<T>(
        &self,
        key: &str,
        read: impl FnMut(&'a Json) -> Result<T, VerifyError>,
    ) -> Result<Vec<T>, VerifyError> {
        let items = self
            .any(key)?
            .as_array()
            .ok_or_else(|| self.refuse(format!("`{key}` is not an array")))?;
        items.iter().map(read).collect()
    }

    /// Errors unless the items are strictly increasing.
    pub fn sorted<T: Ord>(&self, key: &str, items: &[T]) -> Result<(), VerifyError> {
        sorted(self.what, key, items)
    }
}

/// The error for a document.
pub fn refuse(what: &'static str, reason: impl Into<String>) -> VerifyError {
    let reason = reason.into();
    VerifyError::Shape { what, reason }
}

/// Errors where a text is empty.
pub fn named(what: &'static str, key: &str, text: &str) -> Result<(), VerifyError> {
    if text.is_empty() {
        return Err(refuse(what, format!("`{key}` is empty")));
    }
    Ok(())
}

/// Errors where a text is no id that may be part of an archive name.
pub fn id(what: &'static str, key: &str, text: &str) -> Result<(), VerifyError> {
    if is_id(text) {
        return Ok(());
    }
    Err(refuse(
        what,
        format!("`{key}` is not an id of a-z, 0-9, `-` and `_`"),
    ))
}

/// Errors unless the items are strictly increasing.
pub fn sorted<T: Ord>(what: &'static str, key: &str, items: &[T]) -> Result<(), VerifyError> {
    if items.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(refuse(what, format!("`{key}` is not sorted and distinct")))
}

/// The first that is meant, from a place on and then before it: who reads and who writes mostly keep the same order.
fn search<T>(all: &[T], from: usize, is_meant: impl Fn(&T) -> bool) -> Option<usize> {
    let (before, after) = all.split_at_checked(from).unwrap_or((all, &[]));
    let found = after.iter().position(&is_meant).map(|at| from + at);
    found.or_else(|| before.iter().position(&is_meant))
}

/// Whether a text is an id: 1 to `limits::ID_BYTES` of `a-z`, `0-9`, `-`, `_`, the first a letter or digit.
pub fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= limits::ID_BYTES
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || b == b'-' || b == b'_')
}

/// A whole number as JSON; callers have checked it against 2^53 - 1.
pub fn number(n: u64) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}
