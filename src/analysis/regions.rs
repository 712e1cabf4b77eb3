//! A function as few large regions that people can read: each a conjunction of questions that rules ask, none of which
//! can be left out. In: what is decided about a tool, and a function. Out: regions that together are the function, the
//! first ones of many. A region is a prime implicant over the questions, for calls there can be.

use super::diagram::{Asked, Function, TooLarge};
use super::logic::Logic;
use super::{Decided, text};
use crate::classes::ClassSet;
use crate::hir::answer::holds;
use crate::hir::{Cond, Slot, Step};
use crate::ir::space::Literal;
use crate::value::Value;
use std::collections::BTreeSet;

/// A part of a function.
pub(super) struct Region {
    /// What holds there, each question on its own; everything where there is none.
    pub conditions: Vec<String>,
    /// The same, as far as it can be asked of one call, and whether it holds.
    asked: Vec<(Cond, bool)>,
    /// What the names in the conditions mean, so that the same words about something else are not the same.
    pub meaning: String,
    /// Its calls; those of several regions may be the same.
    pub calls: Function,
}

impl Region {
    /// Whether a call is in it, as far as that can be told; `record` is what rules look at, with every slot.
    pub fn has(&self, record: &Value) -> bool {
        self.asked
            .iter()
            .all(|(cond, wanted)| holds(cond, &[record]) == *wanted)
    }
}

/// A question with its answer.
struct Answer {
    asked: Option<Cond>,
    variable: u32,
    calls: Function,
    text: String,
    holds: bool,
}

