//! What policies can decide, as JSON.

use super::Covered;
use crate::analysis::coverage::{Reached, ToolCoverage};
use crate::analysis::document as of_call;
use crate::analysis::idle::{Idle, Kind};
use crate::cli::exit::Exit;
use crate::json::Json;

pub(super) fn document(all: &[Covered]) -> Json {
    Json::object([
        ("ok", Json::Bool(true)),
        ("files", Json::Array(all.iter().map(of_file).collect())),
        ("exit_code", Json::int(i64::from(Exit::Success.code()))),
    ])
}

fn of_file(one: &Covered) -> Json {
    Json::object([
        ("file", Json::str(&one.file)),
        ("default", Json::str(one.package().default.0.as_str())),
        (
            "tools",
            Json::Array(one.tools.iter().map(|tool| of_tool(one, tool)).collect()),
        ),
    ])
}

fn names<'t>(texts: impl IntoIterator<Item = &'t str>) -> Json {
    Json::Array(texts.into_iter().map(Json::str).collect())
}

fn of_tool(one: &Covered, tool: &ToolCoverage) -> Json {
    let mut members = vec![
        ("tool", Json::str(&tool.tool)),
        ("spoken", Json::Bool(tool.spoken)),
        ("decided", Json::Bool(!tool.too_large)),
        (
            "verdicts",
            Json::Array(
                tool.reached
                    .iter()
                    .map(|reached| of_verdict(one, reached))
                    .collect(),
            ),
        ),
        ("unasked", names(tool.unasked.iter().map(String::as_str))),
        (
            "idle",
            Json::Array(
                tool.idle
                    .iter()
                    .map(|(rule, idle)| of_idle(one, *rule, idle))
                    .collect(),
            ),
        ),
        ("runs_by_default", Json::Bool(tool.unguarded.is_some())),
    ];
    if let Some(Some(call)) = &tool.unguarded {
        members.push(("call_by_default", of_call(call)));
    }
    Json::object(members)
}

fn of_verdict(one: &Covered, reached: &Reached) -> Json {
    let mut members = vec![
        ("verdict", Json::str(reached.verdict.as_str())),
        ("rules", names(one.rules(&reached.rules))),
        ("default", Json::Bool(reached.default)),
        ("certain", Json::Bool(reached.call.is_some())),
    ];
    if let Some(call) = &reached.call {
        members.push(("call", of_call(call)));
    }
    Json::object(members)
}

fn of_idle(one: &Covered, rule: usize, idle: &Idle) -> Json {
    let kind = match idle.kind {
        Kind::Vacuous => "vacuous",
        Kind::Dead => "dead",
        Kind::Subsumed => "subsumed",
    };
    Json::object([
        (
            "rule",
            Json::str(one.rules(&[rule]).first().copied().unwrap_or_default()),
        ),
        ("kind", Json::str(kind)),
        ("covered_by", names(one.rules(&idle.covers))),
        ("default", Json::Bool(idle.default)),
    ])
}
