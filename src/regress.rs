//! Regression fixtures: recorded calls and the decisions they got, judged again by another bundle. In: a verified
//! runpack and a gate. Out: what came out differently. Pure: files are the command's. A fixture is derived from its
//! runpack alone, so a changed expectation is found by deriving it again.

mod kept;

use crate::artifact::{Digest, Runpack, TraceRecord, Verified, jcs, obligation};
use crate::domain::{
    Approval, ArgumentOrigin, Counters, Decision, Intent, LimitFact, Obligation, Request, ScriptStep,
    Verdict, reserved,
};
use crate::gate::{self, Gate, IntentError};
use crate::ir::Program;
use crate::json::Json;
use crate::limits;

/// The schema of `regress.json`.
pub const SCHEMA: &str = "gait.regress/1";
/// The name of the expectations inside a fixture folder.
pub const FIXTURE_NAME: &str = "regress.json";
/// The name of the runpack inside a fixture folder.
pub const RUNPACK_NAME: &str = "runpack.zip";

/// Why a fixture cannot be made or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegressError {
    /// The runpack holds no trace.
    #[error("there is no recorded call, so there is nothing to compare")]
    NoCase,
    /// More recorded calls than the limit.
    #[error("there are more than {} recorded calls", limits::REGRESS_CASES)]
    TooMany,
    /// A trace was packed without its intent.
    #[error("trace `{trace_id}` has no intent, so its call cannot be judged again")]
    IntentMissing {
        /// The trace.
        trace_id: String,
    },
    /// A recorded intent is none that this version reads.
    #[error("the intent of trace `{trace_id}` is refused: {error}")]
    Intent {
        /// The trace.
        trace_id: String,
        /// Why.
        error: IntentError,
    },
    /// The runpack contradicts itself.
    #[error("trace `{0}` names another tool than its intent")]
    Shape(String),
    /// The expectations are not those of the runpack.
    #[error("`{FIXTURE_NAME}` is not what the runpack beside it gives; one of them was changed")]
    Changed,
}

impl RegressError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCase => "regress.no_case",
            Self::TooMany => "regress.too_many",
            Self::IntentMissing { .. } => "regress.intent_missing",
            Self::Intent { error, .. } => error.code,
            Self::Shape(_) => "regress.tool",
            Self::Changed => "regress.changed",
        }
    }
}

/// What of a decision is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Its reason codes, sorted.
    pub reason_codes: Vec<String>,
    /// What it obliges to.
    pub obligations: Vec<Obligation>,
    /// The same of each step of a script; none where it is one call.
    pub steps: Vec<Outcome>,
}

impl Outcome {
    /// The compared part of a decision.
    pub fn of(decision: &Decision) -> Outcome {
        Outcome {
            verdict: decision.verdict,
            reason_codes: decision.reason_codes.clone(),
            obligations: decision.obligations.clone(),
            steps: decision
                .steps
                .iter()
                .map(|step| Outcome::of(&step.decision))
                .collect(),
        }
    }

    /// The members `verdict` and `reason_codes`, and `obligations` and `steps` where there are some.
    pub fn to_json(&self) -> Json {
        Json::object(self.members())
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        let codes = self.reason_codes.iter().map(Json::str).collect();
        let mut members = vec![
            ("verdict", Json::str(self.verdict.as_str())),
            ("reason_codes", Json::Array(codes)),
        ];
        if !self.obligations.is_empty() {
            members.push(("obligations", obligation::list(&self.obligations)));
        }
        if !self.steps.is_empty() {
            let steps = self.steps.iter().map(Outcome::to_json).collect();
            members.push(("steps", Json::Array(steps)));
        }
        members
    }
}

/// How a decision moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// A looser verdict than recorded.
    Loosened,
    /// A stricter one.
    Tightened,
    /// The same verdict for other reasons, with other obligations, or of other steps.
    Sideways,
}

