//! A server that the gateway itself is the client of. In: the command that starts it, and requests. Out: results. What a server asks for is answered
//! by whoever waits for it, and otherwise refused.

use super::asks::{Asks, Carried};
use super::frame::{self, Kind, METHOD_NOT_FOUND, Message};
use super::list::{self, List, ListError};
use super::revision::{OF_SERVERS, STATELESS};
#[cfg(all(feature = "serve", unix))]
use super::web::Web;
use crate::artifact::{Digest, digest};
use crate::host::{Around, Child, Host, HostError, Os};
use crate::json::Json;
use crate::limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Why a server does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It does not start.
    #[error("the server does not start: {0}")]
    Start(HostError),
    /// The program that starts it is not the one that was pinned.
    #[error("the program that starts the server is not the one that was pinned")]
    Program,
    /// It has ended, or nobody can write to it.
    #[error("the server has ended before it answered `{0}`")]
    Ended(&'static str),
    /// It takes too long.
    #[error("the server did not answer `{0}` in time")]
    Slow(&'static str),
    /// It answers with an error.
    #[error("the server answers `{method}` with an error: {message}")]
    Refused {
        /// What it was asked.
        method: &'static str,
        /// Its words.
        message: String,
        /// The whole error.
        error: Json,
    },
    /// It answers with a status that is no answer; a redirect is not followed.
    #[error("the server answers `{method}` with the status {status}")]
    Status {
        /// What it was asked.
        method: &'static str,
        /// The status of HTTP.
        status: u16,
    },
    /// It speaks no revision of the protocol that the gateway speaks.
    #[error("the server speaks no revision of the protocol that gait speaks")]
    Revision,
}

impl AskError {
    /// Whether a request of this method was passed on, and its answer is what is missing.
    #[cfg(all(feature = "serve", unix))]
    pub fn is_about(&self, asked: &str) -> bool {
        match self {
            AskError::Ended(method)
            | AskError::Slow(method)
            | AskError::Refused { method, .. }
            | AskError::Status { method, .. } => *method == asked,
            AskError::Start(_) | AskError::Program | AskError::Revision => false,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AskError::Start(_) => "mcp.start",
            AskError::Program => "mcp.program_changed",
            AskError::Ended(_) => "mcp.server_ended",
            AskError::Slow(_) => "mcp.server_slow",
            AskError::Refused { .. } => "mcp.server_refuses",
            AskError::Status { .. } => "mcp.server_status",
            AskError::Revision => "mcp.revision",
        }
    }
}

/// The digest of the program that a command starts.
pub fn program(command: &[OsString]) -> Result<Digest, AskError> {
    let read = |file: PathBuf| Os.read(&file, limits::FILE_BYTES);
    let bytes = Os.file_of(command).and_then(read).map_err(AskError::Start)?;
    Ok(digest::sha256(&bytes))
}

/// Refuses a command that starts another program than was pinned. Who may write there may change it after this look.
pub fn is_program(command: &[OsString], pinned: Option<Digest>) -> Result<(), AskError> {
    match pinned {
        Some(pinned) if program(command)? != pinned => Err(AskError::Program),
        _ => Ok(()),
    }
}

/// A server that was started.
pub struct Upstream {
    transport: Transport,
    number: AtomicI64,
    /// What every request says of itself, in the revision without sessions.
    meta: Option<Json>,
    /// What it offers, as it says.
    #[cfg_attr(
        not(all(feature = "serve", unix)),
        expect(dead_code, reason = "only the gateway of many servers tells clients")
    )]
    offers: Json,
}

/// How a server is reached.
enum Transport {
    /// It was started, and is talked to over its pipes.
    Pipes(Mutex<Child>, Arc<Shared>),
    /// It is asked at an address.
    #[cfg(all(feature = "serve", unix))]
    Web(Web),
}

/// What the thread that reads knows, too.
struct Shared {
    input: Mutex<Option<ChildStdin>>,
    /// Where answers go, and what is told before them, by id; none once the server has ended.
    waiting: Mutex<Option<BTreeMap<String, SyncSender<Message>>>>,
    heard: Heard,
}

