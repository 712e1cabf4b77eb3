//! How calls are named: what an executor should run, and the event of one judgement. In: calls as they were judged. Out:
//! digests of canonical documents.

use super::Moment;
use crate::artifact::{Digest, digest, jcs, time};
use crate::domain::{Intent, ScriptStep};
use crate::gate::{Judged, JudgedStep};
use crate::json::Json;

/// Names what an executor should run: the tool and its canonical arguments.
pub fn call_digest(tool: &str, canonical_args: &Json) -> Digest {
    let call = [("args", canonical_args), ("tool", &Json::str(tool))];
    digest::sha256(&jcs::object_to_vec(&call))
}

/// Names what an executor should run where it is one call; none where it has no canonical form.
pub(super) fn own_digest(intent: &Intent, judged: &Judged) -> Option<Digest> {
    let args = judged.canonical_args.as_ref()?;
    Some(call_digest(&intent.tool, args))
}

/// Names what an executor should run: the call, or each step.
pub(super) fn call_digests(intent: &Intent, judged: &Judged) -> Vec<Option<Digest>> {
    if intent.steps.is_empty() {
        return vec![own_digest(intent, judged)];
    }
    intent.steps.iter().zip(&judged.steps).map(step_digest).collect()
}

/// Names what an executor should run as one step; none where it has no canonical form.
fn step_digest((step, judged): (&ScriptStep, &JudgedStep)) -> Option<Digest> {
    let args = judged.judged.canonical_args.as_ref()?;
    Some(call_digest(&step.tool, args))
}

/// The same event has the same id; another moment, session, run or place in a chain makes another event.
pub(super) fn trace_id(bundle: Digest, intent: Digest, moment: &Moment) -> String {
    let or_null = |text: Option<&str>| text.map_or(Json::Null, Json::str);
    let previous = moment.previous.map_or(Json::Null, |digest| digest.to_json());
    let at = Json::str(time::print(moment.now));
    let (bundle, intent) = (bundle.to_json(), intent.to_json());
    let (run, session) = (
        or_null(moment.run_id.as_deref()),
        or_null(moment.session_id.as_deref()),
    );
    let mut event = vec![
        ("at", &at),
        ("bundle", &bundle),
        ("facts", moment.facts.as_ref().unwrap_or(&Json::Null)),
        ("intent", &intent),
        ("previous", &previous),
        ("run", &run),
        ("session", &session),
    ];
    let handed = moment.handed.iter().map(|one| one.digest.to_json()).collect();
    let handed = Json::Array(handed);
    if !moment.handed.is_empty() {
        event.push(("approvals", &handed));
    }
    let own = or_null(moment.event.as_deref());
    if moment.event.is_some() {
        event.push(("event", &own));
    }
    let digest = digest::sha256(&jcs::object_to_vec(&event)).to_string();
    let hex = digest.strip_prefix("sha256:").unwrap_or(&digest);
    hex.chars().take(24).collect()
}
