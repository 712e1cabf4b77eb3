//! A machine for tests: files in a map, a clock that stands still, a counter for entropy, terminals on
//! request. It keeps the same contract as `Os` and never touches the real one.

use super::{Host, HostError, INPUT, Mode, NextLine, Stream, Tail};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A scripted machine.
#[derive(Debug)]
pub struct Memory {
    now: Cell<jiff::Timestamp>,
    files: RefCell<BTreeMap<PathBuf, (Vec<u8>, Mode)>>,
    env: BTreeMap<String, String>,
    drawn: Cell<u64>,
    terminals: bool,
    input: Vec<u8>,
}

impl Memory {
    /// An empty machine whose clock shows `now`.
    pub fn new(now: jiff::Timestamp) -> Self {
        Self {
            now: Cell::new(now),
            files: RefCell::default(),
            env: BTreeMap::new(),
            drawn: Cell::new(0),
            terminals: false,
            input: Vec::new(),
        }
    }

    /// Sets a variable of the environment.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Makes both streams terminals.
    pub fn with_terminals(mut self) -> Self {
        self.terminals = true;
        self
    }

    /// Puts bytes on standard input.
    pub fn with_input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Puts a file there.
    pub fn with_file(self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files
            .borrow_mut()
            .insert(path.into(), (bytes.into(), Mode::Public));
        self
    }

    /// Moves the clock.
    pub fn set_now(&self, now: jiff::Timestamp) {
        self.now.set(now);
    }

    /// The mode a file was written with.
    pub fn mode(&self, path: &Path) -> Option<Mode> {
        self.files.borrow().get(path).map(|(_, mode)| *mode)
    }

    /// Errors when a folder of the path is a file.
    fn check_folders(&self, path: &Path) -> Result<(), HostError> {
        let files = self.files.borrow();
        let file = path
            .ancestors()
            .skip(1)
            .find(|folder| files.contains_key(*folder));
        match file {
            Some(file) => Err(HostError::NotFolder {
                path: file.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.files
            .borrow()
            .keys()
            .any(|file| file != path && file.starts_with(path))
    }
}

impl Host for Memory {
    fn now(&self) -> jiff::Timestamp {
        self.now.get()
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        if self.is_folder(path) {
            return Err(HostError::NotRegular {
                path: path.to_owned(),
            });
        }
        let files = self.files.borrow();
        let (bytes, _) = files.get(path).ok_or_else(|| HostError::NotFound {
            path: path.to_owned(),
        })?;
        if bytes.len() as u64 > max_bytes {
            return Err(HostError::TooLarge {
                path: path.to_owned(),
                limit: max_bytes,
            });
        }
        Ok(bytes.clone())
    }

    fn read_below(&self, folder: &Path, relative: &str, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        self.read(&folder.join(relative), max_bytes)
    }

    fn read_input(&self, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        if self.input.len() as u64 > max_bytes {
            return Err(HostError::TooLarge {
                path: INPUT.into(),
                limit: max_bytes,
            });
        }
        Ok(self.input.clone())
    }

    fn read_answer(&self, max_bytes: u64) -> Result<String, HostError> {
        let input = self.read_input(max_bytes)?;
        let line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    fn read_private(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError> {
        let bytes = self.read(path, max_bytes)?;
        match self.mode(path) {
            Some(Mode::Private) => Ok(bytes),
            _ => Err(HostError::Exposed {
                path: path.to_owned(),
                mode: 0o644,
            }),
        }
    }

    fn write_new(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError> {
        if self.exists(path) {
            return Err(HostError::Exists {
                path: path.to_owned(),
            });
        }
        self.write_atomic(path, bytes, mode)
    }

    fn write_atomic(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError> {
        self.check_folders(path)?;
        if self.is_folder(path) {
            return Err(HostError::NotRegular {
                path: path.to_owned(),
            });
        }
        let mut files = self.files.borrow_mut();
        let mode = match (mode, files.get(path)) {
            (Mode::Kept, Some((_, before))) => *before,
            (Mode::Kept, None) => Mode::Public,
            (mode, _) => mode,
        };
        files.insert(path.to_owned(), (bytes.to_vec(), mode));
        Ok(())
    }

    fn append_line(&self, path: &Path, next: &mut NextLine<'_>) -> Result<(), HostError> {
        self.check_folders(path)?;
        let fresh = !self.exists(path);
        let mut bytes = if fresh {
            Vec::new()
        } else {
            self.read(path, u64::MAX)?
        };
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        let torn = bytes.split_off(whole);
        let last = bytes
            .strip_suffix(b"\n")
            .and_then(|lines| lines.rsplit(|b| *b == b'\n').next());
        let tail = Tail {
            fresh,
            last,
            torn: &torn,
        };
        if let Some(append) = next(tail) {
            if append.keep_torn && !torn.is_empty() {
                bytes.extend(&torn);
                bytes.push(b'\n');
            }
            bytes.extend(append.line);
            bytes.push(b'\n');
            self.write_atomic(path, &bytes, Mode::Private)?;
        }
        Ok(())
    }

    fn exclusive(&self, path: &Path, work: &mut dyn FnMut()) -> Result<(), HostError> {
        self.check_folders(path)?;
        work();
        Ok(())
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<String>, HostError> {
        if !self.is_folder(path) {
            return Err(HostError::NotFound {
                path: path.to_owned(),
            });
        }
        let files = self.files.borrow();
        let inner = files.keys().filter_map(|file| file.strip_prefix(path).ok());
        let mut names: Vec<String> = inner
            .filter_map(|rest| rest.components().next())
            .map(|first| first.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.borrow().contains_key(path) || self.is_folder(path)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn entropy(&self, seed: &mut [u8; 32]) -> Result<(), HostError> {
        let drawn = self.drawn.get() + 1;
        self.drawn.set(drawn);
        for (byte, value) in seed.iter_mut().zip(drawn.to_be_bytes().into_iter().cycle()) {
            *byte = value;
        }
        Ok(())
    }

    fn is_terminal(&self, _stream: Stream) -> bool {
        self.terminals
    }
}
