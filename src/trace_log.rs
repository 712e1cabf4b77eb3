//! The log of traces: a folder of files with a signed trace a line. One thread writes; whatever waits when it comes back is one
//! write and one flush, and only then anybody learns a verdict. In: recorded calls. Out: where their traces are. A line that a crash
//! cut off was never acknowledged and is set aside when the folder is opened again.

mod retention;

pub use retention::Retention;

use crate::boundary::{Recorded, TracePlace, Traces};
use crate::host::{Held, Host, HostError, LogFile, Mode, Os};
use crate::limits;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::time::Instant;

/// The lock of a folder.
const LOCK: &str = "lock";
/// How the names of its files end.
const SUFFIX: &str = ".jsonl";
/// What is written to find out whether a folder can be written again.
const PROBE: &str = "probe";

/// The log.
#[derive(Debug)]
pub struct TraceLog {
    folder: PathBuf,
    lines: Mutex<Option<Sender<Line>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

/// Who is told what goes wrong beside the calls.
type Tell = Box<dyn Fn(&HostError) + Send>;

/// What went wrong beside the calls: nobody waits for it.
#[derive(Default)]
struct Troubles {
    untold: Vec<HostError>,
    tell: Option<Tell>,
}

impl std::fmt::Debug for Troubles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Troubles").field(&self.untold).finish()
    }
}

impl Troubles {
    fn add(&mut self, all: Vec<HostError>) {
        self.untold.extend(all);
        if let Some(tell) = &self.tell {
            self.untold.drain(..).for_each(|error| tell(&error));
        }
    }
}

/// What the writer and the others know together.
#[derive(Debug)]
struct Shared {
    /// What keeps other processes out.
    alone: Mutex<Held>,
    troubles: Mutex<Troubles>,
    failed: Mutex<Option<HostError>>,
    /// Traces that were handed over and are in no group yet.
    waiting: AtomicUsize,
    recent: Mutex<Recent>,
}

/// Where the last traces are.
#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<String>,
    places: BTreeMap<String, Part>,
}

/// A part of a file.
#[derive(Clone, Debug)]
struct Part {
    file: Arc<Path>,
    start: u64,
    length: usize,
}

/// A trace that waits to be written, and for whom.
struct Line {
    trace_id: String,
    text: Vec<u8>,
    done: SyncSender<Result<TracePlace, HostError>>,
}

/// A lock that nobody leaves in the middle of a change.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn new(alone: Held) -> Shared {
        Shared {
            alone: Mutex::new(alone),
            troubles: Mutex::default(),
            failed: Mutex::default(),
            waiting: AtomicUsize::default(),
            recent: Mutex::default(),
        }
    }

    /// Takes the lock of a folder again, where its file was taken away. A folder that is gone is not made anew.
    fn keep_alone(&self, folder: &Path) -> Result<(), HostError> {
        let mut alone = locked(&self.alone);
        if alone.still_there().is_err() {
            if !Os.exists(folder) {
                let path = folder.to_owned();
                return Err(HostError::NotFound { path });
            }
            Os.private_folder(folder)?;
            *alone = Os.hold(&folder.join(LOCK))?;
        }
        Ok(())
    }
}

impl Drop for TraceLog {
    /// The lock is let go by the last who writes.
    fn drop(&mut self) {
        self.close();
    }
}

impl TraceLog {
    /// Opens a folder that no other process writes to, in which so much is kept. Gives the tails that were cut off in it, too: where they are now.
    pub fn open(folder: &Path, retention: Retention) -> Result<(TraceLog, Vec<PathBuf>), HostError> {
        Os.private_folder(folder)?;
        let alone = Os.hold(&folder.join(LOCK))?;
        let mut torn = Vec::new();
        for name in Os.list_dir(folder)? {
            if !is_own(&name) {
                continue;
            }
            match Os.set_tail_aside(&folder.join(name), limits::TRACE_GROUP_TAIL) {
                // Nothing that the log made.
                Err(HostError::NotRegular { .. }) => {}
                aside => torn.extend(aside?),
            }
        }
        let shared = Arc::new(Shared::new(alone));
        let (lines, from) = channel();
        let mut writer = Writer {
            files: Files::new(folder, Os.now()),
            log: None,
            begun: Os.now(),
            retention,
            shared: Arc::clone(&shared),
            full_at: limits::TRACE_FILE_BYTES,
            expected: 1,
            flush: Duration::ZERO,
        };
        writer.open()?;
        let spawned = thread::Builder::new().name("traces".to_owned());
        let spawned = spawned.spawn(move || writer.run(&from));
        let writer = spawned.map_err(|error| HostError::Io {
            path: folder.to_owned(),
            reason: error.to_string(),
        })?;
        let log = TraceLog {
            folder: folder.to_owned(),
            lines: Mutex::new(Some(lines)),
            writer: Mutex::new(Some(writer)),
            shared,
        };
        Ok((log, torn))
    }

