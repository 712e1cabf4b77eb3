//! The daemon under load: decisions per second and the times that callers see, at 1, 4 and 16 clients with 10, 1,000 and 10,000
//! rules, every trace flushed before its answer; and its memory while it decides. Clients and daemon share the machine.
//!
//! `cargo bench --bench daemon` runs it, `-- --rules 10 --seconds 2 --clients 4` a part of it; `-- --memory 1000000` prints the memory over
//! so many decisions. `-- --folder DIR` says where the log of traces is: its disk is what is measured.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement reads the clock, prints, and stops at the first surprise"
)]

#[cfg(not(all(unix, feature = "serve")))]
fn main() {}

#[cfg(all(unix, feature = "serve"))]
fn main() {
    unix::main();
}

#[cfg(all(unix, feature = "serve"))]
mod unix {
    use gait::artifact::SigningKey;
    use gait::host::{Host, Mode, Os};
    use gait::{bundling, compile};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    const HEAD: &str = r#"gaitpol 1
policy bench.policy
default block code none
enum Env { dev, staging, prod }
tool pay.transfer {
  to: Email
  amount: Money[USD, 2]
  env: Env
  account: String[max 64]
  ledger: Path
  callback: Url
  note: String[max 256]?
}
"#;

    const INTENT: &str = r#"{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T00:00:00Z","producer_version":"bench","tool_name":"pay.transfer","args":{"to":"ann@dept3.acme.com","amount":2500.75,"env":"prod","account":"acct-77","ledger":"/ledgers/12/2026.csv","callback":"https://hook5.acme.com/done?id=7","note":"monthly"},"targets":[],"context":{"identity":"agent","workspace":"/ws","risk_class":"high"}}"#;

    /// A policy of `n` rules with three conditions each, which differ from rule to rule.
    fn policy(n: usize) -> String {
        let mut text = HEAD.to_owned();
        for i in 0..n {
            let verdict = ["allow", "require_approval", "block", "dry_run"][i % 4];
            let (amount, env) = ((i * 37) % 5_000, ["dev", "staging", "prod"][i % 3]);
            let extra = match i % 4 {
                0 => format!("args.account == \"acct-{}\"", i % 500),
                1 => format!("args.to.domain under \"dept{}.acme.com\"", i % 40),
                2 => format!("args.callback.host == \"hook{}.acme.com\"", i % 60),
                _ => format!("args.ledger under \"/ledgers/{}\"", i % 30),
            };
            text.push_str(&format!(
                "rule r{i} on pay.transfer when args.amount > {amount}.50 and args.env == {env} and {extra} {verdict}\n"
            ));
        }
        text
    }

    /// What the command line asks for.
    struct Asked {
        rules: Vec<usize>,
        clients: Vec<usize>,
        seconds: u64,
        memory: Option<u64>,
        folder: Option<PathBuf>,
    }

