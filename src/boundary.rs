//! The one path of authority: a verified bundle, an intent, a moment and a key become a signed trace. The command
//! line, and every service that will gate calls, judges here and nowhere else; no trace, no verdict. The time is the
//! caller's; files are touched only for a session's journal.

mod answer;
mod attested;
mod counted;
mod delegated;
mod kept;
mod names;
pub mod permit;
mod recompute;
mod weigh;
mod written;

pub use answer::answer;
pub use attested::Attested;
pub use counted::Journal;
pub use delegated::Delegated;
use kept::Kept;
pub use kept::Secrets;
pub use names::call_digest;
use names::{call_digests, own_digest, trace_id};
pub use recompute::{Account, Difference, RecomputeError, Recomputed};
pub use weigh::HandedOver;
use weigh::Weighed;
pub use written::{Call, Clock, Desk, KillSwitchFile, TraceFiles, TracePlace, Traces, WriteError, Written};

use crate::approvals::Handed;
use crate::artifact::{
    BuildError, Bundle, Digest, PolicyRef, Signed, SigningKey, TraceRecord, TraceScript, TraceState,
    TrustedKeys, Verified, VerifyError, bundle, digest, envelope, jcs, time,
};
use crate::bundling::succession::{self, Succession, SuccessionError};
use crate::bundling::{self, LoadError};
use crate::domain::approval::Standing;
use crate::domain::{
    Approval, ArgumentOrigin, Charge, Decision, Enforcement, Intent, Request, State, Stops, Usage, Verdict,
    reserved,
};
use crate::eval::{Workspace, redact};
use crate::gate::Gate;
use crate::json::Json;
use crate::kill_switch::Consulted;
use crate::secrets;
use crate::session::Flaw;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::sync::Arc;

/// Why a bundle cannot decide.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It verifies, but this program cannot read what it holds.
    #[error(transparent)]
    Program(#[from] LoadError),
    /// It may not follow the bundle before it.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
}

impl OpenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Verify(error) => error.code(),
            OpenError::Program(_) => "bundle.program",
            OpenError::Succession(error) => error.code(),
        }
    }
}

/// A verified bundle, ready to judge. A copy shares what was loaded and has working space of its own, so each thread may
/// have one.
#[derive(Debug)]
pub struct Boundary {
    loaded: Arc<Loaded>,
    workspace: Workspace,
}

/// What of a bundle never changes.
#[derive(Debug)]
struct Loaded {
    /// Whose traces tell the state of a session, beside those of the key that signs.
    trusted: TrustedKeys,
    gate: Gate,
    bundle: Digest,
    policy: PolicyRef,
    enforcement: Enforcement,
}

impl Clone for Boundary {
    fn clone(&self) -> Self {
        Boundary {
            loaded: Arc::clone(&self.loaded),
            workspace: self.loaded.gate.workspace(),
        }
    }
}

/// When and in which run a call is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The time; traces keep its milliseconds.
    pub now: Timestamp,
    /// The session the trace belongs to; the caller's own claim where there is none.
    pub session_id: Option<String>,
    /// The run the trace belongs to.
    pub run_id: Option<String>,
    /// The caller's own name for what the call is part of.
    pub correlation_id: Option<String>,
    /// Where the call stands in a distributed trace: a `traceparent` of W3C Trace Context.
    pub traceparent: Option<String>,
    /// The digest of the trace before this one.
    pub previous: Option<Digest>,
    /// What happened in the session so far; none where no session is kept.
    pub state: Option<State>,
    /// What the host knows of the call: an object with a member per fact, or nothing.
    pub facts: Option<Json>,
    /// How much has been spent of limits; none where nobody counts.
    pub usage: Option<Usage>,
    /// Why nobody knows how much, where it was asked.
    pub uncounted: Option<String>,
    /// What the runtime promises to fulfil of what the decision obliges to; sorted, distinct.
    pub fulfils: Vec<String>,
    /// The approvals that are handed over; sorted by digest, distinct. They count only where the call is counted, too.
    pub handed: Vec<Handed>,
    /// What was handed over of a delegation; none where nothing was.
    pub delegation: Option<Delegated>,
    /// What was handed over to vouch for facts; none where nothing was.
    pub attested: Option<Attested>,
    /// What the kill switch says; none where there is none.
    pub kill_switch: Option<Consulted>,
    /// How long a call that is allowed may wait to run, in milliseconds; none where the caller wants no permit.
    pub permit_for: Option<i64>,
    /// Whether the trace keeps the intent, without what rules redact.
    pub keeps_intent: bool,
    /// What becomes of secrets in what is kept of the intent.
    pub secrets: Secrets,
    /// What tells this call from an equal one of the same millisecond; it is in no trace but through the trace's id.
    pub event: Option<String>,
}

