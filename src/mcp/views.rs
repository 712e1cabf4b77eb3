//! What policies see of what servers ask of clients, and of what clients answer. In: a method, what was said, and the server. Out: the arguments
//! of a call that is judged; of an answer also what of it goes on to the server, which is what was judged and nothing else.

use super::call::NoCall;
use super::frame::{self, INVALID_PARAMS, Kind, Message};
use super::method::{self, Class};
use crate::artifact::jcs;
use crate::json::{Json, Text};

/// The arguments of what a server asks of a client. What a policy could not see all of is none: it is refused.
fn asked(method: &str, params: &Json, server: Option<&str>) -> Result<Json, NoCall> {
    let mut args = of_server(server);
    match method {
        "elicitation/create" => elicitation(params, &mut args)?,
        "sampling/createMessage" => sampling(params, &mut args)?,
        _ => {}
    }
    Ok(Json::object(args))
}

/// Judges what is seen of a message; gives the answer to one that must not go on.
pub type Judge<'j> = dyn Fn(&Message, Class) -> Option<Json> + 'j;

/// Why a server may not ask a client for something, as an error; none where it may.
pub fn refused(
    (method, params): (&str, &Json),
    server: Option<&str>,
    class: Class,
    judge: &Judge<'_>,
) -> Option<Json> {
    match asked(method, params, server) {
        Ok(args) => judge(&message(method, args), class).map(error_of),
        Err(error) => Some(invalid(&error)),
    }
}

/// What of an answer goes on to the server: what was judged where it may, and otherwise what says no. An error where the answer is none, or there is
/// no way to say no.
pub fn let_through(
    (method, result): (&str, &Json),
    server: Option<&str>,
    judge: &Judge<'_>,
) -> Result<Json, Json> {
    if method == "ping" {
        return Ok(Json::Object(Vec::new()));
    }
    let seen = answered(method, result, server).map_err(|error| invalid(&error))?;
    match judge(&message(method, seen.args), method::of_answer(method)) {
        None => Ok(seen.passed),
        Some(refused) => declined(method).ok_or_else(|| error_of(refused)),
    }
}

fn message(method: &str, args: Json) -> Message {
    let id = Json::str(method);
    Message {
        json: frame::request(&id, method, args),
        kind: Kind::Request(id, method.to_owned()),
    }
}

fn error_of(refused: Json) -> Json {
    refused.get("error").cloned().unwrap_or(Json::Null)
}

fn invalid(error: &NoCall) -> Json {
    error_of(frame::error(
        &Json::Null,
        INVALID_PARAMS,
        &error.to_string(),
        None,
    ))
}

/// An answer as it is judged, and as it goes on.
#[derive(Clone, Debug, PartialEq)]
struct Answered {
    args: Json,
    passed: Json,
}

/// What a client answers to a request of a server.
fn answered(method: &str, result: &Json, server: Option<&str>) -> Result<Answered, NoCall> {
    let mut args = of_server(server);
    let passed = match method {
        "elicitation/create" => elicited(result, &mut args)?,
        "sampling/createMessage" => sampled(result, &mut args)?,
        "roots/list" => rooted(result, &mut args)?,
        _ => return Err(NoCall::Param("method")),
    };
    Ok(Answered {
        args: Json::object(args),
        passed: Json::object(passed),
    })
}

/// What a server gets in the place of an answer that it may not have; none where the protocol has no such answer.
fn declined(method: &str) -> Option<Json> {
    match method {
        "elicitation/create" => Some(Json::object([("action", Json::str("decline"))])),
        "roots/list" => Some(Json::object([("roots", Json::Array(Vec::new()))])),
        _ => None,
    }
}

