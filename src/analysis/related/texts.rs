//! Comparisons of texts: values that are the same are in classes that have a text in common, what lies under a folder or a
//! domain lies under what that lies under. In: the slots that compare. Out: a function that is true of every call there
//! can be.

use super::super::Calls;
use super::super::diagram::{Function, TooLarge};
use super::{Related, is};
use crate::classes::{self, ClassSet, Classifier, Group, Matchers, partition_with};
use crate::hir::{Cond, Question, Relation, RelationOp, Shape, Slot, Term, place};
use crate::ir::space::Variable;
use crate::limits;
use crate::ty::Ty;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TooLarge>;

/// A comparison, with the variable of its slot.
type Asked<'a> = (u32, &'a Relation);

pub(super) fn possible(
    related: &Related<'_>,
    calls: &mut Calls,
    matchers: &mut Matchers,
) -> Result<Function> {
    let asked = related
        .slots
        .iter()
        .enumerate()
        .filter_map(|(at, slot)| match slot {
            Slot::Holds(Cond::Relation(relation)) => Some((related.variable(calls, at)?, &**relation)),
            _ => None,
        });
    let of = |op: RelationOp, all: &[Asked<'_>]| -> Vec<usize> {
        (0..all.len())
            .filter(|at| all.get(*at).is_some_and(|(_, r)| r.op == op))
            .collect()
    };
    let all: Vec<Asked<'_>> = asked.collect();
    let pick = |numbers: Vec<usize>| numbers.into_iter().filter_map(|at| all.get(at).copied());
    let equal: Vec<Asked<'_>> = pick(of(RelationOp::Equal, &all)).collect();
    let under: Vec<Asked<'_>> = pick(of(RelationOp::Under, &all))
        .take(limits::RELATED_WITNESSES)
        .collect();
    let mut all = Function::EVERYTHING;
    for (variable, relation) in &equal {
        let same = same_classes(calls, *variable, relation)?;
        all = calls.logic.and(all, same)?;
    }
    let chains = Chains { equal, under };
    let against = chains.against(calls)?;
    all = calls.logic.without(all, against)?;
    for (variable, relation) in &chains.under {
        let below = below(calls, related, (*variable, relation), matchers)?;
        all = calls.logic.and(all, below)?;
    }
    Ok(all)
}

/// The variables of a place, but for those of numbers.
fn variables(calls: &Calls, term: &Term) -> Vec<(u32, Variable)> {
    let Term::Place(place) = term else {
        return Vec::new();
    };
    let is_told = |variable: &Variable| {
        matches!(variable.classifier, Classifier::Texts(_) | Classifier::Members(_))
            && variable.steps == place.steps
    };
    let all = (0u32..).zip(&calls.level.variables);
    all.filter(|(_, variable)| place.level == 0 && is_told(variable))
        .map(|(number, variable)| (number, variable.clone()))
        .collect()
}

/// Values that are the same are in classes that share a value, and values that are not are not both the only one of theirs.
fn same_classes(calls: &mut Calls, slot: u32, relation: &Relation) -> Result<Function> {
    let mut all = Function::EVERYTHING;
    let (lefts, rights) = (
        variables(calls, &relation.left),
        variables(calls, &relation.right),
    );
    for ((a, left), (b, right)) in lefts.iter().flat_map(|l| rights.iter().map(move |r| (l, r))) {
        let Some(pairs) = classes::together(&left.classifier, &right.classifier) else {
            continue;
        };
        let (mut shared, mut only) = (Function::NOTHING, Function::NOTHING);
        for class in 0..left.count.saturating_sub(1) {
            let mut others = ClassSet::empty(right.count);
            pairs
                .iter()
                .filter(|(own, _)| *own == class)
                .for_each(|(_, other)| others.insert(*other));
            let mut own = ClassSet::empty(left.count);
            own.insert(class);
            let here = both(calls, (*a, &own), (*b, &others))?;
            shared = calls.logic.or(shared, here)?;
            let mut alone = ClassSet::empty(right.count);
            let text = only_one(&left.classifier, class);
            (0..right.count)
                .filter(|other| text.is_some() && text == only_one(&right.classifier, *other))
                .for_each(|other| alone.insert(other));
            let here = both(calls, (*a, &own), (*b, &alone))?;
            only = calls.logic.or(only, here)?;
        }
        let (same, differ) = (is(calls, slot, true)?, is(calls, slot, false)?);
        let against = calls.logic.without(same, shared)?;
        all = calls.logic.without(all, against)?;
        let against = calls.logic.and(differ, only)?;
        all = calls.logic.without(all, against)?;
    }
    Ok(all)
}

fn both(calls: &mut Calls, a: (u32, &ClassSet), b: (u32, &ClassSet)) -> Result<Function> {
    let (left, right) = (calls.logic.is(a.0, a.1)?, calls.logic.is(b.0, b.1)?);
    calls.logic.and(left, right)
}

/// What tells the only value of a class from all others.
fn only_one(classifier: &Classifier, class: u32) -> Option<String> {
    let mut members: Vec<String> = match classifier {
        Classifier::Texts(texts) if classes::is_listed(texts, class) => {
            let (known, ..) = texts.parts();
            known
                .iter()
                .filter(|(_, of)| *of == class)
                .map(|(text, _)| text.to_string())
                .collect()
        }
        Classifier::Members(of) => {
            let members = of.iter().enumerate().filter(|(_, own)| **own == class);
            members.map(|(member, _)| member.to_string()).collect()
        }
        _ => Vec::new(),
    };
    members.pop().filter(|_| members.is_empty())
}

/// What follows from what is the same and from what lies under what.
struct Chains<'a> {
    equal: Vec<Asked<'a>>,
    under: Vec<Asked<'a>>,
}