/// A judged and signed call.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The record, as signed.
    pub record: TraceRecord,
    /// The signed trace.
    pub trace: Signed<TraceRecord>,
    /// The digest of the record: its name in the next trace.
    pub digest: Digest,
    /// The arguments in canonical form: what was judged and what an executor should run.
    pub canonical_args: Option<Json>,
    /// The intent the trace's digest covers, in canonical bytes.
    pub intent: Vec<u8>,
    /// What had happened in the session before; none where no session is kept.
    pub before: Option<State>,
    /// What the call costs of limits when it runs.
    pub charges: Vec<Charge>,
    /// How much had been spent of them before; none where nobody counts.
    pub usage: Option<Usage>,
    /// The approvals that were for this call and genuine.
    pub approvals: Vec<Approval>,
    /// What became of each approval that was handed over.
    pub handed: Vec<HandedOver>,
    /// What the session's journal had lost before.
    pub flaw: Option<Flaw>,
}

/// A judged call that nobody has signed yet.
struct Decided {
    record: TraceRecord,
    intent: Vec<u8>,
    canonical_args: Option<Json>,
    charges: Vec<Charge>,
    weighed: Weighed,
}

impl Boundary {
    /// Verifies a bundle and makes its gate ready.
    pub fn open(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Boundary, OpenError> {
        Boundary::of(bundle::open(bytes, trusted, now)?, trusted)
    }

    /// Makes the gate of a verified bundle ready. Traces of `trusted` keys tell what happened in a session.
    pub fn of(bundle: Verified<Bundle>, trusted: &TrustedKeys) -> Result<Boundary, OpenError> {
        let bundle = bundle.into_value();
        let gate = Gate::new(bundling::load(&bundle)?);
        let policy = PolicyRef {
            name: bundle.contents.name,
            version: bundle.contents.version,
            profile: bundle.contents.profile,
        };
        Ok(Boundary {
            workspace: gate.workspace(),
            loaded: Arc::new(Loaded {
                trusted: trusted.clone(),
                gate,
                bundle: bundle.digest,
                policy,
                enforcement: bundle.contents.enforcement,
            }),
        })
    }

    /// The same for a bundle that must follow another one: where it loosens that, it is refused, unless one of the keys that
    /// signed it is a cosigner's and another one is trusted (`succession::open` opens such a bundle).
    pub fn succeeding(
        bundle: Verified<Bundle>,
        trusted: &TrustedKeys,
        succession: &Succession,
    ) -> Result<Boundary, OpenError> {
        succession::follows(&bundle, trusted, succession)?;
        Boundary::of(bundle, trusted)
    }

    /// The gate, for callers that only ask.
    pub fn gate(&self) -> &Gate {
        &self.loaded.gate
    }

    /// The bundle's name in traces.
    pub fn bundle(&self) -> Digest {
        self.loaded.bundle
    }

    /// The policy that decides.
    pub fn policy(&self) -> &PolicyRef {
        &self.loaded.policy
    }

    /// Whether what it decides binds.
    pub fn enforcement(&self) -> Enforcement {
        self.loaded.enforcement
    }

    /// Judges an intent and signs the record. Errors mean there is no verdict: the call must not run. No approval counts,
    /// since nobody keeps which are used up.
    pub fn judge(
        &mut self,
        intent: &Intent,
        moment: &Moment,
        key: &SigningKey,
    ) -> Result<Recorded, BuildError> {
        if moment.handed.is_empty() {
            return self.judge_approved(intent, moment, key);
        }
        let mut moment = moment.clone();
        for one in &mut moment.handed {
            one.flaw.get_or_insert(Standing::NoStore);
        }
        self.judge_approved(intent, &moment, key)
    }

    /// The same with every approval that nothing is known against.
    fn judge_approved(
        &mut self,
        intent: &Intent,
        moment: &Moment,
        key: &SigningKey,
    ) -> Result<Recorded, BuildError> {
        let moment = &self.told(intent, moment);
        let origins = ArgumentOrigin::of_intent(&intent.document);
        let alone = request(intent, moment, origins.as_deref());
        let call = (intent, &alone);
        let weighed = Weighed::of(
            &self.loaded.gate,
            &mut self.workspace,
            (
                self.loaded.bundle,
                moment.delegation.as_ref().and_then(Delegated::chain),
                moment.secrets,
            ),
            call,
            &moment.handed,
        );
        let decided = self.decided(call, moment, weighed);
        let (trace, digest) = envelope::sign_and_name(&decided.record, &[key])?;
        Ok(Recorded {
            record: decided.record,
            trace,
            digest,
            canonical_args: decided.canonical_args,
            intent: decided.intent,
            before: moment.state.clone(),
            charges: decided.charges,
            usage: moment.usage.clone(),
            approvals: decided.weighed.approvals,
            handed: decided.weighed.handed,
            flaw: None,
        })
    }

    /// The facts of a call with one that the host has found out, where the policy declares it; what it does not declare of it is left out. None
    /// where the host says it already.
    pub fn with_fact(&self, facts: Option<&Json>, name: &str, value: Json) -> Option<Json> {
        delegated::with_fact(&self.loaded.gate, facts, name, value)
    }

    /// The moment with what the chain of delegation and those say who vouch for facts, where something was handed over of it.
    fn told<'m>(&self, intent: &Intent, moment: &'m Moment) -> Cow<'m, Moment> {
        let gate = &self.loaded.gate;
        let chain = moment.delegation.as_ref().and_then(Delegated::chain);
        // Facts that are no object are the gate's to refuse.
        let is_odd = moment
            .facts
            .as_ref()
            .is_some_and(|facts| facts.as_object().is_none());
        if is_odd || chain.is_none() && !attested::concerns(gate, moment) {
            return Cow::Borrowed(moment);
        }
        let mut told = moment.clone();
        if let Some(chain) = chain {
            match self.with_fact(moment.facts.as_ref(), delegated::FACT, chain.fact()) {
                Some(facts) => told.facts = Some(facts),
                None => {
                    let why = "the host says something of the delegation, too".to_owned();
                    told.delegation = Some(Delegated::Refused(why));
                }
            }
        }
        attested::tell(gate, intent, &mut told);
        Cow::Owned(told)
    }

    /// Why what was handed over with a call blocks it, whatever rules say.
    fn refusal(&self, call: (&Intent, &Request<'_>), moment: &Moment) -> Option<(&'static str, String)> {
        let delegation = moment.delegation.as_ref();
        let refused = delegation.and_then(|one| one.refusal(&self.loaded.gate, call, moment.now));
        let unattested = || moment.attested.as_ref()?.refusal();
        refused
            .map(|why| (reserved::DELEGATION, why))
            .or_else(|| Some((reserved::ATTESTATION, unattested()?)))
    }

    /// What is decided of a call with these approvals, as a trace says it.
    fn decided(
        &mut self,
        (intent, alone): (&Intent, &Request<'_>),
        moment: &Moment,
        mut weighed: Weighed,
    ) -> Decided {
        let request = Request {
            approvals: &weighed.approvals,
            ..*alone
        };
        let mut judged = self.loaded.gate.decide(&request, &mut self.workspace);
        let refused = self.refusal((intent, &request), moment);
        if let Some((code, why)) = refused.filter(|_| !judged.decision.is_stopped()) {
            judged.decision = judged.decision.refused(code, why);
        }
        let (delegation, attested) = (moment.delegation.as_ref(), moment.attested.as_ref());
        let approved_with = weighed.count(&judged.decision);
        let denied = weighed.denied.take();
        let denied = denied.filter(|_| judged.decision.verdict == Verdict::RequireApproval);
        let denied_with = match denied {
            Some((detail, with)) => {
                judged.decision = judged.decision.refused(reserved::DENIED, detail);
                with
            }
            None => Vec::new(),
        };
        let codes = &judged.decision.reason_codes;
        if codes.iter().any(|code| code == reserved::LIMITS_UNAVAILABLE)
            && let Some(why) = &moment.uncounted
        {
            judged.decision.detail = Some(why.clone());
        }
        // What is kept is without what rules redact and without secrets, and the digests are of what is kept.
        let covered = intent.covered();
        let Kept {
            document: kept,
            hidden,
            said,
        } = kept::of(&self.loaded.gate, &covered, &judged.decision, moment.secrets);
        let (canonical, args) = jcs::to_text_with(&kept, "args");
        let args = canonical.get(args).unwrap_or_default();
        let args_digest = digest::sha256(args.as_bytes());
        let intent_digest = digest::sha256(canonical.as_bytes());
        let args = matches!(kept, Cow::Borrowed(_)).then_some(args);
        let calls = call_digests(intent, args, &judged);
        let enforcement = self.loaded.enforcement;
        let runs = runs(enforcement, &judged.decision, moment, &calls);
        let ran = judged.after.as_ref().filter(|_| runs);
        redact::scrub(&mut judged.decision, &hidden);
        let told = |text: &str| match moment.secrets {
            Secrets::Hidden => secrets::hidden(text).into_owned(),
            Secrets::Kept => text.to_owned(),
        };
        // Whatever was handed over, and is told of, may have one in it, too.
        judged.decision.detail = judged.decision.detail.map(|detail| told(&detail));
        let record = TraceRecord {
            permit_until: permit_until(runs && enforcement.binds(), moment, &calls).map(|until| {
                let ends = [
                    delegation.and_then(Delegated::expires_at),
                    attested.and_then(|one| one.ends_at(&self.loaded.gate)),
                ];
                ends.into_iter().flatten().fold(until, Timestamp::min)
            }),
            trace_id: trace_id(self.loaded.bundle, intent_digest, moment),
            created_at: time::cut(moment.now),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            bundle_digest: self.loaded.bundle,
            policy: self.loaded.policy.clone(),
            intent_digest,
            args_digest,
            call_digest: own_digest(intent, &calls, &judged),
            tool: told(&intent.tool),
            script: kept.get("script").map(|script| TraceScript {
                digest: digest::of_json(script),
                call_digests: calls,
            }),
            decision: judged.decision,
            enforcement,
            runs,
            correlation_id: moment.correlation_id.as_deref().map(told),
            traceparent: moment.traceparent.clone(),
            session_id: moment
                .session_id
                .clone()
                .or_else(|| intent.session_id.as_deref().map(told)),
            run_id: moment.run_id.clone(),
            request_id: intent.request_id.as_deref().map(told),
            identity: Some(told(&intent.identity)),
            intent: (moment.keeps_intent || enforcement == Enforcement::Observe).then(|| kept.into_owned()),
            secrets: said,
            facts: moment
                .facts
                .clone()
                .filter(|facts| facts.as_object().is_none_or(|f| !f.is_empty())),
            fulfils: moment.fulfils.clone(),
            approved_with,
            denied_with,
            delegated_with: delegation.map(Delegated::digests).unwrap_or_default(),
            attested_with: attested.map(Attested::refs).unwrap_or_default(),
            kill_switch: moment.kill_switch.as_ref().and_then(|asked| asked.digest),
            state: moment.state.as_ref().map(|before| self.trace_state(before, ran)),
            previous: moment.previous,
        };
        Decided {
            record,
            intent: canonical.into_bytes(),
            canonical_args: judged.canonical_args,
            charges: judged.charges,
            weighed,
        }
    }
}

impl Boundary {
    /// What a trace says of the session: before, and once the call has run where it may.
    fn trace_state(&self, before: &State, runs: Option<&State>) -> TraceState {
        let bytes = |state: &State| self.loaded.gate.write_state(state);
        let after = crate::json::parse(&bytes(runs.unwrap_or(before)));
        TraceState {
            before: digest::sha256(&bytes(before)),
            // What the gate writes is JSON.
            after: after.unwrap_or(Json::Null),
        }
    }
}

/// Whether a call may run. Where nothing is enforced it may but for the kill switch, which is asked of targets only where the
/// arguments could be read: where they could not, and there are stops, nobody knows.
fn runs(enforcement: Enforcement, decision: &Decision, moment: &Moment, calls: &[Option<Digest>]) -> bool {
    if decision.verdict == Verdict::Allow || enforcement.binds() {
        return decision.verdict == Verdict::Allow;
    }
    let may_be_stopped = match moment.kill_switch.as_ref().map(|asked| &asked.stops) {
        None => false,
        Some(Ok(stops)) => !stops.is_empty() && calls.iter().any(Option::is_none),
        Some(Err(_)) => true,
    };
    !may_be_stopped && !decision.is_stopped()
}

/// Until when a call may run: only where it is allowed and enforced, and it is known what an executor should run.
fn permit_until(is_allowed: bool, moment: &Moment, calls: &[Option<Digest>]) -> Option<Timestamp> {
    let is_permit = is_allowed && calls.iter().all(Option::is_some);
    let millis = moment.permit_for.filter(|_| is_permit)?;
    time::cut(moment.now)
        .checked_add(SignedDuration::from_millis(millis))
        .ok()
}

/// The stops of a kill switch, for the gate.
fn stops(asked: Option<&Consulted>) -> Stops<'_> {
    match asked.map(|asked| &asked.stops) {
        None => Stops::NotKept,
        Some(Ok(stops)) => Stops::On(stops),
        Some(Err(why)) => Stops::Unavailable(why),
    }
}

/// What the gate is asked.
fn request<'r>(intent: &'r Intent, moment: &'r Moment, origins: Option<&'r [ArgumentOrigin]>) -> Request<'r> {
    let plain = Request::intent(intent);
    Request {
        facts: moment.facts.as_ref().unwrap_or(plain.facts),
        origins,
        state: moment.state.as_ref(),
        fulfils: Some(&moment.fulfils),
        now: Some(i128::from(moment.now.as_millisecond())),
        session: moment.session_id.as_deref(),
        run: moment.run_id.as_deref(),
        usage: moment.usage.as_ref(),
        stops: stops(moment.kill_switch.as_ref()),
        ..plain
    }
}
