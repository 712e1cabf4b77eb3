//! The plain meaning of places and questions: walk the value, compare the text. The compiler uses it for `else`
//! constants, the reference interpreter for everything; the index must agree with it.

use super::{Cond, Part, Place, Question, Shape, Step, Term};
use crate::builtins::{glob, host, ip, path, regex};
use crate::value::Value;

/// What is found at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View<'v> {
    /// A missing optional is on the way.
    Absent,
    /// A text or a part of one.
    Text(&'v str),
    /// A number, or the size of something.
    Num(i128),
    /// A truth value.
    Bool(bool),
    /// An enum member.
    Member(u32),
    /// A list or record.
    Whole(&'v Value),
}

impl<'v> View<'v> {
    /// The view of a whole value.
    pub fn of(value: &'v Value) -> View<'v> {
        match value {
            Value::Absent => View::Absent,
            Value::Bool(b) => View::Bool(*b),
            Value::Num(n) => View::Num(*n),
            Value::Enum(m) => View::Member(*m),
            Value::Str(s) | Value::Path(s) | Value::Host(s) => View::Text(s),
            Value::Email(e) => View::Text(e.text()),
            Value::Url(u) => View::Text(u.text()),
            Value::Parsed(parsed) => View::Text(&parsed.text),
            Value::List(_) | Value::Record(_) => View::Whole(value),
        }
    }
}

/// The value some steps away; `None` when an optional on the way is missing.
pub(super) fn descend<'v>(mut value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    for step in steps {
        value = match step {
            Step::Field(index) => value.fields()?.get(*index as usize)?,
            Step::Part(_) => return None,
        };
    }
    Some(value)
}

/// What lies some steps away from a value.
pub fn view<'v>(value: &'v Value, steps: &[Step]) -> View<'v> {
    let (fields, part) = match steps.split_last() {
        Some((Step::Part(part), fields)) => (fields, Some(*part)),
        _ => (steps, None),
    };
    // Parts may follow one another only as `len(part)` and `part.ip`.
    let (fields, inner) = match fields.split_last() {
        Some((Step::Part(inner), fields)) => (fields, Some(*inner)),
        _ => (fields, None),
    };
    let Some(whole) = descend(value, fields) else {
        return View::Absent;
    };
    match (inner, part) {
        (None, None) => View::of(whole),
        (None, Some(part)) => part_of(whole, part),
        (Some(inner), Some(Part::Len)) => match part_of(whole, inner) {
            View::Text(text) => View::Num(text.len() as i128),
            other => other,
        },
        (Some(inner), Some(Part::Ip)) => match part_of(whole, inner) {
            View::Text(host) => ip_of(host),
            _ => View::Absent,
        },
        (Some(_), _) => View::Absent,
    }
}

fn ip_of(host: &str) -> View<'_> {
    ip::of_host(host).map_or(View::Absent, View::Num)
}

fn part_of(value: &Value, part: Part) -> View<'_> {
    match (part, value) {
        (Part::Scheme, Value::Url(u)) => View::Text(u.scheme()),
        (Part::Host, Value::Url(u)) => View::Text(u.host()),
        (Part::Port, Value::Url(u)) => View::Num(i128::from(u.port())),
        (Part::Path, Value::Url(u)) => View::Text(u.path()),
        (Part::Query, Value::Url(u)) => View::Text(u.query()),
        (Part::Ip, Value::Host(host)) => ip_of(host),
        (Part::Local, Value::Email(e)) => View::Text(e.local()),
        (Part::Domain, Value::Email(e)) => View::Text(e.domain()),
        (Part::Len, Value::List(items)) => View::Num(items.len() as i128),
        (Part::Len, other) => match other.text() {
            Some(text) => View::Num(text.len() as i128),
            None => View::Absent,
        },
        _ => View::Absent,
    }
}

/// The elements a quantifier ranges over: of a list, of an optional that is there, or none.
pub fn elements<'v>(value: &'v Value, steps: &[Step]) -> &'v [Value] {
    elements_of(descend(value, steps))
}

pub(super) fn elements_of(whole: Option<&Value>) -> &[Value] {
    match whole {
        None | Some(Value::Absent) => &[],
        Some(Value::List(items)) => items,
        Some(one) => std::slice::from_ref(one),
    }
}

/// Whether a question holds of a value that is there; a value of another kind answers no.
pub fn answer(question: &Question, seen: &View<'_>) -> bool {
    match (question, seen) {
        (_, View::Absent) => false,
        (Question::Present, _) => true,
        (Question::True, View::Bool(b)) => *b,
        (Question::Within(ranges), View::Num(n)) => ranges.iter().any(|(lo, hi)| lo <= n && n <= hi),
        (Question::Member(members), View::Member(m)) => members.contains(m),
        (Question::OneOf(texts), View::Text(text)) => texts.iter().any(|t| **t == **text),
        (Question::Shape(shape), View::Text(text)) => has_shape(shape, text),
        _ => false,
    }
}

/// Whether a condition holds; `chain` has the request first, then the element of each quantifier by its level.
pub fn holds(cond: &Cond, chain: &[&Value]) -> bool {
    holds_with(cond, chain, &|_| false)
}

