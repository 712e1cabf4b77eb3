//! Takes out of a condition what no class can answer: comparisons between two computed values, with the quantifiers
//! around them. Each becomes a slot of the request, a `Bool` that the gate computes, and the condition asks for that.

use crate::hir::{Atom, Cond, Place, Question, Slot, Step};
use crate::source::Span;
use crate::ty::Ty;

/// The condition with its comparisons between values as slots; `first` is the place of the first slot in the request.
pub(super) fn apart(cond: &Cond, first: u32, slots: &mut Vec<Slot>) -> Cond {
    if !compares(cond) {
        return cond.clone();
    }
    match cond {
        Cond::Not(inner) => Cond::Not(Box::new(apart(inner, first, slots))),
        Cond::And(parts) => Cond::And(parts.iter().map(|p| apart(p, first, slots)).collect()),
        Cond::Or(parts) => Cond::Or(parts.iter().map(|p| apart(p, first, slots)).collect()),
        Cond::Relation(relation) => slot(cond, relation.span, first, slots),
        Cond::Any { body, .. } => slot(cond, span(body), first, slots),
        Cond::Const(_) | Cond::Atom(_) => cond.clone(),
    }
}

fn slot(cond: &Cond, span: Span, first: u32, slots: &mut Vec<Slot>) -> Cond {
    let slot = Slot::Holds(cond.unplaced());
    let at = slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    });
    let field = first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    Cond::Atom(Atom {
        place: Place {
            level: 0,
            steps: vec![Step::Field(field)],
        },
        ty: Ty::Bool,
        test: Question::True,
        when_absent: false,
        span,
    })
}

/// Whether a comparison between values is in it.
fn compares(cond: &Cond) -> bool {
    match cond {
        Cond::Const(_) | Cond::Atom(_) => false,
        Cond::Relation(_) => true,
        Cond::Not(inner) => compares(inner),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(compares),
        Cond::Any { body, .. } => compares(body),
    }
}

/// The place of the first comparison between values.
fn span(cond: &Cond) -> Span {
    match cond {
        Cond::Relation(relation) => relation.span,
        Cond::Not(inner) => span(inner),
        Cond::And(parts) | Cond::Or(parts) => {
            parts.iter().find(|p| compares(p)).map(span).unwrap_or_default()
        }
        Cond::Any { body, .. } => span(body),
        Cond::Const(_) | Cond::Atom(_) => Span::default(),
    }
}
