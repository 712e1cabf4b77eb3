//! Traces: the signed record of one decision. In: the decision and the digests of what it was made from. Out:
//! envelope bytes, and back. No trace, no allow; it records and never judges.

mod check;
mod members;
mod script;
mod secrets;

pub use script::TraceScript;
pub use secrets::{TraceSecret, TraceSecrets};

use jiff::Timestamp;

use super::approval;
use super::digest::Digest;
use super::envelope::{self, Payload, PayloadType, Signed, TrustedKeys, Verified};
use super::fields::Fields;
use super::key::SigningKey;
use super::members::{text, tree};
use super::{BuildError, StatementRef, VerifyError, limit, obligation};
use crate::domain::{
    Approval, ApprovalSpec, Decision, Enforcement, LabelFact, LabelOrigin, MatchedRule, PolicyScope, Profile,
    RuleScope, Target, Verdict,
};
use crate::json::{Json, Text};
use crate::limits;
use crate::source::Position;

/// How deep a document lies that a record has in itself, at most: a parameter of an obligation of a step.
const AROUND: usize = 8;

/// The policy that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRef {
    /// Its name.
    pub name: String,
    /// Its version; empty when it states none.
    pub version: String,
    /// How strictly it asks to be held.
    pub profile: Profile,
}

/// One decision with everything needed to check it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Its id: 1 to 64 of `a-z`, `0-9`, `-`, `_`, the first a letter or digit.
    pub trace_id: String,
    /// When it was decided; milliseconds are kept.
    pub created_at: Timestamp,
    /// The version of the program that decided.
    pub producer_version: String,
    /// The bundle that decided.
    pub bundle_digest: Digest,
    /// The policy inside it.
    pub policy: PolicyRef,
    /// The digest of the whole intent, canonical.
    pub intent_digest: Digest,
    /// The digest of its arguments as received, canonical.
    pub args_digest: Digest,
    /// The digest of tool and typed arguments in canonical form; none when they could not be typed.
    pub call_digest: Option<Digest>,
    /// The tool; `script` for a script.
    pub tool: String,
    /// The script, whose steps are in the decision; none where it was one call.
    pub script: Option<TraceScript>,
    /// What was decided.
    pub decision: Decision,
    /// Whether that binds.
    pub enforcement: Enforcement,
    /// Whether the call may run: what is enforced only where it is allowed.
    pub runs: bool,
    /// The caller's correlation id.
    pub correlation_id: Option<String>,
    /// Where the call stands in a distributed trace: `traceparent` of W3C Trace Context.
    pub traceparent: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The run.
    pub run_id: Option<String>,
    /// The caller's request id.
    pub request_id: Option<String>,
    /// Who asked, as the transport authenticated it.
    pub identity: Option<String>,
    /// The intent itself, only when asked for.
    pub intent: Option<Json>,
    /// What was found in the intent that is secret; none where nothing was, and no label rests on it.
    pub secrets: Option<TraceSecrets>,
    /// What the host knew of the call, an object with a member per fact; none where it knew nothing.
    pub facts: Option<Json>,
    /// What the runtime promised to fulfil of what a decision obliges to; sorted, distinct.
    pub fulfils: Vec<String>,
    /// The digests of the approvals that let the call run; sorted, distinct.
    pub approved_with: Vec<Digest>,
    /// The digests of the denials that stopped the call; sorted, distinct.
    pub denied_with: Vec<Digest>,
    /// The digests of the tokens of the chain of delegation, the first one before all others.
    pub delegated_with: Vec<Digest>,
    /// The statements that vouch for facts of the call, by kind.
    pub attested_with: Vec<StatementRef>,
    /// The digest of the kill switch's state that was asked; none where there is none that could be read.
    pub kill_switch: Option<Digest>,
    /// Until when the call may run, once; none where it must not, or the caller wanted no permit.
    pub permit_until: Option<Timestamp>,
    /// The session before and after; none where no session is kept.
    pub state: Option<TraceState>,
    /// The digest of the previous trace of this chain.
    pub previous: Option<Digest>,
}

impl TraceRecord {
    /// What an executor should run: the call, or each step of the script in order; none where it has no canonical form.
    pub fn calls(&self) -> Vec<Option<Digest>> {
        match &self.script {
            Some(script) => script.call_digests.clone(),
            None => vec![self.call_digest],
        }
    }

