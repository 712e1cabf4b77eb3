//! Recomputing: a trace says what was decided and from what, and here it is decided again. In: a verified trace, the intent,
//! the trace before it, the approvals. Out: the members that come out differently, and those that nothing but the
//! trace vouches for. It signs nothing and touches no file.

use super::weigh::Weighed;
use super::{Attested, Boundary, Delegated, Moment, Secrets, attested, delegated, kept, request};
use crate::approvals::Handed;
use crate::artifact::envelope::Payload;
use crate::artifact::{Digest, KillSwitch, TraceRecord, Verified, digest, jcs};
use crate::attestation::Statements;
use crate::delegation::Chain;
use crate::domain::{ArgumentOrigin, Intent, State, reserved};
use crate::gate::IntentError;
use crate::json::Json;
use crate::kill_switch::{self, Consulted};
use std::collections::BTreeSet;

/// What is not part of the decision: the name of the event, and who wrote it down.
const NOT_COMPARED: [&str; 2] = ["trace_id", "producer_version"];

/// Why a decision cannot be made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecomputeError {
    /// Another bundle decided.
    #[error("bundle {0} decided, and this is another one")]
    OtherBundle(Digest),
    /// The trace does not keep its intent.
    #[error("the trace does not keep the intent it decided")]
    IntentMissing,
    /// The trace keeps its intent without what rules redact, or without secrets.
    #[error("the trace keeps its intent without what rules redact, or without secrets")]
    IntentRedacted,
    /// The intent is none.
    #[error("the intent is refused: {0}")]
    Intent(IntentError),
    /// The intent is not the one that was judged.
    #[error("the trace was made of another intent, with digest {0}")]
    OtherIntent(Digest),
    /// Secrets were looked for by another table.
    #[error("secrets were looked for by another table than this version has")]
    OtherTable,
    /// The session before the call is not known.
    #[error("the session before the call is what trace {0} left, which is not given")]
    StateMissing(Digest),
    /// The session before the call is none that this policy can be in.
    #[error("the session before the call is not what the trace before it left")]
    OtherState,
    /// A kill switch stopped the call, or another state of it was asked.
    #[error("the kill switch was asked, and its state {0} is not given")]
    KillSwitch(Digest),
}

impl RecomputeError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherBundle(_) => "recompute.other_bundle",
            Self::IntentMissing => "recompute.intent_missing",
            Self::IntentRedacted => "recompute.intent_redacted",
            Self::Intent(error) => error.code,
            Self::OtherIntent(_) => "recompute.other_intent",
            Self::OtherTable => "recompute.other_table",
            Self::StateMissing(_) => "recompute.state_missing",
            Self::OtherState => "recompute.other_state",
            Self::KillSwitch(_) => "recompute.kill_switch",
        }
    }
}

/// A decision with what it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// What the trace says.
    pub record: &'a TraceRecord,
    /// The intent that was judged; the one that is kept where none is given.
    pub intent: Option<&'a Intent>,
    /// The intent that is kept beside the trace, without what rules redact; the trace may keep it itself.
    pub kept: Option<&'a Json>,
    /// The trace before it in the session.
    pub before: Option<&'a TraceRecord>,
    /// The state of the kill switch that was asked; where none is given, the trace is believed that no stop was about the
    /// call.
    pub kill_switch: Option<&'a Verified<KillSwitch>>,
    /// The approvals that were handed over; where none is given, the trace is believed about them.
    pub handed: &'a [Handed],
    /// The chain of delegation that was handed over; where none is given, the trace is believed about it.
    pub chain: Option<&'a Chain>,
    /// The statements that vouched for facts; where none are given, the trace is believed about them.
    pub statements: Option<&'a Statements>,
}

/// A member of a trace that comes out differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub member: String,
    /// What the trace says; null where it says nothing.
    pub recorded: Json,
    /// What comes out.
    pub recomputed: Json,
}

/// A decision that was made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recomputed {
    /// What comes out differently, by name.
    pub differences: Vec<Difference>,
    /// The members that the trace alone vouches for: its signer saw what they say, and nobody can see it again.
    pub believed: Vec<&'static str>,
}

