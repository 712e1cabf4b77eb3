//! Whom a message is of, and whether its headers say what it says itself. In: headers and a message. Out: a session, a newcomer or anybody; or
//! the answer to whoever says two things at once.

use super::sessions::Client;
use super::wire::capabilities_of;
use super::{Gateway, HEADER_MISMATCH, Head, Reply};
use crate::http::oauth::Principal;
use crate::json::Json;
use crate::mcp::frame::{self, INVALID_PARAMS, INVALID_REQUEST, Kind, Message};
use crate::mcp::revision::Revision;
use std::sync::Arc;

/// Whom a request is of.
pub enum Sender {
    /// Somebody who begins a session.
    Newcomer,
    /// Somebody who has one.
    Client(Arc<Client>),
    /// Somebody who says with each request who it is; by whom an authorization server says that it is, where one is asked.
    Anybody(Option<Arc<Principal>>),
}

impl Sender {
    /// Who asks, as an authorization server says it.
    pub fn principal(&self) -> Option<&Arc<Principal>> {
        match self {
            Sender::Newcomer => None,
            Sender::Client(client) => client.owner.as_ref(),
            Sender::Anybody(principal) => principal.as_ref(),
        }
    }
}

impl Gateway {
    /// Whom a message is of. What its headers say must be what it says itself.
    pub(super) fn sender(&self, head: &Head, message: &Message) -> Result<Sender, Reply> {
        let id = match &message.kind {
            Kind::Request(id, _) => id.clone(),
            _ => Json::Null,
        };
        let said = frame::revision(message);
        let said = said.as_ref().and_then(|said| said.get(frame::PROTOCOL_VERSION));
        let stateless = said.is_some() || head.revision.as_deref() == Some(Revision::V2026_07_28.as_str());
        mirrors(head, message, stateless).map_err(|why| Reply::error(400, &id, HEADER_MISMATCH, &why))?;
        if stateless {
            return self.anybody(head, message, &id);
        }
        if let Some(said) = head
            .revision
            .as_deref()
            .filter(|said| self.spoken(said).is_none())
        {
            return Err(self.not_spoken(&id, Some(said), &|_| true));
        }
        if matches!(&message.kind, Kind::Request(_, method) if method == "initialize") {
            return Ok(Sender::Newcomer);
        }
        let Some(session) = &head.session else {
            let why = "the header Mcp-Session-Id names no session; `initialize` begins one";
            return Err(Reply::error(400, &id, INVALID_REQUEST, why));
        };
        let client = self.client(session, head.principal.as_deref()).ok_or_else(|| {
            let why = "there is no such session any more; `initialize` begins one";
            Reply::error(404, &id, INVALID_REQUEST, why)
        })?;
        match head.revision.as_deref() {
            Some(said) if said != client.revision.as_str() => {
                let why = "the header MCP-Protocol-Version says another revision than the session has";
                Err(Reply::error(400, &id, HEADER_MISMATCH, why))
            }
            _ => Ok(Sender::Client(client)),
        }
    }

    /// Who says with each request who it is. What it must say is in `_meta`.
    fn anybody(&self, head: &Head, message: &Message, id: &Json) -> Result<Sender, Reply> {
        let meta = message.param("_meta");
        let said = meta.and_then(|meta| meta.get(frame::PROTOCOL_VERSION)?.as_str());
        let can = capabilities_of(message).and_then(Json::as_object);
        let is_request = matches!(message.kind, Kind::Request(..));
        let missing = |what: &str| {
            let why = format!("`_meta` does not say the {what}");
            Err(Reply::error(400, id, INVALID_PARAMS, &why))
        };
        match said {
            None if is_request => return missing(frame::PROTOCOL_VERSION),
            said if said != head.revision.as_deref() => {
                let why = "the header MCP-Protocol-Version says another revision than the request";
                return Err(Reply::error(400, id, HEADER_MISMATCH, why));
            }
            _ => {}
        }
        let spoken = said.and_then(|said| self.spoken(said));
        if spoken.is_none_or(Revision::has_sessions) {
            return Err(self.not_spoken(id, said, &|one| !one.has_sessions()));
        }
        match can {
            None if is_request => missing(frame::CLIENT_CAPABILITIES),
            _ => Ok(Sender::Anybody(head.principal.clone())),
        }
    }

    /// The revision of a text, where clients may speak it.
    pub(super) fn spoken(&self, revision: &str) -> Option<Revision> {
        Revision::read(revision).filter(|one| self.revisions.contains(one))
    }

    /// The answer to a revision that is not spoken, with those that are, of the ones that are meant.
    pub(super) fn not_spoken(
        &self,
        id: &Json,
        said: Option<&str>,
        is_meant: &dyn Fn(Revision) -> bool,
    ) -> Reply {
        let meant = self.revisions.iter().rev().filter(|one| is_meant(**one));
        let supported = meant.map(|one| Json::str(one.as_str()));
        let data = Json::object([
            ("supported", Json::Array(supported.collect())),
            ("requested", said.map_or(Json::Null, Json::str)),
        ]);
        let why = "the gateway does not speak this revision of the protocol";
        let error = frame::error(id, frame::UNSUPPORTED_REVISION, why, Some(data));
        Reply::Says(400, error, None)
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
