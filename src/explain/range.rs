//! How far a changed number may go. Its class says which answers of conditions about it alone stay the same; a comparison
//! with other values ends the range where it comes out differently. In: the changed record and the ends of the class. Out:
//! the ends within which every condition comes out as it does for the number itself, or nothing where that is not known.

use super::candidate::{Candidate, Edit, overlaps};
use crate::hir::{Cond, Place, Relation, RelationOp, Slot, Step, Term, Tool};
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeMap;

/// What rules ask about a number beside its class.
#[derive(Default)]
struct Questions<'c> {
    /// Comparisons with other values.
    relations: Vec<&'c Relation>,
    /// Whether they ask about what it is part of, or about other parts of that.
    is_part: bool,
}

/// A changed number and what is known of the call around it.
pub(super) struct Changed<'c> {
    pub tool: &'c Tool,
    pub ty: &'c Ty,
    /// The record with every change made.
    pub record: &'c Value,
    pub candidate: &'c Candidate,
    /// The number it is changed to.
    pub number: i128,
}

impl Changed<'_> {
    /// The part of its class that is like the number itself.
    pub fn clipped<'c>(
        &self,
        rules: impl Iterator<Item = &'c Cond>,
        class: (i128, i128),
    ) -> Option<(i128, i128)> {
        // What is looked up under it, or counted by it, differs from one number to the next.
        let mut follows = false;
        for slot in &self.tool.slots {
            if let Slot::Lookup { .. } | Slot::Used { .. } = slot {
                slot.each_place(&mut |place| follows |= self.is_changed(&place.steps));
            }
        }
        let mut seen = Questions::default();
        for cond in rules {
            self.gather(cond, &mut BTreeMap::new(), &mut seen);
        }
        if seen.relations.is_empty() && !follows && !seen.is_part {
            return Some(class);
        }
        if follows || seen.is_part || !self.candidate.into.is_empty() {
            return None;
        }
        let mut relations = seen.relations.into_iter();
        relations.try_fold(class, |ends, relation| self.within(relation, ends))
    }

    fn is_changed(&self, steps: &[Step]) -> bool {
        overlaps(steps, self.candidate.root())
    }

    /// Every question about the number, those about elements too; `levels` says which elements are of a list it lies in.
    fn gather<'c>(&self, cond: &'c Cond, levels: &mut BTreeMap<u32, bool>, out: &mut Questions<'c>) {
        match cond {
            Cond::Const(_) => {}
            Cond::Atom(atom) => {
                let is_other = atom.place.level == 0 && atom.place.steps != self.candidate.steps;
                let is_alone = self.candidate.into.is_empty();
                out.is_part |= is_alone && is_other && self.is_changed(&atom.place.steps);
            }
            Cond::Not(inner) => self.gather(inner, levels, out),
            Cond::And(parts) | Cond::Or(parts) => {
                parts.iter().for_each(|part| self.gather(part, levels, out));
            }
            Cond::Relation(relation) => {
                let mut found = false;
                relation.each_place(&mut |place| found |= self.is_about(place, levels));
                if found {
                    out.relations.push(relation);
                }
            }
            Cond::Any {
                list, level, body, ..
            } => {
                let is_about = self.is_about(list, levels);
                out.is_part |= is_about && self.candidate.into.is_empty();
                let before = levels.insert(*level, is_about);
                self.gather(body, levels, out);
                match before {
                    Some(known) => levels.insert(*level, known),
                    None => levels.remove(level),
                };
            }
        }
    }

    fn is_about(&self, place: &Place, levels: &BTreeMap<u32, bool>) -> bool {
        match place.level {
            0 => self.is_changed(&place.steps),
            level => levels.get(&level).copied().unwrap_or(false),
        }
    }

    /// The part of a range in which one comparison comes out as it does now.
    fn within(&self, relation: &Relation, (mut lo, mut hi): (i128, i128)) -> Option<(i128, i128)> {
        if !is_plain(&relation.left) || !is_plain(&relation.right) {
            return None;
        }
        let now = self.holds(relation, self.number)?;
        if relation.op == RelationOp::Equal {
            if now {
                return Some((self.number, self.number));
            }
            let same = relation.changes(&[self.record]).into_iter();
            for (_, value) in same.filter(|(steps, _)| *steps == self.candidate.steps) {
                if let Value::Num(n) = value
                    && self.holds(relation, n) == Some(true)
                {
                    (lo, hi) = if n < self.number {
                        (lo.max(n + 1), hi)
                    } else {
                        (lo, hi.min(n - 1))
                    };
                }
            }
            return Some((lo, hi));
        }
        // Each side is a sum, so it comes out differently at most once on the way to either end.
        Some((self.last(relation, now, lo)?, self.last(relation, now, hi)?))
    }

    /// The last number on the way to `end` of which the comparison comes out as `now`.
    fn last(&self, relation: &Relation, now: bool, end: i128) -> Option<i128> {
        if self.holds(relation, end)? == now {
            return Some(end);
        }
        let (mut same, mut other) = (self.number, end);
        while same.abs_diff(other) > 1 {
            let middle = same.midpoint(other);
            match self.holds(relation, middle)? == now {
                true => same = middle,
                false => other = middle,
            }
        }
        Some(same)
    }

    fn holds(&self, relation: &Relation, number: i128) -> Option<bool> {
        let mut record = self.record.clone();
        let with = Candidate {
            edit: Edit::Put(Value::Num(number), None),
            ..self.candidate.clone()
        };
        with.apply(&mut record, self.ty)?;
        Some(relation.holds(&[&record]))
    }
}

/// Whether a term is a sum of values of the request.
fn is_plain(term: &Term) -> bool {
    match term {
        Term::Place(place) | Term::Else(place, _) => place.level == 0,
        Term::Const(_) => true,
        Term::Add(a, b) | Term::Sub(a, b) => is_plain(a) && is_plain(b),
        Term::Sum { .. } | Term::Count { .. } => false,
    }
}