impl Decided<'_> {
    /// A record with what is computed by its rules' conditions alone behind the slots that it has.
    pub(super) fn with_own_slots(&self, record: Value) -> Value {
        let mut record = record;
        let args = self
            .package
            .tools
            .get(self.tool)
            .map_or(0, |tool| tool.args.len());
        loop {
            let Value::Record(values) = &record else {
                return record;
            };
            let slot = self.slots.get(values.len().saturating_sub(args + 1));
            let Some(slot) = slot else { return record };
            let value = match slot {
                Slot::Holds(cond) => Value::Bool(holds(cond, &[&record])),
                _ => Value::Absent,
            };
            if let Value::Record(values) = &mut record {
                values.push(value);
            }
        }
    }

    /// At most `most` regions of a function, and whether there are more.
    pub(super) fn regions(&mut self, of: Function, most: usize) -> Result<(Vec<Region>, bool), TooLarge> {
        let mut regions = Vec::new();
        let mut left = of;
        while left != Function::NOTHING && regions.len() < most {
            let mut path: Vec<Asked> = Vec::new();
            let is_shown = self.logic().paths(left, &mut |first| {
                path = first.to_vec();
                true
            });
            if !is_shown {
                return Err(TooLarge);
            }
            let region = self.region(&path, of)?;
            left = self.logic().without(left, region.calls)?;
            regions.push(region);
        }
        Ok((regions, left != Function::NOTHING))
    }

    /// The largest region about the calls of a path.
    fn region(&mut self, path: &[Asked], of: Function) -> Result<Region, TooLarge> {
        let mut answers = Vec::new();
        for (variable, classes) in path {
            self.answers(*variable, classes, &mut answers)?;
        }
        let possible = self.possible();
        let outside = self.logic().without(possible, of)?;
        // What does not hold says less to a reader than what does, so it goes first.
        answers.sort_by_key(|answer| answer.holds);
        let mut at = 0;
        while let Some(answer) = answers.get(at) {
            let is_never = answer.calls == Function::NOTHING;
            let others = answers.iter().enumerate().filter(|(other, _)| *other != at);
            let others: Vec<Function> = others.map(|(_, answer)| answer.calls).collect();
            let touches = meets(self.logic(), outside, &others)?;
            if touches || is_never {
                at += 1;
            } else {
                answers.remove(at);
            }
        }
        answers.sort_by_key(|answer| answer.variable);
        let mut calls = of;
        for answer in &answers {
            calls = self.logic().and(calls, answer.calls)?;
        }
        let asked = answers
            .iter()
            .filter_map(|answer| Some((answer.asked.clone()?, answer.holds)));
        let variables = answers.iter().map(|answer| answer.variable);
        Ok(Region {
            meaning: self.meaning(variables.collect()),
            asked: asked.collect(),
            conditions: answers.into_iter().map(|answer| answer.text).collect(),
            calls,
        })
    }

    /// What the windows, limits, labels and events mean that variables are about.
    fn meaning(&self, variables: Vec<u32>) -> String {
        let package = self.package;
        let args = package.tools.get(self.tool).map_or(0, |tool| tool.args.len());
        let slot_at = |steps: &[Step]| match steps.first() {
            Some(Step::Field(field)) => (*field as usize).checked_sub(args + 1),
            _ => None,
        };
        let variables = variables
            .iter()
            .filter_map(|at| self.calls.level.variables.get(*at as usize));
        let mut slots: BTreeSet<usize> = variables
            .filter_map(|variable| slot_at(&variable.steps))
            .collect();
        for at in slots.clone() {
            if let Some(slot) = self.slots.get(at) {
                slot.each_place(&mut |place| {
                    slots.extend(slot_at(&place.steps).filter(|_| place.level == 0))
                });
            }
        }
        let number = |number: &u32| *number as usize;
        let meaning = slots.iter().filter_map(|at| match self.slots.get(*at)? {
            Slot::Label { .. } | Slot::Each(_) => Some(format!("{:?}", package.labels)),
            Slot::Window(window) => {
                let window = package.windows.get(number(window))?;
                Some(format!("{:?} {:?}", window.zone, window.spans))
            }
            Slot::Used { limit, .. } => Some(format!("{:?}", package.limits.get(number(limit))?.spec)),
            Slot::History(monitor) | Slot::Tally(monitor) => {
                let monitor = package.history.monitors.get(number(monitor))?;
                let labels = package.history.events.iter().any(|event| event.labels != 0);
                Some(format!("{monitor:?} {:?}", labels.then_some(&package.labels)))
            }
            Slot::Holds(_) | Slot::Now | Slot::Lookup { .. } => None,
        });
        meaning.collect::<Vec<String>>().join(" ")
    }

    /// The answers to all questions about a variable in one of these classes: they tell the class from every other.
    fn answers(
        &mut self,
        variable: u32,
        classes: &ClassSet,
        answers: &mut Vec<Answer>,
    ) -> Result<(), TooLarge> {
        let Some(class) = classes.iter().next() else {
            return Ok(());
        };
        let package = self.package;
        let Some(tool) = package.tools.get(self.tool) else {
            return Ok(());
        };
        let mut told: Option<ClassSet> = None;
        let mut found: Vec<(ClassSet, bool, Literal)> = Vec::new();
        for literal in &self.literals {
            let (of, yes) = match literal {
                Literal::Is(of, yes, _) => (*of, yes.clone()),
                Literal::Some(list, predicate, ..) => {
                    let first = self
                        .calls
                        .lists
                        .get(*list as usize)
                        .map_or(0, |(first, _)| *first);
                    let mut yes = ClassSet::empty(2);
                    yes.insert(1);
                    (first + predicate, yes)
                }
            };
            if of != variable || yes.is_full() || yes.is_empty() {
                continue;
            }
            let holds = yes.contains(class);
            let own = if holds { yes } else { yes.complement() };
            if found.iter().any(|(known, ..)| *known == own) {
                continue;
            }
            told = Some(told.map_or_else(|| own.clone(), |told| told.intersection(&own)));
            found.push((own, holds, literal.clone()));
        }
        let is_told = match told {
            Some(told) => {
                let (told, wanted) = (
                    self.calls.logic.is(variable, &told)?,
                    self.calls.logic.is(variable, classes)?,
                );
                let beyond = self.calls.logic.without(told, wanted)?;
                self.calls.logic.and(beyond, self.calls.possible)? == Function::NOTHING
            }
            None => false,
        };
        let slots = self.slots.clone();
        let writer = text::Writer::new(package, tool, &slots);
        for (own, holds, literal) in found {
            answers.push(Answer {
                variable,
                calls: self.calls.logic.is(variable, &own)?,
                text: writer.literal(&literal, holds),
                holds,
                asked: match literal {
                    Literal::Is(_, _, atom) => Some(Cond::Atom(atom)),
                    Literal::Some(_, _, cond, alone) => alone.then_some(cond),
                },
            });
        }
        if !is_told {
            let mut own = ClassSet::empty(self.calls.logic.count(variable));
            own.insert(class);
            let text = match self.calls.level.variables.get(variable as usize) {
                Some(variable) => writer.class(variable, class),
                None => "in part what is asked of a list".to_owned(),
            };
            answers.push(Answer {
                variable,
                calls: self.calls.logic.is(variable, &own)?,
                text,
                holds: true,
                asked: None,
            });
        }
        Ok(())
    }
}

/// Whether some call is in all of these functions.
fn meets(logic: &mut Logic, first: Function, others: &[Function]) -> Result<bool, TooLarge> {
    let mut all = first;
    for one in others {
        all = logic.and(all, *one)?;
        if all == Function::NOTHING {
            return Ok(false);
        }
    }
    Ok(true)
}
