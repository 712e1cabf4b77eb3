//! The values on both sides of where the answer to a question changes. In: a question about one place. Out: narrower
//! questions about it, of values for which the answer is yes and no. Whether a call can have them is not known here.

use crate::classes::{Matchers, sample};
use crate::hir::answer::{View, answer};
use crate::hir::{Atom, Cond, Part, Question, Shape, Step, place};
use crate::ir::space::{Formula, Space};
use crate::limits;
use crate::ty::Ty;
use std::collections::BTreeSet;

/// A side, and the questions of values there, the most telling first.
type Side = (bool, Vec<Question>);

/// Questions of the values beside the boundary, those of one place on it together, the most telling first, with the
/// answer that the atom gives to them.
pub(super) fn beside(atom: &Atom, matchers: &mut Matchers) -> Vec<(bool, Vec<Cond>)> {
    let narrower = |test: Question| {
        Cond::Atom(Atom {
            test,
            when_absent: false,
            ..atom.clone()
        })
    };
    let found: Vec<Side> = match &atom.test {
        Question::Present | Question::True => Vec::new(),
        Question::Within(ranges) => numbers(atom, ranges),
        Question::Member(members) => neighbours(&atom.ty, members),
        Question::OneOf(_) | Question::Shape(_) => texts(atom, matchers),
    };
    let sides = found.into_iter();
    sides
        .map(|(holds, tests)| (holds, tests.into_iter().map(narrower).collect()))
        .collect()
}

/// The ends of the first and last ranges, and the numbers past them.
fn numbers(atom: &Atom, ranges: &[(i128, i128)]) -> Vec<Side> {
    let (mut least, most) = sample::range(&atom.ty);
    if atom.place.steps.last() == Some(&Step::Part(Part::Len)) {
        least = 0;
    }
    let is_in = |n: i128| ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&n));
    let last = ranges.len().saturating_sub(limits::EDGE_VALUES);
    let shown = |at: &usize| *at < limits::EDGE_VALUES || *at >= last;
    let mut out: Vec<(bool, i128)> = Vec::new();
    for (_, (lo, hi)) in ranges.iter().enumerate().filter(|(at, _)| shown(at)) {
        if *lo > least {
            out.extend([(true, *lo), (false, lo - 1)]);
        }
        if *hi < most {
            out.extend([(true, *hi), (false, hi + 1)]);
        }
    }
    out.retain(|(holds, n)| is_in(*n) == *holds);
    out.sort_by_key(|(holds, n)| (!holds, *n));
    out.dedup();
    let exactly = |(holds, n): (bool, i128)| (holds, vec![Question::Within(vec![(n, n)])]);
    out.into_iter().map(exactly).collect()
}

/// Members in the order of the enum whose neighbour is on the other side.
fn neighbours(ty: &Ty, members: &BTreeSet<u32>) -> Vec<Side> {
    let Ty::Enum { members: all, .. } = ty else {
        return Vec::new();
    };
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let at_edge = |member: &u32| {
        let side = |other: Option<u32>| {
            other.is_some_and(|o| o < count && members.contains(&o) != members.contains(member))
        };
        side(member.checked_sub(1)) || side(member.checked_add(1))
    };
    let edge: Vec<u32> = (0..count).filter(at_edge).collect();
    let of = |holds: bool| {
        let here = edge
            .iter()
            .filter(move |member| members.contains(member) == holds);
        here.take(limits::EDGE_VALUES)
            .map(move |member| (holds, vec![Question::Member(BTreeSet::from([*member]))]))
    };
    of(true).chain(of(false)).collect()
}

/// Texts that are just as asked, and texts that differ from one of them in a letter.
fn texts(atom: &Atom, matchers: &mut Matchers) -> Vec<Side> {
    let is_value = |text: &str| place::of_text(text, &atom.ty).is_some();
    let holds = |text: &str| answer(&atom.test, &View::Text(text));
    let mut places: Vec<Vec<String>> = inside(&atom.test);
    places
        .iter_mut()
        .for_each(|on| on.retain(|text| is_value(text) && holds(text)));
    places.retain(|on| !on.is_empty());
    if places.is_empty() {
        places.extend(example(atom, matchers).map(|text| vec![text]));
    }
    let one = |text: &String| Question::OneOf(BTreeSet::from([text.as_str().into()]));
    let mut out: Vec<Side> = Vec::new();
    for on in places {
        let near: Vec<String> = on.first().map(|text| near(text)).unwrap_or_default();
        let near = near.iter().filter(|near| is_value(near) && !holds(near)).map(one);
        let near: Vec<Question> = near.take(limits::EDGE_VALUES).collect();
        out.push((true, on.iter().map(one).collect()));
        if !near.is_empty() {
            out.push((false, near));
        }
    }
    out.sort_by_key(|(holds, _)| !holds);
    out.dedup();
    out
}

/// Texts that a question plainly takes: of each of its parts, or of the first and the last of many.
fn inside(test: &Question) -> Vec<Vec<String>> {
    match test {
        Question::OneOf(texts) => ends(texts.iter()).map(|text| vec![text.to_string()]).collect(),
        Question::Shape(Shape::AnyOf(shapes)) => ends(shapes.iter()).map(of_shape).collect(),
        Question::Shape(shape) => vec![of_shape(shape)],
        _ => Vec::new(),
    }
}

/// The first and the last of some.
fn ends<T>(mut all: impl DoubleEndedIterator<Item = T>) -> impl Iterator<Item = T> {
    let first = all.next();
    first.into_iter().chain(all.next_back())
}

fn of_shape(shape: &Shape) -> Vec<String> {
    let longer = |text: &String| vec![text.clone(), format!("{text}a"), format!("a{text}")];
    match shape {
        Shape::Prefix(text) | Shape::Suffix(text) => longer(text),
        Shape::Contains(text) => [longer(text), vec![format!("a{text}a")]].concat(),
        Shape::UnderPath(folder) => vec![folder.clone(), format!("{folder}/a")],
        Shape::UnderHost(domain) => vec![domain.clone(), format!("a.{domain}")],
        Shape::Glob(..) | Shape::Regex(_) | Shape::AnyOf(_) => Vec::new(),
    }
}

/// Texts that differ from one at an end, likely mistakes first.
fn near(text: &str) -> Vec<String> {
    let mut shorter = text.to_owned();
    shorter.pop();
    let mut later = text.chars();
    later.next();
    let (before, after) = (format!("x{text}"), format!("{text}x"));
    let mut all = vec![
        after,
        before,
        format!("{text}.example"),
        shorter,
        later.as_str().to_owned(),
    ];
    all.retain(|near| near != text);
    all
}

/// The plainest text that a pattern takes.
fn example(atom: &Atom, matchers: &mut Matchers) -> Option<String> {
    let mut here = atom.clone();
    here.place.level = 0;
    let cond = Cond::Atom(here);
    let mut space = Space::new(0, &[], &[&cond], matchers)?;
    let Formula::Is(variable, classes) = space.formula(&cond)? else {
        return None;
    };
    let level = space.level();
    let variable = level.variables.get(variable as usize)?;
    let found = crate::analysis::witness::fitting(variable, &classes);
    found.iter().find_map(|value| value.text().map(str::to_owned))
}