impl Chains<'_> {
    /// Where two terms are known to be the same.
    fn same(&self, calls: &mut Calls, a: &Term, b: &Term) -> Result<Function> {
        if a == b {
            return Ok(Function::EVERYTHING);
        }
        let is_it = |relation: &Relation| {
            (&relation.left, &relation.right) == (a, b) || (&relation.left, &relation.right) == (b, a)
        };
        let mut any = Function::NOTHING;
        for (variable, _) in self.equal.iter().filter(|(_, relation)| is_it(relation)) {
            let own = is(calls, *variable, true)?;
            any = calls.logic.or(any, own)?;
        }
        Ok(any)
    }

    /// The calls that there are not.
    fn against(&self, calls: &mut Calls) -> Result<Function> {
        let mut all = Function::NOTHING;
        for (variable, relation) in &self.under {
            let here = self.reached(calls, relation)?;
            let not = is(calls, *variable, false)?;
            let against = calls.logic.and(here, not)?;
            all = calls.logic.or(all, against)?;
        }
        for ((variable, relation), (back, other)) in self
            .under
            .iter()
            .flat_map(|a| self.under.iter().map(move |b| (a, b)))
        {
            // What lies under each other is the same.
            if (&relation.left, &relation.right) == (&other.right, &other.left) {
                let (a, b) = (is(calls, *variable, true)?, is(calls, *back, true)?);
                let mutual = calls.logic.and(a, b)?;
                for (equal, of) in &self.equal {
                    let (left, right) = (&of.left, &of.right);
                    if [(left, right), (right, left)].contains(&(&relation.left, &relation.right)) {
                        let not = is(calls, *equal, false)?;
                        let against = calls.logic.and(mutual, not)?;
                        all = calls.logic.or(all, against)?;
                    }
                }
            }
        }
        Ok(all)
    }

    /// Where the left side of a comparison is known to lie under the right one, by other comparisons.
    fn reached(&self, calls: &mut Calls, relation: &Relation) -> Result<Function> {
        let (from, to) = (&relation.left, &relation.right);
        let mut any = match from == to {
            // A value that is missing is not under itself.
            true => Function::NOTHING,
            false => self.same(calls, from, to)?,
        };
        for (first, a) in &self.under {
            let start = self.same(calls, from, &a.left)?;
            let holds = is(calls, *first, true)?;
            let start = calls.logic.and(start, holds)?;
            if start == Function::NOTHING {
                continue;
            }
            let end = self.same(calls, &a.right, to)?;
            let mut there = end;
            for (second, b) in &self.under {
                let between = self.same(calls, &a.right, &b.left)?;
                let end = self.same(calls, &b.right, to)?;
                let holds = is(calls, *second, true)?;
                let here = calls.logic.and(between, end)?;
                let here = calls.logic.and(here, holds)?;
                there = calls.logic.or(there, here)?;
            }
            let here = calls.logic.and(start, there)?;
            any = calls.logic.or(any, here)?;
        }
        Ok(any)
    }
}

/// What lies under a folder or a domain that is known is in a class that has something under it, and what does not is in one
/// that has something else.
fn below(
    calls: &mut Calls,
    related: &Related<'_>,
    (slot, relation): Asked<'_>,
    matchers: &mut Matchers,
) -> Result<Function> {
    let mut all = Function::EVERYTHING;
    let (lefts, rights) = (
        variables(calls, &relation.left),
        variables(calls, &relation.right),
    );
    for ((number, left), (folder, right)) in lefts.iter().flat_map(|l| rights.iter().map(move |r| (l, r))) {
        let (Classifier::Texts(own), Classifier::Texts(of)) = (&left.classifier, &right.classifier) else {
            continue;
        };
        for class in (0..right.count.saturating_sub(1)).filter(|class| classes::is_listed(of, *class)) {
            let Some(text) = only_one(&right.classifier, class) else {
                continue;
            };
            let Some((group, yes)) = under(&text, &right.ty, matchers) else {
                continue;
            };
            let Classifier::Texts(lying) = &group.classifier else {
                continue;
            };
            let Some(pairs) = classes::shared(own, lying) else {
                continue;
            };
            let mut here = ClassSet::empty(right.count);
            here.insert(class);
            let here = calls.logic.is(*folder, &here)?;
            for holds in [true, false] {
                if !holds && !is_always_there(related, &relation.left) {
                    continue;
                }
                let mut fits = ClassSet::empty(left.count);
                let those = pairs.iter().filter(|(_, lies)| yes.contains(*lies) == holds);
                those.for_each(|(class, _)| fits.insert(*class));
                let fits = calls.logic.is(*number, &fits)?;
                let told = is(calls, slot, holds)?;
                let told = calls.logic.and(told, here)?;
                let against = calls.logic.without(told, fits)?;
                all = calls.logic.without(all, against)?;
            }
        }
    }
    Ok(all)
}

fn is_always_there(related: &Related<'_>, term: &Term) -> bool {
    matches!(term, Term::Place(place) if place.level == 0
        && !super::super::possible::may_be_missing(&related.ty, &place.steps))
}

/// The classes of what lies under a text, and those that do.
fn under(text: &str, ty: &Ty, matchers: &mut Matchers) -> Option<(Group, ClassSet)> {
    place::of_text(text, ty)?;
    let shape = match ty.required() {
        Ty::Path => Shape::UnderPath(text.to_owned()),
        Ty::Host => Shape::UnderHost(text.to_owned()),
        _ => return None,
    };
    let question = Question::Shape(shape);
    let mut cut = partition_with(ty, &BTreeSet::from([question.clone()]), matchers)?;
    let (group, yes) = cut.answers.remove(&question)?;
    Some((cut.groups.into_iter().nth(group)?, yes))
}