impl Drift {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Drift::Loosened => "loosened",
            Drift::Tightened => "tightened",
            Drift::Sideways => "sideways",
        }
    }

    fn between(expected: &Outcome, found: &Outcome) -> Option<Drift> {
        match found.verdict.cmp(&expected.verdict) {
            std::cmp::Ordering::Less => Some(Drift::Loosened),
            std::cmp::Ordering::Greater => Some(Drift::Tightened),
            std::cmp::Ordering::Equal if found != expected => Some(Drift::Sideways),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// One recorded call with what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The trace it comes from.
    pub trace_id: String,
    /// The tool.
    pub tool: String,
    /// What was decided then.
    pub expected: Outcome,
    intent: Intent,
    facts: Json,
    /// The places of the arguments whose values were not kept.
    taken: Vec<Vec<String>>,
    /// Whether something was not kept of what the caller said beside them.
    claims_taken: bool,
    /// The same as of the arguments, of each step of a script.
    step_taken: Vec<Vec<Vec<String>>>,
    /// What the runtime promised then.
    fulfils: Vec<String>,
    /// Whose approvals were enough then.
    approved: Vec<Approval>,
    /// The trace was one of a session that is kept.
    in_session: bool,
    /// Whether it could run.
    ran: bool,
    /// The session and run it was one of.
    session: Option<String>,
    run: Option<String>,
    /// How much was spent of limits.
    limits: Vec<LimitFact>,
    /// When it was decided, in milliseconds since 1970.
    at: i128,
}

impl Case {
    /// The steps of a script, each with a value wherever one was not kept.
    fn steps(&self, program: &Program) -> Vec<ScriptStep> {
        let filled = |(step, taken): (&ScriptStep, &Vec<Vec<String>>)| {
            let args = program
                .tool(&step.tool)
                .map(|tool| kept::filled(&step.args, taken, tool));
            ScriptStep {
                args: args.unwrap_or_else(|| step.args.clone()),
                ..step.clone()
            }
        };
        self.intent
            .steps
            .iter()
            .zip(&self.step_taken)
            .map(filled)
            .collect()
    }

    /// Whether a value was not kept.
    fn is_kept_in_part(&self) -> bool {
        self.claims_taken || !self.taken.is_empty() || self.step_taken.iter().any(|taken| !taken.is_empty())
    }

    /// Whether a rule looks where a value was not kept.
    fn is_looked_at(&self, program: &Program) -> bool {
        let looks = |name: &str, taken: &[Vec<String>]| {
            program
                .tool(name)
                .is_some_and(|tool| kept::is_looked_at(taken, tool))
        };
        let mut steps = self.intent.steps.iter().zip(&self.step_taken);
        self.claims_taken
            || looks(&self.tool, &self.taken)
            || steps.any(|(step, taken)| looks(&step.tool, taken))
    }
}

/// The recorded calls of one runpack. Only `Fixture::of` makes one, so every case has its intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// The run.
    pub run_id: String,
    /// The digest that names the runpack.
    pub runpack: Digest,
    /// The bundles that decided then, sorted.
    pub bundles: Vec<Digest>,
    /// The calls, in the order of their chain; at least one.
    pub cases: Vec<Case>,
    /// The run goes on from an earlier one, so nobody knows the session before it.
    continues: bool,
}

/// One call, judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The call.
    pub case: Case,
    /// What is decided now.
    pub decision: Decision,
    /// How it moved; none when it did not.
    pub drift: Option<Drift>,
    /// Whether nobody can tell how it moved: what decides looks at a value that was not kept.
    pub undecided: bool,
}

/// The places of what was taken out of the recorded call, or of a step of it by its number.
fn taken(record: &TraceRecord, step: Option<usize>, decision: &Decision) -> Vec<Vec<String>> {
    let taken = decision.obligations.iter().filter(|one| one.is_transform());
    let taken = taken.filter_map(|one| one.place.clone());
    taken.chain(kept::secrets(record.hidden(), step)).collect()
}

fn steps_taken(record: &TraceRecord) -> Vec<Vec<Vec<String>>> {
    let steps = record.decision.steps.iter().enumerate();
    steps
        .map(|(number, step)| taken(record, Some(number), &step.decision))
        .collect()
}

impl Fixture {
    /// The fixture of a runpack.
    pub fn of(pack: &Verified<Runpack>) -> Result<Fixture, RegressError> {
        let value = pack.value();
        if value.traces.is_empty() {
            return Err(RegressError::NoCase);
        }
        if value.traces.len() > limits::REGRESS_CASES {
            return Err(RegressError::TooMany);
        }
        let mut cases = Vec::new();
        for item in &value.traces {
            let record = item.trace.value();
            let trace_id = record.trace_id.clone();
            let Some(document) = &item.intent else {
                return Err(RegressError::IntentMissing { trace_id });
            };
            let intent = match Intent::read(&jcs::to_vec(document)) {
                Ok(intent) => intent,
                Err(error) => return Err(RegressError::Intent { trace_id, error }),
            };
            if intent.tool != record.tool {
                return Err(RegressError::Shape(trace_id));
            }
            cases.push(Case {
                trace_id,
                tool: record.tool.clone(),
                expected: Outcome::of(&record.decision),
                ran: record.runs,
                intent,
                facts: record.facts.clone().unwrap_or(Json::Object(Vec::new())),
                taken: taken(record, None, &record.decision),
                claims_taken: kept::is_elsewhere(record.hidden()),
                step_taken: steps_taken(record),
                fulfils: record.fulfils.clone(),
                approved: record.approved(),
                in_session: record.state.is_some(),
                session: record.session_id.clone(),
                run: record.run_id.clone(),
                limits: record.decision.limits.clone(),
                at: i128::from(record.created_at.as_millisecond()),
            });
        }
        Ok(Fixture {
            run_id: value.run_id.clone(),
            runpack: pack.digest(),
            bundles: value.bundles.clone(),
            cases,
            continues: value.continues.is_some(),
        })
    }

