//! A request that was judged, on its way to a server and back: what the server tells of it meanwhile reaches the client that asked, and what the server
//! wants of the client first is judged, too. In: a request, and where it goes. Out: its result, or why there is none.

use super::Gateway;
use super::catalog::Behind;
use super::events::Events;
use super::sender::Sender;
use super::server::CallError;
use crate::json::{Json, Text};
use crate::limits;
use crate::mcp::asks::Asks;
use crate::mcp::frame::{self, Kind, Message, REFUSED};
use crate::mcp::gate::{Asked, Gatekeeper};
use crate::mcp::method::{self, Class};
use crate::mcp::rounds::{self, Wanted};
use crate::mcp::upstream::not_asked_for;
use crate::mcp::views;

/// What the gateway itself asks people for.
pub const OWN_REQUEST: &str = "gait.approval";

/// A request that may go on.
pub struct Going<'a> {
    /// The server.
    pub behind: Behind<'a>,
    /// The method.
    pub method: &'static str,
    /// The tool that is called; none where none is.
    pub tool: Option<&'a str>,
    /// What was judged.
    pub judged: (&'a Message, Class),
    /// Its id.
    pub id: &'a Json,
    /// Its parameters as the server knows them.
    pub params: Json,
    /// Who asks.
    pub from: &'a Sender,
    /// Where the client is told of it.
    pub events: &'a Events<'a>,
}

/// Why there is no result.
pub enum NoResult {
    /// The server did not answer, or was not asked.
    Failed(CallError),
    /// What it wants of the client, or the client answers, is not let through: an error.
    Refused(Json),
    /// It was stopped before it went on: the whole answer.
    Stopped(Json),
    /// It wants what the client cannot give, or more often than it is asked.
    Wants,
}

/// What was judged of a request, where its server may want something of the client first; and what it wanted, where the client has answered.
pub type Judged = (Option<Box<rounds::Going>>, Option<Wanted>);

impl Gateway {
    /// Passes a request on and waits for its result. Where the client has answered what the server wanted, that goes on with it; answers to what was not
    /// asked yet are taken once the server asks for them, since clients may know.
    pub(super) fn exchange(
        &self,
        going: &Going<'_>,
        (mut judged, resumed): Judged,
    ) -> Result<Json, NoResult> {
        let given = match going.from {
            Sender::Anybody(_) => rounds::given(going.judged.0).map_err(NoResult::Refused)?.0,
            Sender::Newcomer | Sender::Client(_) => &[],
        };
        let mut given = Some(given);
        let mut params = rounds::without(without_own(going.params.clone()));
        if let Some(wanted) = resumed {
            let through = self.let_through(going, &wanted, given.take().unwrap_or_default())?;
            params = rounds::with(params, through, wanted.state);
        }
        loop {
            let result = self.asked_once(going, params.clone())?;
            let kind = result.get("resultType").map(Json::as_str);
            let wanted = match (rounds::wanted(&result), kind) {
                (None, None | Some(Some("complete"))) => return Ok(result),
                (Some(Ok(wanted)), Some(Some("input_required"))) => wanted,
                _ => return Err(NoResult::Wants),
            };
            let judged = judged.as_mut().filter(|judged| judged.may_want());
            let judged = judged.ok_or(NoResult::Wants)?;
            self.may_want_all(going, &wanted)?;
            let answers = match (going.from, given.take()) {
                (Sender::Client(_), _) => self.asks_all(going, &wanted)?,
                (_, Some(given)) if !given.is_empty() && wanted.is_in(given) => {
                    self.let_through(going, &wanted, given)?
                }
                // The client makes the request again, with its answers.
                _ => return self.waits_for(judged, wanted, &result),
            };
            if let Some(stopped) = self.stopped(going, judged) {
                return Err(NoResult::Stopped(stopped));
            }
            judged.rounds = judged.rounds.saturating_add(1);
            params = rounds::with(params, answers, wanted.state);
        }
    }

