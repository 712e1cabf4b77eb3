//! What whoever asked is told of a request that does not run: a tool result that a model can act on, or an error. In: what was decided. Out:
//! answers of the protocol.

use super::frame::{self, Message, REFUSED};
use super::method::Class;
use super::watch::Unpinned;
use crate::boundary::{TracePlace, WriteError, Written};
use crate::domain::Verdict;
use crate::json::{Json, Text};

/// The answer to a request that the policy stops.
pub fn stopped(message: &Message, class: Class, id: &Json, written: &Written) -> Json {
    let (text, data) = (refusal(written), Some(data(written)));
    match class {
        Class::Call => frame::result(id, tool_error(message, &text, data)),
        _ => frame::error(id, REFUSED, &text, data),
    }
}

/// The answer to a request whose trace cannot be kept.
pub fn unrecorded(message: &Message, class: Class, id: &Json, error: &WriteError) -> Json {
    let why = format!("Not run: the call cannot be recorded: {error}");
    match class {
        Class::Call => frame::result(id, tool_error(message, &why, None)),
        _ => frame::error(id, REFUSED, &why, None),
    }
}

/// The answer to a call of a tool that is not what was pinned.
pub fn not_pinned(message: &Message, id: &Json, why: Unpinned) -> Json {
    let text = format!("Not run: {} ({}).", why.why(), why.code());
    let data = Json::object([
        ("verdict", Json::str(Verdict::Block.as_str())),
        ("reason_codes", Json::Array(vec![Json::str(why.code())])),
    ]);
    frame::result(id, tool_error(message, &text, Some(data)))
}

/// The answer to a call that was passed on and of which nobody knows what came.
#[cfg(all(feature = "serve", unix))]
pub fn unanswered(message: &Message, id: &Json, why: &str) -> Json {
    let text = format!("The call was passed on, and nobody knows whether it has run: {why}.");
    frame::result(id, tool_error(message, &text, None))
}

/// The command that approves the call of a trace.
pub fn approves(place: &TracePlace) -> String {
    let line = place
        .line
        .map_or_else(String::new, |line| format!(" --line {line}"));
    format!("gait approve {}{line} --key KEY", place.file.display())
}

fn tool_error(message: &Message, text: &str, data: Option<Json>) -> Json {
    let content = Json::object([("type", Json::str("text")), ("text", Json::str(text))]);
    let mut members: Vec<(Text, Json)> = vec![
        ("content".into(), Json::Array(vec![content])),
        ("isError".into(), Json::Bool(true)),
    ];
    // Clients of the revision 2026-07-28 say so in each request, and want to know that this is all.
    if frame::revision(message).is_some() {
        members.push(("resultType".into(), Json::str("complete")));
    }
    members.extend(data.map(|data| ("_meta".into(), Json::object([("dev.gait/decision", data)]))));
    Json::object(members)
}

/// What a program is told.
fn data(written: &Written) -> Json {
    let record = &written.recorded.record;
    let codes = record.decision.reason_codes.iter().map(Json::str).collect();
    Json::object([
        ("verdict", Json::str(record.decision.verdict.as_str())),
        ("reason_codes", Json::Array(codes)),
        ("trace_id", Json::str(&record.trace_id)),
        ("trace_digest", written.recorded.digest.to_json()),
    ])
}

/// What whoever asked is told of a call that must not run: why, what would help, and where the trace is.
fn refusal(written: &Written) -> String {
    let record = &written.recorded.record;
    let decision = &record.decision;
    let codes = decision.reason_codes.join(", ");
    let mut lines = vec![match decision.verdict {
        Verdict::RequireApproval => format!("Not run: the call waits for an approval ({codes})."),
        Verdict::DryRun => format!("Not run: the call may only be rehearsed ({codes})."),
        _ if !record.denied_with.is_empty() => format!("Not run: a person has denied the call ({codes})."),
        Verdict::Allow | Verdict::Block => format!("Not run: the policy blocks the call ({codes})."),
    }];
    lines.extend(decision.detail.clone());
    lines.extend(decision.matched.iter().filter_map(|rule| rule.hint.clone()));
    if decision.verdict == Verdict::RequireApproval {
        let command = approves(&written.place);
        lines.push(format!(
            "A person approves it with `{command}`; then make the same call again."
        ));
    }
    lines.push(format!("Trace {}.", record.trace_id));
    lines.join("\n")
}
