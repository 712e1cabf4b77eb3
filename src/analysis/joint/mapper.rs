//! What a policy says of the calls of one tool, in the words of the joint package: places, members of enums, labels,
//! monitors, windows and limits by their numbers there. In: conditions, terms and slots. Out: the same; none where that
//! cannot be said.

use super::{Numbers, UNKNOWN, number};
use crate::domain::LabelOf;
use crate::hir::{Atom, Beside, Cond, Labelled, Package, Place, Question, Relation, Slot, Step, Term, place};
use crate::ty::Ty;
use std::collections::BTreeMap;

/// Writes what a policy says of the calls of one tool as the joint package says it.
pub(super) struct Mapper<'a> {
    numbers: &'a Numbers,
    /// The tool by its number in the policy.
    tool: usize,
    args: usize,
    joint_args: usize,
    own: Ty,
    joint: Ty,
}

/// The types of the request and of the elements under way, by level: the policy's own, and the joint one.
pub(super) type Chain = BTreeMap<u32, (Ty, Ty)>;

impl<'a> Mapper<'a> {
    pub fn new(joint: &Package, own: &Package, numbers: &'a Numbers, tool: usize) -> Option<Mapper<'a>> {
        let declared = own.tools.get(tool)?;
        let of_joint = joint.tools.get(*numbers.tools.get(tool)?)?;
        Some(Mapper {
            numbers,
            tool,
            args: declared.args.len(),
            joint_args: of_joint.args.len(),
            own: super::super::computed_ty(own, declared, &declared.slots),
            joint: super::super::computed_ty(joint, of_joint, &of_joint.slots),
        })
    }

    pub fn chain(&self) -> Chain {
        Chain::from([(0, (self.own.clone(), self.joint.clone()))])
    }

    pub fn cond(&self, cond: &Cond) -> Option<Cond> {
        self.within(cond, &mut self.chain())
    }

    fn within(&self, cond: &Cond, chain: &mut Chain) -> Option<Cond> {
        let all = |parts: &[Cond], chain: &mut Chain| -> Option<Vec<Cond>> {
            parts.iter().map(|part| self.within(part, chain)).collect()
        };
        Some(match cond {
            Cond::Const(known) => Cond::Const(*known),
            Cond::Not(inner) => Cond::Not(Box::new(self.within(inner, chain)?)),
            Cond::And(parts) => Cond::And(all(parts, chain)?),
            Cond::Or(parts) => Cond::Or(all(parts, chain)?),
            Cond::Relation(relation) => Cond::Relation(Box::new(Relation {
                left: self.term(&relation.left, chain)?,
                op: relation.op,
                right: self.term(&relation.right, chain)?,
                span: relation.span,
            })),
            Cond::Atom(atom) => {
                let place = self.place(&atom.place)?;
                let (_, joint) = chain.get(&place.level)?;
                // A part has no type of its own there.
                let ty = place::ty_at(joint, &place.steps).unwrap_or_else(|| atom.ty.clone());
                Cond::Atom(Atom {
                    test: question(&atom.test, &atom.ty, &ty),
                    place,
                    ty,
                    ..atom.clone()
                })
            }
            Cond::Any {
                list,
                level,
                body,
                span,
            } => {
                let to = self.enter(list, *level, chain)?;
                let body = self.within(body, chain);
                chain.remove(level);
                Cond::Any {
                    list: to,
                    level: *level,
                    body: Box::new(body?),
                    span: *span,
                }
            }
        })
    }

    /// The place of a list, whose elements are of this level from here on.
    fn enter(&self, list: &Place, level: u32, chain: &mut Chain) -> Option<Place> {
        let to = self.place(list)?;
        let (own, joint) = chain.get(&list.level)?;
        let element = |ty: &Ty, steps: &[Step]| {
            let ty = place::ty_at(ty, steps)?;
            Some(ty.element().unwrap_or(ty))
        };
        let types = (element(own, &list.steps)?, element(joint, &to.steps)?);
        chain.insert(level, types);
        Some(to)
    }

    fn place(&self, place: &Place) -> Option<Place> {
        match place.level {
            0 => Some(Place {
                level: 0,
                steps: self.steps(&place.steps)?,
            }),
            _ => Some(place.clone()),
        }
    }

    /// Steps from the request.
    fn steps(&self, steps: &[Step]) -> Option<Vec<Step>> {
        let (first, rest) = match steps {
            [] => return Some(Vec::new()),
            [Step::Field(first), rest @ ..] => (*first as usize, rest),
            [Step::Part(_), ..] => return None,
        };
        let context = self.joint_args;
        let mut out = Vec::new();
        let mut rest = rest.to_vec();
        if let Some(arg) = self.numbers.args.get(self.tool)?.get(first) {
            out.push(Step::Field(*arg));
        } else if first == self.args {
            out.push(Step::Field(number(context)));
            if let Some(Step::Field(field)) = rest.first_mut() {
                *field = *self.numbers.context.get(*field as usize)?;
            }
        } else {
            let slot = self.numbers.slots.get(self.tool)?.get(first - self.args - 1)?;
            if *slot == UNKNOWN {
                return None;
            }
            out.push(Step::Field(number(context) + 1 + slot));
        }
        out.append(&mut rest);
        Some(out)
    }

    pub fn term(&self, term: &Term, chain: &mut Chain) -> Option<Term> {
        let both = |a: &Term, b: &Term, chain: &mut Chain| -> Option<(Box<Term>, Box<Term>)> {
            Some((Box::new(self.term(a, chain)?), Box::new(self.term(b, chain)?)))
        };
        Some(match term {
            Term::Place(place) => {
                self.same_members(place, chain)?;
                Term::Place(self.place(place)?)
            }
            Term::Else(place, value) => {
                self.same_members(place, chain)?;
                Term::Else(self.place(place)?, value.clone())
            }
            Term::Const(value) => Term::Const(value.clone()),
            Term::Add(a, b) => both(a, b, chain).map(|(a, b)| Term::Add(a, b))?,
            Term::Sub(a, b) => both(a, b, chain).map(|(a, b)| Term::Sub(a, b))?,
            Term::Sum { list, level, term } => {
                let list = self.enter(list, *level, chain)?;
                let term = self.term(term, chain);
                chain.remove(level);
                Term::Sum {
                    list,
                    level: *level,
                    term: Box::new(term?),
                }
            }
            Term::Count { list, level, body } => {
                let list = self.enter(list, *level, chain)?;
                let body = self.within(body, chain);
                chain.remove(level);
                Term::Count {
                    list,
                    level: *level,
                    body: Box::new(body?),
                }
            }
        })
    }

    /// Members of an enum are compared by their numbers, so those must be the same.
    fn same_members(&self, place: &Place, chain: &Chain) -> Option<()> {
        let (own, joint) = chain.get(&place.level)?;
        let to = self.place(place)?;
        match (place::ty_at(own, &place.steps), place::ty_at(joint, &to.steps)) {
            (Some(Ty::Enum { members, .. }), Some(Ty::Enum { members: others, .. })) => {
                (members == others).then_some(())
            }
            _ => Some(()),
        }
    }

    /// A slot, and whether one like it means the same in both policies.
    pub fn slot(&self, slot: &Slot, same_carries: bool) -> Option<(Slot, bool)> {
        let shared = |mask: u64| mask & !self.numbers.shared == 0;
        let of = |all: &[u32], at: u32| all.get(at as usize).copied();
        Some(match slot {
            Slot::Holds(cond) => (Slot::Holds(self.cond(cond)?), true),
            Slot::Label { of, mask } => {
                let mask = self.numbers.bits(*mask)?;
                let same = shared(mask) && (*of != LabelOf::Carried || same_carries);
                (Slot::Label { of: of.clone(), mask }, same)
            }
            Slot::Each(labelled) => {
                let list = self.steps(&labelled.list)?;
                let element = place::ty_at(&self.joint, &list)?.element()?;
                let mut same = true;
                let labelled = Labelled {
                    list,
                    element,
                    ..self.labelled(labelled, &mut same)?
                };
                (Slot::Each(labelled), same)
            }
            Slot::History(monitor) => (Slot::History(of(&self.numbers.monitors, *monitor)?), true),
            Slot::Tally(monitor) => (Slot::Tally(of(&self.numbers.monitors, *monitor)?), true),
            Slot::Window(window) => (Slot::Window(of(&self.numbers.windows, *window)?), true),
            Slot::Now => (Slot::Now, true),
            Slot::Used { limit, by, ty } => {
                let by = by.iter().map(|place| self.place(place));
                let used = Slot::Used {
                    limit: of(&self.numbers.limits, *limit)?,
                    by: by.collect::<Option<_>>()?,
                    ty: ty.clone(),
                };
                (used, true)
            }
            Slot::Lookup { map, key, ty } => {
                let lookup = Slot::Lookup {
                    map: self.place(map)?,
                    key: self.term(key, &mut self.chain())?,
                    ty: ty.clone(),
                };
                (lookup, true)
            }
        })
    }

    fn labelled(&self, own: &Labelled, same: &mut bool) -> Option<Labelled> {
        let beside = own.beside.iter().map(|beside| {
            Some(match beside {
                Beside::Label { path, mask } => {
                    let mask = self.numbers.bits(*mask)?;
                    *same &= mask & !self.numbers.shared == 0;
                    Beside::Label {
                        path: path.clone(),
                        mask,
                    }
                }
                Beside::List(inner) => Beside::List(self.labelled(inner, same)?),
            })
        });
        Some(Labelled {
            beside: beside.collect::<Option<_>>()?,
            ..own.clone()
        })
    }
}

/// A question about a value whose enum has other members.
fn question(question: &Question, own: &Ty, joint: &Ty) -> Question {
    match (question, own.required(), joint.required()) {
        (Question::Member(asked), Ty::Enum { members, .. }, Ty::Enum { members: others, .. }) => {
            let is = |member: &String| {
                let own = members.iter().position(|own| own == member);
                own.is_some_and(|own| asked.contains(&number(own)))
            };
            let of = (0u32..).zip(others).filter(|(_, member)| is(member));
            Question::Member(of.map(|(number, _)| number).collect())
        }
        _ => question.clone(),
    }
}
