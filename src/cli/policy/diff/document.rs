//! Differences as JSON.

use super::Comparison;
use super::entries::Entry;
use crate::analysis::difference::Decision;
use crate::analysis::document as of_call;
use crate::cli::exit::Exit;
use crate::json::Json;

pub(super) fn document(comparison: &Comparison, exit: Exit) -> Json {
    let mut members = vec![
        ("ok", Json::Bool(exit == Exit::Success)),
        ("before", Json::str(&comparison.before)),
        ("after", Json::str(&comparison.after)),
        ("tools_compared", count(comparison.compared as u64)),
        (
            "differences",
            Json::Array(comparison.entries.iter().map(of_entry).collect()),
        ),
    ];
    if let Some(recorded) = &comparison.recorded {
        let changed = recorded.changed.iter().map(|((tool, before, after), calls)| {
            Json::object([
                ("tool", Json::str(tool)),
                ("before", Json::str(before.as_str())),
                ("after", Json::str(after.as_str())),
                ("calls", count(*calls)),
            ])
        });
        let recorded = [
            ("calls", count(recorded.calls)),
            ("changed", Json::Array(changed.collect())),
        ];
        members.push(("recorded", Json::object(recorded)));
    }
    members.push(("exit_code", Json::int(i64::from(exit.code()))));
    Json::object(members)
}

fn count(n: u64) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn texts(texts: &[String]) -> Json {
    Json::Array(texts.iter().map(Json::str).collect())
}

fn of_entry(entry: &Entry) -> Json {
    let mut members = vec![
        ("id", Json::str(&entry.id)),
        ("direction", Json::str(entry.direction.as_str())),
        ("tool", entry.tool.as_ref().map_or(Json::Null, Json::str)),
        ("what", Json::str(&entry.title)),
        ("conditions", texts(&entry.conditions)),
        ("certain", Json::Bool(entry.is_certain)),
        ("accepted", Json::Bool(entry.is_accepted)),
    ];
    if let Some(calls) = entry.recorded {
        members.push(("recorded_calls", count(calls)));
    }
    if let Some((call, [before, after])) = &entry.example {
        members.push(("call", of_call(call)));
        members.push(("before", of_decision(before)));
        members.push(("after", of_decision(after)));
    }
    Json::object(members)
}

fn of_decision(decision: &Decision) -> Json {
    Json::object([
        ("verdict", Json::str(decision.verdict.as_str())),
        ("rules", texts(&decision.by)),
        ("reason_codes", texts(&decision.codes)),
        ("approvals", texts(&decision.approvals)),
        ("obligations", texts(&decision.obligations)),
    ])
}
