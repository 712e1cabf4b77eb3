//! The gateway on HTTP: who may ask, what headers say, and where answers go. In: requests. Out: responses. It decides nothing, and what it
//! passes to the gateway runs on a thread that may block.

use super::events::event;
use super::{Gateway, Head, Reply, pages, stream};
use crate::approvals::desk::ApprovalDesk;
use crate::host::{Host, Os};
use crate::http::oauth::{self, Principal, Resource};
use crate::http::{
    self, About, Answers, Body, Content, Guard, JSON, Listening, Metrics, Refusal, Said, Say, ServeError,
    page,
};
use crate::json::Json;
use crate::limits;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;

/// Where clients post.
pub const PATH: &str = "/mcp";
const EVENTS: &str = "text/event-stream";
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Before the names of headers that say arguments.
const PARAM: &str = "mcp-param-";

/// Answers until the process is told to stop (SIGTERM, SIGINT), then ends the servers. At most so many requests are answered at a time.
pub fn serve(
    listening: Listening,
    gateway: Gateway,
    (guard, resource): (Guard, Option<Resource>),
    most: usize,
    say: &mut dyn FnMut(Said),
) -> Result<(), ServeError> {
    let gateway = Arc::new(gateway);
    let make = |say: Say| {
        let tell = http::troubles(say.clone(), Arc::clone(&gateway.metrics));
        gateway.setup().traces.tell_troubles(tell);
        Arc::new(Front {
            gateway: Arc::clone(&gateway),
            guard,
            resource: resource.map(Arc::new),
            places: Arc::new(Semaphore::new(most)),
            say,
        })
    };
    let threads = most.saturating_add(limits::REQUESTS_ABOUT).saturating_add(1);
    let served = http::serve(listening, threads, make, say);
    gateway.stop();
    served
}

struct Front {
    gateway: Arc<Gateway>,
    guard: Guard,
    /// Who gives tokens, where an authorization server does.
    resource: Option<Arc<Resource>>,
    /// How many requests may be answered at once.
    places: Arc<Semaphore>,
    say: Say,
}

impl Answers for Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let _in_flight = self.gateway.metrics.begin();
        match self.handled(request).await {
            Ok(response) => response,
            Err(refusal) => {
                let mut response = http::refused(&self.gateway.metrics, &refusal);
                if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                    let all = HeaderValue::from_static("GET, POST, DELETE");
                    response.headers_mut().insert(ALLOW, all);
                }
                response
            }
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.gateway.metrics
    }

    fn reload(&self) {
        http::tell(
            &self.say,
            Said::Note("nothing is read again while the gateway runs".to_owned()),
        );
    }

    fn stopping(&self) {
        self.gateway.hang_up();
    }
}

impl Front {
    async fn handled(&self, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let (head, body) = request.into_parts();
        let (path, has_authority) = (head.uri.path(), head.uri.authority().is_some());
        match page::is_of_page(path) {
            true => self.guard.check_own_origin(&head.headers, has_authority)?,
            false => self.guard.check_origin(&head.headers, has_authority)?,
        }
        if let (Some(file), &Method::GET) = (page::file(path), &head.method) {
            return Ok(file.response());
        }
        if let (Some(resource), &Method::GET, true) = (&self.resource, &head.method, is_metadata(path)) {
            return Ok(http::response(
                StatusCode::OK,
                Content::json(&resource.document()),
            ));
        }
        let shown_page = path.strip_prefix(pages::PATH);
        // Who knows the name of a page may see it: browsers show no token.
        let principal = match path != "/healthz" && shown_page.is_none() {
            true => self.principal(&head.headers).await?,
            false => None,
        };
        if head.uri.query().is_some() {
            let message = "nothing here takes a query";
            return Err(Refusal::new(400, "request.query", message));
        }
        let ok = |content| http::response(StatusCode::OK, content);
        let fine = || ok(Content::json(&Json::object([("ok", Json::Bool(true))])));
        if let Some(name) = shown_page {
            return match (self.gateway.pages.find(name), &head.method) {
                (Some(html), &Method::GET) => Ok(shown(html)),
                (Some(_), method) => Err(not_asked_with(path, method)),
                (None, _) => Err(nothing()),
            };
        }
        match (path, &head.method) {
            (PATH, &Method::POST) => self.posted(&head, body, principal).await,
            (PATH, &Method::GET) => self.listens(&head.headers, principal.as_deref()),
            (PATH, &Method::DELETE) => self.leaves(&head.headers, principal.as_deref()),
            ("/healthz", &Method::GET) => Ok(fine()),
            ("/readyz", &Method::GET) => {
                let gateway = Arc::clone(&self.gateway);
                let ready = spawn_blocking(move || gateway.ready()).await;
                match ready {
                    Ok(Ok(())) => Ok(fine()),
                    Ok(Err(refusal)) => Err(refusal),
                    Err(_) => Err(bug()),
                }
            }
            ("/metrics", &Method::GET) => {
                let boundary = &self.gateway.setup().boundary;
                let desk = self.gateway.setup().approvals.as_ref();
                let about = About {
                    bundle: boundary.bundle(),
                    policy: boundary.policy(),
                    waiting: desk.map(|desk| desk.count(&Os)),
                };
                Ok(ok(Content::metrics(&self.gateway.metrics, &about)))
            }
            (page::INBOX, &Method::GET) => self.at_desk(|desk| Ok(desk.list(&Os)?)).await,
            (page::INBOX, &Method::POST) => {
                http::is_kind(&head.headers, JSON)?;
                let body = http::read(body, limits::ENVELOPE_BYTES).await?;
                let gateway = Arc::clone(&self.gateway);
                let take = move |desk: &ApprovalDesk| {
                    let told = desk.take(&Os, &body)?;
                    gateway.metrics.answered(&told);
                    Ok(told)
                };
                self.at_desk(take).await
            }
            (page::INBOX | PATH | "/healthz" | "/readyz" | "/metrics", method) => {
                Err(not_asked_with(path, method))
            }
            _ => Err(nothing()),
        }
    }

