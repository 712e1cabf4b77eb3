//! The real machine. The only file of the crate that may call the clock, the file system, the environment and the
//! random source; everything it does is in the contract of `Host`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the door the bans point to"
)]

use super::{Host, HostError, INPUT, Mode, NextLine, Stream, Tail};
use crate::limits;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The machine this process runs on.
#[derive(Debug, Default)]
pub struct Os;

impl Os {
    /// Stands for the machine; holds nothing.
    pub fn new() -> Self {
        Self
    }
}

impl Host for Os {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        content(path, opened(path)?, max_bytes)
    }

    fn read_below(&self, folder: &Path, relative: &str, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        let mut path = folder.to_owned();
        for part in relative.split('/') {
            path.push(part);
            let found = std::fs::symlink_metadata(&path).map_err(|error| explain(&path, &error))?;
            if found.is_symlink() {
                return Err(HostError::Linked { path });
            }
        }
        self.read(&path, max_bytes)
    }

    fn read_input(&self, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        content(Path::new(INPUT), io::stdin().lock(), max_bytes)
    }

    fn read_answer(&self, max_bytes: u64) -> Result<String, HostError> {
        let (path, mut line) = (Path::new(INPUT), Vec::new());
        let mut input = io::stdin().lock().take(max_bytes.saturating_add(1));
        let read = input.read_until(b'\n', &mut line);
        read.map_err(|error| explain(path, &error))?;
        answer(&line, max_bytes)
    }

    fn read_private(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        let file = opened(path)?;
        // Asked of the open file: the path may name another one by now.
        let mode = permissions(&file.metadata().map_err(|error| explain(path, &error))?);
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(HostError::Exposed { path, mode });
        }
        content(path, file, max_bytes)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError> {
        let temporary = written(path, bytes, mode)?;
        temporary
            .persist_noclobber(path)
            .map_err(|e| explain(path, &e.error))?;
        flush_folder(path)
    }

    fn write_atomic(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError> {
        if std::fs::symlink_metadata(path).is_ok_and(|m| !m.is_file() && !m.is_symlink()) {
            return Err(HostError::NotRegular {
                path: path.to_owned(),
            });
        }
        // Asked before it is written: nobody else reads the new text at any moment, either.
        let kept = match mode {
            Mode::Kept => std::fs::metadata(path).ok().map(|m| m.permissions()),
            Mode::Public | Mode::Private => None,
        };
        let made = if kept.is_some() { Mode::Private } else { mode };
        let temporary = written(path, bytes, made)?;
        if let Some(kept) = kept {
            let set = temporary.as_file().set_permissions(kept);
            set.map_err(|error| explain(path, &error))?;
        }
        temporary.persist(path).map_err(|e| explain(path, &e.error))?;
        flush_folder(path)
    }

    fn append_line(&self, path: &Path, next: &mut NextLine<'_>) -> Result<(), HostError> {
        let wrong = |error| explain(path, &error);
        make_folder(&folder_of(path))?;
        let (mut file, ending, fresh) = open_lines(path)?;
        let tail = Tail {
            fresh,
            last: ending.last.as_deref(),
            torn: &ending.torn,
        };
        if let Some(append) = next(tail) {
            let mut bytes = Vec::new();
            if append.keep_torn && !ending.torn.is_empty() {
                bytes.extend(&ending.torn);
                bytes.push(b'\n');
            }
            bytes.extend(append.line);
            bytes.push(b'\n');
            file.set_len(ending.end).map_err(wrong)?;
            file.seek(SeekFrom::Start(ending.end)).map_err(wrong)?;
            file.write_all(&bytes).map_err(wrong)?;
            file.sync_data().map_err(wrong)?;
        } else if fresh {
            // Others that have it open see that it is empty, and look for the file again.
            std::fs::remove_file(path).map_err(wrong)?;
        }
        if fresh { flush_folder(path) } else { Ok(()) }
    }

    fn exclusive(&self, path: &Path, work: &mut dyn FnMut()) -> Result<(), HostError> {
        make_folder(&folder_of(path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        restrict(&mut options, Mode::Private);
        let file = options.open(path).map_err(|error| explain(path, &error))?;
        lock(&file, path)?;
        work();
        Ok(())
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<String>, HostError> {
        let wrong = |error| explain(path, &error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name();
            names.push(name.into_string().map_err(|name| HostError::Io {
                path: path.join(name),
                reason: "the name is not UTF-8".to_owned(),
            })?);
        }
        names.sort();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path).is_ok()
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn entropy(&self, seed: &mut [u8; 32]) -> Result<(), HostError> {
        getrandom::fill(seed).map_err(|e| HostError::Entropy {
            reason: e.to_string(),
        })
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::In => io::stdin().is_terminal(),
            Stream::Out => io::stdout().is_terminal(),
            Stream::Err => io::stderr().is_terminal(),
        }
    }
}

/// The first line of what was typed. What is no UTF-8 says something else than any answer.
fn answer(typed: &[u8], max_bytes: u64) -> Result<String, HostError> {
    if typed.len() as u64 > max_bytes {
        return Err(HostError::TooLarge {
            path: INPUT.into(),
            limit: max_bytes,
        });
    }
    let line = typed.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).trim_end_matches('\r').to_owned())
}

