//! Values in which what is asked holds, part by part: of single places, and of lists by some element or by none. In: a
//! value and what is asked of it. Out: the value changed; whether all of it holds is told by looking.

use crate::analysis::diagram::Asked;
use crate::classes::{ClassSet, sample};
use crate::hir::answer::{View, elements, view};
use crate::hir::{Part, Step, place};
use crate::ir::space::{Level, List, Needs, Variable};
use crate::ty::Ty;
use crate::value::Value;

/// How often what is asked is put in again, where putting one thing in has changed another.
pub(super) const ROUNDS: usize = 3;

/// What is asked of a variable.
type Asks<'a> = (&'a Variable, &'a ClassSet);

/// Puts what is asked into a record or element; false where that was not managed.
pub(super) fn fill(value: &mut Value, ty: &Ty, level: &Level, wants: &Needs) -> bool {
    for round in 0..ROUNDS {
        for (variable, classes) in &wants.classes {
            let Some(variable) = level.variables.get(*variable as usize) else {
                return false;
            };
            if !classes.contains(class_at(value, variable)) {
                let here = wants.classes.iter().filter_map(|(number, classes)| {
                    let other = level.variables.get(*number as usize)?;
                    (other.steps == variable.steps).then_some((other, classes))
                });
                put(value, ty, (variable, classes), &here.collect::<Vec<_>>(), round);
            }
        }
        for (number, list) in (0u32..).zip(&level.lists) {
            let asked: Vec<(u32, bool)> = wants
                .lists
                .iter()
                .filter(|(of, ..)| *of == number)
                .map(|(_, predicate, wanted)| (*predicate, *wanted))
                .collect();
            for (predicate, wanted) in &asked {
                if *wanted && !some(value, list, *predicate) {
                    add(value, ty, list, *predicate, &asked);
                }
            }
            mend(value, ty, list, &asked);
        }
        if meets(value, level, wants) {
            return true;
        }
    }
    false
}

/// Whether a record or element is as asked.
pub(super) fn meets(value: &Value, level: &Level, wants: &Needs) -> bool {
    let class = |(variable, classes): &Asked| {
        let variable = level.variables.get(*variable as usize);
        variable.is_some_and(|variable| classes.contains(class_at(value, variable)))
    };
    let list = |(list, predicate, wanted): &(u32, u32, bool)| {
        let list = level.lists.get(*list as usize);
        list.is_some_and(|list| some(value, list, *predicate) == *wanted)
    };
    wants.classes.iter().all(class) && wants.lists.iter().all(list)
}

fn class_at(value: &Value, variable: &Variable) -> u32 {
    let absent = variable.count.saturating_sub(1);
    let seen = view(value, &variable.steps);
    variable.classifier.class(&seen).unwrap_or(absent)
}

/// Whether some element of a list satisfies a predicate.
fn some(value: &Value, list: &List, predicate: u32) -> bool {
    let rows = list.predicates.get(predicate as usize);
    let elements = elements(value, &list.steps);
    elements
        .iter()
        .any(|element| rows.is_some_and(|rows| rows.iter().any(|needs| meets(element, &list.element, needs))))
}

/// Values of the classes of a variable.
pub(in crate::analysis) fn fitting(variable: &Variable, classes: &ClassSet) -> Vec<Value> {
    let part = match variable.steps.last() {
        Some(Step::Part(part)) if *part != Part::Len => Some(*part),
        _ => None,
    };
    let kind = sample::Kind {
        ty: &variable.ty,
        part,
    };
    let samples = sample::samples(kind, &variable.classifier, variable.count);
    let of = |class: u32| samples.get(class as usize)?.clone();
    classes.iter().filter_map(of).collect()
}

/// Puts a value of one of the classes, another one each round; one that suits all that is asked of the place, where one is
/// found.
fn put(value: &mut Value, ty: &Ty, (variable, classes): Asks<'_>, here: &[Asks<'_>], round: usize) {
    let mut own = fitting(variable, classes);
    if own.is_empty() {
        return;
    }
    let turn = round % own.len();
    own.rotate_left(turn);
    let others = here
        .iter()
        .flat_map(|(variable, classes)| fitting(variable, classes));
    let with = |sample: &Value| {
        let mut changed = value.clone();
        match sample {
            Value::Absent => place::clear(&mut changed, ty, &variable.steps)?,
            sample => place::put(&mut changed, ty, &variable.steps, sample)?,
        }
        classes.contains(class_at(&changed, variable)).then_some(changed)
    };
    let suits = |value: &Value| {
        here.iter()
            .all(|(of, classes)| classes.contains(class_at(value, of)))
    };
    let found = own
        .iter()
        .cloned()
        .chain(others)
        .filter_map(|sample| with(&sample));
    let found = found
        .into_iter()
        .find(suits)
        .or_else(|| own.iter().find_map(with));
    if let Some(found) = found {
        *value = found;
    }
}

