//! Scripts: several calls in one request, each judged as a call of its own, in the session that those before it may have
//! come to. In: a gate and a request with steps. Out: one decision, as strict as its strictest step. Nobody knows yet
//! which steps will succeed, so each is judged after every way in which the earlier ones may come out.

use super::decide::{self, Gate, Judged};
use super::labels;
use super::limit;
use crate::domain::intent::CLAIMED_DIGESTS;
use crate::domain::{
    ArgumentOrigin, Charge, Decision, MatchedRule, Request, ScriptStep, State, StepDecision, Usage, Verdict,
    reserved,
};
use crate::eval::{Workspace, approval, obligation};
use crate::ir::{Program, RuleInfo};
use crate::json::Json;
use crate::limits;
use std::collections::BTreeMap;

/// One step as it was judged: in the session in which its decision is strictest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedStep {
    /// The step alone; its decision joins those of all sessions.
    pub judged: Judged,
    /// What it was judged after.
    pub before: Before,
}

/// What the steps before one have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The session; absent where no state was given.
    pub state: Option<State>,
    /// The labels of what they read, as bits.
    pub earlier: u64,
    /// How much is spent of limits, by them too; absent where nobody counts.
    pub usage: Option<Usage>,
}

/// A step as a call of its own, with what is said beside the steps. It owns what its request borrows.
#[derive(Debug)]
pub struct StepCall<'s> {
    step: &'s ScriptStep,
    intent: Json,
    origins: Option<Vec<ArgumentOrigin>>,
}

impl<'s> StepCall<'s> {
    /// The call of a step of this request.
    pub fn of(script: &Request<'_>, step: &'s ScriptStep) -> StepCall<'s> {
        let origins = match (script.origins, &step.origins) {
            (None, None) => None,
            // What is said of the arguments of all steps is said of each.
            (all, own) => {
                let is_mine = |origin: &&ArgumentOrigin| {
                    let argument = origin.path.first();
                    argument.is_none_or(|name| step.args.get(name).is_some())
                };
                let all = all.unwrap_or_default().iter().filter(is_mine);
                Some(all.chain(own.iter().flatten()).cloned().collect())
            }
        };
        StepCall {
            step,
            intent: intent(script.intent, &step.said),
            origins,
        }
    }

    /// The call after others, before any approval.
    pub fn request<'r>(&'r self, script: &Request<'r>, before: &'r Before) -> Request<'r> {
        Request {
            tool: &self.step.tool,
            args: &self.step.args,
            steps: &[],
            intent: &self.intent,
            origins: self.origins.as_deref(),
            state: before.state.as_ref(),
            earlier: before.earlier,
            usage: before.usage.as_ref(),
            approvals: &[],
            ..*script
        }
    }
}

/// The intent of a step alone, with an outline of the script. The claimed digests are those of the whole script.
fn intent(script: &Json, said: &Json) -> Json {
    let own = said.as_object().unwrap_or_default().iter().cloned();
    let shared = script.as_object().unwrap_or_default().iter();
    let shared =
        shared.filter(|(name, _)| !CLAIMED_DIGESTS.contains(&name.as_str()) && said.get(name).is_none());
    let shared = shared.map(|(name, value)| {
        let value = if name == "script" {
            outline(value)
        } else {
            value.clone()
        };
        (name.clone(), value)
    });
    Json::Object(shared.chain(own).collect())
}

/// What steps a script has, without their arguments: each step is judged by its own.
fn outline(script: &Json) -> Json {
    let steps = script.get("steps").and_then(Json::as_array).unwrap_or_default();
    let step = |step: &Json| {
        let members = ["tool_name", "targets"].into_iter();
        Json::object(members.filter_map(|name| Some((name, step.get(name)?.clone()))))
    };
    Json::object([("steps", Json::Array(steps.iter().map(step).collect()))])
}

/// Judges a script, whatever was approved.
pub(super) fn decide(gate: &Gate, script: &Request<'_>, workspace: &mut Workspace) -> Judged {
    if script.steps.len() > limits::SCRIPT_STEPS {
        let detail = format!("a script has at most {} steps", limits::SCRIPT_STEPS);
        return decide::blocked(reserved::INPUT_INVALID, detail);
    }
    let mut walk = Walk {
        gate,
        outcomes: vec![Before {
            state: script.state.cloned(),
            earlier: script.earlier,
            usage: script.usage.cloned(),
        }],
        charges: Vec::new(),
        complete: true,
    };
    let each = script.steps.iter().map(|step| walk.step(script, step, workspace));
    let steps: Vec<JudgedStep> = each.collect();
    let mut decision = joined(gate.program(), script.steps, &steps);
    let spent = walk.charges.iter().filter_map(|charge| {
        let used = script.usage.and_then(|usage| usage.get(&charge.counter));
        limit::fact(gate.program(), charge, used.copied().unwrap_or(0))
    });
    decision.limits = spent.collect();
    let first = walk.outcomes.into_iter().next();
    Judged {
        decision,
        canonical_args: canonical(script.steps, &steps),
        record: None,
        elements: Vec::new(),
        // As with a single call, what may run counts as having run and succeeded.
        after: first.and_then(|first| first.state).filter(|_| walk.complete),
        after_failure: None,
        charges: walk.charges,
        steps,
    }
}

