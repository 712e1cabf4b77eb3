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
use crate::mcp::frame::{self, Kind, METHOD_NOT_FOUND, Message, REFUSED};
use crate::mcp::gate::Gatekeeper;
use crate::mcp::method::{self, Class};
use crate::mcp::upstream::not_asked_for;

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
    /// What it wants of the client is not let through: an error.
    Refused(Json),
    /// It wants what the client cannot give, or more often than it is asked.
    Wants,
}

/// What a server wants of the client first.
struct Wanted {
    requests: Vec<(Text, String, Json)>,
    state: Option<Json>,
}

impl Gateway {
    /// Passes a request on and waits for its result.
    pub(super) fn exchange(&self, going: &Going<'_>) -> Result<Json, NoResult> {
        let mut params = without_own(going.params.clone());
        for _ in 0..limits::MCP_ROUNDS {
            let result = self.asked_once(going, params.clone())?;
            match result.get("resultType").map(Json::as_str) {
                None | Some(Some("complete")) => return Ok(result),
                Some(Some("input_required")) => {}
                Some(_) => return Err(NoResult::Wants),
            }
            let wanted = self.wanted(going, &result)?;
            let Sender::Client(_) = going.from else {
                // The client makes the request again, with its answers.
                return Ok(result);
            };
            let mut answers: Vec<(Text, Json)> = Vec::new();
            for (name, method, request) in wanted.requests {
                let answer = going.events.ask(&method, request).ok_or(NoResult::Wants)?;
                answers.push((name, answer));
            }
            params = answered(params, answers, wanted.state);
        }
        Err(NoResult::Wants)
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

    /// The answer to a request that a server makes over a request of a client, which is asked.
    fn answer(&self, going: &Going<'_>, (id, method): (&Json, &str), message: &Message) -> Json {
        let none = Json::Object(Vec::new());
        let params = message.json.get("params").unwrap_or(&none);
        let is_asked = |capability| going.events.is_asked(capability);
        if !capability_of(method).is_some_and(is_asked) {
            return not_asked_for(id);
        }
        match self.may_want(going, method, params) {
            Err(NoResult::Refused(error)) => frame::failed(id, error),
            Err(_) => not_asked_for(id),
            Ok(()) => match going.events.ask(method, params.clone()) {
                Some(result) => frame::result(id, result),
                None => frame::error(id, REFUSED, "the client does not answer", None),
            },
        }
    }

    /// Refuses what a server must not ask a client for.
    fn may_want(&self, going: &Going<'_>, method: &str, params: &Json) -> Result<(), NoResult> {
        let capability = capability_of(method).ok_or(NoResult::Wants)?;
        if params.as_object().is_none() || !going.events.can(capability) || !self.may_ask(capability) {
            return Err(NoResult::Wants);
        }
        match self.refused_of_server(going, method, params) {
            Some(refused) => Err(NoResult::Refused(refused)),
            None => Ok(()),
        }
    }

    /// What a server wants of a client before it answers: only what the client can, and the policy lets through.
    fn wanted(&self, going: &Going<'_>, result: &Json) -> Result<Wanted, NoResult> {
        let state = result.get("requestState").cloned();
        let none = Json::Object(Vec::new());
        let all = result.get("inputRequests").unwrap_or(&none);
        let all = all.as_object().ok_or(NoResult::Wants)?;
        if (all.is_empty() && state.is_none()) || all.len() > limits::MCP_WANTED {
            return Err(NoResult::Wants);
        }
        let mut requests = Vec::new();
        for (name, request) in all {
            let method = request
                .get("method")
                .and_then(Json::as_str)
                .ok_or(NoResult::Wants)?;
            let params = request.get("params").unwrap_or(&none);
            if name == OWN_REQUEST {
                return Err(NoResult::Wants);
            }
            self.may_want(going, method, params)?;
            requests.push((name.clone(), method.to_owned(), params.clone()));
        }
        Ok(Wanted { requests, state })
    }

    /// Why a server may not ask the client for something, as an error; none where it may.
    fn refused_of_server(&self, going: &Going<'_>, method: &str, params: &Json) -> Option<Json> {
        let id = Json::str(method);
        let class = method::of_server(method);
        if class == Class::Refused {
            return Some(frame::error(&id, METHOD_NOT_FOUND, "it is not let through", None));
        }
        let message = Message {
            json: frame::request(&id, method, params.clone()),
            kind: Kind::Request(id.clone(), method.to_owned()),
        };
        let answer = self.decided((&message, class), going.behind.0, &id, going.from);
        let refused = answer.refused?;
        Some(refused.get("error").cloned().unwrap_or(Json::Null))
    }
}

/// Whether the policy could let a server ask a client for something.
pub fn may_ask(gate: &Gatekeeper, capability: &str) -> bool {
    let is_known = |tool: &str| gate.setup().shows_all || gate.knows(tool);
    match capability {
        "sampling" => is_known("mcp.sampling"),
        "elicitation" => is_known("mcp.elicitation"),
        "roots" => true,
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

/// Parameters without what is between the client and the gateway alone: of the revision, where progress is told, and what people were asked for
/// by the gateway.
fn without_own(params: Json) -> Json {
    let Json::Object(mut members) = params else {
        return params;
    };
    for (key, value) in &mut members {
        match value {
            Json::Object(meta) if key == "_meta" => {
                meta.retain(|(name, _)| !name.starts_with(frame::OWN_META) && name != "progressToken");
            }
            Json::Object(answers) if key == "inputResponses" => {
                answers.retain(|(name, _)| name != OWN_REQUEST);
            }
            _ => {}
        }
    }
    let is_left = |value: &Json| value.as_object().is_some_and(|members| !members.is_empty());
    members.retain(|(key, value)| !(key == "_meta" || key == "inputResponses") || is_left(value));
    Json::Object(members)
}

/// Parameters with what the client has answered, and what the server wants back.
fn answered(params: Json, answers: Vec<(Text, Json)>, state: Option<Json>) -> Json {
    let Json::Object(mut members) = params else {
        return params;
    };
    members.retain(|(key, _)| key != "inputResponses" && key != "requestState");
    if !answers.is_empty() {
        members.push((Text::const_new("inputResponses"), Json::Object(answers)));
    }
    members.extend(state.map(|state| (Text::const_new("requestState"), state)));
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
            (r#"{"inputResponses":{"gait.approval":{}}}"#, "{}"),
            (
                r#"{"inputResponses":{"gait.approval":{},"a":{}}}"#,
                r#"{"inputResponses":{"a":{}}}"#,
            ),
            (r#"{"inputResponses":1,"_meta":1}"#, "{}"),
        ] {
            assert_eq!(without_own(read(params)), read(left), "{params}");
        }
        let again = answered(
            read(r#"{"a":1,"requestState":"s","inputResponses":{"x":1}}"#),
            vec![("y".into(), Json::int(2))],
            None,
        );
        assert_eq!(again, read(r#"{"a":1,"inputResponses":{"y":2}}"#));
    }
}
