//! The nearest allowed call: the fewest changes of a call after which the gate allows it. In: a judged request. Out: the
//! changes, in words of the policy. Single changes come first, then pairs, then triples, always in the same order and
//! for a bounded number of calls; each call is judged by the gate, from its JSON on.

mod needs;
mod said;
mod words;

use super::candidate::{self, Candidate, Edit};
use super::frame::request_ty;
use super::{Place, Seen, Shown, Subject, labelled, moment, questions};
use crate::domain::{Decision, Request, Verdict};
use crate::eval::{self, Workspace};
use crate::gate::Gate;
use crate::hir::{Slot, Step};
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;
use needs::{Needs, Touch, lookup};
use words::Found;

pub use said::Said;

/// The smallest change of a call that would be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// The call is allowed as it is.
    Allowed,
    /// No rule was asked about the call, so no change of single arguments was looked for.
    NotJudged,
    /// These changes together.
    Found {
        /// The changes.
        changes: Vec<Change>,
        /// Rules that allow the changed call.
        by: Vec<String>,
        /// The changed call; none where more than the call would have to be another.
        call: Option<Box<Said>>,
    },
    /// None was found.
    None {
        /// Whether one value of each kind was tried at up to `limits::NEAREST_CHANGES` places; else the bound on calls ended it.
        /// Either way there may be such a call.
        complete: bool,
    },
}

/// A change of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who says what is there.
    pub origin: Origin,
    /// The place and what is there; for elements left out, these.
    pub from: Seen,
    /// What happens there.
    pub what: What,
    /// The conditions about the place that come out differently.
    pub turns: Vec<Turn>,
}

/// Who says what is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The caller, in an argument.
    Argument,
    /// The host.
    Fact,
    /// Somebody who vouches for it.
    Attested,
    /// The caller, beside the arguments.
    Claim,
    /// Where an argument comes from.
    Provenance,
    /// What happened in the session before.
    Session,
    /// When the call is made.
    Time,
}

impl Origin {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Argument => "argument",
            Origin::Fact => "fact",
            Origin::Attested => "attested",
            Origin::Claim => "claim",
            Origin::Provenance => "provenance",
            Origin::Session => "session",
            Origin::Time => "time",
        }
    }
}

/// What happens at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Another value.
    Put {
        /// One that would do.
        sample: Shown,
        /// The numbers around it that every rule treats like it, in words; none where that is not known.
        range: Option<String>,
    },
    /// No value.
    Clear,
    /// What the gate finds comes out differently; the turns say what.
    Turn,
    /// Elements of a list are left out.
    LeaveOut,
    /// An element is added to a list.
    Add {
        /// One that would do.
        sample: Shown,
    },
}

/// A condition that comes out differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its text on one line.
    pub source: String,
    /// Where it is written.
    pub at: Place,
    /// Whether it holds after the changes.
    pub holds: bool,
}

/// Looks for the nearest allowed call of a request that is not allowed.
pub(super) fn search(subject: &Subject<'_>, gate: &Gate, request: &Request<'_>, record: &Value) -> Nearest {
    let Some(tool) = subject.package.tools.get(subject.tool) else {
        return Nearest::NotJudged;
    };
    let ty = request_ty(tool, &subject.package.context);
    let scopes = questions::collect(subject.rules().map(|(_, cond)| cond));
    // What only the program computes follows what the policy asks for, and cannot be changed by itself.
    let mut said = record.clone();
    if let Value::Record(fields) = &mut said {
        fields.truncate(tool.args.len() + 1 + tool.slots.len());
    }
    let mut candidates = candidate::all(&said, &ty, &scopes);
    // An entry is changed by changing its map, or looked up by another key.
    candidates.retain(|candidate| lookup(Some(tool), candidate.root()).is_none());
    candidates.extend(candidate::keys(&said, &ty, tool));
    let mut distinct: Vec<Candidate> = Vec::new();
    let plain = candidates.into_iter().filter_map(|c| labelled::plain(tool, c));
    for candidate in plain.filter_map(|c| moment::placed(subject.package, tool, request.now, c)) {
        if !distinct.contains(&candidate) {
            distinct.push(candidate);
        }
    }
    // What the caller says is changed before what the gate finds.
    distinct.sort_by_key(|candidate| moment::slot(tool, candidate.root()).is_some());
    let candidates = distinct;
    let mut search = Search {
        subject,
        gate,
        request,
        ty: &ty,
        needs: Needs::of(subject, &said),
        workspace: gate.workspace(),
        calls: 0,
        tried: 0,
    };
    let touched: Vec<Touch> = candidates.iter().map(|c| search.needs.touched(c)).collect();
    for size in 1..=limits::NEAREST_CHANGES {
        let mut chosen = Vec::new();
        if let Some((changed, allowed)) = search.combine(&candidates, &touched, size, 0, &said, &mut chosen) {
            let all = || chosen.iter().map(|(_, candidate)| *candidate);
            let is_call = assumed(subject, &chosen).is_empty()
                && moment::chosen(all()).is_none()
                && !all().any(|candidate| labelled::is_turn(tool, candidate))
                && labelled::shifted(request.origins, tool, all()).is_none();
            let call = said::said(subject, request, &changed)
                .filter(|_| is_call)
                .map(Box::new);
            let found = Found {
                subject,
                ty: &ty,
                now: request.now,
                before: &said,
                after: &allowed.record,
            };
            return found.nearest(&chosen, &allowed.decision, call);
        }
        if search.is_spent() {
            return Nearest::None { complete: false };
        }
    }
    Nearest::None { complete: true }
}

