//! What a trace says, member by member in the order of the canonical text. In: a record. Out: its members, shown to a
//! sink. It neither checks nor reads.

use super::{TraceRecord, secrets};
use crate::artifact::envelope::PayloadType;
use crate::artifact::members::Sink;
use crate::artifact::{Digest, approval, limit, obligation, time};
use crate::domain::{Decision, LabelFact, MatchedRule, RuleScope, StepDecision, Target};
use crate::json::Json;
use crate::source::Position;

/// The members of a record.
pub(super) fn record(record: &TraceRecord, to: &mut impl Sink) {
    let decision = &record.decision;
    approvals(decision, to);
    if !record.approved_with.is_empty() {
        to.texts(
            "approved_with",
            record.approved_with.iter().map(Digest::to_string),
        );
    }
    to.digest("args_digest", &record.args_digest);
    if !record.attested_with.is_empty() {
        to.objects("attested_with", &record.attested_with, |one, to| {
            to.digest("digest", &one.digest);
            to.text("kind", &one.kind);
        });
    }
    to.digest("bundle_digest", &record.bundle_digest);
    to.nullable("call_digest", record.call_digest.as_ref());
    to.optional("correlation_id", record.correlation_id.as_deref());
    to.text("created_at", &time::print(record.created_at));
    if !record.delegated_with.is_empty() {
        to.texts(
            "delegated_with",
            record.delegated_with.iter().map(Digest::to_string),
        );
    }
    if !record.denied_with.is_empty() {
        to.texts("denied_with", record.denied_with.iter().map(Digest::to_string));
    }
    to.optional("detail", decision.detail.as_deref());
    to.text("enforcement", record.enforcement.as_str());
    if let Some(facts) = &record.facts {
        to.json("facts", facts);
    }
    if !record.fulfils.is_empty() {
        to.texts("fulfils", &record.fulfils);
    }
    to.optional("identity", record.identity.as_deref());
    if let Some(intent) = &record.intent {
        to.json("intent", intent);
    }
    to.digest("intent_digest", &record.intent_digest);
    if let Some(digest) = &record.kill_switch {
        to.digest("kill_switch", digest);
    }
    found(decision, to);
    if let Some(until) = record.permit_until {
        to.text("permit_until", &time::print(until));
    }
    to.object("policy", |to| {
        to.text("name", &record.policy.name);
        to.text("profile", record.policy.profile.as_str());
        to.text("version", &record.policy.version);
    });
    to.nullable("previous", record.previous.as_ref());
    to.text("producer_version", &record.producer_version);
    to.texts("reason_codes", &decision.reason_codes);
    to.optional("request_id", record.request_id.as_deref());
    to.optional("run_id", record.run_id.as_deref());
    if !record.enforcement.binds() {
        to.json("runs", &Json::Bool(record.runs));
    }
    to.text("schema", PayloadType::Trace.schema());
    if let Some(script) = &record.script {
        let steps: Vec<_> = script.call_digests.iter().zip(&decision.steps).collect();
        to.object("script", |to| {
            to.digest("digest", &script.digest);
            to.objects("steps", &steps, |(call, one), to| step(call.as_ref(), one, to));
        });
    }
    if let Some(secrets) = &record.secrets {
        to.object("secrets", |to| secrets::members(secrets, to));
    }
    to.optional("session_id", record.session_id.as_deref());
    if let Some(state) = &record.state {
        to.object("state", |to| {
            to.json("after", &state.after);
            to.digest("before", &state.before);
        });
    }
    to.objects("targets", &decision.targets, target);
    to.text("tool", &record.tool);
    to.text("trace_id", &record.trace_id);
    to.optional("traceparent", record.traceparent.as_deref());
    to.text("verdict", decision.verdict.as_str());
}

/// A step of a script: the digest of its call, and what was decided.
fn step(call: Option<&Digest>, step: &StepDecision, to: &mut impl Sink) {
    let decision = &step.decision;
    approvals(decision, to);
    to.nullable("call_digest", call);
    to.optional("detail", decision.detail.as_deref());
    found(decision, to);
    to.texts("reason_codes", &decision.reason_codes);
    to.objects("targets", &decision.targets, target);
    to.text("tool", &step.tool);
    to.text("verdict", decision.verdict.as_str());
}

/// What was decided, without the steps of a script.
pub(super) fn decision(decision: &Decision, to: &mut impl Sink) {
    approvals(decision, to);
    to.optional("detail", decision.detail.as_deref());
    found(decision, to);
    to.texts("reason_codes", &decision.reason_codes);
    to.objects("targets", &decision.targets, target);
    to.text("verdict", decision.verdict.as_str());
}

fn approvals(decision: &Decision, to: &mut impl Sink) {
    if !decision.approvals.is_empty() {
        to.json("approvals", &approval::list(&decision.approvals));
    }
    if !decision.approved_by.is_empty() {
        to.texts("approved_by", &decision.approved_by);
    }
}

/// What was found of a call: labels, limits, rules and what they oblige to.
fn found(decision: &Decision, to: &mut impl Sink) {
    if !decision.labels.is_empty() {
        to.objects("labels", &decision.labels, labels);
    }
    if !decision.limits.is_empty() {
        to.json("limits", &limit::list(&decision.limits));
    }
    to.objects("matched_rules", &decision.matched, rule);
    if !decision.obligations.is_empty() {
        to.json("obligations", &obligation::list(&decision.obligations));
    }
}

fn labels<S: Sink>(fact: &LabelFact, to: &mut S) {
    to.texts("labels", &fact.labels);
    to.text("of", &fact.of);
    to.text("origin", fact.origin.as_str());
}

fn target<S: Sink>(target: &Target, to: &mut S) {
    to.text("effect", &target.effect);
    to.text("kind", &target.kind);
    to.text("value", &target.value);
}

fn rule<S: Sink>(rule: &MatchedRule, to: &mut S) {
    to.text("code", &rule.code);
    to.object("end", |to| position(rule.end, to));
    to.text("file", &rule.file);
    to.optional("hint", rule.hint.as_deref());
    to.text("name", &rule.name);
    if let Some(of) = &rule.scope {
        to.object("scope", |to| scope(of, to));
    }
    to.object("start", |to| position(rule.start, to));
    to.text("verdict", rule.verdict.as_str());
}

/// The policy a rule is part of.
pub(super) fn scope(of: &RuleScope, to: &mut impl Sink) {
    to.text("of", of.scope.as_str());
    to.text("policy", &of.policy);
}

fn position(at: Position, to: &mut impl Sink) {
    to.number("column", at.column.into());
    to.number("line", at.line.into());
}
