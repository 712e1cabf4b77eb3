//! The nearest allowed call: the fewest changes of a call after which the gate allows it. In: a judged request. Out: the
//! changes, in words of the policy. Single changes come first, then pairs, then triples, always in the same order and
//! for a bounded number of calls; each call is judged by the gate, from its JSON on.

use super::candidate::{self, Candidate, Edit, overlaps};
use super::frame::{Frame, request_ty};
use super::range::Changed;
use super::{Place, Seen, Shown, Subject, labelled, moment, questions, show, walk};
use crate::builtins::bind;
use crate::domain::{Decision, Request, Trust, Verdict};
use crate::eval::{self, Workspace};
use crate::gate::Gate;
use crate::hir::{Cond, Slot, Step, Tool};
use crate::json::Json;
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeSet;

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
            let call = self::said(subject, request, &changed)
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

/// What has to change: rules stricter than allow must stop matching, and where none allows, one must start to.
struct Needs<'a> {
    tool: Option<&'a Tool>,
    stricter: Vec<&'a Cond>,
    allowing: Vec<&'a Cond>,
}

/// The look-up whose value lies some steps away.
fn lookup<'a>(tool: Option<&'a Tool>, steps: &[Step]) -> Option<&'a Slot> {
    let (Some(tool), Some(Step::Field(first))) = (tool, steps.first()) else {
        return None;
    };
    let slot = tool
        .slots
        .get((*first as usize).checked_sub(tool.args.len() + 1)?);
    slot.filter(|slot| matches!(slot, Slot::Lookup { .. }))
}

/// What a change has to do with the needs: the rules stricter than allow whose conditions look there, and whether an
/// allowing one does where that is needed.
#[derive(Clone, Debug, Default)]
struct Touch {
    stricter: BTreeSet<usize>,
    allowing: bool,
}

impl<'a> Needs<'a> {
    fn of(subject: &Subject<'a>, record: &Value) -> Needs<'a> {
        let mut needs = Needs {
            tool: subject.package.tools.get(subject.tool),
            stricter: Vec::new(),
            allowing: Vec::new(),
        };
        let mut allowed = false;
        for (rule, cond) in subject.rules() {
            let matched = crate::hir::answer::holds(cond, &[record]);
            match rule.verdict {
                Verdict::Allow if matched => allowed = true,
                Verdict::Allow => needs.allowing.push(cond),
                _ if matched => needs.stricter.push(cond),
                _ => {}
            }
        }
        if allowed {
            needs.allowing.clear();
            needs.allowing.push(&Cond::Const(true));
        }
        needs
    }

    fn touched(&self, candidate: &Candidate) -> Touch {
        let is_of_time = |steps: &[Step]| {
            let at = matches!(candidate.edit, Edit::At(_));
            at && self.tool.is_some_and(|tool| moment::is_of_time(tool, steps))
        };
        let looks = |cond: &Cond| {
            let mut found = false;
            cond.each_place(&mut |place| {
                let looks = self.looks_at(&place.steps, candidate.root()) || is_of_time(&place.steps);
                found |= place.level == 0 && looks;
            });
            found
        };
        Touch {
            stricter: (0..self.stricter.len())
                .filter(|at| self.stricter.get(*at).is_some_and(|cond| looks(cond)))
                .collect(),
            allowing: self.allowing.iter().any(|cond| looks(cond)),
        }
    }

    /// Whether a place is the changed one, or is looked up in or by it.
    fn looks_at(&self, steps: &[Step], changed: &[Step]) -> bool {
        let mut found = overlaps(steps, changed);
        if let Some(slot) = lookup(self.tool, steps) {
            slot.each_place(&mut |place| found |= self.looks_at(&place.steps, changed));
        }
        let list = self.tool.and_then(|tool| labelled::slot(tool, steps));
        found |= list.is_some_and(|labelled| overlaps(&labelled.list, changed));
        found
    }

    /// Whether changes that touch this much could lead to allow.
    fn may_be_met(&self, touched: &[&Touch]) -> bool {
        let allowed = self.allowing.contains(&&Cond::Const(true));
        let all: BTreeSet<usize> = touched.iter().flat_map(|t| t.stricter.iter().copied()).collect();
        all.len() == self.stricter.len() && (allowed || touched.iter().any(|t| t.allowing))
    }
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
        let said = said(self.subject, self.request, record)?;
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

/// A changed call as the gate was told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The arguments.
    pub args: Json,
    /// The intent, for what the caller says beside them.
    pub intent: Json,
    /// What the host knows.
    pub facts: Json,
}

/// What would have to be said for the gate to bind this record.
fn said(subject: &Subject<'_>, request: &Request<'_>, record: &Value) -> Option<Said> {
    let tool = subject.package.tools.get(subject.tool)?;
    let Value::Record(values) = record else {
        return None;
    };
    let mut args = bind::record_to_json(values, &tool.args);
    if let Json::Object(members) = &mut args {
        // What an open tool takes beyond its declared arguments stays.
        let rest = request.args.as_object().unwrap_or_default().iter();
        members.extend(
            rest.filter(|(name, _)| tool.args.iter().all(|f| f.name != *name))
                .cloned(),
        );
    }
    let mut said = Said {
        args,
        intent: request.intent.clone(),
        facts: request.facts.clone(),
    };
    let Some(Value::Record(context)) = values.get(tool.args.len()) else {
        return Some(said);
    };
    for (field, value) in subject.package.context.iter().zip(context) {
        let json = (*value != Value::Absent).then(|| bind::to_json(value, &field.field.ty));
        match &field.from {
            None if json.is_some() || said.facts.get(&field.field.name).is_some() => {
                set(&mut said.facts, std::slice::from_ref(&field.field.name), json);
            }
            Some(path)
                if json.is_some()
                    || path
                        .iter()
                        .try_fold(&said.intent, |at, step| at.get(step))
                        .is_some() =>
            {
                set(&mut said.intent, path, json);
            }
            _ => {}
        }
    }
    Some(said)
}

/// Sets or removes a member some steps down, making objects on the way.
fn set(at: &mut Json, path: &[String], value: Option<Json>) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if at.as_object().is_none() {
        *at = Json::Object(Vec::new());
    }
    let Json::Object(members) = at else { return };
    let found = members.iter().position(|(name, _)| name == first);
    match (found, rest, value) {
        (Some(at), [], None) => {
            members.remove(at);
        }
        (None, _, None) => {}
        (Some(at), [], Some(value)) => {
            if let Some((_, member)) = members.get_mut(at) {
                *member = value;
            }
        }
        (None, [], Some(value)) => members.push((first.into(), value)),
        (Some(at), rest, value) => {
            if let Some((_, member)) = members.get_mut(at) {
                set(member, rest, value);
            }
        }
        (None, rest, value) => {
            let mut inner = Json::Object(Vec::new());
            set(&mut inner, rest, value);
            members.push((first.into(), inner));
        }
    }
}