type Members = Vec<(&'static str, Json)>;

fn of_server(server: Option<&str>) -> Members {
    let server = server.map(|server| ("server", Json::str(server)));
    server.into_iter().collect()
}

/// Takes members over that are there.
fn taken(from: &Json, names: &[&'static str], to: &mut Members) {
    let there = names
        .iter()
        .filter_map(|name| Some((*name, from.get(name)?.clone())));
    to.extend(there);
}

fn text<'j>(from: &'j Json, name: &'static str) -> Result<Option<&'j str>, NoCall> {
    let said = from
        .get(name)
        .map(|said| said.as_str().ok_or(NoCall::Param(name)));
    said.transpose()
}

fn elicitation(params: &Json, args: &mut Members) -> Result<(), NoCall> {
    let mode = text(params, "mode")?.unwrap_or("form");
    args.push(("mode", Json::str(mode)));
    taken(params, &["message", "url"], args);
    let schema = params.get("requestedSchema");
    let properties = match schema.map(|schema| (schema.as_object(), schema.get("properties"))) {
        None | Some((Some(_), None)) => &[][..],
        Some((Some(_), Some(Json::Object(members)))) => members,
        Some(_) => return Err(NoCall::Param("requestedSchema")),
    };
    let names = properties.iter().map(|(name, _)| Json::str(name.clone()));
    args.push(("properties", Json::Array(names.collect())));
    Ok(())
}

fn sampling(params: &Json, args: &mut Members) -> Result<(), NoCall> {
    let wrong = || NoCall::Param("messages");
    let messages = params
        .get("messages")
        .and_then(Json::as_array)
        .ok_or_else(wrong)?;
    let mut seen = Vec::new();
    for message in messages {
        let role = message.get("role").and_then(Json::as_str).ok_or_else(wrong)?;
        for (kind, text) in blocks(message.get("content")).ok_or_else(wrong)? {
            seen.push(Json::object([
                ("role", Json::str(role)),
                ("type", Json::str(kind)),
                ("text", Json::str(text)),
            ]));
        }
    }
    args.push(("messages", Json::Array(seen)));
    taken(params, &["systemPrompt", "includeContext", "maxTokens"], args);
    if let Some(tools) = params.get("tools") {
        let wrong = || NoCall::Param("tools");
        let name = |tool: &Json| tool.get("name")?.as_str().map(Json::str);
        let tools = tools.as_array().ok_or_else(wrong)?.iter().map(name);
        let names: Option<Vec<_>> = tools.collect();
        args.push(("tools", Json::Array(names.ok_or_else(wrong)?)));
    }
    Ok(())
}

/// The blocks of a content, which is one or a list of them: of what type each is, and its text; the text of what is none is its JSON.
fn blocks(content: Option<&Json>) -> Option<Vec<(&str, String)>> {
    let one = |block| {
        let kind = Json::get(block, "type")?.as_str()?;
        match kind {
            "text" => Some((kind, block.get("text")?.as_str()?.to_owned())),
            _ => Some((kind, canonical(block))),
        }
    };
    match content? {
        Json::Array(blocks) => blocks.iter().map(one).collect(),
        block => Some(vec![one(block)?]),
    }
}

fn canonical(json: &Json) -> String {
    String::from_utf8_lossy(&jcs::to_vec(json)).into_owned()
}

/// What a person says. Values that are no text are judged as their JSON: a policy reads what leaves, of whatever type.
fn elicited(result: &Json, args: &mut Members) -> Result<Members, NoCall> {
    let action = text(result, "action")?.filter(|said| ["accept", "decline", "cancel"].contains(said));
    let action = action.ok_or(NoCall::Param("action"))?;
    let said = ("action", Json::str(action));
    args.push(said.clone());
    let mut passed = vec![said];
    let content = result.get("content").filter(|_| action == "accept");
    if let Some(content) = content {
        let members = content.as_object().ok_or(NoCall::Param("content"))?;
        let seen = members.iter().map(|(name, value)| match value {
            Json::String(_) => (name.clone(), value.clone()),
            other => (name.clone(), Json::str(canonical(other))),
        });
        args.push(("content", Json::Object(seen.collect())));
        passed.push(("content", content.clone()));
    }
    Ok(passed)
}

/// What a model says.
fn sampled(result: &Json, args: &mut Members) -> Result<Members, NoCall> {
    let wrong = || NoCall::Param("content");
    let content = result.get("content").ok_or_else(wrong)?;
    let seen = blocks(Some(content)).ok_or_else(wrong)?.into_iter();
    let seen = seen.map(|(kind, text)| Json::object([("type", Json::str(kind)), ("text", Json::str(text))]));
    let seen = Json::Array(seen.collect());
    let mut passed = Vec::new();
    taken(result, &["role", "model", "stopReason"], &mut passed);
    args.extend(passed.iter().cloned());
    args.push(("content", seen));
    let plain = |block: &Json| match block.get("type").and_then(Json::as_str) {
        Some("text") => with_only(block, &["type", "text"]),
        _ => block.clone(),
    };
    let content = match content {
        Json::Array(blocks) => Json::Array(blocks.iter().map(plain).collect()),
        block => plain(block),
    };
    passed.push(("content", content));
    Ok(passed)
}

/// Which folders a client works in.
fn rooted(result: &Json, args: &mut Members) -> Result<Members, NoCall> {
    let wrong = || NoCall::Param("roots");
    let roots = result.get("roots").and_then(Json::as_array).ok_or_else(wrong)?;
    if roots.iter().any(|root| root.as_object().is_none()) {
        return Err(wrong());
    }
    let roots = roots.iter().map(|root| with_only(root, &["uri", "name"]));
    let roots = ("roots", Json::Array(roots.collect()));
    args.push(roots.clone());
    Ok(vec![roots])
}

fn with_only(json: &Json, names: &[&str]) -> Json {
    let members = json.as_object().unwrap_or_default().iter();
    let kept = members.filter(|(name, _): &&(Text, Json)| names.contains(&name.as_str()));
    Json::Object(kept.cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn read(text: &str) -> Json {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_server_asks_is_seen_whole_or_refused() {
        let schema = r#"{"type":"object","properties":{"name":{"type":"string"},"pin":{"type":"integer"}}}"#;
        let text = r#"{"type":"text","text":"hi"}"#;
        for (method, params, seen) in [
            (
                "elicitation/create",
                format!(r#"{{"message":"m","requestedSchema":{schema}}}"#),
                Some(r#"{"server":"s","mode":"form","message":"m","properties":["name","pin"]}"#),
            ),
            (
                "elicitation/create",
                r#"{"mode":"url","message":"m","url":"https://x.example/"}"#.to_owned(),
                Some(
                    r#"{"server":"s","mode":"url","message":"m","url":"https://x.example/","properties":[]}"#,
                ),
            ),
            ("elicitation/create", r#"{"mode":1}"#.to_owned(), None),
            ("elicitation/create", r#"{"requestedSchema":[]}"#.to_owned(), None),
            (
                "elicitation/create",
                r#"{"requestedSchema":{"properties":1}}"#.to_owned(),
                None,
            ),
            (
                "sampling/createMessage",
                format!(
                    r#"{{"messages":[{{"role":"user","content":{text}}},{{"role":"assistant","content":[{text},{{"type":"image","data":"x"}}]}}],
                        "maxTokens":9,"systemPrompt":"p","tools":[{{"name":"t","description":"d"}}],"temperature":1}}"#
                ),
                Some(
                    r#"{"server":"s","messages":[{"role":"user","type":"text","text":"hi"},{"role":"assistant","type":"text","text":"hi"},
                        {"role":"assistant","type":"image","text":"{\"data\":\"x\",\"type\":\"image\"}"}],"systemPrompt":"p","maxTokens":9,"tools":["t"]}"#,
                ),
            ),
            ("sampling/createMessage", "{}".to_owned(), None),
            (
                "sampling/createMessage",
                r#"{"messages":[{"role":"user"}]}"#.to_owned(),
                None,
            ),
            (
                "sampling/createMessage",
                r#"{"messages":[],"tools":[{}]}"#.to_owned(),
                None,
            ),
            ("roots/list", "{}".to_owned(), Some(r#"{"server":"s"}"#)),
        ] {
            let found = asked(method, &read(&params), Some("s")).ok();
            let canonical = |json: &Json| jcs::to_vec(json);
            assert_eq!(
                found.as_ref().map(canonical),
                seen.map(|seen| canonical(&read(seen))),
                "{params}"
            );
        }
    }

    #[test]
    fn of_an_answer_what_was_judged_goes_on() {
        for (method, result, seen, passed) in [
            (
                "elicitation/create",
                r#"{"action":"accept","content":{"a":"x","n":5,"l":["b"]},"_meta":{"m":1},"more":2}"#,
                r#"{"action":"accept","content":{"a":"x","n":"5","l":"[\"b\"]"}}"#,
                r#"{"action":"accept","content":{"a":"x","n":5,"l":["b"]}}"#,
            ),
            (
                "elicitation/create",
                r#"{"action":"cancel","content":{"a":"x"}}"#,
                r#"{"action":"cancel"}"#,
                r#"{"action":"cancel"}"#,
            ),
            ("elicitation/create", r#"{"action":"leak"}"#, "", ""),
            (
                "elicitation/create",
                r#"{"action":"accept","content":"x"}"#,
                "",
                "",
            ),
            ("elicitation/create", "5", "", ""),
            (
                "sampling/createMessage",
                r#"{"role":"assistant","model":"m","content":{"type":"text","text":"t","_meta":{"x":1}},"stopReason":"end","_meta":{}}"#,
                r#"{"role":"assistant","model":"m","stopReason":"end","content":[{"type":"text","text":"t"}]}"#,
                r#"{"role":"assistant","model":"m","stopReason":"end","content":{"type":"text","text":"t"}}"#,
            ),
            (
                "sampling/createMessage",
                r#"{"content":[{"type":"tool_use","id":"1"}]}"#,
                r#"{"content":[{"type":"tool_use","text":"{\"id\":\"1\",\"type\":\"tool_use\"}"}]}"#,
                r#"{"content":[{"type":"tool_use","id":"1"}]}"#,
            ),
            ("sampling/createMessage", r#"{"role":"assistant"}"#, "", ""),
            (
                "roots/list",
                r#"{"roots":[{"uri":"file:///w","name":"w","_meta":{"x":1}}]}"#,
                r#"{"roots":[{"uri":"file:///w","name":"w"}]}"#,
                r#"{"roots":[{"uri":"file:///w","name":"w"}]}"#,
            ),
            ("roots/list", r#"{"roots":["x"]}"#, "", ""),
            ("shell/run", "{}", "", ""),
        ] {
            let found = answered(method, &read(result), None).ok();
            let expected = (!seen.is_empty()).then(|| Answered {
                args: read(seen),
                passed: read(passed),
            });
            assert_eq!(found, expected, "{result}");
        }
    }
}
