//! A server that is asked at an address of this machine (Streamable HTTP). In: messages. Out: the answer to each, whether it comes as a
//! document or in a stream of events. It is sent nothing of what clients of the gateway show: it has a token of its own.

use super::asks::{Carried, Told};
use super::frame::{self, Kind, Message};
use super::revision::STATELESS;
use super::upstream::{AskError, not_asked_for};
use crate::http::{self, Answered, ClientError, JSON, Target};
use crate::json::Json;
use crate::limits;
use base64::Engine as _;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

const EVENTS: &str = "text/event-stream";
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Before the names of headers that say arguments.
const PARAM: &str = "mcp-param-";

/// A server at an address.
pub struct Web {
    target: Target,
    /// What it is shown; never what a client has shown.
    token: Option<HeaderValue>,
    session: Mutex<Option<HeaderValue>>,
    revision: Mutex<Option<HeaderValue>>,
    has_ended: AtomicBool,
}

impl Web {
    /// A server that was not asked yet.
    pub fn new(target: Target, token: Option<HeaderValue>) -> Web {
        Web {
            target,
            token,
            session: Mutex::default(),
            revision: Mutex::default(),
            has_ended: AtomicBool::new(false),
        }
    }

    /// From now on this revision is spoken.
    pub fn speaks(&self, revision: &str) {
        let mut held = self.revision.lock().unwrap_or_else(PoisonError::into_inner);
        *held = HeaderValue::from_str(revision).ok();
    }

    /// Whether it knows nothing any more of what was agreed.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Nothing is asked any more.
    pub fn stop(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Says something that wants no answer.
    pub fn says(&self, message: &Json) {
        // Who does not hear it says so when something is asked.
        let _ = self.post(message, Vec::new(), (limits::MCP_ASK_MILLIS, None), &mut |_| {
            false
        });
    }

    /// Asks, and gives the message that answers.
    pub fn exchange(&self, carried: Carried<'_, '_>) -> Result<Json, AskError> {
        let (id, method) = (&carried.id, carried.method);
        if self.has_ended() {
            return Err(AskError::Ended(method));
        }
        let named = carried.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(format!("{PARAM}{name}").as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(&coded(value)).ok()?))
        });
        let more: Vec<_> = named.collect();
        let post = |heard: &mut dyn FnMut(Message)| {
            let mut stream = Events::default();
            let mut is_enough =
                |answered: &Answered| is_stream(answered) && stream.read(&answered.body, id, heard);
            let wait = (carried.wait, carried.stop);
            let answered = self.post(&carried.request, more.clone(), wait, &mut is_enough);
            answered.map(|answered| (answered, stream.answer))
        };
        let mut heard = carried.heard;
        let posted = match heard.as_mut() {
            None => post(&mut |_| {}),
            Some(heard) if !carried.is_asked => post(&mut |message| {
                heard(&message);
            }),
            Some(heard) => self.posted_and_asked(&post, heard),
        };
        let (answered, in_stream) = posted.map_err(|error| match error {
            ClientError::Slow => AskError::Slow(method),
            ClientError::Connection(_) | ClientError::TooLong => AskError::Ended(method),
        })?;
        let found = match is_stream(&answered) {
            true => in_stream,
            false => answer(&answered.body, id),
        };
        match (answered.status, found) {
            (200, Some(found)) => {
                let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
                if let (None, Some(begun)) = (session.as_ref(), answered.headers.get(SESSION)) {
                    *session = Some(begun.clone());
                }
                Ok(found)
            }
            // The session is over; the next request begins another one.
            (404, _)
                if self
                    .session
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_some() =>
            {
                self.stop();
                Err(AskError::Ended(method))
            }
            (400..=499, Some(found)) if found.get("error").is_some() => Ok(found),
            (status, _) => Err(AskError::Status { method, status }),
        }
    }

    /// Posts while what the server asks for is answered.
    fn posted_and_asked(&self, post: &Post<'_>, heard: &mut Told<'_>) -> Posted {
        let (to, told) = sync_channel(limits::MCP_EVENTS);
        std::thread::scope(|scope| {
            let posting = scope.spawn(move || {
                post(&mut |message| {
                    // Who does not keep up is not told.
                    let _ = to.try_send(message);
                })
            });
            for message in told {
                let answer = heard(&message);
                if let Kind::Request(id, _) = &message.kind {
                    self.says(&answer.unwrap_or_else(|| not_asked_for(id)));
                }
            }
            let gone = || ClientError::Connection("nobody has asked".to_owned());
            posting.join().unwrap_or_else(|_| Err(gone()))
        })
    }

    fn post(
        &self,
        message: &Json,
        more: Vec<(HeaderName, HeaderValue)>,
        wait: (u64, Option<&Notify>),
        is_enough: &mut dyn FnMut(&Answered) -> bool,
    ) -> Result<Answered, ClientError> {
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static(JSON)),
            (
                ACCEPT,
                HeaderValue::from_static("application/json, text/event-stream"),
            ),
        ];
        headers.extend(self.token.clone().map(|token| (AUTHORIZATION, token)));
        for (name, value) in [(SESSION, &self.session), (REVISION, &self.revision)] {
            let value = value.lock().unwrap_or_else(PoisonError::into_inner).clone();
            headers.extend(value.map(|value| (name, value)));
        }
        headers.extend(mirrored(message));
        headers.extend(more);
        http::post(&self.target, &headers, frame::line(message), wait, is_enough)
    }
}