impl Boundary {
    /// Decides again what a trace says was decided.
    pub fn recompute(&mut self, account: Account<'_>) -> Result<Recomputed, RecomputeError> {
        let record = account.record;
        if record.bundle_digest != self.loaded.bundle {
            return Err(RecomputeError::OtherBundle(record.bundle_digest));
        }
        let of_trace;
        let intent = match account.intent {
            Some(intent) => intent,
            None => {
                of_trace = kept_intent(record, account.kept)?;
                &of_trace
            }
        };
        let covered = intent.covered();
        let of_kept = |secrets| {
            let kept = kept::of(&self.loaded.gate, &covered, &record.decision, secrets);
            digest::sha256(&jcs::to_vec(&kept.document))
        };
        if of_kept(secrets(record)) != record.intent_digest {
            let table = record.secrets.as_ref().map(|secrets| secrets.table);
            let is_other = match table {
                Some(table) => table != crate::secrets::TABLE,
                // Nothing was found where now something is.
                None => of_kept(Secrets::Kept) == record.intent_digest,
            };
            return Err(match is_other {
                true => RecomputeError::OtherTable,
                false => RecomputeError::OtherIntent(record.intent_digest),
            });
        }
        let moment = Moment {
            state: self.state_before(record, account.before)?,
            kill_switch: asked(record, account.kill_switch)?,
            ..moment(record, intent, self.loaded.gate.usage_of(&record.decision.limits))
        };
        let moment = self.handed_over(moment, &account);
        let moment = self.told(intent, &moment);
        let origins = ArgumentOrigin::of_intent(&intent.document);
        let alone = request(intent, &moment, origins.as_deref());
        let call = (intent, &alone);
        let weighed = if account.handed.is_empty() {
            believed(record)
        } else {
            Weighed::of(
                &self.loaded.gate,
                &mut self.workspace,
                (self.loaded.bundle, account.chain, secrets(record)),
                call,
                account.handed,
            )
        };
        let decided = self.decided(call, &moment, weighed);
        Ok(Recomputed {
            differences: differences(&record.to_json(), &decided.record.to_json()),
            believed: only_said(&account),
        })
    }

    /// The moment with what is handed over again; the facts that came of it then are made again.
    fn handed_over(&self, mut moment: Moment, account: &Account<'_>) -> Moment {
        let is_again = |name: &str| {
            let is_chain = account.chain.is_some() && name == delegated::FACT;
            is_chain || account.statements.is_some() && attested::is_attested(self.gate(), name)
        };
        if let Some(Json::Object(members)) = &mut moment.facts {
            members.retain(|(name, _)| !is_again(name));
        }
        if let Some(chain) = account.chain {
            moment.delegation = Some(Delegated::Chain(chain.clone()));
        }
        if let Some(statements) = account.statements {
            moment.attested = Some(Attested::Statements(statements.clone()));
        }
        moment
    }

    /// The session before a call, whose digest the trace names.
    fn state_before(
        &self,
        record: &TraceRecord,
        before: Option<&TraceRecord>,
    ) -> Result<Option<State>, RecomputeError> {
        let Some(state) = &record.state else {
            return Ok(None);
        };
        let is_named = |one: &State| digest::sha256(&self.loaded.gate.write_state(one)) == state.before;
        let Some(previous) = record.previous else {
            let fresh = Some(self.loaded.gate.fresh_state()).filter(is_named);
            return fresh.map(Some).ok_or(RecomputeError::OtherState);
        };
        let before = before.ok_or(RecomputeError::StateMissing(previous))?;
        let left = before.state.as_ref().ok_or(RecomputeError::OtherState)?;
        let left = self.loaded.gate.read_state(&jcs::to_vec(&left.after)).ok();
        let left = left.filter(is_named);
        left.map(Some).ok_or(RecomputeError::OtherState)
    }
}

/// The intent that is kept, where that is the whole.
fn kept_intent(record: &TraceRecord, beside: Option<&Json>) -> Result<Intent, RecomputeError> {
    let document = record.intent.as_ref().or(beside);
    let document = document.ok_or(RecomputeError::IntentMissing)?;
    if record.redacts() {
        return Err(RecomputeError::IntentRedacted);
    }
    Intent::read(&jcs::to_vec(document)).map_err(RecomputeError::Intent)
}

/// What became of secrets in what is kept.
fn secrets(record: &TraceRecord) -> Secrets {
    match &record.secrets {
        Some(secrets) if secrets.kept => Secrets::Kept,
        _ => Secrets::Hidden,
    }
}

/// When and in which run a call was judged, as its trace says.
fn moment(record: &TraceRecord, intent: &Intent, usage: crate::domain::Usage) -> Moment {
    let decision = &record.decision;
    let uncounted = is_of(record, reserved::LIMITS_UNAVAILABLE);
    // A session that only the intent claims is none that anything is counted in.
    let claimed = record.state.is_none() && record.session_id.as_deref() == intent.session_id.as_deref();
    Moment {
        now: record.created_at,
        session_id: record.session_id.clone().filter(|_| !claimed),
        run_id: record.run_id.clone(),
        correlation_id: record.correlation_id.clone(),
        traceparent: record.traceparent.clone(),
        previous: record.previous,
        state: None,
        facts: record.facts.clone(),
        usage: (!uncounted).then_some(usage),
        uncounted: decision.detail.clone().filter(|_| uncounted),
        fulfils: record.fulfils.clone(),
        handed: Vec::new(),
        delegation: delegation(record),
        attested: attestation(record),
        kill_switch: None,
        permit_for: record.permit_until.map(|until| {
            until
                .as_millisecond()
                .saturating_sub(record.created_at.as_millisecond())
        }),
        keeps_intent: record.intent.is_some(),
        secrets: secrets(record),
        event: None,
    }
}

