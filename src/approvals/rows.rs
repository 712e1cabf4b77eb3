//! What a person is shown of a call before answering: who asks, every argument, what it would touch, why it waits. In: a record, and the
//! intent where it is known. Out: rows of a name and a text, which whoever shows them must escape. It leaves nothing out.

use crate::artifact::{TraceRecord, jcs, time};
use crate::domain::{ApprovalSpec, Decision, MatchedRule};
use crate::json::Json;

/// The rows of a call.
pub fn rows(record: &TraceRecord, intent: Option<&Json>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &str, text: String| rows.push((name.to_owned(), text));
    row("asked at", time::print(record.created_at));
    if let Some(identity) = &record.identity {
        row("asks", identity.clone());
    }
    match intent {
        Some(intent) => {
            called(intent, &mut row);
            let rest = intent.as_object().unwrap_or_default().iter();
            for (name, value) in
                rest.filter(|(name, _)| !["args", "script", "tool_name"].contains(&name.as_str()))
            {
                row("intent", format!("{name}: {}", text(value)));
            }
        }
        None => row("argument", "not in the trace".to_owned()),
    }
    if let Some(facts) = &record.facts {
        row("facts", text(facts));
    }
    let policy = format!("{} {}", record.policy.name, record.policy.version);
    let decisions = decisions(&record.decision);
    for target in decisions.iter().flat_map(|decision| &decision.targets) {
        row(
            "target",
            format!("{} {} {}", target.effect, target.kind, target.value),
        );
    }
    row("policy", policy.trim_end().to_owned());
    row("bundle", record.bundle_digest.to_string());
    let rule = |rule: &MatchedRule| format!("{} ({}, {})", rule.name, rule.verdict, rule.code);
    for matched in decisions.iter().flat_map(|decision| &decision.matched) {
        row("rule", rule(matched));
        if let Some(hint) = &matched.hint {
            row("hint", hint.clone());
        }
    }
    if let Some(detail) = &record.decision.detail {
        row("detail", detail.clone());
    }
    for spec in &record.decision.approvals {
        row("approve", asked(spec));
    }
    for obligation in &record.decision.obligations {
        row("oblige", obligation.to_string());
    }
    rows
}

/// What is asked for, and of whom.
pub fn asked(spec: &ApprovalSpec) -> String {
    match &spec.from {
        Some(role) => format!("{spec} ({})", role.members.join(", ")),
        None => spec.to_string(),
    }
}

/// A decision, and those of the steps of a script.
fn decisions(decision: &Decision) -> Vec<&Decision> {
    let steps = decision.steps.iter().map(|step| &step.decision);
    std::iter::once(decision).chain(steps).collect()
}

/// What is called with which arguments, step by step where it is a script.
pub fn called(intent: &Json, row: &mut impl FnMut(&str, String)) {
    let steps = intent.get("script").and_then(|script| script.get("steps"));
    match steps.and_then(Json::as_array) {
        Some(steps) => {
            for (step, number) in steps.iter().zip(1..) {
                let tool = step.get("tool_name").and_then(Json::as_str).unwrap_or_default();
                row(&format!("step {number}"), tool.to_owned());
                arguments(step.get("args"), row);
            }
        }
        None => arguments(intent.get("args"), row),
    }
}

/// The arguments, a row each.
fn arguments(args: Option<&Json>, row: &mut impl FnMut(&str, String)) {
    match args.and_then(Json::as_object) {
        Some(members) => {
            for (name, value) in members {
                row("argument", format!("{name}: {}", text(value)));
            }
        }
        None => row("argument", args.map(text).unwrap_or_default()),
    }
}

fn text(json: &Json) -> String {
    String::from_utf8_lossy(&jcs::to_vec(json)).into_owned()
}
