//! Single changes of a call, one for each class a variable could be in instead: another value, no value, elements left
//! out or one more. In: the bound request and what its rules ask. Out: changes, in the order of the tool's declaration;
//! each is known to make a value of the declared types. It judges nothing.

use super::questions::{List, Scope, Variable};
use crate::analysis::{Words, texts_of};
use crate::classes::{Classifier, sample};
use crate::hir::answer::{View, elements, holds, view};
use crate::hir::{Slot, Step, Term, Tool, place};
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeSet;

/// A change of one place of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// From the request into elements: the list, and the element's number.
    pub into: Vec<(Vec<Step>, usize)>,
    /// The place, from there.
    pub steps: Vec<Step>,
    /// What happens there.
    pub edit: Edit,
}

/// What happens at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Another value; numbers with the ends of their class.
    Put(Value, Option<(i128, i128)>),
    /// No value.
    Clear,
    /// The list without the elements of these numbers, ascending.
    LeaveOut(Vec<usize>),
    /// The list with one more element.
    Add(Value),
    /// The call at another time, in milliseconds from 1970-01-01T00:00:00Z.
    At(i128),
}

impl Candidate {
    /// Makes the change; `None` where it cannot be made.
    pub fn apply(&self, record: &mut Value, ty: &Ty) -> Option<()> {
        let (mut holder, mut ty) = (record, ty.clone());
        for (list, number) in &self.into {
            ty = element_ty(&ty, list)?;
            holder = element(holder, list, *number)?;
        }
        match &self.edit {
            Edit::Put(value, _) => place::put(holder, &ty, &self.steps, value),
            Edit::Clear => place::clear(holder, &ty, &self.steps),
            Edit::LeaveOut(numbers) => {
                let items = list(holder, &self.steps)?;
                let mut number = 0..;
                items.retain(|_| number.next().is_none_or(|n| !numbers.contains(&n)));
                Some(())
            }
            Edit::Add(value) => {
                let max = match place::ty_at(&ty, &self.steps)? {
                    Ty::List { max, .. } | Ty::Set { max, .. } | Ty::Map { max, .. } => max,
                    _ => return None,
                };
                if view(holder, &self.steps) == View::Absent {
                    place::put(holder, &ty, &self.steps, &Value::list(Vec::new()))?;
                }
                let items = list(holder, &self.steps)?;
                items.push(value.clone());
                (items.len() as u64 <= max).then_some(())
            }
            // What follows from the time is the gate's to find.
            Edit::At(_) => Some(()),
        }
    }

    /// The place of the request the change lies in.
    pub fn root(&self) -> &[Step] {
        self.into.first().map_or(&self.steps, |(list, _)| list)
    }

    /// Whether one change would undo the other, or both are of one variable.
    pub fn conflicts(&self, other: &Candidate) -> bool {
        if let (Edit::At(_), Edit::At(_)) = (&self.edit, &other.edit) {
            return true;
        }
        let common = self
            .into
            .iter()
            .zip(&other.into)
            .take_while(|(a, b)| a == b)
            .count();
        let rest = |of: &Candidate| of.into.get(common).map(|(list, _)| list.clone());
        match (rest(self), rest(other)) {
            (None, None) => overlaps(&self.steps, &other.steps),
            // One changes a list, the other an element of it.
            (None, Some(list)) => overlaps(&self.steps, &list),
            (Some(list), None) => overlaps(&list, &other.steps),
            (Some(_), Some(_)) => false,
        }
    }
}

/// Whether one place lies in the other.
pub(super) fn overlaps(a: &[Step], b: &[Step]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn element_ty(ty: &Ty, list: &[Step]) -> Option<Ty> {
    let list = place::ty_at(ty, list)?;
    Some(list.element().unwrap_or(list))
}

fn descend<'v>(mut value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    for step in steps {
        value = match (step, value) {
            (Step::Field(index), Value::Record(fields)) => fields.get_mut(*index as usize)?,
            _ => return None,
        };
    }
    Some(value)
}

fn element<'v>(value: &'v mut Value, steps: &[Step], number: usize) -> Option<&'v mut Value> {
    match descend(value, steps)? {
        Value::List(items) => items.make_mut().get_mut(number),
        one => Some(one),
    }
}

fn list<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Vec<Value>> {
    match descend(value, steps)? {
        Value::List(items) => Some(items.make_mut()),
        _ => None,
    }
}

