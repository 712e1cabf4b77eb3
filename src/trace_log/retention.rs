//! How long the log of traces is kept. In: its folder, how long, and how much. Out: the oldest files are gone that are over it; a list of them is left. A file
//! that is written to is never one of them, nor one that may have a call which people are still asked about.

use super::SUFFIX;
use crate::artifact::time;
use crate::host::{Append, Host, HostError, Os};
use crate::limits;
use jiff::Timestamp;
use std::path::Path;

/// What is told of files that are gone.
const REMOVED: &str = "removed.txt";

/// How long files are kept, and how much of them; all of them where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its last trace a file is kept, in milliseconds.
    pub millis: Option<i64>,
    /// How much all files have, but for the one that is written to, in bytes.
    pub bytes: Option<u64>,
}

/// A file that nobody writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Closed {
    name: String,
    bytes: u64,
    /// Since when, in milliseconds.
    since: i64,
}

impl Retention {
    /// Whether a file that was begun then is followed by another one now, so that what is old can go.
    pub(super) fn turns(&self, begun: Timestamp, now: Timestamp) -> bool {
        let age = now.as_millisecond().saturating_sub(begun.as_millisecond());
        self.millis.is_some() && age >= limits::TRACE_FILE_MILLIS
    }

    /// Removes the oldest files of a folder that are over it.
    pub(super) fn apply(&self, folder: &Path, current: &Path, now: Timestamp) -> Result<(), HostError> {
        if self.millis.is_none() && self.bytes.is_none() {
            return Ok(());
        }
        let is_closed = |name: &String| name.ends_with(SUFFIX) && folder.join(name) != current;
        let mut names = Os.list_dir(folder)?;
        // Names are times and numbers of one length: their order is that in which they were written.
        names.sort();
        let mut files = Vec::new();
        for name in names.into_iter().filter(is_closed) {
            let (bytes, since) = Os.log_state(&folder.join(&name))?;
            files.push(Closed { name, bytes, since });
        }
        for file in self.over(&files, now.as_millisecond()) {
            // Said first: what cannot be said stays.
            let line = format!("{} {} {} bytes", time::print(now), file.name, file.bytes);
            Os.append_line(&folder.join(REMOVED), &mut |_| {
                Some(Append {
                    line: line.clone().into_bytes(),
                    keep_torn: false,
                })
            })?;
            Os.remove_log(&folder.join(&file.name))?;
        }
        Ok(())
    }

    /// The files that go: from the oldest on, until one may stay.
    fn over<'f>(&self, files: &'f [Closed], now: i64) -> &'f [Closed] {
        let mut left: u64 = files.iter().map(|file| file.bytes).sum();
        let goes = |file: &Closed| {
            let age = now.saturating_sub(file.since);
            let is_old = self.millis.is_some_and(|millis| age >= millis);
            let is_much = self.bytes.is_some_and(|bytes| left > bytes);
            left = left.saturating_sub(file.bytes);
            // What waits for people is listed for as long.
            age > limits::WAITING_MILLIS && (is_old || is_much)
        };
        let count = files.iter().map(goes).take_while(|goes| *goes).count();
        files.get(..count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = limits::WAITING_MILLIS;

    #[test]
    fn what_goes_is_told_and_what_is_written_to_and_all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let all = ["1.jsonl", "2.jsonl", "2.jsonl.torn", "3.jsonl", "lock"];
        for name in all {
            Os.write_new(&path(name), b"x\n", crate::host::Mode::Private)
                .unwrap();
        }
        let there = || {
            let mut names = Os.list_dir(folder.path()).unwrap();
            names.sort();
            names
        };
        let month = Retention {
            millis: Some(30 * DAY),
            bytes: None,
        };
        let (now, later) = (Os.now(), Os.now() + jiff::SignedDuration::from_hours(31 * 24));
        for (retention, at) in [(month, now), (Retention::default(), later)] {
            retention.apply(folder.path(), &path("3.jsonl"), at).unwrap();
            assert_eq!(there(), all);
        }
        month.apply(folder.path(), &path("3.jsonl"), later).unwrap();
        assert_eq!(there(), ["2.jsonl.torn", "3.jsonl", "lock", REMOVED]);
        let told = String::from_utf8(Os.read(&path(REMOVED), 999).unwrap()).unwrap();
        assert_eq!(told.lines().count(), 2);
        assert!(told.contains(" 1.jsonl 2 bytes\n"), "{told}");
        assert!(month.turns(now, later) && !month.turns(now, now) && !Retention::default().turns(now, later));
    }

    #[test]
    fn the_oldest_files_go_and_none_that_people_may_be_asked_about() {
        // Closed so many days ago, with so many bytes.
        let files: Vec<Closed> = [(9, 5), (7, 5), (3, 5), (1, 5), (0, 5)]
            .iter()
            .map(|(days, bytes)| Closed {
                name: days.to_string(),
                bytes: *bytes,
                since: 10 * DAY - days * DAY,
            })
            .collect();
        for (millis, bytes, gone) in [
            (None, None, 0),
            (Some(8 * DAY), None, 1),
            (Some(7 * DAY), None, 2),
            (Some(7 * DAY + 1), None, 1),
            (Some(1), None, 3),
            (None, Some(25), 0),
            (None, Some(24), 1),
            (None, Some(15), 2),
            (None, Some(0), 3),
            (Some(8 * DAY), Some(15), 2),
        ] {
            let retention = Retention { millis, bytes };
            let found = retention.over(&files, 10 * DAY).len();
            assert_eq!(found, gone, "{retention:?}");
        }
        // A clock that went back lets nothing go.
        let all = Retention {
            millis: Some(1),
            bytes: Some(0),
        };
        assert!(all.over(&files, 0).is_empty());
    }
}
