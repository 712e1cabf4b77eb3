//! One of the servers behind the gateway: it is started when it is first asked, and again when it has ended. In: its name and command, as
//! the configuration has them. Out: what it lists, and answers. What it says of itself counts for nothing.

use super::catalog::Offer;
use super::headers;
use crate::artifact::Digest;
use crate::artifact::tool_lock::Pinned;
use crate::host::{Around, Host, Os};
use crate::http::Target;
use crate::json::Json;
use crate::limits;
use crate::mcp::fresh::Fresh;
use crate::mcp::list::{List, ListError};
use crate::mcp::upstream::{AskError, Asks, Upstream, is_program};
use crate::mcp::watch::{Unpinned, Watch};
use crate::mcp::web::Web;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

/// Who is told that what a server lists is otherwise, by the method of the notification.
pub type Changed = Arc<dyn Fn(&str) + Send + Sync>;

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
    pub fn new(behind: Behind, changed: Changed) -> Server {
        let program = behind.pinned.as_ref().and_then(|pinned| pinned.program);
        Server {
            reached: behind.reached,
            program,
            resources: behind.resources,
            watch: Arc::new(Watch::new(behind.pinned.map(|pinned| pinned.tools))),
            lists: Arc::default(),
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
        let (watch, lists, changed) = (
            Arc::clone(&self.watch),
            Arc::clone(&self.lists),
            Arc::clone(&self.changed),
        );
        let heard = move |method: &str| {
            let of_tools = method == crate::mcp::list::CHANGED;
            if of_tools {
                watch.changed();
            }
            if of_tools || lists.changed(method) {
                changed(method);
            }
        };
        let started = match &self.reached {
            Reached::Started(command) => is_program(command, self.program)
                .and_then(|()| Upstream::start(command, &Around::default(), Box::new(heard))),
            Reached::Asked(target, token) => Upstream::at(Web::new(target.clone(), token.clone())),
        };
        match started {
            Ok(upstream) => Ok(Arc::clone(running.upstream.insert(Arc::new(upstream)))),
            Err(error) => {
                let error = ListError::Ask(error);
                self.pauses(begun, &error);
                Err(error)
            }
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

    /// Whether it can say that something is otherwise: one that is asked at an address is heard only while it answers.
    pub fn is_heard(&self) -> bool {
        matches!(self.reached, Reached::Started(_))
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
        !self.is_heard() && self.has("logging")
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
        self.watch.standing(tool, &list.listed)
    }

    /// The definition of a tool that may be called now.
    pub fn check(&self, tool: &str) -> Result<Json, Unpinned> {
        self.watch.check(tool, &|| Os.now(), &mut || self.asked())
    }

    /// Passes a call on and waits for what comes of it. The process that is called is the one whose tools were looked at: it may have been
    /// started after the call was judged.
    pub fn call(&self, tool: &str, asks: Asks<'_>) -> Result<Json, CallError> {
        let upstream = self.running().map_err(|error| CallError::Ask(not_asked(error)))?;
        let definition = self
            .watch
            .check(tool, &|| Os.now(), &mut || self.tools_of(&upstream))
            .map_err(CallError::Unpinned)?;
        let arguments = asks.params.get("arguments");
        let headers = headers::of(definition.get("inputSchema"), arguments);
        upstream.asks(Asks { headers, ..asks }).map_err(CallError::Ask)
    }

    /// Ends it.
    pub fn stop(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_over = true;
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
