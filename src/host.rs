//! The one door to the machine: clock, files, environment, entropy, terminals. Layers below L5 never see it. In:
//! paths and bytes. Out: bytes, or a `HostError` that says which path and why. `os` is the real machine, `memory` a
//! scripted one for tests. It must not know what the bytes mean.

mod ask;
mod child;
#[cfg(feature = "serve")]
mod log;
mod memory;
mod os;
mod private;
#[cfg(all(feature = "serve", unix))]
mod socket;

pub use ask::{AskError, Question, Ready};
pub use child::{Around, Child, Pipes};
#[cfg(feature = "serve")]
pub use log::{Held, LogFile};
pub use memory::Memory;
pub use os::Os;
pub use private::Private;

use std::path::{Path, PathBuf};

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What the process's umask allows.
    Public,
    /// The owner alone (0600), from the moment the file exists.
    Private,
    /// Who may read the file that is replaced; where there is none, what the umask allows.
    Kept,
}

/// A standard stream that may be a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard input: answers.
    In,
    /// Standard output: data.
    Out,
    /// Standard error: talk.
    Err,
}

/// Why the machine did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// No file or folder has this path.
    #[error("{} does not exist", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// The process may not.
    #[error("{} may not be accessed", path.display())]
    Permission {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than the caller reads.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// Bytes.
        limit: u64,
    },
    /// A folder, pipe or device where a file is needed.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// A file where a folder is needed.
    #[error("{} is not a folder", path.display())]
    NotFolder {
        /// The path.
        path: PathBuf,
    },
    /// A symbolic link where only files and folders of their own may be.
    #[error("{} is a symbolic link", path.display())]
    Linked {
        /// The path of the link.
        path: PathBuf,
    },
    /// A file that must be new is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// A secret file that others than its owner may read or change.
    #[error("{} may be read or changed by others (mode {mode:04o})", path.display())]
    Exposed {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file or folder of another user, who may change what is in it.
    #[error("{} belongs to another user", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// Another process holds the lock.
    #[error("{} is in use by another process", path.display())]
    Contended {
        /// The path.
        path: PathBuf,
    },
    /// Anything else the system reports.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The system's random source does not answer.
    #[error("no randomness: {reason}")]
    Entropy {
        /// The system's words.
        reason: String,
    },
}

impl HostError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            HostError::NotFound { .. } => "file.not_found",
            HostError::Permission { .. } => "file.permission",
            HostError::TooLarge { .. } => "file.too_large",
            HostError::NotRegular { .. } => "file.not_regular",
            HostError::NotFolder { .. } => "file.not_folder",
            HostError::Linked { .. } => "file.linked",
            HostError::Exists { .. } => "file.exists",
            HostError::Exposed { .. } => "file.exposed",
            HostError::Foreign { .. } => "file.foreign",
            HostError::Contended { .. } => "file.contended",
            HostError::Io { .. } => "file.io",
            HostError::Entropy { .. } => "host.entropy",
        }
    }

    /// The path it is about; `None` for randomness.
    pub fn path(&self) -> Option<&Path> {
        match self {
            HostError::NotFound { path }
            | HostError::Permission { path }
            | HostError::TooLarge { path, .. }
            | HostError::NotRegular { path }
            | HostError::NotFolder { path }
            | HostError::Linked { path }
            | HostError::Exists { path }
            | HostError::Exposed { path, .. }
            | HostError::Foreign { path }
            | HostError::Contended { path }
            | HostError::Io { path, .. } => Some(path),
            HostError::Entropy { .. } => None,
        }
    }
}

/// What standard input is called where a file would have its path.
pub const INPUT: &str = "-";

/// How a file of lines ends.
#[derive(Clone, Copy, Debug)]
pub struct Tail<'t> {
    /// Whether there was no file.
    pub fresh: bool,
    /// The last whole line, without its end; none in a new file.
    pub last: Option<&'t [u8]>,
    /// Bytes after the last line end.
    pub torn: &'t [u8],
}

/// What to append.
#[derive(Clone, Debug)]
pub struct Append {
    /// The line, without its end.
    pub line: Vec<u8>,
    /// Whether the torn bytes are a line after all and stay before it; otherwise they are removed.
    pub keep_torn: bool,
}

/// From the end of a file to the line after it.
pub type NextLine<'f> = dyn FnMut(Tail<'_>) -> Option<Append> + 'f;

/// Everything the crate asks of the machine. Writing makes missing parent folders, and is durable when it returns:
/// the file and its folder are flushed.
pub trait Host {
    /// The time. The only clock of the crate.
    fn now(&self) -> jiff::Timestamp;

