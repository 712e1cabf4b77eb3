//! How many elements a list has, and what is asked of them: a list that is not empty has an element of some kind, one of few
//! elements has few kinds. In: the kinds of elements there may be. Out: a function that is true of every list.

use super::super::Calls;
use super::super::diagram::{Function, TooLarge};
use crate::classes::{ClassSet, Classifier, sample};
use crate::ir::space::{List, Variable};
use crate::ty::Ty;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TooLarge>;

/// Ways in which what is asked holds together, at most; of more nothing is known.
const WAYS: usize = 64;
/// Elements of a list that counts as short, at most.
const SHORT: i128 = 4;

/// What holds of a list by its size: by the variables of its predicates, and which of them hold of each kind of element.
pub(super) fn possible(
    calls: &mut Calls,
    (list, ty): (&List, &Ty),
    predicates: &[Function],
    kinds: &[Vec<bool>],
) -> Result<Function> {
    let mut all = Function::EVERYTHING;
    let variables: Vec<(u32, Variable)> = (0u32..).zip(calls.level.variables.iter().cloned()).collect();
    for (number, variable) in variables {
        for size in sizes((list, ty), &variable) {
            let here = calls.logic.is(number, &size.classes)?;
            let mut ways = match size.most <= SHORT {
                true => ways(kinds, size.most),
                false => None,
            };
            if let (Some(ways), true) = (&mut ways, size.least <= 0) {
                ways.insert(vec![false; predicates.len()]);
            }
            let then = match ways {
                Some(ways) => exactly(calls, predicates, &ways)?,
                None if size.least > 0 => some(calls, predicates, kinds)?,
                None => continue,
            };
            let against = calls.logic.without(here, then)?;
            all = calls.logic.without(all, against)?;
        }
    }
    Ok(all)
}

/// So many elements.
struct Size {
    least: i128,
    most: i128,
    /// The classes of the variable that say so.
    classes: ClassSet,
}

/// The classes of a variable in which a list may have elements.
fn sizes((list, ty): (&List, &Ty), variable: &Variable) -> Vec<Size> {
    let present = 0..variable.count.saturating_sub(1);
    let size = |class: u32, (least, most): (i128, i128)| {
        let mut classes = ClassSet::empty(variable.count);
        classes.insert(class);
        Size { least, most, classes }
    };
    let is_length = super::is_length(&variable.steps, &list.steps, ty);
    match &variable.classifier {
        Classifier::Cuts(cuts) if is_length => {
            let sizes = present.filter_map(|class| {
                let interval = sample::interval(&variable.ty, cuts, class)?;
                (interval.1 > 0).then(|| size(class, interval))
            });
            sizes.collect()
        }
        // An optional that is there counts as a list of one.
        _ if variable.steps == list.steps
            && !variable.ty.is_optional()
            && variable.ty.element().is_none() =>
        {
            present.map(|class| size(class, (1, 1))).collect()
        }
        _ => Vec::new(),
    }
}

/// What may hold of a list of at most so many elements, and one at least.
fn ways(kinds: &[Vec<bool>], most: i128) -> Option<BTreeSet<Vec<bool>>> {
    let mut all: BTreeSet<Vec<bool>> = kinds.iter().cloned().collect();
    for _ in 1..most {
        let more = all.iter().flat_map(|known| {
            kinds
                .iter()
                .map(|kind| known.iter().zip(kind).map(|(a, b)| *a || *b).collect())
        });
        let more: BTreeSet<Vec<bool>> = more.collect();
        all.extend(more);
        if all.len() > WAYS {
            return None;
        }
    }
    Some(all)
}

/// Where what holds of the list is one of these.
fn exactly(calls: &mut Calls, predicates: &[Function], ways: &BTreeSet<Vec<bool>>) -> Result<Function> {
    let mut any = Function::NOTHING;
    for way in ways {
        let mut here = Function::EVERYTHING;
        for (own, holds) in predicates.iter().zip(way) {
            here = match holds {
                true => calls.logic.and(here, *own)?,
                false => calls.logic.without(here, *own)?,
            };
        }
        any = calls.logic.or(any, here)?;
    }
    Ok(any)
}

/// Where some element is of one of the kinds.
fn some(calls: &mut Calls, predicates: &[Function], kinds: &[Vec<bool>]) -> Result<Function> {
    let mut any = Function::NOTHING;
    for kind in kinds {
        let mut here = Function::EVERYTHING;
        for (own, holds) in predicates.iter().zip(kind) {
            if *holds {
                here = calls.logic.and(here, *own)?;
            }
        }
        any = calls.logic.or(any, here)?;
    }
    Ok(any)
}
