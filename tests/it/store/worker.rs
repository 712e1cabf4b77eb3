//! Processes that share a store: this test binary starts itself again as workers, which talk by lines. A worker can be
//! killed at any moment; what it said before holds.

use super::{COUNTER, charge, named, use_up};
use gait::store::used::Used;
use gait::store::{self, Postgres, Sqlite, Store, counters, postgres::Network};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const TASK: &str = "GAIT_STORE_WORKER";
const PLACE: &str = "GAIT_STORE_PLACE";

/// The store of a place: a folder, or what `Postgres` reads.
pub fn store_of(place: &str) -> Box<dyn Store> {
    if place.contains('=') {
        Box::new(Postgres::new(place, Network::Local).unwrap())
    } else {
        Box::new(Sqlite::new(Path::new(place)))
    }
}

/// A process that works on a store.
pub struct Worker {
    child: Child,
    told: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts one, and waits until it has the store open.
    pub fn start(task: &str, place: &str) -> Worker {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::worker::works_where_it_is_asked_to",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(TASK, task)
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (told, says) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut worker = Worker {
            child,
            told,
            says: BufReader::new(says),
        };
        assert_eq!(worker.says().as_deref(), Some("ready"));
        worker
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.told, "{line}").unwrap();
    }

    /// What it says next; nothing when it has ended.
    pub fn says(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.says.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // A line that was cut off when it was killed was not said, and the harness talks, too.
            if let Some(said) = line
                .strip_suffix('\n')
                .and_then(|line| line.split("worker: ").nth(1))
            {
                return Some(said.to_owned());
            }
        }
    }

    /// Kills it, and gives all that it had said.
    pub fn killed(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.says()).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "worker: {line}").unwrap();
    out.flush().unwrap();
}

/// No test, but what a worker does.
#[test]
fn works_where_it_is_asked_to() {
    let (Ok(task), Ok(place)) = (std::env::var(TASK), std::env::var(PLACE)) else {
        return;
    };
    let store = store_of(&place);
    store::change(store.as_ref(), [], |_| Ok(())).unwrap();
    say("ready");
    match task.as_str() {
        "race" => race(store.as_ref()),
        "spend" => spend(store.as_ref()),
        other => panic!("{other}"),
    }
}

/// Tries to use up each approval it is told of.
fn race(store: &dyn Store) {
    for line in std::io::stdin().lock().lines() {
        let n = line.unwrap().parse().unwrap();
        let won = use_up(store, named(n), "x").unwrap();
        say(if won { "won" } else { "lost" });
    }
}

/// Uses approvals up, one after the other from the one it is told, and charges the counter for each that it got; says which it
/// got once that is certain.
fn spend(store: &dyn Store) {
    let mut first = String::new();
    std::io::stdin().read_line(&mut first).unwrap();
    for n in first.trim().parse::<usize>().unwrap().. {
        let approvals = [named(n)];
        let keys = counters::keys([COUNTER]).chain(Used::keys(&approvals));
        let won = store::change(store, keys, |records| {
            let mut used = Used::read(records, &approvals)?;
            if used.is_used(approvals[0]) {
                return Ok(false);
            }
            let mut counters = counters::read(records, [COUNTER])?;
            counters.reserve(&n.to_string(), &[charge(1)], 7);
            used.use_up(approvals[0], &n.to_string());
            counters::write(records, &counters)?;
            used.write(records)?;
            Ok(true)
        });
        if won.unwrap() {
            say(&n.to_string());
        }
    }
}
