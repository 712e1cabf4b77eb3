//! What a recorded document says: its calls, their labels, and what they belong to. The shapes are those of agent
//! benchmarks, provider logs and v1 IntentRequests. A document in no known shape is refused, never skipped.

use super::lines::Document;
use super::origins;
use crate::artifact::TraceRecord;
use crate::builtins::instant;
use crate::domain::{ArgumentOrigin, Intent, ScriptStep};
use crate::gate::IntentError;
use crate::gate::intent::SCHEMA_ID;
use crate::json::{self, Json};

/// Members that hold the list of calls of one task or run.
const LISTS: [&str; 2] = ["calls", "tool_calls"];
/// Members that hold one call.
const WRAPPERS: [&str; 3] = ["call", "tool_call", "user_call"];
/// Members in which provider logs put name and arguments: OpenAI's `function`, the `params` of an MCP `tools/call`.
const INNER: [&str; 2] = ["function", "params"];
const TOOL: [&str; 3] = ["tool", "tool_name", "name"];
const ARGS: [&str; 3] = ["args", "arguments", "input"];

/// What a corpus says about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// Part of the user's task.
    Benign,
    /// What an attacker wanted.
    Malicious,
    /// Nothing is said.
    None,
}

/// One recorded call.
#[derive(Debug)]
pub(super) struct Call {
    /// The tool, as recorded.
    pub(super) tool: String,
    /// Its arguments, as recorded.
    pub(super) args: Json,
    /// Its steps, where it is a script, which counts as one call; none otherwise.
    pub(super) steps: Vec<ScriptStep>,
    /// What the corpus says.
    pub(super) label: Label,
    /// Why a gate would refuse the request before judging it.
    pub(super) refusal: Option<IntentError>,
    /// The whole request, where it was recorded as one.
    pub(super) intent: Option<Json>,
    /// What the host knew, where the corpus says.
    pub(super) facts: Option<Json>,
    /// Where the arguments come from, where the corpus says.
    pub(super) origins: Option<Vec<ArgumentOrigin>>,
    /// When it was made, in milliseconds since 1970, where that is said.
    pub(super) at: Option<i128>,
}

/// What calls belong together.
#[derive(Debug)]
pub(super) enum Grouping {
    /// The calls of this document, under its name.
    Own(String),
    /// Those of all documents of this session.
    Session(String),
}

/// The calls of one document.
#[derive(Debug)]
pub(super) struct Record {
    /// What they belong to.
    pub(super) grouping: Grouping,
    /// In the order recorded.
    pub(super) calls: Vec<Call>,
}

/// Reads one document; the reason where it is in no known shape.
pub(super) fn read(document: Document) -> Result<Record, String> {
    let Document { place, json, inexact } = document;
    if json.as_object().is_none() {
        return Err(format!("{} where a recorded call or task should be", json.kind()));
    }
    let label = label(&json)?;
    let own = || Grouping::Own(id(&json).unwrap_or_else(|| place.to_string()));
    let (grouping, mut calls) = if let Some((name, list)) = one_of(&json, &LISTS)? {
        let list = list
            .as_array()
            .ok_or_else(|| format!("`{name}` is {}; it has to be an array", list.kind()))?;
        let read = |(i, item): (usize, &Json)| {
            call(item).map_err(|reason| format!("`{name}`, call {}: {reason}", i + 1))
        };
        let mut calls = list.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        origins::name_tools(&mut calls);
        (own(), calls)
    } else if let Some(intent) = json.get("intent") {
        if intent.as_object().is_none() {
            return Err(format!("`intent` is {}; it has to be an object", intent.kind()));
        }
        request(intent, own())
    } else if json.get("schema_id").and_then(Json::as_str) == Some(SCHEMA_ID) {
        request(&json, own())
    } else if let Some((name, inner)) = one_of(&json, &WRAPPERS)? {
        (
            own(),
            vec![call(inner).map_err(|reason| format!("`{name}`: {reason}"))?],
        )
    } else {
        let explained = |reason| format!("{reason}; known are `calls`, `intent`, or a tool with `args`");
        (own(), vec![call(&json).map_err(explained)?])
    };
    for call in &mut calls {
        if call.label == Label::None {
            call.label = label;
        }
        if inexact {
            call.refusal = Some(IntentError {
                code: "intent.number_not_exact",
                pointer: String::new(),
                message: "the document has a number that RFC 8785 cannot carry exactly".to_owned(),
            });
        }
    }
    Ok(Record { grouping, calls })
}