/// A changed call that the gate allows.
struct Allowed {
    decision: Decision,
    /// What its rules looked at.
    record: Value,
}

struct Search<'a> {
    subject: &'a Subject<'a>,
    gate: &'a Gate,
    request: &'a Request<'a>,
    ty: &'a Ty,
    needs: Needs<'a>,
    workspace: Workspace,
    calls: usize,
    tried: usize,
}

impl Search<'_> {
    fn is_spent(&self) -> bool {
        self.calls >= limits::NEAREST_CALLS || self.tried >= limits::NEAREST_COMBINATIONS
    }

    /// Adds `left` more changes to those chosen, from `start` on; the changed record and its decision where the gate
    /// allows it.
    fn combine<'c>(
        &mut self,
        candidates: &'c [Candidate],
        touched: &[Touch],
        left: usize,
        start: usize,
        record: &Value,
        chosen: &mut Vec<(usize, &'c Candidate)>,
    ) -> Option<(Value, Allowed)> {
        let tool = self.subject.package.tools.get(self.subject.tool)?;
        for (at, next) in candidates.iter().enumerate().skip(start) {
            self.tried += 1;
            if self.is_spent() {
                return None;
            }
            let conflicts =
                |earlier: &Candidate| earlier.conflicts(next) || labelled::conflicts(tool, earlier, next);
            if chosen.iter().any(|(_, earlier)| conflicts(earlier)) {
                continue;
            }
            chosen.push((at, next));
            let mut changed = record.clone();
            let found = if left > 1 {
                // Later changes may touch what these do not.
                next.apply(&mut changed, self.ty)
                    .and_then(|()| self.combine(candidates, touched, left - 1, at + 1, &changed, chosen))
            } else {
                let all: Vec<&Touch> = chosen.iter().filter_map(|(at, _)| touched.get(*at)).collect();
                match self.needs.may_be_met(&all) {
                    true => next
                        .apply(&mut changed, self.ty)
                        .and_then(|()| self.judge(&changed, chosen))
                        .map(|allowed| (changed, allowed)),
                    false => None,
                }
            };
            if found.is_some() {
                return found;
            }
            chosen.pop();
        }
        None
    }

    /// The gate's decision on a changed call, where it is allow; what the gate would find for some slots is assumed.
    fn judge(&mut self, record: &Value, chosen: &[(usize, &Candidate)]) -> Option<Allowed> {
        self.calls += 1;
        let tool = self.subject.package.tools.get(self.subject.tool)?;
        let all = || chosen.iter().map(|(_, candidate)| *candidate);
        let said = said::said(self.subject, self.request, record)?;
        let origins = labelled::shifted(self.request.origins, tool, all());
        let request = Request {
            args: &said.args,
            intent: &said.intent,
            facts: &said.facts,
            origins: origins.as_deref().or(self.request.origins),
            now: moment::chosen(all()).or(self.request.now),
            ..*self.request
        };
        let judged = self.gate.decide(&request, &mut self.workspace);
        let mut allowed = Allowed {
            decision: judged.decision,
            record: judged.record?,
        };
        let assumed = assumed(self.subject, chosen);
        let turned: Vec<&Candidate> = all()
            .filter(|candidate| labelled::is_turn(tool, candidate))
            .collect();
        if !assumed.is_empty() || !turned.is_empty() {
            let Value::Record(fields) = &mut allowed.record else {
                return None;
            };
            for (field, value) in assumed {
                *fields.get_mut(field)? = value;
            }
            for candidate in turned {
                candidate.apply(&mut allowed.record, self.ty)?;
            }
            allowed.decision = self.again(&mut allowed.record)?;
        }
        (allowed.decision.verdict == Verdict::Allow).then_some(allowed)
    }

    /// The decision on a record with other slots; what is computed of those follows.
    fn again(&mut self, record: &mut Value) -> Option<Decision> {
        let program = self.gate.program();
        let tool = program.tool(self.request.tool)?;
        for (number, slot) in tool.slots.iter().enumerate() {
            if let Slot::Holds(cond) = slot {
                let holds = Value::Bool(crate::hir::answer::holds(cond, &[record]));
                if let Value::Record(fields) = record {
                    *fields.get_mut(tool.args.len() + 1 + number)? = holds;
                }
            }
        }
        let outcome = eval::decide(program, tool, record, &mut self.workspace);
        Some(eval::explain(program, tool, record, &outcome))
    }
}

/// What the gate is assumed to find for slots, by their fields of the request.
fn assumed(subject: &Subject<'_>, chosen: &[(usize, &Candidate)]) -> Vec<(usize, Value)> {
    let args = subject
        .package
        .tools
        .get(subject.tool)
        .map_or(0, |tool| tool.args.len());
    let one = |(_, candidate): &(usize, &Candidate)| match (&candidate.steps[..], &candidate.edit) {
        ([Step::Field(field)], Edit::Put(value, _)) if candidate.into.is_empty() => {
            (*field as usize > args).then(|| (*field as usize, value.clone()))
        }
        _ => None,
    };
    chosen.iter().filter_map(one).collect()
}
