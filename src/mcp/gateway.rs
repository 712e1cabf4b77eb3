//! Many servers behind one address. In: what clients post, with what its headers say. Out: answers. Each request is read once, judged, and what
//! was judged is what a server gets. It blocks, one thread a request; it must not know connections.

mod front;
mod headers;
mod pages;
mod server;
mod sessions;

pub use front::serve;
pub use server::Reached;

use super::call::Caller;
use super::frame::{self, INVALID_PARAMS, INVALID_REQUEST, Kind, METHOD_NOT_FOUND, Message, REFUSED};
use super::gate::{Asked, Gatekeeper, Session, Setup};
use super::list::{self, List};
use super::method::Class;
use super::revision::Revision;
use super::told;
use super::upstream::AskError;
use super::watch::Unpinned;
use crate::artifact::tool_lock::Pinned;
use crate::boundary::Written;
use crate::domain::Verdict;
use crate::host::{self, Host, HostError, Os};
use crate::http::Metrics;
use crate::json::{Json, Text};
use crate::limits;
use pages::Pages;
use server::Server;
use sessions::{Agreed, Client, Sessions, Stream};
use std::collections::{BTreeMap, BTreeSet};

use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;

/// Between the name of a server and that of its tool, as clients see them: many take no dot.
pub const BETWEEN: &str = "__";
/// The code of headers that say something else than the body.
const HEADER_MISMATCH: i64 = -32020;
/// The code of a revision that is not spoken.
const UNSUPPORTED_REVISION: i64 = -32022;

/// The code of an error that people can do something about at an address (2025-11-25).
const URL_REQUIRED: i64 = -32042;

/// What stands behind the gateway, and how it is spoken to.
pub struct Settings {
    /// The servers by name: how each is reached, and what its tools must be where they are pinned.
    pub servers: BTreeMap<String, (Reached, Option<Pinned>)>,
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
    /// Arguments, by the names that schemas give to headers for them, in lower case.
    pub params: BTreeMap<String, String>,
}

/// What is answered.
#[derive(Debug)]
pub enum Reply {
    /// Nothing is left to say.
    Accepted,
    /// A message, with the status of HTTP and the session that it begins.
    Says(u16, Json, Option<String>),
}

impl Reply {
    fn error(status: u16, id: &Json, code: i64, why: &str) -> Reply {
        Reply::Says(status, frame::error(id, code, why, None), None)
    }
}

/// Whom a request is of.
enum From {
    /// Somebody who begins a session.
    Newcomer,
    /// Somebody who has one.
    Client(Arc<Client>),
    /// Somebody who says with each request who it is.
    Anybody,
}

/// The gateway.
pub struct Gateway {
    gate: Gatekeeper,
    servers: BTreeMap<String, Server>,
    sessions: Arc<Sessions>,
    revisions: BTreeSet<Revision>,
    /// The session of calls that have no other.
    common: Session,
    has_one_session: bool,
    journals: PathBuf,
    /// What people are shown.
    pub pages: Pages,
    /// What is counted.
    pub metrics: Metrics,
}

impl Gateway {
    /// No server is started yet.
    pub fn new(setup: Setup, settings: Settings) -> Gateway {
        let sessions = Arc::new(Sessions::default());
        let listening = Arc::clone(&sessions);
        let changed: server::Changed = Arc::new(move || {
            let event = frame::line(&frame::notification(list::CHANGED));
            listening.tell(&[b"event: message\ndata: ", event.as_slice(), b"\n"].concat());
        });
        let server = |(name, (reached, pins))| (name, Server::new(reached, pins, Arc::clone(&changed)));
        let has_one_session = settings.session.is_some();
        let name = settings
            .session
            .unwrap_or_else(|| super::session_name(&setup.nonce));
        Gateway {
            gate: Gatekeeper::new(setup),
            servers: settings.servers.into_iter().map(server).collect(),
            sessions,
            revisions: settings.revisions,
            common: (name.clone(), settings.journals.join(format!("{name}.jsonl"))),
            has_one_session,
            journals: settings.journals,
            pages: Pages::new(settings.base),
            metrics: Metrics::default(),
        }
    }

