//! Comparisons of numbers: each is a sum of values that is at most, at least or exactly a number, so those of one sum hold
//! together as some number makes them hold, and what follows from several sums is kept. The values are in the ranges that
//! their classes say. In: the slots that compare. Out: a function that is true of every call there can be.

use super::super::Calls;
use super::super::diagram::{Function, TooLarge};
use super::sums::{Answer, Apart, Bound, Sum, derived};
use super::values::{Presence, Values};
use super::{Related, is};
use crate::classes::ClassSet;
use crate::hir::{Cond, Relation, RelationOp, Slot, Term};
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, TooLarge>;

/// What is said of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    AtMost(i128),
    AtLeast(i128),
    Exactly(i128),
    /// No number is it.
    Never,
}

/// A comparison, with the variable of its slot.
struct Compared {
    variable: u32,
    sum: Sum,
    is: Is,
}

/// The comparisons of a tool, with the values that they are about.
struct Search<'r, 'a> {
    related: &'r Related<'a>,
    values: Values<'a>,
    all: Vec<Compared>,
}

pub(super) fn possible(related: &Related<'_>, calls: &mut Calls) -> Result<Function> {
    let mut search = Search {
        related,
        values: Values::default(),
        all: Vec::new(),
    };
    for (at, slot) in related.slots.iter().enumerate() {
        if let Slot::Holds(Cond::Relation(relation)) = slot
            && let Some(variable) = related.variable(calls, at)
        {
            let compared = compared(variable, relation, &mut search.values);
            search.all.extend(compared);
        }
    }
    if search.all.is_empty() {
        return Ok(Function::EVERYTHING);
    }
    search.values.find(related, calls);
    let mut all = search.alike(calls)?;
    for bound in derived(search.bounds(), &search.apart()) {
        let against = search.against(calls, &bound)?;
        all = calls.logic.without(all, against)?;
    }
    Ok(all)
}

/// A comparison as one of a sum with a number.
fn compared<'a>(variable: u32, relation: &'a Relation, values: &mut Values<'a>) -> Option<Compared> {
    let (left, a) = sum(&relation.left, values)?;
    let (right, b) = sum(&relation.right, values)?;
    let mut sum = left.plus(&right.times(-1)?)?;
    let with = b.checked_sub(a)?;
    let mut is = match relation.op {
        RelationOp::Equal => Is::Exactly(with),
        RelationOp::Less => Is::AtMost(with.checked_sub(1)?),
        RelationOp::LessOrEqual => Is::AtMost(with),
        RelationOp::Under => return None,
    };
    let by = sum.divisor();
    sum = sum.divided(by);
    is = match is {
        Is::AtMost(n) => Is::AtMost(n.div_euclid(by)),
        Is::Exactly(n) if n.rem_euclid(by) == 0 => Is::Exactly(n.div_euclid(by)),
        _ => Is::Never,
    };
    if sum.parts().first().is_some_and(|(_, n)| *n < 0) {
        sum = sum.times(-1)?;
        is = match is {
            Is::AtMost(n) => Is::AtLeast(n.checked_neg()?),
            Is::Exactly(n) => Is::Exactly(n.checked_neg()?),
            other => other,
        };
    }
    Some(Compared { variable, sum, is })
}

/// A term as a sum of values and a number.
fn sum<'a>(term: &'a Term, values: &mut Values<'a>) -> Option<(Sum, i128)> {
    Some(match term {
        Term::Add(a, b) => {
            let ((a, m), (b, n)) = (sum(a, values)?, sum(b, values)?);
            (a.plus(&b)?, m.checked_add(n)?)
        }
        Term::Sub(a, b) => {
            let ((a, m), (b, n)) = (sum(a, values)?, sum(b, values)?);
            (a.plus(&b.times(-1)?)?, m.checked_sub(n)?)
        }
        Term::Const(value) => match super::values::number(value) {
            Some(n) => (Sum::default(), n),
            None => (Sum::of(values.number(term)), 0),
        },
        _ => (Sum::of(values.number(term)), 0),
    })
}

impl Is {
    fn holds(self, value: i128) -> bool {
        match self {
            Is::AtMost(n) => value <= n,
            Is::AtLeast(n) => value >= n,
            Is::Exactly(n) => value == n,
            Is::Never => false,
        }
    }

    /// Numbers on both sides of where it changes.
    fn near(self) -> Vec<i128> {
        match self {
            Is::AtMost(n) | Is::AtLeast(n) | Is::Exactly(n) => {
                vec![n.saturating_sub(1), n, n.saturating_add(1)]
            }
            Is::Never => vec![0],
        }
    }
}

impl Search<'_, '_> {
    /// The comparisons of one sum hold as they do of some number, or of none where a value is missing.
    fn alike(&self, calls: &mut Calls) -> Result<Function> {
        let mut groups: BTreeMap<&Sum, Vec<&Compared>> = BTreeMap::new();
        for compared in &self.all {
            groups.entry(&compared.sum).or_default().push(compared);
        }
        let mut all = Function::EVERYTHING;
        for (sum, group) in groups {
            let numbers: BTreeSet<i128> = match sum.is_empty() {
                true => BTreeSet::from([0]),
                false => group.iter().flat_map(|one| one.is.near()).collect(),
            };
            let (there, may_be_missing) = self.there(calls, sum)?;
            let mut any = Function::NOTHING;
            for number in numbers {
                let mut here = there;
                for one in &group {
                    let own = is(calls, one.variable, one.is.holds(number))?;
                    here = calls.logic.and(here, own)?;
                }
                any = calls.logic.or(any, here)?;
            }
            if may_be_missing {
                let mut here = match self.is_known(sum) {
                    true => calls.logic.not(there)?,
                    false => Function::EVERYTHING,
                };
                for one in &group {
                    let own = is(calls, one.variable, false)?;
                    here = calls.logic.and(here, own)?;
                }
                any = calls.logic.or(any, here)?;
            }
            all = calls.logic.and(all, any)?;
        }
        Ok(all)
    }