/// Who is told of notifications.
pub type Heard = Arc<dyn Fn(&Message) + Send + Sync>;

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Upstream {
    /// Starts a server and agrees with it on a revision. It is told that the gateway can do what `can` has.
    pub fn start(
        command: &[OsString],
        around: &Around<'_>,
        (heard, can): (Heard, &Json),
    ) -> Result<Upstream, AskError> {
        let (child, (input, output)) = Os.start(command, around).map_err(AskError::Start)?;
        let shared = Arc::new(Shared {
            input: Mutex::new(Some(input)),
            waiting: Mutex::new(Some(BTreeMap::new())),
            heard,
        });
        let reads = Arc::clone(&shared);
        thread::spawn(move || {
            super::read(&mut BufReader::new(output), &mut |line| reads.hears(line));
            *held(&reads.waiting) = None;
        });
        Upstream::agreed(Transport::Pipes(Mutex::new(child), shared), can)
    }

    /// Agrees with a server at an address.
    #[cfg(all(feature = "serve", unix))]
    pub fn at(web: Web, can: &Json) -> Result<Upstream, AskError> {
        Upstream::agreed(Transport::Web(web), can)
    }

    fn agreed(transport: Transport, can: &Json) -> Result<Upstream, AskError> {
        let mut server = Upstream {
            transport,
            number: AtomicI64::new(1),
            meta: None,
            offers: Json::Null,
        };
        let hello = server.agree(can)?;
        server.offers = hello.get("capabilities").cloned().unwrap_or(Json::Null);
        Ok(server)
    }

    /// Begins a session; with a server that knows of none, says with each request what a session would. Gives what the server says of itself.
    fn agree(&mut self, can: &Json) -> Result<Json, AskError> {
        let [newest, ..] = OF_SERVERS;
        let hello = Json::object([
            ("protocolVersion", Json::str(newest)),
            ("capabilities", can.clone()),
            ("clientInfo", frame::this_program()),
        ]);
        let wait = limits::MCP_START_MILLIS;
        // A server at an address takes each request by itself, so asking what it speaks does no harm.
        #[cfg(all(feature = "serve", unix))]
        if matches!(self.transport, Transport::Web(_)) {
            match self.discover() {
                Err(AskError::Slow(method)) => return Err(AskError::Slow(method)),
                Err(_) => self.meta = None,
                found => return found,
            }
        }
        match self.ask("initialize", hello, wait) {
            Ok(found) => {
                let revision = found.get("protocolVersion").and_then(Json::as_str);
                let known = revision.filter(|revision| OF_SERVERS.contains(revision));
                let Some(_revision) = known else {
                    return Err(AskError::Revision);
                };
                #[cfg(all(feature = "serve", unix))]
                if let Transport::Web(web) = &self.transport {
                    web.speaks(_revision);
                }
                self.transport
                    .says(&frame::notification("notifications/initialized"));
                Ok(found)
            }
            Err(AskError::Refused { .. }) => self.discover(),
            Err(error) => Err(error),
        }
    }

    /// Asks a server that knows of no sessions what it is; from then on each request says what a session would.
    fn discover(&mut self) -> Result<Json, AskError> {
        let nothing = Json::Object(Vec::new());
        self.meta = Some(Json::object([
            (frame::PROTOCOL_VERSION, Json::str(STATELESS)),
            (frame::CLIENT_CAPABILITIES, nothing.clone()),
            ("io.modelcontextprotocol/clientInfo", frame::this_program()),
        ]));
        let ask = || self.ask("server/discover", nothing.clone(), limits::MCP_START_MILLIS);
        let found = match ask() {
            // Where it says that it does not speak the revision, and that it does, it is asked once more.
            Err(AskError::Refused { error, .. }) if offers_stateless(&error) => ask()?,
            found => found?,
        };
        let spoken = found.get("supportedVersions").and_then(Json::as_array);
        let speaks = |all: &[Json]| all.iter().any(|one| one.as_str() == Some(STATELESS));
        match spoken.is_some_and(speaks) {
            true => Ok(found),
            false => Err(AskError::Revision),
        }
    }

    /// Asks and waits for the result.
    pub fn ask(&self, method: &'static str, params: Json, wait: u64) -> Result<Json, AskError> {
        self.asks(Asks {
            method,
            params,
            said: None,
            headers: Vec::new(),
            heard: None,
            is_asked: false,
            wait,
            #[cfg(all(feature = "serve", unix))]
            stop: None,
        })
    }

    /// The same with all that a request may have.
    pub fn asks(&self, asks: Asks<'_>) -> Result<Json, AskError> {
        let method = asks.method;
        let id = Json::int(self.number.fetch_add(1, Ordering::Relaxed));
        let mut params = frame::with_meta(asks.params, self.meta.as_ref());
        if self.meta.is_some() {
            params = frame::with_meta(params, asks.said);
        }
        if asks.heard.is_some() {
            // What is told of the request is known by its id.
            let token = Json::object([("progressToken", id.clone())]);
            params = frame::with_meta(params, Some(&token));
        }
        let carried = Carried {
            request: frame::request(&id, method, params),
            id,
            method,
            headers: &asks.headers,
            heard: asks.heard,
            is_asked: asks.is_asked,
            wait: asks.wait,
            #[cfg(all(feature = "serve", unix))]
            stop: asks.stop,
        };
        let answer = match &self.transport {
            Transport::Pipes(_, shared) => shared.exchange(carried)?,
            #[cfg(all(feature = "serve", unix))]
            Transport::Web(web) => web.exchange(carried)?,
        };
        if let Some(result) = answer.get("result") {
            return Ok(result.clone());
        }
        let error = answer.get("error").cloned().unwrap_or(Json::Null);
        let message = error.get("message").and_then(Json::as_str);
        let message = message.unwrap_or("no message").to_owned();
        Err(AskError::Refused {
            method,
            message,
            error,
        })
    }

    /// What it offers, by the names that the protocol has for that.
    #[cfg(all(feature = "serve", unix))]
    pub fn offers(&self) -> &Json {
        &self.offers
    }

    /// Whether it can say at any time that something is otherwise: one with a session over its pipes, one without where it is listened to.
    #[cfg(all(feature = "serve", unix))]
    pub fn is_heard(&self) -> bool {
        self.is_listened_to() || (matches!(self.transport, Transport::Pipes(..)) && self.meta.is_none())
    }

    /// Whether it says what is otherwise as the answer to a request.
    #[cfg(all(feature = "serve", unix))]
    pub fn is_listened_to(&self) -> bool {
        matches!(self.transport, Transport::Web(_)) && self.meta.is_some()
    }

    /// All of what one of its lists holds as `member`, and for how many milliseconds it holds.
    #[cfg(all(feature = "serve", unix))]
    pub fn list(
        &self,
        method: &'static str,
        member: &str,
    ) -> Result<(Vec<Json>, Option<i64>), ListError<AskError>> {
        list::pages(member, &mut |params| {
            self.ask(method, params, limits::MCP_ASK_MILLIS)
        })
    }

    /// All its tools.
    pub fn tools(&self) -> Result<List, ListError<AskError>> {
        list::all(&mut |params| self.ask(list::METHOD, params, limits::MCP_ASK_MILLIS))
    }

    /// Tells it to end, and ends it where it does not.
    pub fn stop(&self) {
        match &self.transport {
            Transport::Pipes(child, shared) => {
                *held(&shared.input) = None;
                held(child).stop(limits::MCP_DRAIN_MILLIS);
            }
            #[cfg(all(feature = "serve", unix))]
            Transport::Web(web) => web.stop(),
        }
    }

    /// Whether it answers nothing any more.
    #[cfg(all(feature = "serve", unix))]
    pub fn has_ended(&self) -> bool {
        match &self.transport {
            Transport::Pipes(_, shared) => held(&shared.waiting).is_none() || held(&shared.input).is_none(),
            #[cfg(all(feature = "serve", unix))]
            Transport::Web(web) => web.has_ended(),
        }
    }
}