    /// Who asks: refused where nobody shows what is asked for, and known by name where an authorization server gives tokens.
    async fn principal(&self, headers: &HeaderMap) -> Result<Option<Arc<Principal>>, Refusal> {
        self.guard.check_token(headers)?;
        let Some(resource) = self.resource.clone() else {
            return Ok(None);
        };
        let headers = headers.clone();
        let found = spawn_blocking(move || resource.principal(&headers, Os.now())).await;
        let found = found.map_err(|_| bug())??;
        Ok(Some(Arc::new(found)))
    }

    /// What waits for people, or their answers to it.
    async fn at_desk(
        &self,
        work: impl FnOnce(&ApprovalDesk) -> Result<Json, Refusal> + Send + 'static,
    ) -> Result<Response<Body>, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let gateway = Arc::clone(&self.gateway);
        let done = spawn_blocking(move || {
            let desk = gateway.setup().approvals.as_ref().ok_or_else(|| {
                let message = "the gateway knows nobody who may approve";
                Refusal::new(400, "request.no_approvers", message)
                    .hint("`approvers` in its configuration names them")
            });
            let done = desk.and_then(work);
            drop(place);
            done
        });
        let document = done.await.map_err(|_| bug())??;
        Ok(http::response(StatusCode::OK, Content::json(&document)))
    }

    /// A message of a client.
    async fn posted(
        &self,
        head: &Parts,
        body: Incoming,
        principal: Option<Arc<Principal>>,
    ) -> Result<Response<Body>, Refusal> {
        http::is_kind(&head.headers, JSON)?;
        if !http::accepts(&head.headers, JSON) {
            let message = "answers are application/json, which the request does not accept";
            return Err(Refusal::new(406, "request.accept", message));
        }
        let said = Head {
            principal,
            ..said(&head.headers)?
        };
        let place = Arc::clone(&self.places).try_acquire_owned();
        let body = http::read(body, limits::MCP_MESSAGE_BYTES).await?;
        let place = match place {
            Ok(place) => Some(place),
            // What somebody waits for who has a place already needs none.
            Err(_) if self.gateway.is_answer(&body) => None,
            Err(_) => return Err(busy()),
        };
        let (to, mut told) = stream(limits::MCP_EVENTS);
        let streams = head.headers.contains_key(ACCEPT) && http::accepts(&head.headers, EVENTS);
        let to = streams.then_some(to);
        let gateway = Arc::clone(&self.gateway);
        let mut work = spawn_blocking(move || {
            let reply = gateway.post(&said, &body, to.as_ref());
            // Held until the work ends, however long anybody waits for it.
            drop(place);
            reply
        });
        let reply = tokio::select! {
            biased;
            Some(first) = told.recv() => return Ok(streamed(first, told, async { work.await.ok() })),
            reply = &mut work => reply.map_err(|_| bug())?,
        };
        match told.try_recv() {
            Ok(first) => Ok(streamed(first, told, async { Some(reply) })),
            Err(_) => Ok(answered(reply)),
        }
    }

    /// A client wants to be told of changes.
    fn listens(&self, headers: &HeaderMap, asks: Option<&Principal>) -> Result<Response<Body>, Refusal> {
        if !http::accepts(headers, EVENTS) {
            let message = "what is told is text/event-stream, which the request does not accept";
            return Err(Refusal::new(406, "request.accept", message));
        }
        let said = said(headers)?;
        let client = session(&said).and_then(|id| self.gateway.client(id, asks).ok_or_else(no_session))?;
        let (to, pieces) = stream(limits::MCP_STREAM);
        client.streams_to(to);
        Ok(of_pieces(pieces))
    }

    /// A client ends its session.
    fn leaves(&self, headers: &HeaderMap, asks: Option<&Principal>) -> Result<Response<Body>, Refusal> {
        let said = said(headers)?;
        match self.gateway.ends(session(&said)?, asks) {
            true => Ok(empty(StatusCode::NO_CONTENT)),
            false => Err(no_session()),
        }
    }
}

/// Whether a path is that of the metadata, of the whole service or of where clients post.
fn is_metadata(path: &str) -> bool {
    path.strip_prefix(oauth::METADATA)
        .is_some_and(|of| of.is_empty() || of == PATH)
}

