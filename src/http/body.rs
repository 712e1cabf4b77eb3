//! What goes in and out of a request: a body within its bounds, and a response with its headers.

use super::metrics::{About, Metrics};
use super::refusal::Refusal;
use crate::artifact::jcs;
use crate::json::Json;
use crate::limits;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The media type of JSON.
pub const JSON: &str = "application/json";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a page may do (Content Security Policy Level 3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The body of a response.
pub enum Body {
    /// All of it is there.
    Whole(Full<Bytes>),
    /// Pieces come until nobody sends any more.
    Pieces(mpsc::Receiver<Vec<u8>>),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Body::Whole(whole) => Pin::new(whole).poll_frame(context),
            Body::Pieces(pieces) => pieces
                .poll_recv(context)
                .map(|piece| piece.map(|piece| Ok(Frame::data(Bytes::from(piece))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(whole) => whole.is_end_stream(),
            Body::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(whole) => whole.size_hint(),
            Body::Pieces(_) => SizeHint::default(),
        }
    }
}

/// The content of a response.
#[derive(Debug)]
pub struct Content {
    /// Its media type.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Content {
    /// A document.
    pub fn json(document: &Json) -> Content {
        Content {
            kind: JSON,
            bytes: jcs::to_vec(document),
        }
    }

    /// What was counted.
    pub fn metrics(metrics: &Metrics, about: &About<'_>) -> Content {
        Content {
            kind: METRICS,
            bytes: metrics.text(about).into_bytes(),
        }
    }
}

/// Refuses a body that is not said to be of this kind: a web page may send a few others without asking first.
pub fn is_kind(headers: &HeaderMap, kind: &str) -> Result<(), Refusal> {
    let said = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if said.is_some_and(|said| is_media(said, kind)) {
        return Ok(());
    }
    let message = format!("the body is not said to be {kind}");
    Err(Refusal::new(415, "request.content_type", message))
}

/// Whether whoever asks takes an answer of this kind; who does not say takes any.
pub fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let mut said = headers.get_all(ACCEPT).iter().peekable();
    let family = kind.split('/').next().unwrap_or_default();
    let any = format!("{family}/*");
    said.peek().is_none()
        || said.any(|value| {
            let mut each = value.as_bytes().split(|byte| *byte == b',');
            each.any(|one| [kind, &any, "*/*"].iter().any(|kind| is_media(one, kind)))
        })
}

fn is_media(said: &[u8], kind: &str) -> bool {
    let said = said.split(|byte| *byte == b';').next().unwrap_or_default();
    said.trim_ascii().eq_ignore_ascii_case(kind.as_bytes())
}

/// Reads a body of at most `most` bytes, in time.
pub async fn read(body: Incoming, most: usize) -> Result<Bytes, Refusal> {
    let wait = Duration::from_millis(limits::REQUEST_BODY_MILLIS);
    match timeout(wait, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("the body is longer than {most} bytes");
            Err(Refusal::new(413, "request.too_large", message))
        }
        Ok(Err(_)) => Err(Refusal::new(400, "request.cut_off", "the body was cut off")),
        Err(_) => Err(Refusal::new(408, "request.slow", "the body did not come in time")),
    }
}

/// A response.
pub fn response(status: StatusCode, content: Content) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Full::new(Bytes::from(content.bytes))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A response that is a page, or a part of one: what is on it comes from here alone, and no other page shows it.
pub(super) fn page(content: Content) -> Response<Body> {
    let mut response = response(StatusCode::OK, content);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// A refusal, which is counted.
pub fn refused(metrics: &Metrics, refusal: &Refusal) -> Response<Body> {
    metrics.refused(refusal.code);
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = response(status, Content::json(&refusal.document()));
    let headers = response.headers_mut();
    if refusal.may_retry() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    // Of what would be no header nothing is said; nobody is let in by that.
    let challenge = refusal.challenge.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(challenge)) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}
