//! Slots: values the gate computes for a tool's rules before they are judged. Each is one more field of the request,
//! after the context, so that rules see plain variables. In: what conditions ask for. Out: data that the program
//! carries; computing is the gate's.

use super::{Cond, Labelled, Place, Term};
use crate::domain::LabelOf;
use crate::ty::Ty;

/// What is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Whether a condition holds that compares computed values: a `Bool`.
    Holds(Cond),
    /// Whether a value has one of some labels: a `Bool`.
    Label {
        /// Whose labels.
        of: LabelOf,
        /// The labels, as bits.
        mask: u64,
    },
    /// A list with the labels of its elements.
    Each(Labelled),
    /// Whether a monitor's flag is set or its pattern matches: a `Bool`.
    History(u32),
    /// A monitor's count: an `Int`.
    Tally(u32),
    /// Whether a window is open, by its number: a `Bool`.
    Window(u32),
    /// The time of the call.
    Now,
    /// How much has been spent of a limit, by its number.
    Used {
        /// The limit.
        limit: u32,
        /// What has counters of its own.
        by: Vec<Place>,
        /// The type of what is counted.
        ty: Ty,
    },
    /// The value under a key of a map.
    Lookup {
        /// The map.
        map: Place,
        /// The key.
        key: Term,
        /// An optional of the map's values.
        ty: Ty,
    },
}

impl Slot {
    /// The type of the value.
    pub fn ty(&self) -> Ty {
        match self {
            Slot::Holds(_) | Slot::Label { .. } | Slot::History(_) | Slot::Window(_) => Ty::Bool,
            Slot::Each(labelled) => labelled.ty(),
            Slot::Tally(_) => Ty::Int,
            Slot::Now => Ty::Instant,
            Slot::Lookup { ty, .. } | Slot::Used { ty, .. } => ty.clone(),
        }
    }

    /// Shows every place of the request that is looked at.
    pub fn each_place(&self, see: &mut impl FnMut(&Place)) {
        match self {
            Slot::Holds(cond) => cond.each_place(see),
            Slot::Used { by, .. } => by.iter().for_each(see),
            Slot::Lookup { map, key, .. } => {
                see(map);
                key.each_place(see);
            }
            Slot::Each(labelled) => see(&Place {
                level: 0,
                steps: labelled.list.clone(),
            }),
            Slot::Label { .. } | Slot::History(_) | Slot::Tally(_) | Slot::Window(_) | Slot::Now => {}
        }
    }
}
