//! How many elements are looked at: lists as long as their types allow, and what a `Command` or a `Sql` holds in its lists of one
//! name all together. In: a type, how often values of it are looked at, steps. Out: how many elements that makes.

use super::{product, size};
use crate::hir::{Step, place};
use crate::limits;
use crate::ty::Ty;

/// Values of one type that are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'t> {
    /// Their type.
    pub ty: &'t Ty,
    /// How often one is looked at.
    pub times: u64,
    /// How many elements their lists of one name have, all together; none where nothing but their types says.
    pub within: Option<u64>,
}

impl<'t> Reach<'t> {
    /// One value.
    pub fn once(ty: &'t Ty) -> Reach<'t> {
        Reach {
            ty,
            times: 1,
            within: None,
        }
    }
}

/// The elements that quantifiers go through.
#[derive(Debug)]
pub(super) struct Elements {
    /// How many, of all lists together.
    pub times: u64,
    /// Whether it took a bound that the lists of the holder share: elements of a second one of its lists may then all be those of
    /// the values that have many of the first.
    pub is_spent: bool,
    ty: Ty,
    within: Option<u64>,
}

impl Elements {
    /// Each of them.
    pub fn each(&self) -> Reach<'_> {
        Reach {
            ty: &self.ty,
            times: self.times,
            within: self.within,
        }
    }
}

/// The elements of the lists some steps away from values that are looked at, so often in all; none where no value is there.
pub(super) fn elements(holder: Reach<'_>, times: u64, steps: &[Step]) -> Option<Elements> {
    // Each of the holder's values is looked at equally often.
    let mut within = holder.within.map(|within| share(times, within, holder.times));
    let mut is_own = false;
    let mut ty = holder.ty.required().clone();
    for at in steps {
        if let Some(most) = held(&ty) {
            within = Some(product(times, most));
            is_own = true;
        }
        ty = place::step(&ty, *at)?.1.required().clone();
    }
    let (most, element) = match (&ty, ty.element()) {
        (Ty::List { max, .. } | Ty::Set { max, .. } | Ty::Map { max, .. }, Some(element)) => (*max, element),
        _ => (1, ty),
    };
    let by_type = product(times, most);
    let bounded = within.filter(|within| *within < by_type);
    Some(Elements {
        times: bounded.unwrap_or(by_type),
        is_spent: bounded.is_some() && !is_own,
        ty: element,
        within: within.filter(|_| is_own),
    })
}

/// How many elements the lists of one name in a value have together.
fn held(ty: &Ty) -> Option<u64> {
    match ty {
        Ty::Command => Some(size(limits::COMMAND_ELEMENTS)),
        Ty::Sql => Some(limits::LIST_ITEMS),
        _ => None,
    }
}

/// `a * b / of`, rounded up.
fn share(a: u64, b: u64, of: u64) -> u64 {
    let shared = (u128::from(a) * u128::from(b)).div_ceil(u128::from(of.max(1)));
    u64::try_from(shared).unwrap_or(u64::MAX).min(limits::STEPS)
}
