//! Which answers the gate computes for one call can come together: comparisons with the same values, labels from the same
//! sources, counts of the same events, windows of the same clock. In: the slots of a tool. Out: a function that is true
//! of every call there can be. It may be true of more: what it excludes is proved, what it keeps is not.

mod clocks;
mod compared;
mod counts;
mod happened;
mod sums;
mod texts;
mod values;

use super::Calls;
use super::diagram::{Function, TooLarge};
use crate::classes::{ClassSet, Matchers};
use crate::domain::LabelOf;
use crate::hir::{Package, Place, Slot, Step, Term};
use crate::ty::Ty;
use std::collections::BTreeSet;

pub(super) use counts::{counts, some_of};

type Result<T> = std::result::Result<T, TooLarge>;

/// The slots of a tool, as far as something is asked of them.
pub(super) struct Related<'a> {
    pub package: &'a Package,
    /// The field that the first one is in.
    pub first: usize,
    pub slots: &'a [Slot],
    pub known: Known,
    /// The type of the request with what is computed.
    pub ty: Ty,
    /// Counts of elements of which it is also asked whether there is one, and the variable that says so.
    pub counted: Vec<(&'a Term, u32)>,
}

/// Which labels come from the sources of the package, and from nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// As bits.
    pub labels: u64,
    /// Whether what is carried are the arguments that the tool says.
    pub carried: bool,
}

impl Known {
    /// All of them: the package is that of a policy.
    pub const ALL: Known = Known {
        labels: u64::MAX,
        carried: true,
    };
}

impl<'a> Related<'a> {
    /// What is true of every call.
    pub fn possible(&self, calls: &mut Calls, matchers: &mut Matchers) -> Result<Function> {
        let mut all = Function::EVERYTHING;
        for part in [
            compared::possible(self, calls)?,
            texts::possible(self, calls, matchers)?,
            self.labelled(calls)?,
            happened::possible(self, calls, matchers)?,
            clocks::possible(self, calls)?,
        ] {
            all = calls.logic.and(all, part)?;
        }
        Ok(all)
    }

    /// The variable of a slot.
    fn variable(&self, calls: &Calls, at: usize) -> Option<u32> {
        let steps = [Step::Field(u32::try_from(self.first + at).ok()?)];
        let found = calls.level.variables.iter().position(|v| v.steps == steps)?;
        u32::try_from(found).ok()
    }

    /// The slot at a place.
    fn slot(&self, place: &Place) -> Option<&'a Slot> {
        let (0, [Step::Field(field)]) = (place.level, place.steps.as_slice()) else {
            return None;
        };
        self.slots.get((*field as usize).checked_sub(self.first)?)
    }

    /// A value has its labels from its sources, all those of each.
    fn labelled(&self, calls: &mut Calls) -> Result<Function> {
        let asked = self.slots.iter().enumerate().filter_map(|(at, slot)| match slot {
            Slot::Label { of, mask }
                if mask & !self.known.labels == 0 && (self.known.carried || *of != LabelOf::Carried) =>
            {
                Some((self.variable(calls, at)?, of, *mask))
            }
            _ => None,
        });
        let asked: Vec<(u32, &LabelOf, u64)> = asked.collect();
        let sets = label_sets(self.package);
        let mut all = Function::EVERYTHING;
        for (variable, of, mask) in &asked {
            let mut because = Function::NOTHING;
            for set in sets.iter().filter(|set| *set & mask != 0) {
                let mut here = Function::EVERYTHING;
                for (other, _, _) in asked.iter().filter(|(_, by, mask)| by == of && set & mask != 0) {
                    let has = is(calls, *other, true)?;
                    here = calls.logic.and(here, has)?;
                }
                because = calls.logic.or(because, here)?;
            }
            let has = is(calls, *variable, true)?;
            let against = calls.logic.without(has, because)?;
            all = calls.logic.without(all, against)?;
        }
        Ok(all)
    }
}

/// Each set of labels that one source gives, also without what approvals take off.
fn label_sets(package: &Package) -> BTreeSet<u64> {
    let labels = &package.labels;
    let of_sources = labels.sources.iter().map(|source| source.labels);
    let tools = package.tools.iter();
    let of_tools = tools.map(|tool| labels.of_result(&tool.name, tool.returns));
    let detected = (labels.detected != 0).then_some(labels.detected);
    let mut sets: BTreeSet<u64> = of_sources.chain(of_tools).chain(detected).collect();
    for (_, mask) in &labels.lifted {
        let less: Vec<u64> = sets.iter().map(|set| set & !mask).collect();
        sets.extend(less);
    }
    sets
}

/// Where a `Bool` is as wanted.
fn is(calls: &mut Calls, variable: u32, wanted: bool) -> Result<Function> {
    let mut classes = ClassSet::empty(calls.logic.count(variable));
    classes.insert(u32::from(wanted));
    calls.logic.is(variable, &classes)
}
