//! The values that comparisons are about: which numbers they are, by the classes of what else is asked of them, and
//! whether they are there. In: terms, and the variables of a tool. Out: ranges as functions.

use super::super::diagram::{Function, TooLarge};
use super::super::{Calls, possible};
use super::Related;
use super::compared::present;
use super::sums::{Bound, Sum};
use crate::classes::{ClassSet, Classifier, sample};
use crate::hir::{Limit, Part, Per, Place, Slot, Step, Term, place};
use crate::ir::space::Variable;
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, TooLarge>;

/// Whether a value is there.
#[derive(Debug)]
pub(super) enum Presence {
    Always,
    /// Where a variable is in one of these classes.
    Asked(u32, ClassSet),
    /// Not always, and nothing asks.
    Unknown,
}

/// The numbers that a value is.
#[derive(Debug)]
enum Range {
    /// Any of these.
    Whole(i128, i128),
    /// By the class of a variable.
    Classes(u32, Vec<(u32, i128, i128)>),
    /// It is no number, or any.
    Unknown,
}

/// Values by number.
#[derive(Default)]
pub(super) struct Values<'a> {
    terms: Vec<&'a Term>,
    known: Vec<(Presence, Range)>,
}

impl<'a> Values<'a> {
    /// The number of a value; it is known from now on.
    pub fn number(&mut self, term: &'a Term) -> usize {
        let found = self.terms.iter().position(|known| *known == term);
        found.unwrap_or_else(|| {
            self.terms.push(term);
            self.terms.len() - 1
        })
    }

    pub fn presence(&self, value: usize) -> Option<&Presence> {
        self.known.get(value).map(|(presence, _)| presence)
    }

    /// Finds out what is known of each value.
    pub fn find(&mut self, related: &Related<'_>, calls: &Calls) {
        let known = |term: &&Term| (presence(related, calls, term), range(related, calls, term));
        self.known = self.terms.iter().map(known).collect();
    }

    /// What always holds between values.
    pub fn always(&self, related: &Related<'_>) -> Vec<Bound> {
        let mut out = Vec::new();
        for (small, a) in self.terms.iter().enumerate() {
            for (large, b) in self.terms.iter().enumerate() {
                let turned = Sum::of(large).times(-1);
                if small != large
                    && is_never_more(related, a, b)
                    && let Some(sum) = turned.and_then(|turned| Sum::of(small).plus(&turned))
                {
                    out.push(Bound::new(sum, 0, []));
                }
            }
        }
        out
    }

    /// Where a sum of values that are there can be at most a number.
    pub fn within(&self, calls: &mut Calls, parts: &[(usize, i128)], most: i128) -> Result<Function> {
        let cases = parts.iter().map(|(value, _)| match self.known.get(*value) {
            Some((_, Range::Classes(_, classes))) => classes.len(),
            _ => 1,
        });
        if cases.fold(1usize, usize::saturating_mul) > limits::RELATED_CASES {
            return Ok(Function::EVERYTHING);
        }
        self.at_most(calls, parts, most)
    }

    fn at_most(&self, calls: &mut Calls, parts: &[(usize, i128)], most: i128) -> Result<Function> {
        let Some(((value, times), rest)) = parts.split_first() else {
            return Ok(if most >= 0 {
                Function::EVERYTHING
            } else {
                Function::NOTHING
            });
        };
        let least = |low: i128, high: i128| times.checked_mul(if *times > 0 { low } else { high });
        let left = |low: i128, high: i128| most.checked_sub(least(low, high)?);
        match self.known.get(*value) {
            Some((_, Range::Whole(low, high))) => match left(*low, *high) {
                Some(left) => self.at_most(calls, rest, left),
                None => Ok(Function::EVERYTHING),
            },
            Some((_, Range::Classes(variable, classes))) => {
                let mut ways: BTreeMap<Function, ClassSet> = BTreeMap::new();
                for (class, low, high) in classes {
                    let way = match left(*low, *high) {
                        Some(left) => self.at_most(calls, rest, left)?,
                        None => Function::EVERYTHING,
                    };
                    let none = || ClassSet::empty(calls.logic.count(*variable));
                    ways.entry(way).or_insert_with(none).insert(*class);
                }
                let mut any = Function::NOTHING;
                for (way, classes) in ways {
                    let own = calls.logic.is(*variable, &classes)?;
                    let here = calls.logic.and(own, way)?;
                    any = calls.logic.or(any, here)?;
                }
                Ok(any)
            }
            _ => Ok(Function::EVERYTHING),
        }
    }
}

/// The number that a constant is compared as.
pub(super) fn number(value: &Value) -> Option<i128> {
    match value {
        Value::Num(n) => Some(*n),
        Value::Enum(member) => Some(i128::from(*member)),
        Value::Bool(is) => Some(i128::from(*is)),
        _ => None,
    }
}

/// The variable that tells numbers at a place apart.
fn variable<'c>(calls: &'c Calls, steps: &[Step]) -> Option<(u32, &'c Variable)> {
    let mut variables = (0u32..).zip(&calls.level.variables);
    variables
        .find(|(_, variable)| variable.steps == steps && !matches!(variable.classifier, Classifier::Texts(_)))
}