/// Whether an error says that the revision without sessions is spoken, but was not asked for.
fn offers_stateless(error: &Json) -> bool {
    let is_about = error.get("code").and_then(Json::as_i64) == Some(frame::UNSUPPORTED_REVISION);
    let supported = error
        .get("data")
        .and_then(|data| data.get("supported")?.as_array());
    is_about && supported.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(STATELESS)))
}

/// The answer to a request of a server that nobody is asked.
pub fn not_asked_for(id: &Json) -> Json {
    let why = "nobody is there whom the server could ask for this";
    frame::error(id, METHOD_NOT_FOUND, why, None)
}

impl Transport {
    fn says(&self, message: &Json) {
        match self {
            Transport::Pipes(_, shared) => shared.says(message),
            #[cfg(all(feature = "serve", unix))]
            Transport::Web(web) => web.says(message),
        }
    }
}

impl Shared {
    /// Asks, and gives the message that answers.
    fn exchange(&self, carried: Carried<'_, '_>) -> Result<Json, AskError> {
        let (id, method, mut heard) = (&carried.id, carried.method, carried.heard);
        let (to, answer) = sync_channel(limits::MCP_EVENTS);
        match held(&self.waiting).as_mut() {
            Some(waiting) => waiting.insert(frame::key(id), to),
            None => return Err(AskError::Ended(method)),
        };
        self.says(&carried.request);
        let begun = Os.now();
        let found = loop {
            let passed = Os.now().as_millisecond().saturating_sub(begun.as_millisecond());
            let left = carried.wait.saturating_sub(u64::try_from(passed).unwrap_or(0));
            match answer.recv_timeout(Duration::from_millis(left)) {
                Ok(message) if matches!(message.kind, Kind::Response(_)) => break Ok(message.json),
                Ok(message) => {
                    let answer = heard.as_mut().and_then(|heard| heard(&message));
                    if let Kind::Request(id, _) = &message.kind {
                        self.says(&answer.unwrap_or_else(|| not_asked_for(id)));
                    }
                }
                Err(error) => break Err(error),
            }
        };
        if let Some(waiting) = held(&self.waiting).as_mut() {
            waiting.remove(&frame::key(id));
        }
        found.map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                self.says(&frame::cancelled(id));
                AskError::Slow(method)
            }
            RecvTimeoutError::Disconnected => AskError::Ended(method),
        })
    }

    fn says(&self, message: &Json) {
        let mut input = held(&self.input);
        let written = input.as_mut().map(|input| {
            input
                .write_all(&frame::line(message))
                .and_then(|()| input.flush())
        });
        if let Some(Err(_)) = written {
            *input = None;
        }
    }

    /// A line of the server; none where it was too long.
    fn hears(&self, line: Option<&[u8]>) {
        let Some(Ok(message)) = line.map(|line| Message::read(line, false)) else {
            // Whose answer it was nobody knows, so nobody gets one.
            if let Some(waiting) = held(&self.waiting).as_mut() {
                waiting.clear();
            }
            return;
        };
        match &message.kind {
            Kind::Response(id) => {
                let to = held(&self.waiting)
                    .as_mut()
                    .and_then(|waiting| waiting.remove(&frame::key(id)));
                if let Some(to) = to {
                    // Whoever asked may have given up; whoever has not takes what comes.
                    let _ = to.send(message);
                }
            }
            Kind::Request(id, method) if method == "ping" => {
                self.says(&frame::result(id, Json::Object(Vec::new())));
            }
            Kind::Request(id, _) => {
                // Nothing says over which request it asks; where there is one, it is that.
                let only = held(&self.waiting).as_ref().and_then(|waiting| {
                    let mut all = waiting.values();
                    all.next().filter(|_| all.next().is_none()).cloned()
                });
                let id = id.clone();
                if only.is_none_or(|only| only.try_send(message).is_err()) {
                    self.says(&not_asked_for(&id));
                }
            }
            Kind::Notification(method) if method == frame::PROGRESS => {
                let Some(token) = message.param("progressToken").map(frame::key) else {
                    return;
                };
                if let Some(to) = held(&self.waiting)
                    .as_ref()
                    .and_then(|waiting| waiting.get(&token))
                {
                    // Nobody waits for what is told by the way.
                    let _ = to.try_send(message);
                }
            }
            Kind::Notification(_) => (self.heard)(&message),
        }
    }
}
