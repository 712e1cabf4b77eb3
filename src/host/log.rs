//! Files that one process at a time adds lines to, and the locks that keep the others out. In: paths, whole lines. Out: what was
//! added is on disk when that is said. It must not know what the lines are.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "part of the door the bans point to"
)]

use super::os::{explain, flush_folder, folder_of, make_folder, restrict};
use super::{Host, HostError, Mode, Os};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A new file that lines are added to.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    lines: u64,
}

/// Whether a path still is that of an open file: no link, and none that was made anew.
fn still_there(path: &Path, file: &File) -> Result<(), HostError> {
    let wrong = |error| explain(path, &error);
    let there = std::fs::symlink_metadata(path).map_err(wrong)?;
    match is_same(&there, &file.metadata().map_err(wrong)?) {
        true => Ok(()),
        false => Err(HostError::Io {
            path: path.to_owned(),
            reason: "another file is in its place".to_owned(),
        }),
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Nothing tells files apart here.
#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.file_type() == other.file_type()
}

/// A file that has no other name, and is no link itself.
fn is_alone(about: &Metadata) -> bool {
    #[cfg(unix)]
    let names = std::os::unix::fs::MetadataExt::nlink(about);
    #[cfg(not(unix))]
    let names = 1;
    about.is_file() && names == 1
}

impl LogFile {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long it is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many lines it has.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether it still is where its path says.
    pub fn still_there(&self) -> Result<(), HostError> {
        still_there(&self.path, &self.file)
    }

    /// Adds whole lines in one write. They are durable when this returns; where it errs, some of them may be.
    pub fn append(&mut self, text: &[u8], lines: u64) -> Result<(), HostError> {
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is left of a line here is set aside when the folder is opened again.
            let _ = self.file.set_len(self.bytes);
            return Err(explain(&self.path, &error));
        }
        self.bytes += text.len() as u64;
        self.lines += lines;
        Ok(())
    }
}

/// A lock that is held until it is dropped, or the process ends.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    file: File,
}

impl Held {
    /// Whether it still keeps others out: whoever finds no file, or another, has a lock of their own.
    pub fn still_there(&self) -> Result<(), HostError> {
        still_there(&self.path, &self.file)
    }
}

impl Os {
    /// Makes a file to add lines to, which only its owner may read; one that is there already is refused.
    pub fn new_log(&self, path: &Path) -> Result<LogFile, HostError> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        restrict(&mut options, Mode::Private);
        let file = options.open(path).map_err(|error| explain(path, &error))?;
        flush_folder(path)?;
        Ok(LogFile {
            path: path.to_owned(),
            file,
            bytes: 0,
            lines: 0,
        })
    }

    /// How many bytes a file of lines has, and when it was last added to, in milliseconds since 1970. What is no file, or has another name, is refused.
    pub fn log_state(&self, path: &Path) -> Result<(u64, i64), HostError> {
        let wrong = |error| explain(path, &error);
        let about = std::fs::symlink_metadata(path).map_err(wrong)?;
        if !is_alone(&about) {
            let path = path.to_owned();
            return Err(HostError::NotRegular { path });
        }
        let changed = about.modified().map_err(wrong)?;
        let since = changed.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok((about.len(), i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Removes a file of lines.
    pub fn remove_log(&self, path: &Path) -> Result<(), HostError> {
        std::fs::remove_file(path).map_err(|error| explain(path, &error))?;
        flush_folder(path)
    }

    /// Reads a part of a file.
    pub fn read_part(&self, path: &Path, start: u64, length: usize) -> Result<Vec<u8>, HostError> {
        let wrong = |error| explain(path, &error);
        let mut file = File::open(path).map_err(wrong)?;
        file.seek(SeekFrom::Start(start)).map_err(wrong)?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(wrong)?;
        Ok(bytes)
    }

    /// Takes the lock that has the file `path` to itself, at once or not at all.
    pub fn hold(&self, path: &Path) -> Result<Held, HostError> {
        make_folder(&folder_of(path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        restrict(&mut options, Mode::Private);
        let file = options.open(path).map_err(|error| explain(path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Held {
                path: path.to_owned(),
                file,
            }),
            Err(TryLockError::WouldBlock) => Err(HostError::Contended {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(explain(path, &error)),
        }
    }

    /// Takes what comes after the last line end of a file out of it, into a file of its own beside it: a write that was cut off.
    /// Gives that file, where there was anything. What is no file, or has another name, is refused.
    pub fn set_tail_aside(&self, path: &Path, max_bytes: u64) -> Result<Option<PathBuf>, HostError> {
        let wrong = |error| explain(path, &error);
        self.log_state(path)?;
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).open(path).map_err(wrong)?;
        still_there(path, &file)?;
        let length = file.metadata().map_err(wrong)?.len();
        if ends_with_a_line(&file, length).map_err(wrong)? {
            return Ok(None);
        }
        let start = length.saturating_sub(max_bytes);
        file.seek(SeekFrom::Start(start)).map_err(wrong)?;
        let mut tail = Vec::new();
        (&file).take(max_bytes).read_to_end(&mut tail).map_err(wrong)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
        let whole = match whole {
            Some(whole) => whole,
            None if start == 0 => 0,
            None => {
                let (path, limit) = (path.to_owned(), max_bytes);
                return Err(HostError::TooLarge { path, limit });
            }
        };
        let torn = tail.split_off(whole);
        let mut aside = path.as_os_str().to_owned();
        aside.push(".torn");
        let aside = PathBuf::from(aside);
        self.write_atomic(&aside, &torn, Mode::Private)?;
        file.set_len(start + whole as u64).map_err(wrong)?;
        file.sync_all().map_err(wrong)?;
        Ok(Some(aside))
    }
}

/// Whether nothing comes after the last line end.
fn ends_with_a_line(mut file: &File, length: u64) -> std::io::Result<bool> {
    let Some(last) = length.checked_sub(1) else {
        return Ok(true);
    };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    Ok(byte == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_by_one_and_a_tail_that_was_cut_off_is_kept_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let mut log = Os.new_log(&path).unwrap();
        assert!(matches!(Os.new_log(&path), Err(HostError::Exists { .. })));
        log.append(b"one\ntwo\n", 2).unwrap();
        log.append(b"three\n", 1).unwrap();
        assert_eq!((log.bytes(), log.lines()), (14, 3));
        assert_eq!(Os.read(&path, 99).unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(Os.set_tail_aside(&path, 99), Ok(None));
        log.append(b"fo", 0).unwrap();
        let aside = Os.set_tail_aside(&path, 8).unwrap().unwrap();
        assert_eq!(Os.read(&aside, 99).unwrap(), b"fo");
        assert_eq!(Os.read(&path, 99).unwrap(), b"one\ntwo\nthree\n");
        // A tail without a line end, longer than anything that is ever written at once.
        log.append(b"four", 0).unwrap();
        let refused = Os.set_tail_aside(&path, 4);
        assert!(matches!(refused, Err(HostError::TooLarge { .. })), "{refused:?}");
    }

    #[test]
    fn a_part_of_a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        Os.write_new(&path, b"0123456789", Mode::Private).unwrap();
        assert_eq!(Os.read_part(&path, 3, 4).unwrap(), b"3456");
        assert!(Os.read_part(&path, 8, 4).is_err());
    }

    #[test]
    fn a_lock_is_held_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x/lock");
        let held = Os.hold(&path).unwrap();
        assert!(matches!(Os.hold(&path), Err(HostError::Contended { .. })));
        drop(held);
        Os.hold(&path).unwrap();
    }
}
