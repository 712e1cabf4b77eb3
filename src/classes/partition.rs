//! Cutting a variable's values into classes by the questions asked of it.

use super::automaton::Matcher;
use super::classifier::{Classifier, Texts};
use super::matchers::Matchers;
use super::set::ClassSet;
use crate::builtins::glob;
use crate::hir::answer::{View, answer};
use crate::hir::{Question, Shape};
use crate::limits;
use crate::ty::Ty;
use std::collections::{BTreeMap, BTreeSet};

/// Classes of one variable for some of its questions; class `count - 1` is the missing value.
#[derive(Clone, Debug)]
pub struct Group {
    /// Finds the class of a value that is there.
    pub classifier: Classifier,
    /// Classes, the missing value's included.
    pub count: u32,
}

impl Group {
    /// The class of the missing value.
    pub fn absent(&self) -> u32 {
        self.count.saturating_sub(1)
    }
}

/// The classes of one variable: one group, or several where one automaton for all its patterns would be too large.
#[derive(Clone, Debug)]
pub struct Partition {
    /// The groups.
    pub groups: Vec<Group>,
    /// Per question: its group, and the classes of that group that answer yes.
    pub answers: BTreeMap<Question, (usize, ClassSet)>,
}

/// Cuts the values of type `ty` by `questions`. `None` when a single pattern is too large by itself.
pub fn partition(ty: &Ty, questions: &BTreeSet<Question>) -> Option<Partition> {
    partition_with(ty, questions, &mut Matchers::default())
}

/// The same, with the automata that were built before.
pub fn partition_with(ty: &Ty, questions: &BTreeSet<Question>, matchers: &mut Matchers) -> Option<Partition> {
    let mut out = Partition {
        groups: Vec::new(),
        answers: BTreeMap::new(),
    };
    let rest: BTreeSet<&Question> = questions.iter().filter(|q| **q != Question::Present).collect();
    match ty {
        _ if rest.is_empty() => one(&mut out, Classifier::Any, 1, &rest, |_, _| true),
        Ty::Bool => one(&mut out, Classifier::Bool, 2, &rest, |_, class| class == 1),
        Ty::Enum { members, .. } => enums(&mut out, members.len(), &rest),
        ty if ty.is_numeric() => numbers(&mut out, &rest),
        _ => texts(&mut out, &rest, matchers)?,
    }
    if questions.contains(&Question::Present) {
        let count = out.groups.first().map_or(1, |g| g.count);
        let mut there = ClassSet::empty(count);
        (0..count.saturating_sub(1)).for_each(|c| there.insert(c));
        out.answers.insert(Question::Present, (0, there));
    }
    Some(out)
}

/// Adds a group whose classes answer as `yes` says.
fn one(
    out: &mut Partition,
    classifier: Classifier,
    classes: u32,
    questions: &BTreeSet<&Question>,
    yes: impl Fn(&Question, u32) -> bool,
) {
    let group = out.groups.len();
    let count = classes + 1;
    out.groups.push(Group { classifier, count });
    for question in questions {
        let mut set = ClassSet::empty(count);
        (0..classes)
            .filter(|c| yes(question, *c))
            .for_each(|c| set.insert(c));
        out.answers.insert((*question).clone(), (group, set));
    }
}

fn enums(out: &mut Partition, members: usize, questions: &BTreeSet<&Question>) {
    let mut classes: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
    let mut examples: Vec<u32> = Vec::new();
    let mut of = Vec::new();
    for member in 0..u32::try_from(members).unwrap_or(u32::MAX) {
        let key = questions
            .iter()
            .map(|q| answer(q, &View::Member(member)))
            .collect();
        let fresh = u32::try_from(classes.len()).unwrap_or(u32::MAX);
        of.push(*classes.entry(key).or_insert_with(|| {
            examples.push(member);
            fresh
        }));
    }
    let count = u32::try_from(examples.len()).unwrap_or(u32::MAX);
    one(out, Classifier::Members(of), count, questions, |q, class| {
        examples
            .get(class as usize)
            .is_some_and(|m| answer(q, &View::Member(*m)))
    });
}