/// Replaces the elements that satisfy what none must.
fn mend(value: &mut Value, ty: &Ty, list: &List, asked: &[(u32, bool)]) {
    let Some(element_ty) = place::ty_at(ty, &list.steps).and_then(|of| of.element()) else {
        return;
    };
    let holds = |element: &Value, predicate: u32| {
        let rows = list.predicates.get(predicate as usize);
        rows.is_some_and(|rows| rows.iter().any(|needs| meets(element, &list.element, needs)))
    };
    let is_wrong = |element: &Value| {
        asked
            .iter()
            .any(|(predicate, wanted)| !wanted && holds(element, *predicate))
    };
    let items = elements(value, &list.steps).to_vec();
    if !items.iter().any(is_wrong) {
        return;
    }
    let ways = without(list, asked);
    let other = ways.iter().find_map(|way| {
        let mut element = place::plain(element_ty.required())?;
        let needs = Needs {
            classes: way.clone(),
            lists: Vec::new(),
        };
        (fill(&mut element, &element_ty, &list.element, &needs) && !is_wrong(&element)).then_some(element)
    });
    let Some(other) = other else { return };
    let items = items
        .into_iter()
        .map(|item| if is_wrong(&item) { other.clone() } else { item });
    let mut changed = value.clone();
    if place::put(&mut changed, ty, &list.steps, &Value::list(items.collect())).is_some() {
        *value = changed;
    }
}

/// Adds an element that satisfies a predicate and none that must not be satisfied.
fn add(value: &mut Value, ty: &Ty, list: &List, predicate: u32, asked: &[(u32, bool)]) {
    let (Some(rows), Some(of)) = (
        list.predicates.get(predicate as usize),
        place::ty_at(ty, &list.steps),
    ) else {
        return;
    };
    let element_ty = of.element().unwrap_or_else(|| of.clone());
    let Some(plain) = place::plain(element_ty.required()) else {
        return;
    };
    let forbidden = |element: &Value| {
        let holds = |predicate: &u32| {
            let rows = list.predicates.get(*predicate as usize);
            rows.is_some_and(|rows| rows.iter().any(|needs| meets(element, &list.element, needs)))
        };
        asked
            .iter()
            .any(|(predicate, wanted)| !wanted && holds(predicate))
    };
    // What must not be satisfied is kept from being so one literal at a time.
    for needs in rows {
        for also in without(list, asked) {
            let mut all = needs.clone();
            all.classes.extend(also);
            let mut element = plain.clone();
            if !fill(&mut element, &element_ty, &list.element, &all) || forbidden(&element) {
                continue;
            }
            let mut changed = value.clone();
            let whole = match view(value, &list.steps) {
                View::Whole(Value::List(items)) => {
                    let items = items.iter().cloned().chain([element]);
                    Value::list(items.collect())
                }
                _ if of.element().is_some() => Value::list(vec![element]),
                _ => element,
            };
            if place::put(&mut changed, ty, &list.steps, &whole).is_some() {
                *value = changed;
                return;
            }
        }
    }
}

/// Ways to keep an element from satisfying what none may: nothing, or one class literal of each turned round.
fn without(list: &List, asked: &[(u32, bool)]) -> Vec<Vec<Asked>> {
    const MOST: usize = 64;
    let mut ways: Vec<Vec<Asked>> = vec![Vec::new()];
    let forbidden = asked.iter().filter(|(_, wanted)| !wanted);
    let rows = forbidden.filter_map(|(predicate, _)| list.predicates.get(*predicate as usize));
    for needs in rows.flatten() {
        let mut next = Vec::new();
        for way in &ways {
            for (variable, classes) in &needs.classes {
                let mut way = way.clone();
                way.push((*variable, classes.complement()));
                next.push(way);
            }
        }
        next.truncate(MOST);
        if !next.is_empty() {
            ways = next;
        }
    }
    ways.insert(0, Vec::new());
    ways
}
