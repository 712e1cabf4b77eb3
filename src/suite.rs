//! Running the tests of a policy file through the production gate. In: a checked policy. Out: one result per case, and
//! what the cases together have shown (`coverage`).

pub mod coverage;

use crate::compile::{self, Checked};
use crate::domain::{Approval, Counters, Decision, Obligation, Request, State, Verdict, intent};
use crate::eval::Workspace;
use crate::eval::obligation;
use crate::gate::{self, Gate, Judged};
use crate::hir::{Case, ContextField, Package, SessionStep, Test};
use crate::ir;
use crate::json::{Json, Text};
use crate::source::{Position, Span};
use crate::value::Value;
use std::collections::BTreeSet;

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
    let mut runner = Runner::new(checked);
    cases(checked.package())
        .map(|(test, case)| runner.run(test, case))
        .collect()
}

/// Every case of a package with its test, in order.
pub fn cases(package: &Package) -> impl Iterator<Item = (&Test, &Case)> {
    package
        .tests
        .iter()
        .flat_map(|test| test.cases.iter().map(move |case| (test, case)))
}

/// A call as it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The tool.
    pub tool: String,
    /// What was decided of it; of a step of a script, in all sessions that those before it may lead to.
    pub verdict: Verdict,
    /// What the rules looked at; absent where none was asked.
    pub record: Option<Value>,
}

/// The calls of a case as they were judged.
fn seen(case: &Case, judged: &Judged) -> Vec<Seen> {
    let of = |tool: &str, judged: &Judged| Seen {
        tool: tool.to_owned(),
        verdict: judged.decision.verdict,
        record: judged.record.clone(),
    };
    if case.steps.is_empty() {
        return vec![of(&case.tool, judged)];
    }
    // What people approve is the script, and with it every step.
    let may_run = judged.decision.verdict == Verdict::Allow;
    let steps = case.steps.iter().zip(&judged.steps).map(|(written, step)| {
        let seen = of(&written.tool, &step.judged);
        let verdict = if may_run { Verdict::Allow } else { seen.verdict };
        Seen { verdict, ..seen }
    });
    steps.collect()
}

/// A policy's gate, ready to run cases.
#[derive(Debug)]
pub struct Runner<'c> {
    package: &'c Package,
    gate: Gate,
    workspace: Workspace,
}

