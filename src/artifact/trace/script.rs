//! What a trace says of a script: the digest of what was asked, and each step with what was decided of it. In: a
//! decision with steps. Out: the member `script`, and back. It must not judge.

use super::{Digest, Fields, decision_from_json, decision_members};
use crate::artifact::{VerifyError, digest};
use crate::domain::intent::SCRIPT;
use crate::domain::{Decision, StepDecision, Verdict};
use crate::json::Json;
use crate::limits;

/// A script as its trace names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceScript {
    /// The digest of the steps as received, canonical.
    pub digest: Digest,
    /// By step, the digest of its tool and typed arguments in canonical form; none when they could not be typed.
    pub call_digests: Vec<Option<Digest>>,
}

impl TraceScript {
    /// The member `script`; the decision has as many steps as the script.
    pub(super) fn to_json(&self, steps: &[StepDecision]) -> Json {
        let steps = self.call_digests.iter().zip(steps).map(|(call, step)| {
            let call = call.map_or(Json::Null, |digest| digest.to_json());
            let named = [("tool", Json::str(&step.tool)), ("call_digest", call)];
            Json::object(named.into_iter().chain(decision_members(&step.decision)))
        });
        Json::object([
            ("digest", self.digest.to_json()),
            ("steps", Json::Array(steps.collect())),
        ])
    }
}

/// What a step says: what its call was, and the members of a decision.
const STEP: [&str; 11] = [
    "tool",
    "call_digest",
    "verdict",
    "reason_codes",
    "matched_rules",
    "targets",
    "detail",
    "labels",
    "limits",
    "approvals",
    "obligations",
];

/// Reads the script of a record, its steps into the decision.
pub(super) fn from_json(
    fields: &Fields<'_>,
    decision: &mut Decision,
) -> Result<Option<TraceScript>, VerifyError> {
    let Some(json) = fields.optional("script") else {
        return Ok(None);
    };
    fields.constant("tool", SCRIPT)?;
    let script = Fields::open("trace script", json, &["digest", "steps"])?;
    let steps = script.list("steps", |json| {
        let fields = Fields::open("trace step", json, &STEP)?;
        let step = StepDecision {
            tool: fields.text("tool")?.to_owned(),
            decision: decision_from_json(&fields)?,
        };
        Ok((fields.digest_or_null("call_digest")?, step))
    })?;
    if steps.is_empty() || steps.len() > limits::SCRIPT_STEPS {
        return Err(script.refuse("`steps` has none, or too many"));
    }
    let (call_digests, steps): (Vec<Option<Digest>>, Vec<StepDecision>) = steps.into_iter().unzip();
    // What people approved may run although a step asked for them, and no step is stricter for another reason.
    let asking = |step: &&StepDecision| step.decision.verdict == Verdict::RequireApproval;
    let others = steps
        .iter()
        .filter(|step| decision.approved_by.is_empty() || !asking(step));
    let strictest = others.map(|step| step.decision.verdict).max();
    if Some(decision.verdict) < strictest {
        return Err(script.refuse("a step is stricter than the script"));
    }
    decision.steps = steps;
    Ok(Some(TraceScript {
        digest: script.digest("digest")?,
        call_digests,
    }))
}

/// A record must not contradict the script of the intent it carries.
pub(super) fn check(
    fields: &Fields<'_>,
    record: Option<&TraceScript>,
    intent: Option<&Json>,
) -> Result<(), VerifyError> {
    if record.map(|script| script.digest) == intent.map(digest::of_json) {
        Ok(())
    } else {
        Err(fields.refuse("`script` is not the script of the intent"))
    }
}
