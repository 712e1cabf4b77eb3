//! Running the tests of a policy file through the production gate. In: a checked policy. Out: one result per case.

use crate::compile::{self, Checked};
use crate::domain::{Decision, Request};
use crate::gate::Gate;
use crate::hir::{Case, ContextField};
use crate::json::Json;
use crate::source::Position;

/// What one case gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The test's name.
    pub test: String,
    /// The tool called.
    pub tool: String,
    /// Where the case is written.
    pub at: Position,
    /// What was not as expected; empty when the case passed.
    pub failures: Vec<String>,
    /// What was decided.
    pub decision: Decision,
}

impl CaseResult {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs every test of the policy, in order.
pub fn run(checked: &Checked) -> Vec<CaseResult> {
    let package = checked.package();
    let gate = Gate::new(compile::lower(checked));
    let mut workspace = gate.workspace();
    let mut results = Vec::new();
    for test in &package.tests {
        for case in &test.cases {
            let (intent, facts) = sources(&case.given, &package.context);
            let request = Request {
                intent: &intent,
                facts: &facts,
                ..Request::call(&case.tool, &case.args)
            };
            let decision = gate.decide(&request, &mut workspace).decision;
            let source = package.sources.iter().find(|s| s.id == case.span.file);
            let at = source.map_or(Position { line: 1, column: 1 }, |s| s.position(case.span.start));
            let failures = failures(case, &decision);
            results.push(CaseResult {
                test: test.name.clone(),
                tool: case.tool.clone(),
                at,
                failures,
                decision,
            });
        }
    }
    results
}

/// What a test says of the context, as the gate is told: members of an intent, and facts of the host.
fn sources(given: &Json, context: &[ContextField]) -> (Json, Json) {
    let mut intent = Json::Object(Vec::new());
    let mut facts: Vec<(String, Json)> = Vec::new();
    for (name, value) in given.as_object().unwrap_or_default() {
        match context.iter().find(|f| f.field.name == *name).map(|f| &f.from) {
            Some(Some(path)) => put(&mut intent, path, value),
            _ => facts.push((name.clone(), value.clone())),
        }
    }
    (intent, Json::Object(facts))
}

/// Puts a value at a path of members, making the objects on the way.
fn put(at: &mut Json, path: &[String], value: &Json) {
    let Some((first, rest)) = path.split_first() else {
        *at = value.clone();
        return;
    };
    if at.as_object().is_none() {
        *at = Json::Object(Vec::new());
    }
    if let Json::Object(members) = at {
        if !members.iter().any(|(name, _)| name == first) {
            members.push((first.clone(), Json::Null));
        }
        if let Some((_, inner)) = members.iter_mut().find(|(name, _)| name == first) {
            put(inner, rest, value);
        }
    }
}

fn failures(case: &Case, decision: &Decision) -> Vec<String> {
    let mut failures = Vec::new();
    if decision.verdict != case.verdict {
        let because = match &decision.detail {
            Some(detail) => format!(": {detail}"),
            None => String::new(),
        };
        let codes = decision.reason_codes.join(", ");
        failures.push(format!(
            "expected {}, got {} ({codes}){because}",
            case.verdict, decision.verdict
        ));
    }
    for code in case.codes.iter().filter(|c| !decision.reason_codes.contains(c)) {
        let got = decision.reason_codes.join(", ");
        failures.push(format!("expected code {code}, got {got}"));
    }
    for rule in case
        .by
        .iter()
        .filter(|r| !decision.matched.iter().any(|m| m.name == **r))
    {
        let got: Vec<&str> = decision.matched.iter().map(|m| m.name.as_str()).collect();
        let got = if got.is_empty() {
            "none".to_owned()
        } else {
            got.join(", ")
        };
        failures.push(format!("expected rule {rule} to match, got {got}"));
    }
    failures
}
