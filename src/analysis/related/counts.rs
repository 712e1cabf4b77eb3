//! Counts of elements that conditions compare, and whether there is such an element, which is another question about the same
//! list. In: conditions. Out: the counts, and the conditions beside them.

use crate::hir::{Cond, Relation, Term};
use crate::source::Span;

/// The counts that conditions compare, each once, as slots know them.
pub(in crate::analysis) fn counts<'c>(conds: impl Iterator<Item = &'c Cond>) -> Vec<Term> {
    let mut found: Vec<Term> = Vec::new();
    for cond in conds {
        each_relation(cond, &mut |relation| {
            for side in [&relation.left, &relation.right] {
                each_count(side, &mut |count| {
                    let count = count.unplaced();
                    if !found.contains(&count) {
                        found.push(count);
                    }
                });
            }
        });
    }
    found
}

/// Whether there is an element that is counted.
pub(in crate::analysis) fn some_of(count: &Term) -> Option<Cond> {
    match count {
        Term::Count { list, level, body } => Some(Cond::Any {
            list: list.clone(),
            level: *level,
            body: body.clone(),
            span: Span::default(),
        }),
        _ => None,
    }
}

fn each_relation(cond: &Cond, see: &mut impl FnMut(&Relation)) {
    match cond {
        Cond::Not(inner) => each_relation(inner, see),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| each_relation(part, see)),
        Cond::Relation(relation) => see(relation),
        // What an element is compared with is no value of the call.
        Cond::Const(_) | Cond::Atom(_) | Cond::Any { .. } => {}
    }
}

fn each_count(term: &Term, see: &mut impl FnMut(&Term)) {
    match term {
        Term::Add(a, b) | Term::Sub(a, b) => {
            each_count(a, see);
            each_count(b, see);
        }
        Term::Count { list, .. } if list.level == 0 => see(term),
        Term::Place(_) | Term::Const(_) | Term::Else(..) | Term::Sum { .. } | Term::Count { .. } => {}
    }
}
