//! What has to hold of a record beside the kinds of its members: ids, names, orders, and that no part contradicts another.
//! In: a record that is about to be signed, or was just read. Out: nothing, or the first thing that is wrong. So whatever is
//! signed can be read back, without reading it.

use super::{TraceRecord, TraceScript, secrets};
use crate::artifact::fields::{id, named, refuse, sorted};
use crate::artifact::manifest::check_digest;
use crate::artifact::{StatementRef, VerifyError, approval, digest, jcs, limit, obligation, time};
use crate::domain::intent::SCRIPT;
use crate::domain::traceparent::is_traceparent;
use crate::domain::{Decision, LabelFact, MatchedRule, StepDecision, Target, Verdict, reserved};
use crate::json::Json;
use crate::limits;
use jiff::Timestamp;

type Checked = Result<(), VerifyError>;

/// Checks a record.
pub(super) fn record(record: &TraceRecord) -> Checked {
    let TraceRecord { decision, .. } = record;
    self::decision(decision)?;
    script(record)?;
    id("trace", "trace_id", &record.trace_id)?;
    let run = record.run_id.as_deref();
    run.map_or(Ok(()), |run| id("trace", "run_id", run))?;
    instant("created_at", record.created_at)?;
    named("trace", "producer_version", &record.producer_version)?;
    named("trace policy", "name", &record.policy.name)?;
    match &record.facts {
        Some(Json::Object(members)) if members.is_empty() => {
            return Err(refuse("trace", "`facts` has no member"));
        }
        Some(Json::Object(_)) | None => {}
        Some(_) => return Err(refuse("trace", "`facts` is not an object")),
    }
    approval::check_people("trace", "fulfils", &record.fulfils)?;
    sorted("trace", "approved_with", &record.approved_with)?;
    if !record.approved_with.is_empty() && decision.approved_by.is_empty() {
        return Err(refuse("trace", "`approved_with` does not go with `approved_by`"));
    }
    sorted("trace", "denied_with", &record.denied_with)?;
    if record.delegated_with.len() > limits::DELEGATIONS as usize {
        return Err(refuse("trace", "`delegated_with` has too many"));
    }
    StatementRef::check(&record.attested_with)?;
    let is_fact = |one: &StatementRef| {
        record
            .facts
            .as_ref()
            .is_some_and(|facts| facts.get(&one.kind).is_some())
    };
    if !record.attested_with.iter().all(is_fact) {
        return Err(refuse("trace", "`attested_with` does not go with `facts`"));
    }
    let is_denied = decision.reason_codes.iter().any(|code| code == reserved::DENIED);
    if is_denied == record.denied_with.is_empty() || is_denied && decision.verdict != Verdict::Block {
        return Err(refuse("trace", "`denied_with` does not go with what was decided"));
    }
    if record
        .traceparent
        .as_deref()
        .is_some_and(|text| !is_traceparent(text))
    {
        return Err(refuse("trace", "`traceparent` is none of W3C Trace Context"));
    }
    record.secrets.as_ref().map_or(Ok(()), secrets::check)?;
    runs(record)?;
    permit(record)?;
    intent(record)
}

/// What is enforced runs where it is allowed; what is not runs where it is, too, and never where somebody has stopped it.
fn runs(record: &TraceRecord) -> Checked {
    let TraceRecord { decision, runs, .. } = record;
    let is_allowed = decision.verdict == Verdict::Allow;
    let fits = match record.enforcement.binds() {
        true => *runs == is_allowed,
        false if is_allowed => *runs,
        false => !(*runs && decision.is_stopped()),
    };
    if fits {
        return Ok(());
    }
    Err(refuse("trace", "`runs` does not go with what was decided"))
}

/// A time that can be written.
fn instant(key: &str, at: Timestamp) -> Checked {
    if time::print(at).len() == time::BYTES {
        return Ok(());
    }
    let reason = format!("`{key}` is not RFC 3339 in UTC with milliseconds");
    Err(refuse("trace", reason))
}

/// Only what is allowed and named may run, and only for a while.
fn permit(record: &TraceRecord) -> Checked {
    let Some(until) = record.permit_until else {
        return Ok(());
    };
    instant("permit_until", until)?;
    let millis = until
        .as_millisecond()
        .saturating_sub(record.created_at.as_millisecond());
    let is_named = record.calls().iter().all(Option::is_some);
    let is_short = (1..=limits::PERMIT_MILLIS).contains(&i128::from(millis));
    if record.runs && record.enforcement.binds() && is_named && is_short {
        return Ok(());
    }
    Err(refuse(
        "trace",
        "`permit_until` does not go with what was decided, and when",
    ))
}

