//! Conditions and terms without their places in the source: what a program carries, and what is the same wherever it is
//! written.

use super::{Atom, Cond, Relation, Term};
use crate::source::Span;

impl Cond {
    /// The same condition without places in the source.
    pub fn unplaced(&self) -> Cond {
        let all = |parts: &[Cond]| parts.iter().map(Cond::unplaced).collect();
        match self {
            Cond::Const(known) => Cond::Const(*known),
            Cond::Atom(atom) => Cond::Atom(Atom {
                span: Span::default(),
                ..atom.clone()
            }),
            Cond::Relation(relation) => Cond::Relation(Box::new(Relation {
                left: relation.left.unplaced(),
                op: relation.op,
                right: relation.right.unplaced(),
                span: Span::default(),
            })),
            Cond::Not(inner) => Cond::Not(Box::new(inner.unplaced())),
            Cond::And(parts) => Cond::And(all(parts)),
            Cond::Or(parts) => Cond::Or(all(parts)),
            Cond::Any {
                list, level, body, ..
            } => Cond::Any {
                list: list.clone(),
                level: *level,
                body: Box::new(body.unplaced()),
                span: Span::default(),
            },
        }
    }
}

impl Term {
    /// The same term without places in the source.
    pub fn unplaced(&self) -> Term {
        match self {
            Term::Place(_) | Term::Const(_) | Term::Else(..) => self.clone(),
            Term::Add(a, b) => Term::Add(Box::new(a.unplaced()), Box::new(b.unplaced())),
            Term::Sub(a, b) => Term::Sub(Box::new(a.unplaced()), Box::new(b.unplaced())),
            Term::Sum { list, level, term } => Term::Sum {
                list: list.clone(),
                level: *level,
                term: Box::new(term.unplaced()),
            },
            Term::Count { list, level, body } => Term::Count {
                list: list.clone(),
                level: *level,
                body: Box::new(body.unplaced()),
            },
        }
    }
}
