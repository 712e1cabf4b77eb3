//! How long the log of traces is kept. In: its folder, how long, and how much. Out: the oldest files are gone that are over it; a list of them is left. A file
//! that is written to is never one of them, nor one that may have a call which people are still asked about.

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

    /// Removes the oldest files of a folder that are over it. Gives why others stay that should be gone, too.
    pub(super) fn apply(&self, folder: &Path, current: &Path, now: Timestamp) -> Vec<HostError> {
        if self.millis.is_none() && self.bytes.is_none() {
            return Vec::new();
        }
        let (files, mut stay) = match closed(folder, current, now) {
            Ok(found) => found,
            Err(error) => return vec![error],
        };
        for file in self.over(&files, now.as_millisecond()) {
            // Said first: what cannot be said stays.
            let line = format!("{} {} {} bytes", time::print(now), file.name, file.bytes);
            let said = Os.append_line(&folder.join(REMOVED), &mut |_| {
                Some(Append {
                    line: line.clone().into_bytes(),
                    keep_torn: false,
                })
            });
            if let Err(error) = said {
                stay.push(error);
                break;
            }
            stay.extend(Os.remove_log(&folder.join(&file.name)).err());
        }
        stay
    }

    /// The files that go: the oldest first, and none that was written to in what is the future now.
    fn over<'f>(&self, files: &'f [Closed], now: i64) -> Vec<&'f Closed> {
        let mut left: u64 = files.iter().map(|file| file.bytes).sum();
        let goes = |file: &&Closed| {
            let age = now.saturating_sub(file.since);
            let is_old = self.millis.is_some_and(|millis| age >= millis);
            let is_much = self.bytes.is_some_and(|bytes| left > bytes);
            // What waits for people is listed for as long.
            let goes = age > limits::WAITING_MILLIS && (is_old || is_much);
            if goes {
                left = left.saturating_sub(file.bytes);
            }
            goes
        };
        files.iter().filter(goes).collect()
    }
}

/// The files that the log made and nobody writes to, in the order in which they were written; and what is wrong with others.
fn closed(folder: &Path, current: &Path, now: Timestamp) -> Result<(Vec<Closed>, Vec<HostError>), HostError> {
    let is_closed = |name: &String| super::is_own(name) && folder.join(name) != current;
    let mut names = Os.list_dir(folder)?;
    // Names are times and numbers of one length: their order is that in which they were written.
    names.sort();
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    for name in names.into_iter().filter(is_closed) {
        let path = folder.join(&name);
        match Os.log_state(&path) {
            Ok((_, since)) if since > now.as_millisecond() => wrong.push(HostError::Io {
                path,
                reason: "it is kept, for its time is in the future".to_owned(),
            }),
            Ok((bytes, since)) => files.push(Closed { name, bytes, since }),
            // Nothing that the log made, or gone already.
            Err(HostError::NotRegular { .. } | HostError::NotFound { .. }) => {}
            Err(error) => wrong.push(error),
        }
    }
    Ok((files, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = limits::WAITING_MILLIS;

    const ALL: [&str; 9] = [
        "1.jsonl",
        "20260101T000000000Z-000001.jsonl",
        "20260101T000000000Z-000002.jsonl",
        "20260101T000000000Z-000002.jsonl.torn",
        "20260101T000000000Z-000003.jsonl",
        "20260101T000000000Z-000004.jsonl",
        "20260101T000000000Z-3.jsonl",
        "lock",
        "x-000001.jsonl",
    ];

    fn filled() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ALL {
            Os.write_new(&folder.path().join(name), b"x\n", crate::host::Mode::Private)
                .unwrap();
        }
        folder
    }

    fn there(folder: &Path) -> Vec<String> {
        let mut names = Os.list_dir(folder).unwrap();
        names.sort();
        names
    }

    const MONTH: Retention = Retention {
        millis: Some(30 * DAY),
        bytes: None,
    };

    fn later() -> Timestamp {
        Os.now() + jiff::SignedDuration::from_hours(31 * 24)
    }

    #[test]
    fn what_goes_is_told_and_what_is_written_to_and_all_else_stays() {
        let folder = filled();
        let path = |name: &str| folder.path().join(name);
        let (now, later) = (Os.now(), later());
        for (retention, at) in [(MONTH, now), (Retention::default(), later)] {
            assert_eq!(retention.apply(folder.path(), &path(ALL[5]), at), []);
            assert_eq!(there(folder.path()), ALL);
        }
        assert_eq!(MONTH.apply(folder.path(), &path(ALL[5]), later), []);
        let left: Vec<&str> = [ALL[0], ALL[3], ALL[5], ALL[6], ALL[7], REMOVED, ALL[8]].into();
        assert_eq!(there(folder.path()), left);
        let told = String::from_utf8(Os.read(&path(REMOVED), 999).unwrap()).unwrap();
        assert_eq!(told.lines().count(), 3);
        assert!(told.contains(&format!(" {} 2 bytes\n", ALL[1])), "{told}");
        assert!(MONTH.turns(now, later) && !MONTH.turns(now, now) && !Retention::default().turns(now, later));
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what is nothing of the log's is made and read as others do"
    )]
    fn what_the_log_did_not_make_is_never_cut_set_aside_or_removed() {
        let folder = filled();
        let own = |number: &str| {
            folder
                .path()
                .join(format!("20260102T000000000Z-00000{number}.jsonl"))
        };
        let outside = tempfile::tempdir().unwrap();
        let precious = outside.path().join("precious");
        std::fs::write(&precious, "whole\nno end").unwrap();
        std::os::unix::fs::symlink(&precious, own("1")).unwrap();
        std::fs::hard_link(&precious, own("2")).unwrap();
        std::fs::create_dir(own("3")).unwrap();
        std::fs::write(folder.path().join("x.jsonl"), "mine").unwrap();
        // In the future, and so nothing that an older file waits for.
        let future = std::fs::File::options()
            .append(true)
            .open(folder.path().join(ALL[1]))
            .unwrap();
        future
            .set_modified(std::time::SystemTime::now() + std::time::Duration::from_hours(99 * 24))
            .unwrap();
        let (log, torn) = crate::trace_log::TraceLog::open(folder.path(), MONTH).unwrap();
        drop(log);
        assert!(torn.is_empty(), "{torn:?}");
        let stay = MONTH.apply(folder.path(), &folder.path().join(ALL[5]), later());
        assert!(
            matches!(&stay[..], [HostError::Io { path, .. }] if path.ends_with(ALL[1])),
            "{stay:?}"
        );
        let left = there(folder.path());
        for gone in [ALL[2], ALL[4]] {
            assert!(!left.contains(&gone.to_owned()), "{left:?}");
        }
        for kept in ["1", "2", "3"] {
            assert!(Os.exists(&own(kept)), "{kept}");
        }
        assert_eq!(std::fs::read(&precious).unwrap(), b"whole\nno end");
        assert_eq!(std::fs::read(folder.path().join("x.jsonl")).unwrap(), b"mine");
    }

    #[test]
    fn what_cannot_be_told_stays_and_that_is_told() {
        let folder = filled();
        Os.private_folder(&folder.path().join(REMOVED)).unwrap();
        let stay = MONTH.apply(folder.path(), &folder.path().join(ALL[5]), later());
        assert_eq!(stay.len(), 1, "{stay:?}");
        assert!(Os.exists(&folder.path().join(ALL[1])));
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
