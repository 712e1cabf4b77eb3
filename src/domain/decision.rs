//! The result of judging one call: the verdict and everything that explains it.

use super::{ApprovalSpec, Obligation, RuleScope, Verdict, reserved};
use crate::json::{Json, Text};
use crate::source::Position;

/// A reason code: an author's `snake_case` name, or one of the gate's own, which start with `gait.`.
pub type ReasonCode = String;

/// A rule that matched, with the place it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedRule {
    /// The rule's name.
    pub name: Text,
    /// The verdict it asks for.
    pub verdict: Verdict,
    /// Its reason code.
    pub code: Text,
    /// The policy it is part of, where that policy is for a scope.
    pub scope: Option<RuleScope>,
    /// The source file, as named in the bundle.
    pub file: Text,
    /// Where the rule starts.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What the author tells the caller to do.
    pub hint: Option<String>,
}

/// A target computed from the arguments by the tool's declaration, never taken from the caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The declared effect, such as `net.egress`.
    pub effect: String,
    /// `host`, `url`, `path`, `email` or `name`.
    pub kind: String,
    /// The canonical value.
    pub value: String,
}

/// A limit that counts a call, and how much of it is spent. Numbers are JSON as arguments of the type would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitFact {
    /// The limit's name.
    pub limit: String,
    /// The counter's name: a digest of what is counted and for whom.
    pub counter: String,
    /// How much was spent before.
    pub used: Json,
    /// What the call costs.
    pub cost: Json,
    /// The most there may be.
    pub max: Json,
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The join over every matching rule, or the default.
    pub verdict: Verdict,
    /// Codes of the matching rules that ask for this verdict, or the default's, or one `gait.` code; sorted, distinct.
    pub reason_codes: Vec<ReasonCode>,
    /// Every rule that matched, in the order of the sources.
    pub matched: Vec<MatchedRule>,
    /// Targets computed from the arguments; sorted, distinct.
    pub targets: Vec<Target>,
    /// The labels that rules asked about, and why values have them; sorted.
    pub labels: Vec<super::LabelFact>,
    /// Everything that must be approved, where the verdict is to ask for it; sorted, distinct.
    pub approvals: Vec<ApprovalSpec>,
    /// Who approved what rules asked for, where it was enough; sorted, distinct.
    pub approved_by: Vec<String>,
    /// What the rules that matched oblige to; sorted, one of a name and place.
    pub obligations: Vec<Obligation>,
    /// The limits that count the call, in the order of the sources.
    pub limits: Vec<LimitFact>,
    /// What was wrong with the call, where a `gait.` code blocked it.
    pub detail: Option<String>,
    /// What was decided of each step of a script, in order; none where it is one call.
    pub steps: Vec<StepDecision>,
}

/// What was decided of one step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDecision {
    /// The tool of the step.
    pub tool: String,
    /// The strictest decision over everything that the steps before it may have come to.
    pub decision: Decision,
}

impl Decision {
    /// Whether the kill switch stops the call or a step of it, or nobody knows whether it does.
    pub fn is_stopped(&self) -> bool {
        let stops = [reserved::KILL_SWITCH, reserved::KILL_SWITCH_UNAVAILABLE];
        self.reason_codes
            .iter()
            .any(|code| stops.contains(&code.as_str()))
    }

    /// The same call, blocked by the gate for a reason that has nothing to do with the verdicts of its rules.
    pub fn refused(self, code: &str, detail: String) -> Decision {
        Decision {
            verdict: Verdict::Block,
            reason_codes: vec![code.to_owned()],
            approvals: Vec::new(),
            approved_by: Vec::new(),
            detail: Some(detail),
            ..self
        }
    }
}
