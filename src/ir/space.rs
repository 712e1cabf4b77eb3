//! The calls of a tool as a finite space: each thing a condition asks about is a variable with finitely many classes,
//! cut as the index of the program cuts them, and each quantifier a variable of two. In: conditions of one tool. Out:
//! the variables, and each condition as a formula over them. It decides nothing.

use super::apart::apart;
use super::index::Builder;
use super::rows::{self, Names, Row};
use crate::classes::{ClassSet, Classifier, Matchers};
use crate::hir::{Atom, Cond, Slot, Step};
use crate::ty::Ty;
use std::collections::BTreeMap;

/// A condition over the variables of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formula {
    /// Decided already.
    Const(bool),
    /// The variable with this number is in one of these classes.
    Is(u32, ClassSet),
    /// Some element of a list satisfies a predicate: by the numbers of the list and of the predicate.
    Some(u32, u32),
    /// Negation.
    Not(Box<Formula>),
    /// Conjunction.
    And(Vec<Formula>),
    /// Disjunction.
    Or(Vec<Formula>),
}

/// What a variable looks at.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Where its value is.
    pub steps: Vec<Step>,
    /// The type of the value, without `?`.
    pub ty: Ty,
    /// Finds the class of a value that is there.
    pub classifier: Classifier,
    /// Classes; the last one is the missing value's.
    pub count: u32,
}

/// A conjunction over the variables and lists of an element.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Variables of the element and the classes they must be in.
    pub classes: Vec<(u32, ClassSet)>,
    /// Lists in the element, their predicates, and whether some element must satisfy them or none may.
    pub lists: Vec<(u32, u32, bool)>,
}

/// The variables of a record or of a list's elements.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// By number.
    pub variables: Vec<Variable>,
    /// The lists in it, by number.
    pub lists: Vec<List>,
}

/// A quantified list or optional.
#[derive(Clone, Debug)]
pub struct List {
    /// Where it is.
    pub steps: Vec<Step>,
    /// Its elements.
    pub element: Level,
    /// What is asked of an element, by number: one of these has to hold.
    pub predicates: Vec<Vec<Needs>>,
}

/// A question that formulas ask.
#[derive(Clone, Debug)]
pub enum Literal {
    /// Of a variable; the classes that answer yes.
    Is(u32, ClassSet, Atom),
    /// Whether some element of a list satisfies a predicate, by their numbers; the quantifier that asks it, and whether that
    /// asks nothing else.
    Some(u32, u32, Cond, bool),
}

/// The space of one tool.
pub struct Space {
    builder: Builder,
    first_slot: u32,
    slots: Vec<Slot>,
    asked: Vec<Literal>,
}

impl Space {
    /// Cuts the classes that the conditions need. `slots` are the declared ones, the first of them in the field
    /// `first_slot` of the request; comparisons between values become further ones. None where a pattern is too large.
    pub fn new(first_slot: u32, slots: &[Slot], conds: &[&Cond], matchers: &mut Matchers) -> Option<Space> {
        let mut space = Space {
            builder: Builder::new(),
            first_slot,
            slots: slots.to_vec(),
            asked: Vec::new(),
        };
        for cond in conds {
            let cond = apart(cond, first_slot, &mut space.slots);
            space.builder.gather(&cond, &mut BTreeMap::from([(0, 0)]));
        }
        space.builder.cut(matchers).ok()?;
        Some(space)
    }

    /// The field of the request that the first slot is in, and the slots.
    pub fn slots(&self) -> (u32, &[Slot]) {
        (self.first_slot, &self.slots)
    }

    /// What the formulas made so far ask, each question as often as it is asked.
    pub fn asked(&self) -> &[Literal] {
        &self.asked
    }

    /// A condition as a formula; none where a quantifier's body is too large. It was among those given to `new`.
    pub fn formula(&mut self, cond: &Cond) -> Option<Formula> {
        let cond = apart(cond, self.first_slot, &mut self.slots);
        self.over(&cond)
    }

    fn over(&mut self, cond: &Cond) -> Option<Formula> {
        Some(match cond {
            Cond::Const(known) => Formula::Const(*known),
            Cond::Not(inner) => Formula::Not(Box::new(self.over(inner)?)),
            Cond::And(parts) => Formula::And(parts.iter().map(|p| self.over(p)).collect::<Option<_>>()?),
            Cond::Or(parts) => Formula::Or(parts.iter().map(|p| self.over(p)).collect::<Option<_>>()?),
            Cond::Atom(atom) => {
                let (variable, classes) = Names::classes(&self.builder, 0, atom);
                self.asked
                    .push(Literal::Is(variable, classes.clone(), atom.clone()));
                Formula::Is(variable, classes)
            }
            // What a comparison is in has become a slot.
            Cond::Relation(_) => return None,
            Cond::Any { .. } => {
                let rows = rows::rows(cond, &mut self.builder).ok()?;
                self.note(cond, &rows);
                Formula::Or(rows.into_iter().map(of_row).collect())
            }
        })
    }

    /// Notes what the rows of a quantifier ask.
    fn note(&mut self, cond: &Cond, rows: &[Row]) {
        let alone = rows.len() == 1 && rows.iter().all(|row| row.len() == 1);
        for literal in rows.iter().flat_map(BTreeMap::keys) {
            if let rows::Literal::Any(list, predicate) = literal {
                self.asked
                    .push(Literal::Some(*list, *predicate, cond.clone(), alone));
            }
        }
    }

    /// The variables and lists, as far as the formulas made so far know them.
    pub fn level(&self) -> Level {
        self.builder.level(0)
    }
}

fn of_row(row: Row) -> Formula {
    let literal = |(literal, classes): (rows::Literal, ClassSet)| match literal {
        rows::Literal::Var(variable) => Formula::Is(variable, classes),
        rows::Literal::Any(list, predicate) if classes.contains(1) => Formula::Some(list, predicate),
        rows::Literal::Any(list, predicate) => Formula::Not(Box::new(Formula::Some(list, predicate))),
    };
    Formula::And(row.into_iter().map(literal).collect())
}

/// The needs of a row of an element.
pub(super) fn needs(row: &Row) -> Needs {
    let mut needs = Needs::default();
    for (literal, classes) in row {
        match literal {
            rows::Literal::Var(variable) => needs.classes.push((*variable, classes.clone())),
            rows::Literal::Any(list, predicate) => needs.lists.push((*list, *predicate, classes.contains(1))),
        }
    }
    needs
}