/// What a trace says of a delegation.
fn delegation(record: &TraceRecord) -> Option<Delegated> {
    let refused = is_of(record, reserved::DELEGATION);
    let refused = refused.then(|| record.decision.detail.clone().unwrap_or_default());
    let digests = record.delegated_with.clone();
    (refused.is_some() || !digests.is_empty()).then_some(Delegated::Believed { digests, refused })
}

/// What a trace says of those who vouch for facts.
fn attestation(record: &TraceRecord) -> Option<Attested> {
    let refused = is_of(record, reserved::ATTESTATION);
    let refused = refused.then(|| record.decision.detail.clone().unwrap_or_default());
    let named = record.attested_with.clone();
    (refused.is_some() || !named.is_empty()).then_some(Attested::Believed { named, refused })
}

/// What the kill switch said, which a trace tells where it said nothing of the call.
fn asked(
    record: &TraceRecord,
    given: Option<&Verified<KillSwitch>>,
) -> Result<Option<Consulted>, RecomputeError> {
    let stops = if is_of(record, reserved::KILL_SWITCH_UNAVAILABLE) {
        let steps = record.decision.steps.iter().map(|step| &step.decision);
        let mut all = std::iter::once(&record.decision).chain(steps);
        Err(all.find_map(|one| one.detail.clone()).unwrap_or_default())
    } else {
        Ok(Vec::new())
    };
    let believed = Consulted {
        digest: record.kill_switch,
        stale_since: None,
        stops,
    };
    match (record.kill_switch, given) {
        (None, _) => Ok(Some(believed).filter(|believed| believed.stops.is_err())),
        (Some(digest), Some(given)) if given.digest() == digest => {
            let times = [record.created_at];
            Ok(Some(kill_switch::consulted(given, &times, record.policy.profile)))
        }
        (Some(digest), given)
            if given.is_some()
                || is_of(record, reserved::KILL_SWITCH)
                || !(record.enforcement.binds() || record.runs) =>
        {
            Err(RecomputeError::KillSwitch(digest))
        }
        (Some(_), _) => Ok(Some(believed)),
    }
}

/// Whether a call, or a step of a script, was blocked for this reason.
fn is_of(record: &TraceRecord, code: &str) -> bool {
    record.decision.reason_codes.iter().any(|one| one == code)
}

/// The approvals that a trace names, as it names them.
fn believed(record: &TraceRecord) -> Weighed {
    Weighed {
        approvals: record.approved(),
        believed: record.approved_with.clone(),
        denied: (!record.denied_with.is_empty()).then(|| {
            let why = record.decision.detail.clone().unwrap_or_default();
            (why, record.denied_with.clone())
        }),
        ..Weighed::default()
    }
}

fn only_said(account: &Account<'_>) -> Vec<&'static str> {
    let record = account.record;
    let is_asked = record.kill_switch.is_some() || is_of(record, reserved::KILL_SWITCH_UNAVAILABLE);
    // What comes of a chain or of statements is made again with them.
    let is_again = |name: &str| {
        let is_attested = record.attested_with.iter().any(|one| one.kind == name);
        account.chain.is_some() && name == delegated::FACT || account.statements.is_some() && is_attested
    };
    let facts = record
        .facts
        .as_ref()
        .and_then(Json::as_object)
        .unwrap_or_default();
    let said = [
        (
            "approved_by",
            !record.decision.approved_by.is_empty() && account.handed.is_empty(),
        ),
        (
            "attested_with",
            attestation(record).is_some() && account.statements.is_none(),
        ),
        (
            "delegated_with",
            delegation(record).is_some() && account.chain.is_none(),
        ),
        (
            "denied_with",
            !record.denied_with.is_empty() && account.handed.is_empty(),
        ),
        ("facts", facts.iter().any(|(name, _)| !is_again(name))),
        ("fulfils", !record.fulfils.is_empty()),
        ("kill_switch", is_asked && account.kill_switch.is_none()),
        ("limits", !record.decision.limits.is_empty()),
    ];
    let said = said.into_iter().filter(|(_, said)| *said);
    said.map(|(name, _)| name).collect()
}

fn differences(recorded: &Json, recomputed: &Json) -> Vec<Difference> {
    let names = |json: &Json| -> Vec<String> {
        let members = json.as_object().unwrap_or_default().iter();
        members.map(|(name, _)| name.to_string()).collect()
    };
    let all: BTreeSet<String> = names(recorded).into_iter().chain(names(recomputed)).collect();
    let of = |json: &Json, name: &str| json.get(name).cloned().unwrap_or(Json::Null);
    all.into_iter()
        .filter(|name| !NOT_COMPARED.contains(&name.as_str()))
        .map(|name| Difference {
            recorded: of(recorded, &name),
            recomputed: of(recomputed, &name),
            member: name,
        })
        .filter(|one| jcs::to_vec(&one.recorded) != jcs::to_vec(&one.recomputed))
        .collect()
}
