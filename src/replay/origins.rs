//! Where a corpus says that the arguments of a recorded call come from. Two shapes are known: `provenance`, an object per
//! argument with its `class` and the calls in whose output the value was seen, and `prov`, the same in a few letters.
//! What is said to be in an injected text, or to be what an attacker wanted, is not read: no adapter knows that.

use super::shape::Call;
use crate::domain::{ArgumentOrigin, ArgumentSource};
use crate::json::Json;

/// Marks the number of a call until its tool is known.
const CALL: &str = "call:";

/// The origins a recorded call states; `None` when it states none.
pub(super) fn read(call: &Json) -> Option<Vec<ArgumentOrigin>> {
    if let Some(entries) = call.get("provenance").and_then(Json::as_object) {
        let each = entries.iter().flat_map(|(pointer, entry)| long(pointer, entry));
        return Some(each.collect());
    }
    let entries = call.get("prov").and_then(Json::as_object)?;
    let each = entries
        .iter()
        .flat_map(|(pointer, entry)| short(pointer, entry.as_str().unwrap_or_default()));
    Some(each.collect())
}

fn origin(pointer: &str, source: ArgumentSource, tool: Option<String>) -> ArgumentOrigin {
    let steps = pointer.trim_start_matches('/').split('/');
    ArgumentOrigin {
        path: steps.map(|s| s.replace("~1", "/").replace("~0", "~")).collect(),
        source,
        tool,
        digest: None,
    }
}

fn long(pointer: &str, entry: &Json) -> Vec<ArgumentOrigin> {
    let class = entry.get("class").and_then(Json::as_str).unwrap_or_default();
    if class.starts_with("prompt") {
        return vec![origin(pointer, ArgumentSource::User, None)];
    }
    let outputs = entry
        .get("in_outputs")
        .and_then(Json::as_array)
        .unwrap_or_default();
    match class {
        "default" => vec![origin(pointer, ArgumentSource::System, None)],
        "output" => outputs
            .iter()
            .filter_map(|seen| seen.as_array()?.first()?.as_i64())
            .map(|call| origin(pointer, ArgumentSource::ToolOutput, Some(format!("{CALL}{call}"))))
            .collect(),
        _ => Vec::new(),
    }
}

/// `P` is the prompt, `O1,3` the outputs of calls 1 and 3, `-` nowhere.
fn short(pointer: &str, entry: &str) -> Vec<ArgumentOrigin> {
    if entry.starts_with('P') {
        return vec![origin(pointer, ArgumentSource::User, None)];
    }
    let Some(calls) = entry.strip_prefix('O') else {
        return Vec::new();
    };
    calls
        .trim_end_matches('G')
        .split(',')
        .map(|call| origin(pointer, ArgumentSource::ToolOutput, Some(format!("{CALL}{call}"))))
        .collect()
}

/// Puts the tools of earlier calls in the place of their numbers.
pub(super) fn name_tools(calls: &mut [Call]) {
    let tools: Vec<String> = calls.iter().map(|call| call.tool.clone()).collect();
    for origin in calls
        .iter_mut()
        .flat_map(|call| call.origins.iter_mut().flatten())
    {
        let number = origin.tool.as_deref().and_then(|t| t.strip_prefix(CALL));
        if let Some(number) = number.and_then(|n| n.parse::<usize>().ok()) {
            origin.tool = tools.get(number).cloned();
        }
    }
}