/// What was answered, and the message of a stream that answers.
type Posted = Result<(Answered, Option<Json>), ClientError>;

/// Posts a request, and gives each message that comes before the answer.
type Post<'p> = dyn Fn(&mut dyn FnMut(Message)) -> Posted + Sync + 'p;

/// The headers that say what a message says, where its revision wants them.
fn mirrored(message: &Json) -> Vec<(HeaderName, HeaderValue)> {
    let params = message.get("params");
    let meta = params.and_then(|params| params.get("_meta")?.get(frame::PROTOCOL_VERSION));
    if meta.and_then(Json::as_str) != Some(STATELESS) {
        return Vec::new();
    }
    let method = message.get("method").and_then(Json::as_str);
    let named = if method == Some("resources/read") {
        "uri"
    } else {
        "name"
    };
    let name = params.and_then(|params| params.get(named)?.as_str());
    let header = |name: HeaderName, text: &str| Some((name, HeaderValue::from_str(&coded(text)).ok()?));
    let revision = HeaderValue::from_static(STATELESS);
    let said = [
        method.and_then(|text| header(METHOD, text)),
        name.and_then(|text| header(NAME, text)),
    ];
    [(REVISION, revision)]
        .into_iter()
        .chain(said.into_iter().flatten())
        .collect()
}

/// A text as a header says it.
fn coded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.bytes().all(is_plain) && text.trim() == text && !text.starts_with("=?base64?") {
        return text.to_owned();
    }
    let coded = base64::engine::general_purpose::STANDARD.encode(text);
    format!("=?base64?{coded}?=")
}

fn is_stream(answered: &Answered) -> bool {
    let kind = answered.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(EVENTS.as_bytes()))
}

/// The message that answers the request of this id; none where it is another, or none.
fn answer(text: &[u8], id: &Json) -> Option<Json> {
    let message = Message::read(text.trim_ascii(), false).ok()?;
    matches!(&message.kind, Kind::Response(of) if of == id).then_some(message.json)
}

/// A stream of events as far as it was read.
#[derive(Default)]
struct Events {
    read: usize,
    answer: Option<Json>,
}

impl Events {
    /// Reads the whole events that are there now, and tells what comes before the answer to the request of this id; whether that is there.
    fn read(&mut self, stream: &[u8], id: &Json, heard: &mut dyn FnMut(Message)) -> bool {
        while self.answer.is_none() {
            let rest = stream.get(self.read..).unwrap_or_default();
            let Some((event, used)) = first_event(rest) else {
                break;
            };
            self.read = self.read.saturating_add(used);
            let Ok(message) = Message::read(event.as_bytes().trim_ascii(), false) else {
                continue;
            };
            match &message.kind {
                Kind::Response(of) if of == id => self.answer = Some(message.json),
                Kind::Notification(method) if method == frame::PROGRESS => {
                    // That of another request is none of this one's.
                    if message.param("progressToken") == Some(id) {
                        heard(message);
                    }
                }
                Kind::Notification(_) | Kind::Request(..) => heard(message),
                Kind::Response(_) => {}
            }
        }
        self.answer.is_some()
    }
}

/// The data of the first whole event, and how many bytes it takes.
fn first_event(stream: &[u8]) -> Option<(String, usize)> {
    let (mut data, mut used) = (Vec::new(), 0_usize);
    loop {
        let rest = stream.get(used..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = rest.get(..end)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        used = used.saturating_add(end).saturating_add(1);
        if line.is_empty() {
            return Some((data.join("\n"), used));
        }
        if let Some(said) = line.strip_prefix(b"data:") {
            // What is no text is no message.
            let said = str::from_utf8(said).unwrap_or("\u{fffd}");
            data.push(said.strip_prefix(' ').unwrap_or(said).to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_one_to_the_request() {
        let id = Json::int(7);
        let good = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
        for (text, found) in [
            (good.to_owned(), true),
            (good.replace('7', "8"), false),
            (good.replace('7', "\"7\""), false),
            (format!("[{good}]"), false),
            (good.replace("\"id\":7", "\"id\":7,\"id\":7"), false),
            (String::new(), false),
        ] {
            assert_eq!(answer(text.as_bytes(), &id).is_some(), found, "{text}");
        }
        let other = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7}}"#;
        for (stream, found) in [
            (format!("event: message\ndata: {good}\n\n"), true),
            (format!("data: {other}\r\n\r\ndata:{good}\r\n\r\n"), true),
            (format!(": hello\n\nid: 1\ndata: {good}\n\n"), true),
            (format!("data: {good}\n"), false),
            (format!("data: {other}\n\n"), false),
            (format!("dat: {good}\n\n"), false),
        ] {
            let mut told = 0;
            let mut events = Events::default();
            // However it is cut into pieces, each event is read once.
            for end in 0..=stream.len() {
                let is_there = events.read(&stream.as_bytes()[..end], &id, &mut |_| told += 1);
                assert!(!is_there || found, "{stream}");
            }
            assert_eq!(events.answer.is_some(), found, "{stream}");
            assert_eq!(told, usize::from(stream.contains("progress")), "{stream}");
            let of_another = stream.replace("\"progressToken\":7", "\"progressToken\":8");
            Events::default().read(of_another.as_bytes(), &id, &mut |message| panic!("{message:?}"));
        }
        assert_eq!(
            (coded("a b"), coded("é")),
            ("a b".into(), "=?base64?w6k=?=".into())
        );
        assert!(coded("=?base64?x?=").starts_with("=?base64?PT9"));
    }
}
