//! `Gate::decide`: the one place where a verdict on an intent is made. The tool must be declared, its arguments must
//! be values of their declared types, and only then do rules speak. Whatever goes wrong is a block with a reserved
//! code; nothing is skipped and nothing fails open.

use super::approval::{self, Asking};
use super::elements::Found;
use super::labels;
use super::limit;
use super::request::{self, Blocked, Counting};
use super::script::{self, JudgedStep};
use super::state::{self, Ran, StateError};
use super::stop;
use crate::domain::approval::Standing;
use crate::domain::{
    Approval, ApprovalSpec, Charge, Counters, Decision, LabelFact, LimitFact, MatchedRule, Obligation,
    Request, State, Stops, Target, Usage, Verdict, reserved,
};
use crate::eval::{self, Workspace};
use crate::ir::{Program, ToolProgram};
use crate::json::Json;
use crate::value::Value;
use std::collections::BTreeSet;

/// A program ready to judge calls.
#[derive(Debug)]
pub struct Gate {
    program: Program,
    /// The digest of what the program asks of sessions.
    definition: String,
}

/// A decision with the canonical form of what was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The decision.
    pub decision: Decision,
    /// The arguments in canonical form: what was judged and what an executor should run. Absent where they are no
    /// values of the declared types.
    pub canonical_args: Option<Json>,
    /// What the rules looked at; absent where no rule was asked.
    pub record: Option<Value>,
    /// The labels of every element that rules asked about; the decision names the first few of each list.
    pub elements: Vec<LabelFact>,
    /// The session once the call has run and succeeded; absent where no state was given or no rule was asked.
    pub after: Option<State>,
    /// The same once the call has run and failed; absent for a script, of which each step may fail.
    pub after_failure: Option<State>,
    /// What the call costs of limits when it runs.
    pub charges: Vec<Charge>,
    /// Each step of a script, in order; none where it is one call.
    pub steps: Vec<JudgedStep>,
}

impl Judged {
    fn obliged(mut self, obligations: Vec<Obligation>) -> Judged {
        self.decision.obligations = obligations;
        self
    }
}

impl Gate {
    /// A gate over a program.
    pub fn new(program: Program) -> Gate {
        let definition = state::definition(&program);
        Gate { program, definition }
    }

    /// The program it decides by.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The facts among these that the policy declares.
    pub fn declared_facts(&self, facts: &Json) -> Json {
        let known = |name: &str| {
            let mut declared = self.program.context.iter().filter(|f| f.from.is_none());
            declared.any(|f| f.field.name == name)
        };
        let members = facts.as_object().unwrap_or_default().iter();
        Json::Object(members.filter(|(name, _)| known(name)).cloned().collect())
    }

