//! Why a call was decided as it was: every rule about the tool, clause by clause with the values it looked at, and the
//! smallest change of the call that would be allowed. In: a checked policy, its gate and a request. Out: an
//! `Explanation`, plain data. It decides nothing: the decision is the gate's, and every change it offers was judged by
//! the gate. No clock, no files, the same input gives the same explanation.

mod candidate;
mod frame;
mod labelled;
mod moment;
mod nearest;
mod questions;
mod range;
mod show;
mod walk;

use crate::compile::Checked;
use crate::domain::{
    self, ApprovalSpec, Decision, LabelFact, LabelOrigin, Obligation, Request, RuleScope, Verdict,
};
use crate::eval::{obligation, redact};
use crate::gate::Gate;
use crate::gate::script::StepCall;
use crate::hir::labels::UNTRUSTED;
use crate::hir::{Package, Rule};
use crate::json::Json;
use crate::secrets;
use crate::source::{Position, Span};
use frame::Frame;

pub use nearest::{Change, Nearest, Origin, Said, Turn, What};
pub use walk::{Element, Kind, Node};

/// Says of an argument of a call, by the names from the arguments to it, whether its value must not be shown.
pub type Redact<'r> = &'r dyn Fn(&Request<'_>, &[String]) -> bool;

/// Why a call was decided as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The tool called.
    pub tool: String,
    /// The gate's decision.
    pub decision: Decision,
    /// Every rule about the tool, in the order of the sources; none for a call that no rule was asked about.
    pub rules: Vec<RuleTrace>,
    /// The smallest change that would be allowed.
    pub nearest: Nearest,
    /// Each step of a script, in the session in which it is judged most strictly; none where it is one call.
    pub steps: Vec<Explanation>,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTrace {
    /// Its name.
    pub name: String,
    /// The policy it is part of, where that policy is for a scope.
    pub scope: Option<RuleScope>,
    /// The verdict it asks for.
    pub verdict: Verdict,
    /// Its reason code.
    pub code: String,
    /// What the author tells the caller.
    pub hint: Option<String>,
    /// What must be approved, all of it, where it asks for approval.
    pub approvals: Vec<ApprovalSpec>,
    /// What it obliges to.
    pub obliges: Vec<Obligation>,
    /// Where it is written.
    pub at: Place,
    /// Whether it matched.
    pub matched: bool,
    /// Its clauses, in order.
    pub clauses: Vec<ClauseTrace>,
}

/// What became of one `when` or `unless`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseTrace {
    /// `when` or `unless`; what a compiler adds has neither.
    pub keyword: &'static str,
    /// Whether the clause lets the rule match: an `unless` does where its condition does not hold.
    pub passes: bool,
    /// The condition, without the `unless`.
    pub condition: Node,
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source's name.
    pub file: String,
    /// Where it starts.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
}

/// A value of the call as a condition saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The place, as written: `args.to[1].domain`.
    pub place: String,
    /// What was there.
    pub value: Shown,
    /// Why it was there, for labels.
    pub because: Option<LabelOrigin>,
}

/// What may be shown of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The value.
    Value {
        /// In canonical JSON.
        json: Json,
        /// As a policy writes it.
        text: String,
    },
    /// Nothing was there.
    Absent,
    /// It must not be shown.
    Redacted,
}

/// Hides the arguments that have a label of the policy's own: what is secret to its rules is to its readers.
/// `untrusted` says nothing about secrecy.
pub fn by_labels(gate: &Gate) -> impl Fn(&Request<'_>, &[String]) -> bool {
    move |request, path| {
        gate.labels_of(request, path)
            .iter()
            .any(|label| label != UNTRUSTED)
    }
}

/// The places of arguments in which there are secrets, as redactions.
fn places(args: &Json) -> Vec<Obligation> {
    let names = |place: secrets::Place| {
        place
            .path
            .into_iter()
            .filter(|step| step.parse::<usize>().is_err())
    };
    let all = secrets::places(args).into_iter();
    all.map(|place| domain::obligation::redacts(names(place).collect()))
        .collect()
}

/// A decision in words that tell no secret of the call.
fn told(mut decision: Decision, request: &Request<'_>) -> Decision {
    let args = std::iter::once(request.args).chain(request.steps.iter().map(|step| &step.args));
    for args in args.filter(|args| secrets::any(args)) {
        redact::scrub(&mut decision, &secrets::hide(&mut args.clone()));
    }
    // Of what no argument is: a tool's name.
    decision.detail = decision
        .detail
        .map(|detail| secrets::hidden(&detail).into_owned());
    for step in &mut decision.steps {
        step.tool = secrets::hidden(&step.tool).into_owned();
    }
    decision
}

