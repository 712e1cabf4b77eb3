//! What a server asks of its client, and what the client answers: by itself, within the answer to a call, and within a task. In: messages that were read.
//! Out: the same as far as the policy lets them through. It must not know pipes.

use super::{Open, Relay, held, member, send, with_params};
use crate::json::Json;
use crate::mcp::frame::{self, INVALID_PARAMS, Kind, METHOD_NOT_FOUND, Message, REFUSED};
use crate::mcp::list;
use crate::mcp::method::{self, Class};
use crate::mcp::rounds::{self, Wanted};
use crate::mcp::{tasks, views};

impl Relay {
    /// What the server gets for what the client answers: what the policy lets through of it, and nothing that a client could say beside it.
    pub(super) fn answered(&self, message: &Message, id: &Json, method: &str) -> Json {
        let Some(result) = message.json.get("result") else {
            return frame::error(id, REFUSED, "the client does not answer", None);
        };
        let judge = |message: &Message, class| self.judged(message, class, &Json::Null).refused;
        match views::let_through((method, result), self.server_name(), &judge) {
            Ok(passed) => frame::result(id, passed),
            Err(error) => frame::failed(id, error),
        }
    }

    /// A call with what the client has answered, as far as the policy lets it through, and with what the server wants back.
    pub(super) fn goes_on(&self, message: &Message, wanted: &Wanted) -> Result<Message, Json> {
        let judge = |message: &Message, class| self.judged(message, class, &Json::Null).refused;
        let (given, _) = rounds::given(message)?;
        let through = wanted.let_through(given, self.server_name(), &judge)?;
        let with = |params| rounds::with(params, through.clone(), wanted.state.clone());
        Ok(with_params(message, &with))
    }

    /// A request about a task of the client's own, or the answer to one about any other. What it answers is judged, and nothing else of it goes on.
    pub(super) fn of_task(&self, message: &Message, id: &Json) -> Result<Message, Json> {
        let name = message.param("taskId").and_then(Json::as_str);
        let task = name.and_then(|name| self.tasks.find(name)).ok_or_else(|| {
            let why = "no call of this client has become a task of this id";
            frame::error(id, INVALID_PARAMS, why, None)
        })?;
        if !matches!(&message.kind, Kind::Request(_, method) if method == "tasks/update") {
            return Ok(with_params(message, &rounds::without));
        }
        let stopped = self
            .gate
            .stopped(&task.going, self.asking(message, Class::Task), id);
        stopped.map_or(Ok(()), Err)?;
        self.goes_on(message, &task.wanted)
            .map_err(|error| frame::failed(id, error))
    }

    /// What a server wants of the client before a task goes on. What was let through once is not asked about again each time the client looks.
    fn task_wants(&self, message: Json, wanted: Option<Wanted>, open: &Open) -> Json {
        let known = open
            .task
            .as_deref()
            .and_then(|name| Some((name, self.tasks.find(name)?)));
        let (Some(wanted), Some((name, task))) = (wanted, known) else {
            return frame::error(&open.id, REFUSED, "what the server asks for cannot be read", None);
        };
        let new = wanted
            .requests
            .iter()
            .filter(|one| !task.wanted.requests.contains(one));
        for (_, method, params) in new {
            if let Some(error) = self.refused_of_server(method, params) {
                return frame::failed(&open.id, error);
            }
        }
        self.tasks.wants(
            name,
            Wanted {
                state: None,
                ..wanted
            },
        );
        message
    }

    /// What a client gets of a result.
    pub(super) fn result(&self, message: Json, open: &Open) -> Json {
        let Some(result) = message.get("result") else {
            return message;
        };
        if let (Some(id), Some(going)) = (tasks::made(result), &open.going) {
            self.tasks.keep(id, going.as_ref().clone());
        }
        match (open.method.as_str(), rounds::wanted(result)) {
            ("tasks/get", Some(wanted)) => self.task_wants(message, wanted.ok(), open),
            (_, Some(wanted)) => self.wants(&message, wanted.ok(), open),
            (list::METHOD, None) => self.listed(message, &open.id),
            ("tasks/list", None) => self.own_tasks(message),
            (_, None) => message,
        }
    }

    /// A list of tasks without those that no call of the client has become.
    fn own_tasks(&self, mut message: Json) -> Json {
        let tasks = member(&mut message, "result").and_then(|result| member(result, "tasks"));
        if let Some(Json::Array(tasks)) = tasks {
            let id = |task: &Json| task.get("taskId").and_then(Json::as_str).map(str::to_owned);
            tasks.retain(|task| id(task).is_some_and(|id| self.tasks.find(&id).is_some()));
        }
        message
    }

    /// The answer to a request for which the server wants more first (2026-07-28): what it asks for is judged, and what it wants back stays here.
    /// Where it asks for what it may not, nothing of it reaches the client.
    fn wants(&self, message: &Json, wanted: Option<Wanted>, open: &Open) -> Json {
        let id = &open.id;
        let failed = |why| frame::error(id, REFUSED, why, None);
        let (Some(wanted), Some(going)) = (wanted, open.going.as_ref().filter(|going| going.may_want()))
        else {
            return failed("what the server asks for cannot be read, or is more than the gateway passes on");
        };
        for (_, method, params) in &wanted.requests {
            if let Some(error) = self.refused_of_server(method, params) {
                return frame::failed(id, error);
            }
        }
        let Ok(state) = self.rounds.keep(going.waits(wanted)) else {
            return failed("the gateway cannot keep what the server wants");
        };
        let result = message.get("result").unwrap_or(&Json::Null);
        frame::result(id, rounds::with_state(result, state))
    }

    /// Why the server may not ask the client for something, as an error; none where it may.
    fn refused_of_server(&self, method: &str, params: &Json) -> Option<Json> {
        match method::of_server(method) {
            Class::Refused => {
                let why = format!("the gateway lets no `{}` through", method.escape_debug());
                let refused = frame::error(&Json::Null, METHOD_NOT_FOUND, &why, None);
                refused.get("error").cloned()
            }
            class => {
                let judge = |message: &Message, class| self.judged(message, class, &Json::Null).refused;
                views::refused((method, params), self.server_name(), class, &judge)
            }
        }
    }

    /// A request of the server: what it may ask the client for is judged, too.
    pub(super) fn server_asks(&self, message: &Message, id: &Json, method: &str) {
        let none = Json::Object(Vec::new());
        let params = message.json.get("params").unwrap_or(&none);
        match self.refused_of_server(method, params) {
            Some(error) => send(&self.server, &frame::line(&frame::failed(id, error))),
            None => {
                held(&self.asked).insert(frame::key(id), method.to_owned());
                send(&self.client, &message.to_line());
            }
        }
    }
}
