//! Programs that are started to be talked to. In: a command. Out: its pipes, and how it ended; one that goes on when it should not is
//! killed.
#![expect(clippy::disallowed_methods, reason = "part of the door the bans point to")]

use super::os::explain;
use super::{HostError, Os};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that was started. It is killed where this is dropped before it has ended.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
}

/// What it reads, and what it writes.
pub type Pipes = (std::process::ChildStdin, std::process::ChildStdout);

/// What a program finds around it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// What its environment has beside this one's.
    pub env: &'a [(String, String)],
    /// The folder it is started in; this one where it is none.
    pub folder: Option<&'a str>,
}

/// How long it takes until it is seen that a program has ended.
const STEP: Duration = Duration::from_millis(5);

impl Os {
    /// Starts a program with this standard error. A command of no words starts nothing.
    pub fn start(&self, command: &[OsString], around: &Around<'_>) -> Result<(Child, Pipes), HostError> {
        let (program, args) = command.split_first().unwrap_or((const { &OsString::new() }, &[]));
        let failed = |error| explain(Path::new(program), &error);
        let mut child = Command::new(program)
            .args(args)
            .envs(around.env.iter().map(|(name, value)| (name, value)))
            .current_dir(around.folder.unwrap_or("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok((Child { child }, (input, output))),
            _ => Err(failed(std::io::Error::other("it has no pipes"))),
        }
    }

    /// The folder this process is in, where its name is UTF-8.
    pub fn folder(&self) -> Option<String> {
        let folder = std::env::current_dir().ok()?;
        folder.to_str().map(str::to_owned)
    }
}

impl Os {
    /// Goes to another folder: relative paths are from there now.
    pub fn enter(&self, folder: &Path) -> Result<(), HostError> {
        std::env::set_current_dir(folder).map_err(|error| explain(folder, &error))
    }

    /// The file that a command starts: what its first word names, or what of that name is found first in the folders of `PATH`.
    pub fn file_of(&self, command: &[OsString]) -> Result<PathBuf, HostError> {
        let word = command.first().map_or(Path::new(""), |word| Path::new(word));
        let absent = || HostError::NotFound {
            path: word.to_owned(),
        };
        if word.components().count() > 1 || word.is_absolute() {
            return Ok(word.to_owned());
        }
        let folders = std::env::var_os("PATH").ok_or_else(absent)?;
        let mut files = std::env::split_paths(&folders).map(|folder| folder.join(word));
        files.find(|file| is_program(file)).ok_or_else(absent)
    }

    /// The file of this program, where its name is UTF-8.
    pub fn program(&self) -> Option<String> {
        let program = std::env::current_exe().ok()?;
        program.to_str().map(str::to_owned)
    }
}

fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    let may_run = |meta: std::fs::Metadata| {
        use std::os::unix::fs::PermissionsExt as _;
        meta.permissions().mode() & 0o111 != 0
    };
    #[cfg(not(unix))]
    let may_run = |_| true;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && may_run(meta))
}

impl Child {
    /// Waits for its end, and kills it where it goes on for longer than this; how it ended.
    pub fn stop(&mut self, millis: u64) -> String {
        let until = Instant::now() + Duration::from_millis(millis);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.to_string(),
                Ok(None) if Instant::now() < until => std::thread::sleep(STEP),
                _ => break,
            }
        }
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