/// What was decided: of the call, or of a step.
fn decision(decision: &Decision) -> Checked {
    if decision.reason_codes.iter().any(String::is_empty) {
        return Err(refuse("trace", "a reason code is not a name"));
    }
    sorted("trace", "reason_codes", &decision.reason_codes)?;
    decision.targets.iter().try_for_each(target)?;
    sorted("trace", "targets", &decision.targets)?;
    decision.matched.iter().try_for_each(rule)?;
    decision.labels.iter().try_for_each(labels)?;
    sorted("trace", "labels", &decision.labels)?;
    decision.approvals.iter().try_for_each(approval::check)?;
    sorted("trace", "approvals", &decision.approvals)?;
    if !decision.approvals.is_empty() && decision.verdict != Verdict::RequireApproval {
        return Err(refuse("trace", "`approvals` does not go with the verdict"));
    }
    approval::check_people("trace", "approved_by", &decision.approved_by)?;
    if !decision.approved_by.is_empty() && decision.verdict > Verdict::DryRun {
        return Err(refuse("trace", "`approved_by` does not go with the verdict"));
    }
    obligation::check(&decision.obligations)?;
    limit::check(&decision.limits)
}

fn target(target: &Target) -> Checked {
    named("trace target", "effect", &target.effect)?;
    named("trace target", "kind", &target.kind)
}

fn rule(rule: &MatchedRule) -> Checked {
    named("trace rule", "code", &rule.code)?;
    named("trace rule", "name", &rule.name)?;
    let scope = rule.scope.as_ref();
    scope.map_or(Ok(()), |of| named("trace scope", "policy", &of.policy))
}

fn labels(fact: &LabelFact) -> Checked {
    sorted("trace labels", "labels", &fact.labels)?;
    named("trace labels", "of", &fact.of)
}

/// What people approved may run although a step asked for them, and no step is stricter for another reason.
fn script(record: &TraceRecord) -> Checked {
    let (Some(script), decision) = (&record.script, &record.decision) else {
        return Ok(());
    };
    if record.tool != SCRIPT {
        let found = record.tool.escape_debug();
        return Err(refuse("trace", format!("`tool` is `{found}`, not `{SCRIPT}`")));
    }
    if decision.steps.is_empty() || decision.steps.len() > limits::SCRIPT_STEPS {
        return Err(refuse("trace script", "`steps` has none, or too many"));
    }
    if decision.steps.len() != script.call_digests.len() {
        return Err(refuse("trace script", "`steps` are not those of the decision"));
    }
    for step in &decision.steps {
        self::decision(&step.decision)?;
        if !step.decision.approved_by.is_empty() {
            return Err(refuse("trace step", "unknown member `approved_by`"));
        }
    }
    let asking = |step: &&StepDecision| step.decision.verdict == Verdict::RequireApproval;
    let steps = decision.steps.iter();
    let others = steps.filter(|step| decision.approved_by.is_empty() || !asking(step));
    let strictest = others.map(|step| step.decision.verdict).max();
    if Some(decision.verdict) < strictest {
        return Err(refuse("trace script", "a step is stricter than the script"));
    }
    Ok(())
}

/// A record must not contradict the intent it carries: digests of the whole and of the arguments, the script, and the tool.
fn intent(record: &TraceRecord) -> Checked {
    let Some(intent) = &record.intent else {
        return Ok(());
    };
    let name = format!("intent of {}", record.trace_id);
    check_digest(&name, record.intent_digest, &jcs::to_vec(intent))?;
    if let Some(args) = intent.get("args") {
        let name = format!("arguments of {}", record.trace_id);
        check_digest(&name, record.args_digest, &jcs::to_vec(args))?;
    }
    let asked = intent.get("script").map(digest::of_json);
    if record.script.as_ref().map(|TraceScript { digest, .. }| *digest) != asked {
        return Err(refuse("trace", "`script` is not the script of the intent"));
    }
    match intent.get("tool_name") {
        Some(tool) if tool.as_str() != Some(&record.tool) => {
            Err(refuse("trace", "`tool` is not the tool of the intent"))
        }
        _ => Ok(()),
    }
}