/// Every single change of a request: its record, the type of that, and what its rules ask.
pub(super) fn all(record: &Value, ty: &Ty, scopes: &[Scope<'_>]) -> Vec<Candidate> {
    let mut finder = Finder {
        record,
        ty,
        scopes,
        out: Vec::new(),
    };
    finder.scope(0, &[record], ty, &[]);
    finder.commands(ty, &mut Vec::new());
    finder.out
}

/// Other keys of the maps that rules look something up in.
pub(super) fn keys(record: &Value, ty: &Ty, tool: &Tool) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    for slot in &tool.slots {
        let Slot::Lookup {
            map,
            key: Term::Place(key) | Term::Else(key, _),
            ..
        } = slot
        else {
            continue;
        };
        let entries = elements(record, &map.steps).iter();
        for entry in entries.take(limits::EXPLAINED_ELEMENTS) {
            let Some(name) = entry.fields().and_then(<[Value]>::first) else {
                continue;
            };
            let candidate = Candidate {
                into: Vec::new(),
                steps: key.steps.clone(),
                edit: Edit::Put(name.clone(), None),
            };
            let mut changed = record.clone();
            let is_change = candidate.apply(&mut changed, ty).is_some() && changed != *record;
            if is_change && !out.contains(&candidate) {
                out.push(candidate);
            }
        }
    }
    out
}

struct Finder<'f> {
    record: &'f Value,
    ty: &'f Ty,
    scopes: &'f [Scope<'f>],
    out: Vec<Candidate>,
}