/// The same, told which lists of the request are sets: their elements are sorted, each there once.
pub fn holds_with(cond: &Cond, chain: &[&Value], is_set: IsSet<'_>) -> bool {
    let base = |place: &Place| chain.get(place.level as usize).copied();
    match cond {
        Cond::Const(b) => *b,
        Cond::Not(inner) => !holds_with(inner, chain, is_set),
        Cond::And(parts) => parts.iter().all(|part| holds_with(part, chain, is_set)),
        Cond::Or(parts) => parts.iter().any(|part| holds_with(part, chain, is_set)),
        Cond::Relation(relation) => relation.holds(chain),
        Cond::Atom(atom) => match base(&atom.place).map(|value| view(value, &atom.place.steps)) {
            None | Some(View::Absent) => atom.when_absent,
            Some(seen) => answer(&atom.test, &seen),
        },
        Cond::Any {
            list, level, body, ..
        } => match body.wanted(*level) {
            Some(wanted) => {
                let whole = base(list).and_then(|outer| descend(outer, &list.steps));
                wanted.is_among(whole, chain, || list.level == 0 && is_set(list))
            }
            None => any_element(list, *level, chain, |inner| holds_with(body, inner, is_set)),
        },
    }
}

impl Cond {
    /// What an element of the level has to be equal to, where that is all the condition asks: `id in list`.
    fn wanted(&self, level: u32) -> Option<&Term> {
        match self {
            Cond::Relation(relation) => relation.with_element(level),
            _ => None,
        }
    }
}

/// Whether the list at a place of the request is a set.
pub type IsSet<'a> = &'a dyn Fn(&Place) -> bool;

/// How deep quantifiers lie in one another before their chain takes space of its own.
const SHALLOW: usize = 6;

/// Shows the chain of each element of a list, up to the first that is told to be found; whether there is one. The chain is
/// made once: from element to element only its end differs.
pub(super) fn any_element<'v>(
    list: &Place,
    level: u32,
    chain: &[&'v Value],
    mut is_found: impl FnMut(&[&'v Value]) -> bool,
) -> bool {
    let outer = chain.get(list.level as usize);
    let items = outer.map_or(&[][..], |outer| elements(outer, &list.steps));
    let Some(first) = items.first() else {
        return false;
    };
    let level = level as usize;
    let (mut shallow, mut deep) = ([first; SHALLOW], Vec::new());
    let inner = match shallow.get_mut(..=level) {
        Some(inner) => inner,
        None => {
            deep.resize(level + 1, first);
            deep.as_mut_slice()
        }
    };
    let known = chain.len().min(level);
    inner
        .iter_mut()
        .zip(chain)
        .take(known)
        .for_each(|(to, from)| *to = from);
    items.iter().any(|element| {
        inner.iter_mut().skip(known).for_each(|last| *last = element);
        is_found(inner)
    })
}

fn has_shape(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::Prefix(p) => text.starts_with(p.as_str()),
        Shape::Suffix(s) => text.ends_with(s.as_str()),
        Shape::Contains(c) => text.contains(c.as_str()),
        Shape::Glob(kind, pattern) => {
            glob::to_regex(*kind, pattern).is_ok_and(|expression| regex::is_match(&expression, text))
        }
        Shape::Regex(expression) => regex::is_match(expression, text),
        Shape::UnderPath(dir) => path::under(text, dir),
        Shape::UnderHost(domain) => host::under(text, domain),
        Shape::AnyOf(shapes) => shapes.iter().any(|shape| has_shape(shape, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{any_element, holds, holds_with};
    use crate::hir::{Cond, Place, Relation, RelationOp, Step, Term};
    use crate::source::Span;
    use crate::value::Value;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Value> {
        "[ab]{0,3}".prop_map(|text| Value::Str(text.into()))
    }

    fn optional() -> impl Strategy<Value = Value> {
        prop_oneof![4 => text(), 1 => Just(Value::Absent)]
    }

    proptest! {
        /// Where an element has to be equal to one value, it is looked for, by a table where there is one; one after the other, it is
        /// the same.
        #[test]
        fn what_is_in_a_list_is_found_in_it(
            mut items in prop::collection::vec(text(), 0..20),
            wanted in optional(),
            element_first: bool,
        ) {
            let place = |level, steps| Place { level, steps };
            let list = place(0, vec![Step::Field(0)]);
            let sides = (Term::Place(place(1, Vec::new())), Term::Place(place(0, vec![Step::Field(1)])));
            let (left, right) = if element_first { sides } else { (sides.1, sides.0) };
            let relation = Relation { left, op: RelationOp::Equal, right, span: Span::default() };
            let body = Box::new(Cond::Relation(Box::new(relation.clone())));
            let cond = Cond::Any { list: list.clone(), level: 1, body, span: Span::default() };
            let record = Value::Record(vec![Value::list(items.clone()), wanted.clone()]);
            let one_by_one = |record| any_element(&list, 1, &[record], |chain| relation.holds(chain));
            prop_assert_eq!(holds(&cond, &[&record]), one_by_one(&record));
            let mut indexed = record.clone();
            indexed.index();
            prop_assert_eq!(&indexed, &record);
            prop_assert_eq!(holds(&cond, &[&indexed]), one_by_one(&record));
            items.sort();
            items.dedup();
            let record = Value::Record(vec![Value::list(items), wanted]);
            prop_assert_eq!(holds_with(&cond, &[&record], &|_| true), one_by_one(&record));
        }
    }
}