    /// Says from now on what goes wrong beside the calls, such as a file that cannot be removed; and what did already.
    pub fn tell_troubles(&self, tell: impl Fn(&HostError) + Send + 'static) {
        let mut troubles = locked(&self.shared.troubles);
        troubles.tell = Some(Box::new(tell));
        troubles.add(Vec::new());
    }

    /// A trace that was written not long ago.
    pub fn find(&self, trace_id: &str) -> Result<Option<Vec<u8>>, HostError> {
        let part = locked(&self.shared.recent).places.get(trace_id).cloned();
        let read = part.map(|part| Os.read_part(&part.file, part.start, part.length));
        read.transpose()
    }

    /// Writes what waits, and takes no more.
    pub fn close(&self) {
        drop(locked(&self.lines).take());
        if let Some(writer) = locked(&self.writer).take() {
            // A writer that panicked has answered nobody since.
            let _ = writer.join();
        }
    }

    fn stopped(&self) -> HostError {
        HostError::Io {
            path: self.folder.clone(),
            reason: "the log of traces is closed".to_owned(),
        }
    }
}

impl Traces for TraceLog {
    /// After a failure the folder must take a file before another call is judged.
    fn ready(&self) -> Result<(), HostError> {
        let mut failed = locked(&self.shared.failed);
        self.shared.keep_alone(&self.folder)?;
        if failed.is_some() {
            let probe = self.folder.join(PROBE);
            Os.write_atomic(&probe, &[b'.'; limits::TRACE_PROBE_BYTES], Mode::Private)?;
            *failed = None;
        }
        let is_written = |writer: &JoinHandle<()>| !writer.is_finished();
        if locked(&self.writer).as_ref().is_some_and(is_written) {
            return Ok(());
        }
        Err(self.stopped())
    }

    fn keep(&self, recorded: &Recorded) -> Result<TracePlace, HostError> {
        let (done, told) = sync_channel(1);
        let line = Line {
            trace_id: recorded.record.trace_id.clone(),
            text: recorded.trace.as_bytes().to_vec(),
            done,
        };
        let to = locked(&self.lines).clone();
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        let sent = to.is_some_and(|to| to.send(line).is_ok());
        match sent.then(|| told.recv()) {
            Some(Ok(result)) => result,
            _ => Err(self.stopped()),
        }
    }

    fn has_many(&self) -> bool {
        true
    }
}

/// Whether a file has a name that the log gives: all others in its folder are somebody else's.
fn is_own(name: &str) -> bool {
    let parts = name.strip_suffix(SUFFIX).and_then(|name| name.split_once('-'));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|(start, number)| {
        let shape = start
            .bytes()
            .map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
        shape.eq(*b"00000000T000000000Z") && number.len() >= 6 && is_number(number)
    })
}

/// The names of the files, in the order in which they are written.
struct Files {
    folder: PathBuf,
    start: String,
    next: u64,
}

impl Files {
    fn new(folder: &Path, now: Timestamp) -> Files {
        Files {
            folder: folder.to_owned(),
            start: now.strftime("%Y%m%dT%H%M%S%3fZ").to_string(),
            next: 1,
        }
    }

    fn open(&mut self) -> Result<LogFile, HostError> {
        loop {
            let name = format!("{}-{:06}{SUFFIX}", self.start, self.next);
            self.next = self.next.saturating_add(1);
            match Os.new_log(&self.folder.join(name)) {
                Err(HostError::Exists { .. }) if self.next < u64::MAX => {}
                made => return made,
            }
        }
    }
}

