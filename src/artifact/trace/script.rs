//! What a trace says of a script: the digest of what was asked, and each step with what was decided of it. In: the member
//! `script`. Out: a script, and the steps of a decision. It must not judge.

use super::{Digest, Fields, decision_from_json};
use crate::artifact::VerifyError;
use crate::domain::{Decision, StepDecision};

/// A script as its trace names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceScript {
    /// The digest of the steps as received, canonical.
    pub digest: Digest,
    /// By step, the digest of its tool and typed arguments in canonical form; none when they could not be typed.
    pub call_digests: Vec<Option<Digest>>,
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
    let script = Fields::open("trace script", json, &["digest", "steps"])?;
    let steps = script.list("steps", |json| {
        let fields = Fields::open("trace step", json, &STEP)?;
        let step = StepDecision {
            tool: fields.text("tool")?.to_owned(),
            decision: decision_from_json(&fields)?,
        };
        Ok((fields.digest_or_null("call_digest")?, step))
    })?;
    let (call_digests, steps): (Vec<Option<Digest>>, Vec<StepDecision>) = steps.into_iter().unzip();
    decision.steps = steps;
    Ok(Some(TraceScript {
        digest: script.digest("digest")?,
        call_digests,
    }))
}
