//! Slots: values the gate computes for a tool's rules before they are judged. Each is one more field of the request,
//! after the context, so that rules see plain variables. In: what conditions ask for. Out: data that the program
//! carries; computing is the gate's.

use super::Cond;
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
    /// Whether a monitor's flag is set or its pattern matches: a `Bool`.
    History(u32),
    /// A monitor's count: an `Int`.
    Tally(u32),
}

impl Slot {
    /// The type of the value.
    pub fn ty(&self) -> Ty {
        match self {
            Slot::Holds(_) | Slot::Label { .. } | Slot::History(_) => Ty::Bool,
            Slot::Tally(_) => Ty::Int,
        }
    }
}