/// The one who writes.
struct Writer {
    files: Files,
    log: Option<LogFile>,
    /// When the file was begun.
    begun: Timestamp,
    retention: Retention,
    shared: Arc<Shared>,
    /// The length from which on another file is begun.
    full_at: u64,
    /// How many callers there seem to be: those of the last group, and those that waited for it to end.
    expected: usize,
    /// How long the last flush took.
    flush: Duration,
}

impl Writer {
    /// A flush costs the same for one trace as for many. So where several callers were there a moment ago, a group is begun a
    /// little later than it could be, that they may be in it; for one caller nothing is waited for.
    fn run(&mut self, from: &Receiver<Line>) {
        while let Ok(first) = from.recv() {
            let mut size = first.text.len();
            let mut group = vec![first];
            let until = Instant::now() + self.flush / limits::TRACE_GROUP_WAIT;
            while group.len() < limits::TRACE_GROUP && size < limits::TRACE_GROUP_BYTES {
                let line = match from.try_recv() {
                    Ok(line) => line,
                    Err(_) if group.len() >= self.expected => break,
                    Err(_) => match from.recv_timeout(until.saturating_duration_since(Instant::now())) {
                        Ok(line) => line,
                        Err(_) => break,
                    },
                };
                size += line.text.len();
                group.push(line);
            }
            let (begun, there) = (Instant::now(), group.len());
            self.shared.waiting.fetch_sub(there, Ordering::Relaxed);
            self.answer(group);
            self.flush = begun.elapsed();
            self.expected = there.saturating_add(self.shared.waiting.load(Ordering::Relaxed));
        }
    }

    /// Writes a group and tells everybody in it.
    fn answer(&mut self, group: Vec<Line>) {
        match self.write(&group) {
            Ok(places) => {
                for (line, place) in group.into_iter().zip(places) {
                    // Who does not wait any more needs no answer.
                    let _ = line.done.send(Ok(place));
                }
            }
            Err(error) => {
                self.log = None;
                *locked(&self.shared.failed) = Some(error.clone());
                for line in group {
                    let _ = line.done.send(Err(error.clone()));
                }
            }
        }
    }

    fn open(&mut self) -> Result<&mut LogFile, HostError> {
        let (full_at, now) = (self.full_at, Os.now());
        let turns = self.retention.turns(self.begun, now);
        let is_full = |log: &LogFile| log.bytes() >= full_at || (turns && log.bytes() > 0);
        let log = match self.log.take().filter(|log| !is_full(log)) {
            Some(log) => log,
            None => {
                self.shared.keep_alone(&self.files.folder)?;
                let log = self.files.open()?;
                self.begun = now;
                // What cannot be removed stays until the next file: no call waits for that, or fails over it.
                let stay = self.retention.apply(&self.files.folder, log.path(), now);
                locked(&self.shared.troubles).add(stay);
                log
            }
        };
        Ok(self.log.insert(log))
    }