    fn asked() -> Asked {
        let args: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let at = args.iter().position(|arg| arg == name)?;
            args.get(at + 1).cloned()
        };
        let number = |name: &str| value(name).map(|text| text.parse::<u64>().expect("a number"));
        let one_or = |name: &str, all: &[usize]| number(name).map_or(all.to_vec(), |n| vec![n as usize]);
        Asked {
            rules: one_or("--rules", &[10, 1_000, 10_000]),
            clients: one_or("--clients", &[1, 4, 16]),
            seconds: number("--seconds").unwrap_or(8),
            memory: number("--memory"),
            folder: value("--folder").map(PathBuf::from),
        }
    }

    pub fn main() {
        let asked = asked();
        println!(
            "| rules | clients | decisions/s | p50 | p99 | p99.9 | slowest |\n|---|---|---|---|---|---|---|"
        );
        for rules in &asked.rules {
            let daemon = Daemon::start(*rules, asked.folder.as_deref());
            if let Some(decisions) = asked.memory {
                daemon.memory(decisions, asked.clients[asked.clients.len() - 1]);
                continue;
            }
            for clients in &asked.clients {
                daemon.load(*clients, Duration::from_secs(1));
                let begun = Instant::now();
                let mut times = daemon.load(*clients, Duration::from_secs(asked.seconds));
                let took = begun.elapsed();
                times.sort_unstable();
                let at = |share: usize| shown(times[(times.len() - 1) * share / 1_000]);
                let rate = times.len() as u128 * 1_000 / took.as_millis().max(1);
                println!(
                    "| {rules} | {clients} | {rate} | {} | {} | {} | {} |",
                    at(500),
                    at(990),
                    at(999),
                    at(1_000)
                );
            }
        }
    }

    fn shown(time: Duration) -> String {
        let micros = time.as_micros();
        format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10)
    }

    struct Daemon {
        child: Child,
        address: String,
        _folder: tempfile::TempDir,
    }

    impl Drop for Daemon {
        fn drop(&mut self) {
            // It is gone with the measurement, however that ends.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    impl Daemon {
        fn start(rules: usize, folder: Option<&Path>) -> Daemon {
            let folder = match folder {
                Some(folder) => tempfile::tempdir_in(folder),
                None => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")),
            };
            let folder = folder.expect("a folder");
            let key = SigningKey::from_seed(&[7; 32]);
            let checked = compile::check("bench.gaitpol", &policy(rules))
                .checked
                .expect("no errors");
            let built = bundling::build(&checked, 0, &key).expect("a bundle");
            let write = |name: &str, bytes: &[u8], mode| {
                Os.write_new(&folder.path().join(name), bytes, mode)
                    .expect("written");
            };
            write("b.gaitbundle", &built.bytes, Mode::Public);
            write("gait-out/keys/gait.private.json", &key.to_file(), Mode::Private);
            write(
                "gait-out/keys/gait.public.json",
                &key.verifying_key().to_file(),
                Mode::Public,
            );
            let mut child = Command::new(env!("CARGO_BIN_EXE_gait"))
                .args(["serve", "--bundle", "b.gaitbundle", "--listen", "127.0.0.1:0"])
                .current_dir(folder.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts");
            let mut line = String::new();
            let out = child.stdout.as_mut().expect("piped");
            BufReader::new(out).read_line(&mut line).expect("it says where");
            let address = line.trim().rsplit('/').next().expect("an address").to_owned();
            Daemon {
                child,
                address,
                _folder: folder,
            }
        }

        /// The times of all decisions that so many clients got in a while, each after the other.
        fn load(&self, clients: usize, while_: Duration) -> Vec<Duration> {
            let end = Instant::now() + while_;
            std::thread::scope(|scope| {
                let one = || {
                    let mut client = Client::new(&self.address);
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        let begun = Instant::now();
                        client.decide();
                        times.push(begun.elapsed());
                    }
                    times
                };
                let workers: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
                workers
                    .into_iter()
                    .flat_map(|worker| worker.join().expect("it ends"))
                    .collect()
            })
        }

        /// Prints the resident memory of the daemon at each tenth of so many decisions.
        fn memory(&self, decisions: u64, clients: usize) {
            let mut text = format!("memory in KiB: {}", self.resident());
            for _ in 0..10 {
                let left = AtomicU64::new(decisions / 10);
                std::thread::scope(|scope| {
                    for _ in 0..clients {
                        scope.spawn(|| {
                            let mut client = Client::new(&self.address);
                            let one_less = |left: u64| left.checked_sub(1);
                            while left
                                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                                .is_ok()
                            {
                                client.decide();
                            }
                        });
                    }
                });
                text.push_str(&format!(", {}", self.resident()));
            }
            println!("{text}");
        }

        fn resident(&self) -> String {
            let status = format!("/proc/{}/status", self.child.id());
            let status = std::fs::read_to_string(status).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            line.unwrap_or("unknown")
                .trim()
                .trim_end_matches(" kB")
                .to_owned()
        }
    }

    struct Client {
        stream: TcpStream,
        request: Vec<u8>,
        answer: Vec<u8>,
    }

    impl Client {
        fn new(address: &str) -> Client {
            let stream = TcpStream::connect(address).expect("it listens");
            stream.set_nodelay(true).expect("a socket");
            let body = format!("{{\"intent\":{INTENT}}}");
            let length = body.len();
            let request = format!(
                "POST /v1/decide HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            Client {
                stream,
                request: request.into_bytes(),
                answer: vec![0; 1 << 16],
            }
        }

        fn decide(&mut self) {
            self.stream.write_all(&self.request).expect("sent");
            let (mut have, mut want) = (0, usize::MAX);
            while have < want {
                let read = self.stream.read(&mut self.answer[have..]).expect("answered");
                assert!(read > 0, "the daemon has closed the connection");
                have += read;
                if want == usize::MAX {
                    want = whole(&self.answer[..have]).unwrap_or(usize::MAX);
                }
            }
            assert!(self.answer.starts_with(b"HTTP/1.1 200 "), "no verdict");
        }
    }

    /// How long an answer is whose head has come.
    fn whole(answer: &[u8]) -> Option<usize> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&answer[..end]).expect("a head");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        Some(end + length.map_or(0, |length| length.parse::<usize>().expect("a length")))
    }
}