    /// Working space for this gate, to be kept by the caller between decisions.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(&self.program)
    }

    /// Judges a request.
    pub fn decide(&self, request: &Request<'_>, workspace: &mut Workspace) -> Judged {
        if request.steps.is_empty() {
            return self.decide_call(request, workspace);
        }
        let mut judged = script::decide(self, request, workspace);
        approve(&self.program, &mut judged.decision, request);
        judged
    }

    /// Judges one call.
    pub(super) fn decide_call(&self, request: &Request<'_>, workspace: &mut Workspace) -> Judged {
        let declared = self.program.tool(request.tool);
        if let Some(stopped) = self.stopped(request, declared, None) {
            return stopped;
        }
        let Some(declared) = declared else {
            let all = eval::obligation::of_unread(&self.program, None);
            return self.undeclared(request.tool).obliged(all);
        };
        let is_foreign = |state: &&State| !state::fits(&self.program, &self.definition, state);
        if request.state.filter(is_foreign).is_some() {
            let Blocked { code, detail } = request::foreign();
            let none = eval::obligation::of_none(&self.program, Some(declared));
            return blocked(code, detail).obliged(none);
        }
        match request::bind(&self.program, declared, request, Counting::Known) {
            Ok(bound) => {
                let found = || eval::explain::all_targets(declared, &bound.record);
                if let Some(stopped) = self.stopped(request, Some(declared), Some(&found)) {
                    return stopped;
                }
                let mut decision = self.judge(declared, &bound.record, workspace);
                let elements: Vec<LabelFact> = bound.elements.iter().flat_map(Found::all).cloned().collect();
                let kept = bound.elements.into_iter().flat_map(Found::kept);
                decision.labels = bound.labels.into_iter().chain(kept).collect();
                decision.labels.sort();
                decision.labels.dedup();
                let facts = bound.limits.iter();
                let facts = facts.filter_map(|(charge, used)| limit::fact(&self.program, charge, *used));
                decision.limits = facts.collect();
                let mut decision = fulfillable(decision, request.fulfils);
                approve(&self.program, &mut decision, request);
                if decision.verdict == Verdict::Allow {
                    decision.approved_by.extend(bound.lifted_by);
                    decision.approved_by.sort();
                    decision.approved_by.dedup();
                }
                let after = |ok| {
                    let ran = Ran {
                        tool: declared,
                        record: &bound.record,
                        labels: bound.carried_over,
                        ok,
                        now: request.now,
                    };
                    Some(state::after(&self.program, request.state?, &ran))
                };
                Judged {
                    decision,
                    canonical_args: Some(bound.canonical_args),
                    after: after(true),
                    after_failure: after(false),
                    record: Some(bound.record),
                    elements,
                    charges: bound.limits.into_iter().map(|(charge, _)| charge).collect(),
                    steps: Vec::new(),
                }
            }
            Err(Blocked { code, detail }) => {
                let is_unread = [reserved::INPUT_INVALID, reserved::ARG_UNPARSABLE].contains(&code);
                let obligations = if is_unread {
                    eval::obligation::of_unread(&self.program, Some(declared))
                } else {
                    eval::obligation::of_none(&self.program, Some(declared))
                };
                // A message names the member that is wrong, and what is redacted may be a name.
                let is_kept = !is_unread || obligations.is_empty();
                let detail = if is_kept { detail } else { UNREAD.to_owned() };
                blocked(code, detail).obliged(obligations)
            }
        }
    }

    /// The block of a call that an operator has stopped, or of every call where nobody can tell. Stops about targets are
    /// asked once these are known.
    fn stopped(
        &self,
        request: &Request<'_>,
        declared: Option<&ToolProgram>,
        targets: Option<&dyn Fn() -> Vec<Target>>,
    ) -> Option<Judged> {
        let (code, detail) = match request.stops {
            Stops::NotKept | Stops::On([]) => return None,
            Stops::Unavailable(why) => (reserved::KILL_SWITCH_UNAVAILABLE, why.to_owned()),
            Stops::On(stops) => {
                let found = targets.map(|targets| targets());
                let stop = stop::stopping(stops, request, found.as_deref())?;
                (
                    reserved::KILL_SWITCH,
                    format!("stop `{}` of the kill switch is on", stop.id),
                )
            }
        };
        // Before the targets are known nobody has read the arguments.
        let obligations = match targets {
            Some(_) => eval::obligation::of_none(&self.program, declared),
            None => eval::obligation::of_unread(&self.program, declared),
        };
        Some(blocked(code, detail).obliged(obligations))
    }

    /// What becomes of an approval of a call that asks for these: whether it would count, or why not.
    pub fn standing(&self, request: &Request<'_>, asked: &[ApprovalSpec], approval: &Approval) -> Standing {
        let asking = Asking::of(&self.program, request);
        approval::standing(asked, approval, &asking, request.now)
    }

    /// What a call costs of limits when it runs, before anybody says how much is spent; nothing for a call that is
    /// blocked before any rule speaks.
    pub fn charges(&self, request: &Request<'_>) -> Vec<Charge> {
        if !request.steps.is_empty() {
            return script::charges(self, request);
        }
        let Some(tool) = self.program.tool(request.tool).filter(|t| !t.limits.is_empty()) else {
            return Vec::new();
        };
        let bound = request::bind(&self.program, tool, request, Counting::Ignored);
        let limits = bound.map(|bound| bound.limits).unwrap_or_default();
        limits.into_iter().map(|(charge, _)| charge).collect()
    }

    /// How much is spent of the limits that count a call.
    pub fn usage(&self, request: &Request<'_>, counters: &Counters) -> Usage {
        counters.used(&self.charges(request), millis(request.now))
    }

    /// Judges a request by what counters say is spent.
    pub fn decide_counted(
        &self,
        request: &Request<'_>,
        counters: &Counters,
        workspace: &mut Workspace,
    ) -> Judged {
        let usage = self.usage(request, counters);
        let request = Request {
            usage: Some(&usage),
            ..*request
        };
        self.decide(&request, workspace)
    }

    /// How much a decision says was spent of limits, for a request that is judged again; of a limit that this policy
    /// does not have, nothing.
    pub fn usage_of(&self, facts: &[LimitFact]) -> Usage {
        facts
            .iter()
            .filter_map(|fact| Some((fact.counter.clone(), limit::used(&self.program, fact)?)))
            .collect()
    }

    /// A number of what the limit of this name adds up, such as `12.50`; `None` where it is none, or there is no such
    /// limit, or it counts calls.
    pub fn amount(&self, limit: &str, json: &Json) -> Option<i128> {
        limit::amount(&self.program, limit, json).filter(|_| !limit::counts_calls(&self.program, limit))
    }

    /// The labels of an argument, named from the arguments to it, whether or not a rule asks about them; sorted.
    pub fn labels_of(&self, request: &Request<'_>, path: &[String]) -> Vec<String> {
        labels::of_argument(&self.program, request, path)
    }

    /// The state of a session in which nothing has happened.
    pub fn fresh_state(&self) -> State {
        state::fresh(&self.program, &self.definition)
    }

    /// The state after a person's turn, at a time in milliseconds since 1970.
    pub fn after_turn(&self, before: &State, now: Option<i128>) -> State {
        state::after_turn(&self.program, before, now)
    }

    /// Reads a state that this gate wrote.
    ///
    /// # Errors
    /// Bytes that are no state, or the state of another policy.
    pub fn read_state(&self, bytes: &[u8]) -> Result<State, StateError> {
        let state = state::of_bytes(bytes)?;
        if state::fits(&self.program, &self.definition, &state) {
            Ok(state)
        } else {
            Err(StateError::Foreign)
        }
    }

    /// The canonical bytes of a state; their digest names it.
    pub fn write_state(&self, state: &State) -> Vec<u8> {
        state::to_bytes(state)
    }

    fn judge(&self, tool: &ToolProgram, record: &Value, workspace: &mut Workspace) -> Decision {
        let outcome = eval::decide(&self.program, tool, record, workspace);
        eval::explain(&self.program, tool, record, &outcome)
    }

    fn undeclared(&self, tool: &str) -> Judged {
        let shown: String = tool.chars().take(crate::limits::SHOWN_NAME_CHARS).collect();
        blocked(
            reserved::UNKNOWN_TOOL,
            format!("the policy declares no tool called `{}`", shown.escape_debug()),
        )
    }
}

