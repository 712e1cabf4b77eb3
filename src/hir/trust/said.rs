//! A condition as it is for what a caller says: each answer about a claim as given. In: a condition, and which places are
//! claims. Out: the questions about claims, and the condition with answers to them. Where a claim plays a part in another way,
//! nothing is told.

use super::Claims;
use crate::domain::Trust;
use crate::hir::answer::{View, answer};
use crate::hir::{Atom, Cond, ContextField, Part, Place, Question, Step, Tool};
use crate::limits;
use crate::source::Span;
use crate::ty::Ty;
use std::collections::BTreeSet;

/// A question about a claim, and the answer where nothing is said; none where something always is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    question: Atom,
    /// What nothing said amounts to.
    pub unsaid: Option<bool>,
}

/// The questions about claims that a condition asks, each once; none where a claim plays a part that is no question.
pub fn said(cond: &Cond, tool: &Tool, context: &[ContextField]) -> Option<Vec<Said>> {
    let mut found = Vec::new();
    let claims = Claims { tool, context };
    gather(&claims, cond, &mut found)?;
    Some(found)
}

/// The answers that may be given together to questions about claims, each list in their order; `None` where they are too many.
/// Answers about different places do not depend on each other.
pub fn ways(said: &[Said]) -> Option<BTreeSet<Vec<bool>>> {
    let mut ways = BTreeSet::from([vec![false; said.len()]]);
    let mut places: Vec<&Place> = Vec::new();
    for one in said {
        if !places.contains(&&one.question.place) {
            places.push(&one.question.place);
        }
    }
    for place in places {
        let here = said.iter().enumerate();
        let here: Vec<(usize, &Atom)> = here
            .map(|(at, said)| (at, &said.question))
            .filter(|(_, question)| question.place == *place)
            .collect();
        let each = answers(&here)?;
        let with = |way: &Vec<bool>| {
            let way = way.clone();
            each.iter().map(move |answers| {
                let mut way = way.clone();
                for (at, answer) in answers {
                    if let Some(slot) = way.get_mut(*at) {
                        *slot = *answer;
                    }
                }
                way
            })
        };
        ways = ways.iter().flat_map(with).collect();
        if ways.len() > limits::CLAIMED_WAYS {
            return None;
        }
    }
    Some(ways)
}

/// The answers to questions about one place, for each kind of value there and for a missing one.
fn answers(questions: &[(usize, &Atom)]) -> Option<BTreeSet<Vec<(usize, bool)>>> {
    let mut numbers: Vec<i128> = Vec::new();
    let mut texts: BTreeSet<String> = BTreeSet::from([String::new()]);
    let mut members: BTreeSet<u32> = BTreeSet::new();
    for (_, atom) in questions {
        match &atom.test {
            Question::Present | Question::True => {}
            Question::Within(ranges) => {
                for (low, high) in ranges {
                    let near = [low.checked_sub(1), Some(*low), Some(*high), high.checked_add(1)];
                    numbers.extend(near.into_iter().flatten());
                }
            }
            Question::Member(asked) => members.extend(asked),
            Question::OneOf(asked) => texts.extend(asked.iter().map(|text| text.to_string())),
            Question::Shape(_) => return None,
        }
    }
    // Longer than every text that is asked for, and a member beyond all of them.
    let other: String = texts.iter().map(String::as_str).chain(["x"]).collect();
    texts.insert(other);
    members.insert(members.last().map_or(0, |last| last.saturating_add(1)));
    let mut views = vec![View::Absent];
    for (_, atom) in questions {
        match &atom.ty {
            Ty::Bool => views.extend([View::Bool(false), View::Bool(true)]),
            Ty::Enum { members, .. } => {
                views.extend((0u32..).zip(members).map(|(member, _)| View::Member(member)));
            }
            _ => {}
        }
    }
    views.extend(numbers.into_iter().chain([0]).map(View::Num));
    views.extend(texts.iter().map(|text| View::Text(text)));
    views.extend(members.into_iter().map(View::Member));
    let of = |view: &View<'_>| {
        let answers = questions.iter().map(|(at, atom)| match view {
            View::Absent => (*at, atom.when_absent),
            seen => (*at, answer(&atom.test, seen)),
        });
        answers.collect::<Vec<(usize, bool)>>()
    };
    Some(views.iter().map(of).collect())
}

/// The condition with these answers.
pub fn answered(cond: &Cond, said: &[Said], answers: &[bool]) -> Cond {
    let Cond::Atom(atom) = cond else {
        return cond.with_parts(&mut |part| answered(part, said, answers));
    };
    let asked = unplaced(atom);
    let mut known = said.iter().zip(answers);
    match known.find(|(said, _)| said.question == asked) {
        Some((_, answer)) => Cond::Const(*answer),
        None => cond.clone(),
    }
}

fn unplaced(atom: &Atom) -> Atom {
    Atom {
        span: Span::default(),
        ..atom.clone()
    }
}

fn gather(claims: &Claims<'_>, cond: &Cond, found: &mut Vec<Said>) -> Option<()> {
    match cond {
        Cond::Const(_) => Some(()),
        Cond::Not(inner) => gather(claims, inner, found),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().try_for_each(|part| gather(claims, part, found)),
        Cond::Any { list, body, .. } => {
            claims.claim(list, &[]).is_none().then_some(())?;
            gather(claims, body, found)
        }
        Cond::Relation(_) => claims.of(cond, &mut Vec::new()).is_none().then_some(()),
        Cond::Atom(atom) => {
            if claims.computed(&atom.place, &mut Vec::new()) {
                return None;
            }
            if claims.claim(&atom.place, &[]).is_none() {
                return Some(());
            }
            let said = Said {
                question: unplaced(atom),
                unsaid: unsaid(claims, atom)?,
            };
            if !found.contains(&said) {
                found.push(said);
            }
            Some(())
        }
    }
}

/// The answer of a claim of which nothing is said, if it may be so; `None` for what is looked up.
fn unsaid(claims: &Claims<'_>, atom: &Atom) -> Option<Option<bool>> {
    let (0, [_, Step::Field(field), rest @ ..]) = (atom.place.level, atom.place.steps.as_slice()) else {
        return None;
    };
    if claims.lookup(&atom.place).is_some() {
        return None;
    }
    let declared = claims
        .context
        .get(*field as usize)
        .filter(|f| f.trust == Trust::Claim)?;
    let is_list = matches!(
        declared.field.ty,
        Ty::List { .. } | Ty::Set { .. } | Ty::Map { .. }
    );
    Some(match rest {
        // A list that is not said is empty.
        [Step::Part(Part::Len)] if is_list => Some(answer(&atom.test, &View::Num(0))),
        _ if !declared.field.ty.is_optional() => None,
        _ => Some(atom.test != Question::Present && atom.when_absent),
    })
}