/// A call that a gate has judged: at its time and in its session, with what the gate knew of it.
pub(super) fn of_trace(record: &TraceRecord, intent: &Json) -> Record {
    let own = Grouping::Own(record.trace_id.clone());
    let (claimed, mut calls) = request(intent, own);
    for call in &mut calls {
        call.facts.clone_from(&record.facts);
        call.at = Some(i128::from(record.created_at.as_millisecond()));
    }
    let session = record.session_id.clone();
    Record {
        grouping: session.map_or(claimed, Grouping::Session),
        calls,
    }
}

fn request(intent: &Json, own: Grouping) -> (Grouping, Vec<Call>) {
    let (tool, args, steps, session, refusal) = match Intent::from_document(intent.clone()) {
        Ok(intent) => {
            let args = intent.args().clone();
            let session = intent.session_id.map(Into::into);
            (intent.tool.into(), args, intent.steps, session, None)
        }
        Err(error) => {
            let text = |at: Option<&Json>| {
                at.and_then(Json::as_str)
                    .filter(|t| !t.is_empty())
                    .map(str::to_owned)
            };
            let tool = text(intent.get("tool_name")).unwrap_or_else(|| "(no tool name)".to_owned());
            let session = text(intent.get("context").and_then(|c| c.get("session_id")));
            (tool, Json::Null, Vec::new(), session, Some(error))
        }
    };
    let call = Call {
        tool,
        args,
        steps,
        label: Label::None,
        refusal,
        intent: Some(intent.clone()),
        facts: None,
        origins: ArgumentOrigin::of_intent(intent),
        at: intent
            .get("created_at")
            .and_then(Json::as_str)
            .and_then(|at| instant::parse(at).ok()),
    };
    (session.map_or(own, Grouping::Session), vec![call])
}

fn call(json: &Json) -> Result<Call, String> {
    if json.as_object().is_none() {
        return Err(format!("{} where a call should be", json.kind()));
    }
    let label = label(json)?;
    let at = match one_of(json, &INNER)? {
        Some((_, inner)) if inner.as_object().is_some() => inner,
        _ => json,
    };
    let (name, tool) = one_of(at, &TOOL)?.ok_or("no tool is named")?;
    let tool = tool
        .as_str()
        .ok_or_else(|| format!("`{name}` is {}; it has to be a string", tool.kind()))?;
    let args = arguments(at)?;
    // Many things have a name: a declaration of a tool, for one.
    if args.is_none() && name == "name" && std::ptr::eq(at, json) {
        return Err("there is a `name`, but no arguments".to_owned());
    }
    Ok(Call {
        tool: tool.to_owned(),
        args: args.unwrap_or(Json::Object(Vec::new())),
        steps: Vec::new(),
        label,
        refusal: None,
        intent: None,
        facts: json.get("facts").filter(|f| f.as_object().is_some()).cloned(),
        origins: origins::read(json),
        at: None,
    })
}

/// The arguments, where there are any. Some providers send them as the text of a JSON object.
fn arguments(at: &Json) -> Result<Option<Json>, String> {
    match one_of(at, &ARGS)? {
        Some((name, Json::String(text))) => json::parse(text.as_bytes())
            .map(Some)
            .map_err(|error| format!("the text of `{name}`: {error}")),
        other => Ok(other.map(|(_, value)| value.clone())),
    }
}

/// The one member of these names that is there. Two would leave it open which one was called.
fn one_of<'j>(json: &'j Json, names: &[&'static str]) -> Result<Option<(&'static str, &'j Json)>, String> {
    let mut found = names
        .iter()
        .filter_map(|name| json.get(name).map(|value| (*name, value)));
    match (found.next(), found.next()) {
        (Some((first, _)), Some((second, _))) => {
            Err(format!("`{first}` and `{second}` say the same thing twice"))
        }
        (first, _) => Ok(first),
    }
}

fn label(json: &Json) -> Result<Label, String> {
    match json.get("label") {
        None | Some(Json::Null) => Ok(Label::None),
        Some(Json::String(text)) if text == "benign" => Ok(Label::Benign),
        Some(Json::String(text)) if text == "malicious" => Ok(Label::Malicious),
        Some(_) => Err("`label` is neither \"benign\" nor \"malicious\"".to_owned()),
    }
}

fn id(json: &Json) -> Option<String> {
    match json.get("id")? {
        Json::String(text) => Some(text.to_string()),
        Json::Number(number) => Some(number.text().to_owned()),
        _ => None,
    }
}