/// What was found, to be put into words.
struct Found<'a> {
    subject: &'a Subject<'a>,
    ty: &'a Ty,
    now: Option<i128>,
    /// What the rules looked at of the call as it is.
    before: &'a Value,
    /// What they look at after the changes.
    after: &'a Value,
}

impl Found<'_> {
    fn nearest(
        &self,
        chosen: &[(usize, &Candidate)],
        decision: &Decision,
        call: Option<Box<Said>>,
    ) -> Nearest {
        let turns = turns(self.subject, self.before, self.after);
        let changes = chosen
            .iter()
            .filter_map(|(_, candidate)| self.change(candidate, &turns))
            .collect();
        let by = decision
            .matched
            .iter()
            .filter(|rule| rule.verdict == Verdict::Allow);
        Nearest::Found {
            changes,
            by: by.map(|rule| rule.name.to_string()).collect(),
            call,
        }
    }

    fn change(&self, candidate: &Candidate, turns: &[(Vec<String>, Turn)]) -> Option<Change> {
        let subject = self.subject;
        let tool = subject.package.tools.get(subject.tool)?;
        let request = Frame::request(tool, &subject.package.context, self.before);
        let mut holders = vec![];
        for (list, number) in &candidate.into {
            let outer = holders.last().unwrap_or(&request);
            let items = crate::hir::answer::elements(outer.value, list);
            let is_list = outer.ty_at(list).is_some_and(|ty| ty.element().is_some());
            let inner = outer.element(list, is_list.then_some(*number), items.get(*number)?);
            holders.push(inner);
        }
        let holder = holders.last().unwrap_or(&request);
        let is_label = holder.label(&candidate.steps).is_some();
        let here = match is_label {
            true => Ty::Bool,
            false => holder.ty_at(&candidate.steps)?,
        };
        let mut from = holder.seen(subject, &candidate.steps);
        let what = match &candidate.edit {
            Edit::At(moment) => {
                let show = |moment: i128| show::value(&Value::Num(moment), &Ty::Instant);
                from = Seen {
                    place: "now".to_owned(),
                    value: self.now.map_or(Shown::Absent, show),
                    because: None,
                };
                What::Put {
                    sample: show(*moment),
                    range: None,
                }
            }
            _ if is_label || is_found(tool, candidate) => What::Turn,
            Edit::Put(value, class) => What::Put {
                sample: show::value(value, &here),
                range: self
                    .range(tool, candidate, value, *class)
                    .map(|range| show::interval(range, crate::classes::sample::range(&here), &here)),
            },
            Edit::Clear => What::Clear,
            Edit::Add(value) => What::Add {
                sample: show::value(value, &element(&here)),
            },
            Edit::LeaveOut(numbers) => {
                let items = crate::hir::answer::elements(holder.value, &candidate.steps);
                let gone = numbers.iter().filter_map(|n| items.get(*n)).cloned().collect();
                if from.value != Shown::Redacted {
                    from.value = show::value(&Value::List(gone), &here);
                }
                What::LeaveOut
            }
        };
        Some(Change {
            origin: origin(subject, candidate.root()),
            from,
            what,
            turns: self.turns_of(&request, candidate, turns),
        })
    }

    /// The numbers around a changed one that every rule treats like it.
    fn range(
        &self,
        tool: &Tool,
        candidate: &Candidate,
        value: &Value,
        class: Option<(i128, i128)>,
    ) -> Option<(i128, i128)> {
        let Value::Num(number) = value else { return None };
        let changed = Changed {
            tool,
            ty: self.ty,
            record: self.after,
            candidate,
            number: *number,
        };
        changed.clipped(self.subject.rules().map(|(_, cond)| cond), class?)
    }

    /// The conditions that come out differently because of one change.
    fn turns_of(
        &self,
        request: &Frame<'_>,
        candidate: &Candidate,
        turns: &[(Vec<String>, Turn)],
    ) -> Vec<Turn> {
        let tool = self.subject.package.tools.get(self.subject.tool);
        let slots = tool.map_or(0, |tool| tool.slots.len());
        let first = tool.map_or(0, |tool| tool.args.len() + 1);
        let roots: Vec<String> = match candidate.edit {
            Edit::At(_) => (first..first + slots)
                .filter_map(|field| u32::try_from(field).ok())
                .map(|field| [Step::Field(field)])
                .filter(|steps| tool.is_some_and(|tool| moment::is_of_time(tool, steps)))
                .map(|steps| request.written(&steps))
                .collect(),
            _ => vec![request.written(candidate.root())],
        };
        let is_mine = |name: &String| roots.iter().any(|root| related(name, root));
        let mine = turns.iter().filter(|(about, _)| about.iter().any(is_mine));
        mine.map(|(_, turn)| turn.clone()).collect()
    }
}

