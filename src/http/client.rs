//! One request to a service on this machine, and its answer. In: where, what, and how long to wait. Out: the answer, bounded. No redirect is
//! followed, no name is looked up, and nothing leaves the machine: there is no encryption here.

use super::body::Body;
use crate::limits;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::time::timeout;
use url::{Host, Url};

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    address: SocketAddr,
    host: String,
    path: String,
}

impl Target {
    /// Reads an address of a service on this machine; why it is none.
    pub fn read(text: &str) -> Result<Target, &'static str> {
        let url = Url::parse(text).map_err(|_| "it is no URL")?;
        if url.scheme() != "http" {
            return Err("only http:// to this machine is asked; a tunnel leads elsewhere");
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err("it has more than a host, a port and a path");
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain("localhost")) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => return Err("it names another machine than this one"),
        };
        if !ip.is_loopback() {
            return Err("it names another machine than this one");
        }
        let address = SocketAddr::new(ip, url.port_or_known_default().unwrap_or(80));
        Ok(Target {
            host: address.to_string(),
            address,
            path: url.path().to_owned(),
        })
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or as much of it as was enough.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there, or stays.
    #[error("{0}")]
    Connection(String),
    /// It takes too long.
    #[error("there is no answer in time")]
    Slow,
    /// It is too long.
    #[error("the answer is too long")]
    TooLong,
}

/// Posts a body and reads the answer, until it ends or is enough. It blocks, for so many milliseconds or until it is told to stop.
pub fn post(
    to: &Target,
    headers: &[(HeaderName, HeaderValue)],
    body: Vec<u8>,
    (millis, stop): (u64, Option<&Notify>),
    is_enough: &mut dyn FnMut(&Answered) -> bool,
) -> Result<Answered, ClientError> {
    let failed = |error: &dyn std::fmt::Display| ClientError::Connection(error.to_string());
    let exchange = async {
        let exchange = exchange(to, headers, body, is_enough);
        let waited = timeout(Duration::from_millis(millis), exchange);
        let stopped = async {
            match stop {
                Some(stop) => stop.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            waited = waited => waited.unwrap_or(Err(ClientError::Slow)),
            () = stopped => Err(ClientError::Slow),
        }
    };
    match Handle::try_current() {
        Ok(runtime) => runtime.block_on(exchange),
        Err(_) => {
            let built = Builder::new_current_thread().enable_all().build();
            built.map_err(|error| failed(&error))?.block_on(exchange)
        }
    }
}

async fn exchange(
    to: &Target,
    headers: &[(HeaderName, HeaderValue)],
    body: Vec<u8>,
    is_enough: &mut dyn FnMut(&Answered) -> bool,
) -> Result<Answered, ClientError> {
    let failed = |error: &dyn std::fmt::Display| ClientError::Connection(error.to_string());
    let stream = TcpStream::connect(to.address)
        .await
        .map_err(|error| failed(&error))?;
    // Only one request is sent, in one piece.
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(limits::REQUEST_HEAD_BYTES)
        .max_headers(limits::REQUEST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let mut request = Request::new(Body::Whole(Full::new(Bytes::from(body))));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = to.path.parse().map_err(|error| failed(&error))?;
    let host = HeaderValue::from_str(&to.host).map_err(|error| failed(&error))?;
    request.headers_mut().insert(HOST, host);
    for (name, value) in headers {
        request.headers_mut().insert(name.clone(), value.clone());
    }
    let mut work = pin!(async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| failed(&error))?;
        collected(response, is_enough).await
    });
    let mut connection = pin!(connection);
    let mut is_open = true;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}

async fn collected(
    response: Response<Incoming>,
    is_enough: &mut dyn FnMut(&Answered) -> bool,
) -> Result<Answered, ClientError> {
    let (head, mut body) = response.into_parts();
    let mut answered = Answered {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Vec::new(),
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ClientError::Connection(error.to_string()))?;
        let Ok(piece) = frame.into_data() else { continue };
        if answered.body.len().saturating_add(piece.len()) > limits::MCP_MESSAGE_BYTES {
            return Err(ClientError::TooLong);
        }
        answered.body.extend_from_slice(&piece);
        if is_enough(&answered) {
            break;
        }
    }
    Ok(answered)
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn only_this_machine_is_asked() {
        for (text, host) in [
            ("http://127.0.0.1:8080/mcp", Some("127.0.0.1:8080")),
            ("http://localhost:8080/mcp", Some("127.0.0.1:8080")),
            ("http://[::1]:8080/", Some("[::1]:8080")),
            ("http://127.1:8080/", Some("127.0.0.1:8080")),
            ("http://127.0.0.1", Some("127.0.0.1:80")),
            ("https://127.0.0.1:8080/", None),
            ("http://169.254.169.254/", None),
            ("http://localhost.evil.example/", None),
            ("http://localhost@evil.example/", None),
            ("http://127.0.0.1@evil.example/", None),
            ("http://u:p@127.0.0.1/", None),
            ("http://0.0.0.0:80/", None),
            ("http://[::ffff:10.0.0.1]/", None),
            ("http://127.0.0.1/?x", None),
            ("http://127.0.0.1/#x", None),
            ("file:///etc/passwd", None),
            ("unix:///x", None),
            ("", None),
        ] {
            let found = Target::read(text).ok().map(|target| target.host);
            assert_eq!(found.as_deref(), host, "{text}");
        }
    }
}