impl Finder<'_> {
    /// Keeps a change that can be made and is one.
    fn offer(&mut self, into: &[(Vec<Step>, usize)], steps: &[Step], edit: Edit) {
        let candidate = Candidate {
            into: into.to_vec(),
            steps: steps.to_vec(),
            edit,
        };
        let mut changed = self.record.clone();
        if candidate.apply(&mut changed, self.ty).is_some()
            && changed != *self.record
            && !self.out.contains(&candidate)
        {
            self.out.push(candidate);
        }
    }

    /// The changes of one record or element, the last of `chain`.
    fn scope(&mut self, number: usize, chain: &[&Value], ty: &Ty, into: &[(Vec<Step>, usize)]) {
        let scopes = self.scopes;
        let (Some(scope), Some(value)) = (scopes.get(number), chain.last()) else {
            return;
        };
        for (steps, variable) in &scope.variables {
            for edit in edits(variable, steps, &view(value, steps)) {
                self.offer(into, steps, edit);
            }
        }
        for relation in &scope.relations {
            for (steps, new) in relation.changes(chain) {
                for new in rounded(new, place::ty_at(self.ty, &steps)) {
                    self.offer(into, &steps, Edit::Put(new, None));
                }
            }
        }
        for (steps, list) in &scope.lists {
            self.list(list, steps, chain, ty, into);
        }
    }

    fn list(
        &mut self,
        list: &List<'_>,
        steps: &[Step],
        chain: &[&Value],
        ty: &Ty,
        into: &[(Vec<Step>, usize)],
    ) {
        let (Some(value), Some(element_ty)) = (chain.last(), element_ty(ty, steps)) else {
            return;
        };
        let items = elements(value, steps);
        let is_list = place::ty_at(ty, steps).is_some_and(|ty| ty.element().is_some());
        for (level, body) in &list.bodies {
            let satisfies = |item: &&Value| {
                let mut inner = chain.to_vec();
                inner.resize(*level as usize, item);
                inner.push(item);
                holds(body, &inner)
            };
            let (yes, no): (Vec<usize>, Vec<usize>) =
                (0..items.len()).partition(|at| items.get(*at).is_some_and(|item| satisfies(&item)));
            if is_list {
                self.offer(into, steps, Edit::LeaveOut(yes));
                self.offer(into, steps, Edit::LeaveOut(no));
            } else {
                self.offer(into, steps, Edit::Clear);
            }
        }
        for (number, item) in items.iter().enumerate().take(limits::EXPLAINED_ELEMENTS) {
            let mut deeper = into.to_vec();
            deeper.push((steps.to_vec(), number));
            let mut inner = chain.to_vec();
            inner.push(item);
            self.scope(list.scope, &inner, &element_ty, &deeper);
        }
        for item in self.fresh(list.scope, &element_ty) {
            let edit = match (is_list, items.len()) {
                (true, 0) => Edit::Add(item),
                (false, 0) => Edit::Put(item, None),
                // More elements than can be changed one by one.
                (true, n) if n > limits::NEAREST_CHANGES => Edit::Put(Value::list(vec![item]), None),
                _ => continue,
            };
            self.offer(into, steps, edit);
        }
    }

    /// Whole command lines: their parts follow from the text, so none can be changed by itself. Offered is each program
    /// that the rules name, alone and with each operand they name.
    fn commands(&mut self, ty: &Ty, at: &mut Vec<Step>) {
        match ty.required() {
            Ty::Command => {
                let (mut programs, mut operands) = (Vec::new(), Vec::new());
                let lists = self.scopes.first().map(|scope| &scope.lists);
                for (steps, list) in lists
                    .into_iter()
                    .flatten()
                    .filter(|(steps, _)| steps.starts_with(at))
                {
                    let Some(element) = element_ty(self.ty, steps) else {
                        continue;
                    };
                    let name = place::written("", self.ty, steps);
                    self.words(list.scope, &element, &name, (&mut programs, &mut operands));
                }
                let alone = programs.iter().cloned();
                let with = programs
                    .iter()
                    .flat_map(|p| operands.iter().map(move |o| format!("{p} {o}")));
                let lines: Vec<String> = alone.chain(with).collect();
                for line in lines {
                    if let Some(value) = place::of_text(&line, ty) {
                        self.offer(&[], at, Edit::Put(value, None));
                    }
                }
            }
            Ty::Record(fields) => {
                for (index, field) in (0u32..).zip(fields) {
                    at.push(Step::Field(index));
                    self.commands(&field.ty, at);
                    at.pop();
                }
            }
            ty => self.written(ty, at),
        }
    }

    /// Other texts of a value that is read from one: the plainest of each kind that the rules tell apart.
    fn written(&mut self, ty: &Ty, at: &[Step]) {
        let mut words = Words::new();
        self.parts(0, self.ty, (at, ""), &mut words);
        let mut known: BTreeSet<Vec<u32>> = BTreeSet::from([self.told_apart(0, self.record)]);
        let texts = texts_of(ty, &words);
        for text in texts.iter().take(limits::EXPLAINED_TEXTS) {
            let Some(value) = place::of_text(text, ty) else {
                continue;
            };
            let mut changed = self.record.clone();
            let put = place::put(&mut changed, self.ty, at, &value);
            if put.is_some() && known.insert(self.told_apart(0, &changed)) {
                self.offer(&[], at, Edit::Put(value, None));
            }
        }
    }

    /// The words that rules ask for below some steps, by the name of the part they are asked of.
    fn parts(&self, scope: usize, ty: &Ty, (at, name): (&[Step], &str), words: &mut Words) {
        let Some(scope) = self.scopes.get(scope) else {
            return;
        };
        let part = |steps: &[Step]| {
            let rest = steps.strip_prefix(at)?;
            let mut here = (name.to_owned(), place::ty_at(ty, at)?);
            for step in rest {
                let (name, next) = place::step(&here.1, *step)?;
                here = (name.to_owned(), next.required().clone());
            }
            Some(here)
        };
        for (steps, variable) in &scope.variables {
            let Some((name, _)) = part(steps) else { continue };
            let samples = edits(variable, steps, &View::Absent);
            let texts = samples.iter().filter_map(|edit| match edit {
                Edit::Put(Value::Num(n), _) => Some(n.to_string()),
                Edit::Put(value, _) => value.text().map(str::to_owned),
                _ => None,
            });
            let texts = texts.filter(|text| !text.is_empty());
            words.entry(name).or_default().extend(texts);
        }
        for (steps, list) in &scope.lists {
            if let Some((name, ty)) = part(steps) {
                let element = ty.element().unwrap_or(ty);
                self.parts(list.scope, &element, (&[], &name), words);
            }
        }
    }

    /// The classes that the variables of a record or element are in, and those of the elements of its lists.
    fn told_apart(&self, scope: usize, value: &Value) -> Vec<u32> {
        let Some(scope) = self.scopes.get(scope) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for (steps, variable) in &scope.variables {
            let seen = view(value, steps);
            let classes = variable.groups.iter();
            out.extend(classes.map(|group| group.classifier.class(&seen).unwrap_or(group.absent())));
        }
        for (steps, list) in &scope.lists {
            let items = elements(value, steps).iter();
            let kinds: BTreeSet<Vec<u32>> = items.map(|item| self.told_apart(list.scope, item)).collect();
            out.extend(
                kinds
                    .into_iter()
                    .flat_map(|kind| kind.into_iter().chain([u32::MAX])),
            );
            out.push(u32::MAX);
        }
        out
    }

    /// The samples of the texts that are asked about below a list, those of programs apart; a few of each.
    fn words(
        &self,
        scope: usize,
        element: &Ty,
        name: &str,
        (programs, operands): (&mut Vec<String>, &mut Vec<String>),
    ) {
        let Some(scope) = self.scopes.get(scope) else {
            return;
        };
        for (steps, variable) in &scope.variables {
            let name = place::written(name, element, steps);
            let is_program = name.ends_with("programs") || name.ends_with(".program");
            let words = if is_program {
                &mut *programs
            } else {
                &mut *operands
            };
            for edit in edits(variable, steps, &View::Absent) {
                if let Edit::Put(value, _) = &edit
                    && let Some(text) = value.text().filter(|text| !text.is_empty())
                    && words.len() < limits::EXPLAINED_ELEMENTS
                    && !words.iter().any(|word| word == text)
                {
                    words.push(text.to_owned());
                }
            }
        }
        for (steps, list) in &scope.lists {
            let Some(inner) = element_ty(element, steps) else {
                continue;
            };
            let name = place::written(name, element, steps);
            self.words(list.scope, &inner, &name, (&mut *programs, &mut *operands));
        }
    }

    /// Elements for a list: the plainest, and one for each class of each variable.
    fn fresh(&self, scope: usize, ty: &Ty) -> Vec<Value> {
        let Some(plain) = place::plain(ty.required()) else {
            return Vec::new();
        };
        let mut out = vec![plain.clone()];
        for (steps, variable) in self.scopes.get(scope).iter().flat_map(|s| &s.variables) {
            for edit in edits(variable, steps, &view(&plain, steps)) {
                let mut item = plain.clone();
                if let Edit::Put(new, _) = edit
                    && place::put(&mut item, ty, steps, &new).is_some()
                {
                    out.push(item);
                }
            }
        }
        out
    }
}