    /// A request that its client has answered, which was judged before, and is not again unless somebody has stopped it since; none for any
    /// other. An error where the client sends back what it was not given.
    pub(super) fn resumed(
        &self,
        (message, class): (&Message, Class),
        server: &str,
        from: &Sender,
    ) -> Result<Option<Judged>, Json> {
        let Sender::Anybody(_) = from else { return Ok(None) };
        let asked = Asked {
            message,
            class,
            caller: &self.caller(server, from),
            session: None,
        };
        let resumed = self.gate.resumed(asked, &self.rounds)?;
        let resumed = resumed.filter(|(_, going)| !self.gate.is_stopped(going));
        Ok(resumed.map(|(wanted, going)| (Some(Box::new(going)), Some(wanted))))
    }

    fn asked_once(&self, going: &Going<'_>, params: Json) -> Result<Json, NoResult> {
        let events = going.events;
        let said = events.said(&|capability| self.may_ask(capability));
        let mut heard = |message: &Message| match &message.kind {
            Kind::Request(id, method) => Some(self.answer(going, (id, method), message)),
            Kind::Notification(_) | Kind::Response(_) => {
                events.tell(message);
                None
            }
        };
        let is_asked = ["elicitation", "sampling", "roots"]
            .iter()
            .any(|one| events.is_asked(one));
        let asks = Asks {
            method: going.method,
            params,
            said: Some(&said),
            headers: Vec::new(),
            heard: if events.hears() || is_asked {
                Some(&mut heard)
            } else {
                None
            },
            is_asked,
            wait: limits::MCP_CALL_MILLIS,
            stop: None,
        };
        let server = going.behind.1;
        match going.tool {
            Some(tool) => server.call(tool, asks).map_err(NoResult::Failed),
            None => server
                .asks(asks)
                .map_err(|error| NoResult::Failed(CallError::Ask(error))),
        }
    }

    fn may_ask(&self, capability: &str) -> bool {
        may_ask(&self.gate, capability)
    }

    /// Asks a client with a session for everything that a server wants.
    fn asks_all(&self, going: &Going<'_>, wanted: &Wanted) -> Result<Vec<(Text, Json)>, NoResult> {
        let mut given = Vec::new();
        for (name, method, request) in &wanted.requests {
            let answer = going.events.ask(method, request.clone()).ok_or(NoResult::Wants)?;
            given.push((name.clone(), answer));
        }
        self.let_through(going, wanted, &given)
    }

    fn let_through(
        &self,
        going: &Going<'_>,
        wanted: &Wanted,
        given: &[(Text, Json)],
    ) -> Result<Vec<(Text, Json)>, NoResult> {
        let judge = |message: &Message, class| self.says_no(going, (message, class));
        let through = wanted.let_through(given, Some(going.behind.0), &judge);
        through.map_err(NoResult::Refused)
    }

    /// The answer to something beside a request that may not be.
    fn says_no(&self, going: &Going<'_>, judged: (&Message, Class)) -> Option<Json> {
        let answer = self.decided(judged, going.behind.0, &Json::Null, going.from);
        answer.refused
    }

    /// The answer to a call that was stopped since it was judged; it is judged again, so that its trace says so.
    fn stopped(&self, going: &Going<'_>, judged: &rounds::Going) -> Option<Json> {
        let is_stopped = self.gate.is_stopped(judged);
        let again = is_stopped.then(|| self.decided(going.judged, going.behind.0, going.id, going.from));
        again.and_then(|answer| answer.refused)
    }

    /// What a client gets that has to answer first: a state of the gateway's own in the place of the server's.
    fn waits_for(&self, judged: &rounds::Going, wanted: Wanted, result: &Json) -> Result<Json, NoResult> {
        let round = judged.waits(wanted);
        let state = self.rounds.keep(round).map_err(|_| NoResult::Wants)?;
        Ok(rounds::with_state(result, state))
    }