/// Explains the decision on a request.
pub fn explain(checked: &Checked, gate: &Gate, request: &Request<'_>, redact: Redact<'_>) -> Explanation {
    let judged = gate.decide(request, &mut gate.workspace());
    let mut explanation = Explanation {
        tool: secrets::hidden(request.tool).into_owned(),
        decision: told(judged.decision, request),
        rules: Vec::new(),
        nearest: Nearest::NotJudged,
        steps: Vec::new(),
    };
    for (step, judged) in request.steps.iter().zip(&judged.steps) {
        let call = StepCall::of(request, step);
        let alone = call.request(request, &judged.before);
        explanation.steps.push(explain(checked, gate, &alone, redact));
    }
    let package = checked.package();
    let found = package.tools.iter().position(|t| t.name == request.tool);
    let (Some(index), Some(record)) = (found, judged.record) else {
        return explanation;
    };
    let Some(tool) = package.tools.get(index) else {
        return explanation;
    };
    let obligations = &explanation.decision.obligations;
    let secret = places(request.args);
    let hidden = |path: &[String]| {
        redact(request, path) || redact::touches(obligations, path) || redact::touches(&secret, path)
    };
    let labels = [explanation.decision.labels.as_slice(), judged.elements.as_slice()].concat();
    let subject = Subject {
        package,
        tool: index,
        redact: &hidden,
        labels: &labels,
    };
    let frame = Frame::request(tool, &package.context, &record);
    let rules = subject
        .rules()
        .map(|(rule, cond)| trace(&subject, rule, cond, &frame))
        .collect();
    let nearest = match explanation.decision.verdict {
        Verdict::Allow => Nearest::Allowed,
        _ => nearest::search(&subject, gate, request, &record),
    };
    (explanation.rules, explanation.nearest) = (rules, nearest);
    explanation
}

/// What is explained: the rules of one tool.
struct Subject<'a> {
    package: &'a Package,
    tool: usize,
    redact: &'a dyn Fn(&[String]) -> bool,
    /// The labels the decision found.
    labels: &'a [LabelFact],
}

impl<'a> Subject<'a> {
    /// The rules about the tool, with their conditions typed for it.
    fn rules(&self) -> impl Iterator<Item = (&'a Rule, &'a crate::hir::Cond)> {
        let (package, tool) = (self.package, self.tool);
        package.rules.iter().filter_map(move |rule| {
            let (_, cond) = rule.on.iter().find(|(t, _)| *t == tool)?;
            Some((rule, cond))
        })
    }

    fn place(&self, span: Span) -> Place {
        let source = self.package.sources.iter().find(|s| s.id == span.file);
        let at = |offset| source.map_or(Position { line: 1, column: 1 }, |s| s.position(offset));
        Place {
            file: source.map(|s| s.name.clone()).unwrap_or_default(),
            start: at(span.start),
            end: at(span.end),
        }
    }

    fn text(&self, span: Span) -> &'a str {
        let source = self.package.sources.iter().find(|s| s.id == span.file);
        source.map_or("", |s| s.slice(span))
    }
}

fn trace(subject: &Subject<'_>, rule: &Rule, cond: &crate::hir::Cond, frame: &Frame<'_>) -> RuleTrace {
    use crate::hir::Cond;
    let parts = match cond {
        Cond::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let clauses: Vec<ClauseTrace> = parts
        .iter()
        .enumerate()
        .map(|(number, part)| {
            let written = rule.clauses.get(number);
            let negated = written.is_some_and(|clause| clause.negated);
            let condition = match part {
                Cond::Not(inner) if negated => inner,
                other => other,
            };
            let mut condition = walk::node(subject, condition, &[frame]);
            if let Some(clause) = written {
                condition = condition.placed(subject, clause.condition);
                // The clauses of a rule that refines this one, all of them.
                if clause.negated
                    && ["when ", "unless "]
                        .iter()
                        .any(|word| condition.source.starts_with(word))
                {
                    condition.source = format!("({})", condition.source);
                }
            }
            ClauseTrace {
                keyword: match written {
                    Some(clause) if clause.negated => "unless",
                    Some(_) => "when",
                    None => "",
                },
                passes: condition.holds != negated,
                condition,
            }
        })
        .collect();
    RuleTrace {
        name: rule.name.clone(),
        scope: subject.package.scope_of(rule),
        verdict: rule.verdict,
        code: rule.code.clone(),
        hint: rule.hint.clone(),
        approvals: rule.approvals.clone(),
        obliges: {
            let duties = rule.duties.iter().map(|duty| &duty.node);
            obligation::join(&subject.package.obligations, duties).obligations
        },
        at: subject.place(rule.span),
        matched: clauses.iter().all(|clause| clause.passes),
        clauses,
    }
}