    /// Reads a regular file whole. A file of more than `max_bytes` is refused before it is held in memory.
    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError>;

    /// Reads standard input to its end. More than `max_bytes` is refused before it is held in memory.
    fn read_input(&self, max_bytes: u64) -> Result<Vec<u8>, HostError>;

    /// Reads a file below a folder as `read` does; `relative` has `/` between its parts and no `..`. Refused when the
    /// file or a folder on the way to it is a symbolic link: it could lead anywhere, and elsewhere tomorrow.
    fn read_below(&self, folder: &Path, relative: &str, max_bytes: u64) -> Result<Vec<u8>, HostError>;

    /// Reads a secret as `read` does; refused before its content is read when others than its owner may read or
    /// change the file.
    fn read_private(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError>;

    /// Writes a file that must not exist yet; nobody ever sees a part of it.
    fn write_new(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError>;

    /// Writes or replaces a file; a reader sees the old bytes or the new ones, never a mix.
    fn write_atomic(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError>;

    /// Appends a line to a file that only its owner may read, alone: `next` is told how the file ends, and what it
    /// returns is durable, with a line end, when this returns. Bytes after the last line end are a write that was cut
    /// off; `next` decides whether they stay as a line or go. Where it returns nothing, nothing changes. Waits for the
    /// lock up to `limits::LOCK_WAIT_MILLIS`.
    fn append_line(&self, path: &Path, next: &mut NextLine<'_>) -> Result<(), HostError>;

    /// Does `work` while no other process does, under a lock that has the file `path` to itself. Waits for it up to
    /// `limits::LOCK_WAIT_MILLIS`.
    fn exclusive(&self, path: &Path, work: &mut dyn FnMut()) -> Result<(), HostError>;

    /// The names in a folder, sorted.
    fn list_dir(&self, path: &Path) -> Result<Vec<String>, HostError>;

    /// Whether anything has this path.
    fn exists(&self, path: &Path) -> bool;

    /// A variable of the environment; one that is not UTF-8 counts as unset.
    fn env(&self, name: &str) -> Option<String>;

    /// Fills a seed with randomness fit for keys.
    fn entropy(&self, seed: &mut [u8; 32]) -> Result<(), HostError>;

    /// Reads a line of standard input, without its end, once a person has finished it. More than `max_bytes` is refused.
    fn read_answer(&self, max_bytes: u64) -> Result<String, HostError>;

    /// Whether a person is at the other end of this stream.
    fn is_terminal(&self, stream: Stream) -> bool;
}

/// One table of cases that every implementation must pass.
/// Does `work` on a file while no other process does that asks here, too: under a lock beside it.
pub fn alone<T>(host: &dyn Host, path: &Path, work: impl FnOnce() -> T) -> Result<T, HostError> {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let path = PathBuf::from(lock);
    let (mut work, mut done) = (Some(work), None);
    host.exclusive(&path, &mut || done = work.take().map(|work| work()))?;
    done.ok_or(HostError::Contended { path })
}

/// What is never drawn twice: 64 lowercase hexadecimal digits.
pub fn nonce(host: &dyn Host) -> Result<String, HostError> {
    let mut seed = [0; 32];
    host.entropy(&mut seed)?;
    Ok(seed.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appends(host: &dyn Host, path: &Path) {
        let append = |line: &[u8], keep_torn| {
            Some(Append {
                line: line.to_vec(),
                keep_torn,
            })
        };
        let mut seen = Vec::new();
        for line in ["one", "two", "three"] {
            let mut next = |tail: Tail<'_>| {
                seen.push((tail.fresh, tail.last.map(<[u8]>::to_vec), tail.torn.to_vec()));
                append(line.as_bytes(), false)
            };
            host.append_line(path, &mut next).unwrap();
        }
        host.append_line(path, &mut |_| None).unwrap();
        assert_eq!(host.read(path, 99).unwrap(), b"one\ntwo\nthree\n");
        let none = Vec::new;
        let expected = [
            (true, None, none()),
            (false, Some(b"one".to_vec()), none()),
            (false, Some(b"two".to_vec()), none()),
        ];
        assert_eq!(seen, expected);
        // What nothing was appended to is not there; what is there without a line is no new file.
        let other = path.with_extension("other");
        host.append_line(&other, &mut |_| None).unwrap();
        assert!(!host.exists(&other));
        host.write_new(&other, b"", Mode::Private).unwrap();
        host.append_line(&other, &mut |tail| {
            assert!(!tail.fresh && tail.last.is_none() && tail.torn.is_empty());
            append(b"one", false)
        })
        .unwrap();
        let long = vec![b'x'; 200_000];
        host.append_line(path, &mut |_| append(&long, false)).unwrap();
        host.append_line(path, &mut |tail| {
            assert_eq!(tail.last, Some(long.as_slice()));
            append(b"four", false)
        })
        .unwrap();
        let torn = |text: &[u8]| {
            let all = [host.read(path, 1 << 20).unwrap().as_slice(), text].concat();
            host.write_atomic(path, &all, Mode::Private).unwrap();
        };
        for (keep, end) in [
            (false, &b"x\nfour\nfive\n"[..]),
            (true, &b"four\nfive\ntorn\nfive\n"[..]),
        ] {
            torn(b"torn");
            host.append_line(path, &mut |tail| {
                assert_eq!(tail.torn, b"torn");
                append(b"five", keep)
            })
            .unwrap();
            assert!(host.read(path, 1 << 20).unwrap().ends_with(end));
        }
    }

    fn contract(host: &dyn Host, root: &Path) {
        let deep = root.join("a/b/file");
        assert_eq!(
            host.read(&deep, 9),
            Err(HostError::NotFound { path: deep.clone() })
        );
        assert!(!host.exists(&deep));
        host.write_new(&deep, b"one", Mode::Public).unwrap();
        assert_eq!(
            host.write_new(&deep, b"two", Mode::Public),
            Err(HostError::Exists { path: deep.clone() })
        );
        assert_eq!(host.read(&deep, 3).unwrap(), b"one");
        assert_eq!(
            host.read(&deep, 2),
            Err(HostError::TooLarge {
                path: deep.clone(),
                limit: 2
            })
        );
        host.write_atomic(&deep, b"three", Mode::Private).unwrap();
        assert_eq!(host.read(&deep, 9).unwrap(), b"three");
        assert_eq!(host.read_private(&deep, 9).unwrap(), b"three");
        let open = root.join("a/b/open");
        host.write_new(&open, b"x", Mode::Public).unwrap();
        if cfg!(unix) {
            assert!(matches!(
                host.read_private(&open, 9),
                Err(HostError::Exposed { .. })
            ));
        }
        assert!(matches!(
            host.read_private(&root.join("none"), 9),
            Err(HostError::NotFound { .. })
        ));
        let folder = root.join("a/b");
        assert_eq!(
            host.read(&folder, 9),
            Err(HostError::NotRegular { path: folder.clone() })
        );
        assert!(matches!(
            host.write_atomic(&folder, b"x", Mode::Public),
            Err(HostError::NotRegular { .. })
        ));
        let inside = deep.join("c/inside");
        let folder_needed = [
            host.write_new(&inside, b"x", Mode::Public),
            host.write_atomic(&inside, b"x", Mode::Public),
            host.append_line(&inside, &mut |_| None),
            host.write_new(&deep.join("inside"), b"x", Mode::Public),
        ];
        for refused in folder_needed {
            assert!(matches!(refused, Err(HostError::NotFolder { .. })), "{refused:?}");
        }
        host.write_atomic(&folder.join("Zz"), b"", Mode::Public).unwrap();
        host.write_atomic(&folder.join("aa"), b"", Mode::Public).unwrap();
        assert_eq!(
            host.list_dir(&folder).unwrap(),
            ["Zz", "aa", "file", "open"],
            "no temporary file stays"
        );
        assert_eq!(host.list_dir(root).unwrap(), ["a"]);
        assert_eq!(host.read_below(root, "a/b/file", 9).unwrap(), b"three");
        assert!(matches!(
            host.read_below(root, "a/b/none", 9),
            Err(HostError::NotFound { .. })
        ));
        assert!(host.exists(&folder) && host.exists(&deep));
        assert!(matches!(
            host.list_dir(&root.join("none")),
            Err(HostError::NotFound { .. })
        ));
        let (mut one, mut two) = ([0; 32], [0; 32]);
        host.entropy(&mut one).unwrap();
        host.entropy(&mut two).unwrap();
        assert_ne!(one, two);
        assert_eq!(host.env("GAIT_NO_SUCH_VARIABLE"), None);
        appends(host, &root.join("journal"));
    }

    #[test]
    fn the_machine_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        contract(&Os::new(), folder.path());
    }

    #[test]
    fn the_scripted_machine_keeps_the_contract() {
        contract(
            &Memory::new("2026-01-02T03:04:05Z".parse().unwrap()),
            Path::new("/work"),
        );
    }
}