    /// The answer to a request that a server makes over a request of a client, which is asked.
    fn answer(&self, going: &Going<'_>, (id, method): (&Json, &str), message: &Message) -> Json {
        let none = Json::Object(Vec::new());
        let params = message.json.get("params").unwrap_or(&none);
        let is_asked = |capability| going.events.is_asked(capability);
        if !capability_of(method).is_some_and(is_asked) {
            return not_asked_for(id);
        }
        match self.may_want(going, method, params) {
            Err(NoResult::Refused(error)) => return frame::failed(id, error),
            Err(_) => return not_asked_for(id),
            Ok(()) => {}
        }
        let Some(result) = going.events.ask(method, params.clone()) else {
            return frame::error(id, REFUSED, "the client does not answer", None);
        };
        let judge = |message: &Message, class| self.says_no(going, (message, class));
        match views::let_through((method, &result), Some(going.behind.0), &judge) {
            Ok(passed) => frame::result(id, passed),
            Err(error) => frame::failed(id, error),
        }
    }

    /// Refuses what a server must not ask a client for.
    fn may_want(&self, going: &Going<'_>, method: &str, params: &Json) -> Result<(), NoResult> {
        let capability = capability_of(method).ok_or(NoResult::Wants)?;
        if params.as_object().is_none() || !going.events.can(capability) || !self.may_ask(capability) {
            return Err(NoResult::Wants);
        }
        let judge = |message: &Message, class| self.says_no(going, (message, class));
        let class = method::of_server(method);
        match views::refused((method, params), Some(going.behind.0), class, &judge) {
            Some(refused) => Err(NoResult::Refused(refused)),
            None => Ok(()),
        }
    }

    /// What a server wants of a client before it answers: only what the client can, and the policy lets through.
    fn may_want_all(&self, going: &Going<'_>, wanted: &Wanted) -> Result<(), NoResult> {
        for (name, method, params) in &wanted.requests {
            if name == OWN_REQUEST {
                return Err(NoResult::Wants);
            }
            self.may_want(going, method, params)?;
        }
        Ok(())
    }
}

/// Whether the policy could let a server ask a client for something, and have the answer.
pub fn may_ask(gate: &Gatekeeper, capability: &str) -> bool {
    let is_known = |tool: &str| gate.setup().shows_all || gate.knows(tool);
    match capability {
        "sampling" => is_known("mcp.sampling") && is_known("mcp.sampling_answer"),
        "elicitation" => is_known("mcp.elicitation") && is_known("mcp.elicitation_answer"),
        "roots" => is_known("mcp.roots_answer"),
        _ => false,
    }
}

/// What a client must be able to that is asked with a method.
fn capability_of(method: &str) -> Option<&'static str> {
    match method {
        "sampling/createMessage" => Some("sampling"),
        "elicitation/create" => Some("elicitation"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

/// Parameters without what is between the client and the gateway alone: of the revision, and where progress is told.
fn without_own(params: Json) -> Json {
    let Json::Object(mut members) = params else {
        return params;
    };
    for (key, value) in &mut members {
        match value {
            Json::Object(meta) if key == "_meta" => {
                meta.retain(|(name, _)| !name.starts_with(frame::OWN_META) && name != "progressToken");
            }
            _ => {}
        }
    }
    let is_left = |value: &Json| value.as_object().is_some_and(|members| !members.is_empty());
    members.retain(|(key, value)| key != "_meta" || is_left(value));
    Json::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn what_is_between_client_and_gateway_stays_there() {
        let read = |text: &str| parse(text.as_bytes()).unwrap();
        for (params, left) in [
            ("{}", "{}"),
            (
                r#"{"name":"x","_meta":{"progressToken":1,"io.modelcontextprotocol/clientInfo":{}}}"#,
                r#"{"name":"x"}"#,
            ),
            (
                r#"{"_meta":{"progressToken":1,"traceparent":"t"},"requestState":"s"}"#,
                r#"{"_meta":{"traceparent":"t"},"requestState":"s"}"#,
            ),
            (r#"{"name":"x","_meta":1}"#, r#"{"name":"x"}"#),
        ] {
            assert_eq!(without_own(read(params)), read(left), "{params}");
        }
    }
}
