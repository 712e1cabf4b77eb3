//! Random conditions for tests: trees over truth values, of which each leaf is a question of its own.

use super::{Atom, Cond, Place, Question, Step};
use crate::source::{FileId, Span};
use crate::ty::Ty;
use proptest::prelude::*;

/// A condition over truth values, each asked once; the number of a condition is its place.
pub fn tree() -> impl Strategy<Value = Cond> {
    let leaf = any::<bool>().prop_map(Cond::Const);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|c| Cond::Not(Box::new(c))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Cond::And),
            prop::collection::vec(inner, 1..4).prop_map(Cond::Or),
        ]
    })
}

/// The tree with a question in place of each constant.
pub fn asked(cond: &Cond, next: &mut u32) -> Cond {
    match cond {
        Cond::Not(inner) => Cond::Not(Box::new(asked(inner, next))),
        Cond::And(parts) => Cond::And(parts.iter().map(|p| asked(p, next)).collect()),
        Cond::Or(parts) => Cond::Or(parts.iter().map(|p| asked(p, next)).collect()),
        _ => {
            let number = *next;
            *next += 1;
            Cond::Atom(Atom {
                place: Place {
                    level: 0,
                    steps: vec![Step::Field(number)],
                },
                ty: Ty::Bool,
                test: Question::True,
                when_absent: false,
                span: Span::new(FileId(0), number as usize, number as usize + 1),
            })
        }
    }
}
