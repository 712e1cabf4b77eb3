//! Conditions as if elements had no labels beside them: quantifiers range over the lists themselves again, and a question
//! about an element's labels is one about a value of its own. For those who ask which lists a rule looks at. In: a
//! package. Out: the same package, to be read and not to be decided by.

use super::labelled::within;
use super::{Beside, Cond, Labelled, Package, Place, Slot, Step, Term, Tool};

/// The package with such conditions; nothing where it asks for no labels of elements.
pub fn package(package: &Package) -> Option<Package> {
    let is_each = |slot: &Slot| matches!(slot, Slot::Each(_));
    if !package.tools.iter().any(|tool| tool.slots.iter().any(is_each)) {
        return None;
    }
    let mut plain = package.clone();
    let events = plain.history.events.iter_mut().flat_map(|event| &mut event.calls);
    let rules = plain.rules.iter_mut().flat_map(|rule| &mut rule.on);
    for (tool, cond) in rules.chain(events) {
        if let Some(tool) = package.tools.get(*tool) {
            let mut walk = Walk {
                tool,
                open: Vec::new(),
                asked: Vec::new(),
            };
            walk.cond(cond);
        }
    }
    Some(plain)
}

struct Walk<'t> {
    tool: &'t Tool,
    /// The quantifiers around, by level, with the slot that each ranges over.
    open: Vec<(u32, Option<&'t Labelled>)>,
    /// The labels that are asked about, each a value of its own.
    asked: Vec<&'t Beside>,
}

impl<'t> Walk<'t> {
    fn cond(&mut self, cond: &mut Cond) {
        match cond {
            Cond::Const(_) => {}
            Cond::Atom(atom) => {
                self.place(&mut atom.place);
            }
            Cond::Relation(relation) => {
                self.term(&mut relation.left);
                self.term(&mut relation.right);
            }
            Cond::Not(inner) => self.cond(inner),
            Cond::And(parts) | Cond::Or(parts) => parts.iter_mut().for_each(|part| self.cond(part)),
            Cond::Any {
                list, level, body, ..
            } => {
                self.begin(list, *level);
                self.cond(body);
                self.open.pop();
            }
        }
    }

    fn term(&mut self, term: &mut Term) {
        match term {
            Term::Place(place) | Term::Else(place, _) => {
                self.place(place);
            }
            Term::Const(_) => {}
            Term::Add(a, b) | Term::Sub(a, b) => {
                self.term(a);
                self.term(b);
            }
            Term::Sum { list, level, term } => {
                self.begin(list, *level);
                self.term(term);
                self.open.pop();
            }
            Term::Count { list, level, body } => {
                self.begin(list, *level);
                self.cond(body);
                self.open.pop();
            }
        }
    }

    fn begin(&mut self, list: &mut Place, level: u32) {
        let labelled = self.place(list);
        self.open.push((level, labelled));
    }

    /// Turns a place; the slot or list beside an element that it was.
    fn place(&mut self, place: &mut Place) -> Option<&'t Labelled> {
        if place.level == 0 {
            let [Step::Field(first)] = place.steps.as_slice() else {
                return None;
            };
            let slot = (*first as usize).checked_sub(self.tool.args.len() + 1)?;
            let Slot::Each(labelled) = self.tool.slots.get(slot)? else {
                return None;
            };
            place.steps.clone_from(&labelled.list);
            return Some(labelled);
        }
        let open = self.open.iter().rev().find(|(level, _)| *level == place.level);
        let labelled = open.and_then(|(_, labelled)| *labelled)?;
        match labelled.beside(&place.steps) {
            None => place.steps = within(&place.steps).to_vec(),
            Some(Beside::List(inner)) => {
                place.steps.clone_from(&inner.list);
                return Some(inner);
            }
            Some(asked) => {
                let number = super::env::position(&mut self.asked, asked);
                place.steps = vec![Step::Field(u32::MAX - u32::try_from(number).unwrap_or(0))];
            }
        }
        None
    }
}
