//! Values that a condition computes: arguments, constants, sums, and comparisons between two of them. Plain data with
//! its plain meaning; the oracle and the slots of a decision program both rest on it.

use super::answer::{View, any_element, descend, elements_of, holds, view};
use super::{Cond, Place, Step};
use crate::builtins::{host, path};
use crate::source::Span;
use crate::value::Value;

/// A computed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// What lies at a place.
    Place(Place),
    /// A constant.
    Const(Value),
    /// What lies at a place, or a constant where it is missing.
    Else(Place, Value),
    /// The sum of two numbers.
    Add(Box<Term>, Box<Term>),
    /// Their difference.
    Sub(Box<Term>, Box<Term>),
    /// The sum over the elements of a list.
    Sum {
        /// The list or optional.
        list: Place,
        /// The level of the element.
        level: u32,
        /// What is added of each.
        term: Box<Term>,
    },
    /// How many elements of a list satisfy a condition.
    Count {
        /// The list or optional.
        list: Place,
        /// The level of the element.
        level: u32,
        /// The condition.
        body: Box<Cond>,
    },
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RelationOp {
    /// The same value.
    Equal = 0,
    /// Less, for numbers and the members of ordered enums.
    Less = 1,
    /// Less or the same, for numbers and the members of ordered enums.
    LessOrEqual = 2,
    /// A path below a folder, or a host that is a domain or below it.
    Under = 3,
}

impl RelationOp {
    /// All, by their number.
    pub const ALL: [RelationOp; 4] = [
        RelationOp::Equal,
        RelationOp::Less,
        RelationOp::LessOrEqual,
        RelationOp::Under,
    ];
}

/// A comparison between two computed values. It does not hold where one of them is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The left side.
    pub left: Term,
    /// How they are compared.
    pub op: RelationOp,
    /// The right side.
    pub right: Term,
    /// Where it is written.
    pub span: Span,
}

impl Relation {
    /// Whether it holds; `chain` has the request first, then the element of each quantifier by its level.
    pub fn holds(&self, chain: &[&Value]) -> bool {
        let (Some(left), Some(right)) = (self.left.value(chain), self.right.value(chain)) else {
            return false;
        };
        match (self.op, left, right) {
            (RelationOp::Equal, left, right) => left == right,
            (RelationOp::Less, Seen::Num(a), Seen::Num(b)) => a < b,
            (RelationOp::LessOrEqual, Seen::Num(a), Seen::Num(b)) => a <= b,
            (RelationOp::Less, Seen::Member(a), Seen::Member(b)) => a < b,
            (RelationOp::LessOrEqual, Seen::Member(a), Seen::Member(b)) => a <= b,
            (RelationOp::Under, Seen::Path(a), Seen::Path(b)) => path::under(a, b),
            (RelationOp::Under, Seen::Text(a), Seen::Text(b)) => host::under(a, b),
            _ => false,
        }
    }

    /// Values of the request that would make both sides equal, or apart by one, each with its place. A text stands for the
    /// value that is written so.
    pub fn changes(&self, chain: &[&Value]) -> Vec<(Vec<Step>, Value)> {
        let mut out = Vec::new();
        for (mine, other) in [(&self.left, &self.right), (&self.right, &self.left)] {
            let Some(value) = other.computed(chain) else {
                continue;
            };
            for (place, adds) in mine.addends(true) {
                let value = match (&value, mine.number(chain), at(place, chain)) {
                    (Value::Num(wanted), Some(is), Some(Seen::Num(part))) => {
                        let more = wanted.saturating_sub(is);
                        Value::Num(match adds {
                            true => part.saturating_add(more),
                            false => part.saturating_sub(more),
                        })
                    }
                    (value, ..) => value.clone(),
                };
                let values = match value {
                    Value::Num(n) => vec![
                        Value::Num(n),
                        Value::Num(n.saturating_sub(1)),
                        Value::Num(n.saturating_add(1)),
                    ],
                    Value::Bool(b) => vec![Value::Bool(b), Value::Bool(!b)],
                    other => vec![other],
                };
                out.extend(values.into_iter().map(|value| (place.steps.clone(), value)));
            }
        }
        out
    }

    /// What an element of the level has to be equal to, where that is all it asks.
    pub(super) fn with_element(&self, level: u32) -> Option<&Term> {
        let is_element =
            |term: &Term| matches!(term, Term::Place(at) if at.level == level && at.steps.is_empty());
        let is_known = |term: &Term| match term {
            Term::Place(at) | Term::Else(at, _) => at.level != level,
            Term::Const(_) => true,
            _ => false,
        };
        let sides = [(&self.left, &self.right), (&self.right, &self.left)];
        let mut sides = sides.into_iter().filter(|_| self.op == RelationOp::Equal);
        let found = sides.find(|(element, other)| is_element(element) && is_known(other));
        found.map(|(_, other)| other)
    }

    /// Shows every place either side looks at.
    pub fn each_place(&self, see: &mut impl FnMut(&Place)) {
        self.left.each_place(see);
        self.right.each_place(see);
    }
}

