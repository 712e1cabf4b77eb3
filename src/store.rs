//! Shared state: the counters of limits and which approvals are used up, one file each in a folder, changed under one
//! lock. In: names of counters, digests of approvals, and what to do with them. Out: what that gives, when the changes
//! are durable. A file that is not what its name says is an error, never an empty one.

use crate::artifact::{Digest, jcs};
use crate::domain::counter::{Counter, Counters, Entry};
use crate::host::{Host, HostError, Mode};
use crate::json::{self, Json};
use crate::limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The schema of a counter's file.
pub const SCHEMA: &str = "gait.counter/1";
/// The schema of the file of an approval that a call has used up.
pub const USED_SCHEMA: &str = "gait.used_approval/1";

/// Why counters cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The machine refused.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file is not what a ledger holds.
    #[error("{} is no file of this ledger: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Which approvals are used up, and by which call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used(BTreeMap<Digest, Option<String>>);

impl Used {
    /// Whether a call has used an approval up.
    pub fn is_used(&self, approval: Digest) -> bool {
        self.0.get(&approval).is_some_and(Option::is_some)
    }

    /// Uses an approval up for a call.
    pub fn use_up(&mut self, approval: Digest, trace_id: &str) {
        self.0.insert(approval, Some(trace_id.to_owned()));
    }

    /// Gives an approval back that this call has used up, which has come to nothing.
    pub fn give_back(&mut self, approval: Digest, trace_id: &str) {
        if let Some(by) = self.0.get_mut(&approval)
            && by.as_deref() == Some(trace_id)
        {
            *by = None;
        }
    }
}

/// The counters and used approvals of a folder.
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
        self.change_with(names, &[], |counters, _| work(counters))
    }

    /// The same with approvals. Which are used up is written first.
    pub fn change_with<T>(
        &self,
        names: &[&str],
        approvals: &[Digest],
        work: impl FnOnce(&mut Counters, &mut Used) -> T,
    ) -> Result<T, StoreError> {
        let mut work = Some(work);
        let mut result = Err(StoreError::Damaged {
            path: self.folder.clone(),
            reason: "it was not locked".to_owned(),
        });
        self.host.exclusive(&self.folder.join("lock"), &mut || {
            if let Some(work) = work.take() {
                result = self.changed(names, approvals, work);
            }
        })?;
        result
    }

    fn changed<T>(
        &self,
        names: &[&str],
        approvals: &[Digest],
        work: impl FnOnce(&mut Counters, &mut Used) -> T,
    ) -> Result<T, StoreError> {
        let (mut counters, mut used) = (Counters::default(), Used::default());
        for name in names {
            if let Some(bytes) = self.read(name)? {
                let counter = of_bytes(name, &bytes).map_err(|reason| self.damaged(name, reason))?;
                counters.0.insert((*name).to_owned(), counter);
            }
        }
        for approval in approvals {
            let name = used_name(*approval);
            if let Some(bytes) = self.read(&name)? {
                let by = used_of_bytes(*approval, &bytes).map_err(|reason| self.damaged(&name, reason))?;
                used.0.insert(*approval, by);
            }
        }
        let before = (counters.clone(), used.clone());
        let value = work(&mut counters, &mut used);
        for (approval, by) in used
            .0
            .iter()
            .filter(|(approval, by)| before.1.0.get(approval) != Some(by))
        {
            let bytes = used_to_bytes(*approval, by.as_deref());
            self.write(&used_name(*approval), &bytes)?;
        }
        for (name, counter) in &counters.0 {
            if before.0.0.get(name) != Some(counter) {
                self.write(name, &to_bytes(name, counter))?;
            }
        }
        Ok(value)
    }

    fn damaged(&self, name: &str, reason: String) -> StoreError {
        let path = self.path(name);
        StoreError::Damaged { path, reason }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.host.write_atomic(&self.path(name), bytes, Mode::Private)?)
    }

    /// The file of a counter or approval: its name is a digest, of which the colon may not stand in every file system.
    fn path(&self, name: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let file: String = name.chars().map(plain).collect();
        self.folder.join(format!("{file}.json"))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.host.read(&self.path(name), limits::JSON_BYTES as u64) {
            Err(HostError::NotFound { .. }) => Ok(None),
            read => Ok(Some(read?)),
        }
    }
}

fn used_name(approval: Digest) -> String {
    format!("used:{approval}")
}

fn used_to_bytes(approval: Digest, by: Option<&str>) -> Vec<u8> {
    jcs::to_vec(&Json::object([
        ("schema", Json::str(USED_SCHEMA)),
        ("approval", approval.to_json()),
        ("trace_id", by.map_or(Json::Null, Json::str)),
    ]))
}

fn used_of_bytes(approval: Digest, bytes: &[u8]) -> Result<Option<String>, String> {
    let json = json::parse(bytes).map_err(|error| error.to_string())?;
    let by = json.get("trace_id").and_then(Json::as_str);
    if used_to_bytes(approval, by) == bytes {
        Ok(by.map(str::to_owned))
    } else {
        Err("it is another document, or not in canonical form".to_owned())
    }
}

fn to_bytes(name: &str, counter: &Counter) -> Vec<u8> {
    let entry = |entry: &Entry| {
        // Numbers as text: they need not fit a JSON number.
        let mut members = vec![
            ("at", Json::str(entry.at.to_string())),
            ("amount", Json::str(entry.amount.to_string())),
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