/// Opens a regular file.
fn opened(path: &Path) -> Result<File, HostError> {
    let wrong = |error| explain(path, &error);
    // Asked before opening: opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(wrong)?.is_file() {
        return Err(HostError::NotRegular {
            path: path.to_owned(),
        });
    }
    let file = File::open(path).map_err(wrong)?;
    if !file.metadata().map_err(wrong)?.is_file() {
        return Err(HostError::NotRegular {
            path: path.to_owned(),
        });
    }
    Ok(file)
}

fn content(path: &Path, file: impl Read, max_bytes: u64) -> Result<Vec<u8>, HostError> {
    let mut bytes = Vec::new();
    // The size in the metadata may be stale; what counts is how much can be read.
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| explain(path, &error))?;
    if bytes.len() as u64 > max_bytes {
        return Err(HostError::TooLarge {
            path: path.to_owned(),
            limit: max_bytes,
        });
    }
    Ok(bytes)
}

#[cfg(unix)]
fn permissions(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

/// Elsewhere access is that of the folder; see `restrict`.
#[cfg(not(unix))]
fn permissions(_metadata: &std::fs::Metadata) -> u32 {
    0o600
}

/// Takes the exclusive lock, which the system frees when the process ends, however it ends.
fn lock(file: &File, path: &Path) -> Result<(), HostError> {
    let mut waited = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(explain(path, &error)),
            Err(TryLockError::WouldBlock) if waited >= limits::LOCK_WAIT_MILLIS => {
                return Err(HostError::Contended {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(std::time::Duration::from_millis(limits::LOCK_RETRY_MILLIS));
                waited += limits::LOCK_RETRY_MILLIS;
            }
        }
    }
}

/// Opens and locks a file of lines; true where there was none. Who makes it writes to it at once or takes it away again, so
/// one that is found empty is looked at again for a while: only one that stays so is old.
fn open_lines(path: &Path) -> Result<(File, Ending, bool), HostError> {
    let wrong = |error| explain(path, &error);
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    restrict(&mut options, Mode::Private);
    let mut waited = 0;
    loop {
        let (opened, fresh) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (options.open(path), false),
            made => (made, true),
        };
        let late = waited >= limits::EMPTY_WAIT_MILLIS;
        match opened {
            // Taken away again.
            Err(error) if !fresh && error.kind() == io::ErrorKind::NotFound && !late => {}
            Err(error) => return Err(wrong(error)),
            Ok(mut file) => {
                if !file.metadata().map_err(wrong)?.is_file() {
                    return Err(HostError::NotRegular {
                        path: path.to_owned(),
                    });
                }
                lock(&file, path)?;
                let ending = ending(&mut file).map_err(wrong)?;
                if fresh || late || ending.last.is_some() || !ending.torn.is_empty() {
                    return Ok((file, ending, fresh));
                }
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(limits::LOCK_RETRY_MILLIS));
        waited += limits::LOCK_RETRY_MILLIS;
    }
}

/// How a file ends.
struct Ending {
    last: Option<Vec<u8>>,
    torn: Vec<u8>,
    /// The byte after the last line end.
    end: u64,
}

/// Reads backwards until the last whole line is seen, so the cost does not grow with the file.
fn ending(file: &mut File) -> io::Result<Ending> {
    const BLOCK: u64 = 64 << 10;
    let mut start = file.seek(SeekFrom::End(0))?;
    let mut tail: Vec<u8> = Vec::new();
    loop {
        let end = tail.iter().rposition(|b| *b == b'\n');
        let before = end.and_then(|end| tail.get(..end));
        let begin = before.and_then(|b| b.iter().rposition(|b| *b == b'\n'));
        match before {
            Some(before) if begin.is_some() || start == 0 => {
                let last = before
                    .get(begin.map_or(0, |b| b + 1)..)
                    .unwrap_or_default()
                    .to_vec();
                let torn = tail.get(before.len() + 1..).unwrap_or_default().to_vec();
                return Ok(Ending {
                    last: Some(last),
                    torn,
                    end: start + before.len() as u64 + 1,
                });
            }
            None if start == 0 => {
                return Ok(Ending {
                    last: None,
                    torn: tail,
                    end: 0,
                });
            }
            _ => {}
        }
        let take = start.min(BLOCK.max(tail.len() as u64));
        start -= take;
        file.seek(SeekFrom::Start(start))?;
        let mut block = vec![0; usize::try_from(take).unwrap_or(usize::MAX)];
        file.read_exact(&mut block)?;
        block.extend(&tail);
        tail = block;
    }
}

/// How the names of temporary files start and end.
const TEMPORARY: (&str, &str) = (".gait-", ".tmp");

/// Removes the temporary files that a killed process left in a folder. Nobody is still writing to one of that age, and
/// whatever goes wrong here is no reason not to write.
fn remove_stale(folder: &Path) {
    let age = |file: &std::fs::Metadata| file.modified().ok()?.elapsed().ok();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.take(limits::STALE_NAMES) {
        let name = entry.file_name();
        let is_ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1));
        // The metadata of an entry are those of a link, not of what it leads to.
        let is_stale = |file: &std::fs::Metadata| {
            file.is_file() && age(file).is_some_and(|age| age.as_secs() >= limits::STALE_SECONDS)
        };
        if is_ours && entry.metadata().is_ok_and(|file| is_stale(&file)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes and flushes a temporary file beside `path`; it vanishes unless it is renamed.
fn written(path: &Path, bytes: &[u8], mode: Mode) -> Result<tempfile::NamedTempFile, HostError> {
    let wrong = |error| explain(path, &error);
    let folder = folder_of(path);
    make_folder(&folder)?;
    remove_stale(&folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    let mut file = builder
        .make_in(&folder, |at| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            restrict(&mut options, mode);
            options.open(at)
        })
        .map_err(wrong)?;
    file.write_all(bytes).map_err(wrong)?;
    file.as_file().sync_all().map_err(wrong)?;
    Ok(file)
}

#[cfg(unix)]
pub(super) fn restrict(options: &mut OpenOptions, mode: Mode) {
    if mode == Mode::Private {
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    }
}

/// Elsewhere a file takes the access rules of its folder, which a user profile restricts to its owner.
#[cfg(not(unix))]
pub(super) fn restrict(_options: &mut OpenOptions, _mode: Mode) {}

pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes a folder with its parents. A file in the place of one is not the file that was to be written, so it is never
/// reported as `Exists`.
pub(super) fn make_folder(folder: &Path) -> Result<(), HostError> {
    std::fs::create_dir_all(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => HostError::NotFolder {
            path: folder.to_owned(),
        },
        _ => explain(folder, &error),
    })
}

/// Makes the rename itself durable. Windows has no way to flush a folder and needs none.
pub(super) fn flush_folder(path: &Path) -> Result<(), HostError> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = folder_of(path);
    File::open(&folder)
        .and_then(|f| f.sync_all())
        .map_err(|e| explain(&folder, &e))
}

