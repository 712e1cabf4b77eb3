//! Running the tests of a policy file through the production gate. In: a checked policy. Out: one result per case.

use crate::compile::{self, Checked};
use crate::domain::Decision;
use crate::gate::Gate;
use crate::hir::Case;
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
            let decision = gate.decide(&case.tool, &case.args, &mut workspace).decision;
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
