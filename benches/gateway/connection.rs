//! Clients of the protocol, as thin as can be: over pipes, and over HTTP with a session or without.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const OLD: &str = "2025-11-25";
const NEW: &str = "2026-07-28";

fn hello() -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": OLD, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"},
    }})
}

fn ready() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// A call of a tool. In: the id of the request.
pub fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// A server that is started, or what stands before one, over its pipes.
pub struct Pipe {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pipe {
    pub fn start(folder: &Path, command: &[String]) -> Pipe {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut pipe = Pipe { child, input, output };
        pipe.ask(&hello());
        pipe.say(&ready());
        pipe
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").expect("it reads");
    }

    /// The answer to a request.
    pub fn ask(&mut self, request: &Value) -> Value {
        self.say(request);
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).expect("it answers") > 0,
                "it has ended"
            );
            let message: Value = serde_json::from_str(&line).expect("JSON");
            if message["id"] == request["id"] && message.get("method").is_none() {
                return message;
            }
        }
    }
}

/// A connection to an address, for one client.
pub struct Web {
    stream: BufReader<TcpStream>,
    port: u16,
    session: Option<String>,
}

/// What came for a request.
pub struct Answer {
    pub status: u16,
    pub message: Value,
}

impl Web {
    /// In: whether the client begins a session (2025-11-25), or says who it is each time (2026-07-28).
    pub fn connect(port: u16, session: bool) -> Result<Web, Error> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let stream = BufReader::new(stream);
        let mut web = Web {
            stream,
            port,
            session: None,
        };
        if session {
            web.send(&hello(), "")?;
            let (head, _) = web.head()?;
            web.session = Some(header(&head, "mcp-session-id").unwrap_or_default());
            web.body(&head)?;
            web.send(&ready(), "")?;
            let (head, _) = web.head()?;
            web.body(&head)?;
        }
        Ok(web)
    }

    /// Sends bytes that may be no request at all.
    pub fn throw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request and does not wait.
    pub fn begin(&mut self, request: &Value) -> Result<(), Error> {
        let name = request["params"]["name"].as_str().unwrap_or("");
        if self.session.is_some() {
            return self.send(request, "");
        }
        let mut request = request.clone();
        request["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {},
        });
        let more = format!("Mcp-Method: tools/call\r\nMcp-Name: {name}\r\n");
        self.send(&request, &more)
    }

    /// The answer to a request.
    pub fn ask(&mut self, request: &Value) -> Result<Answer, Error> {
        self.begin(request)?;
        let (head, status) = self.head()?;
        let body = self.body(&head)?;
        let text = String::from_utf8_lossy(&body);
        let document = match header(&head, "content-type") {
            Some(kind) if kind.starts_with("text/event-stream") => text
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .rfind(|data| data.contains("\"result\"") || data.contains("\"error\""))
                .unwrap_or("null"),
            _ => &text,
        };
        let message = serde_json::from_str(document.trim()).unwrap_or(Value::Null);
        Ok(Answer { status, message })
    }

    fn send(&mut self, message: &Value, more: &str) -> Result<(), Error> {
        let (body, port) = (message.to_string(), self.port);
        let session = self.session.as_ref();
        let session = session.map_or(String::new(), |id| format!("Mcp-Session-Id: {id}\r\n"));
        let revision = if self.session.is_some() || more.is_empty() {
            OLD
        } else {
            NEW
        };
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {revision}\r\n{session}{more}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.get_mut().write_all((head + &body).as_bytes())
    }

    fn line(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn head(&mut self) -> Result<(Vec<String>, u16), Error> {
        let mut lines = vec![self.line()?];
        while let last = self.line()?
            && !last.is_empty()
        {
            lines.push(last);
        }
        let status = lines[0].split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, lines[0].clone()))?;
        Ok((lines, status))
    }

    fn body(&mut self, head: &[String]) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        if let Some(length) = header(head, "content-length") {
            body.resize(length.parse().unwrap_or(0), 0);
            self.stream.read_exact(&mut body)?;
        } else if header(head, "transfer-encoding").is_some() {
            loop {
                let length = usize::from_str_radix(&self.line()?, 16).unwrap_or(0);
                let at = body.len();
                body.resize(at + length, 0);
                self.stream.read_exact(&mut body[at..])?;
                self.line()?;
                if length == 0 {
                    break;
                }
            }
        }
        Ok(body)
    }
}

fn header(head: &[String], name: &str) -> Option<String> {
    head.iter()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}