impl<'c> Runner<'c> {
    /// Makes the gate of a policy ready.
    pub fn new(checked: &'c Checked) -> Runner<'c> {
        Runner::of(checked, Gate::new(compile::lower(checked)))
    }

    /// The same, and the request also has what the assertions of the policy look at.
    pub fn with_assertions(checked: &'c Checked) -> Runner<'c> {
        let package = checked.package().with_claims();
        let mut program = ir::lower(&package, ir::index::build(&package, &mut Vec::new()));
        for (number, declared) in package.tools.iter().enumerate() {
            let on = package.assertions.iter().flat_map(|assertion| &assertion.on);
            let asked = on.filter(|(tool, _)| *tool == number).map(|(_, cond)| cond);
            let uses = ir::context_uses(declared.args.len(), &declared.slots, asked);
            if let Some(tool) = program.tools.iter_mut().find(|tool| tool.name == declared.name) {
                let all: BTreeSet<u32> = tool.uses.iter().copied().chain(uses).collect();
                tool.uses = all.into_iter().collect();
            }
        }
        Runner::of(checked, Gate::new(program))
    }

    fn of(checked: &'c Checked, gate: Gate) -> Runner<'c> {
        Runner {
            package: checked.package(),
            workspace: gate.workspace(),
            gate,
        }
    }

    /// Runs one case.
    pub fn run(&mut self, test: &Test, case: &Case) -> CaseResult {
        self.run_seen(test, case).0
    }

    /// Runs one case; also gives what was judged, call by call.
    pub fn run_seen(&mut self, test: &Test, case: &Case) -> (CaseResult, Vec<Seen>) {
        let judged = self.judge(case);
        let seen = seen(case, &judged);
        let decision = judged.decision;
        let result = CaseResult {
            test: test.name.clone(),
            tool: case.tool.clone(),
            at: position(self.package, case.span),
            failures: failures(self.package, case, &decision),
            decision,
        };
        (result, seen)
    }

    /// The gate's judgement of the call of a case.
    pub fn judge(&mut self, case: &Case) -> Judged {
        let (mut intent, facts) = sources(&case.given, &self.package.context);
        if !case.steps.is_empty() {
            let steps = case.steps.iter().map(|step| step.said.clone());
            let steps = Json::object([("steps", Json::Array(steps.collect()))]);
            put(&mut intent, &[intent::SCRIPT.to_owned()], &steps);
        }
        let (state, counters) = self.session(case);
        let now = self.time(case);
        let at = now.unwrap_or_default();
        let approvals: Vec<Approval> = case
            .approved
            .iter()
            .map(|by| Approval::just_given(by, at))
            .collect();
        let request = Request {
            approvals: &approvals,
            steps: &case.steps,
            fulfils: None,
            now,
            intent: &intent,
            facts: &facts,
            origins: case.origins.as_deref(),
            state: Some(&state),
            session: Some(TEST),
            run: Some(TEST),
            ..Request::call(&case.tool, &case.args)
        };
        self.gate.decide_counted(&request, &counters, &mut self.workspace)
    }
}

impl Runner<'_> {
    /// When a case is: as it says, then as its session leaves it. A case about no time is at any, so that approvals
    /// in it count.
    fn time(&self, case: &Case) -> Option<i128> {
        let session = case.session.iter().rev().find_map(|step| match step {
            SessionStep::At(at) => Some(*at),
            _ => None,
        });
        let mut tools = std::iter::once(&case.tool).chain(case.steps.iter().map(|step| &step.tool));
        let asks = tools.any(|tool| self.gate.program().asks_time(tool));
        case.at.or(session).or((!asks).then_some(0))
    }

    /// The state of a session in which the steps of a case have happened, and what its calls have cost.
    fn session(&mut self, case: &Case) -> (State, Counters) {
        let mut state = self.gate.fresh_state();
        let mut counters = Counters::default();
        let mut now = None;
        let (intent, facts) = sources(&case.given, &self.package.context);
        for step in &case.session {
            let next = match step {
                SessionStep::At(at) => {
                    now = Some(*at);
                    None
                }
                SessionStep::Turn => Some(self.gate.after_turn(&state, now)),
                SessionStep::Call { tool, args, ok } => {
                    let request = Request {
                        intent: &intent,
                        facts: &facts,
                        state: Some(&state),
                        fulfils: None,
                        now,
                        session: Some(TEST),
                        run: Some(TEST),
                        ..Request::call(tool, args)
                    };
                    let judged = self.gate.decide_counted(&request, &counters, &mut self.workspace);
                    if *ok {
                        counters.reserve(TEST, &judged.charges, gate::millis(now));
                        judged.after
                    } else {
                        judged.after_failure
                    }
                }
            };
            state = next.unwrap_or(state);
        }
        (state, counters)
    }
}

/// The session and run that a test is.
const TEST: &str = "test";

/// Where a span of the package starts.
pub fn position(package: &Package, span: Span) -> Position {
    let source = package.sources.iter().find(|s| s.id == span.file);
    source.map_or(Position { line: 1, column: 1 }, |s| s.position(span.start))
}

/// What a test says of the context, as the gate is told: members of an intent, and facts of the host.
fn sources(given: &Json, context: &[ContextField]) -> (Json, Json) {
    let mut intent = Json::Object(Vec::new());
    let facts = put_said(&mut intent, given, context);
    (intent, Json::Object(facts))
}

/// Puts what a test says of the context into an intent, and gives what an intent does not say: the facts of the host.
pub fn put_said(intent: &mut Json, given: &Json, context: &[ContextField]) -> Vec<(Text, Json)> {
    let mut facts: Vec<(Text, Json)> = Vec::new();
    for (name, value) in given.as_object().unwrap_or_default() {
        match context.iter().find(|f| f.field.name == *name).map(|f| &f.from) {
            Some(Some(path)) => put(intent, path, value),
            _ => facts.push((name.clone(), value.clone())),
        }
    }
    facts
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
            members.push((first.into(), Json::Null));
        }
        if let Some((_, inner)) = members.iter_mut().find(|(name, _)| name == first) {
            put(inner, rest, value);
        }
    }
}

fn failures(package: &Package, case: &Case, decision: &Decision) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(expected) = case.verdict
        && decision.verdict != expected
    {
        let because = match &decision.detail {
            Some(detail) => format!(": {detail}"),
            None => String::new(),
        };
        let codes = decision.reason_codes.join(", ");
        failures.push(format!(
            "expected {expected}, got {} ({codes}){because}",
            decision.verdict
        ));
    }
    let expected = obligation::join(&package.obligations, case.duties.iter()).obligations;
    for wanted in expected.iter().filter(|one| !decision.obligations.contains(one)) {
        let got: Vec<String> = decision.obligations.iter().map(Obligation::to_string).collect();
        let got = if got.is_empty() {
            "none".to_owned()
        } else {
            got.join(", ")
        };
        failures.push(format!("expected {wanted} to be obliged, got {got}"));
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
    for rule in &decision.matched {
        if case.not_by.iter().any(|name| rule.name == *name) {
            failures.push(format!("expected rule {} not to match", rule.name));
        }
    }
    if let (None, Some(detail)) = (case.verdict, &decision.detail) {
        // Otherwise a call that no rule was asked about would be an example of not matching.
        failures.push(format!("no rule was asked: {detail}"));
    }
    failures
}
