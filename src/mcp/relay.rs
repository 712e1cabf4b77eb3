//! The relay between one client and one server, a line at a time: each message is read once, judged, and what was judged is what is
//! passed on. In: lines of either side. Out: lines to either side. It blocks, and one thread reads each side.

mod wanted;

use super::call;
use super::frame::{self, INVALID_REQUEST, Kind, METHOD_NOT_FOUND, Message, REFUSED};
use super::gate::{Answer, Asked, Gatekeeper, Session};
use super::list::{self, List, ListError};
use super::method::{self, Class};
use super::rounds::{self, Going, Rounds};
use super::tasks::Tasks;
use super::told;
use super::watch::Watch;
use crate::artifact::tool_lock::Tools;
use crate::host::{Host, Os};
use crate::json::Json;
use crate::limits;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where lines go; none once it is closed.
pub type Out = Option<Box<dyn Write + Send>>;

/// Both sides and what is open between them.
pub struct Relay {
    gate: Gatekeeper,
    session: Option<Session>,
    client: Mutex<Out>,
    server: Mutex<Out>,
    /// Requests that the server has to answer, by their ids.
    open: Mutex<BTreeMap<String, Open>>,
    /// Requests of the server that the client has to answer: the method of each.
    asked: Mutex<BTreeMap<String, String>>,
    /// Calls that go on once the client has answered.
    rounds: Rounds,
    /// What calls have become.
    tasks: Tasks,
    /// What the tools must be, where they are pinned.
    watch: Option<Watch>,
    own: Own,
}

/// What one connection is held to.
#[derive(Debug, Default)]
pub struct Kept {
    /// The session of all calls.
    pub session: Option<Session>,
    /// What the tools must be; none where they are not pinned.
    pub pins: Option<Tools>,
}

/// What the gateway itself asks the server.
struct Own {
    /// Before the numbers of its requests: what no client calls its own.
    name: String,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    number: u64,
    /// Where the answer goes, by id.
    answers: BTreeMap<String, SyncSender<Json>>,
}

/// The server did not answer the gateway.
#[derive(Debug, thiserror::Error)]
#[error("the server does not answer")]
struct Silent;

/// A request that the server has to answer.
struct Open {
    id: Json,
    method: String,
    /// The task that it is about.
    task: Option<String>,
    /// Whether it was passed on: before, nothing answers it but the gateway.
    is_sent: bool,
    /// What was judged, where the server may want something of the client first.
    going: Option<Box<Going>>,
}

