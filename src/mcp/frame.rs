//! Frames of the Model Context Protocol (JSON-RPC 2.0, one message per line): lines in, messages out. What two readers could read
//! in two ways is refused: members twice, numbers that do not survive, batches, ids that are none. It must not know policies.

use crate::artifact::jcs;
use crate::json::{self, Json, Text};
use std::io::{BufRead, ErrorKind};

/// The code of what is no JSON (JSON-RPC 2.0, section 5.1).
pub const PARSE_ERROR: i64 = -32700;
/// The code of what is no message, or none that may come now.
pub const INVALID_REQUEST: i64 = -32600;
/// The code of a method that is not known, or not let through.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The code of parameters that are none of the method.
pub const INVALID_PARAMS: i64 = -32602;
/// The code of a revision that is not spoken.
pub const UNSUPPORTED_REVISION: i64 = -32022;
/// The code of a call that the gate does not let through, and of a server that has ended.
pub const REFUSED: i64 = -32000;

/// Before the names of what the protocol itself says in `_meta`.
pub const OWN_META: &str = "io.modelcontextprotocol/";
/// What says the revision of a request.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// What says what a client can do.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// What says which log messages are wanted.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// The notification of how far a request is.
pub const PROGRESS: &str = "notifications/progress";
/// The notification of what a server logs.
pub const LOGGED: &str = "notifications/message";

/// What was read.
pub enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// A line of more than `most` bytes, which was skipped.
    TooLong,
    /// There is no more.
    End,
}

/// Reads a line of at most `most` bytes.
pub fn read_line(input: &mut dyn BufRead, most: usize) -> std::io::Result<Line> {
    let (mut line, mut is_long) = (Vec::new(), false);
    loop {
        let chunk = match input.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        if chunk.is_empty() {
            // What is cut off was not said.
            return Ok(Line::End);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        is_long |= line.len().saturating_add(part.len()) > most;
        if !is_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            line.truncate(line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len));
            return Ok(if is_long { Line::TooLong } else { Line::Whole(line) });
        }
    }
}

/// What the gateway says of its decisions begins so, in `_meta`.
const OWN: &str = "dev.gait/";

/// Takes out of a document, wherever it is, what would be the gateway's word.
fn without_own(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(without_own),
        Json::Object(members) => {
            for (name, value) in members {
                if let (true, Json::Object(meta)) = (name == "_meta", &mut *value) {
                    meta.retain(|(name, _)| !name.starts_with(OWN));
                }
                without_own(value);
            }
        }
        _ => {}
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The whole of it, as read.
    pub json: Json,
    /// What kind it is.
    pub kind: Kind,
}

/// The kinds of messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// It wants an answer under this id.
    Request(Json, String),
    /// It wants none.
    Notification(String),
    /// It answers the request of this id.
    Response(Json),
}

/// Why a line is no message: a code, words, and the id where there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct NoMessage {
    /// The code of the error.
    pub code: i64,
    /// What is wrong.
    pub why: String,
    /// Whom it would answer; null where that is not known.
    pub id: Json,
}

impl Message {
    /// Reads a message. `exact` is for those of clients: it refuses numbers that another reader could read otherwise. In those of servers
    /// nothing is left that only the gateway says.
    pub fn read(line: &[u8], exact: bool) -> Result<Message, NoMessage> {
        let refuse = |code, why: String, id: &Json| NoMessage {
            code,
            why,
            id: id.clone(),
        };
        let parsed = match exact {
            true => json::parse(line),
            false => json::parse_any_numbers(line),
        };
        let mut json = parsed.map_err(|error| refuse(PARSE_ERROR, error.to_string(), &Json::Null))?;
        if !exact {
            without_own(&mut json);
        }
        let invalid = |why: &str, id: &Json| refuse(INVALID_REQUEST, why.to_owned(), id);
        if json.as_object().is_none() {
            return Err(invalid(
                "a message is one object; batches are not taken",
                &Json::Null,
            ));
        }
        let id = json.get("id").filter(|id| is_id(id));
        let known = id.unwrap_or(&Json::Null);
        if json.get("jsonrpc").and_then(Json::as_str) != Some("2.0") {
            return Err(invalid("`jsonrpc` is not \"2.0\"", known));
        }
        if json.get("id").is_some() && id.is_none() {
            return Err(invalid("`id` is no text and no whole number", known));
        }
        let is_answer = json.get("result").is_some() || json.get("error").is_some();
        let kind = match (json.get("method"), id, is_answer) {
            (Some(Json::String(method)), Some(id), false) => Kind::Request(id.clone(), method.to_string()),
            (Some(Json::String(method)), None, false) => Kind::Notification(method.to_string()),
            (None, Some(id), true) if json.get("result").is_none() || json.get("error").is_none() => {
                Kind::Response(id.clone())
            }
            _ => return Err(invalid("it is no request, notification or response", known)),
        };
        if let Some(params) = json.get("params")
            && params.as_object().is_none()
        {
            return Err(invalid("`params` is no object", known));
        }
        if exact && loses_a_sign(&json) {
            return Err(invalid("a number is -0, whose sign would be lost", known));
        }
        Ok(Message { json, kind })
    }

    /// The line that says the same.
    pub fn to_line(&self) -> Vec<u8> {
        line(&self.json)
    }

    /// A member of its parameters.
    pub fn param(&self, name: &str) -> Option<&Json> {
        self.json.get("params")?.get(name)
    }
}

/// A text, or a whole number.
fn is_id(id: &Json) -> bool {
    match id {
        Json::String(_) => true,
        number @ Json::Number(_) => number.as_i64().is_some(),
        _ => false,
    }
}