/// A call that may run, now or once it is approved, may so only where what it obliges to will be done. A call that is
/// blocked obliges, too, but nothing has to be promised for it.
fn fulfillable(decision: Decision, promised: Option<&[String]>) -> Decision {
    let Some(promised) = promised.filter(|_| decision.verdict != Verdict::Block) else {
        return decision;
    };
    let missing = |obligation: &&Obligation| !obligation.is_own() && !obligation.is_promised(promised);
    match decision.obligations.iter().find(missing) {
        None => decision,
        Some(obligation) => {
            let which = obligation.credential();
            let which = which.map(|name| format!(":{name}")).unwrap_or_default();
            let detail = format!(
                "the call obliges to `{}{which}`, and nobody has promised it",
                obligation.name
            );
            decision.refused(reserved::OBLIGATION_UNFULFILLABLE, detail)
        }
    }
}

/// What is said of arguments that are wrong, where a rule on their tool redacts some.
const UNREAD: &str = "the arguments are no values of the declared types; which, is not kept";

/// A time for counters; where nobody says it, nothing counted depends on it.
pub fn millis(now: Option<i128>) -> i64 {
    let now = now.unwrap_or_default().clamp(i64::MIN.into(), i64::MAX.into());
    i64::try_from(now).unwrap_or_default()
}

/// A call that waits gets what it would have got without the rules that asked, where its approvals are enough. Their codes
/// stay: they say why it had to be approved.
fn approve(program: &Program, decision: &mut Decision, request: &Request<'_>) {
    if decision.verdict != Verdict::RequireApproval || request.approvals.is_empty() {
        return;
    }
    let asking = Asking::of(program, request);
    if let Some(by) = approval::satisfied(&decision.approvals, request.approvals, &asking, request.now) {
        let (verdict, codes) = without_asking(program, decision);
        decision.verdict = verdict;
        decision.reason_codes.extend(codes);
        decision.reason_codes.sort();
        decision.reason_codes.dedup();
        decision.approvals.clear();
        decision.approved_by = by;
    }
}

