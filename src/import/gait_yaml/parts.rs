//! The parts of one rule on one tool: what it says of every call it matches, and each block beside `match` that raises
//! it. In: a rule and a tool. Out: conditions, verdicts, codes, and why a part is stricter than the Go system where it
//! is. It knows no other rule.

use super::cond::{Cond, and, not};
use super::constraint;
use super::declare::{self, BROKER_CREDENTIAL, CONTEXT_EVIDENCE, DELEGATION_VERIFIED, known};
use super::matching::condition;
use super::model::{Freeze, Rule};
use super::target::{Use, all_targets, class, no_targets};
use super::tools::Tool;
use super::window;
use crate::domain::Verdict;

/// A part.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What is put after the name of the rule; nothing for the rule itself.
    pub(super) suffix: &'static str,
    /// What it says.
    pub(super) verdict: Verdict,
    /// The reason it gives.
    pub(super) code: String,
    /// When it says so.
    pub(super) when: Cond,
    /// Names of the reasons why it speaks where the Go system does not.
    pub(super) stricter: Vec<&'static str>,
}

/// The code of a rule.
pub(super) fn code(rule: &Rule) -> String {
    match rule.reason_codes.first() {
        Some(code) => code.clone(),
        None => format!(
            "matched_rule_{}",
            rule.name.to_lowercase().replace([' ', '-'], "_")
        ),
    }
}

/// The parts of a rule on a tool, those that can never speak left out.
pub(super) fn parts(rule: &Rule, tool: &Tool) -> Vec<Part> {
    let matched = condition(&rule.matches, tool, Use::Tighten);
    if matched == Cond::Const(false) {
        return Vec::new();
    }
    let own = match rule.effect {
        Verdict::Allow => condition(&rule.matches, tool, Use::Loosen),
        _ => matched.clone(),
    };
    let mut parts = vec![Part {
        suffix: "",
        verdict: rule.effect,
        code: code(rule),
        when: own,
        stricter: Vec::new(),
    }];
    for raise in raises(rule, tool) {
        if raise.verdict > rule.effect {
            parts.push(Part {
                when: and([matched.clone(), raise.when]),
                ..raise
            });
        }
    }
    let mut kept: Vec<Part> = Vec::new();
    for part in parts {
        let said = |other: &Part| other.when == part.when && other.verdict >= part.verdict;
        if part.when != Cond::Const(false) && !kept.iter().any(said) {
            kept.push(part);
        }
    }
    kept
}