    fn write(&mut self, group: &[Line]) -> Result<Vec<TracePlace>, HostError> {
        let log = self.open()?;
        let file: Arc<Path> = Arc::from(log.path());
        let (mut text, mut parts, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (line, number) in group.iter().zip(log.lines().saturating_add(1)..) {
            parts.push(Part {
                file: Arc::clone(&file),
                start: log.bytes().saturating_add(text.len() as u64),
                length: line.text.len(),
            });
            places.push(TracePlace {
                file: file.to_path_buf(),
                line: Some(number),
            });
            text.extend(&line.text);
            text.push(b'\n');
        }
        log.append(&text, group.len() as u64)?;
        // Nobody finds what is in a file that was taken away.
        log.still_there()?;
        locked(&self.shared.alone).still_there()?;
        let mut recent = locked(&self.shared.recent);
        for (line, part) in group.iter().zip(parts) {
            recent.add(line.trace_id.clone(), part);
        }
        Ok(places)
    }
}

impl Recent {
    fn add(&mut self, trace_id: String, part: Part) {
        if self.order.len() >= limits::TRACES_FOUND
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
        self.order.push_back(trace_id.clone());
        self.places.insert(trace_id, part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(trace_id: &str, text: &str) -> Line {
        Line {
            trace_id: trace_id.to_owned(),
            text: text.as_bytes().to_vec(),
            done: sync_channel(1).0,
        }
    }

    #[test]
    fn a_full_file_is_followed_by_another_and_each_trace_is_found_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-01-02T03:04:05.006Z".parse().unwrap();
        let mut writer = Writer {
            files: Files::new(folder.path(), now),
            log: None,
            begun: now,
            retention: Retention::default(),
            shared: Arc::new(Shared::new(Os.hold(&folder.path().join(LOCK)).unwrap())),
            full_at: 10,
            expected: 1,
            flush: Duration::ZERO,
        };
        let name = |n: u64| folder.path().join(format!("20260102T030405006Z-{n:06}.jsonl"));
        // A name that is taken, by whomever, is passed over.
        Os.write_new(&name(2), b"", Mode::Private).unwrap();
        for (group, file, first) in [
            (vec![line("a", "one"), line("b", "second")], 1, 1),
            (vec![line("c", "third")], 3, 1),
            (vec![line("d", "fourth")], 3, 2),
            (vec![line("e", "5")], 4, 1),
        ] {
            let places = writer.write(&group).unwrap();
            for (place, number) in places.iter().zip(first..) {
                assert_eq!((&place.file, place.line), (&name(file), Some(number)));
            }
            for line in &group {
                let part = locked(&writer.shared.recent)
                    .places
                    .get(&line.trace_id)
                    .cloned()
                    .unwrap();
                assert_eq!(
                    Os.read_part(&part.file, part.start, part.length).unwrap(),
                    line.text
                );
            }
        }
        assert_eq!(Os.read(&name(3), 99).unwrap(), b"third\nfourth\n");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "files are taken away as others do")]
    fn a_log_that_was_taken_away_is_noticed_before_anybody_is_told() {
        let base = tempfile::tempdir().unwrap();
        let (folder, moved) = (base.path().join("t"), base.path().join("moved"));
        let (log, _) = TraceLog::open(&folder, Retention::default()).unwrap();
        let keep = || {
            let (done, told) = sync_channel(1);
            let line = Line {
                done,
                ..line("a", "text")
            };
            locked(&log.lines).clone().unwrap().send(line).unwrap();
            told.recv().unwrap()
        };
        let file = keep().unwrap().file;
        // A file that is gone, and one that is another.
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(keep(), Err(HostError::NotFound { .. })));
        let next = keep().unwrap().file;
        assert_ne!(file, next);
        std::fs::remove_file(&next).unwrap();
        std::fs::write(&next, "").unwrap();
        assert!(matches!(keep(), Err(HostError::Io { .. })));
        assert!(keep().is_ok() && log.ready().is_ok());
        // A lock that is gone is taken again, unless another has it.
        std::fs::remove_file(folder.join(LOCK)).unwrap();
        assert!(keep().is_err());
        assert!(keep().is_ok());
        assert!(matches!(
            TraceLog::open(&folder, Retention::default()),
            Err(HostError::Contended { .. })
        ));
        std::fs::remove_file(folder.join(LOCK)).unwrap();
        let other = Os.hold(&folder.join(LOCK)).unwrap();
        assert!(matches!(log.ready(), Err(HostError::Contended { .. })));
        assert!(keep().is_err() && keep().is_err());
        drop(other);
        assert!(log.ready().is_ok() && keep().is_ok());
        // A folder that is gone is not made anew.
        std::fs::rename(&folder, &moved).unwrap();
        assert!(keep().is_err() && keep().is_err() && log.ready().is_err());
        assert!(!Os.exists(&folder));
        std::fs::rename(&moved, &folder).unwrap();
        assert!(log.ready().is_ok() && keep().is_ok());
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        let part = Part {
            file: Arc::from(Path::new("x")),
            start: 0,
            length: 0,
        };
        for n in 0..=limits::TRACES_FOUND {
            recent.add(n.to_string(), part.clone());
        }
        assert_eq!(recent.places.len(), limits::TRACES_FOUND);
        assert!(!recent.places.contains_key("0") && recent.places.contains_key("1"));
    }
}
