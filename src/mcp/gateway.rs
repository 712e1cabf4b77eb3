//! Many servers behind one address. In: what clients post, with what its headers say. Out: answers. Each request is read once, judged, and what
//! was judged is what a server gets. It blocks, one thread a request; it must not know connections.

mod catalog;
mod events;
mod front;
mod headers;
mod listeners;
mod listening;
mod offered;
mod pages;
mod passing;
mod sender;
mod server;
mod sessions;
mod waits;
mod watching;
mod wire;

pub use front::{PATH, serve};
pub use server::{Behind, Reached};
pub use wire::is_server_name;

use super::call::Caller;
use super::frame::{self, INVALID_PARAMS, INVALID_REQUEST, Kind, METHOD_NOT_FOUND, Message, REFUSED};
use super::gate::{Answer, Asked, Gatekeeper, Keeps, Session, Setup};
use super::list::{self, List};
use super::method::Class;
use super::revision::Revision;
use super::rounds::Rounds;
use super::told;
use super::upstream::AskError;
use super::watch::Unpinned;
use crate::artifact::digest;
use crate::domain::Verdict;
use crate::host::{self, Host, HostError, Os};
use crate::http::oauth::Principal;
use crate::http::{Metrics, Refusal};
use crate::json::Json;
use events::Events;
use listeners::Listeners;
use pages::Pages;
use passing::{Going, Judged, NoResult};
use sender::Sender;
use server::{CallError, Server};
use sessions::{Agreed, Client, Sessions, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;
use wire::{BETWEEN, complete, named, of_revision, opens_urls, with_name};

/// The code of headers that say something else than the body.
const HEADER_MISMATCH: i64 = -32020;
/// The code of what a server does only for clients that can more.
const MISSING_CAPABILITY: i64 = -32021;

/// What stands behind the gateway, and how it is spoken to.
pub struct Settings {
    /// The servers by name.
    pub servers: BTreeMap<String, Behind>,
    /// Whether clients see names as the only server has them, without its own before them.
    pub own_names: bool,
    /// The revisions that clients may speak.
    pub revisions: BTreeSet<Revision>,
    /// The session of all calls; where it is none, each client has its own.
    pub session: Option<String>,
    /// The folder of journals.
    pub journals: PathBuf,
    /// Where people reach the gateway, without a slash at the end.
    pub base: String,
}

/// What the headers of a request say; those that are not there say nothing.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The revision.
    pub revision: Option<String>,
    /// The session.
    pub session: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// What is called, by name.
    pub name: Option<String>,
    /// Who asks, as the token of an authorization server says it.
    pub principal: Option<Arc<Principal>>,
    /// Arguments, by the names that schemas give to headers for them, in lower case; none where a header cannot be read.
    pub params: BTreeMap<String, Option<String>>,
}

/// What is answered.
#[derive(Debug)]
pub enum Reply {
    /// Nothing is left to say.
    Accepted,
    /// A message, with the status of HTTP and the session that it begins.
    Says(u16, Json, Option<String>),
    /// Messages that come later.
    Listens(tokio::sync::mpsc::Receiver<Vec<u8>>),
}

impl Reply {
    fn error(status: u16, id: &Json, code: i64, why: &str) -> Reply {
        Reply::Says(status, frame::error(id, code, why, None), None)
    }
}

