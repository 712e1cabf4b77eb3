//! One of the servers behind the gateway: it is started when it is first asked, and again when it has ended. In: its name and command, as
//! the configuration has them. Out: what it lists, and answers. What it says of itself counts for nothing.

use super::catalog::{Offer, RESOURCES};
use super::headers;
use super::listeners::{Change, UPDATED, Wants};
use super::listening::Stop;
use crate::artifact::Digest;
use crate::artifact::tool_lock::Pinned;
use crate::host::{Around, Host, Os};
use crate::http::Target;
use crate::json::Json;
use crate::limits;
use crate::mcp::asks::Asks;
use crate::mcp::frame::{Kind, Message};
use crate::mcp::fresh::Fresh;
use crate::mcp::list::{self, List, ListError};
use crate::mcp::upstream::{AskError, Heard, Upstream, is_program};
use crate::mcp::watch::{Unpinned, Watch};
use crate::mcp::web::Web;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who is told of what is otherwise.
pub type Changed = Arc<dyn Fn(Change<'_>) + Send + Sync>;

/// How a server is reached.
#[derive(Clone)]
pub enum Reached {
    /// It is started by this command.
    Started(Vec<OsString>),
    /// It is asked at this address, and shown this token.
    Asked(Target, Option<HeaderValue>),
}

/// A server as the configuration has it.
#[derive(Clone)]
pub struct Behind {
    /// How it is reached.
    pub reached: Reached,
    /// What its tools must be, where they are pinned.
    pub pinned: Option<Pinned>,
    /// What the URIs of its resources begin with; empty where the configuration does not say.
    pub resources: Vec<String>,
}

/// A server.
pub struct Server {
    reached: Reached,
    program: Option<Digest>,
    /// What the URIs of its resources begin with; empty where the configuration does not say.
    pub resources: Vec<String>,
    watch: Arc<Watch>,
    lists: Arc<Lists>,
    /// What it is told that the gateway can do, where it has sessions.
    can: Json,
    /// URIs of resources that clients watch.
    watched: Mutex<BTreeSet<String>>,
    /// What ends the listening to it.
    listening: Mutex<Option<Arc<Stop>>>,
    running: Mutex<Running>,
    /// Until when it is not asked again, since it failed.
    pause: Mutex<Option<Pause>>,
    changed: Changed,
}

/// Why a call has no answer.
pub enum CallError {
    /// It was not passed on: the server that would be called does not define the tool as it must.
    Unpinned(Unpinned),
    /// It cannot be passed on, or nobody knows what came of it.
    Ask(AskError),
}

/// A pause after a failure: for as long as the failure took, so that a server that is waited for in vain is waited for half of the time at
/// most, and nobody waits for it twice.
struct Pause {
    since: Timestamp,
    millis: i64,
    error: ListError<AskError>,
}

#[derive(Default)]
struct Running {
    upstream: Option<Arc<Upstream>>,
    /// Whether nobody will ask it any more.
    is_over: bool,
}

/// What it lists beside tools.
#[derive(Default)]
struct Lists {
    resources: Fresh<Vec<Json>>,
    templates: Fresh<Vec<Json>>,
    prompts: Fresh<Vec<Json>>,
}

impl Lists {
    fn of(&self, offer: Offer) -> &Fresh<Vec<Json>> {
        match offer {
            Offer::Resources => &self.resources,
            Offer::Templates => &self.templates,
            Offer::Prompts => &self.prompts,
        }
    }

    /// What counts no more after a notification; whether that is anything.
    fn changed(&self, method: &str) -> bool {
        let mut is_about = false;
        for offer in Offer::ALL.into_iter().filter(|offer| offer.changed() == method) {
            self.of(offer).changed();
            is_about = true;
        }
        is_about
    }
}

impl Server {
    /// A server that is not started yet.
    pub fn new(behind: Behind, changed: Changed, can: Json) -> Server {
        let program = behind.pinned.as_ref().and_then(|pinned| pinned.program);
        Server {
            reached: behind.reached,
            program,
            resources: behind.resources,
            watch: Arc::new(Watch::new(behind.pinned.map(|pinned| pinned.tools))),
            lists: Arc::default(),
            can,
            watched: Mutex::default(),
            listening: Mutex::default(),
            running: Mutex::default(),
            pause: Mutex::default(),
            changed,
        }
    }

    /// The server as it runs now. One that does not start is not started again at once.
    fn running(&self) -> Result<Arc<Upstream>, ListError<AskError>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upstream) = running.upstream.take().filter(|upstream| !upstream.has_ended()) {
            return Ok(Arc::clone(running.upstream.insert(upstream)));
        }
        if running.is_over {
            return Err(ListError::Ask(AskError::Ended("initialize")));
        }
        // Somebody else may have waited for it in vain meanwhile.
        self.paused()?;
        let begun = Os.now();
        // Another process: what was seen of the one before counts no more.
        self.watch.changed();
        for offer in Offer::ALL {
            self.lists.of(offer).changed();
        }
        let started = match &self.reached {
            Reached::Started(command) => is_program(command, self.program)
                .and_then(|()| Upstream::start(command, &Around::default(), (self.heard(), &self.can))),
            Reached::Asked(target, token) => Upstream::at(Web::new(target.clone(), token.clone()), &self.can),
        };
        match started {
            Ok(upstream) => {
                let upstream = Arc::clone(running.upstream.insert(Arc::new(upstream)));
                self.begins(&upstream);
                Ok(upstream)
            }
            Err(error) => {
                let error = ListError::Ask(error);
                self.pauses(begun, &error);
                Err(error)
            }
        }
    }

    /// What is done with what it says without having been asked.
    fn heard(&self) -> Heard {
        let (watch, lists, changed) = (
            Arc::clone(&self.watch),
            Arc::clone(&self.lists),
            Arc::clone(&self.changed),
        );
        Arc::new(move |message: &Message| {
            let Kind::Notification(method) = &message.kind else {
                return;
            };
            let of_tools = method == list::CHANGED;
            if of_tools {
                watch.changed();
            }
            if of_tools || lists.changed(method) {
                changed(Change::List(method));
            }
            if let (UPDATED, Some(uri)) = (method.as_str(), message.param("uri").and_then(Json::as_str)) {
                changed(Change::Resource(uri));
            }
        })
    }

    /// It runs anew: what clients watch is watched by it, too.
    fn begins(&self, upstream: &Arc<Upstream>) {
        if upstream.is_listened_to() {
            // It is not waited for: what it lists is asked for again by and by.
            drop(self.listens(upstream));
            return;
        }
        let watched = self.watched().clone();
        for uri in watched {
            // Another process: whether the resource is the same nobody has said.
            (self.changed)(Change::Resource(&uri));
            // One that does not watch it is asked again when a client subscribes.
            let params = Json::object([("uri", Json::str(uri))]);
            let _ = upstream.ask("resources/subscribe", params, limits::MCP_ASK_MILLIS);
        }
    }

    /// Listens to a server that says what is otherwise as the answer to a request, and no more to what it was asked for before once it has
    /// taken the new request; that is told. It is told by an end where the server does not take it.
    fn listens(&self, upstream: &Arc<Upstream>) -> Receiver<()> {
        let (to, taken) = sync_channel(1);
        let tells = |what: &str| {
            let says = |(name, flag): (&str, &str)| {
                upstream.offers().get(name).and_then(|offer| offer.get(flag)) == Some(&Json::Bool(true))
            };
            ["tools", "prompts", "resources"]
                .iter()
                .any(|name| says((name, what)))
        };
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let before = listening.take();
        if !(tells("listChanged") || tells("subscribe")) {
            return taken;
        }
        let stop = Arc::new(Stop::default());
        *listening = Some(Arc::clone(&stop));
        let wants = Wants::all(self.watched().clone());
        let (upstream, heard) = (Arc::clone(upstream), self.heard());
        std::thread::spawn(move || stop.listen(&upstream, &wants, (before, to), &heard));
        taken
    }

    fn watched(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it can say that a resource is otherwise.
    pub fn can_watch(&self) -> bool {
        self.is_heard() && self.says(RESOURCES, "subscribe")
    }

    /// Watches a resource for a client. Where it watches many, those that nobody wants to know of any more are left.
    pub fn watch(&self, uri: &str, is_watched: &dyn Fn(&str) -> bool) -> Result<(), AskError> {
        let upstream = self.running().map_err(not_asked)?;
        let is_new = {
            let mut watched = self.watched();
            if watched.len() >= limits::MCP_WATCHED {
                watched.retain(|uri| is_watched(uri));
            }
            if watched.len() >= limits::MCP_WATCHED && !watched.contains(uri) {
                return Err(AskError::Slow("resources/subscribe"));
            }
            watched.insert(uri.to_owned())
        };
        match (is_new, upstream.is_listened_to()) {
            (false, _) => Ok(()),
            (true, true) => {
                let taken = self.listens(&upstream);
                let wait = Duration::from_millis(limits::MCP_ASK_MILLIS);
                taken.recv_timeout(wait).map_err(|_| {
                    self.watched().remove(uri);
                    AskError::Slow("subscriptions/listen")
                })
            }
            (true, false) => {
                let params = Json::object([("uri", Json::str(uri))]);
                let asked = upstream.ask("resources/subscribe", params, limits::MCP_ASK_MILLIS);
                asked.map(drop).inspect_err(|_| {
                    self.watched().remove(uri);
                })
            }
        }
    }

    /// Watches a resource no more: nobody wants to know.
    pub fn unwatch(&self, uri: &str) {
        if !self.watched().remove(uri) {
            return;
        }
        if let Ok(upstream) = self.running() {
            if upstream.is_listened_to() {
                drop(self.listens(&upstream));
                return;
            }
            let params = Json::object([("uri", Json::str(uri))]);
            let _ = upstream.ask("resources/unsubscribe", params, limits::MCP_ASK_MILLIS);
        }
    }

    fn paused(&self) -> Result<(), ListError<AskError>> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match &*pause {
            Some(pause) if (0..pause.millis).contains(&millis_since(pause.since)) => Err(pause.error.clone()),
            _ => Ok(()),
        }
    }

    fn pauses(&self, begun: Timestamp, error: &ListError<AskError>) {
        let pause = Pause {
            since: Os.now(),
            millis: millis_since(begun).max(limits::MCP_RESTART_MILLIS),
            error: error.clone(),
        };
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = Some(pause);
    }

    /// Asks it for its tools, unless it was waited for in vain a moment ago.
    fn asked(&self) -> Result<List, ListError<AskError>> {
        let upstream = self.running()?;
        self.tools_of(&upstream)
    }

    fn tools_of(&self, upstream: &Upstream) -> Result<List, ListError<AskError>> {
        self.paused()?;
        let begun = Os.now();
        upstream.tools().inspect_err(|error| self.pauses(begun, error))
    }

    /// What it offers, by the names that the protocol has for that; none where it does not answer.
    pub fn offers(&self) -> Option<Json> {
        Some(self.running().ok()?.offers().clone())
    }

    /// Whether it offers something, such as `resources`.
    pub fn has(&self, capability: &str) -> bool {
        self.offers()
            .is_some_and(|all| all.get(capability).and_then(Json::as_object).is_some())
    }

    /// Whether it says of something it offers that it does this.
    pub fn says(&self, offer: &str, what: &str) -> bool {
        let offers = self.offers();
        offers.is_some_and(|all| all.get(offer).and_then(|offer| offer.get(what)) == Some(&Json::Bool(true)))
    }

    /// Whether it can say at any time that something is otherwise.
    pub fn is_heard(&self) -> bool {
        self.running().is_ok_and(|upstream| upstream.is_heard())
    }

    /// What it lists of a kind now; none where it does not say.
    pub fn listed(&self, offer: Offer) -> Option<Arc<Vec<Json>>> {
        if !self.has(offer.capability()) {
            return None;
        }
        let mut ask = || {
            let upstream = self.running()?;
            self.paused()?;
            let begun = Os.now();
            let listed = upstream.list(offer.method(), offer.member());
            match listed {
                // One that has resources need not have templates.
                Err(ListError::Ask(AskError::Refused { .. })) => Ok((Vec::new(), None)),
                listed => listed.inspect_err(|error| self.pauses(begun, error)),
            }
        };
        self.lists.of(offer).get(&|| Os.now(), &mut ask)
    }

    /// Whether what it logs over a request is known to be of that request.
    pub fn logs(&self) -> bool {
        matches!(self.reached, Reached::Asked(..)) && self.has("logging")
    }

    /// Asks it for something that is no call of a tool.
    pub fn asks(&self, asks: Asks<'_>) -> Result<Json, AskError> {
        self.running().map_err(not_asked)?.asks(asks)
    }

    /// What it lists now, of what is as it was pinned.
    pub fn list(&self) -> Result<Arc<List>, Unpinned> {
        self.watch.list(&|| Os.now(), &mut || self.asked())
    }

    /// Whether a tool of a list could be called.
    pub fn stands(&self, tool: &str, list: &List) -> Result<(), Unpinned> {
        self.watch.standing(tool, &list.listed)?;
        let tool = list.listed.tools.get(tool);
        tool.map_or(Ok(()), |tool| self.says_headers(&tool.definition))
    }

    /// The definition of a tool that may be called now.
    pub fn check(&self, tool: &str) -> Result<Json, Unpinned> {
        let definition = self.watch.check(tool, &|| Os.now(), &mut || self.asked())?;
        self.says_headers(&definition).map(|()| definition)
    }

    /// Whether headers can say the arguments of a tool, where they have to.
    fn says_headers(&self, definition: &Json) -> Result<(), Unpinned> {
        let has_none = matches!(self.reached, Reached::Started(_));
        match has_none || headers::are_good(definition.get("inputSchema")) {
            true => Ok(()),
            false => Err(Unpinned::Headers),
        }
    }

    /// Passes a call on and waits for what comes of it. The process that is called is the one whose tools were looked at: it may have been
    /// started after the call was judged.
    pub fn call(&self, tool: &str, asks: Asks<'_>) -> Result<Json, CallError> {
        let upstream = self.running().map_err(|error| CallError::Ask(not_asked(error)))?;
        let definition = self
            .watch
            .check(tool, &|| Os.now(), &mut || self.tools_of(&upstream))
            .map_err(CallError::Unpinned)?;
        self.says_headers(&definition).map_err(CallError::Unpinned)?;
        let arguments = asks.params.get("arguments");
        let headers = headers::of(definition.get("inputSchema"), arguments);
        upstream.asks(Asks { headers, ..asks }).map_err(CallError::Ask)
    }

    /// Ends it.
    pub fn stop(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_over = true;
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = listening.take() {
            stop.stop();
        }
        if let Some(upstream) = running.upstream.take() {
            upstream.stop();
        }
    }
}

/// Why a server that does not run was not asked.
fn not_asked(error: ListError<AskError>) -> AskError {
    match error {
        ListError::Ask(error) => error,
        ListError::Tools(_) | ListError::NoList | ListError::TooLong => AskError::Ended("initialize"),
    }
}

fn millis_since(then: Timestamp) -> i64 {
    Os.now().as_millisecond().saturating_sub(then.as_millisecond())
}