fn presence(related: &Related<'_>, calls: &Calls, term: &Term) -> Presence {
    match term {
        Term::Const(_) | Term::Else(..) | Term::Count { .. } => Presence::Always,
        Term::Place(place) if place.level == 0 => {
            if !possible::may_be_missing(&related.ty, &place.steps) {
                return Presence::Always;
            }
            let variables = (0u32..).zip(&calls.level.variables);
            let mut found = variables.filter(|(_, variable)| variable.steps == place.steps);
            match found.next() {
                Some((number, variable)) => Presence::Asked(number, present(variable.count)),
                None => Presence::Unknown,
            }
        }
        Term::Sum { list, level, term } if list.level == 0 => {
            let of = place::ty_at(&related.ty, &list.steps);
            let element = of.map(|of| of.element().unwrap_or(of));
            let mut always = element.is_some();
            term.each_place(&mut |at| {
                let own = element.as_ref().filter(|_| at.level == *level);
                always &= own.is_some_and(|ty| !possible::may_be_missing(ty, &at.steps));
            });
            match always {
                true => Presence::Always,
                false => Presence::Unknown,
            }
        }
        _ => Presence::Unknown,
    }
}

fn range(related: &Related<'_>, calls: &Calls, term: &Term) -> Range {
    match term {
        Term::Place(place) if place.level == 0 => match variable(calls, &place.steps) {
            Some((number, variable)) => Range::Classes(number, classes(related, place, variable)),
            None => whole(related, place),
        },
        Term::Else(place, other) if place.level == 0 => {
            let (Some((at, variable)), Some(other)) = (variable(calls, &place.steps), number(other)) else {
                return Range::Unknown;
            };
            let mut classes = classes(related, place, variable);
            classes.push((variable.count.saturating_sub(1), other, other));
            Range::Classes(at, classes)
        }
        Term::Count { list, .. } if list.level == 0 => {
            let of = place::ty_at(&related.ty, &list.steps);
            let most = of.and_then(|of| possible::longest(&of)).unwrap_or(i128::MAX);
            match related.counted.iter().find(|(known, _)| *known == term) {
                Some((_, variable)) => Range::Classes(*variable, vec![(0, 0, 0), (1, 1, most)]),
                None => Range::Whole(0, most),
            }
        }
        _ => Range::Unknown,
    }
}

/// The numbers of each class but that of a missing value.
fn classes(related: &Related<'_>, place: &Place, variable: &Variable) -> Vec<(u32, i128, i128)> {
    let (least, most) = ends(related, place).unwrap_or((i128::MIN, i128::MAX));
    let members = |of: &[u32], class: u32| {
        let mut members = (0i128..)
            .zip(of)
            .filter(|(_, own)| **own == class)
            .map(|(m, _)| m);
        let first = members.next()?;
        Some((first, members.last().unwrap_or(first)))
    };
    let of = |class: u32| {
        let (low, high) = match &variable.classifier {
            Classifier::Cuts(cuts) => sample::interval(&variable.ty, cuts, class)?,
            Classifier::Bool => (i128::from(class), i128::from(class)),
            Classifier::Members(of) => members(of, class)?,
            Classifier::Any | Classifier::Texts(_) => (i128::MIN, i128::MAX),
        };
        let (low, high) = (low.max(least), high.min(most));
        (low <= high).then_some((class, low, high))
    };
    (0..variable.count.saturating_sub(1)).filter_map(of).collect()
}

fn whole(related: &Related<'_>, place: &Place) -> Range {
    match ends(related, place) {
        Some((low, high)) => Range::Whole(low, high),
        None => Range::Unknown,
    }
}

/// The least and the greatest number at a place; none where no numbers are.
fn ends(related: &Related<'_>, place: &Place) -> Option<(i128, i128)> {
    if let Some((Step::Part(Part::Len), of)) = place.steps.split_last() {
        let ty = place::ty_at(&related.ty, of)?;
        return Some((0, possible::longest(&ty).unwrap_or(i128::MAX)));
    }
    let least = match related.slot(place) {
        Some(Slot::Tally(_)) => 0,
        _ => i128::MIN,
    };
    let ty = place::ty_at(&related.ty, &place.steps)?;
    let (low, high) = match ty.required() {
        Ty::Bool => (0, 1),
        Ty::Enum { members, .. } => (0, i128::try_from(members.len()).ok()?.saturating_sub(1)),
        Ty::Int | Ty::Decimal { .. } | Ty::Money { .. } => sample::range(ty.required()),
        _ => return None,
    };
    Some((low.max(least), high))
}

/// Whether a value is never more than another: what is used within a shorter span, or those elements of a list that are
/// counted.
fn is_never_more(related: &Related<'_>, small: &Term, large: &Term) -> bool {
    match (small, large) {
        (Term::Place(a), Term::Place(b)) => match (used(related, a), used(related, b)) {
            (Some((a, by_a)), Some((b, by_b))) => {
                let same =
                    (&a.on, by_a, a.spec.by_tool, &a.spec.ty) == (&b.on, by_b, b.spec.by_tool, &b.spec.ty);
                let shorter = match (a.spec.per, b.spec.per) {
                    (Per::Time(a), Per::Time(b)) => a < b,
                    _ => false,
                };
                same && shorter
            }
            _ => false,
        },
        (Term::Count { list, .. }, Term::Place(length)) => {
            let is_length = || possible::is_length(&length.steps, &list.steps, &related.ty);
            list.level == 0 && length.level == 0 && is_length()
        }
        _ => false,
    }
}

/// The limit that is used at a place, and by whom.
fn used<'a>(related: &Related<'a>, place: &Place) -> Option<(&'a Limit, &'a [Place])> {
    match related.slot(place)? {
        Slot::Used { limit, by, .. } => Some((related.package.limits.get(*limit as usize)?, by)),
        _ => None,
    }
}