    /// Answers what was posted.
    pub fn post(&self, head: &Head, body: &[u8]) -> Reply {
        let message = match Message::read(body, true) {
            Ok(message) => message,
            Err(no) => return Reply::error(400, &no.id, no.code, &no.why),
        };
        let from = match self.from(head, &message) {
            Ok(from) => from,
            Err(refused) => return refused,
        };
        match &message.kind {
            Kind::Notification(_) => Reply::Accepted,
            Kind::Response(_) => {
                let why = "the gateway has asked for nothing";
                Reply::error(400, &Json::Null, INVALID_REQUEST, why)
            }
            Kind::Request(id, method) => {
                let open = match &from {
                    From::Client(client) => client.open(frame::key(id)).map(Some),
                    _ => Some(None),
                };
                match open {
                    None => Reply::error(200, id, INVALID_REQUEST, "another request has this id"),
                    Some(_open) => self.request((&from, head), &message, id, method),
                }
            }
        }
    }

    /// Whom a message is of. What its headers say must be what it says itself.
    fn from(&self, head: &Head, message: &Message) -> Result<From, Reply> {
        let id = match &message.kind {
            Kind::Request(id, _) => id.clone(),
            _ => Json::Null,
        };
        let said = frame::revision(message);
        let said = said.as_ref().and_then(|said| said.get(frame::PROTOCOL_VERSION));
        let stateless = said.is_some() || head.revision.as_deref() == Some(Revision::V2026_07_28.as_str());
        mirrors(head, message, stateless).map_err(|why| Reply::error(400, &id, HEADER_MISMATCH, &why))?;
        if stateless {
            let said = said.and_then(Json::as_str);
            if said != head.revision.as_deref() {
                let why = "the header MCP-Protocol-Version says another revision than the request";
                return Err(Reply::error(400, &id, HEADER_MISMATCH, why));
            }
            let known = said
                .and_then(|said| self.spoken(said))
                .filter(|one| !one.has_sessions());
            return match known {
                Some(_) => Ok(From::Anybody),
                None => Err(self.not_spoken(&id, said)),
            };
        }
        if let Some(said) = head
            .revision
            .as_deref()
            .filter(|said| self.spoken(said).is_none())
        {
            return Err(self.not_spoken(&id, Some(said)));
        }
        if matches!(&message.kind, Kind::Request(_, method) if method == "initialize") {
            return Ok(From::Newcomer);
        }
        let Some(session) = &head.session else {
            let why = "the header Mcp-Session-Id names no session; `initialize` begins one";
            return Err(Reply::error(400, &id, INVALID_REQUEST, why));
        };
        let client = self.client(session).ok_or_else(|| {
            let why = "there is no such session any more; `initialize` begins one";
            Reply::error(404, &id, INVALID_REQUEST, why)
        })?;
        match head.revision.as_deref() {
            Some(said) if said != client.revision.as_str() => {
                let why = "the header MCP-Protocol-Version says another revision than the session has";
                Err(Reply::error(400, &id, HEADER_MISMATCH, why))
            }
            _ => Ok(From::Client(client)),
        }
    }

    fn spoken(&self, revision: &str) -> Option<Revision> {
        Revision::read(revision).filter(|one| self.revisions.contains(one))
    }

    fn not_spoken(&self, id: &Json, said: Option<&str>) -> Reply {
        let supported = self.revisions.iter().rev().map(|one| Json::str(one.as_str()));
        let data = Json::object([
            ("supported", Json::Array(supported.collect())),
            ("requested", said.map_or(Json::Null, Json::str)),
        ]);
        let why = "the gateway does not speak this revision of the protocol";
        let error = frame::error(id, UNSUPPORTED_REVISION, why, Some(data));
        Reply::Says(400, error, None)
    }

    /// A session that has begun.
    pub fn client(&self, session: &str) -> Option<Arc<Client>> {
        self.sessions.find(session, Os.now())
    }

    /// Ends a session; whether there was one.
    pub fn ends(&self, session: &str) -> bool {
        self.sessions.end(session)
    }