/// The gateway.
pub struct Gateway {
    gate: Gatekeeper,
    servers: BTreeMap<String, Server>,
    own_names: bool,
    sessions: Arc<Sessions>,
    listeners: Arc<Listeners>,
    revisions: BTreeSet<Revision>,
    /// The session of calls that have no other.
    common: Session,
    has_one_session: bool,
    journals: PathBuf,
    /// Calls that go on once their clients have answered.
    rounds: Rounds,
    /// What people are shown.
    pub pages: Pages,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Gateway {
    /// No server is started yet.
    pub fn new(setup: Setup, settings: Settings) -> Gateway {
        let sessions = Arc::new(Sessions::default());
        let listeners = Arc::new(Listeners::default());
        let (listening, subscribed) = (Arc::clone(&sessions), Arc::clone(&listeners));
        let changed: server::Changed = Arc::new(move |change| {
            listening.tell(change);
            subscribed.tell(change);
        });
        let has_one_session = settings.session.is_some();
        let name = settings
            .session
            .unwrap_or_else(|| super::session_name(&setup.nonce));
        let gate = Gatekeeper::new(setup);
        let can = ["elicitation", "sampling"].into_iter();
        let can = can.filter(|capability| passing::may_ask(&gate, capability));
        let can = Json::object(can.map(|capability| (capability, Json::Object(Vec::new()))));
        let server = |(name, behind)| (name, Server::new(behind, Arc::clone(&changed), can.clone()));
        Gateway {
            gate,
            servers: settings.servers.into_iter().map(server).collect(),
            own_names: settings.own_names,
            sessions,
            listeners,
            revisions: settings.revisions,
            common: (name.clone(), settings.journals.join(format!("{name}.jsonl"))),
            has_one_session,
            journals: settings.journals,
            rounds: Rounds::default(),
            pages: Pages::new(settings.base),
            metrics: Arc::default(),
        }
    }

    /// Answers what was posted. On a stream the client is told of its request before it is answered.
    pub fn post(&self, head: &Head, body: &[u8], stream: Option<&Stream>) -> Reply {
        let message = match Message::read(body, true) {
            Ok(message) => message,
            Err(no) => return Reply::error(400, &no.id, no.code, &no.why),
        };
        let from = match self.sender(head, &message) {
            Ok(from) => from,
            Err(refused) => return refused,
        };
        match &message.kind {
            Kind::Notification(_) => Reply::Accepted,
            Kind::Response(id) => {
                if let Sender::Client(client) = &from
                    && client.answers(id, message.json.clone())
                {
                    return Reply::Accepted;
                }
                let why = "the gateway has asked for nothing";
                Reply::error(400, &Json::Null, INVALID_REQUEST, why)
            }
            Kind::Request(id, method) => {
                let open = match &from {
                    Sender::Client(client) => client.open(frame::key(id)).map(Some),
                    _ => Some(None),
                };
                match open {
                    None => Reply::error(200, id, INVALID_REQUEST, "another request has this id"),
                    Some(_open) => {
                        let events = Events::of(&from, &message, stream);
                        let reply = self.request((&from, head, &events), &message, id, method);
                        with_status(reply, &from)
                    }
                }
            }
        }
    }

    /// Whether a body is an answer to what the gateway has asked a client.
    pub fn is_answer(&self, body: &[u8]) -> bool {
        let message = Message::read(body, true);
        message.is_ok_and(|message| matches!(message.kind, Kind::Response(_)))
    }

    /// A session that has begun, of whoever asks.
    pub fn client(&self, session: &str, asks: Option<&Principal>) -> Option<Arc<Client>> {
        self.sessions.find(session, asks, Os.now())
    }

    /// Ends a session; whether whoever asks had one.
    pub fn ends(&self, session: &str, asks: Option<&Principal>) -> bool {
        self.client(session, asks).is_some() && self.sessions.end(session)
    }

    fn request(&self, asks: Asking<'_>, message: &Message, id: &Json, method: &str) -> Reply {
        let (from, _, events) = asks;
        let says = |json| Reply::Says(200, json, None);
        match (from, method) {
            (Sender::Newcomer, _) => self.begin(message, id, asks.1.principal.clone()),
            (Sender::Anybody(_), "server/discover") => says(frame::result(id, self.discovered())),
            (Sender::Client(_), "ping") => says(frame::result(id, Json::Object(Vec::new()))),
            (_, list::METHOD) => says(self.listed(message, id)),
            (Sender::Client(_) | Sender::Anybody(_), "tools/call") => self.called(message, id, asks),
            (Sender::Anybody(_), "subscriptions/listen") if events.streams() => {
                self.subscribed(message, id, from)
            }
            (Sender::Client(client), "logging/setLevel") if self.logs() => {
                says(events::logged(client, message, id))
            }
            _ => self.others(asks, message, id, method).unwrap_or_else(|| {
                let why = format!("the gateway lets no `{}` through", method.escape_debug());
                Reply::error(200, id, METHOD_NOT_FOUND, &why)
            }),
        }
    }

    /// The answer to a request for what servers offer beside tools; none where nobody offers it.
    fn others(
        &self,
        (from, _, events): Asking<'_>,
        message: &Message,
        id: &Json,
        method: &str,
    ) -> Option<Reply> {
        let says = |json| Reply::Says(200, json, None);
        match (from, method) {
            (Sender::Client(client), "resources/subscribe" | "resources/unsubscribe") => {
                let is_begun = method == "resources/subscribe";
                self.watches((client, from), message, (id, is_begun)).map(says)
            }
            _ => self.offered(message, id, (from, events, method)),
        }
    }

    /// Begins a session.
    fn begin(&self, message: &Message, id: &Json, owner: Option<Arc<Principal>>) -> Reply {
        let Some(wanted) = message.param("protocolVersion").and_then(Json::as_str) else {
            let why = "`protocolVersion` is missing, or of another type";
            return Reply::error(200, id, INVALID_PARAMS, why);
        };
        let with_sessions = |one: &Revision| one.has_sessions();
        let newest = self.revisions.iter().rev().copied().find(with_sessions);
        // Who asks for another one is offered the newest, and goes where that will not do.
        let Some(revision) = self.spoken(wanted).filter(with_sessions).or(newest) else {
            return self.not_spoken(id, Some(wanted), &|_| true);
        };
        let failed = |why: &str| Reply::error(503, id, REFUSED, why);
        let (session, own) = match self.names() {
            Ok(names) => names,
            Err(error) => return failed(&error.to_string()),
        };
        let agreed = Agreed {
            revision,
            calls: own,
            opens_urls: opens_urls(message.param("capabilities")),
            can: message.param("capabilities").cloned().unwrap_or(Json::Null),
            owner,
        };
        if self.sessions.begin(session.clone(), agreed, Os.now()).is_err() {
            return failed("there are as many sessions as the gateway keeps");
        }
        let result = Json::object([
            ("protocolVersion", Json::str(revision.as_str())),
            ("capabilities", self.capabilities()),
            ("serverInfo", frame::this_program()),
        ]);
        Reply::Says(200, frame::result(id, result), Some(session))
    }

    /// What nobody can guess, and the session of calls, which is in traces and therefore another name.
    fn names(&self) -> Result<(String, Session), HostError> {
        let session = host::nonce(&Os)?;
        if self.has_one_session {
            return Ok((session, self.common.clone()));
        }
        let name = super::session_name(&host::nonce(&Os)?);
        let journal = self.journals.join(format!("{name}.jsonl"));
        Ok((session, (name, journal)))
    }

    fn discovered(&self) -> Json {
        let spoken = self.revisions.iter().rev().filter(|one| !one.has_sessions());
        let meta = [("io.modelcontextprotocol/serverInfo", frame::this_program())];
        let own = [
            (
                "supportedVersions",
                Json::Array(spoken.map(|one| Json::str(one.as_str())).collect()),
            ),
            ("capabilities", self.capabilities()),
            ("_meta", Json::object(meta)),
        ];
        Json::object(own.into_iter().chain(complete()))
    }

    /// The tools of all servers that a call could be allowed of.
    fn listed(&self, message: &Message, id: &Json) -> Json {
        if message.param("cursor").is_some() {
            return frame::error(id, INVALID_PARAMS, "the list has one page", None);
        }
        let mut tools = BTreeMap::new();
        for (name, server) in &self.servers {
            // The tools of a server that does not answer are not there; all others are.
            let Ok(list) = server.list() else {
                self.metrics.refused(Unpinned::Unseen.code());
                continue;
            };
            for tool in &list.tools {
                if let Some((wire, tool)) = self.shown((name, server), &list, tool) {
                    tools.insert(wire, tool);
                }
            }
        }
        let tools = Json::Array(tools.into_values().collect());
        let mut result = vec![("tools", tools)];
        if frame::revision(message).is_some() {
            result.extend(complete());
        }
        frame::result(id, Json::object(result))
    }

    /// A tool as clients see it; none where a call of it could not be allowed.
    fn shown(&self, (name, server): (&str, &Server), list: &List, tool: &Json) -> Option<(String, Json)> {
        let own = tool.get("name")?.as_str()?;
        let setup = self.gate.setup();
        let is_known = || self.gate.knows(&setup.caller.of(name).tool(own));
        if server.stands(own, list).is_err() || !(setup.shows_all || is_known()) {
            return None;
        }
        let wire = self.wire_name(name, own)?;
        Some((wire.clone(), named(tool, &wire)))
    }

    /// A call: compared with its pin, judged, and passed on.
    fn called(&self, message: &Message, id: &Json, (from, head, events): Asking<'_>) -> Reply {
        let says = |json| Reply::Says(200, json, None);
        let Some(wire) = message.param("name").and_then(Json::as_str) else {
            return Reply::error(200, id, INVALID_PARAMS, "`name` is missing, or of another type");
        };
        if message.param("task").is_some() {
            return Reply::error(200, id, INVALID_PARAMS, "the gateway starts no tasks");
        }
        let unpinned = |why| says(self.unpinned(message, id, why));
        let Some(((name, server), tool)) = self.meant(wire) else {
            return unpinned(Unpinned::Unknown);
        };
        let definition = match server.check(tool) {
            Ok(definition) => definition,
            Err(why) => return unpinned(why),
        };
        let arguments = message.param("arguments");
        let schema = definition.get("inputSchema");
        if let Err(why) = headers::agree(
            &head.params,
            schema,
            arguments,
            matches!(from, Sender::Anybody(_)),
        ) {
            return Reply::error(400, id, HEADER_MISMATCH, &why);
        }
        let call = Message {
            json: with_name(&message.json, tool),
            kind: message.kind.clone(),
        };
        let going = Going {
            behind: (name, server),
            method: "tools/call",
            tool: Some(tool),
            judged: (&call, Class::Call),
            id,
            params: call.json.get("params").cloned().unwrap_or(Json::Null),
            from,
            events,
        };
        match self.resumed(going.judged, name, from) {
            Err(error) => return says(frame::failed(id, error)),
            Ok(Some(judged)) => return says(self.passed_on(&going, judged)),
            Ok(None) => {}
        }
        let answer = self.decided(going.judged, name, id, from);
        says(match (answer.refused, answer.written) {
            (None, _) => self.passed_on(&going, (answer.going, None)),
            (Some(_), Some(written)) if answer.verdict == Some(Verdict::RequireApproval) => {
                self.waits(message, id, from, &written)
            }
            (Some(refused), _) => refused,
        })
    }

    /// What the policy says of a request to a server.
    fn decided(&self, (message, class): (&Message, Class), server: &str, id: &Json, from: &Sender) -> Answer {
        let begun = Instant::now();
        let asked = Asked {
            message,
            class,
            caller: &self.caller(server, from),
            session: Some(match from {
                Sender::Client(client) => &client.calls,
                Sender::Anybody(Some(principal)) => &self.common_of(principal),
                Sender::Newcomer | Sender::Anybody(None) => &self.common,
            }),
        };
        let answer = self.gate.answer(asked, id);
        if let Some(written) = &answer.written {
            self.metrics.decided(&written.recorded.record, begun.elapsed());
        }
        answer
    }

    /// Who asks a server.
    fn caller(&self, server: &str, from: &Sender) -> Caller {
        let caller = self.gate.setup().caller.of(server);
        match from.principal() {
            Some(principal) => caller.known(principal),
            None => caller,
        }
    }

    /// The session of calls of somebody who begins none: what one has read is nothing that another one knows.
    fn common_of(&self, principal: &Principal) -> Session {
        if self.has_one_session {
            return self.common.clone();
        }
        let who = digest::of_json(&principal.fact()).to_string();
        let (_, who) = who.split_once(':').unwrap_or_default();
        // 128 bits of it: with the rest no longer than an id may be, and not to be met by trying.
        let name = format!("{}-{}", self.common.0, who.get(..32).unwrap_or_default());
        let journal = self.journals.join(format!("{name}.jsonl"));
        (name, journal)
    }

    /// The server and the name there that a name of the wire means.
    fn meant<'a, 'w>(&'a self, wire: &'w str) -> Option<(catalog::Behind<'a>, &'w str)> {
        if self.own_names {
            let (name, server) = self.servers.first_key_value()?;
            return Some(((name, server), wire));
        }
        let (name, own) = wire.split_once(BETWEEN)?;
        let (name, server) = self.servers.get_key_value(name)?;
        Some(((name, server), own))
    }

    /// A name of a server as clients see it; none where some would not take it.
    fn wire_name(&self, server: &str, own: &str) -> Option<String> {
        wire::name((!self.own_names).then_some(server), own)
    }

    fn unpinned(&self, message: &Message, id: &Json, why: Unpinned) -> Json {
        self.metrics.refused(why.code());
        told::not_pinned(message, id, why)
    }

    fn passed_on(&self, going: &Going<'_>, judged: Judged) -> Json {
        let ((call, _), id) = (going.judged, going.id);
        let wants = || told::unanswered(call, id, "the server wants more than the gateway passes on");
        match self.exchange(going, judged) {
            Ok(result) => match of_revision(result, frame::revision(call).is_some(), false) {
                Some(result) => frame::result(id, result),
                None => wants(),
            },
            Err(NoResult::Wants) => wants(),
            Err(NoResult::Refused(error)) => frame::failed(id, error),
            Err(NoResult::Stopped(answer)) => answer,
            Err(NoResult::Failed(CallError::Unpinned(why))) => self.unpinned(call, id, why),
            Err(NoResult::Failed(CallError::Ask(AskError::Refused { error, .. }))) => {
                frame::failed(id, error)
            }
            Err(NoResult::Failed(CallError::Ask(error))) => {
                self.metrics.refused(error.code());
                match error.is_about("tools/call") {
                    true => told::unanswered(call, id, &error.to_string()),
                    false => frame::error(id, REFUSED, &format!("Not run: {error}"), None),
                }
            }
        }
    }

    /// Whether what servers log can be told to clients.
    fn logs(&self) -> bool {
        self.servers.values().any(Server::logs)
    }

    /// Whether calls can be decided.
    pub fn ready(&self) -> Result<(), Refusal> {
        self.gate.setup().traces.ready()?;
        crate::store::read(self.gate.setup().store.as_ref(), [])?;
        Ok(())
    }

    /// What decides.
    pub fn setup(&self) -> &Setup {
        self.gate.setup()
    }

    /// Who listens hears no more.
    pub fn hang_up(&self) {
        self.sessions.hang_up();
        self.listeners.hang_up();
    }

    /// Ends every server; no trace is written any more.
    pub fn stop(&self) {
        for server in self.servers.values() {
            server.stop();
        }
        if let Keeps::Log(log) = &self.gate.setup().traces {
            log.close();
        }
    }
}

/// Who asks, with which headers, and where it is told of what it asks for.
type Asking<'a> = (&'a Sender, &'a Head, &'a Events<'a>);

/// An answer with the status that its revision has for what a server says is wrong.
fn with_status(reply: Reply, from: &Sender) -> Reply {
    let Reply::Says(200, message, session) = reply else {
        return reply;
    };
    let code = message.get("error").and_then(|error| error.get("code")?.as_i64());
    let status = match (from, code) {
        (Sender::Anybody(_), Some(METHOD_NOT_FOUND)) => 404,
        (Sender::Anybody(_), Some(MISSING_CAPABILITY)) => 400,
        _ => 200,
    };
    Reply::Says(status, message, session)
}

/// A stream of so many messages that were not taken yet, and its end.
fn stream(most: usize) -> (Stream, tokio::sync::mpsc::Receiver<Vec<u8>>) {
    tokio::sync::mpsc::channel(most)
}
