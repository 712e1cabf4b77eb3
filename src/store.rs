//! Shared state: the counters of limits, one file each in a folder, changed under one lock. In: names of counters and
//! what to do with them. Out: what that gives, when the changes are durable. A file that is no counter is an error,
//! never an empty one.

use crate::artifact::jcs;
use crate::domain::counter::{Counter, Counters, Entry};
use crate::host::{Host, HostError, Mode};
use crate::json::{self, Json};
use crate::limits;
use std::path::{Path, PathBuf};

/// The schema of a counter's file.
pub const SCHEMA: &str = "gait.counter/1";

/// Why counters cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The machine refused.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file is not what a ledger holds.
    #[error("{} is no counter of this ledger: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The counters of a folder.
#[derive(Clone)]
pub struct Ledger<'h> {
    host: &'h dyn Host,
    folder: PathBuf,
}

impl<'h> Ledger<'h> {
    /// The ledger in a folder, which need not exist yet.
    pub fn new(host: &'h dyn Host, folder: &Path) -> Ledger<'h> {
        Ledger {
            host,
            folder: folder.to_owned(),
        }
    }

    /// Hands counters to `work`, alone, and writes those it changed before this returns. Where it fails, some of the
    /// changes may have been written: what was spent is then counted and nothing came of it.
    pub fn change<T>(&self, names: &[&str], work: impl FnOnce(&mut Counters) -> T) -> Result<T, StoreError> {
        let mut work = Some(work);
        let mut result = Err(StoreError::Damaged {
            path: self.folder.clone(),
            reason: "it was not locked".to_owned(),
        });
        self.host.exclusive(&self.folder.join("lock"), &mut || {
            if let Some(work) = work.take() {
                result = self.changed(names, work);
            }
        })?;
        result
    }

    fn changed<T>(&self, names: &[&str], work: impl FnOnce(&mut Counters) -> T) -> Result<T, StoreError> {
        let mut counters = Counters::default();
        for name in names {
            if let Some(counter) = self.read(name)? {
                counters.0.insert((*name).to_owned(), counter);
            }
        }
        let before = counters.clone();
        let value = work(&mut counters);
        for (name, counter) in &counters.0 {
            if before.0.get(name) != Some(counter) {
                self.host
                    .write_atomic(&self.path(name), &to_bytes(name, counter), Mode::Private)?;
            }
        }
        Ok(value)
    }

    /// The file of a counter: its name is a digest, of which the colon may not stand in every file system.
    fn path(&self, name: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let file: String = name.chars().map(plain).collect();
        self.folder.join(format!("{file}.json"))
    }

    fn read(&self, name: &str) -> Result<Option<Counter>, StoreError> {
        let path = self.path(name);
        let bytes = match self.host.read(&path, limits::JSON_BYTES as u64) {
            Err(HostError::NotFound { .. }) => return Ok(None),
            read => read?,
        };
        of_bytes(name, &bytes)
            .map(Some)
            .map_err(|reason| StoreError::Damaged { path, reason })
    }
}

fn to_bytes(name: &str, counter: &Counter) -> Vec<u8> {
    let entry = |entry: &Entry| {
        // Numbers as text: they need not fit a JSON number.
        let mut members = vec![
            ("at", Json::String(entry.at.to_string())),
            ("amount", Json::String(entry.amount.to_string())),
        ];
        members.extend(entry.call.as_ref().map(|call| ("call", Json::str(call))));
        Json::object(members)
    };
    jcs::to_vec(&Json::object([
        ("schema", Json::str(SCHEMA)),
        ("counter", Json::str(name)),
        (
            "entries",
            Json::Array(counter.entries().iter().map(entry).collect()),
        ),
    ]))
}

fn of_bytes(name: &str, bytes: &[u8]) -> Result<Counter, String> {
    let json = json::parse(bytes).map_err(|error| error.to_string())?;
    let text = |member: &str| json.get(member).and_then(Json::as_str);
    if text("schema") != Some(SCHEMA) || text("counter") != Some(name) {
        return Err("it is another document".to_owned());
    }
    let entries = json.get("entries").and_then(Json::as_array).unwrap_or_default();
    let entry = |json: &Json| {
        let text = |member: &str| json.get(member).and_then(Json::as_str);
        Some(Entry {
            at: text("at")?.parse().ok()?,
            amount: text("amount")?.parse().ok()?,
            call: text("call").map(str::to_owned),
        })
    };
    let entries: Option<Vec<Entry>> = entries.iter().map(entry).collect();
    let counter = entries.and_then(Counter::of).ok_or("its entries are none")?;
    if to_bytes(name, &counter) == bytes {
        Ok(counter)
    } else {
        Err("it is not in canonical form".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Charge;
    use crate::host::{Memory, Os};

    const NAME: &str = "sha256:00";

    fn charge() -> Charge {
        Charge {
            limit: "l".into(),
            counter: NAME.into(),
            amount: 3,
            span: None,
        }
    }

    #[test]
    fn what_was_charged_is_there_again_and_a_damaged_file_is_not_empty() {
        let host = Memory::new("2026-01-02T03:04:05Z".parse().unwrap());
        let ledger = Ledger::new(&host, Path::new("l"));
        for call in ["a", "b"] {
            ledger
                .change(&[NAME], |counters| counters.reserve(call, &[charge()], 7))
                .unwrap();
        }
        let used = || ledger.change(&[NAME], |counters| counters.used(&[charge()], 9));
        assert_eq!(used().unwrap().get(NAME), Some(&6));
        let path = Path::new("l/sha256_00.json");
        let good = host.read(path, 9_999).unwrap();
        for bad in [
            &b"{}"[..],
            b"",
            &good[..good.len() - 1],
            &[good.as_slice(), b" "].concat(),
            String::from_utf8(good.clone())
                .unwrap()
                .replace("\"3\"", "\"-3\"")
                .as_bytes(),
            String::from_utf8(good.clone())
                .unwrap()
                .replace("256:00", "256:01")
                .as_bytes(),
        ] {
            host.write_atomic(path, bad, Mode::Private).unwrap();
            assert!(matches!(used(), Err(StoreError::Damaged { .. })), "{bad:?}");
        }
    }

    #[test]
    fn writers_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let work = |thread: usize| {
            let ledger = Ledger::new(&Os, folder.path());
            for n in 0..25 {
                let call = format!("{thread}.{n}");
                ledger
                    .change(&[NAME], |counters| counters.reserve(&call, &[charge()], 0))
                    .unwrap();
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || work(thread));
            }
        });
        let ledger = Ledger::new(&Os, folder.path());
        let used = ledger
            .change(&[NAME], |counters| counters.used(&[charge()], 0))
            .unwrap();
        assert_eq!(used.get(NAME), Some(&300));
    }
}
