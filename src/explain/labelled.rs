//! Changes of calls whose rules ask for the labels of elements. A rule sees such a list as a slot, with the labels beside
//! the elements; what is changed is the list itself, or what an adapter says of an element. In: changes of a bound
//! request. Out: the same as changes of the call, and what the adapter would say after them.

use super::candidate::{Candidate, Edit, overlaps};
use crate::domain::ArgumentOrigin;
use crate::hir::{Beside, Labelled, Slot, Step, Tool, labelled::within, place};
use crate::ty::Ty;

/// The slot with labels that a place of the request is.
pub(super) fn slot<'t>(tool: &'t Tool, steps: &[Step]) -> Option<&'t Labelled> {
    let [Step::Field(first)] = steps else { return None };
    match tool
        .slots
        .get((*first as usize).checked_sub(tool.args.len() + 1)?)?
    {
        Slot::Each(labelled) => Some(labelled),
        _ => None,
    }
}

/// Whether a change is one of what the adapter says of an element.
pub(super) fn is_turn(tool: &Tool, candidate: &Candidate) -> bool {
    slot(tool, candidate.root()).is_some()
}

/// Whether one change is of the labels of elements that the other moves or takes away.
pub(super) fn conflicts(tool: &Tool, a: &Candidate, b: &Candidate) -> bool {
    let of = |turn: &Candidate, other: &Candidate| {
        let list = slot(tool, turn.root()).map(|labelled| &labelled.list);
        let moves = other.into.is_empty() || !matches!(other.edit, Edit::Put(..));
        list.is_some_and(|list| moves && overlaps(list, other.root()))
    };
    of(a, b) || of(b, a)
}

/// A change of a slot as one of the call; as it is where it turns an element's labels. `None` for what has no counterpart.
pub(super) fn plain(tool: &Tool, candidate: Candidate) -> Option<Candidate> {
    let Some(labelled) = slot(tool, candidate.root()) else {
        return Some(candidate);
    };
    // The record with labels that the change lies in, as long as it lies in one.
    let mut record: Option<&Labelled> = None;
    let mut into = Vec::new();
    for (list, number) in &candidate.into {
        let entered = if into.is_empty() {
            Some(labelled)
        } else {
            inner(record, list)
        };
        into.push((plain_steps(entered, record, list), *number));
        record = entered;
    }
    let list = if into.is_empty() {
        Some(labelled)
    } else {
        inner(record, &candidate.steps)
    };
    let is_label = record.is_some_and(|of| matches!(of.beside(&candidate.steps), Some(Beside::Label { .. })));
    if is_label {
        return Some(candidate);
    }
    if list.is_some() && !matches!(candidate.edit, Edit::LeaveOut(_)) {
        return None;
    }
    Some(Candidate {
        steps: plain_steps(list, record, &candidate.steps),
        into,
        edit: candidate.edit,
    })
}

/// The list with labels that lies beside an element.
fn inner<'t>(record: Option<&'t Labelled>, steps: &[Step]) -> Option<&'t Labelled> {
    match record?.beside(steps)? {
        Beside::List(inner) => Some(inner),
        Beside::Label { .. } => None,
    }
}

fn plain_steps(list: Option<&Labelled>, record: Option<&Labelled>, steps: &[Step]) -> Vec<Step> {
    match (list, record) {
        (Some(list), _) => list.list.clone(),
        (None, Some(_)) => within(steps).to_vec(),
        (None, None) => steps.to_vec(),
    }
}

/// What an adapter that says this would say once elements are left out: entries move with their elements. `None` where
/// nothing moves.
pub(super) fn shifted<'c>(
    origins: Option<&[ArgumentOrigin]>,
    tool: &Tool,
    chosen: impl Iterator<Item = &'c Candidate>,
) -> Option<Vec<ArgumentOrigin>> {
    let mut said = origins?.to_vec();
    let mut moved = false;
    for candidate in chosen {
        if let Edit::LeaveOut(numbers) = &candidate.edit
            && let Some(list) = path(tool, candidate)
        {
            moved = true;
            said.retain_mut(|origin| stays(origin, &list, numbers));
        }
    }
    moved.then_some(said)
}

/// Whether an entry is about something that is still there; its number follows.
fn stays(origin: &mut ArgumentOrigin, list: &[String], gone: &[usize]) -> bool {
    if !origin.path.starts_with(list) {
        return true;
    }
    let step = origin.path.get_mut(list.len());
    let Some((step, number)) = step.and_then(|step| step.parse::<usize>().ok().map(|n| (step, n))) else {
        return true;
    };
    let before = gone.iter().filter(|one| **one < number).count();
    *step = number.saturating_sub(before).to_string();
    !gone.contains(&number)
}

/// The path of the list that elements are left out of; `None` where an adapter numbers its elements in another order.
fn path(tool: &Tool, candidate: &Candidate) -> Option<Vec<String>> {
    let mut path = Vec::new();
    let mut ty = Ty::Record(tool.args.clone());
    let into = candidate.into.iter().map(|(list, number)| (list, Some(number)));
    for (list, number) in into.chain([(&candidate.steps, None)]) {
        for at in list {
            let (name, next) = place::step(&ty, *at)?;
            path.push(name.to_owned());
            ty = next;
        }
        let Ty::List { element, .. } = ty.required() else {
            return None;
        };
        path.extend(number.map(usize::to_string));
        ty = (**element).clone();
    }
    Some(path)
}