/// What a call gets by all that asks nobody, and the codes of what is stricter than `allow`; the strictest of its steps.
fn without_asking(program: &Program, decision: &Decision) -> (Verdict, Vec<String>) {
    let limits = script::written(program).filter(|(_, rule)| rule.limit);
    let limits: BTreeSet<script::RuleKey<'_>> = limits.map(|(key, _)| key).collect();
    let asks_or_limits =
        |one: &MatchedRule| one.verdict == Verdict::RequireApproval || limits.contains(&script::key(one));
    let mut all: Vec<(Verdict, String)> = Vec::new();
    let calls = match decision.steps.as_slice() {
        [] => vec![decision],
        steps => steps.iter().map(|step| &step.decision).collect(),
    };
    for call in calls {
        let rules = call.matched.iter();
        all.extend(rules.map(|rule| (rule.verdict, rule.code.to_string())));
        if call.matched.iter().all(asks_or_limits) {
            all.push(program.default.clone());
        }
    }
    all.retain(|(verdict, _)| (Verdict::DryRun..Verdict::RequireApproval).contains(verdict));
    let verdict = all.iter().map(|(verdict, _)| *verdict).max();
    let codes = all.into_iter().map(|(_, code)| code).collect();
    (verdict.unwrap_or(Verdict::Allow), codes)
}

/// A block with one of the gate's own codes.
pub(super) fn blocked(code: &str, detail: String) -> Judged {
    let decision = Decision {
        verdict: Verdict::Block,
        reason_codes: vec![code.to_owned()],
        matched: Vec::new(),
        targets: Vec::new(),
        labels: Vec::new(),
        approvals: Vec::new(),
        approved_by: Vec::new(),
        limits: Vec::new(),
        obligations: Vec::new(),
        detail: Some(detail),
        steps: Vec::new(),
    };
    Judged {
        decision,
        canonical_args: None,
        record: None,
        elements: Vec::new(),
        after: None,
        after_failure: None,
        charges: Vec::new(),
        steps: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use crate::domain::{Request, Verdict, reserved};
    use crate::value::Value;
    use crate::{compile, json};

    #[test]
    fn what_is_handed_on_is_canonical_where_it_is_declared() {
        let text = "gaitpol 1\npolicy a\ndefault block\ntool t {\n  p: Path\n  ...\n}\nrule r on t allow\n";
        let checked = compile::check("a.gaitpol", text).checked.unwrap();
        let gate = Gate::new(compile::lower(&checked));
        let args = json::parse(br#"{"x":{"b":[1,null]},"p":"/w//a"}"#).unwrap();
        let judged = gate.decide(&Request::call("t", &args), &mut gate.workspace());
        let expected = json::parse(br#"{"p":"/w/a","x":{"b":[1,null]}}"#).unwrap();
        assert_eq!(judged.canonical_args, Some(expected));
    }

    /// The compiler refuses such a pair; a program that has one all the same is not believed.
    #[test]
    fn obligations_that_cannot_be_joined_block() {
        let text = "gaitpol 1\npolicy a\ndefault block\nobligation o { q: Int }\ntool t { n: Int }\n\
                    rule r on t allow oblige o(q: 1), log(info)\nrule s on t allow oblige o(q: 1)\n";
        let checked = compile::check("a.gaitpol", text).checked.unwrap();
        let mut program = compile::lower(&checked);
        let mut other = program.duties.last().unwrap().clone();
        other.values = vec![Value::Num(2)];
        program.duties.push(other);
        let last = u32::try_from(program.duties.len() - 1).unwrap();
        program.rules.last_mut().unwrap().duties = vec![last];
        let gate = Gate::new(program);
        let args = json::parse(br#"{"n":1}"#).unwrap();
        let request = Request {
            fulfils: None,
            ..Request::call("t", &args)
        };
        let decision = gate.decide(&request, &mut gate.workspace()).decision;
        assert_eq!(decision.verdict, Verdict::Block);
        assert_eq!(decision.reason_codes, [reserved::OBLIGATION_CONFLICT]);
        // What does not conflict is obliged as before.
        assert_eq!(decision.obligations.len(), 1);
    }
}