/// What all steps cost of limits when they run: one charge of each counter.
pub(super) fn charges(gate: &Gate, script: &Request<'_>) -> Vec<Charge> {
    let before = Before {
        state: script.state.cloned(),
        earlier: script.earlier,
        usage: None,
    };
    let mut all = Vec::new();
    for step in script.steps {
        let call = StepCall::of(script, step);
        add(&mut all, &gate.charges(&call.request(script, &before)));
    }
    all
}

/// Adds charges to others of the same counters.
fn add(all: &mut Vec<Charge>, more: &[Charge]) {
    for charge in more {
        match all.iter_mut().find(|known| known.counter == charge.counter) {
            Some(known) => known.amount = known.amount.saturating_add(charge.amount),
            None => all.push(charge.clone()),
        }
    }
}

/// The most that a call costs in any session.
fn most(judged: &[Judged]) -> Vec<Charge> {
    let mut most: Vec<Charge> = Vec::new();
    for charge in judged.iter().flat_map(|judged| &judged.charges) {
        match most.iter_mut().find(|known| known.counter == charge.counter) {
            Some(known) => known.amount = known.amount.max(charge.amount),
            None => most.push(charge.clone()),
        }
    }
    most
}

/// What the steps so far may have come to.
struct Walk<'g> {
    gate: &'g Gate,
    /// The sessions, distinct; the first is that in which every step succeeded.
    outcomes: Vec<Before>,
    /// What the steps cost of limits.
    charges: Vec<Charge>,
    /// Whether every step so far was a call that rules were asked about.
    complete: bool,
}

impl Walk<'_> {
    /// Judges a step in every session, and goes on to those after it.
    fn step(&mut self, script: &Request<'_>, step: &ScriptStep, workspace: &mut Workspace) -> JudgedStep {
        let uncertain = self.outcomes.len() > limits::SCRIPT_STATES;
        self.outcomes.truncate(limits::SCRIPT_STATES);
        let call = StepCall::of(script, step);
        let gate = self.gate;
        let each = self.outcomes.iter();
        let each = each.map(|before| gate.decide_call(&call.request(script, before), workspace));
        let mut judged: Vec<Judged> = each.collect();
        let mut decision = strictest_of(gate.program(), &step.tool, &judged);
        // The first of the strictest sessions; there is at least one.
        let strictest = judged.iter().position(|j| j.decision.verdict == decision.verdict);
        let strictest = strictest.unwrap_or(0);
        let before = self.outcomes.get(strictest).cloned().unwrap_or_default();
        self.go_on(&judged, &call.request(script, &before));
        if uncertain {
            decision = too_many(decision);
        }
        JudgedStep {
            judged: Judged {
                decision,
                ..judged.swap_remove(strictest)
            },
            before,
        }
    }

    fn go_on(&mut self, judged: &[Judged], request: &Request<'_>) {
        self.complete &= judged.iter().all(|judged| judged.canonical_args.is_some());
        let program = self.gate.program();
        let tool = program.tool(request.tool);
        let read = tool.map_or(0, |tool| {
            labels::of_result(program, tool) | labels::of_arguments(program, request)
        });
        let charges = most(judged);
        add(&mut self.charges, &charges);
        for outcome in &mut self.outcomes {
            outcome.earlier |= read;
            let Some(usage) = &mut outcome.usage else { continue };
            for charge in &charges {
                let spent = usage.entry(charge.counter.clone()).or_insert(0);
                *spent = spent.saturating_add(charge.amount);
            }
        }
        // A call that no rule was asked about is blocked, so it leaves the session as it was.
        if judged.iter().any(|judged| judged.after.is_none()) {
            return;
        }
        let mut next: Vec<Before> = Vec::new();
        for (judged, outcome) in judged.iter().zip(&self.outcomes) {
            for after in [&judged.after, &judged.after_failure] {
                if !next.iter().any(|known| known.state == *after) {
                    next.push(Before {
                        state: after.clone(),
                        ..outcome.clone()
                    });
                }
            }
        }
        self.outcomes = next;
    }
}

/// The decision on one step that was judged in several sessions.
fn strictest_of(program: &Program, tool: &str, judged: &[Judged]) -> Decision {
    if let [one] = judged {
        return one.decision.clone();
    }
    let decision = join(program, judged.iter().map(|judged| &judged.decision));
    let joined = obliged(program, tool, judged, &decision.matched);
    let decision = Decision {
        obligations: joined.obligations,
        limits: judged
            .first()
            .map(|j| j.decision.limits.clone())
            .unwrap_or_default(),
        ..decision
    };
    match joined.conflict {
        None => decision,
        Some(name) => {
            let detail = format!("rules that may match oblige `{name}` with values that cannot be joined");
            decision.refused(reserved::OBLIGATION_CONFLICT, detail)
        }
    }
}