    /// The bytes of `regress.json`: canonical, with a line end.
    pub fn to_file(&self) -> Vec<u8> {
        let case = |case: &Case| {
            let id = [
                ("trace_id", Json::str(&case.trace_id)),
                ("tool", Json::str(&case.tool)),
            ];
            Json::object(id.into_iter().chain(case.expected.members()))
        };
        let document = Json::object([
            ("schema", Json::str(SCHEMA)),
            ("run_id", Json::str(&self.run_id)),
            ("runpack_digest", self.runpack.to_json()),
            (
                "bundle_digests",
                Json::Array(self.bundles.iter().map(Digest::to_json).collect()),
            ),
            ("expectations", Json::Array(self.cases.iter().map(case).collect())),
        ]);
        let mut bytes = jcs::to_vec(&document);
        bytes.push(b'\n');
        bytes
    }

    /// The fixture of a runpack and the `regress.json` beside it, which must be exactly what the runpack gives.
    pub fn check(pack: &Verified<Runpack>, file: &[u8]) -> Result<Fixture, RegressError> {
        let fixture = Fixture::of(pack)?;
        if fixture.to_file() == file {
            Ok(fixture)
        } else {
            Err(RegressError::Changed)
        }
    }

    /// Judges every call again, in order.
    pub fn run(self, gate: &Gate) -> Vec<CaseResult> {
        let mut workspace = gate.workspace();
        let mut state = (!self.continues).then(|| gate.fresh_state());
        let mut counters = Counters::default();
        let mut judge = |case: Case| {
            // A fact that this bundle does not declare says nothing to it.
            let facts = gate.declared_facts(&case.facts);
            let origins = ArgumentOrigin::of_intent(&case.intent.document);
            let tool = gate.program().tool(&case.tool);
            let args = tool.map(|tool| kept::filled(case.intent.args(), &case.taken, tool));
            let steps = case.steps(gate.program());
            let request = Request {
                origins: origins.as_deref(),
                fulfils: Some(&case.fulfils),
                approvals: &case.approved,
                state: state.as_ref().filter(|_| case.in_session),
                now: Some(case.at),
                args: args.as_ref().unwrap_or_else(|| case.intent.args()),
                session: case.session.as_deref().filter(|_| case.in_session),
                run: case.run.as_deref(),
                steps: &steps,
                ..Request::intent(&case.intent).with_facts(&facts)
            };
            // What the trace says was spent; of a limit that is new, what the calls before this one cost.
            let mut usage = gate.usage(&request, &counters);
            usage.extend(gate.usage_of(&case.limits));
            let request = Request {
                usage: Some(&usage),
                ..request
            };
            let judged = gate.decide(&request, &mut workspace);
            // Why the gate itself refused a call may lie in a value that was not kept.
            let refused = case
                .expected
                .reason_codes
                .iter()
                .any(|code| reserved::OF_ARGUMENTS.contains(&code.as_str()));
            let codes = &case.expected.reason_codes;
            let is_beside = |code: &String| reserved::BESIDE_POLICY.contains(&code.as_str());
            let undecided = codes.iter().any(is_beside)
                || case.is_kept_in_part() && (refused || case.is_looked_at(gate.program()));
            if case.expected.verdict == Verdict::Allow {
                counters.reserve(&case.trace_id, &judged.charges, gate::millis(Some(case.at)));
            }
            // The session went on as it did then: with the calls that ran.
            if case.ran && judged.after.is_some() {
                state = judged.after;
            }
            let drift = Drift::between(&case.expected, &Outcome::of(&judged.decision));
            let drift = drift.filter(|_| !undecided);
            CaseResult {
                case,
                decision: judged.decision,
                drift,
                undecided,
            }
        };
        self.cases.into_iter().map(&mut judge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_named_by_its_direction() {
        let outcome = |verdict, code: &str| Outcome {
            verdict,
            reason_codes: vec![code.to_owned()],
            obligations: Vec::new(),
            steps: Vec::new(),
        };
        for (then, now, drift) in [
            (Verdict::Block, Verdict::Allow, Some(Drift::Loosened)),
            (Verdict::Allow, Verdict::DryRun, Some(Drift::Tightened)),
            (Verdict::RequireApproval, Verdict::DryRun, Some(Drift::Loosened)),
            (Verdict::Block, Verdict::Block, None),
        ] {
            assert_eq!(Drift::between(&outcome(then, "a"), &outcome(now, "a")), drift);
        }
        let (a, b) = (outcome(Verdict::Block, "a"), outcome(Verdict::Block, "b"));
        assert_eq!(Drift::between(&a, &b), Some(Drift::Sideways));
        let logs = Outcome {
            obligations: vec![Obligation {
                name: "log".to_owned(),
                place: None,
                params: Vec::new(),
            }],
            ..a.clone()
        };
        assert_eq!(Drift::between(&logs, &a), Some(Drift::Sideways));
    }
}