/// What becomes of a request.
enum Next {
    /// It is answered.
    Refused(Json),
    /// It goes on, with what was judged.
    Goes(Message, Option<Box<Going>>),
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
    pub fn new(gate: Gatekeeper, kept: Kept, client: Out, server: Out) -> Relay {
        let own = Own {
            name: format!("gait-{}", gate.setup().nonce),
            waiting: Mutex::default(),
        };
        Relay {
            watch: kept.pins.map(|pins| Watch::new(Some(pins))),
            session: kept.session,
            own,
            gate,
            client: Mutex::new(client),
            server: Mutex::new(server),
            open: Mutex::default(),
            asked: Mutex::default(),
            rounds: Rounds::default(),
            tasks: Tasks::default(),
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
                let asked = held(&self.asked).remove(&frame::key(id));
                if let Some(method) = asked {
                    send(&self.server, &frame::line(&self.answered(&message, id, &method)));
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
        let open = Open {
            id: id.clone(),
            method: method.to_owned(),
            task: message.param("taskId").and_then(Json::as_str).map(str::to_owned),
            is_sent: false,
            going: None,
        };
        match held(&self.open).entry(key.clone()) {
            Entry::Vacant(free) => free.insert(open),
            Entry::Occupied(_) => {
                let why = "another request has this id";
                return self.answer(&frame::error(id, INVALID_REQUEST, why, None));
            }
        };
        let next = self.next(message, class, id);
        let is_open = match held(&self.open).entry(key) {
            Entry::Occupied(mut open) => {
                match &next {
                    Next::Refused(_) => drop(open.remove()),
                    Next::Goes(_, going) => {
                        let open = open.get_mut();
                        open.is_sent = true;
                        open.going.clone_from(going);
                    }
                }
                true
            }
            Entry::Vacant(_) => false,
        };
        match next {
            // Whoever asked was told meanwhile that there is no server any more.
            _ if !is_open => {}
            Next::Refused(refused) => self.answer(&refused),
            Next::Goes(message, _) => send(&self.server, &message.to_line()),
        }
    }

    /// What becomes of a request: a call that its client has answered goes on as it was judged, and any other is judged.
    fn next(&self, message: &Message, class: Class, id: &Json) -> Next {
        if let Some(refused) = self.unpinned(message, class, id) {
            return Next::Refused(refused);
        }
        if class == Class::Task {
            return self
                .of_task(message, id)
                .map_or_else(Next::Refused, |message| Next::Goes(message, None));
        }
        let resumed = match self.gate.resumed(self.asking(message, class), &self.rounds) {
            Err(error) => return Next::Refused(frame::failed(id, error)),
            Ok(resumed) => resumed,
        };
        if let Some((wanted, going)) = resumed {
            if let Some(stopped) = self.gate.stopped(&going, self.asking(message, class), id) {
                return Next::Refused(stopped);
            }
            return match self.goes_on(message, &wanted) {
                Ok(message) => Next::Goes(message, Some(Box::new(going))),
                Err(error) => Next::Refused(frame::failed(id, error)),
            };
        }
        let answer = self.judged(message, class, id);
        match answer.refused {
            Some(refused) => Next::Refused(refused),
            None => Next::Goes(with_params(message, &rounds::without), answer.going),
        }
    }

    fn server_name(&self) -> Option<&str> {
        self.gate.setup().caller.server.as_deref()
    }

    fn asking<'a>(&'a self, message: &'a Message, class: Class) -> Asked<'a> {
        Asked {
            message,
            class,
            caller: &self.gate.setup().caller,
            session: self.session.as_ref(),
        }
    }

    /// What the gate says of a request.
    fn judged(&self, message: &Message, class: Class, id: &Json) -> Answer {
        self.gate.answer(self.asking(message, class), id)
    }

    /// The answer to a call of a tool that is not what was pinned; none where it is. Nothing of it was judged yet.
    fn unpinned(&self, message: &Message, class: Class, id: &Json) -> Option<Json> {
        let watch = self.watch.as_ref().filter(|_| class == Class::Call)?;
        let name = message.param("name").and_then(Json::as_str)?;
        let mut list = || self.list(message);
        let why = watch.check(name, &|| Os.now(), &mut list).err()?;
        Some(told::not_pinned(message, id, why))
    }

    /// All tools of the server, asked for as the client would.
    fn list(&self, message: &Message) -> Result<List, ListError<Silent>> {
        let meta = frame::revision(message);
        list::all(&mut |params| self.ask(list::METHOD, frame::with_meta(params, meta.as_ref())))
    }

    /// Asks the server for itself and waits for the result.
    fn ask(&self, method: &str, params: Json) -> Result<Json, Silent> {
        let (to, answer) = sync_channel(1);
        let id = {
            let mut waiting = held(&self.own.waiting);
            waiting.number = waiting.number.wrapping_add(1);
            let id = Json::str(format!("{}-{}", self.own.name, waiting.number));
            waiting.answers.insert(frame::key(&id), to);
            id
        };
        send(&self.server, &frame::line(&frame::request(&id, method, params)));
        let answer = answer.recv_timeout(Duration::from_millis(limits::MCP_ASK_MILLIS));
        held(&self.own.waiting).answers.remove(&frame::key(&id));
        let answer = answer.map_err(|_| Silent)?;
        answer.get("result").cloned().ok_or(Silent)
    }

    /// A line of the server.
    pub fn server_says(&self, line: &[u8]) {
        let Ok(message) = Message::read(line, false) else {
            return self.unreadable();
        };
        match &message.kind {
            Kind::Notification(method) => {
                if let Some(watch) = self.watch.as_ref().filter(|_| method == list::CHANGED) {
                    watch.changed();
                }
                send(&self.client, &message.to_line());
            }
            Kind::Response(id) => {
                if let Some(to) = held(&self.own.waiting).answers.remove(&frame::key(id)) {
                    // Whoever asked may have given up.
                    let _ = to.send(message.json);
                    return;
                }
                let open = match held(&self.open).entry(frame::key(id)) {
                    Entry::Occupied(open) if open.get().is_sent => open.remove(),
                    _ => return,
                };
                let answer = self.result(message.json, &open);
                send(&self.client, &frame::line(&answer));
            }
            Kind::Request(id, method) => self.server_asks(&message, id, method),
        }
    }

    /// The answer with a list of tools, of which those are left that a call could be allowed of: the policy declares them, and they
    /// are what was pinned. What is no list is none of the model's business, either.
    fn listed(&self, mut json: Json, id: &Json) -> Json {
        let Some(result) = member(&mut json, "result") else {
            return json;
        };
        let Some(Json::Array(tools)) = member(result, "tools") else {
            let why = "the server's answer to `tools/list` is no list of tools";
            return frame::error(id, REFUSED, why, None);
        };
        if let Some(watch) = &self.watch {
            tools.retain(|tool| watch.is_pinned(tool));
        }
        let setup = self.gate.setup();
        let own = |tool: &Json| {
            tool.get("name")
                .and_then(Json::as_str)
                .map(|name| setup.caller.tool(name))
        };
        tools.retain(|tool| !own(tool).is_some_and(|name| call::is_reserved(&name)));
        if !setup.shows_all {
            let name = |tool: &Json| tool.get("name").and_then(Json::as_str).map(str::to_owned);
            tools.retain(|tool| name(tool).is_some_and(|name| self.gate.knows(&setup.caller.tool(&name))));
            tools.sort_by_key(name);
        }
        json
    }

    /// The client says nothing more: the server is told by the end of its input.
    pub fn client_ended(&self) {
        *held(&self.server) = None;
    }

    /// The server has said what cannot be read. Which request it was about nobody knows, so whoever waits is told.
    pub fn unreadable(&self) {
        self.give_up("the server has sent a message that cannot be read");
    }

    /// The server says nothing more: whoever waits for it is told.
    pub fn server_ended(&self) {
        *held(&self.server) = None;
        self.give_up("the server has ended");
    }

    fn give_up(&self, why: &str) {
        for (_, open) in std::mem::take(&mut *held(&self.open)) {
            self.answer(&frame::error(&open.id, REFUSED, why, None));
        }
        // Whoever asked for the gateway has been told by now.
        held(&self.own.waiting).answers.clear();
    }
}

/// A message with other parameters.
fn with_params(message: &Message, change: &dyn Fn(Json) -> Json) -> Message {
    let mut message = message.clone();
    if let Some(params) = member(&mut message.json, "params") {
        *params = change(std::mem::replace(params, Json::Null));
    }
    message
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{SigningKey, TrustedKeys};
    use crate::boundary::Boundary;
    use crate::mcp::{Caller, Keeps, Setup};
    use crate::{bundling, compile, store};
    use std::path::Path;
    use std::sync::Arc;

    const POLICY: &str = "gaitpol 1\npolicy a.b\ndefault block code none\ntool say { text: String[max 9] }\n\
        tool mcp.elicitation { mode: String[max 9], message: String[max 9], properties: List[String[max 9], max 9] }\n\
        tool mcp.elicitation_answer { action: String[max 9], content: Map[String[max 9], String[max 9], max 9]? }\n\
        rule all on say, mcp.elicitation, mcp.elicitation_answer allow\n";

    /// What was sent to a side.
    #[derive(Clone, Default)]
    struct Sent(Arc<Mutex<Vec<u8>>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            held(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Sent {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *held(&self.0))).unwrap()
        }
    }

    fn relay(folder: &Path) -> (Relay, Sent, Sent) {
        let key = SigningKey::from_seed(&[1; 32]);
        let checked = compile::check("p.gaitpol", POLICY).checked.unwrap();
        let built = bundling::build(&checked, 0, &key).unwrap();
        let trusted = TrustedKeys::new([key.verifying_key()]);
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let setup = Setup {
            delegation: None,
            attested: None,
            boundary: Boundary::open(&built.bytes, &trusted, now).unwrap(),
            key,
            store: Box::new(store::Memory::default()),
            traces: Keeps::Files(folder.join("traces")),
            kill_switch: None,
            approvals: None,
            facts: None,
            fulfils: Vec::new(),
            caller: Caller {
                server: None,
                identity: "t".into(),
                workspace: "/w".into(),
                principal: None,
            },
            nonce: "n".into(),
            shows_all: false,
        };
        let (client, server) = (Sent::default(), Sent::default());
        let out = |sent: &Sent| -> Out { Some(Box::new(sent.clone())) };
        let relay = Relay::new(
            Gatekeeper::new(setup),
            Kept::default(),
            out(&client),
            out(&server),
        );
        (relay, client, server)
    }

    #[test]
    fn ids_belong_to_requests_and_whoever_waits_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (relay, client, server) = relay(folder.path());
        let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","arguments":{"text":"a"}}}"#;
        relay.client_says(call);
        assert!(server.take().contains("tools/call") && client.take().is_empty());
        relay.client_says(call);
        assert!(server.take().is_empty() && client.take().contains("another request has this id"));
        // An answer to nothing, and one that comes twice.
        relay.server_says(br#"{"jsonrpc":"2.0","id":"1","result":{}}"#);
        assert!(client.take().is_empty());
        for answered in [true, false] {
            relay.server_says(br#"{"jsonrpc":"2.0","id":1,"result":{"x":1}}"#);
            assert_eq!(client.take().contains(r#""x":1"#), answered);
        }
        relay.client_says(call);
        relay.server_says(br#"{"jsonrpc":"2.0","id":1,"id":1,"result":{}}"#);
        assert!(client.take().contains("cannot be read"));
        relay.client_says(call);
        relay.server_ended();
        assert!(client.take().contains("the server has ended"));
    }

    #[test]
    fn a_task_is_of_the_client_whose_call_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (relay, client, server) = relay(folder.path());
        let says = |method: &str, params: &str| {
            let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            relay.client_says(message.as_bytes());
            (server.take(), client.take())
        };
        let answers = |result: &str| {
            relay.server_says(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).as_bytes());
            client.take()
        };
        let about = ["tasks/get", "tasks/result", "tasks/cancel", "tasks/update"];
        let refused = |id: &str| {
            for method in about {
                for params in [format!(r#"{{"taskId":{id}}}"#), "{}".to_owned()] {
                    let (heard, told) = says(method, &params);
                    assert!(
                        heard.is_empty() && told.contains("-32602"),
                        "{method} {params} {told}"
                    );
                }
            }
        };
        refused(r#""t1""#);
        // A task-augmented call is judged as any other.
        let (heard, told) = says(
            "tools/call",
            r#"{"name":"shell","arguments":{},"task":{"ttl":1}}"#,
        );
        assert!(heard.is_empty() && told.contains("gait.unknown_tool"), "{told}");
        for (made, id) in [
            (r#"{"task":{"taskId":"t1","status":"working"}}"#, "t1"),
            (r#"{"resultType":"task","taskId":"t2","status":"working"}"#, "t2"),
        ] {
            let (heard, _) = says(
                "tools/call",
                r#"{"name":"say","arguments":{"text":"a"},"task":{"ttl":1}}"#,
            );
            assert!(heard.contains(r#""task":{"ttl":1}"#), "{heard}");
            assert!(answers(made).contains(id));
            for method in &about[..3] {
                let (heard, _) = says(
                    method,
                    &format!(r#"{{"taskId":"{id}","inputResponses":{{"a":"leak"}}}}"#),
                );
                assert!(heard.contains(id) && !heard.contains("leak"), "{heard}");
                answers("{}");
            }
        }
        refused(r#""t3""#);
        refused("1");
        // That a server says so in another answer makes no task.
        says("tools/list", "{}");
        answers(r#"{"tools":[],"resultType":"task","taskId":"t3"}"#);
        refused(r#""t3""#);
        says("tasks/list", "{}");
        let told = answers(r#"{"tasks":[{"taskId":"t1"},{"taskId":"t3"},{}]}"#);
        assert!(told.contains(r#""tasks":[{"taskId":"t1"}]"#), "{told}");
    }

    #[test]
    fn what_a_task_wants_and_what_a_client_answers_it_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        let (relay, client, server) = relay(folder.path());
        let says = |method: &str, params: &str| {
            let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            relay.client_says(message.as_bytes());
            (server.take(), client.take())
        };
        let answers = |result: &str| {
            relay.server_says(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).as_bytes());
            client.take()
        };
        let traces = || Os.list_dir(&folder.path().join("traces")).unwrap().len();
        says("tools/call", r#"{"name":"say","arguments":{"text":"a"}}"#);
        answers(r#"{"resultType":"task","taskId":"t","status":"working"}"#);
        let update = |text: &str| {
            let answer = format!(r#"{{"action":"accept","content":{{"a":"{text}"}}}}"#);
            let params = format!(
                r#"{{"taskId":"t","inputResponses":{{"a":{answer},"b":{answer}}},"requestState":"x"}}"#
            );
            let (heard, _) = says("tasks/update", &params);
            answers("{}");
            heard
        };
        assert!(!update("Ann").contains("Ann"), "nobody has asked");
        let look = |message: &str| {
            says("tasks/get", r#"{"taskId":"t"}"#);
            let ask =
                format!(r#"{{"a":{{"method":"elicitation/create","params":{{"message":"{message}"}}}}}}"#);
            answers(&format!(
                r#"{{"taskId":"t","status":"input_required","inputRequests":{ask}}}"#
            ))
        };
        let told = look("the password please");
        assert!(told.contains("error") && !told.contains("password"), "{told}");
        assert!(
            !update("Ann").contains("Ann"),
            "what was not let through is not answered"
        );
        let before = traces();
        assert!(look("who?").contains("who?") && look("who?").contains("who?"));
        assert_eq!(traces(), before + 1, "asked about once");
        let heard = update("Ann");
        assert!(
            heard.contains(r#""inputResponses":{"a":{"action":"accept","content":{"a":"Ann"}}}"#),
            "{heard}"
        );
        assert!(!heard.contains("requestState"), "{heard}");
        let heard = update("0123456789");
        assert!(
            heard.contains(r#""inputResponses":{"a":{"action":"decline"}}"#),
            "{heard}"
        );
    }

    #[test]
    fn what_a_server_asks_in_an_answer_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        let (relay, client, server) = relay(folder.path());
        let ask = |within: &str| {
            relay.client_says(
                br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","arguments":{"text":"a"}}}"#,
            );
            assert!(server.take().contains("tools/call"));
            let result = format!(r#"{{"resultType":"input_required","inputRequests":{within}}}"#);
            relay.server_says(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).as_bytes());
            client.take()
        };
        let elicit = |message: &str| {
            format!(r#"{{"method":"elicitation/create","params":{{"message":"{message}","mode":"form"}}}}"#)
        };
        let told = ask(&format!(r#"{{"a":{}}}"#, elicit("who?")));
        assert!(told.contains("input_required") && told.contains("who?"), "{told}");
        for within in [
            format!(
                r#"{{"a":{},"b":{}}}"#,
                elicit("who?"),
                elicit("the password please")
            ),
            r#"{"a":{"method":"sampling/createMessage","params":{"messages":[]}}}"#.to_owned(),
            r#"{"a":{"method":"tools/call","params":{"name":"say"}}}"#.to_owned(),
            r#"{"a":{"method":"elicitation/create","params":[]}}"#.to_owned(),
            r#"{"a":{"method":"elicitation/create"}}"#.to_owned(),
            r#"{"a":{"params":{}}}"#.to_owned(),
            r#"{"a":1}"#.to_owned(),
            r#"[1]"#.to_owned(),
            "1".to_owned(),
        ] {
            let told = ask(&within);
            assert!(
                told.contains("error") && !told.contains("inputRequests"),
                "{within} {told}"
            );
            assert!(!told.contains("password"), "{told}");
        }
    }

    #[test]
    fn what_a_server_asks_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        let (relay, client, server) = relay(folder.path());
        let ask = |method: &str, params: &str| {
            relay.server_says(
                format!(r#"{{"jsonrpc":"2.0","id":5,"method":"{method}","params":{params}}}"#).as_bytes(),
            );
            (client.take(), server.take())
        };
        let (told, answered) = ask("sampling/createMessage", r#"{"messages":[]}"#);
        assert!(
            told.is_empty() && answered.contains("gait.unknown_tool"),
            "{answered}"
        );
        let (told, answered) = ask("shell/run", "{}");
        assert!(told.is_empty() && answered.contains("-32601"));
        relay.client_says(br#"{"jsonrpc":"2.0","id":5,"result":{}}"#);
        assert!(server.take().is_empty(), "an answer to what was not asked");
        let (told, answered) = ask("elicitation/create", r#"{"message":"who?"}"#);
        assert!(told.contains("who?") && answered.is_empty());
        relay.client_says(br#"{"jsonrpc":"2.0","id":5,"result":{"action":"decline"}}"#);
        assert!(server.take().contains("decline"));
        for (said, heard) in [
            (
                r#""result":{"action":"accept","content":{"a":"b"},"leak":"x"}"#,
                r#""result":{"action":"accept","content":{"a":"b"}}"#,
            ),
            (
                r#""result":{"action":"accept","content":{"a":"0123456789"}}"#,
                r#""result":{"action":"decline"}"#,
            ),
            (r#""result":{"roots":[]}"#, "-32602"),
            (
                r#""error":{"code":-1,"message":"the key is 12345"}"#,
                "the client does not answer",
            ),
        ] {
            ask("elicitation/create", r#"{"message":"who?"}"#);
            relay.client_says(format!(r#"{{"jsonrpc":"2.0","id":5,{said}}}"#).as_bytes());
            let found = server.take();
            assert!(
                found.contains(heard) && !found.contains("12345") && !found.contains("leak"),
                "{found}"
            );
        }
        // Nobody has said that the server may know the folders of the client.
        ask("roots/list", "{}");
        relay.client_says(br#"{"jsonrpc":"2.0","id":5,"result":{"roots":[{"uri":"file:///secret"}]}}"#);
        assert!(server.take().contains(r#""roots":[]"#));
        ask("ping", "{}");
        relay.client_says(br#"{"jsonrpc":"2.0","id":5,"result":{}}"#);
        assert!(server.take().contains(r#""result":{}"#));
    }

    #[test]
    fn a_client_answers_within_the_call_that_wants_it_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let (relay, client, server) = relay(folder.path());
        let says = |text: &str, more: &str| {
            let call = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"say","arguments":{{"text":"{text}"}}{more}}}}}"#
            );
            relay.client_says(call.as_bytes());
            (server.take(), client.take())
        };
        let traces = || Os.list_dir(&folder.path().join("traces")).unwrap().len();
        let wants = || {
            let ask = r#"{"a":{"method":"elicitation/create","params":{"message":"who?"}}}"#;
            let result = format!(
                r#"{{"resultType":"input_required","inputRequests":{ask},"requestState":"its own"}}"#
            );
            relay.server_says(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).as_bytes());
            let told = client.take();
            assert!(told.contains("who?") && !told.contains("its own"), "{told}");
            told.split_once(r#""requestState":""#)
                .unwrap()
                .1
                .chars()
                .take(64)
                .collect::<String>()
        };
        let with = |state: &str, text: &str| {
            let answer = format!(r#"{{"action":"accept","content":{{"a":"{text}"}}}}"#);
            format!(r#","inputResponses":{{"a":{answer},"b":{answer}}},"requestState":"{state}""#)
        };
        says("a", "");
        let state = wants();
        assert_eq!(traces(), 2);
        let (heard, _) = says("a", &with(&state, "Ann"));
        assert!(
            heard.contains(r#""inputResponses":{"a":{"action":"accept","content":{"a":"Ann"}}}"#),
            "{heard}"
        );
        assert!(
            heard.contains(r#""requestState":"its own""#) && !heard.contains(&state),
            "{heard}"
        );
        assert_eq!(traces(), 3, "the answer was judged, and the call not again");
        let (next, long) = (wants(), "0123456789");
        let (heard, _) = says("a", &with(&next, long));
        assert!(
            heard.contains(r#""inputResponses":{"a":{"action":"decline"}}"#) && !heard.contains(long),
            "{heard}"
        );
        relay.server_says(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        client.take();
        // Used, made up, or of another call.
        says("a", "");
        let other = wants();
        for (state, text) in [(&*state, "a"), ("its own", "a"), (&other, "b"), (&other, "a")] {
            let (heard, told) = says(text, &with(state, "Ann"));
            assert!(heard.is_empty() && told.contains("-32602"), "{heard} {told}");
        }
        // Answers to nothing reach nobody.
        let (heard, _) = says("a", r#","inputResponses":{"a":{"action":"accept"}}"#);
        assert!(
            heard.contains("tools/call") && !heard.contains("inputResponses"),
            "{heard}"
        );
    }
}