    /// Whether something was taken out of what is kept of the call: by rules, or as secret.
    pub fn redacts(&self) -> bool {
        self.redacts_by_rules() || !self.hidden().is_empty()
    }

    /// What was taken out of what is kept as secret.
    pub fn hidden(&self) -> &[TraceSecret] {
        let hidden = self.secrets.as_ref().filter(|secrets| !secrets.kept);
        hidden.map_or(&[], |secrets| &secrets.found)
    }

    /// Whether rules had something taken out of what is kept of the call.
    pub fn redacts_by_rules(&self) -> bool {
        let takes = |decision: &Decision| decision.obligations.iter().any(|one| one.is_transform());
        takes(&self.decision) || self.decision.steps.iter().any(|step| takes(&step.decision))
    }

    /// The approvals of the people that it names, which counted at its time.
    pub fn approved(&self) -> Vec<Approval> {
        let at = i128::from(self.created_at.as_millisecond());
        let people = self.decision.approved_by.iter();
        people.map(|by| Approval::just_given(by, at)).collect()
    }

    /// How deep its document is nested, at most.
    fn depth(&self) -> usize {
        let decision = &self.decision;
        let of_steps = decision.steps.iter().flat_map(|step| &step.decision.obligations);
        let params = decision
            .obligations
            .iter()
            .chain(of_steps)
            .flat_map(|one| &one.params);
        let state = self.state.as_ref().map(|state| &state.after);
        let parts = [&self.intent, &self.facts].into_iter().flatten().chain(state);
        let parts = parts.chain(params.map(|(_, value)| value));
        AROUND + parts.map(Json::depth).max().unwrap_or_default()
    }
}

/// The session a decision was made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceState {
    /// The digest of the state that was given.
    pub before: Digest,
    /// The state once what was decided has happened: the same where the call must not run.
    pub after: Json,
}

/// Signs a record. Errors when it is not well formed (ids, sorted lists).
pub fn sign(record: &TraceRecord, key: &SigningKey) -> Result<Signed<TraceRecord>, BuildError> {
    envelope::sign(record, key)
}

