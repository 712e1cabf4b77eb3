//! What a caller can move by what it says. In: a condition and the trust of the context's fields. Out: the first claim
//! that can make the condition start to hold, and the first that can make it stop. A claim that is not made counts as
//! false, or as the answer its question gives for a missing value; the caller can only move it away from there.

mod said;

use super::answer::{View, answer};
use super::{Atom, Cond, ContextField, Part, Place, Question, Slot, Step, Term, Tool};
use crate::domain::Trust;
use crate::source::Span;
use crate::ty::Ty;

pub use said::{Said, answered, said, ways};

/// A claim in a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The field of the context, by index.
    pub field: u32,
    /// Where the condition looks at it.
    pub span: Span,
}

/// How claims move a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Movement {
    /// A claim that can make it hold where it would not.
    pub raises: Option<Claimed>,
    /// A claim that can make it fail where it would hold.
    pub lowers: Option<Claimed>,
}

impl Movement {
    /// Whether no claim plays a part.
    pub fn is_none(&self) -> bool {
        self.raises.is_none() && self.lowers.is_none()
    }

    fn or(self, other: Movement) -> Movement {
        Movement {
            raises: self.raises.or(other.raises),
            lowers: self.lowers.or(other.lowers),
        }
    }

    fn flipped(self) -> Movement {
        Movement {
            raises: self.lowers,
            lowers: self.raises,
        }
    }
}

/// How claims move a condition on a tool.
pub fn movement(cond: &Cond, tool: &Tool, context: &[ContextField]) -> Movement {
    let claims = Claims { tool, context };
    claims.of(cond, &mut Vec::new())
}

/// The condition with all that claims decide taken for met: whatever callers say, it holds where the condition does.
pub fn widest(cond: &Cond, tool: &Tool, context: &[ContextField]) -> Cond {
    Claims { tool, context }.met(cond, true, &mut Vec::new())
}

struct Claims<'a> {
    tool: &'a Tool,
    context: &'a [ContextField],
}

