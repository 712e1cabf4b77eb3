//! Which combinations of classes some call has. Variables are cut one by one, but the parts of one value, the elements
//! of one list and the labels of one argument depend on each other. In: the variables of a record or element and its
//! type. Out: a function that is true of every value there can be. It may be true of more: what it excludes is proved,
//! what it keeps is not.

mod parsed;
mod sizes;

use super::diagram::{Function, TooLarge};
use super::logic::Logic;
use super::{Calls, Means};
use crate::classes::classifier::Texts;
use crate::classes::{self, ClassSet, Classifier, sample};
use crate::hir::answer::view;
use crate::hir::{Part, Step, place};
use crate::ir::space::{Level, List, Needs, Variable};
use crate::ty::Ty;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TooLarge>;

/// Kinds of elements told apart by what is asked of a list, at most; of more nothing is known.
const KINDS: usize = 64;

/// What holds of every value of a type.
pub(super) fn possible(calls: &mut Calls, ty: &Ty) -> Result<Function> {
    let level = calls.level.clone();
    let mut all = Function::EVERYTHING;
    for (number, variable) in (0u32..).zip(&level.variables) {
        let classes = inhabited(variable, ty);
        let own = calls.logic.is(number, &classes)?;
        all = calls.logic.and(all, own)?;
    }
    for (number, variable) in (0u32..).zip(&level.variables) {
        for (other_number, other) in (0u32..).zip(&level.variables) {
            if number != other_number && other.steps.starts_with(&variable.steps) {
                let parts = parts(&mut calls.logic, (number, variable), (other_number, other))?;
                all = calls.logic.and(all, parts)?;
            }
        }
    }
    for (number, list) in level.lists.iter().enumerate() {
        let elements = elements(calls, number, list, ty)?;
        all = calls.logic.and(all, elements)?;
        let size = size(calls, number, list, (&level, ty))?;
        all = calls.logic.and(all, size)?;
    }
    let parsed = parsed::possible(calls, ty)?;
    calls.logic.and(all, parsed)
}

/// The classes of a variable that a value of its type can be in.
fn inhabited(variable: &Variable, ty: &Ty) -> ClassSet {
    let mut classes = ClassSet::empty(variable.count);
    let absent = variable.count.saturating_sub(1);
    let length = variable
        .steps
        .split_last()
        .filter(|(last, _)| **last == Step::Part(Part::Len));
    let longest = length.and_then(|(_, of)| longest(&place::ty_at(ty, of)?));
    let empty = match &variable.classifier {
        Classifier::Texts(texts) => too_long(texts, &variable.ty),
        _ => BTreeSet::new(),
    };
    let is_there = |class: u32| match &variable.classifier {
        Classifier::Cuts(cuts) => {
            let interval = sample::interval(&variable.ty, cuts, class);
            interval.is_some_and(|(least, most)| {
                length.is_none() || most >= 0 && longest.is_none_or(|longest| least <= longest)
            })
        }
        Classifier::Members(of) => of.contains(&class),
        Classifier::Texts(texts) => {
            let (known, ..) = texts.parts();
            let is_value = |text: &str| place::of_text(text, &variable.ty).is_some();
            !closed(&variable.classifier, class) && !empty.contains(&class)
                || known.iter().any(|(text, of)| *of == class && is_value(text))
        }
        Classifier::Any | Classifier::Bool => true,
    };
    (0..absent)
        .filter(|class| is_there(*class))
        .for_each(|class| classes.insert(class));
    if variable
        .steps
        .ends_with(&[Step::Part(Part::Domain), Step::Part(Part::Ip)])
    {
        classes = ClassSet::empty(variable.count);
    }
    if may_be_missing(ty, &variable.steps) {
        classes.insert(absent);
    }
    classes
}

/// The classes without a text, or without one that is short enough.
fn too_long(texts: &Texts, ty: &Ty) -> BTreeSet<u32> {
    let mut empty = classes::empty(texts, ty);
    if let (Some(longest), Ty::String { .. }) = (longest(ty), ty.required()) {
        let lengths = classes::lengths(texts, ty).into_iter();
        let longer = lengths.filter(|(_, (least, _))| i128::from(*least) > longest);
        empty.extend(longer.map(|(class, _)| class));
    }
    empty
}

