//! Subscriptions of clients: to resources in the revisions with sessions, and to all that may be otherwise in the one without. In: requests. Out: answers;
//! what is told later goes its own way. A resource that must not be read is not watched, either.

use super::listeners::{RESOURCES, Wants};
use super::sender::Sender;
use super::sessions::Client;
use super::{Gateway, Reply};
use crate::json::Json;
use crate::mcp::frame::{self, INVALID_PARAMS, Kind, Message, REFUSED};
use crate::mcp::method;
use std::sync::Arc;

impl Gateway {
    /// The answer to a request to watch a resource, or to watch it no more; none where no server can.
    pub(super) fn watches(
        &self,
        (client, from): (&Arc<Client>, &Sender),
        message: &Message,
        (id, is_begun): (&Json, bool),
    ) -> Option<Json> {
        let is_offered = self.may_offer(super::catalog::RESOURCES);
        if !is_offered || !self.servers.values().any(super::Server::can_watch) {
            return None;
        }
        let done = || frame::result(id, Json::Object(Vec::new()));
        let Some(uri) = message.param("uri").and_then(Json::as_str) else {
            let why = "`uri` is missing, or of another type";
            return Some(frame::error(id, INVALID_PARAMS, why, None));
        };
        if !is_begun {
            client.unwatch(uri);
            if !self.is_watched(uri) {
                self.servers.values().for_each(|server| server.unwatch(uri));
            }
            return Some(done());
        }
        if let Err(refused) = self.watched(uri, id, from) {
            return Some(refused);
        }
        Some(match client.watch(uri) {
            true => done(),
            false => frame::error(
                id,
                REFUSED,
                "the client watches as many resources as it may",
                None,
            ),
        })
    }

    fn is_watched(&self, uri: &str) -> bool {
        self.sessions.watches(uri) || self.listeners.watches(uri)
    }

    /// Has a server watch a resource that may be read; an error where it may not, or nobody can.
    fn watched(&self, uri: &str, id: &Json, from: &Sender) -> Result<(), Json> {
        let owner = self.owner(uri).filter(|(_, server)| server.can_watch());
        let (name, server) = owner.ok_or_else(|| {
            let data = Json::object([("uri", Json::str(uri))]);
            frame::error(id, INVALID_PARAMS, "no server watches this resource", Some(data))
        })?;
        let method = "resources/read";
        let message = Message {
            json: frame::request(id, method, Json::object([("uri", Json::str(uri))])),
            kind: Kind::Request(id.clone(), method.to_owned()),
        };
        let answer = self.decided((&message, method::of_client(method)), name, id, from);
        match answer.refused {
            Some(refused) => Err(refused),
            None => server
                .watch(uri, &|uri| self.is_watched(uri))
                .map_err(|error| frame::error(id, REFUSED, &error.to_string(), None)),
        }
    }

    /// Begins a subscription. What cannot be watched is left out, and the first message says what is not.
    pub(super) fn subscribed(&self, message: &Message, id: &Json, from: &Sender) -> Reply {
        let Some(mut wants) = message.param("notifications").and_then(Wants::read) else {
            let why = format!("`notifications` is missing, or no filter with at most so many `{RESOURCES}`");
            return Reply::error(200, id, INVALID_PARAMS, &why);
        };
        let may_read = self.may_offer(super::catalog::RESOURCES);
        wants
            .uris
            .retain(|uri| may_read && self.watched(uri, id, from).is_ok());
        match self.listeners.begin(id.clone(), wants) {
            Some(pieces) => Reply::Listens(pieces),
            None => Reply::error(
                503,
                id,
                REFUSED,
                "there are as many subscriptions as the gateway keeps",
            ),
        }
    }
}
