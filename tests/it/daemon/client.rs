//! A daemon that a test started, and a small HTTP client that can also say what no client should.

use crate::folder::{Folder, valid};
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running daemon. It is killed where the test does not end it.
pub struct Daemon {
    child: Child,
    place: String,
    socket: PathBuf,
    told: Value,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    /// Starts `gait serve` in a folder and waits until it answers.
    pub fn start(at: &Folder, more: &[&str]) -> Daemon {
        let args = ["serve", "--json", "--bundle", "b.gaitbundle"];
        Daemon::of(at, &mut at.command(&[&args[..], more].concat()))
    }

    /// Starts a command that is `gait serve` in a folder.
    pub fn of(at: &Folder, command: &mut Command) -> Daemon {
        Daemon::that_says(at, command, "serve")
    }

    /// Starts a command that says in a document of this schema where it listens.
    pub fn that_says(at: &Folder, command: &mut Command, schema: &str) -> Daemon {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut text = String::new();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            let mut said = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
            panic!("{error}: {text}{said}")
        });
        assert_eq!(told["ok"], true, "{told}");
        valid(text.as_bytes(), &format!("cli/{schema}"));
        let place = told["listening"].as_str().unwrap().to_owned();
        Daemon {
            child,
            socket: at.path(&place),
            place,
            told,
        }
    }

    /// What it said when it started.
    pub fn told(&self, member: &str) -> String {
        self.told[member].as_str().unwrap().to_owned()
    }

    /// A connection.
    pub fn connect(&self) -> Client {
        let wait = Some(Duration::from_secs(60));
        let (stream, host): (Box<dyn Stream>, _) = match self.place.strip_prefix("http://") {
            Some(address) => {
                let address = address.trim_end_matches("/mcp");
                let stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(wait).unwrap();
                stream.set_nodelay(true).unwrap();
                (Box::new(stream), address.to_owned())
            }
            None => {
                let stream = UnixStream::connect(&self.socket).unwrap();
                stream.set_read_timeout(wait).unwrap();
                (Box::new(stream), "gait".to_owned())
            }
        };
        Client { stream, host }
    }

    /// Asks once, over a connection of its own.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.connect().ask(method, path, &[], body.as_bytes())
    }

    /// Asks for a decision, which must be given.
    pub fn decide(&self, body: &str) -> Value {
        let answer = self.ask("POST", "/v1/decide", body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        valid(&answer.body, "daemon/decision")
    }

    /// Asks for what must be refused.
    pub fn refuses(&self, method: &str, path: &str, body: &str, (status, code): (u16, &str)) {
        self.ask(method, path, body).is_refused(status, code);
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {id}")])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Tells it to stop and waits. Gives what it said on standard error.
    pub fn stop(mut self) -> String {
        self.signal("TERM");
        let mut said = String::new();
        self.child
            .stderr
            .as_mut()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        assert!(!self.socket.is_file() && std::fs::symlink_metadata(&self.socket).is_err());
        said
    }

    /// Kills it at once.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A number of its metrics.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.ask("GET", "/metrics", "").text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
    }
}

pub trait Stream: Read + Write + Send {
    /// Sends no more.
    fn end(&self);
}

impl Stream for TcpStream {
    fn end(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl Stream for UnixStream {
    fn end(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

/// A connection to a daemon.
pub struct Client {
    pub stream: Box<dyn Stream>,
    pub host: String,
}

/// What the daemon answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The document, which must follow a schema.
    pub fn document(&self, schema: &str) -> Value {
        valid(&self.body, &format!("daemon/{schema}"))
    }

    pub fn is_refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{code}: {}", self.text());
        assert_eq!(self.document("error")["code"], code);
    }
}

impl Client {
    /// Sends a request with these headers beside the usual ones.
    pub fn ask(&mut self, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let host = self.host.clone();
        let length = body.len().to_string();
        let usual = [
            ("Host", host.as_str()),
            ("Content-Type", "application/json"),
            ("Content-Length", length.as_str()),
        ];
        let is_given = |name: &str| more.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let usual = usual.iter().filter(|(name, _)| !is_given(name));
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in usual.chain(more).filter(|(_, value)| !value.is_empty()) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.send(&[text.as_bytes(), body].concat());
        self.answer()
            .unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Sends bytes, as far as the daemon takes them.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads one answer; none where the daemon has closed the connection.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                // A process that was paused meanwhile is told so, because the socket has a time limit.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) => return None,
                Err(error) => {
                    eprintln!("no answer: {error}");
                    return None;
                }
            }
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body).ok()?;
        Some(Answer { status, head, body })
    }
}

/// A request to decide an intent of a folder, with more members.
pub fn request(at: &Folder, intent: &str, more: &str) -> String {
    let intent = String::from_utf8(at.read(intent)).unwrap();
    format!("{{\"intent\": {intent}{more}}}")
}
