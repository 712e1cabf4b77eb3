//! Programs that are asked one question, and programs that this one becomes. In: a command, its environment, what it reads. Out:
//! what it wrote, or why that counts for nothing. An answer is a secret: nobody else sees it, nor what the program writes to
//! standard error. It must not know what question and answer mean.
#![expect(clippy::disallowed_methods, reason = "part of the door the bans point to")]

use super::os::explain;
use super::{HostError, Os};
use std::ffi::OsString;
use std::io::{Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// What is asked of whom.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The program; no shell reads it, and no folder is searched for it.
    pub program: &'a Path,
    /// Its arguments.
    pub args: &'a [String],
    /// Its whole environment.
    pub env: &'a [(String, String)],
    /// What it reads.
    pub input: &'a [u8],
    /// How long it may take, in milliseconds.
    pub millis: u64,
    /// How much it may write, in bytes.
    pub bytes: usize,
}

/// Why there is no answer. None of them tells anything of what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The machine does not start it.
    #[error(transparent)]
    Start(HostError),
    /// It goes on for too long, or what it has started holds on to its output.
    #[error("it has not answered within {0} ms")]
    TooSlow(u64),
    /// It writes too much.
    #[error("it has written more than {0} bytes")]
    TooMuch(usize),
    /// It says that it failed.
    #[error("it ended with {0}")]
    Failed(String),
}

/// How long it takes until it is seen that a program has ended.
const STEP: Duration = Duration::from_millis(5);

impl Os {
    /// Asks a program, which is killed with all it has started when this returns, unless that has left its process group.
    pub fn ask(&self, question: &Question<'_>) -> Result<Zeroizing<Vec<u8>>, AskError> {
        let failed = |error| AskError::Start(explain(question.program, &error));
        let mut command = Command::new(question.program);
        command
            .args(question.args)
            .env_clear()
            .envs(question.env.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut group = Group {
            leader: command.spawn().map_err(failed)?,
            is_killed: false,
        };
        let pipes = group.leader.stdin.take().zip(group.leader.stdout.take());
        let (mut input, output) = pipes.ok_or_else(|| failed(std::io::Error::other("it has no pipes")))?;
        let text = question.input.to_vec();
        // Both may wait for longer than this does, where something outlives the program and holds on to a pipe.
        std::thread::spawn(move || input.write_all(&text));
        let (tell, told) = mpsc::channel();
        let most = question.bytes;
        std::thread::spawn(move || tell.send(whole(output, most)));
        let until = Instant::now() + Duration::from_millis(question.millis);
        let (mut ended, mut answer) = (None, None);
        while Instant::now() < until {
            ended = ended.or_else(|| group.ended());
            answer = answer.or_else(|| told.try_recv().ok());
            match (&ended, answer.take()) {
                (_, Some(None)) => return Err(AskError::TooMuch(most)),
                (Some(status), Some(Some(answer))) if status.success() => return Ok(answer),
                (Some(status), Some(_)) => return Err(AskError::Failed(status.to_string())),
                (_, read) => answer = read,
            }
            std::thread::sleep(STEP);
        }
        Err(AskError::TooSlow(question.millis))
    }
}

/// All that is written; none where it is more than this.
fn whole(output: ChildStdout, most: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    // What cannot be read is no answer, and what is read of it is none that would be taken.
    let _ = output.take(most as u64 + 1).read_to_end(&mut bytes);
    (bytes.len() <= most).then_some(bytes)
}

/// A program with a process group of its own, which is killed with it.
struct Group {
    leader: Child,
    is_killed: bool,
}

impl Group {
    /// How the program has ended. What it has started and left behind is killed then.
    fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.leader.try_wait().ok().flatten()?;
        self.kill();
        Some(status)
    }

    /// Once: its number may be somebody else's after that.
    fn kill(&mut self) {
        if std::mem::replace(&mut self.is_killed, true) {
            return;
        }
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.leader.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // Where nobody is left of it, there is nobody to kill.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        let _ = self.leader.kill();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = self.leader.wait();
    }
}

/// A program that can be started at once: it was found, and what it is to read lies ready.
#[derive(Debug)]
pub struct Ready {
    program: PathBuf,
    command: Command,
}