/// A value, after the whole seconds around it where it is a moment: people say those.
fn rounded(value: Value, ty: Option<Ty>) -> Vec<Value> {
    match (&value, ty.as_ref().map(Ty::required)) {
        (Value::Num(n), Some(Ty::Instant)) if n.rem_euclid(1000) != 0 => {
            let down = n - n.rem_euclid(1000);
            vec![Value::Num(down), Value::Num(down.saturating_add(1000)), value]
        }
        _ => vec![value],
    }
}

/// One edit for each class the variable is not in: numbers the nearest first, the missing value last.
fn edits(variable: &Variable, steps: &[Step], seen: &View<'_>) -> Vec<Edit> {
    let part = match steps.last() {
        Some(Step::Part(part)) => Some(*part),
        _ => None,
    };
    let kind = sample::Kind {
        ty: &variable.ty,
        part,
    };
    let mut out: Vec<Edit> = Vec::new();
    for group in &variable.groups {
        let current = group.classifier.class(seen).unwrap_or(group.absent());
        let mut classes: Vec<u32> = (0..group.absent()).filter(|class| *class != current).collect();
        if let Classifier::Cuts(cuts) = &group.classifier {
            classes.sort_by_key(|class| (class.abs_diff(current), *class));
            for class in classes {
                if let Some((lo, hi)) = sample::interval(&variable.ty, cuts, class) {
                    let nearest = match seen {
                        View::Num(n) => *(n.clamp(&lo, &hi)),
                        _ if lo <= 0 && hi >= 0 => 0,
                        _ if lo > 0 => lo,
                        _ => hi,
                    };
                    out.push(Edit::Put(Value::Num(nearest), Some((lo, hi))));
                }
            }
            continue;
        }
        let samples = sample::samples(kind, &group.classifier, group.count);
        for class in classes {
            if let Some(Some(value)) = samples.get(class as usize) {
                out.push(Edit::Put(value.clone(), None));
            }
        }
    }
    out.push(Edit::Clear);
    out
}
