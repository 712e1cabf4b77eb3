//! What is kept of a call: the intent without what rules redact, and without secrets unless somebody asked for them. In: a gate, the
//! intent as received, what was decided. Out: the intent that traces, journals and digests are of, and the decision in words that
//! tell no more than it.

use crate::artifact::{TraceSecret, TraceSecrets};
use crate::domain::Decision;
use crate::eval::redact;
use crate::gate::Gate;
use crate::json::Json;
use crate::limits;
use crate::secrets::{self, Hidden, Place};
use std::borrow::Cow;

/// What becomes of secrets in what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// They are kept nowhere.
    #[default]
    Hidden,
    /// They are kept as they are: whoever runs the gate has asked for it.
    Kept,
}

/// What is kept of an intent.
pub(super) struct Kept<'c> {
    /// The intent.
    pub document: Cow<'c, Json>,
    /// What was taken out of it as secret.
    pub hidden: Hidden,
    /// What its trace says of that; nothing where nothing was found and no label rests on it.
    pub said: Option<TraceSecrets>,
}

impl Kept<'_> {
    /// Whether secrets were taken out of nothing but arguments, which the digests of calls are of.
    pub fn hides_arguments_alone(&self) -> bool {
        self.hidden.places.iter().all(|place| {
            let path: Vec<&str> = place.path.iter().map(String::as_str).collect();
            matches!(path.as_slice(), ["args", ..] | ["script", "steps", _, "args", ..])
        })
    }
}

/// What is kept of what a trace's digest covers.
pub(super) fn of<'c>(gate: &Gate, covered: &'c Json, decision: &Decision, secrets: Secrets) -> Kept<'c> {
    let is_tool = |name: &str| gate.program().tool(name).is_some();
    let mut document = redact::intent(covered, &decision.obligations, &decision.steps, &is_tool);
    let mut hidden = Hidden::default();
    let mut places = secrets::places(&document);
    if secrets == Secrets::Hidden && !places.is_empty() {
        hidden = redact::secrets(document.to_mut(), &is_tool);
        places.clone_from(&hidden.places);
    }
    // Where labels rest on it, nothing found is something said, too.
    let is_asked = gate.program().labels.detected != 0;
    let said = (is_asked || !places.is_empty()).then(|| TraceSecrets {
        table: secrets::TABLE,
        found: named(&places),
        kept: secrets == Secrets::Kept && !places.is_empty(),
    });
    Kept {
        document,
        hidden,
        said,
    }
}

/// The places as a trace names them. A name that holds a secret is told without it.
fn named(places: &[Place]) -> Vec<TraceSecret> {
    let named = places.iter().map(|place| TraceSecret {
        at: secrets::hidden(&place.to_string()).into_owned(),
        kind: place.kind.to_owned(),
    });
    let mut named: Vec<TraceSecret> = named.collect();
    named.sort();
    named.dedup();
    named.truncate(limits::SECRETS_NAMED);
    named
}