/// A value that is there. Values of one type have the order that they have in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen<'v> {
    Num(i128),
    Bool(bool),
    Member(u32),
    Text(&'v str),
    Path(&'v str),
}

impl Term {
    /// Shows every place the term looks at.
    pub fn each_place(&self, see: &mut impl FnMut(&Place)) {
        match self {
            Term::Place(place) | Term::Else(place, _) => see(place),
            Term::Const(_) => {}
            Term::Add(a, b) | Term::Sub(a, b) => {
                a.each_place(see);
                b.each_place(see);
            }
            Term::Sum { list, term, .. } => {
                see(list);
                term.each_place(see);
            }
            Term::Count { list, body, .. } => {
                see(list);
                body.each_place(see);
            }
        }
    }

    /// The places of the request that it is the sum of, and whether each is added; constants are left out.
    fn addends(&self, adds: bool) -> Vec<(&Place, bool)> {
        match self {
            Term::Place(place) | Term::Else(place, _) if place.level == 0 => vec![(place, adds)],
            Term::Add(a, b) => [a.addends(adds), b.addends(adds)].concat(),
            Term::Sub(a, b) => [a.addends(adds), b.addends(!adds)].concat(),
            _ => Vec::new(),
        }
    }

    /// The value; none where something it needs is missing.
    pub fn computed(&self, chain: &[&Value]) -> Option<Value> {
        Some(match self.value(chain)? {
            Seen::Num(n) => Value::Num(n),
            Seen::Bool(b) => Value::Bool(b),
            Seen::Member(m) => Value::Enum(m),
            Seen::Text(text) => Value::Str(text.into()),
            Seen::Path(text) => Value::Path(text.into()),
        })
    }

    fn value<'v>(&'v self, chain: &[&'v Value]) -> Option<Seen<'v>> {
        match self {
            Term::Place(place) => at(place, chain),
            Term::Const(value) => whole(value),
            Term::Else(place, value) => at(place, chain).or_else(|| whole(value)),
            Term::Add(a, b) => Some(Seen::Num(a.number(chain)?.saturating_add(b.number(chain)?))),
            Term::Sub(a, b) => Some(Seen::Num(a.number(chain)?.saturating_sub(b.number(chain)?))),
            Term::Sum { list, level, term } => {
                let mut sum = Some(0_i128);
                any_element(list, *level, chain, |inner| {
                    let more = term.number(inner);
                    sum = sum.zip(more).map(|(sum, more)| sum.saturating_add(more));
                    sum.is_none()
                });
                sum.map(Seen::Num)
            }
            Term::Count { list, level, body } => {
                let mut count = 0_i128;
                any_element(list, *level, chain, |inner| {
                    count += i128::from(holds(body, inner));
                    false
                });
                Some(Seen::Num(count))
            }
        }
    }

    /// Whether an element of a list is equal to it. Where there is a table of its texts, or it is sorted, most of them are not
    /// looked at.
    pub(super) fn is_among(
        &self,
        list: Option<&Value>,
        chain: &[&Value],
        is_sorted: impl FnOnce() -> bool,
    ) -> bool {
        let Some(wanted) = self.value(chain) else {
            return false;
        };
        if let (Some(Value::List(items)), Seen::Text(text) | Seen::Path(text)) = (list, &wanted)
            && let Some(found) = items.has(text, |item| whole(item).as_ref() == Some(&wanted))
        {
            return found;
        }
        let items = elements_of(list);
        if is_sorted() {
            // What is missing comes before all that is there, as in the order of values.
            let found = items.binary_search_by(|item| whole(item).cmp(&Some(wanted)));
            return found.is_ok();
        }
        items.iter().any(|item| whole(item) == Some(wanted))
    }

    /// The number it is; none where something it needs is missing.
    pub fn number(&self, chain: &[&Value]) -> Option<i128> {
        match self.value(chain) {
            Some(Seen::Num(n)) => Some(n),
            _ => None,
        }
    }
}

fn at<'v>(place: &Place, chain: &[&'v Value]) -> Option<Seen<'v>> {
    seen(chain.get(place.level as usize)?, &place.steps)
}

fn seen<'v>(value: &'v Value, steps: &[super::Step]) -> Option<Seen<'v>> {
    if !matches!(steps.last(), Some(Step::Part(_))) {
        return whole(descend(value, steps)?);
    }
    of_view(view(value, steps))
}

/// A whole value. No part of one is a `Path`.
#[inline]
fn whole(value: &Value) -> Option<Seen<'_>> {
    match value {
        Value::Str(text) | Value::Host(text) => Some(Seen::Text(text)),
        Value::Path(text) => Some(Seen::Path(text)),
        other => of_view(View::of(other)),
    }
}

fn of_view(view: View<'_>) -> Option<Seen<'_>> {
    match view {
        View::Num(n) => Some(Seen::Num(n)),
        View::Bool(b) => Some(Seen::Bool(b)),
        View::Member(m) => Some(Seen::Member(m)),
        View::Text(text) => Some(Seen::Text(text)),
        View::Absent | View::Whole(_) => None,
    }
}