fn numbers(out: &mut Partition, questions: &BTreeSet<&Question>) {
    let mut cuts: BTreeSet<i128> = BTreeSet::new();
    for question in questions {
        if let Question::Within(ranges) = question {
            for (lo, hi) in ranges {
                cuts.insert(*lo);
                cuts.extend(hi.checked_add(1));
            }
        }
    }
    cuts.remove(&i128::MIN);
    let cuts: Vec<i128> = cuts.into_iter().collect();
    let count = u32::try_from(cuts.len() + 1).unwrap_or(u32::MAX);
    let lowest = |class: u32| match class.checked_sub(1) {
        None => i128::MIN,
        Some(before) => cuts.get(before as usize).copied().unwrap_or(i128::MAX),
    };
    one(
        out,
        Classifier::Cuts(cuts.clone()),
        count,
        questions,
        |q, class| answer(q, &View::Num(lowest(class))),
    );
}

/// The regular expression of a shape.
fn expression(shape: &Shape) -> Option<String> {
    let mut alike: BTreeMap<(&'static str, &'static str), Vec<String>> = BTreeMap::new();
    for Pieces { lead, body, tail } in pieces(shape)? {
        alike.entry((lead, tail)).or_default().push(body);
    }
    let joined: Vec<String> = alike
        .into_iter()
        .map(|((lead, tail), bodies)| format!("{lead}(?:{}){tail}", bodies.join("|")))
        .collect();
    Some(joined.join("|"))
}

/// An expression in three parts. What may stand before and after is apart, so that several shapes share it: an automaton
/// that looked for the end of each by itself would tell apart which of them it has seen, and double with every shape.
struct Pieces {
    lead: &'static str,
    body: String,
    tail: &'static str,
}

fn pieces(shape: &Shape) -> Option<Vec<Pieces>> {
    const ANY: &str = ".*";
    let one = |lead, body, tail| Some(vec![Pieces { lead, body, tail }]);
    let escape = |text: &str| regex_syntax::escape(text);
    match shape {
        Shape::Prefix(text) => one("", escape(text), ANY),
        Shape::Suffix(text) => one(ANY, escape(text), ""),
        Shape::Contains(text) => one(ANY, escape(text), ANY),
        Shape::Glob(kind, pattern) => {
            let (lead, body, tail) = glob::in_pieces(*kind, pattern).ok()?;
            one(lead, body, tail)
        }
        Shape::Regex(text) => one("", text.clone(), ""),
        Shape::UnderPath(dir) if dir == "/" => one("", "/".to_owned(), ANY),
        Shape::UnderPath(dir) if dir == "." => one("", "[^/]".to_owned(), ANY),
        Shape::UnderPath(dir) => one("", escape(dir), "(?:/.*)?"),
        Shape::UnderHost(domain) if domain.contains(':') || domain.parse::<std::net::Ipv4Addr>().is_ok() => {
            one("", escape(domain), "")
        }
        Shape::UnderHost(domain) => one("(?:.*\\.)?", escape(domain), ""),
        Shape::AnyOf(shapes) => {
            let each: Option<Vec<Vec<Pieces>>> = shapes.iter().map(pieces).collect();
            Some(each?.into_iter().flatten().collect())
        }
    }
}