impl Claims<'_> {
    /// `claimed` has the claim each open quantifier ranges over, by level.
    fn of(&self, cond: &Cond, claimed: &mut Vec<(u32, u32)>) -> Movement {
        match cond {
            Cond::Const(_) => Movement::default(),
            Cond::Not(inner) => self.of(inner, claimed).flipped(),
            Cond::And(parts) | Cond::Or(parts) => parts
                .iter()
                .map(|part| self.of(part, claimed))
                .fold(Movement::default(), Movement::or),
            Cond::Atom(atom) => self.atom(atom, claimed),
            Cond::Relation(relation) => {
                let mut field = None;
                relation.each_place(&mut |place| field = field.or(self.claim(place, claimed)));
                let found = field.map(|field| Claimed {
                    field,
                    span: relation.span,
                });
                Movement {
                    raises: found,
                    lowers: found,
                }
            }
            Cond::Any {
                list, level, body, ..
            } => match self.claim(list, claimed) {
                // An unsaid list has no elements; whatever the caller puts in can only make the quantifier hold.
                Some(field) => {
                    let span = first_span(body).unwrap_or_default();
                    Movement {
                        raises: Some(Claimed { field, span }),
                        lowers: None,
                    }
                }
                None => self.of(body, claimed),
            }
            .or(self.inner(body, *level, list, claimed)),
        }
    }

    /// The condition with what claims decide as it has to be for the condition to come out as `wanted`.
    fn met(&self, cond: &Cond, wanted: bool, claimed: &mut Vec<(u32, u32)>) -> Cond {
        match cond {
            Cond::Not(inner) => Cond::Not(Box::new(self.met(inner, !wanted, claimed))),
            Cond::Any { list, .. } if self.claim(list, claimed).is_some() => Cond::Const(wanted),
            Cond::And(_) | Cond::Or(_) | Cond::Any { .. } => {
                cond.with_parts(&mut |part| self.met(part, wanted, claimed))
            }
            Cond::Atom(atom) if self.computed(&atom.place, claimed) => Cond::Const(wanted),
            Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) if self.of(cond, claimed).is_none() => {
                cond.clone()
            }
            Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => Cond::Const(wanted),
        }
    }

    /// Whether what is at a place was computed from a claim.
    fn computed(&self, place: &Place, claimed: &mut Vec<(u32, u32)>) -> bool {
        match self.slot(place) {
            Some(Slot::Holds(cond)) => !self.of(cond, claimed).is_none(),
            _ => false,
        }
    }

    /// Claims inside the body that are about other fields than the list.
    fn inner(&self, body: &Cond, level: u32, list: &Place, claimed: &mut Vec<(u32, u32)>) -> Movement {
        let Some(field) = self.claim(list, claimed) else {
            return Movement::default();
        };
        claimed.push((level, field));
        let inner = self.of(body, claimed);
        claimed.pop();
        let other = |c: Option<Claimed>| c.filter(|c| c.field != field);
        Movement {
            raises: other(inner.raises),
            lowers: other(inner.lowers),
        }
    }

    fn atom(&self, atom: &Atom, claimed: &[(u32, u32)]) -> Movement {
        let Some(field) = self.claim(&atom.place, claimed) else {
            return Movement::default();
        };
        let required = self
            .context
            .get(field as usize)
            .is_some_and(|f| !f.field.ty.is_optional());
        let is_list = self
            .context
            .get(field as usize)
            .is_some_and(|f| matches!(f.field.ty, Ty::List { .. } | Ty::Set { .. } | Ty::Map { .. }));
        let unsaid = match atom.place.steps.as_slice() {
            // A list that is not said is empty.
            [_, _, Step::Part(Part::Len)] if is_list => answer(&atom.test, &View::Num(0)),
            _ => !required && atom.test != Question::Present && atom.when_absent,
        };
        let found = Some(Claimed {
            field,
            span: atom.span,
        });
        if let Some((_, Term::Else(key, _))) = self.lookup(&atom.place)
            && self.claim(key, claimed).is_some()
        {
            // What the caller says takes the place of an entry that counts where nothing is said.
            return Movement {
                raises: found,
                lowers: found,
            };
        }
        if unsaid {
            Movement {
                raises: None,
                lowers: found,
            }
        } else {
            Movement {
                raises: found,
                lowers: None,
            }
        }
    }

    /// The map and key of the look-up a place lies in.
    fn lookup(&self, place: &Place) -> Option<(&Place, &Term)> {
        match self.slot(place)? {
            Slot::Lookup { map, key, .. } => Some((map, key)),
            _ => None,
        }
    }

    /// What the gate computes at a place.
    fn slot(&self, place: &Place) -> Option<&Slot> {
        let (0, [Step::Field(first), ..]) = (place.level, place.steps.as_slice()) else {
            return None;
        };
        let number = (*first as usize).checked_sub(self.tool.args.len() + 1)?;
        self.tool.slots.get(number)
    }

    /// The claim a place lies in, or what is there was looked up in or by.
    fn claim(&self, place: &Place, claimed: &[(u32, u32)]) -> Option<u32> {
        if place.level > 0 {
            let open = claimed.iter().rev().find(|(level, _)| *level == place.level);
            return open.map(|(_, field)| *field);
        }
        if let Some((map, key)) = self.lookup(place) {
            let mut found = self.claim(map, claimed);
            key.each_place(&mut |place| found = found.or(self.claim(place, claimed)));
            return found;
        }
        let [Step::Field(first), Step::Field(field), ..] = place.steps.as_slice() else {
            return None;
        };
        let is_context = *first as usize == self.tool.args.len();
        let trust = self.context.get(*field as usize).map(|f| f.trust);
        (is_context && trust == Some(Trust::Claim)).then_some(*field)
    }
}

fn first_span(cond: &Cond) -> Option<Span> {
    match cond {
        Cond::Const(_) => None,
        Cond::Atom(atom) => Some(atom.span),
        Cond::Relation(relation) => Some(relation.span),
        Cond::Not(inner) => first_span(inner),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().find_map(first_span),
        Cond::Any { body, .. } => first_span(body),
    }
}