/// Verifies a signed record; `Verified::digest` is the trace's name.
pub fn verify(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<TraceRecord>, VerifyError> {
    envelope::verify(bytes, trusted, now)
}

/// Every member of the document, in the order in which people read them.
const MEMBERS: [&str; 41] = [
    "schema",
    "trace_id",
    "created_at",
    "producer_version",
    "bundle_digest",
    "policy",
    "intent_digest",
    "args_digest",
    "call_digest",
    "tool",
    "enforcement",
    "runs",
    "previous",
    "correlation_id",
    "traceparent",
    "session_id",
    "run_id",
    "request_id",
    "identity",
    "intent",
    "secrets",
    "facts",
    "verdict",
    "reason_codes",
    "matched_rules",
    "targets",
    "detail",
    "labels",
    "approvals",
    "approved_by",
    "limits",
    "obligations",
    "script",
    "fulfils",
    "approved_with",
    "denied_with",
    "delegated_with",
    "attested_with",
    "kill_switch",
    "permit_until",
    "state",
];

impl Payload for TraceRecord {
    const TYPE: PayloadType = PayloadType::Trace;

    fn to_json(&self) -> Json {
        tree(|to| members::record(self, to))
    }

    fn to_text(&self) -> Vec<u8> {
        text(|to| members::record(self, to))
    }

    fn check(&self, text: &[u8]) -> Result<(), VerifyError> {
        if self.depth() >= limits::JSON_DEPTH {
            envelope::payload(text)?;
        }
        check::record(self)
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("trace", json, &MEMBERS)?;
        fields.constant("schema", PayloadType::Trace.schema())?;
        let policy = Fields::open(
            "trace policy",
            fields.any("policy")?,
            &["name", "version", "profile"],
        )?;
        let mut decision = decision_from_json(&fields)?;
        let script = script::from_json(&fields, &mut decision)?;
        let approved_with = digests(
            &fields,
            "approved_with",
            "`approved_with` does not go with `approved_by`",
        )?;
        let denied_with = digests(&fields, "denied_with", "`denied_with` has no element")?;
        let enforcement = Enforcement::parse(fields.text("enforcement")?)
            .ok_or_else(|| fields.refuse("`enforcement` is none of a bundle"))?;
        let runs = match enforcement.binds() {
            true if fields.optional("runs").is_some() => {
                return Err(fields.refuse("`runs` does not go with what is enforced"));
            }
            true => decision.verdict == Verdict::Allow,
            false => match fields.any("runs")? {
                Json::Bool(runs) => *runs,
                _ => return Err(fields.refuse("`runs` is neither true nor false")),
            },
        };
        let record = TraceRecord {
            script,
            trace_id: fields.text("trace_id")?.to_owned(),
            created_at: fields.instant("created_at")?,
            producer_version: fields.text("producer_version")?.to_owned(),
            bundle_digest: fields.digest("bundle_digest")?,
            policy: PolicyRef {
                name: policy.text("name")?.to_owned(),
                version: policy.text("version")?.to_owned(),
                profile: Profile::parse(policy.text("profile")?)
                    .ok_or_else(|| policy.refuse("`profile` is none of a policy"))?,
            },
            intent_digest: fields.digest("intent_digest")?,
            args_digest: fields.digest("args_digest")?,
            call_digest: fields.digest_or_null("call_digest")?,
            tool: fields.text("tool")?.to_owned(),
            decision,
            enforcement,
            runs,
            correlation_id: fields.optional_text("correlation_id")?,
            traceparent: fields.optional_text("traceparent")?,
            session_id: fields.optional_text("session_id")?,
            run_id: fields.optional_text("run_id")?,
            request_id: fields.optional_text("request_id")?,
            identity: fields.optional_text("identity")?,
            intent: fields.optional("intent").cloned(),
            secrets: fields.optional("secrets").map(secrets::from_json).transpose()?,
            facts: fields.optional("facts").cloned(),
            fulfils: fulfils(&fields)?,
            approved_with,
            denied_with,
            delegated_with: digests(&fields, "delegated_with", "`delegated_with` has no element")?,
            attested_with: StatementRef::list(&fields, "attested_with")?,
            kill_switch: fields
                .optional("kill_switch")
                .map(|_| fields.digest("kill_switch"))
                .transpose()?,
            permit_until: fields
                .optional("permit_until")
                .map(|_| fields.instant("permit_until"))
                .transpose()?,
            state: fields.optional("state").map(state_from_json).transpose()?,
            previous: fields.digest_or_null("previous")?,
        };
        check::record(&record)?;
        Ok(record)
    }
}

/// What the runtime promised; a promise of nothing is left out.
fn fulfils(fields: &Fields<'_>) -> Result<Vec<String>, VerifyError> {
    if fields.optional("fulfils").is_none() {
        return Ok(Vec::new());
    }
    match approval::people(fields, "fulfils")? {
        none if none.is_empty() => Err(fields.refuse("`fulfils` has no element")),
        some => Ok(some),
    }
}

/// A list of digests, which is not there where it would be empty.
fn digests(fields: &Fields<'_>, key: &str, empty: &str) -> Result<Vec<Digest>, VerifyError> {
    if fields.optional(key).is_none() {
        return Ok(Vec::new());
    }
    let digests = fields.list(key, |json| {
        let digest = json.as_str().and_then(Digest::parse);
        digest.ok_or_else(|| fields.refuse(format!("`{key}` has one that is no digest")))
    })?;
    if digests.is_empty() {
        return Err(fields.refuse(empty));
    }
    Ok(digests)
}

/// What was decided, as a record says it, with the steps of a script.
pub fn decision_to_json(decision: &Decision) -> Json {
    let mut said = tree(|to| members::decision(decision, to));
    if let (Json::Object(members), false) = (&mut said, decision.steps.is_empty()) {
        let steps = decision.steps.iter().map(|step| decision_to_json(&step.decision));
        members.push((Text::const_new("steps"), Json::Array(steps.collect())));
    }
    said
}

fn decision_from_json(fields: &Fields<'_>) -> Result<Decision, VerifyError> {
    let reason_codes = fields.list("reason_codes", |json| match json.as_str() {
        Some(code) => Ok(code.to_owned()),
        None => Err(fields.refuse("a reason code is not a name")),
    })?;
    let (approvals, approved_by) = approvals_from_json(fields)?;
    Ok(Decision {
        approvals,
        approved_by,
        verdict: verdict(fields)?,
        reason_codes,
        matched: fields.list("matched_rules", rule_from_json)?,
        targets: fields.list("targets", target_from_json)?,
        labels: labels_from_json(fields)?,
        obligations: obligation::read(fields)?,
        limits: limit::read(fields)?,
        detail: fields.optional_text("detail")?,
        steps: Vec::new(),
    })
}

/// What must be approved, and who approved: neither is there and empty.
fn approvals_from_json(fields: &Fields<'_>) -> Result<(Vec<ApprovalSpec>, Vec<String>), VerifyError> {
    let (mut approvals, mut by) = (Vec::new(), Vec::new());
    if fields.optional("approvals").is_some() {
        approvals = fields.list("approvals", approval::from_json)?;
        if approvals.is_empty() {
            return Err(fields.refuse("`approvals` does not go with the verdict"));
        }
    }
    if fields.optional("approved_by").is_some() {
        by = approval::people(fields, "approved_by")?;
        if by.is_empty() {
            return Err(fields.refuse("`approved_by` does not go with the verdict"));
        }
    }
    Ok((approvals, by))
}

fn verdict(fields: &Fields<'_>) -> Result<Verdict, VerifyError> {
    Verdict::parse(fields.text("verdict")?).ok_or_else(|| fields.refuse("`verdict` is none of the four"))
}

fn labels_from_json(fields: &Fields<'_>) -> Result<Vec<LabelFact>, VerifyError> {
    if fields.optional("labels").is_none() {
        return Ok(Vec::new());
    }
    let labels = fields.list("labels", |json| {
        let fields = Fields::open("trace labels", json, &["of", "labels", "origin"])?;
        let labels = fields.list("labels", |json| match json.as_str() {
            Some(label) => Ok(label.to_owned()),
            None => Err(fields.refuse("a label is not a name")),
        })?;
        let origin = fields.text("origin")?;
        let known = LabelOrigin::ALL.into_iter().find(|o| o.as_str() == origin);
        Ok(LabelFact {
            of: fields.text("of")?.to_owned(),
            labels,
            origin: known.ok_or_else(|| fields.refuse("`origin` is none of the five"))?,
        })
    })?;
    if labels.is_empty() {
        return Err(fields.refuse("`labels` has no element"));
    }
    Ok(labels)
}

fn state_from_json(json: &Json) -> Result<TraceState, VerifyError> {
    let fields = Fields::open("trace state", json, &["before", "after"])?;
    Ok(TraceState {
        before: fields.digest("before")?,
        after: fields.any("after")?.clone(),
    })
}

fn target_from_json(json: &Json) -> Result<Target, VerifyError> {
    let fields = Fields::open("trace target", json, &["effect", "kind", "value"])?;
    let value = fields.text("value")?.to_owned();
    Ok(Target {
        effect: fields.text("effect")?.to_owned(),
        kind: fields.text("kind")?.to_owned(),
        value,
    })
}

/// The policy a rule is part of.
pub fn scope_to_json(of: &RuleScope) -> Json {
    tree(|to| members::scope(of, to))
}

fn scope_from_json(json: &Json) -> Result<RuleScope, VerifyError> {
    let fields = Fields::open("trace scope", json, &["of", "policy"])?;
    let scope = PolicyScope::parse(fields.text("of")?);
    Ok(RuleScope {
        scope: scope.ok_or_else(|| fields.refuse("`of` is none of the scopes"))?,
        policy: fields.text("policy")?.to_owned(),
    })
}

fn rule_from_json(json: &Json) -> Result<MatchedRule, VerifyError> {
    let known = ["code", "end", "file", "hint", "name", "scope", "start", "verdict"];
    let fields = Fields::open("trace rule", json, &known)?;
    Ok(MatchedRule {
        code: fields.text("code")?.into(),
        end: position_from_json(fields.any("end")?)?,
        file: fields.text("file")?.into(),
        hint: fields.optional_text("hint")?,
        name: fields.text("name")?.into(),
        scope: fields.optional("scope").map(scope_from_json).transpose()?,
        start: position_from_json(fields.any("start")?)?,
        verdict: verdict(&fields)?,
    })
}

fn position_from_json(json: &Json) -> Result<Position, VerifyError> {
    let fields = Fields::open("trace position", json, &["column", "line"])?;
    Ok(Position {
        column: fields.small("column")?,
        line: fields.small("line")?,
    })
}