pub(super) fn explain(path: &Path, error: &io::Error) -> HostError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::NotFound => HostError::NotFound { path },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => HostError::Permission { path },
        ErrorKind::AlreadyExists => HostError::Exists { path },
        ErrorKind::IsADirectory => HostError::NotRegular { path },
        ErrorKind::NotADirectory => HostError::NotFolder { path },
        _ => HostError::Io {
            path,
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nothing_below_a_folder_is_read_through_a_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("lib")).unwrap();
        std::fs::write(root.join("lib/file"), "x").unwrap();
        symlink(root.join("lib"), root.join("other")).unwrap();
        symlink(root.join("lib/file"), root.join("lib/link")).unwrap();
        let host = Os::new();
        assert_eq!(host.read_below(root, "lib/file", 9).unwrap(), b"x");
        for linked in ["lib/link", "other/file"] {
            assert!(
                matches!(host.read_below(root, linked, 9), Err(HostError::Linked { .. })),
                "{linked}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_the_owners_alone_and_replaces_a_public_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        Os.write_new(&path, b"x", Mode::Public).unwrap();
        assert_eq!(mode() & 0o600, 0o600);
        Os.write_atomic(&path, b"x", Mode::Private).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_stays_as_readable_as_it_was() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy");
        Os.write_new(&path, b"x", Mode::Public).unwrap();
        for mode in [0o600, 0o640, 0o664, 0o755] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Os.write_atomic(&path, b"y", Mode::Kept).unwrap();
            let found = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{found:o}");
        }
        let fresh = folder.path().join("fresh");
        Os.write_atomic(&fresh, b"x", Mode::Kept).unwrap();
        assert_eq!(Os.read(&fresh, 9).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(
            Os.read(&socket, 9),
            Err(HostError::NotRegular { path: socket.clone() })
        );
        assert!(matches!(
            Os.write_atomic(&socket, b"x", Mode::Public),
            Err(HostError::NotRegular { .. })
        ));
        assert_eq!(
            Os.read(Path::new("/dev/zero"), 9),
            Err(HostError::NotRegular {
                path: PathBuf::from("/dev/zero")
            })
        );
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        Os.write_new(&path, b"one", Mode::Public).unwrap();
        Os.write_new(&path, b"two", Mode::Private).unwrap_err();
        assert_eq!(Os.list_dir(folder.path()).unwrap(), ["file"]);
    }

    #[test]
    fn what_a_killed_write_left_is_removed_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let plant = |name: &str, seconds: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
            file.set_modified(then).unwrap();
        };
        for (name, seconds) in [
            (".gait-a1b2c3.tmp", limits::STALE_SECONDS + 1),
            (".gait-d4e5f6.tmp", limits::STALE_SECONDS / 2),
            (".gait-notes", limits::STALE_SECONDS + 1),
            ("other.tmp", limits::STALE_SECONDS + 1),
        ] {
            plant(name, seconds);
        }
        std::fs::create_dir(folder.path().join(".gait-folder.tmp")).unwrap();
        Os.write_new(&folder.path().join("file"), b"one", Mode::Public)
            .unwrap();
        assert_eq!(
            Os.list_dir(folder.path()).unwrap(),
            [
                ".gait-d4e5f6.tmp",
                ".gait-folder.tmp",
                ".gait-notes",
                "file",
                "other.tmp"
            ]
        );
    }
}