/// What raises the verdict of a matched call; the conditions leave out the match.
fn raises(rule: &Rule, tool: &Tool) -> Vec<Part> {
    let mut out = Vec::new();
    endpoint(rule, tool, &mut out);
    if let Some(asked) = &rule.dataflow {
        out.push(part(
            "tainted",
            asked.action,
            &asked.code,
            constraint::dataflow(asked),
        ));
    }
    let block = Verdict::Block;
    if rule.evidence.is_some() {
        let missing = not(known(CONTEXT_EVIDENCE));
        out.push(
            part("evidence", block, "context_evidence_missing", missing).stricter(&["context_evidence"]),
        );
    }
    if let Some(asked) = &rule.agent {
        let reasons: &[&'static str] = if asked.unexpired { &["agent_expiry"] } else { &[] };
        out.push(part("agent", block, "agent_not_declared", constraint::agent(asked)).stricter(reasons));
    }
    if let Some(asked) = &rule.credential {
        let wrong = constraint::credential(asked);
        out.push(
            part("credential", block, "credential_not_allowed", wrong).stricter(&["credential_binding"]),
        );
    }
    if let Some(asked) = &rule.freeze {
        out.push(freeze(rule, asked));
    }
    if let Some(asked) = &rule.sandbox {
        let wrong = not(constraint::sandboxed(asked));
        let reasons: &[&'static str] = if asked.read_only.is_empty() {
            &["sandbox_evidence"]
        } else {
            &["read_only_roots", "sandbox_evidence"]
        };
        out.push(part("sandbox", block, "sandbox_not_allowed", wrong).stricter(reasons));
    }
    phase(rule, tool, &mut out);
    if rule.broker.as_ref().is_some_and(|broker| broker.required) {
        let missing = not(known(BROKER_CREDENTIAL));
        out.push(
            part("broker", block, "broker_credential_missing", missing).stricter(&["broker_credential"]),
        );
    }
    if rule.matches.delegation.is_some() {
        let missing = not(known(DELEGATION_VERIFIED));
        out.push(
            part("delegation", block, "delegation_not_granted", missing).stricter(&["delegation_verified"]),
        );
    }
    out
}

fn endpoint(rule: &Rule, tool: &Tool, out: &mut Vec<Part>) {
    let Some(asked) = &rule.endpoint else { return };
    let plain = part(
        "endpoint",
        asked.action,
        &asked.code,
        constraint::endpoint(asked, tool),
    );
    out.push(plain.stricter(&["plain_targets"]));
    if !asked.path_allow.is_empty() || !asked.domain_allow.is_empty() {
        let none = part("no_targets", asked.action, &asked.code, no_targets());
        out.push(none.stricter(&["no_targets"]));
    }
    // A destructive target is a mistake like any other, so it also asks for what those ask for.
    if let Some(action) = asked.destructive.map(|action| action.max(asked.action)) {
        let destructive = part("destructive", action, &asked.code, constraint::destructive(tool));
        out.push(destructive.stricter(alarm(tool)));
    }
}

/// A freeze; one that cannot be read blocks, as there.
fn freeze(rule: &Rule, asked: &Freeze) -> Part {
    let when = constraint::freeze(asked, &window_name(rule));
    match window::window(asked) {
        None => part("freeze", Verdict::Block, "freeze_window_invalid", when),
        Some(window) => {
            let code = format!("freeze_window_active_{}", asked.effect);
            let reasons: &[&'static str] = if window.widened { &["freeze_window"] } else { &[] };
            part("freeze", asked.effect, &code, when).stricter(reasons)
        }
    }
}

/// The name of a rule's window; the number of the line keeps those of rules of one name apart.
pub(super) fn window_name(rule: &Rule) -> String {
    format!("freeze_{}_{}", rule.at.line, rule.at.column)
}

/// Destructive targets are only planned in the phase `plan`, and need an approval in the phase `apply`; a sandbox that
/// is as it should be makes up for programs that are run.
fn phase(rule: &Rule, tool: &Tool, out: &mut Vec<Part>) {
    let said_already = rule
        .endpoint
        .as_ref()
        .is_some_and(|asked| asked.destructive.is_some());
    if said_already {
        return;
    }
    let waived = rule.sandbox.as_ref().map(|asked| {
        let runs = class(&["proc.exec".to_owned()].into(), tool, Use::Loosen);
        not(and([constraint::sandboxed(asked), all_targets(runs)]))
    });
    let destructive = and(std::iter::once(constraint::destructive(tool)).chain(waived));
    let planned = declare::planned();
    let plan = and([destructive.clone(), planned.clone()]);
    let apply = and([destructive, not(planned)]);
    for (suffix, verdict, code, when) in [
        ("plan", Verdict::DryRun, "plan_phase_non_destructive", plan),
        (
            "apply",
            Verdict::RequireApproval,
            "destructive_apply_requires_approval",
            apply,
        ),
    ] {
        out.push(part(suffix, verdict, code, when).stricter(alarm(tool)));
    }
}

fn alarm(tool: &Tool) -> &'static [&'static str] {
    if tool.alarms() {
        &["destructive_names"]
    } else {
        &[]
    }
}

fn part(suffix: &'static str, verdict: Verdict, code: &str, when: Cond) -> Part {
    Part {
        suffix,
        verdict,
        code: code.to_owned(),
        when,
        stricter: Vec::new(),
    }
}

impl Part {
    fn stricter(self, reasons: &[&'static str]) -> Part {
        Part {
            stricter: reasons.to_vec(),
            ..self
        }
    }
}