/// Whether a place is the number of elements of what is quantified over. An optional text is quantified over, too, and its
/// length is that of the text.
pub(super) fn is_length(steps: &[Step], list: &[Step], ty: &Ty) -> bool {
    let of = || place::ty_at(ty, list).is_some_and(|of| of.required().element().is_some());
    steps.strip_prefix(list) == Some(&[Step::Part(Part::Len)]) && of()
}

/// The greatest length of a value of a type, where the type says one.
pub(super) fn longest(ty: &Ty) -> Option<i128> {
    match ty.required() {
        Ty::String { max } | Ty::List { max, .. } | Ty::Set { max, .. } | Ty::Map { max, .. } => {
            Some(i128::from(*max))
        }
        _ => None,
    }
}

/// Whether a place may hold nothing.
pub(super) fn may_be_missing(ty: &Ty, steps: &[Step]) -> bool {
    let mut ty = ty.clone();
    for at in steps {
        // A host need not be an address, and the domain of an email address never is one.
        if *at == Step::Part(Part::Ip) || ty.is_optional() {
            return true;
        }
        match place::step(&ty, *at) {
            Some((_, next)) => ty = next,
            // What the gate computes is there, but for what it looks up.
            None => return true,
        }
    }
    ty.is_optional()
}

/// Whether a class has none but texts that are known one by one.
fn closed(classifier: &Classifier, class: u32) -> bool {
    matches!(classifier, Classifier::Texts(texts) if classes::is_listed(texts, class))
}

/// A text that is known has known parts, and is in known classes of the other groups of its place.
fn parts(
    logic: &mut Logic,
    (whole_number, whole): (u32, &Variable),
    (part_number, part): (u32, &Variable),
) -> Result<Function> {
    let Classifier::Texts(texts) = &whole.classifier else {
        return Ok(Function::EVERYTHING);
    };
    let (known, ..) = texts.parts();
    let Some(rest) = part.steps.get(whole.steps.len()..) else {
        return Ok(Function::EVERYTHING);
    };
    let mut all = match rest {
        [Step::Part(Part::Len)] => lengths(logic, (whole_number, whole), (part_number, part))?,
        _ => Function::EVERYTHING,
    };
    for class in (0..whole.count.saturating_sub(1)).filter(|class| closed(&whole.classifier, *class)) {
        let mut classes = ClassSet::empty(part.count);
        for (text, _) in known.iter().filter(|(_, of)| *of == class) {
            if let Some(value) = place::of_text(text, &whole.ty) {
                let absent = part.count.saturating_sub(1);
                classes.insert(part.classifier.class(&view(&value, rest)).unwrap_or(absent));
            }
        }
        let mut here = ClassSet::empty(whole.count);
        here.insert(class);
        let (here, then) = (logic.is(whole_number, &here)?, logic.is(part_number, &classes)?);
        let against = logic.without(here, then)?;
        all = logic.without(all, against)?;
    }
    Ok(all)
}

/// A text is as long as the texts of its class are.
fn lengths(
    logic: &mut Logic,
    (whole_number, whole): (u32, &Variable),
    (part_number, part): (u32, &Variable),
) -> Result<Function> {
    let (Classifier::Texts(texts), Classifier::Cuts(cuts)) = (&whole.classifier, &part.classifier) else {
        return Ok(Function::EVERYTHING);
    };
    let mut all = Function::EVERYTHING;
    for (class, (least, most)) in classes::lengths(texts, &whole.ty) {
        let (least, most) = (i128::from(least), most.map_or(i128::MAX, i128::from));
        let fits = |of: &u32| {
            let interval = sample::interval(&part.ty, cuts, *of);
            interval.is_some_and(|(low, high)| low <= most && high >= least)
        };
        let mut lengths = ClassSet::empty(part.count);
        (0..part.count.saturating_sub(1))
            .filter(fits)
            .for_each(|of| lengths.insert(of));
        let mut here = ClassSet::empty(whole.count);
        here.insert(class);
        let (here, then) = (logic.is(whole_number, &here)?, logic.is(part_number, &lengths)?);
        let against = logic.without(here, then)?;
        all = logic.without(all, against)?;
    }
    Ok(all)
}

