//! The sessions of clients that speak a revision with sessions. In: ids, which nobody can guess. Out: what is kept of each. Whoever is idle
//! for long, or idle for longest where there are too many, is forgotten.

use super::events::event;
use super::listeners::Change;
use crate::http::oauth::Principal;
use crate::json::Json;
use crate::limits;
use crate::mcp::frame;
use crate::mcp::gate::Session;
use crate::mcp::revision::Revision;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// What a client is told of without having asked.
pub type Stream = mpsc::Sender<Vec<u8>>;

/// A session of a client.
#[derive(Debug)]
pub struct Client {
    /// What was agreed on.
    pub revision: Revision,
    /// The session of its calls, and its journal.
    pub calls: Session,
    /// Whether it shows people an address that it is given.
    pub opens_urls: bool,
    /// What it can do, as it says.
    pub can: Json,
    /// Whose it is, as an authorization server says it.
    pub owner: Option<Arc<Principal>>,
    /// Requests to it that it has not answered, and how many there were.
    asked: Mutex<(u64, BTreeMap<String, SyncSender<Json>>)>,
    /// From which on it wants to be told what servers log.
    logs: Mutex<Option<usize>>,
    /// URIs of resources that it watches.
    watched: Mutex<BTreeSet<String>>,
    /// The ids of requests that are not answered yet.
    open: Mutex<BTreeSet<String>>,
    stream: Mutex<Option<Stream>>,
    used: Mutex<Timestamp>,
}

/// What is agreed on when a session begins.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The revision.
    pub revision: Revision,
    /// The session of calls, and its journal.
    pub calls: Session,
    /// Whether the client shows people an address that it is given.
    pub opens_urls: bool,
    /// What the client can do, as it says.
    pub can: Json,
    /// Whose it is, as an authorization server says it.
    pub owner: Option<Arc<Principal>>,
}

/// All of them, by their ids.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<String, Arc<Client>>>);

/// The id of a request that is not answered yet, in a session.
pub struct Open {
    client: Arc<Client>,
    key: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        held(&self.client.open).remove(&self.key);
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Takes the id of a request until what is returned is dropped; none where another request has it.
    pub fn open(self: &Arc<Self>, key: String) -> Option<Open> {
        let is_free = held(&self.open).insert(key.clone());
        let client = Arc::clone(self);
        // Only what was taken is given back when it is dropped.
        is_free.then(|| Open { client, key })
    }

    /// Sends from now on to this stream, and to no other.
    pub fn streams_to(&self, stream: Stream) {
        *held(&self.stream) = Some(stream);
    }

    /// A request to it: an id of its own, and where its answer comes from.
    pub fn asks(&self) -> (Json, Receiver<Json>) {
        let (to, answer) = sync_channel(1);
        let mut asked = held(&self.asked);
        asked.0 = asked.0.wrapping_add(1);
        let id = Json::str(format!("gait-{}", asked.0));
        asked.1.insert(frame::key(&id), to);
        (id, answer)
    }

    /// Nobody waits any more for the answer to a request.
    pub fn gives_up(&self, id: &Json) {
        held(&self.asked).1.remove(&frame::key(id));
    }

    /// It answers the request of an id; whether there is one.
    pub fn answers(&self, id: &Json, message: Json) -> bool {
        let to = held(&self.asked).1.remove(&frame::key(id));
        to.is_some_and(|to| to.send(message).is_ok())
    }

    /// It wants to be told what servers log, from a level on.
    pub fn logs_from(&self, level: usize) {
        *held(&self.logs) = Some(level);
    }

    /// From which level on it wants to be told; none where it has not said so.
    pub fn logs(&self) -> Option<usize> {
        *held(&self.logs)
    }

    /// It watches a resource from now on; whether it may watch as many.
    pub fn watch(&self, uri: &str) -> bool {
        let mut watched = held(&self.watched);
        if watched.len() < limits::MCP_WATCHED {
            watched.insert(uri.to_owned());
        }
        watched.contains(uri)
    }

    /// It watches a resource no more.
    pub fn unwatch(&self, uri: &str) {
        held(&self.watched).remove(uri);
    }