/// The block for a step before which too much may have happened.
fn too_many(decision: Decision) -> Decision {
    let detail = format!(
        "depending on which steps before succeed there are over {} sessions; send fewer steps at a time",
        limits::SCRIPT_STATES
    );
    decision.refused(reserved::SCRIPT_UNCERTAIN, detail)
}

/// The decision on a script: the join over its steps, each of which keeps what was decided of it.
fn joined(program: &Program, written: &[ScriptStep], steps: &[JudgedStep]) -> Decision {
    let mut decision = join(program, steps.iter().map(|step| &step.judged.decision));
    // Arguments have the same names in several steps, so what is said of them stays with the step, and so does what
    // rules oblige to.
    decision.labels = Vec::new();
    let wrong = |(number, step): (usize, &JudgedStep)| {
        let detail = step.judged.decision.detail.as_ref()?;
        Some(format!("step {number}: {detail}"))
    };
    decision.detail = (1..).zip(steps).find_map(wrong);
    let each = written.iter().zip(steps).map(|(written, step)| StepDecision {
        tool: written.tool.clone(),
        decision: step.judged.decision.clone(),
    });
    decision.steps = each.collect();
    decision
}

/// The strictest of some decisions, with everything that gave it.
fn join<'d>(program: &Program, decisions: impl Iterator<Item = &'d Decision> + Clone) -> Decision {
    let verdict = decisions.clone().map(|d| d.verdict).max();
    // Nothing judged is nothing allowed.
    let verdict = verdict.unwrap_or(Verdict::Block);
    let giving = || decisions.clone().filter(|d| d.verdict == verdict);
    let asked = giving().flat_map(|d| d.approvals.iter().cloned());
    Decision {
        verdict,
        reason_codes: distinct(giving().flat_map(|d| d.reason_codes.iter().cloned())),
        matched: in_order(program, decisions.clone().flat_map(|d| &d.matched)),
        targets: distinct(decisions.clone().flat_map(|d| d.targets.iter().cloned())),
        labels: distinct(decisions.clone().flat_map(|d| d.labels.iter().cloned())),
        approvals: approval::conjunction(asked),
        approved_by: Vec::new(),
        limits: Vec::new(),
        obligations: Vec::new(),
        detail: giving().find_map(|d| d.detail.clone()),
        steps: Vec::new(),
    }
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items.dedup();
    items
}

/// Rules that matched, each once, in the order of the sources.
fn in_order<'d>(program: &Program, matched: impl Iterator<Item = &'d MatchedRule>) -> Vec<MatchedRule> {
    let found = by_name(matched);
    let written = written(program).filter_map(|(key, _)| found.get(&key).copied());
    written.cloned().collect()
}

/// What the rules oblige to that may match a step, in whichever session it comes to run.
fn obliged(program: &Program, tool: &str, judged: &[Judged], matched: &[MatchedRule]) -> obligation::Joined {
    let Some(tool) = program.tool(tool) else {
        return obligation::Joined::default();
    };
    let found = by_name(matched.iter());
    let rules = written(program).filter(|(key, _)| found.contains_key(key));
    let rules: BTreeMap<RuleKey<'_>, &RuleInfo> = rules.collect();
    let is_loosened = judged.iter().all(|one| {
        let own = one.decision.matched.iter();
        obligation::is_loosened(program, own.filter_map(|rule| rules.get(&key(rule)).copied()))
    });
    let all: Vec<&RuleInfo> = rules.values().copied().collect();
    obligation::of_matched(program, tool, &all, is_loosened)
}

/// A rule's file and name.
pub(super) type RuleKey<'r> = (&'r str, &'r str);

pub(super) fn key(rule: &MatchedRule) -> RuleKey<'_> {
    (rule.file.as_str(), rule.name.as_str())
}

fn by_name<'d>(matched: impl Iterator<Item = &'d MatchedRule>) -> BTreeMap<RuleKey<'d>, &'d MatchedRule> {
    matched.map(|rule| (key(rule), rule)).collect()
}

/// Every rule of the program.
pub(super) fn written(program: &Program) -> impl Iterator<Item = (RuleKey<'_>, &RuleInfo)> {
    program.rules.iter().filter_map(|rule| {
        let file = program.files.get(rule.file as usize)?;
        Some(((file.as_str(), rule.name.as_str()), rule))
    })
}

/// The steps in canonical form; absent where one has none.
fn canonical(written: &[ScriptStep], steps: &[JudgedStep]) -> Option<Json> {
    let step = |(written, step): (&ScriptStep, &JudgedStep)| {
        let args = step.judged.canonical_args.clone()?;
        Some(Json::object([("tool", Json::str(&written.tool)), ("args", args)]))
    };
    let steps: Option<Vec<Json>> = written.iter().zip(steps).map(step).collect();
    Some(Json::object([("steps", Json::Array(steps?))]))
}