/// Whether a change is of what the gate finds and shows by the conditions that turn; how much is used of a limit is a number.
fn is_found(tool: &Tool, candidate: &Candidate) -> bool {
    let slot = moment::slot(tool, &candidate.steps);
    candidate.into.is_empty()
        && slot.is_some_and(|slot| !matches!(slot, Slot::Lookup { .. } | Slot::Used { .. } | Slot::Each(_)))
}

fn element(list: &Ty) -> Ty {
    let list = list.required();
    list.element().unwrap_or_else(|| list.clone())
}

fn origin(subject: &Subject<'_>, steps: &[Step]) -> Origin {
    let args = subject
        .package
        .tools
        .get(subject.tool)
        .map_or(0, |tool| tool.args.len());
    let slots = subject.package.tools.get(subject.tool).map(|tool| &tool.slots);
    match steps {
        [Step::Field(first)] if *first as usize > args => {
            match slots.and_then(|slots| slots.get(*first as usize - args - 1)) {
                Some(Slot::Label { .. } | Slot::Each(_)) => Origin::Provenance,
                Some(Slot::Now | Slot::Window(_)) => Origin::Time,
                _ => Origin::Session,
            }
        }
        [Step::Field(first), Step::Field(field), ..] if *first as usize >= args => {
            let trust = subject
                .package
                .context
                .get(*field as usize)
                .map(|field| field.trust);
            match trust {
                Some(Trust::Claim) => Origin::Claim,
                _ => Origin::Fact,
            }
        }
        _ => Origin::Argument,
    }
}

/// The conditions that come out differently, with the places they are about.
fn turns(subject: &Subject<'_>, before: &Value, after: &Value) -> Vec<(Vec<String>, Turn)> {
    let Some(tool) = subject.package.tools.get(subject.tool) else {
        return Vec::new();
    };
    let mut out: Vec<(Vec<String>, Turn)> = Vec::new();
    for (_, cond) in subject.rules() {
        let [old, new] = [before, after].map(|record| {
            let frame = Frame::request(tool, &subject.package.context, record);
            walk::node(subject, cond, &[&frame])
        });
        let (mut old_leaves, mut new_leaves) = (Vec::new(), Vec::new());
        old.leaves(&mut old_leaves);
        new.leaves(&mut new_leaves);
        for (old, new) in old_leaves.into_iter().zip(new_leaves) {
            let Some(at) = new.at.clone().filter(|_| old.holds != new.holds) else {
                continue;
            };
            let turn = Turn {
                source: new.source.clone(),
                at,
                holds: new.holds,
            };
            if !out.iter().any(|(_, known)| *known == turn) {
                out.push((new.about.clone(), turn));
            }
        }
    }
    out
}

/// Whether a condition about one place can be about the other: `len(args.to)` is about `args.to`.
fn related(about: &str, root: &str) -> bool {
    let bare = |name: &str| name.trim_start_matches("len(").trim_end_matches(')').to_owned();
    let (about, root) = (bare(about), bare(root));
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    within(&about, &root) || within(&root, &about)
}