    fn is_told(&self, change: Change<'_>) -> bool {
        match change {
            Change::List(_) => true,
            Change::Resource(uri) => held(&self.watched).contains(uri),
        }
    }

    /// Whether anything of it is under way.
    fn is_used(&self) -> bool {
        !held(&self.open).is_empty()
    }
}

impl Sessions {
    /// Begins a session. Errors where there are too many, and something is under way in each.
    pub fn begin(&self, id: String, agreed: Agreed, now: Timestamp) -> Result<(), ()> {
        let mut all = held(&self.0);
        let idle = |client: &Client| {
            now.as_millisecond()
                .saturating_sub(held(&client.used).as_millisecond())
        };
        all.retain(|_, client| client.is_used() || idle(client) < limits::MCP_SESSION_MILLIS);
        if all.len() >= limits::MCP_SESSIONS {
            let unused = all.iter().filter(|(_, client)| !client.is_used());
            let longest = unused
                .max_by_key(|(_, client)| idle(client))
                .map(|(id, _)| id.clone());
            all.remove(&longest.ok_or(())?);
        }
        let client = Client {
            revision: agreed.revision,
            calls: agreed.calls,
            opens_urls: agreed.opens_urls,
            can: agreed.can,
            owner: agreed.owner,
            asked: Mutex::default(),
            logs: Mutex::default(),
            watched: Mutex::default(),
            open: Mutex::default(),
            stream: Mutex::default(),
            used: Mutex::new(now),
        };
        all.insert(id, Arc::new(client));
        Ok(())
    }

    /// The session of an id, which is used now; to nobody but its owner it is there.
    pub fn find(&self, id: &str, owner: Option<&Principal>, now: Timestamp) -> Option<Arc<Client>> {
        let client = held(&self.0).get(id).cloned()?;
        if client.owner.as_deref() != owner {
            return None;
        }
        *held(&client.used) = now;
        Some(client)
    }

    /// Ends a session; whether there was one.
    pub fn end(&self, id: &str) -> bool {
        held(&self.0).remove(id).is_some()
    }

    /// Whether somebody watches a resource.
    pub fn watches(&self, uri: &str) -> bool {
        let all = held(&self.0);
        all.values().any(|client| held(&client.watched).contains(uri))
    }

    /// Tells everybody who listens and wants to know. Who does not keep up is not told, and asks again later.
    pub fn tell(&self, change: Change<'_>) {
        let piece = event(&change.notification());
        for client in held(&self.0).values().filter(|client| client.is_told(change)) {
            let mut stream = held(&client.stream);
            if stream.as_ref().is_some_and(|to| to.is_closed()) {
                *stream = None;
            }
            if let Some(to) = stream.as_ref() {
                let _ = to.try_send(piece.clone());
            }
        }
    }

    /// Ends every stream.
    pub fn hang_up(&self) {
        for client in held(&self.0).values() {
            *held(&client.stream) = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_idle_longest_is_forgotten_first() {
        let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
        let sessions = Sessions::default();
        let begin = |id: usize, now| {
            let calls = (format!("s{id}"), "x".into());
            let agreed = Agreed {
                revision: Revision::V2025_11_25,
                calls,
                opens_urls: false,
                can: Json::Null,
                owner: None,
            };
            sessions.begin(id.to_string(), agreed, at(now))
        };
        let most = limits::MCP_SESSIONS;
        for id in 0..most {
            assert_eq!(begin(id, 1), Ok(()));
        }
        let used = sessions.find("0", None, at(2)).unwrap();
        let one = sessions.find("1", None, at(1)).unwrap();
        let open = one.open("7".into()).unwrap();
        assert!(one.open("7".into()).is_none());
        assert_eq!(begin(most, 3), Ok(()));
        assert_eq!(held(&sessions.0).len(), most);
        assert!(sessions.find("0", None, at(3)).is_some() && sessions.find("1", None, at(3)).is_some());
        drop((open, used));
        assert!(one.open("7".into()).is_some());
        assert_eq!(begin(most + 1, 3 + limits::MCP_SESSION_MILLIS), Ok(()));
        assert_eq!(held(&sessions.0).len(), 1, "all others were idle for too long");
        assert!(sessions.end(&(most + 1).to_string()) && !sessions.end("0"));
    }
}