fn texts(out: &mut Partition, questions: &BTreeSet<&Question>, matchers: &mut Matchers) -> Option<()> {
    let known: BTreeSet<&Question> = questions
        .iter()
        .copied()
        .filter(|q| matches!(q, Question::OneOf(_)))
        .collect();
    let mut shapes: Vec<(&Question, String)> = Vec::new();
    for question in questions {
        if let Question::Shape(shape) = question {
            shapes.push((question, expression(shape)?));
        }
    }
    if shapes.is_empty() {
        return text_group(out, &known, &[], None);
    }
    // A long expression multiplies with every other one, so it has an automaton to itself without a try.
    let is_long = |(_, expression): &(&Question, String)| expression.len() > limits::SHARED_PATTERN_BYTES;
    let (long, short): (Vec<_>, Vec<_>) = shapes.into_iter().partition(is_long);
    let mut first = true;
    let mut add = |part: &[(&Question, String)], matcher| {
        let none = BTreeSet::new();
        let known = if std::mem::take(&mut first) { &known } else { &none };
        text_group(out, known, part, Some(matcher))
    };
    if !short.is_empty() {
        split(&short, matchers, &mut add)?;
    }
    for one in long.chunks(1) {
        split(one, matchers, &mut add)?;
    }
    Some(())
}

/// Halves the patterns until one automaton holds each part.
fn split<'q>(
    shapes: &[(&'q Question, String)],
    matchers: &mut Matchers,
    add: &mut impl FnMut(&[(&'q Question, String)], Matcher) -> Option<()>,
) -> Option<()> {
    let expressions: Vec<String> = shapes.iter().map(|(_, e)| e.clone()).collect();
    // Many patterns at once multiply; a small budget keeps builds quick and falls back to two automata.
    let budget = if shapes.len() == 1 {
        limits::AUTOMATON_BYTES
    } else {
        limits::AUTOMATON_SHARED_BYTES
    };
    if let Some(matcher) = matchers.build(&expressions, budget) {
        return add(shapes, matcher);
    }
    let (left, right) = shapes
        .split_at_checked(shapes.len() / 2)
        .filter(|(l, _)| !l.is_empty())?;
    split(left, matchers, add)?;
    split(right, matchers, add)
}

/// One group over known texts and the patterns of one automaton. A class is a set of questions answered yes.
fn text_group(
    out: &mut Partition,
    known: &BTreeSet<&Question>,
    shapes: &[(&Question, String)],
    matcher: Option<Matcher>,
) -> Option<()> {
    let mut asked: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (index, question) in known.iter().enumerate() {
        if let Question::OneOf(texts) = question {
            for text in texts {
                asked.entry(text).or_default().push(u32::try_from(index).ok()?);
            }
        }
    }
    let mut classes: BTreeMap<(Vec<u32>, BTreeSet<u32>), u32> = BTreeMap::new();
    let mut class_of = |known: Vec<u32>, matched: BTreeSet<u32>| -> u32 {
        let fresh = u32::try_from(classes.len()).unwrap_or(u32::MAX);
        *classes.entry((known, matched)).or_insert(fresh)
    };
    let other = class_of(Vec::new(), BTreeSet::new());
    for set in matcher.iter().flat_map(|m| &m.matches) {
        class_of(Vec::new(), set.clone());
    }
    let mut table: Vec<(Box<str>, u32)> = Vec::new();
    for (text, questions) in asked {
        let matched = matcher
            .as_ref()
            .map(|m| m.matching(text.as_bytes()))
            .unwrap_or_default();
        table.push((text.into(), class_of(questions, matched)));
    }
    let automaton = match matcher {
        Some(m) => {
            Some(m.with_classes(|set| classes.get(&(Vec::new(), set.clone())).copied().unwrap_or(other))?)
        }
        None => None,
    };
    let count = u32::try_from(classes.len()).ok()? + 1;
    let group = out.groups.len();
    out.groups.push(Group {
        classifier: Classifier::Texts(Texts::new(table, automaton, other)),
        count,
    });
    let mut sets: Vec<ClassSet> = vec![ClassSet::empty(count); known.len() + shapes.len()];
    for ((questions, matched), class) in &classes {
        let matched = matched.iter().map(|m| *m as usize + known.len());
        for index in questions.iter().map(|q| *q as usize).chain(matched) {
            if let Some(set) = sets.get_mut(index) {
                set.insert(*class);
            }
        }
    }
    let all = known.iter().copied().chain(shapes.iter().map(|(q, _)| *q));
    for (question, set) in all.zip(sets) {
        out.answers.insert(question.clone(), (group, set));
    }
    Some(())
}
