//! From a request to a response: the head is checked, the body read within its bounds, the work done on a thread that may block,
//! and what comes of it written as JSON. In: HTTP. Out: HTTP. It decides nothing itself.

use super::service::Service;
use crate::artifact::is_id;
use crate::domain::traceparent::is_traceparent;
use crate::host::Os;
use crate::http::{
    self, About, Answers, Body, Content, Guard, JSON, Metrics, Refusal, Said, Say, page, tell,
};
use crate::json::Json;
use crate::limits;
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The description of the interface.
pub const OPENAPI: &str = include_str!("../../schemas/v1/daemon/openapi.json");

/// What connections share.
pub struct Shared {
    /// What answers.
    pub service: Arc<Service>,
    /// Who may ask.
    pub guard: Guard,
    /// How many may be decided at once.
    pub deciding: Arc<Semaphore>,
    /// How many may ask about the daemon at once.
    pub about: Arc<Semaphore>,
    /// What people are told.
    pub say: Say,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Route {
    Decide,
    Inbox,
    Answer,
    Page(&'static page::File),
    Redeem,
    Settle,
    Reload,
    Trace(String),
    Health,
    Ready,
    Metrics,
    OpenApi,
}

impl Answers for Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let _in_flight = self.service.metrics.begin();
        match handled(&self, request).await {
            Ok(response) => response,
            Err(refusal) => http::refused(&self.service.metrics, &refusal),
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.service.metrics
    }

    fn reload(&self) {
        // Who listens to what is said knows what came of it.
        let _ = reload(&self.service, &self.say);
    }

    fn stopping(&self) {}
}

async fn handled(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    let has_authority = head.uri.authority().is_some();
    match page::is_of_page(head.uri.path()) {
        true => shared.guard.check_own_origin(&head.headers, has_authority)?,
        false => shared.guard.check_origin(&head.headers, has_authority)?,
    }
    let route = route(&head)?;
    // A browser shows no token by itself; the page asks for it.
    if !matches!(route, Route::Health | Route::Page(_)) {
        shared.guard.check_token(&head.headers)?;
    }
    let service = Arc::clone(&shared.service);
    let content = match route {
        Route::Health => Ok(Content::json(&Json::object([("ok", Json::Bool(true))]))),
        Route::OpenApi => Ok(Content {
            kind: JSON,
            bytes: OPENAPI.as_bytes().to_vec(),
        }),
        Route::Metrics => {
            let (bundle, policy) = service.bundle();
            let about = About {
                bundle,
                policy: &policy,
                waiting: service.waiting(),
            };
            Ok(Content::metrics(&service.metrics, &about))
        }
        Route::Ready => within(&shared.about, move || ready(&service)).await,
        Route::Trace(id) => {
            within(&shared.about, move || {
                let bytes = service.trace(&id)?;
                Ok(Content { kind: JSON, bytes })
            })
            .await
        }
        Route::Reload => {
            let say = shared.say.clone();
            within(&shared.about, move || reload(&service, &say)).await
        }
        Route::Decide => {
            let traceparent = traceparent(&head.headers);
            let decided = move |body: &[u8]| service.decide(body, traceparent);
            posted(shared, &head, body, decided).await
        }
        Route::Inbox => {
            within(&shared.about, move || {
                Ok(Content::json(&service.approvals()?.list(&Os)?))
            })
            .await
        }
        Route::Answer => posted(shared, &head, body, move |body| service.answered(body)).await,
        Route::Page(file) => return Ok(file.response()),
        Route::Redeem => posted(shared, &head, body, move |body| service.redeem(body)).await,
        Route::Settle => posted(shared, &head, body, move |body| service.settle(body)).await,
    };
    Ok(http::response(StatusCode::OK, content?))
}

/// Where the call stands in a distributed trace. A header that does not say so is left aside, as W3C Trace Context (section 4.3) has it.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let value = http::only(headers, &HeaderName::from_static("traceparent"))?;
    let text = str::from_utf8(value).ok()?;
    is_traceparent(text).then(|| text.to_owned())
}

