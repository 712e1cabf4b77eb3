//! Whether a condition looks at what a tool's effects act on. In: a condition typed for the tool, and a target. Out: yes
//! or no; a condition on the whole of an argument looks at each of its parts.

use crate::hir::{Cond, Part, Place, Step, TargetSource};

/// Whether a condition asks about a target, one by one where there are several.
pub(super) fn looks_at(cond: &Cond, target: &TargetSource) -> bool {
    match &target.list {
        None => {
            let mut found = false;
            cond.each_place(&mut |place| found |= place.level == 0 && reaches(place, &target.steps));
            found
        }
        Some(list) => over(cond, list, &mut |body, level| {
            let mut found = false;
            body.each_place(&mut |place| found |= place.level == level && reaches(place, &target.steps));
            found
        }),
    }
}

/// Whether a place is the target's, holds it, or is the host in it.
fn reaches(place: &Place, target: &[Step]) -> bool {
    let host = |rest: &[Step]| matches!(rest, [Step::Part(Part::Host | Part::Domain)]);
    target.starts_with(&place.steps) || place.steps.strip_prefix(target).is_some_and(host)
}

/// Whether a quantifier over the list has a body, with the level of its variable, that satisfies a test.
pub(super) fn over(cond: &Cond, list: &[Step], test: &mut impl FnMut(&Cond, u32) -> bool) -> bool {
    match cond {
        Cond::Const(_) | Cond::Atom(_) => false,
        Cond::Relation(relation) => {
            let mut found = false;
            relation.each_place(&mut |place| found |= place.level == 0 && place.steps == list);
            found
        }
        Cond::Not(inner) => over(inner, list, test),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|part| over(part, list, test)),
        Cond::Any {
            list: own,
            level,
            body,
            ..
        } => (own.level == 0 && own.steps == list && test(body, *level)) || over(body, list, test),
    }
}