fn loses_a_sign(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_negative_zero(),
        Json::Array(items) => items.iter().any(loses_a_sign),
        Json::Object(members) => members.iter().any(|(_, value)| loses_a_sign(value)),
        _ => false,
    }
}

/// A document as a line.
pub fn line(json: &Json) -> Vec<u8> {
    let mut line = jcs::to_vec(json);
    line.push(b'\n');
    line
}

/// An id as the key of what is kept for it: a text and a number are never the same.
pub fn key(id: &Json) -> String {
    String::from_utf8_lossy(&jcs::to_vec(id)).into_owned()
}

/// A request.
pub fn request(id: &Json, method: &str, params: Json) -> Json {
    Json::object([
        ("jsonrpc", Json::str("2.0")),
        ("id", id.clone()),
        ("method", Json::str(method)),
        ("params", params),
    ])
}

/// What a message says of the revision it is in, and of who sends it, where its revision says it with each request.
pub fn revision(message: &Message) -> Option<Json> {
    let members = message.param("_meta")?.as_object()?;
    let said = |(name, _): &&(Text, Json)| name.starts_with(OWN_META);
    let said: Vec<_> = members.iter().filter(said).cloned().collect();
    (!said.is_empty()).then_some(Json::Object(said))
}

/// Parameters with what a request says of itself, beside what they say already.
pub fn with_meta(params: Json, meta: Option<&Json>) -> Json {
    let Some(meta) = meta else { return params };
    let Json::Object(mut members) = params else {
        return params;
    };
    let said = members.iter_mut().find(|(name, _)| name == "_meta");
    match (said, meta) {
        (Some((_, Json::Object(said))), Json::Object(more)) => {
            said.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
            said.extend(more.iter().cloned());
        }
        (Some((_, said)), _) => *said = meta.clone(),
        (None, _) => members.push((Text::const_new("_meta"), meta.clone())),
    }
    Json::Object(members)
}

/// A notification.
pub fn notification(method: &str) -> Json {
    Json::object([("jsonrpc", Json::str("2.0")), ("method", Json::str(method))])
}

/// A notification with parameters.
pub fn notification_of<const N: usize>(method: &str, params: [(&'static str, Json); N]) -> Json {
    Json::object([
        ("jsonrpc", Json::str("2.0")),
        ("method", Json::str(method)),
        ("params", Json::object(params)),
    ])
}

/// The notification that nobody waits for the answer to a request any more.
pub fn cancelled(id: &Json) -> Json {
    Json::object([
        ("jsonrpc", Json::str("2.0")),
        ("method", Json::str("notifications/cancelled")),
        ("params", Json::object([("requestId", id.clone())])),
    ])
}

/// The answer that a request failed.
pub fn error(id: &Json, code: i64, message: &str, data: Option<Json>) -> Json {
    let mut error = vec![("code", Json::int(code)), ("message", Json::str(message))];
    error.extend(data.map(|data| ("data", data)));
    failed(id, Json::object(error))
}

/// The same with an error as somebody else wrote it.
pub fn failed(id: &Json, error: Json) -> Json {
    Json::object([
        ("jsonrpc", Json::str("2.0")),
        ("id", id.clone()),
        ("error", error),
    ])
}

/// What gait calls itself.
pub fn this_program() -> Json {
    Json::object([
        ("name", Json::str("gait")),
        ("version", Json::str(env!("CARGO_PKG_VERSION"))),
    ])
}

/// The answer to a request.
pub fn result(id: &Json, result: Json) -> Json {
    Json::object([
        ("jsonrpc", Json::str("2.0")),
        ("id", id.clone()),
        ("result", result),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_all_readers_read_alike_is_a_message() {
        let read = |text: &str| Message::read(text.as_bytes(), true).map(|message| message.kind);
        let id = |n| Json::int(n);
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
            Ok(Kind::Request(id(1), "tools/list".into()))
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
            Ok(Kind::Notification("notifications/initialized".into()))
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#),
            Ok(Kind::Response(Json::str("a")))
        );
        for (text, code) in [
            ("", PARSE_ERROR),
            ("{", PARSE_ERROR),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, PARSE_ERROR),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"n":9007199254740993}}"#,
                PARSE_ERROR,
            ),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#, INVALID_REQUEST),
            (r#"{"id":1,"method":"a"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1,"method":1}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST),
            (
                r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"n":-0}}"#,
                INVALID_REQUEST,
            ),
        ] {
            assert_eq!(read(text).map_err(|refused| refused.code), Err(code), "{text}");
        }
    }

    #[test]
    fn what_a_request_says_of_itself_stands_there_once() {
        let read = |text: &str| json::parse(text.as_bytes()).unwrap();
        let meta = read(r#"{"v":2}"#);
        for (params, expected) in [
            ("{}", r#"{"_meta":{"v":2}}"#),
            (
                r#"{"_meta":{"v":1,"traceparent":"t"},"a":1}"#,
                r#"{"_meta":{"traceparent":"t","v":2},"a":1}"#,
            ),
            (r#"{"_meta":1}"#, r#"{"_meta":{"v":2}}"#),
        ] {
            let found = with_meta(read(params), Some(&meta));
            assert_eq!(found, read(expected), "{params}");
            assert_eq!(with_meta(read(params), None), read(params));
        }
    }

    #[test]
    fn lines_are_whole_and_bounded() {
        let mut input = &b"one\r\n0123456789\ntwo\ncut"[..];
        let mut next = || match read_line(&mut input, 5).unwrap() {
            Line::Whole(line) => String::from_utf8(line).unwrap(),
            Line::TooLong => "too long".to_owned(),
            Line::End => "end".to_owned(),
        };
        assert_eq!(
            [next(), next(), next(), next()],
            ["one", "too long", "two", "end"]
        );
    }
}