    fn request(&self, (from, head): (&From, &Head), message: &Message, id: &Json, method: &str) -> Reply {
        let says = |json| Reply::Says(200, json, None);
        match (from, method) {
            (From::Newcomer, _) => self.begin(message, id),
            (From::Anybody, "server/discover") => says(frame::result(id, self.discovered())),
            (From::Client(_), "ping") => says(frame::result(id, Json::Object(Vec::new()))),
            (_, list::METHOD) => says(self.listed(message, id)),
            (From::Client(_) | From::Anybody, "tools/call") => self.called(message, id, (from, head)),
            _ => {
                let why = format!("the gateway lets no `{}` through", method.escape_debug());
                let status = if matches!(from, From::Anybody) { 404 } else { 200 };
                Reply::error(status, id, METHOD_NOT_FOUND, &why)
            }
        }
    }

    /// Begins a session.
    fn begin(&self, message: &Message, id: &Json) -> Reply {
        let Some(wanted) = message.param("protocolVersion").and_then(Json::as_str) else {
            let why = "`protocolVersion` is missing, or of another type";
            return Reply::error(200, id, INVALID_PARAMS, why);
        };
        let with_sessions = |one: &Revision| one.has_sessions();
        let newest = self.revisions.iter().rev().copied().find(with_sessions);
        // Who asks for another one is offered the newest, and goes where that will not do.
        let Some(revision) = self.spoken(wanted).filter(with_sessions).or(newest) else {
            return self.not_spoken(id, Some(wanted));
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
        };
        if self.sessions.begin(session.clone(), agreed, Os.now()).is_err() {
            return failed("there are as many sessions as the gateway keeps");
        }
        let result = Json::object([
            ("protocolVersion", Json::str(revision.as_str())),
            ("capabilities", capabilities(true)),
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
            ("capabilities", capabilities(false)),
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
        let wire = wire_name(name, own)?;
        Some((wire.clone(), named(tool, &wire)))
    }

    /// A call: compared with its pin, judged, and passed on.
    fn called(&self, message: &Message, id: &Json, (from, head): (&From, &Head)) -> Reply {
        let says = |json| Reply::Says(200, json, None);
        let Some(wire) = message.param("name").and_then(Json::as_str) else {
            return Reply::error(200, id, INVALID_PARAMS, "`name` is missing, or of another type");
        };
        if message.param("task").is_some() {
            return Reply::error(200, id, INVALID_PARAMS, "the gateway starts no tasks");
        }
        let unpinned = |why: Unpinned| {
            self.metrics.refused(why.code());
            says(told::not_pinned(message, id, why))
        };
        let meant = wire.split_once(BETWEEN);
        let Some((server, (name, tool))) =
            meant.and_then(|(name, tool)| Some((self.servers.get(name)?, (name, tool))))
        else {
            return unpinned(Unpinned::Unknown);
        };
        let definition = match server.check(tool) {
            Ok(definition) => definition,
            Err(why) => return unpinned(why),
        };
        let arguments = message.param("arguments");
        let schema = definition.get("inputSchema");
        if let Err(why) = headers::agree(&head.params, schema, arguments, matches!(from, From::Anybody)) {
            return Reply::error(400, id, HEADER_MISMATCH, &why);
        }
        let call = Message {
            json: with_name(&message.json, tool),
            kind: message.kind.clone(),
        };
        let begun = Instant::now();
        let asked = Asked {
            message: &call,
            class: Class::Call,
            caller: &self.gate.setup().caller.of(name),
            session: Some(match from {
                From::Client(client) => &client.calls,
                From::Newcomer | From::Anybody => &self.common,
            }),
        };
        let answer = self.gate.answer(asked, id);
        if let Some(verdict) = answer.verdict {
            self.metrics.decided(verdict, begun.elapsed());
        }
        says(match (answer.refused, answer.written) {
            (None, _) => self.passed_on(server, &call, id),
            (Some(_), Some(written)) if answer.verdict == Some(Verdict::RequireApproval) => {
                self.waits(message, id, from, &written)
            }
            (Some(refused), _) => refused,
        })
    }

    /// The answer to a call that waits for people. A client that shows them an address is given one the first time; whatever it says of what
    /// they did there counts for nothing, since only a signed approval does.
    fn waits(&self, message: &Message, id: &Json, from: &From, written: &Written) -> Json {
        let told = || told::stopped(message, Class::Call, id, written);
        let Ok(page) = self.pages.of(written) else {
            return told();
        };
        let text = format!(
            "The call of {} waits for an approval",
            written.recorded.record.tool
        );
        let params = |more: Option<(&'static str, Json)>| {
            let own = [
                ("mode", Json::str("url")),
                ("message", Json::str(&text)),
                ("url", Json::str(&page.url)),
            ];
            Json::object(own.into_iter().chain(more))
        };
        match from {
            From::Anybody
                if opens_urls(capabilities_of(message)) && message.param("inputResponses").is_none() =>
            {
                let asked = Json::object([
                    ("method", Json::str("elicitation/create")),
                    ("params", params(None)),
                ]);
                let result = Json::object([
                    ("resultType", Json::str("input_required")),
                    ("inputRequests", Json::object([("gait.approval", asked)])),
                ]);
                frame::result(id, result)
            }
            From::Client(client)
                if client.opens_urls && client.revision == Revision::V2025_11_25 && !page.is_known =>
            {
                let name = ("elicitationId", Json::str(&page.name));
                let all = Json::Array(vec![params(Some(name))]);
                let data = Json::object([("elicitations", all)]);
                frame::error(id, URL_REQUIRED, &text, Some(data))
            }
            _ => told(),
        }
    }

    fn passed_on(&self, server: &Server, call: &Message, id: &Json) -> Json {
        let params = call.json.get("params").cloned().unwrap_or(Json::Null);
        let failed = |error: &AskError| {
            self.metrics.refused(error.code());
            match error.is_about("tools/call") {
                true => told::unanswered(call, id, &error.to_string()),
                false => frame::error(id, REFUSED, &format!("Not run: {error}"), None),
            }
        };
        match server.call(without_own(params)) {
            Ok(result) => match whole(result, frame::revision(call).is_some()) {
                Some(result) => frame::result(id, result),
                None => told::unanswered(call, id, "the server wants more than the gateway passes on"),
            },
            Err(AskError::Refused { error, .. }) => frame::failed(id, error),
            Err(error) => failed(&error),
        }
    }

    /// Whether calls can be decided.
    pub fn ready(&self) -> Result<(), crate::store::StoreError> {
        crate::store::read(self.gate.setup().store.as_ref(), []).map(|_| ())
    }

    /// What decides.
    pub fn setup(&self) -> &Setup {
        self.gate.setup()
    }

    /// Who listens hears no more.
    pub fn hang_up(&self) {
        self.sessions.hang_up();
    }

    /// Ends every server.
    pub fn stop(&self) {
        for server in self.servers.values() {
            server.stop();
        }
    }
}

impl Caller {
    /// The same caller before another server.
    pub fn of(&self, server: &str) -> Caller {
        Caller {
            server: Some(server.to_owned()),
            ..self.clone()
        }
    }
}

/// What headers say must be what the message says; in the revision without sessions they must say it.
fn mirrors(head: &Head, message: &Message, must: bool) -> Result<(), String> {
    let method = match &message.kind {
        Kind::Request(_, method) | Kind::Notification(method) => Some(method.as_str()),
        Kind::Response(_) => None,
    };
    let named = match method {
        Some("tools/call" | "prompts/get") => message.param("name"),
        Some("resources/read") => message.param("uri"),
        _ => None,
    };
    let named = named.and_then(Json::as_str);
    for (header, said, meant) in [
        ("Mcp-Method", head.method.as_deref(), method),
        ("Mcp-Name", head.name.as_deref(), named),
    ] {
        if said != meant && (said.is_some() || must) {
            return Err(format!("the header {header} does not say what the request says"));
        }
    }
    Ok(())
}

/// The name of a tool as clients see it; none where some would not take it, or it would be taken for another one.
fn wire_name(server: &str, tool: &str) -> Option<String> {
    let wire = format!("{server}{BETWEEN}{tool}");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (wire.len() <= limits::MCP_WIRE_NAME_BYTES && wire.bytes().all(plain)).then_some(wire)
}

/// Whether a name may stand before `BETWEEN`: the first one in a name of the wire ends it.
pub fn is_server_name(name: &str) -> bool {
    crate::artifact::is_id(name) && !name.contains(BETWEEN) && !name.ends_with('_')
}

fn named(tool: &Json, name: &str) -> Json {
    let mut members = tool.as_object().unwrap_or_default().to_vec();
    for (key, value) in &mut members {
        if key == "name" {
            *value = Json::str(name);
        }
    }
    Json::Object(members)
}

/// A request with another name in its parameters.
fn with_name(json: &Json, name: &str) -> Json {
    let mut members = json.as_object().unwrap_or_default().to_vec();
    for (key, value) in &mut members {
        if key == "params" {
            *value = named(value, name);
        }
    }
    Json::Object(members)
}

/// Parameters without what is between the client and the gateway alone: of the revision, and where progress is told.
fn without_own(params: Json) -> Json {
    let Json::Object(mut members) = params else {
        return params;
    };
    for (key, value) in &mut members {
        if let (true, Json::Object(meta)) = (key == "_meta", value) {
            meta.retain(|(name, _)| !name.starts_with(frame::OWN_META) && name != "progressToken");
        }
    }
    members.retain(|(key, _)| key != "inputResponses" && key != "requestState");
    members.retain(|(key, value)| key != "_meta" || value.as_object().is_some_and(|meta| !meta.is_empty()));
    Json::Object(members)
}

/// What a client can do, as it says with a request of the revision without sessions.
fn capabilities_of(message: &Message) -> Option<&Json> {
    message
        .param("_meta")?
        .get("io.modelcontextprotocol/clientCapabilities")
}

/// Whether a client shows people an address that it is given.
fn opens_urls(capabilities: Option<&Json>) -> bool {
    let url = capabilities.and_then(|all| all.get("elicitation")?.get("url"));
    url.is_some_and(|url| url.as_object().is_some())
}

/// The result of a call as the client's revision has it; none where it is no result yet.
fn whole(result: Json, says_kind: bool) -> Option<Json> {
    let Json::Object(mut members) = result else {
        return None;
    };
    let kind = members.iter().find(|(name, _)| name == "resultType");
    match kind.map(|(_, kind)| kind.as_str()) {
        None if says_kind => members.push((Text::const_new("resultType"), Json::str("complete"))),
        None | Some(Some("complete")) => {}
        Some(_) => return None,
    }
    Some(Json::Object(members))
}

fn capabilities(tells_of_changes: bool) -> Json {
    let tools = Json::object([("listChanged", Json::Bool(tells_of_changes))]);
    Json::object([("tools", tools)])
}

/// What results say of themselves in the revision without sessions. They are of whoever asked, and hold for no time.
fn complete() -> [(&'static str, Json); 3] {
    [
        ("resultType", Json::str("complete")),
        ("ttlMs", Json::int(0)),
        ("cacheScope", Json::str("private")),
    ]
}

/// A stream of messages, and its end.
fn stream() -> (Stream, tokio::sync::mpsc::Receiver<Vec<u8>>) {
    tokio::sync::mpsc::channel(limits::MCP_STREAM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_wire_is_of_one_server_and_one_tool() {
        for (server, tool, wire) in [
            ("git", "git_status", Some("git__git_status")),
            ("git", "a.b-c", Some("git__a.b-c")),
            ("git", "_x", Some("git___x")),
            ("git", "a b", None),
            ("git", "é", None),
            ("git", "a\u{200b}", None),
        ] {
            let found = wire_name(server, tool);
            assert_eq!(found.as_deref(), wire);
            if let Some(wire) = found {
                assert_eq!(wire.split_once(BETWEEN), Some((server, tool)));
            }
        }
        assert!(wire_name("git", &"a".repeat(limits::MCP_WIRE_NAME_BYTES)).is_none());
        for (name, good) in [
            ("git", true),
            ("g-2_x", true),
            ("a__b", false),
            ("a_", false),
            ("A", false),
            ("", false),
        ] {
            assert_eq!(is_server_name(name), good, "{name}");
        }
    }
}
