//! Finds the tools in a catalogue, whichever of the known envelopes it has. In: JSON. Out: names, schemas and where
//! they stand. It must not read schemas.

use crate::json::{Json, pointer};

/// One tool as catalogued.
pub(super) struct Entry<'a> {
    /// Its name; not empty.
    pub(super) name: &'a str,
    /// Where it stands.
    pub(super) pointer: String,
    /// The schema of its arguments and where it stands, where it has one.
    pub(super) schema: Option<(String, &'a Json)>,
    /// Its description.
    pub(super) description: Option<&'a str>,
    /// Whether it carries MCP annotations.
    pub(super) annotated: bool,
}

/// A tool, or a place that is none and why.
type Found<'a> = Result<Entry<'a>, (String, String)>;

/// Keys a schema of arguments is found under: MCP, Anthropic, OpenAI.
const SCHEMA_KEYS: [&str; 3] = ["inputSchema", "input_schema", "parameters"];
/// Keys that hold a list of tools: MCP, and function-calling lists.
const LIST_KEYS: [&str; 3] = ["tools", "functions", "function"];

/// Every tool of the catalogue, in its order.
pub(super) fn entries(json: &Json) -> Vec<Found<'_>> {
    let mut out = Vec::new();
    match json.get("result") {
        Some(result) if json.get("name").is_none() => collect(result, "/result", &mut out),
        _ => collect(json, "", &mut out),
    }
    out
}

/// Walks one list level; below it each item is a tool, an envelope of one function, or an envelope of several.
fn collect<'a>(json: &'a Json, at: &str, out: &mut Vec<Found<'a>>) {
    match json {
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                one_or_more(item, &pointer::child(at, &i.to_string()), out);
            }
        }
        other => one_or_more(other, at, out),
    }
}

fn one_or_more<'a>(item: &'a Json, at: &str, out: &mut Vec<Found<'a>>) {
    let listed = LIST_KEYS
        .iter()
        .find_map(|key| Some((*key, item.get(key)?.as_array()?)));
    let is_tool = item.get("name").is_some() && SCHEMA_KEYS.iter().any(|key| item.get(key).is_some());
    match listed {
        Some((key, inner)) if !is_tool => {
            let at = pointer::child(at, key);
            for (i, tool) in inner.iter().enumerate() {
                out.push(one(tool, pointer::child(&at, &i.to_string())));
            }
        }
        _ => out.push(one(item, at.to_owned())),
    }
}

fn one(item: &Json, at: String) -> Found<'_> {
    let (tool, at) = match item.get("function") {
        Some(function @ Json::Object(_)) => (function, pointer::child(&at, "function")),
        _ => (item, at),
    };
    let name = match tool.get("name") {
        Some(Json::String(name)) if !name.is_empty() => name,
        Some(Json::String(_)) => return Err((at, "the tool's name is empty".to_owned())),
        Some(other) => return Err((at, format!("the tool's name is {}", other.kind()))),
        None if tool.as_object().is_some() => return Err((at, "an object without a tool name".to_owned())),
        None => return Err((at, format!("{} where a tool should be", tool.kind()))),
    };
    let schema = SCHEMA_KEYS
        .iter()
        .find_map(|key| Some((pointer::child(&at, key), tool.get(key)?)));
    Ok(Entry {
        name,
        schema,
        description: tool.get("description").and_then(Json::as_str),
        annotated: tool.get("annotations").is_some(),
        pointer: at,
    })
}