/// A response of one message, or of none.
fn answered(reply: Reply) -> Response<Body> {
    match reply {
        Reply::Accepted => empty(StatusCode::ACCEPTED),
        Reply::Listens(pieces) => of_pieces(pieces),
        Reply::Says(status, message, session) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = http::response(status, Content::json(&message));
            if let Some(session) = session.and_then(|id| HeaderValue::from_str(&id).ok()) {
                response.headers_mut().insert(SESSION, session);
            }
            response
        }
    }
}

/// A response of what is told of a request until it is answered, and of the answer.
fn streamed(
    first: Vec<u8>,
    mut told: Receiver<Vec<u8>>,
    reply: impl Future<Output = Option<Reply>> + Send + 'static,
) -> Response<Body> {
    let (to, pieces) = stream(limits::MCP_STREAM);
    tokio::spawn(async move {
        let mut next = Some(first);
        while let Some(piece) = next {
            if to.send(piece).await.is_err() {
                return;
            }
            next = tokio::select! {
                piece = told.recv() => piece,
                // Whoever asked is gone; who works for it finds `told` closed.
                () = to.closed() => return,
            };
        }
        if let Some(Reply::Says(_, message, _)) = reply.await {
            let _ = to.send(event(&message)).await;
        }
    });
    of_pieces(pieces)
}

fn of_pieces(pieces: Receiver<Vec<u8>>) -> Response<Body> {
    let mut response = Response::new(Body::Pieces(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn nothing() -> Refusal {
    Refusal::new(404, "request.not_found", "there is nothing of this name")
        .hint("clients of the gateway post to /mcp")
}

fn not_asked_with(path: &str, method: &Method) -> Refusal {
    let message = format!("{path} is not asked with {method}");
    Refusal::new(405, "request.method", message)
}

/// A page, on which nothing runs, from which nothing is sent, and which nobody puts into another.
fn shown(html: String) -> Response<Body> {
    let content = Content {
        kind: "text/html; charset=utf-8",
        bytes: html.into_bytes(),
    };
    let mut response = http::response(StatusCode::OK, content);
    let headers = response.headers_mut();
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn busy() -> Refusal {
    let message = "as many requests are being answered as the gateway takes at once";
    Refusal::new(503, "serve.busy", message)
}

fn bug() -> Refusal {
    Refusal::new(500, "internal.panic", "gait met a bug of its own")
}

fn no_session() -> Refusal {
    let message = "there is no such session any more";
    Refusal::new(404, "request.session", message).hint("`initialize` begins one")
}

fn session(said: &Head) -> Result<&str, Refusal> {
    said.session.as_deref().ok_or_else(|| {
        let message = "the header Mcp-Session-Id names no session";
        Refusal::new(400, "request.session", message)
    })
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Whole(http_body_util::Full::default()));
    *response.status_mut() = status;
    response
}

/// What the headers say. One that is there twice, or is no plain text, says nothing that could be relied on.
fn said(headers: &HeaderMap) -> Result<Head, Refusal> {
    let text = |name: &HeaderName| {
        if !headers.contains_key(name) {
            return Ok(None);
        }
        let value = http::only(headers, name).and_then(|value| str::from_utf8(value).ok());
        let value = value.and_then(plain);
        value.map(Some).ok_or_else(|| {
            let message = format!("the header {name} is there twice, or cannot be read");
            Refusal::new(400, "request.header", message)
        })
    };
    let mut params = BTreeMap::new();
    for name in headers.keys() {
        if let Some(param) = name.as_str().strip_prefix(PARAM) {
            // What cannot be read agrees with no argument.
            params.insert(param.to_owned(), text(name).unwrap_or_default());
        }
    }
    Ok(Head {
        principal: None,
        params,
        revision: text(&REVISION)?,
        session: text(&SESSION)?,
        method: text(&METHOD)?,
        name: text(&NAME)?,
    })
}

/// The text of a value, which stands in base64 where it could not stand as it is.
fn plain(value: &str) -> Option<String> {
    use base64::Engine as _;
    match value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        Some(coded) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(coded).ok()?;
            String::from_utf8(bytes).ok()
        }
        None => value.is_ascii().then(|| value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_one_thing_or_nothing() {
        let read = |given: &[(&HeaderName, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append((*name).clone(), value.parse().unwrap());
            }
            said(&headers)
                .map(|said| said.name)
                .map_err(|refusal| refusal.code)
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(&NAME, "git__x")]), Ok(Some("git__x".into())));
        assert_eq!(read(&[(&NAME, "=?base64?w6k=?=")]), Ok(Some("é".into())));
        for wrong in [
            &[(&NAME, "a"), (&NAME, "a")][..],
            &[(&NAME, "=?base64?w6k?=")],
            &[(&NAME, "=?base64?//8=?=")],
            &[(&NAME, "\u{e9}")],
            &[(&SESSION, "a"), (&SESSION, "b")],
        ] {
            assert_eq!(read(wrong), Err("request.header"), "{wrong:?}");
        }
    }
}
