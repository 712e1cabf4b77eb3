//! How calls are named: what an executor should run, and the event of one judgement. In: calls as they were judged. Out:
//! digests of canonical documents.

use super::Moment;
use crate::artifact::members::Sink as _;
use crate::artifact::{Digest, digest, members, time};
use crate::domain::{Intent, ScriptStep};
use crate::gate::{Judged, JudgedStep};
use crate::json::Json;

/// Names what an executor should run: the tool and its canonical arguments.
pub fn call_digest(tool: &str, canonical_args: &Json) -> Digest {
    digest::sha256(&members::text(|to| {
        to.json("args", canonical_args);
        to.text("tool", tool);
    }))
}

/// Names what an executor should run as a whole, of whose calls the names are known; none where it has no canonical form.
pub(super) fn own_digest(intent: &Intent, calls: &[Option<Digest>], judged: &Judged) -> Option<Digest> {
    if intent.steps.is_empty() {
        return calls.first().copied().flatten();
    }
    let args = judged.canonical_args.as_ref()?;
    Some(call_digest(&intent.tool, args))
}

/// Names what an executor should run: the call, or each step; none where it has no canonical form. `text` is the canonical
/// text of the arguments as received, where there is one already: most of them are what should run.
pub(super) fn call_digests(intent: &Intent, text: Option<&str>, judged: &Judged) -> Vec<Option<Digest>> {
    if !intent.steps.is_empty() {
        return intent.steps.iter().zip(&judged.steps).map(step_digest).collect();
    }
    let args = judged.canonical_args.as_ref();
    let digest = args.map(|args| match text.filter(|_| args == intent.args()) {
        None => call_digest(&intent.tool, args),
        Some(text) => digest::sha256(&members::text(|to| {
            to.written("args", text);
            to.text("tool", &intent.tool);
        })),
    });
    vec![digest]
}

/// Names what an executor should run as one step; none where it has no canonical form.
fn step_digest((step, judged): (&ScriptStep, &JudgedStep)) -> Option<Digest> {
    let args = judged.judged.canonical_args.as_ref()?;
    Some(call_digest(&step.tool, args))
}

/// The same event has the same id; another moment, session, run, delegation, statement or place in a chain makes another event.
pub(super) fn trace_id(bundle: Digest, intent: Digest, moment: &Moment) -> String {
    let event = members::text(|to| {
        if !moment.handed.is_empty() {
            let handed = moment.handed.iter().map(|one| one.digest.to_string());
            to.texts("approvals", handed);
        }
        to.text("at", &time::print(moment.now));
        if let Some(attested) = &moment.attested {
            to.texts(
                "attestations",
                attested.refs().iter().map(|one| one.digest.to_string()),
            );
        }
        to.digest("bundle", &bundle);
        if let Some(delegation) = &moment.delegation {
            to.texts("delegation", delegation.digests().iter().map(Digest::to_string));
        }
        to.optional("event", moment.event.as_deref());
        to.json("facts", moment.facts.as_ref().unwrap_or(&Json::Null));
        to.digest("intent", &intent);
        to.nullable("previous", moment.previous.as_ref());
        to.text_or_null("run", moment.run_id.as_deref());
        to.text_or_null("session", moment.session_id.as_deref());
    });
    let digest = digest::sha256(&event).to_string();
    let hex = digest.strip_prefix("sha256:").unwrap_or(&digest);
    hex.get(..24).unwrap_or(hex).to_owned()
}
