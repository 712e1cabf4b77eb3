//! Many calls while servers and the gateway are killed, answer wrongly, late or never, and clients send what is none or go away. Then: nothing ran
//! without a signed trace that allows it, nothing ran twice, and the gateway's memory has stayed what it was.

use crate::connection::{Web, call};
use crate::number;
use crate::place::{Place, Program, own_server, port};
use gait::artifact::{TrustedKeys, trace};
use gait::domain::Verdict;
use gait::host::{Host, Os};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const POLICY: &str = "gaitpol 1\npolicy bench.soak\ndefault block code none\n\
    tool s.do { id: Int, how: String[max 20] }\n\
    rule most on s.do when args.how in { \"well\", \"slow\", \"torn\", \"ends\" } allow\n\
    rule ask on s.do when args.how == \"ask\" require_approval\n";

/// What is asked of the server, each as often in a thousand; the rest goes well.
const HOW: [(&str, u64); 5] = [("slow", 4), ("torn", 1), ("ends", 1), ("ask", 50), ("other", 50)];

/// What clients do instead of a plain request, each as often in a thousand.
const GOES_AWAY: u64 = 10;
const THROWS: u64 = 10;

struct Soak {
    place: Place,
    log: String,
    port: u16,
    next: AtomicU64,
    calls: u64,
    ended: AtomicBool,
    gateway: Mutex<Option<Program>>,
    answers: Mutex<BTreeMap<String, u64>>,
    memory: Mutex<Vec<u64>>,
}

/// Makes so many calls from `--clients` clients, holds what ran against the traces, and prints what there was.
pub fn run(calls: u64) {
    let place = Place::new(POLICY);
    let log = place.path().join("ran.txt").to_str().expect("text").to_owned();
    let soak = Soak {
        place,
        log,
        port: port(),
        next: AtomicU64::new(1),
        calls,
        ended: AtomicBool::new(false),
        gateway: Mutex::new(None),
        answers: Mutex::new(BTreeMap::new()),
        memory: Mutex::new(Vec::new()),
    };
    soak.start();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..number("--clients").unwrap_or(8))
            .map(|at| {
                scope.spawn({
                    let soak = &soak;
                    move || soak.client(at)
                })
            })
            .collect();
        scope.spawn(|| soak.watch());
        scope.spawn(|| soak.kill());
        for client in clients {
            client.join().expect("it ends");
        }
        soak.ended.store(true, Ordering::Relaxed);
    });
    soak.told(begun.elapsed());
    soak.judge();
}

impl Soak {
    fn start(&self) {
        let server = format!("command = {}", json!(own_server(&self.log)));
        let gateway = self.place.gateway(&server, self.port);
        *self.gateway.lock().expect("a lock") = Some(gateway);
    }

    /// One client: makes calls until all are made, each once, whatever comes of it.
    fn client(&self, at: u64) {
        let mut chance = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut web = None;
        loop {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            if id > self.calls {
                return;
            }
            let what = drawn(&mut chance, 1_000);
            let request = call(
                id,
                "do",
                &json!({"id": id, "how": how(drawn(&mut chance, 1_000))}),
            );
            let open = web.take().unwrap_or_else(|| self.connect(at.is_multiple_of(2)));
            let (kept, came) = asked(open, &request, what);
            web = kept;
            *self.answers.lock().expect("a lock").entry(came).or_default() += 1;
        }
    }

    fn connect(&self, session: bool) -> Web {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            match Web::connect(self.port, session) {
                Ok(web) => return web,
                Err(error) => assert!(Instant::now() < end, "the gateway is away: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server every `--kill-server` seconds, and the gateway every `--kill-gateway` seconds.
    fn kill(&self) {
        let every = |name: &str, least| number(name).unwrap_or(least);
        let (server, gateway) = (every("--kill-server", 3), every("--kill-gateway", 0));
        let mut second = 0;
        while !self.ended.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_secs(1));
            second += 1;
            if server > 0 && second % server == 0 {
                let id = std::fs::read_to_string(format!("{}.pid", self.log)).unwrap_or_default();
                // It may have ended by itself.
                let _ = Command::new("kill").args(["-9", &id]).status();
            }
            if gateway > 0 && second % gateway == 0 {
                drop(self.gateway.lock().expect("a lock").take());
                self.start();
            }
        }
    }

    /// Notes the memory of the gateway at each tenth.
    fn watch(&self) {
        let mut tenth = 1;
        while !self.ended.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
            if self.next.load(Ordering::Relaxed) >= self.calls * tenth / 10 {
                let kib = self
                    .gateway
                    .lock()
                    .expect("a lock")
                    .as_ref()
                    .map_or(0, Program::resident);
                self.memory.lock().expect("a lock").push(kib);
                tenth += 1;
            }
        }
    }

