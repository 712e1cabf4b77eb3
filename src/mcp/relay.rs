//! The relay between one client and one server, a line at a time: each message is read once, judged, and what was judged is what is
//! passed on. In: lines of either side. Out: lines to either side. It blocks, and one thread reads each side.

use super::call;
use super::frame::{self, INVALID_PARAMS, INVALID_REQUEST, Kind, METHOD_NOT_FOUND, Message, REFUSED};
use super::gate::{Gatekeeper, refusal};
use super::method::{self, Class};
use crate::boundary::Written;
use crate::domain::Verdict;
use crate::json::{Json, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where lines go; none once it is closed.
pub type Out = Option<Box<dyn Write + Send>>;

/// Both sides and what is open between them.
pub struct Relay {
    gate: Mutex<Gatekeeper>,
    client: Mutex<Out>,
    server: Mutex<Out>,
    /// Requests that the server has to answer, by their ids.
    open: Mutex<BTreeMap<String, Open>>,
    /// Requests of the server that the client has to answer.
    asked: Mutex<BTreeSet<String>>,
}

/// A request that the server has to answer.
struct Open {
    id: Json,
    is_list: bool,
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send(to: &Mutex<Out>, line: &[u8]) {
    let mut to = held(to);
    let written = to
        .as_mut()
        .map(|out| out.write_all(line).and_then(|()| out.flush()));
    if let Some(Err(_)) = written {
        // Nobody is there any more; the thread that reads that side finds out.
        *to = None;
    }
}

impl Relay {
    /// Between a client and a server.
    pub fn new(gate: Gatekeeper, client: Out, server: Out) -> Relay {
        Relay {
            gate: Mutex::new(gate),
            client: Mutex::new(client),
            server: Mutex::new(server),
            open: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// A line of the client.
    pub fn client_says(&self, line: &[u8]) {
        let message = match Message::read(line, true) {
            Ok(message) => message,
            Err(no) => return self.answer(&frame::error(&no.id, no.code, &no.why, None)),
        };
        match &message.kind {
            Kind::Request(id, method) => self.request(&message, id, method),
            Kind::Notification(method) if method.starts_with("notifications/") => {
                send(&self.server, &message.to_line());
            }
            // What acts and wants no answer could not be told that it was stopped.
            Kind::Notification(_) => {}
            Kind::Response(id) => {
                if held(&self.asked).remove(&frame::key(id)) {
                    send(&self.server, &message.to_line());
                }
            }
        }
    }

    /// A line that was too long to be read.
    pub fn too_long(&self, most: usize) {
        let why = format!("a message of more than {most} bytes");
        self.answer(&frame::error(&Json::Null, INVALID_REQUEST, &why, None));
    }

    fn answer(&self, json: &Json) {
        send(&self.client, &frame::line(json));
    }

    /// A request of the client: judged where it acts, and passed on where it may be.
    fn request(&self, message: &Message, id: &Json, method: &str) {
        let class = method::of_client(method);
        if class == Class::Refused {
            let why = format!("the gateway lets no `{}` through", method.escape_debug());
            return self.answer(&frame::error(id, METHOD_NOT_FOUND, &why, None));
        }
        let key = frame::key(id);
        if held(&self.open).contains_key(&key) {
            return self.answer(&frame::error(
                id,
                INVALID_REQUEST,
                "another request has this id",
                None,
            ));
        }
        if let Some(refused) = self.stopped(message, class, id) {
            return self.answer(&refused);
        }
        let open = Open {
            id: id.clone(),
            is_list: method == "tools/list",
        };
        held(&self.open).insert(key, open);
        send(&self.server, &message.to_line());
    }

    /// The answer to a request that must not go on; none where it may.
    fn stopped(&self, message: &Message, class: Class, id: &Json) -> Option<Json> {
        let mut gate = held(&self.gate);
        let intent = match call::intent(message, class, &gate.setup().caller) {
            Ok(intent) => intent?,
            Err(error) => return Some(frame::error(id, INVALID_PARAMS, &error.to_string(), None)),
        };
        match gate.judge(&intent, call::traceparent(message)) {
            Ok(written) if written.recorded.record.decision.verdict == Verdict::Allow => None,
            Ok(written) if class == Class::Call => Some(frame::result(id, told(message, &written))),
            Ok(written) => Some(frame::error(
                id,
                REFUSED,
                &refusal(&written),
                Some(data(&written)),
            )),
            Err(error) => {
                let why = format!("Not run: the call cannot be recorded: {error}");
                Some(match class {
                    Class::Call => frame::result(id, tool_error(message, &why, None)),
                    _ => frame::error(id, REFUSED, &why, None),
                })
            }
        }
    }

    /// A line of the server.
    pub fn server_says(&self, line: &[u8]) {
        // What is no message is no answer to anything.
        let Ok(message) = Message::read(line, false) else {
            return;
        };
        match &message.kind {
            Kind::Notification(_) => send(&self.client, &message.to_line()),
            Kind::Response(id) => {
                let Some(open) = held(&self.open).remove(&frame::key(id)) else {
                    return;
                };
                let line = match open.is_list {
                    true => frame::line(&self.listed(message.json)),
                    false => message.to_line(),
                };
                send(&self.client, &line);
            }
            Kind::Request(id, method) => self.server_asks(&message, id, method),
        }
    }

    /// A request of the server: what it may ask the client for is judged, too.
    fn server_asks(&self, message: &Message, id: &Json, method: &str) {
        let class = method::of_server(method);
        let refused = match class {
            Class::Refused => {
                let why = format!("the gateway lets no `{}` through", method.escape_debug());
                Some(frame::error(id, METHOD_NOT_FOUND, &why, None))
            }
            class => self.stopped(message, class, id),
        };
        match refused {
            Some(refused) => send(&self.server, &frame::line(&refused)),
            None => {
                held(&self.asked).insert(frame::key(id));
                send(&self.client, &message.to_line());
            }
        }
    }

    /// A list of tools with those alone that the policy knows, by name: a call of any other one is blocked.
    fn listed(&self, mut json: Json) -> Json {
        let gate = held(&self.gate);
        let setup = gate.setup();
        let program = setup.boundary.gate().program();
        let name = |tool: &Json| tool.get("name").and_then(Json::as_str).map(str::to_owned);
        let is_known =
            |tool: &Json| name(tool).is_some_and(|name| program.tool(&setup.caller.tool(&name)).is_some());
        if let Some(Json::Array(tools)) =
            member(&mut json, "result").and_then(|result| member(result, "tools"))
            && !setup.shows_all
        {
            tools.retain(is_known);
            tools.sort_by_key(name);
        }
        json
    }

    /// The client says nothing more: the server is told by the end of its input.
    pub fn client_ended(&self) {
        *held(&self.server) = None;
    }

    /// The server says nothing more: whoever waits for it is told.
    pub fn server_ended(&self) {
        *held(&self.server) = None;
        for (_, open) in std::mem::take(&mut *held(&self.open)) {
            self.answer(&frame::error(&open.id, REFUSED, "the server has ended", None));
        }
    }
}

fn member<'j>(json: &'j mut Json, name: &str) -> Option<&'j mut Json> {
    match json {
        Json::Object(members) => members
            .iter_mut()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value),
        _ => None,
    }
}

/// What a model is told of its call that must not run: a result it can act on.
fn told(message: &Message, written: &Written) -> Json {
    tool_error(message, &refusal(written), Some(data(written)))
}

fn tool_error(message: &Message, text: &str, data: Option<Json>) -> Json {
    let content = Json::object([("type", Json::str("text")), ("text", Json::str(text))]);
    let mut members: Vec<(Text, Json)> = vec![
        ("content".into(), Json::Array(vec![content])),
        ("isError".into(), Json::Bool(true)),
    ];
    let meta = message.param("_meta");
    // Clients of the revision 2026-07-28 say so in each request, and want to know that this is all.
    if meta.is_some_and(|meta| meta.get("io.modelcontextprotocol/protocolVersion").is_some()) {
        members.push(("resultType".into(), Json::str("complete")));
    }
    members.extend(data.map(|data| ("_meta".into(), Json::object([("dev.gait/decision", data)]))));
    Json::object(members)
}

/// What a program is told.
fn data(written: &Written) -> Json {
    let record = &written.recorded.record;
    let codes = record.decision.reason_codes.iter().map(Json::str).collect();
    Json::object([
        ("verdict", Json::str(record.decision.verdict.as_str())),
        ("reason_codes", Json::Array(codes)),
        ("trace_id", Json::str(&record.trace_id)),
        ("trace_digest", written.recorded.digest.to_json()),
    ])
}
