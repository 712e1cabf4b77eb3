//! Who is told of what is otherwise, in the revision without sessions: each subscription has a stream of its own, and says what it wants. In: what
//! clients want, and what changes. Out: messages, each with the id of the subscription.

use super::events::event;
use super::sessions::Stream;
use super::stream;
use crate::json::{Json, Text};
use crate::limits;
use crate::mcp::frame;
use crate::mcp::list;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::Receiver;

/// What says the subscription that a message is of.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// The notification that a resource is otherwise.
pub const UPDATED: &str = "notifications/resources/updated";
/// The notification that a subscription has begun.
pub const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
/// Lists, as subscriptions name them, and the notifications about them.
const LISTS: [(&str, &str); 3] = [
    ("toolsListChanged", list::CHANGED),
    ("promptsListChanged", "notifications/prompts/list_changed"),
    ("resourcesListChanged", "notifications/resources/list_changed"),
];
/// Resources, as subscriptions name them.
pub const RESOURCES: &str = "resourceSubscriptions";

/// What is otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A list, by the method of the notification.
    List(&'a str),
    /// A resource, by its URI.
    Resource(&'a str),
}

impl Change<'_> {
    /// The notification of it.
    pub fn notification(self) -> Json {
        match self {
            Change::List(method) => frame::notification(method),
            Change::Resource(uri) => frame::notification_of(UPDATED, [("uri", Json::str(uri))]),
        }
    }
}

/// What a subscription wants.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// Notifications about lists.
    lists: BTreeSet<&'static str>,
    /// URIs of resources.
    pub uris: BTreeSet<String>,
}

impl Wants {
    /// All lists, and these resources.
    pub fn all(uris: BTreeSet<String>) -> Wants {
        Wants {
            lists: LISTS.iter().map(|(_, method)| *method).collect(),
            uris,
        }
    }

    /// What parameters ask for; none where they cannot be read, or ask for too much.
    pub fn read(notifications: &Json) -> Option<Wants> {
        notifications.as_object()?;
        let is_wanted = |name: &str| notifications.get(name) == Some(&Json::Bool(true));
        let lists = LISTS.iter().filter(|(name, _)| is_wanted(name));
        let uris = match notifications.get(RESOURCES) {
            None | Some(Json::Null) => BTreeSet::new(),
            Some(uris) => {
                let all = uris.as_array()?.iter().map(|uri| uri.as_str().map(str::to_owned));
                all.collect::<Option<_>>()?
            }
        };
        (uris.len() <= limits::MCP_WATCHED).then(|| Wants {
            lists: lists.map(|(_, method)| *method).collect(),
            uris,
        })
    }

    /// The same as parameters.
    pub fn to_json(&self) -> Json {
        let lists = LISTS.iter().filter(|(_, method)| self.lists.contains(method));
        let lists = lists.map(|(name, _)| (*name, Json::Bool(true)));
        let uris = Json::Array(self.uris.iter().map(Json::str).collect());
        let uris = (!self.uris.is_empty()).then_some((RESOURCES, uris));
        Json::object(lists.chain(uris))
    }

    fn wants(&self, change: Change<'_>) -> bool {
        match change {
            Change::List(method) => self.lists.contains(method),
            Change::Resource(uri) => self.uris.contains(uri),
        }
    }
}

#[derive(Debug)]
struct Listener {
    id: Json,
    wants: Wants,
    to: Stream,
}

/// The subscriptions.
#[derive(Debug, Default)]
pub struct Listeners(Mutex<Vec<Listener>>);

impl Listeners {
    fn all(&self) -> MutexGuard<'_, Vec<Listener>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|listener| !listener.to.is_closed());
        all
    }

    /// Begins a subscription: its stream, on which the first message says what is told. None where there are too many.
    pub fn begin(&self, id: Json, wants: Wants) -> Option<Receiver<Vec<u8>>> {
        let mut all = self.all();
        if all.len() >= limits::MCP_LISTENERS {
            return None;
        }
        let (to, pieces) = stream(limits::MCP_EVENTS);
        let told = [("notifications", wants.to_json())];
        let told = frame::notification_of(ACKNOWLEDGED, told);
        to.try_send(event(&of(told, &id))).ok()?;
        all.push(Listener { id, wants, to });
        Some(pieces)
    }

    /// Tells who wants to know. A subscription that does not keep up ends, since it would not know what it missed.
    pub fn tell(&self, change: Change<'_>) {
        let told = |listener: &Listener| {
            let message = of(change.notification(), &listener.id);
            !listener.wants.wants(change) || listener.to.try_send(event(&message)).is_ok()
        };
        self.all().retain(told);
    }

    /// Whether somebody wants to know of a resource.
    pub fn watches(&self, uri: &str) -> bool {
        self.all()
            .iter()
            .any(|listener| listener.wants.uris.contains(uri))
    }

    /// Ends every subscription, and says so.
    pub fn hang_up(&self) {
        for listener in self.all().drain(..) {
            let meta = Json::object([(SUBSCRIPTION, listener.id.clone())]);
            let result = [("resultType", Json::str("complete")), ("_meta", meta)];
            let _ = listener
                .to
                .try_send(event(&frame::result(&listener.id, Json::object(result))));
        }
    }
}

/// A notification of a subscription.
fn of(notification: Json, id: &Json) -> Json {
    let Json::Object(mut members) = notification else {
        return notification;
    };
    let meta = Json::object([(SUBSCRIPTION, id.clone())]);
    match members.iter_mut().find(|(name, _)| name == "params") {
        Some((_, params)) => *params = frame::with_meta(params.clone(), Some(&meta)),
        None => members.push((Text::const_new("params"), Json::object([("_meta", meta)]))),
    }
    Json::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn who_subscribes_is_told_what_it_wants_and_nothing_else() {
        let read = |text: &str| Wants::read(&parse(text.as_bytes()).unwrap());
        let wants = read(
            r#"{"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["x:1"],"taskIds":["t"]}"#,
        );
        let wants = wants.unwrap();
        let expected = r#"{"toolsListChanged":true,"resourceSubscriptions":["x:1"]}"#;
        assert_eq!(wants.to_json(), parse(expected.as_bytes()).unwrap());
        for none in [
            "1",
            r#"{"resourceSubscriptions":1}"#,
            r#"{"resourceSubscriptions":["x:1",1]}"#,
        ] {
            assert!(read(none).is_none(), "{none}");
        }
        let listeners = Listeners::default();
        let mut heard = listeners.begin(Json::int(7), wants).unwrap();
        let mut next = || {
            let event = String::from_utf8(heard.try_recv().ok()?).unwrap();
            assert!(
                event.contains(r#""io.modelcontextprotocol/subscriptionId":7"#),
                "{event}"
            );
            Some(event)
        };
        assert!(next().unwrap().contains("acknowledged"));
        for (change, is_told) in [
            (Change::List(list::CHANGED), true),
            (Change::List("notifications/prompts/list_changed"), false),
            (Change::Resource("x:1"), true),
            (Change::Resource("x:2"), false),
        ] {
            listeners.tell(change);
            assert_eq!(next().is_some(), is_told, "{change:?}");
        }
        assert!(listeners.watches("x:1") && !listeners.watches("x:2"));
        // Who does not listen is told until too much is there, and then no more.
        for _ in 0..limits::MCP_EVENTS + 1 {
            listeners.tell(Change::Resource("x:1"));
        }
        assert!(!listeners.watches("x:1"));
    }
}