    fn presences<'s>(&'s self, sum: &'s Sum) -> impl Iterator<Item = (usize, &'s Presence)> {
        let parts = sum.parts().iter();
        parts.filter_map(|(value, _)| Some((*value, self.values.presence(*value)?)))
    }

    /// Where all values of a sum are there, as far as something asks that, and whether one may be missing.
    fn there(&self, calls: &mut Calls, sum: &Sum) -> Result<(Function, bool)> {
        let (mut there, mut may_be_missing) = (Function::EVERYTHING, false);
        for (_, presence) in self.presences(sum) {
            may_be_missing |= !matches!(presence, Presence::Always);
            if let Presence::Asked(variable, classes) = presence {
                let own = calls.logic.is(*variable, classes)?;
                there = calls.logic.and(there, own)?;
            }
        }
        Ok((there, may_be_missing))
    }

    /// Whether of each value something asks whether it is there, where it may be missing.
    fn is_known(&self, sum: &Sum) -> bool {
        self.presences(sum)
            .all(|(_, presence)| !matches!(presence, Presence::Unknown))
    }

    /// Answers from which it follows that all values of a sum are there, in each way that is known.
    fn witnesses(&self, own: usize, sum: &Sum) -> Vec<BTreeSet<Answer>> {
        let mut ways: Vec<BTreeSet<Answer>> = vec![BTreeSet::new()];
        for (value, presence) in self.presences(sum) {
            let asked = match presence {
                Presence::Always => continue,
                Presence::Asked(..) => Some((self.all.len() + value, true)),
                Presence::Unknown => None,
            };
            // What holds has its values.
            let others = self
                .all
                .iter()
                .enumerate()
                .filter(|(at, other)| *at != own && other.sum.parts().iter().any(|(of, _)| *of == value));
            let each: Vec<Answer> = asked
                .into_iter()
                .chain(others.map(|(at, _)| (at, true)))
                .collect();
            let with = |way: &BTreeSet<Answer>| {
                let way = way.clone();
                each.iter().map(move |answer| {
                    let mut way = way.clone();
                    way.insert(*answer);
                    way
                })
            };
            ways = ways
                .iter()
                .flat_map(with)
                .take(limits::RELATED_WITNESSES)
                .collect();
        }
        ways
    }

    /// What each answer says of its sum, and what always holds.
    fn bounds(&self) -> Vec<Bound> {
        let mut bounds = self.values.always(self.related);
        for (at, one) in self.all.iter().enumerate() {
            let mut push = |is: Is, because: BTreeSet<Answer>| {
                let turned = one.sum.times(-1);
                if let Is::AtMost(n) | Is::Exactly(n) = is {
                    bounds.push(Bound::new(one.sum.clone(), n, because.clone()));
                }
                if let (Is::AtLeast(n) | Is::Exactly(n), Some(turned)) = (is, turned) {
                    bounds.push(Bound::new(turned, n.saturating_neg(), because));
                }
            };
            push(one.is, BTreeSet::from([(at, true)]));
            let against = match one.is {
                Is::AtMost(n) => Is::AtLeast(n.saturating_add(1)),
                Is::AtLeast(n) => Is::AtMost(n.saturating_sub(1)),
                Is::Exactly(_) | Is::Never => Is::Never,
            };
            for mut because in self.witnesses(at, &one.sum) {
                because.insert((at, false));
                push(against, because);
            }
        }
        bounds
    }

    /// Sums that are not a number.
    fn apart(&self) -> Vec<Apart> {
        let mut out = Vec::new();
        for (at, one) in self.all.iter().enumerate() {
            let Is::Exactly(from) = one.is else { continue };
            for mut because in self.witnesses(at, &one.sum) {
                because.insert((at, false));
                out.push(Apart {
                    sum: one.sum.clone(),
                    from,
                    because,
                });
            }
        }
        out
    }

    /// The calls in which the answers are given that a bound rests on, and that do not keep it.
    fn against(&self, calls: &mut Calls, bound: &Bound) -> Result<Function> {
        if self.is_of_one_sum(bound) {
            return Ok(Function::NOTHING);
        }
        let kept = self.values.within(calls, bound.sum.parts(), bound.most)?;
        let mut against = calls.logic.not(kept)?;
        for (of, holds) in &bound.because {
            let answer = match self.all.get(*of) {
                Some(one) => is(calls, one.variable, *holds)?,
                None => self.is_there(calls, of.saturating_sub(self.all.len()))?,
            };
            against = calls.logic.and(against, answer)?;
        }
        Ok(against)
    }

    fn is_there(&self, calls: &mut Calls, value: usize) -> Result<Function> {
        match self.values.presence(value) {
            Some(Presence::Asked(variable, classes)) => calls.logic.is(*variable, classes),
            _ => Ok(Function::EVERYTHING),
        }
    }

    /// Whether it says that answers about one sum exclude each other, which is known.
    fn is_of_one_sum(&self, bound: &Bound) -> bool {
        let sums: BTreeSet<Option<&Sum>> = bound
            .because
            .iter()
            .map(|(of, _)| self.all.get(*of).map(|one| &one.sum))
            .collect();
        bound.is_broken() && sums.len() == 1
    }
}

/// The classes of a variable but for that of a missing value.
pub(super) fn present(count: u32) -> ClassSet {
    let mut absent = ClassSet::empty(count);
    absent.insert(count.saturating_sub(1));
    absent.complement()
}