fn route(head: &Parts) -> Result<Route, Refusal> {
    let path = head.uri.path();
    let (method, route) = match path {
        page::INBOX if head.method == Method::POST => (Method::POST, Route::Answer),
        page::INBOX => (Method::GET, Route::Inbox),
        "/v1/decide" => (Method::POST, Route::Decide),
        "/v1/permits/redeem" => (Method::POST, Route::Redeem),
        "/v1/permits/settle" => (Method::POST, Route::Settle),
        "/v1/reload" => (Method::POST, Route::Reload),
        "/healthz" => (Method::GET, Route::Health),
        "/readyz" => (Method::GET, Route::Ready),
        "/metrics" => (Method::GET, Route::Metrics),
        "/openapi.json" => (Method::GET, Route::OpenApi),
        _ => match path.strip_prefix("/v1/traces/") {
            Some(id) if is_id(id) => (Method::GET, Route::Trace(id.to_owned())),
            _ => match page::file(path) {
                Some(file) => (Method::GET, Route::Page(file)),
                None => {
                    let message = "there is nothing of this name";
                    return Err(Refusal::new(404, "request.not_found", message)
                        .hint("GET /openapi.json names everything there is"));
                }
            },
        },
    };
    if head.uri.query().is_some() {
        let message = "nothing here takes a query";
        return Err(Refusal::new(400, "request.query", message));
    }
    if head.method == method {
        return Ok(route);
    }
    let message = format!("{path} is asked with {method}");
    Err(Refusal::new(405, "request.method", message))
}

/// Does what is asked for with a body, where there is a place for it.
async fn posted(
    shared: &Arc<Shared>,
    head: &Parts,
    body: Incoming,
    work: impl FnOnce(&[u8]) -> Result<Json, Refusal> + Send + 'static,
) -> Result<Content, Refusal> {
    http::is_kind(&head.headers, JSON)?;
    let permit = Arc::clone(&shared.deciding).try_acquire_owned().map_err(|_| {
        let message = "as many calls are being decided as the daemon takes at once";
        Refusal::new(503, "serve.busy", message)
    })?;
    let body = http::read(body, limits::REQUEST_BYTES).await?;
    finished(spawn_blocking(move || {
        let done = work(&body);
        // Held until the work ends, however long anybody waits for it.
        drop(permit);
        Ok(Content::json(&done?))
    }))
    .await
}

/// Does what blocks, where few enough do.
async fn within(
    few: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<Content, Refusal> + Send + 'static,
) -> Result<Content, Refusal> {
    let permit = Arc::clone(few).try_acquire_owned().map_err(|_| {
        let message = "as many ask about the daemon as it answers at once";
        Refusal::new(503, "serve.busy", message)
    })?;
    finished(spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    }))
    .await
}

/// What comes of work, in time. Work that takes longer goes on, and nobody learns what came of it.
async fn finished(work: tokio::task::JoinHandle<Result<Content, Refusal>>) -> Result<Content, Refusal> {
    match timeout(Duration::from_millis(limits::REQUEST_MILLIS), work).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Refusal::new(500, "internal.panic", "gait met a bug of its own")),
        Err(_) => Err(Refusal::new(503, "serve.slow", "the answer did not come in time")
            .hint("there is no verdict, so the call must not run")),
    }
}

fn ready(service: &Service) -> Result<Content, Refusal> {
    service.ready()?;
    let (bundle, _) = service.bundle();
    let members = [("ok", Json::Bool(true)), ("bundle_digest", bundle.to_json())];
    Ok(Content::json(&Json::object(members)))
}

/// Loads the bundle again, and tells people what came of it.
fn reload(service: &Service, say: &Say) -> Result<Content, Refusal> {
    match service.reload() {
        Ok(reloaded) => {
            tell(say, Said::Note(format!("bundle {} decides now", reloaded.after)));
            Ok(Content::json(&Json::object([
                ("ok", Json::Bool(true)),
                ("bundle_digest", reloaded.after.to_json()),
                ("previous", reloaded.before.to_json()),
            ])))
        }
        Err(error) => {
            let (bundle, _) = service.bundle();
            tell(
                say,
                Said::Warning(format!("bundle {bundle} goes on to decide: {error}")),
            );
            Err(Refusal::new(409, error.code(), error.to_string())
                .hint("the bundle that decided before goes on to decide"))
        }
    }
}
