//! What the gate computes for a request before its rules are judged, and what a call means for the session: conditions and
//! terms that are evaluated as they are written. In: slots, conditions, terms, and the type at each level. Out: the most
//! steps they take.

use super::reach::{Reach, elements};
use super::{Around, product, size, sum};
use crate::hir::{Beside, Cond, Labelled, Monitor, PatternStep, Place, Question, Shape, Slot, Step, Term};
use crate::ir::ToolProgram;
use std::collections::BTreeMap;

/// What is in reach: the request is level 0, the element of each quantifier has its own.
type Chain<'t> = BTreeMap<u32, Reach<'t>>;

/// A slot of a tool.
pub(super) fn slot(around: Around<'_>, tool: &ToolProgram, slot: &Slot, chain: &Chain<'_>) -> u64 {
    match slot {
        Slot::Holds(cond) => condition(cond, 1, chain),
        Slot::Label { .. } | Slot::History(_) | Slot::Window(_) | Slot::Now => 1,
        Slot::Each(of) => chain.get(&0).map_or(0, |request| labelled(of, *request)),
        Slot::Tally(monitor) => match around.monitors.get(*monitor as usize) {
            Some(Monitor::Recent { cap, .. }) => u64::from(*cap).saturating_add(1),
            _ => 1,
        },
        Slot::Lookup { map, key, .. } => sum([term(key, 1, chain), each(map, u32::MAX, 1, chain, |_, _| 0)]),
        Slot::Used { limit, by, .. } => {
            let counted = tool.limits.iter().filter(|on| on.limit == *limit);
            let counted = counted.map(|on| {
                let cost = on.cost.as_ref().map_or(0, |cost| term(cost, 1, chain));
                sum([condition(&on.when, 1, chain), cost])
            });
            sum([1, size(by.len())].into_iter().chain(counted))
        }
    }
}

/// The session after a call, which is worked out twice: for a call that succeeds and for one that fails. Each monitor asks
/// about each of its events.
pub(super) fn session(around: Around<'_>, tool: &ToolProgram, chain: &Chain<'_>) -> u64 {
    let is = |event: u32| {
        let asked = tool.events.iter().find(|(of, _)| *of == event);
        sum([1, asked.map_or(0, |(_, cond)| condition(cond, 1, chain))])
    };
    let step = |monitor: &Monitor| match monitor {
        Monitor::Flag { set, clear, .. } => sum([is(*set), clear.map_or(0, is)]),
        Monitor::Pattern(steps) => sum(steps.iter().map(|step| match step {
            PatternStep::Event(event) => is(*event),
            PatternStep::Any | PatternStep::Maybe => 1,
        })),
        Monitor::Count { event, .. } => is(*event),
        Monitor::Recent { event, cap, .. } => sum([is(*event), u64::from(*cap)]),
    };
    product(2, sum(around.monitors.iter().map(step)))
}

/// A condition, asked so often: one step per question asked of one value.
fn condition(cond: &Cond, times: u64, chain: &Chain<'_>) -> u64 {
    match cond {
        Cond::Const(_) => 0,
        Cond::Not(inner) => condition(inner, times, chain),
        Cond::And(parts) | Cond::Or(parts) => sum(parts.iter().map(|part| condition(part, times, chain))),
        Cond::Atom(atom) => product(times, question(&atom.test)),
        Cond::Relation(relation) => sum([
            times,
            term(&relation.left, times, chain),
            term(&relation.right, times, chain),
        ]),
        Cond::Any {
            list, level, body, ..
        } => each(list, *level, times, chain, |times, chain| {
            condition(body, times, chain)
        }),
    }
}

/// A computed value, asked for so often: one step per value looked at.
fn term(of: &Term, times: u64, chain: &Chain<'_>) -> u64 {
    match of {
        Term::Const(_) => 0,
        Term::Place(_) | Term::Else(..) => times,
        Term::Add(a, b) | Term::Sub(a, b) => sum([term(a, times, chain), term(b, times, chain)]),
        Term::Sum {
            list,
            level,
            term: of,
        } => each(list, *level, times, chain, |times, chain| term(of, times, chain)),
        Term::Count { list, level, body } => each(list, *level, times, chain, |times, chain| {
            condition(body, times, chain)
        }),
    }
}

/// One step per element, and what is done with it.
fn each(
    list: &Place,
    level: u32,
    times: u64,
    chain: &Chain<'_>,
    body: impl Fn(u64, &Chain<'_>) -> u64,
) -> u64 {
    let holder = chain.get(&list.level).copied();
    let found = holder.and_then(|holder| elements(holder, times, &list.steps));
    found.map_or(0, |found| {
        let mut inner = chain.clone();
        if let (true, Some(holder)) = (found.is_spent, inner.get_mut(&list.level)) {
            holder.within = None;
        }
        inner.insert(level, found.each());
        sum([found.times, body(found.times, &inner)])
    })
}

/// A list in each of these with the labels of its elements: one step per element and per label asked for.
fn labelled(of: &Labelled, holder: Reach<'_>) -> u64 {
    let found = elements(holder, holder.times, &of.list);
    found.map_or(0, |found| {
        let beside = of.beside.iter().map(|beside| match beside {
            Beside::Label { .. } => found.times,
            Beside::List(inner) => labelled(inner, found.each()),
        });
        sum([found.times].into_iter().chain(beside))
    })
}

/// What is compared with a value one after the other.
fn question(test: &Question) -> u64 {
    match test {
        Question::Present | Question::True | Question::Member(_) => 1,
        Question::Within(ranges) => size(ranges.len()).max(1),
        Question::OneOf(texts) => size(texts.len()).max(1),
        Question::Shape(of) => shape(of),
    }
}

fn shape(of: &Shape) -> u64 {
    match of {
        Shape::AnyOf(shapes) => sum(shapes.iter().map(shape)).max(1),
        _ => 1,
    }
}

/// The places of the request that a slot looks at, each once.
pub(super) fn places(slot: &Slot) -> Vec<Vec<Step>> {
    let mut found: Vec<Vec<Step>> = Vec::new();
    slot.each_place(&mut |place| {
        if place.level == 0 && !found.contains(&place.steps) {
            found.push(place.steps.clone());
        }
    });
    found
}
