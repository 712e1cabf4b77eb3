//! What a client is told, and asked, while its request is under way: on the stream that answers the request, and of that request alone. In: what the
//! server says of it. Out: events, and what the client answers. A client that takes no stream is told the answer, and nothing else.

use super::sender::Sender;
use super::sessions::{Client, Stream};
use super::wire::capabilities_of;
use crate::json::{Json, Text};
use crate::limits;
use crate::mcp::frame::{self, INVALID_PARAMS, Kind, Message};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Levels of what servers log, the least of them first.
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// The number of a level.
pub fn level(name: &str) -> Option<usize> {
    LEVELS.iter().position(|level| *level == name)
}

/// A client wants to know what servers log.
pub fn logged(client: &Client, message: &Message, id: &Json) -> Json {
    let said = message.param("level").and_then(Json::as_str);
    match said.and_then(level) {
        Some(level) => {
            client.logs_from(level);
            frame::result(id, Json::Object(Vec::new()))
        }
        None => frame::error(id, INVALID_PARAMS, "`level` is missing, or is no level", None),
    }
}

/// A message as an event of a stream.
pub fn event(message: &Json) -> Vec<u8> {
    [b"event: message\ndata: ", frame::line(message).as_slice(), b"\n"].concat()
}

/// The stream of a request.
pub struct Events<'a> {
    to: Option<&'a Stream>,
    client: Option<&'a Client>,
    /// What the client calls the request where it is told how far it is.
    token: Option<Json>,
    /// From which level on it wants to know what is logged.
    level: Option<usize>,
    /// What the client can do.
    can: &'a Json,
}

impl<'a> Events<'a> {
    /// The stream of a request; none where the client takes none.
    pub fn of(from: &'a Sender, message: &'a Message, to: Option<&'a Stream>) -> Events<'a> {
        let meta = message.param("_meta");
        let said = meta.and_then(|meta| meta.get(frame::LOG_LEVEL)?.as_str());
        let (client, level, can) = match from {
            Sender::Client(client) => (Some(client.as_ref()), client.logs(), Some(&client.can)),
            Sender::Newcomer | Sender::Anybody(_) => (None, said.and_then(level), capabilities_of(message)),
        };
        Events {
            to,
            client,
            token: meta.and_then(|meta| meta.get("progressToken")).cloned(),
            level,
            can: can.unwrap_or(&Json::Null),
        }
    }

    /// Whether anything that a server tells could reach the client.
    pub fn hears(&self) -> bool {
        self.to.is_some() && (self.token.is_some() || self.level.is_some())
    }

    /// Whether the client takes a stream.
    pub fn streams(&self) -> bool {
        self.to.is_some()
    }

    /// Whether the client says that it can answer requests of a kind, and can be asked.
    pub fn can(&self, capability: &str) -> bool {
        let is_asked = self.client.is_none() || self.to.is_some();
        is_asked && self.can.get(capability).and_then(Json::as_object).is_some()
    }

    /// Whether the client can be asked on its stream, and says that it can answer requests of a kind.
    pub fn is_asked(&self, capability: &str) -> bool {
        self.client.is_some() && self.can(capability)
    }

    /// What a server is told of what the client can do and wants, as the revision without sessions has it.
    pub fn said(&self, may_ask: &dyn Fn(&str) -> bool) -> Json {
        let all = self.can.as_object().unwrap_or_default();
        let can = all
            .iter()
            .filter(|(name, _)| self.can(name) && may_ask(name))
            .cloned();
        let can: (&str, Json) = (frame::CLIENT_CAPABILITIES, Json::Object(can.collect()));
        let level = self.level.filter(|_| self.to.is_some());
        let level = level.and_then(|level| Some((frame::LOG_LEVEL, Json::str(*LEVELS.get(level)?))));
        Json::object([can].into_iter().chain(level))
    }

    /// The server tells something of the request.
    pub fn tell(&self, message: &Message) {
        let Kind::Notification(method) = &message.kind else {
            return;
        };
        let told = match (method.as_str(), &self.token, self.level) {
            (frame::PROGRESS, Some(token), _) => Some(with_token(&message.json, token)),
            (frame::LOGGED, _, Some(least)) => {
                let said = message.param("level").and_then(Json::as_str).and_then(level);
                said.filter(|said| *said >= least).map(|_| message.json.clone())
            }
            _ => None,
        };
        if let (Some(told), Some(to)) = (told, self.to) {
            // Who does not keep up is not told.
            let _ = to.try_send(event(&told));
        }
    }

    /// Asks the client and waits; none where it does not answer with a result.
    pub fn ask(&self, method: &str, params: Json) -> Option<Json> {
        let (client, to) = (self.client?, self.to?);
        let (id, answer) = client.asks();
        let asked = to.blocking_send(event(&frame::request(&id, method, params)));
        let mut left = limits::MCP_CALL_MILLIS;
        let found = loop {
            if asked.is_err() || to.is_closed() || left == 0 {
                break None;
            }
            match answer.recv_timeout(Duration::from_millis(limits::MCP_LOOK_MILLIS)) {
                Ok(answer) => break answer.get("result").cloned(),
                Err(RecvTimeoutError::Timeout) => left = left.saturating_sub(limits::MCP_LOOK_MILLIS),
                Err(RecvTimeoutError::Disconnected) => break None,
            }
        };
        client.gives_up(&id);
        found
    }
}

/// A notification with the name that the client has for its request.
fn with_token(json: &Json, token: &Json) -> Json {
    let change = |members: &[(Text, Json)], key: &str, value: &dyn Fn(&Json) -> Json| {
        let one = |(name, old): &(Text, Json)| {
            let new = if name == key { value(old) } else { old.clone() };
            (name.clone(), new)
        };
        Json::Object(members.iter().map(one).collect())
    };
    let members = json.as_object().unwrap_or_default();
    change(members, "params", &|params| {
        change(params.as_object().unwrap_or_default(), "progressToken", &|_| {
            token.clone()
        })
    })
}