    fn told(&self, took: Duration) {
        println!("{} calls in {} s", self.calls, took.as_secs());
        for (came, times) in self.answers.lock().expect("a lock").iter() {
            println!("  {times:>8}  {came}");
        }
        println!(
            "memory of the gateway at each tenth, KiB: {:?}",
            self.memory.lock().expect("a lock")
        );
    }

    /// Holds what ran against the signed traces.
    fn judge(&self) {
        drop(self.gateway.lock().expect("a lock").take());
        // A server whose gateway was killed ends with its input.
        std::thread::sleep(Duration::from_secs(1));
        let ran = std::fs::read_to_string(&self.log).expect("what ran");
        let ran: Vec<i64> = ran.lines().map(|line| line.parse().expect("an id")).collect();
        let once: BTreeSet<i64> = ran.iter().copied().collect();
        let (traces, allowed) = self.traces();
        let without = once.difference(&allowed).count();
        println!(
            "{traces} traces verified, {} allow; {} ran, {} of them twice, {without} without an allow",
            allowed.len(),
            once.len(),
            ran.len() - once.len()
        );
        assert!(
            without == 0 && ran.len() == once.len(),
            "the gate was walked around"
        );
    }

    /// How many traces there are, and the ids of the calls that they allow.
    fn traces(&self) -> (u64, BTreeSet<i64>) {
        let now = Os.now();
        let trusted = TrustedKeys::new(vec![self.place.key()]);
        let (mut count, mut allowed) = (0, BTreeSet::new());
        each_trace(&self.place.path().join("gait-out"), &mut |bytes| {
            let record = trace::verify(bytes, &trusted, now).expect("a trace that verifies");
            let record = record.value();
            count += 1;
            if record.decision.verdict == Verdict::Allow {
                let intent = record.intent.as_ref().expect("the intent is kept");
                let id = intent.get("args").and_then(|args| args.get("id"));
                let id = id.and_then(|id| id.as_i64()).expect("an id");
                assert!(allowed.insert(id), "call {id} was allowed twice");
            }
        });
        (count, allowed)
    }
}

/// A number below a bound (xorshift64, Marsaglia 2003).
fn drawn(chance: &mut u64, below: u64) -> u64 {
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    *chance % below
}

/// What a call asks of the server.
fn how(mut drawn: u64) -> &'static str {
    for (how, often) in HOW {
        if drawn < often {
            return how;
        }
        drawn -= often;
    }
    "well"
}

/// Makes a request, or does what a client should not. Out: the connection where it is still good, and what came.
fn asked(mut web: Web, request: &Value, what: u64) -> (Option<Web>, String) {
    if what < GOES_AWAY {
        let sent = web.begin(request).is_ok();
        return (None, format!("the client went away, sent: {sent}"));
    }
    if what < GOES_AWAY + THROWS {
        let sent = web
            .throw(b"POST /mcp HTTP/1.1\r\nContent-Length: 12\r\n\r\n{\"id\": 1, \"id")
            .is_ok();
        return (None, format!("no request, sent: {sent}"));
    }
    match web.ask(request) {
        // A gateway that was started anew knows no session.
        Ok(answer) if answer.status != 200 => (None, format!("status {}", answer.status)),
        Ok(answer) => (Some(web), said(&answer.message)),
        Err(error) => (None, format!("no answer: {:?}", error.kind())),
    }
}

/// An answer in a word: the codes of the gateway, or what the server said.
fn said(message: &Value) -> String {
    let result = &message["result"];
    let decision = &result["_meta"]["dev.gait/decision"]["reason_codes"];
    if decision.is_null() {
        let text = result["content"][0]["text"].as_str();
        return text.map_or_else(|| message["error"]["message"].to_string(), str::to_owned);
    }
    decision.to_string()
}

/// Every trace below a folder, in a file of its own or as a line.
fn each_trace(folder: &Path, take: &mut dyn FnMut(&[u8])) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if path.is_dir() {
            if name != "sessions" && name != "keys" {
                each_trace(&path, take);
            }
        } else if extension == Some("jsonl") {
            let text = std::fs::read(&path).expect("a file");
            text.split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .for_each(&mut *take);
        } else if name.starts_with("trace_") {
            take(&std::fs::read(&path).expect("a file"));
        }
    }
}