impl Os {
    /// Looks for the program of a command, which will read these bytes.
    pub fn ready(&self, command: &[OsString], input: &[u8]) -> Result<Ready, HostError> {
        let program = self.file_of(command)?;
        let wrong = |error| explain(&program, &error);
        if !std::fs::metadata(&program).map_err(wrong)?.is_file() {
            return Err(HostError::NotRegular { path: program });
        }
        // A file that has no name any more: a pipe holds no large text before somebody reads it.
        let mut file = tempfile::tempfile().map_err(wrong)?;
        file.write_all(input).map_err(wrong)?;
        file.rewind().map_err(wrong)?;
        let mut ready = Command::new(&program);
        ready.args(command.iter().skip(1)).stdin(Stdio::from(file));
        Ok(Ready {
            program,
            command: ready,
        })
    }
}

impl Ready {
    /// Becomes the program. Its environment is this one's without some variables, by their names, and with these beside it.
    /// Returns only where it cannot be started.
    pub fn run(
        mut self,
        without: impl Fn(&str) -> bool,
        with: impl IntoIterator<Item = (String, Zeroizing<String>)>,
    ) -> HostError {
        for (name, _) in std::env::vars_os() {
            if without(&name.to_string_lossy()) {
                self.command.env_remove(&name);
            }
        }
        for (name, value) in with {
            self.command.env(name, value.as_str());
        }
        #[cfg(unix)]
        let error = std::os::unix::process::CommandExt::exec(&mut self.command);
        #[cfg(not(unix))]
        let error = match self.command.status() {
            // Nothing is left to do here but to say how it ended.
            Ok(status) => std::process::exit(status.code().unwrap_or(1)),
            Err(error) => error,
        };
        explain(&self.program, &error)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn ask(script: &str, millis: u64, bytes: usize) -> Result<String, AskError> {
        let shell = Path::new("/bin/sh").canonicalize().unwrap();
        let question = Question {
            program: &shell,
            args: &["-c".to_owned(), script.to_owned()],
            env: &[("OWN".to_owned(), "1".to_owned())],
            input: b"question",
            millis,
            bytes,
        };
        let answer = Os.ask(&question)?;
        Ok(String::from_utf8(answer.to_vec()).unwrap())
    }

    #[test]
    fn an_answer_is_whole_in_time_and_short() {
        let long = 60_000;
        for (script, expected) in [
            ("cat", Ok("question")),
            ("cat >&2; echo a", Ok("a\n")),
            (
                "echo a; exit 3",
                Err(AskError::Failed("exit status: 3".to_owned())),
            ),
            ("printf 0123456789", Ok("0123456789")),
            ("printf 0123456789x", Err(AskError::TooMuch(10))),
            ("yes", Err(AskError::TooMuch(10))),
            // It reads nothing of a question.
            ("exec <&-; echo a", Ok("a\n")),
            ("echo $OWN$HOME$PATH_OF_NOBODY", Ok("1\n")),
            ("pwd", Ok("/\n")),
            // What it leaves behind is not waited for.
            ("sleep 60 & echo a", Ok("a\n")),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(ask(script, long, 10), expected, "{script}");
        }
        assert_eq!(ask("sleep 60", 50, 10), Err(AskError::TooSlow(50)));
        assert_eq!(ask("exec >&-; sleep 60", 50, 10), Err(AskError::TooSlow(50)));
        let started = Instant::now();
        assert_eq!(ask("echo a; sleep 60", 50, 10), Err(AskError::TooSlow(50)));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_it_has_started_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        for (script, millis) in [("echo a", 60_000), ("sleep 60", 200)] {
            let script = format!("sleep 61 & echo $! > {}; {script}", file.display());
            let _ = ask(&script, millis, 10);
            let pid = std::fs::read_to_string(&file).unwrap();
            let is_there = || {
                let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
                cfg!(target_os = "linux") && !state.is_empty() && !state.contains(" Z ")
            };
            let until = Instant::now() + Duration::from_secs(10);
            while is_there() && Instant::now() < until {
                std::thread::sleep(STEP);
            }
            assert!(!is_there(), "{script}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_not_started() {
        let none = Path::new("/nowhere/at/all");
        let question = Question {
            program: none,
            args: &[],
            env: &[],
            input: b"",
            millis: 1,
            bytes: 1,
        };
        let path = none.to_owned();
        assert_eq!(
            Os.ask(&question).unwrap_err(),
            AskError::Start(HostError::NotFound { path })
        );
        for command in [
            &["/nowhere/at/all"][..],
            &["no-such-program-of-gait"],
            &["/"],
            &[],
        ] {
            let words: Vec<OsString> = command.iter().map(OsString::from).collect();
            Os.ready(&words, b"").unwrap_err();
        }
    }
}
