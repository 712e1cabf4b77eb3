//! From matched rows to a decision people can read: rules with their places, reason codes, and the targets the tool's
//! declaration computes from the arguments.

use super::{Outcome, approval, obligation, redact};
use crate::domain::{ApprovalSpec, Decision, MatchedRule, Obligation, Target, Verdict, reserved};
use crate::hir::TargetSource;
use crate::hir::answer::{View, elements, view};
use crate::ir::{Program, RuleInfo, ToolProgram};
use crate::json::Text;
use crate::ty::Ty;
use crate::value::Value;

/// The decision of an outcome.
pub fn explain(program: &Program, tool: &ToolProgram, args: &Value, outcome: &Outcome<'_>) -> Decision {
    let mut numbers: Vec<u32> = matching(outcome.rows)
        .filter_map(|row| tool.rows.get(row).copied())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let rules: Vec<&RuleInfo> = numbers
        .iter()
        .filter_map(|n| program.rules.get(*n as usize))
        .collect();
    let mut reason_codes: Vec<String> = rules
        .iter()
        .filter(|r| r.verdict == outcome.verdict)
        .map(|r| r.code.clone())
        .collect();
    let by_default = outcome.by_default && program.default.0 == outcome.verdict;
    if by_default {
        reason_codes.push(program.default.1.clone());
    }
    reason_codes.sort();
    reason_codes.dedup();
    let approvals = approvals(program, outcome.verdict, &rules);
    let is_loosened = obligation::is_loosened(program, rules.iter().copied());
    let joined = obligation::of_matched(program, tool, &rules, is_loosened);
    let matched = rules.into_iter().map(|rule| matched(program, rule)).collect();
    let decision = Decision {
        targets: targets(tool, args, &joined.obligations),
        obligations: joined.obligations,
        labels: Vec::new(),
        approvals,
        approved_by: Vec::new(),
        limits: Vec::new(),
        verdict: outcome.verdict,
        reason_codes,
        matched,
        detail: None,
        steps: Vec::new(),
    };
    match joined.conflict {
        None => decision,
        Some(name) => {
            let detail = format!("rules that match oblige `{name}` with values that cannot be joined");
            decision.refused(reserved::OBLIGATION_CONFLICT, detail)
        }
    }
}

/// The rows that are set, ascending.
fn matching(rows: &[u64]) -> impl Iterator<Item = usize> {
    rows.iter().enumerate().flat_map(|(at, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let lowest = left
                .checked_sub(1)
                .map(|below| (left.trailing_zeros() as usize, left & below))?;
            left = lowest.1;
            Some(at * 64 + lowest.0)
        })
    })
}

/// What must be approved, where the verdict is to ask for it. A default that asks asks anybody.
fn approvals(program: &Program, verdict: Verdict, rules: &[&RuleInfo]) -> Vec<ApprovalSpec> {
    if verdict != Verdict::RequireApproval {
        return Vec::new();
    }
    let spec = |spec: &u32| program.approvals.get(*spec as usize).cloned();
    let asked = rules.iter().flat_map(|rule| &rule.approvals);
    let asked = approval::conjunction(asked.filter_map(spec));
    if asked.is_empty() {
        vec![ApprovalSpec::default()]
    } else {
        asked
    }
}

fn matched(program: &Program, rule: &RuleInfo) -> MatchedRule {
    MatchedRule {
        name: Text::new(&rule.name),
        verdict: rule.verdict,
        code: Text::new(&rule.code),
        scope: rule.scope.clone(),
        file: program
            .files
            .get(rule.file as usize)
            .map(Text::new)
            .unwrap_or_default(),
        start: rule.start,
        end: rule.end,
        hint: rule.hint.clone(),
    }
}

/// The targets of a call, as they may be kept.
fn targets(tool: &ToolProgram, args: &Value, obligations: &[Obligation]) -> Vec<Target> {
    let mut targets: Vec<Target> = found(tool, args)
        .map(|(source, target)| Target {
            value: redact::target(target.value, source, &tool.args, obligations),
            ..target
        })
        .collect();
    targets.sort();
    targets.dedup();
    targets
}

/// The targets of a call, whatever rules redact.
pub fn all_targets(tool: &ToolProgram, args: &Value) -> Vec<Target> {
    found(tool, args).map(|(_, target)| target).collect()
}

fn found<'t>(tool: &'t ToolProgram, args: &'t Value) -> impl Iterator<Item = (&'t TargetSource, Target)> {
    tool.targets.iter().flat_map(move |source| {
        let holders = match &source.list {
            Some(list) => elements(args, list),
            None => std::slice::from_ref(args),
        };
        let found = holders.iter().filter_map(move |holder| target(source, holder));
        found.map(move |target| (source, target))
    })
}

fn target(source: &TargetSource, holder: &Value) -> Option<Target> {
    let value = match (view(holder, &source.steps), &source.ty) {
        (View::Text(text), _) => text.to_owned(),
        (View::Member(m), Ty::Enum { members, .. }) => members.get(m as usize)?.clone(),
        _ => return None,
    };
    Some(Target {
        effect: source.effect.clone(),
        kind: source.kind.as_str().to_owned(),
        value,
    })
}
