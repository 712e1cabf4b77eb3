//! Traces: the signed record of one decision. In: the decision and the digests of what it was made from. Out:
//! envelope bytes, and back. No trace, no allow; it records and never judges.

mod script;

pub use script::TraceScript;

use jiff::Timestamp;

use super::approval;
use super::digest::Digest;
use super::envelope::{self, Payload, PayloadType, Signed, TrustedKeys, Verified};
use super::fields::{Fields, number};
use super::key::SigningKey;
use super::manifest::check_digest;
use super::{BuildError, VerifyError, jcs, limit, obligation, time};
use crate::domain::{
    Approval, ApprovalSpec, Decision, LabelFact, LabelOrigin, MatchedRule, PolicyScope, Profile, RuleScope,
    Target, Verdict,
};
use crate::json::{Json, Text};
use crate::limits;
use crate::source::Position;

/// The only enforcement level that exists: the verdict was binding.
const ENFORCEMENT: &str = "enforce";

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
    /// The caller's correlation id.
    pub correlation_id: Option<String>,
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
    /// What the host knew of the call, an object with a member per fact; none where it knew nothing.
    pub facts: Option<Json>,
    /// What the runtime promised to fulfil of what a decision obliges to; sorted, distinct.
    pub fulfils: Vec<String>,
    /// The digests of the approvals that let the call run; sorted, distinct.
    pub approved_with: Vec<Digest>,
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

    /// The approvals of the people that it names, which counted at its time.
    pub fn approved(&self) -> Vec<Approval> {
        let at = i128::from(self.created_at.as_millisecond());
        let people = self.decision.approved_by.iter();
        people.map(|by| Approval::just_given(by, at)).collect()
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

/// Every member of the document, in the order in which they are written.
const MEMBERS: [&str; 35] = [
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
    "previous",
    "correlation_id",
    "session_id",
    "run_id",
    "request_id",
    "identity",
    "intent",
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
    "kill_switch",
    "permit_until",
    "state",
];

impl Payload for TraceRecord {
    const TYPE: PayloadType = PayloadType::Trace;

    fn to_json(&self) -> Json {
        let nullable = |digest: &Option<Digest>| digest.map_or(Json::Null, |digest| digest.to_json());
        let policy = [
            ("name", Json::str(&self.policy.name)),
            ("version", Json::str(&self.policy.version)),
            ("profile", Json::str(self.policy.profile.as_str())),
        ];
        let mut members = Vec::with_capacity(MEMBERS.len());
        members.extend([
            ("schema", Json::str(PayloadType::Trace.schema())),
            ("trace_id", Json::str(&self.trace_id)),
            ("created_at", Json::str(time::print(self.created_at))),
            ("producer_version", Json::str(&self.producer_version)),
            ("bundle_digest", self.bundle_digest.to_json()),
            ("policy", Json::record(policy)),
            ("intent_digest", self.intent_digest.to_json()),
            ("args_digest", self.args_digest.to_json()),
            ("call_digest", nullable(&self.call_digest)),
            ("tool", Json::str(&self.tool)),
            ("enforcement", Json::str(ENFORCEMENT)),
            ("previous", nullable(&self.previous)),
        ]);
        let optional = [
            ("correlation_id", &self.correlation_id),
            ("session_id", &self.session_id),
            ("run_id", &self.run_id),
            ("request_id", &self.request_id),
            ("identity", &self.identity),
        ];
        members.extend(
            optional
                .into_iter()
                .filter_map(|(key, text)| Some((key, Json::str(text.as_ref()?)))),
        );
        members.extend(self.intent.clone().map(|intent| ("intent", intent)));
        members.extend(self.facts.clone().map(|facts| ("facts", facts)));
        members.extend(decision_members(&self.decision));
        let script = self.script.as_ref();
        members.extend(script.map(|script| ("script", script.to_json(&self.decision.steps))));
        if !self.fulfils.is_empty() {
            let fulfils = self.fulfils.iter().map(Json::str).collect();
            members.push(("fulfils", Json::Array(fulfils)));
        }
        if !self.approved_with.is_empty() {
            let with = self.approved_with.iter().map(Digest::to_json).collect();
            members.push(("approved_with", Json::Array(with)));
        }
        members.extend(self.kill_switch.map(|digest| ("kill_switch", digest.to_json())));
        let until = self.permit_until.map(|until| Json::str(time::print(until)));
        members.extend(until.map(|until| ("permit_until", until)));
        members.extend(self.state.as_ref().map(|state| {
            let both = [("before", state.before.to_json()), ("after", state.after.clone())];
            ("state", Json::object(both))
        }));
        Json::record(members)
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("trace", json, &MEMBERS)?;
        fields.constant("schema", PayloadType::Trace.schema())?;
        fields.constant("enforcement", ENFORCEMENT)?;
        let policy = Fields::open(
            "trace policy",
            fields.any("policy")?,
            &["name", "version", "profile"],
        )?;
        let mut decision = decision_from_json(&fields)?;
        let script = script::from_json(&fields, &mut decision)?;
        let approved_with = approved_with(&fields, &decision)?;
        let record = TraceRecord {
            script,
            trace_id: fields.id("trace_id")?,
            created_at: fields.instant("created_at")?,
            producer_version: fields.name("producer_version")?,
            bundle_digest: fields.digest("bundle_digest")?,
            policy: PolicyRef {
                name: policy.name("name")?,
                version: policy.text("version")?.to_owned(),
                profile: Profile::parse(policy.text("profile")?)
                    .ok_or_else(|| policy.refuse("`profile` is none of a policy"))?,
            },
            intent_digest: fields.digest("intent_digest")?,
            args_digest: fields.digest("args_digest")?,
            call_digest: fields.digest_or_null("call_digest")?,
            tool: fields.text("tool")?.to_owned(),
            decision,
            correlation_id: fields.optional_text("correlation_id")?,
            session_id: fields.optional_text("session_id")?,
            run_id: fields
                .optional("run_id")
                .map(|_| fields.id("run_id"))
                .transpose()?,
            request_id: fields.optional_text("request_id")?,
            identity: fields.optional_text("identity")?,
            intent: fields.optional("intent").cloned(),
            facts: facts(&fields)?,
            fulfils: fulfils(&fields)?,
            approved_with,
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
        check_intent(&fields, &record)?;
        check_permit(&fields, &record)?;
        Ok(record)
    }
}

fn facts(fields: &Fields<'_>) -> Result<Option<Json>, VerifyError> {
    match fields.optional("facts") {
        Some(Json::Object(members)) if members.is_empty() => Err(fields.refuse("`facts` has no member")),
        Some(Json::Object(_)) | None => Ok(fields.optional("facts").cloned()),
        Some(_) => Err(fields.refuse("`facts` is not an object")),
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

/// The approvals that counted; there is none without people who approved.
fn approved_with(fields: &Fields<'_>, decision: &Decision) -> Result<Vec<Digest>, VerifyError> {
    if fields.optional("approved_with").is_none() {
        return Ok(Vec::new());
    }
    let digests = fields.list("approved_with", |json| {
        let digest = json.as_str().and_then(Digest::parse);
        digest.ok_or_else(|| fields.refuse("`approved_with` has one that is no digest"))
    })?;
    fields.sorted("approved_with", &digests)?;
    if digests.is_empty() || decision.approved_by.is_empty() {
        return Err(fields.refuse("`approved_with` does not go with `approved_by`"));
    }
    Ok(digests)
}

/// A record must not contradict the intent it carries: digests of the whole and of the arguments, and the tool.
fn check_intent(fields: &Fields<'_>, record: &TraceRecord) -> Result<(), VerifyError> {
    let Some(intent) = &record.intent else {
        return Ok(());
    };
    let name = format!("intent of {}", record.trace_id);
    check_digest(&name, record.intent_digest, &jcs::to_vec(intent))?;
    if let Some(args) = intent.get("args") {
        let name = format!("arguments of {}", record.trace_id);
        check_digest(&name, record.args_digest, &jcs::to_vec(args))?;
    }
    script::check(fields, record.script.as_ref(), intent.get("script"))?;
    match intent.get("tool_name") {
        Some(tool) if tool.as_str() != Some(&record.tool) => {
            Err(fields.refuse("`tool` is not the tool of the intent"))
        }
        _ => Ok(()),
    }
}

/// Only what is allowed and named may run, and only for a while.
fn check_permit(fields: &Fields<'_>, record: &TraceRecord) -> Result<(), VerifyError> {
    let Some(until) = record.permit_until else {
        return Ok(());
    };
    let millis = until
        .as_millisecond()
        .saturating_sub(record.created_at.as_millisecond());
    let is_named = record.calls().iter().all(Option::is_some);
    let is_short = (1..=limits::PERMIT_MILLIS).contains(&i128::from(millis));
    if record.decision.verdict == Verdict::Allow && is_named && is_short {
        return Ok(());
    }
    Err(fields.refuse("`permit_until` does not go with what was decided, and when"))
}

/// What was decided, as a record says it, with the steps of a script.
pub fn decision_to_json(decision: &Decision) -> Json {
    let mut members = decision_members(decision);
    if !decision.steps.is_empty() {
        let steps = decision.steps.iter().map(|step| decision_to_json(&step.decision));
        members.push(("steps", Json::Array(steps.collect())));
    }
    Json::record(members)
}

/// The members of a record, or of a step, that say what was decided.
fn decision_members(decision: &Decision) -> Vec<(&'static str, Json)> {
    let texts = |texts: &[String]| Json::Array(texts.iter().map(Json::str).collect());
    let mut members = vec![
        ("verdict", Json::str(decision.verdict.as_str())),
        ("reason_codes", texts(&decision.reason_codes)),
        (
            "matched_rules",
            Json::Array(decision.matched.iter().map(rule_to_json).collect()),
        ),
        (
            "targets",
            Json::Array(decision.targets.iter().map(target_to_json).collect()),
        ),
    ];
    members.extend(
        decision
            .detail
            .as_ref()
            .map(|detail| ("detail", Json::str(detail))),
    );
    if !decision.labels.is_empty() {
        let labels = decision.labels.iter().map(labels_to_json).collect();
        members.push(("labels", Json::Array(labels)));
    }
    if !decision.approvals.is_empty() {
        members.push(("approvals", approval::list(&decision.approvals)));
    }
    if !decision.approved_by.is_empty() {
        members.push(("approved_by", texts(&decision.approved_by)));
    }
    if !decision.limits.is_empty() {
        members.push(("limits", limit::list(&decision.limits)));
    }
    if !decision.obligations.is_empty() {
        members.push(("obligations", obligation::list(&decision.obligations)));
    }
    members
}

fn decision_from_json(fields: &Fields<'_>) -> Result<Decision, VerifyError> {
    let reason_codes = fields.list("reason_codes", |json| match json.as_str() {
        Some(code) if !code.is_empty() => Ok(code.to_owned()),
        _ => Err(fields.refuse("a reason code is not a name")),
    })?;
    fields.sorted("reason_codes", &reason_codes)?;
    let targets = fields.list("targets", target_from_json)?;
    fields.sorted("targets", &targets)?;
    let verdict = verdict(fields)?;
    let (approvals, approved_by) = approvals_from_json(fields, verdict)?;
    Ok(Decision {
        approvals,
        approved_by,
        verdict,
        reason_codes,
        matched: fields.list("matched_rules", rule_from_json)?,
        targets,
        labels: labels_from_json(fields)?,
        obligations: obligation::read(fields)?,
        limits: limit::read(fields)?,
        detail: fields.optional_text("detail")?,
        steps: Vec::new(),
    })
}

/// What must be approved, and who approved: neither is there without the verdict it belongs to, or empty.
fn approvals_from_json(
    fields: &Fields<'_>,
    verdict: Verdict,
) -> Result<(Vec<ApprovalSpec>, Vec<String>), VerifyError> {
    let (mut approvals, mut by) = (Vec::new(), Vec::new());
    if fields.optional("approvals").is_some() {
        approvals = fields.list("approvals", approval::from_json)?;
        fields.sorted("approvals", &approvals)?;
        if approvals.is_empty() || verdict != Verdict::RequireApproval {
            return Err(fields.refuse("`approvals` does not go with the verdict"));
        }
    }
    if fields.optional("approved_by").is_some() {
        by = approval::people(fields, "approved_by")?;
        if by.is_empty() || verdict > Verdict::DryRun {
            return Err(fields.refuse("`approved_by` does not go with the verdict"));
        }
    }
    Ok((approvals, by))
}

fn verdict(fields: &Fields<'_>) -> Result<Verdict, VerifyError> {
    Verdict::parse(fields.text("verdict")?).ok_or_else(|| fields.refuse("`verdict` is none of the four"))
}

fn labels_to_json(fact: &LabelFact) -> Json {
    Json::record([
        ("of", Json::str(&fact.of)),
        ("labels", Json::Array(fact.labels.iter().map(Json::str).collect())),
        ("origin", Json::str(fact.origin.as_str())),
    ])
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
        fields.sorted("labels", &labels)?;
        let origin = fields.text("origin")?;
        let known = LabelOrigin::ALL.into_iter().find(|o| o.as_str() == origin);
        Ok(LabelFact {
            of: fields.name("of")?,
            labels,
            origin: known.ok_or_else(|| fields.refuse("`origin` is none of the four"))?,
        })
    })?;
    fields.sorted("labels", &labels)?;
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

fn target_to_json(target: &Target) -> Json {
    Json::record([
        ("effect", Json::str(&target.effect)),
        ("kind", Json::str(&target.kind)),
        ("value", Json::str(&target.value)),
    ])
}

fn target_from_json(json: &Json) -> Result<Target, VerifyError> {
    let fields = Fields::open("trace target", json, &["effect", "kind", "value"])?;
    let value = fields.text("value")?.to_owned();
    Ok(Target {
        effect: fields.name("effect")?,
        kind: fields.name("kind")?,
        value,
    })
}

fn rule_to_json(rule: &MatchedRule) -> Json {
    // In the order of the canonical text.
    let mut members = Vec::with_capacity(8);
    let mut add = |name, value| members.push((Text::const_new(name), value));
    add("code", Json::String(rule.code.clone()));
    add("end", position_to_json(rule.end));
    add("file", Json::String(rule.file.clone()));
    if let Some(hint) = &rule.hint {
        add("hint", Json::str(hint));
    }
    add("name", Json::String(rule.name.clone()));
    if let Some(of) = &rule.scope {
        add("scope", scope_to_json(of));
    }
    add("start", position_to_json(rule.start));
    add("verdict", Json::str(rule.verdict.as_str()));
    Json::Object(members)
}

/// The policy a rule is part of.
pub fn scope_to_json(of: &RuleScope) -> Json {
    Json::object([
        ("of", Json::str(of.scope.as_str())),
        ("policy", Json::str(&of.policy)),
    ])
}

fn scope_from_json(json: &Json) -> Result<RuleScope, VerifyError> {
    let fields = Fields::open("trace scope", json, &["of", "policy"])?;
    let scope = PolicyScope::parse(fields.text("of")?);
    Ok(RuleScope {
        scope: scope.ok_or_else(|| fields.refuse("`of` is none of the scopes"))?,
        policy: fields.name("policy")?,
    })
}

fn rule_from_json(json: &Json) -> Result<MatchedRule, VerifyError> {
    let known = ["code", "end", "file", "hint", "name", "scope", "start", "verdict"];
    let fields = Fields::open("trace rule", json, &known)?;
    Ok(MatchedRule {
        code: fields.named("code")?.into(),
        end: position_from_json(fields.any("end")?)?,
        file: fields.text("file")?.into(),
        hint: fields.optional_text("hint")?,
        name: fields.named("name")?.into(),
        scope: fields.optional("scope").map(scope_from_json).transpose()?,
        start: position_from_json(fields.any("start")?)?,
        verdict: verdict(&fields)?,
    })
}

fn position_to_json(at: Position) -> Json {
    Json::record([
        ("column", number(at.column.into())),
        ("line", number(at.line.into())),
    ])
}

fn position_from_json(json: &Json) -> Result<Position, VerifyError> {
    let fields = Fields::open("trace position", json, &["column", "line"])?;
    Ok(Position {
        column: fields.small("column")?,
        line: fields.small("line")?,
    })
}