/// What is asked of a list's elements holds together as it does of kinds of elements there are: whatever is true of
/// some element is so because of one of a kind of which nothing is true that must not be.
fn elements(calls: &mut Calls, number: usize, list: &List, ty: &Ty) -> Result<Function> {
    let Some(of) = place::ty_at(ty, &list.steps) else {
        return Ok(Function::EVERYTHING);
    };
    let element_ty = of.element().unwrap_or(of);
    let Some(kinds) = kinds(list, &element_ty, calls.element_edges)? else {
        return Ok(Function::EVERYTHING);
    };
    let variables: Vec<Function> = (0..list.predicates.len())
        .map(|predicate| calls.predicate(number, predicate))
        .collect::<Result<_>>()?;
    let mut all = Function::EVERYTHING;
    for (predicate, own) in variables.iter().enumerate() {
        let mut because = Function::NOTHING;
        for kind in kinds.iter().filter(|kind| kind.get(predicate) == Some(&true)) {
            let mut satisfied = Function::EVERYTHING;
            for (other, holds) in variables.iter().zip(kind) {
                if *holds {
                    satisfied = calls.logic.and(satisfied, *other)?;
                }
            }
            because = calls.logic.or(because, satisfied)?;
        }
        let against = calls.logic.without(*own, because)?;
        all = calls.logic.without(all, against)?;
    }
    let sizes = sizes::possible(calls, (list, ty), &variables, &kinds)?;
    calls.logic.and(all, sizes)
}

/// The kinds of elements there may be, by which predicates hold of them.
fn kinds(list: &List, ty: &Ty, edges: usize) -> Result<Option<Vec<Vec<bool>>>> {
    let mut calls = Calls::over(list.element.clone(), ty, Means::edges(edges, edges))?;
    let mut kinds = vec![(calls.possible, Vec::new())];
    for rows in &list.predicates {
        let holds = rows.iter().map(|row| conjunction(&mut calls, row));
        let holds: Vec<Function> = holds.collect::<Result<_>>()?;
        let holds = calls.logic.any(holds)?;
        let mut split = Vec::new();
        for (kind, known) in kinds {
            let both = [
                (calls.logic.and(kind, holds)?, true),
                (calls.logic.without(kind, holds)?, false),
            ];
            for (kind, is) in both {
                if kind != Function::NOTHING {
                    let mut known = known.clone();
                    known.push(is);
                    split.push((kind, known));
                }
            }
        }
        if split.len() > KINDS {
            return Ok(None);
        }
        kinds = split;
    }
    Ok(Some(kinds.into_iter().map(|(_, known)| known).collect()))
}

fn conjunction(calls: &mut Calls, needs: &Needs) -> Result<Function> {
    let mut all = Function::EVERYTHING;
    for (variable, classes) in &needs.classes {
        let one = calls.logic.is(*variable, classes)?;
        all = calls.logic.and(all, one)?;
    }
    for (list, predicate, wanted) in &needs.lists {
        let one = calls.predicate(*list as usize, *predicate as usize)?;
        all = match wanted {
            true => calls.logic.and(all, one)?,
            false => calls.logic.without(all, one)?,
        };
    }
    Ok(all)
}

/// A list that is missing or empty has no element of which anything holds.
fn size(calls: &mut Calls, number: usize, list: &List, (level, ty): (&Level, &Ty)) -> Result<Function> {
    let mut all = Function::EVERYTHING;
    for (at, variable) in (0u32..).zip(&level.variables) {
        let is_length = is_length(&variable.steps, &list.steps, ty);
        let is_whole = variable.steps == list.steps;
        if !is_length && !is_whole {
            continue;
        }
        let mut none = ClassSet::empty(variable.count);
        none.insert(variable.count.saturating_sub(1));
        if let (Classifier::Cuts(cuts), true) = (&variable.classifier, is_length) {
            let empty = |class: &u32| {
                let interval = sample::interval(&variable.ty, cuts, *class);
                interval.is_none_or(|(_, most)| most <= 0)
            };
            let classes = 0..variable.count.saturating_sub(1);
            classes.filter(empty).for_each(|class| none.insert(class));
        }
        let none = calls.logic.is(at, &none)?;
        for predicate in 0..list.predicates.len() {
            let some = calls.predicate(number, predicate)?;
            let against = calls.logic.and(none, some)?;
            all = calls.logic.without(all, against)?;
        }
    }
    Ok(all)
}
