//! Labels of the elements of lists. A quantifier whose body asks for the labels of an element ranges over a slot instead
//! of the list: the same elements in the same order, each in a record with the answers beside it, so that rules see plain
//! variables there too. In: quantifiers while they are typed. Out: slots, and bodies that look into them.

use super::scope::{Found, Scope};
use super::{Cond, Place, Slot, Step, Term, answer, place};
use crate::domain::LabelOf;
use crate::ty::{Field, Ty};
use crate::value::Value;

/// A list with the labels of its elements: a `List` of records, of which the first field is the element and each other
/// one is of `beside`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Where the list is: from the arguments, or from the element it lies in.
    pub list: Vec<Step>,
    /// The same by names.
    pub names: Vec<String>,
    /// The type of an element.
    pub element: Ty,
    /// How many there are at most.
    pub max: u64,
    /// What lies beside each.
    pub beside: Vec<Beside>,
}

/// The labels, as bits, of a value by the names and indices from the arguments to it.
pub type LabelsOf<'l> = &'l dyn Fn(&[String]) -> u64;

/// What lies beside an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Whether a value in it, by the names from the element on, has one of some labels: a `Bool`.
    Label {
        /// The names; none for the element itself.
        path: Vec<String>,
        /// The labels, as bits.
        mask: u64,
    },
    /// A list in it, with the labels of its elements in turn.
    List(Labelled),
}

impl Labelled {
    /// The type of the list of records. What is computed has no name.
    pub fn ty(&self) -> Ty {
        let unnamed = |ty| Field {
            name: String::new(),
            ty,
        };
        let beside = self.beside.iter().map(|beside| match beside {
            Beside::Label { .. } => Ty::Bool,
            Beside::List(inner) => inner.ty(),
        });
        let fields = std::iter::once(self.element.clone()).chain(beside);
        Ty::List {
            element: Box::new(Ty::Record(fields.map(unnamed).collect())),
            max: self.max,
        }
    }

    /// The elements in a value, each in its record, by their plain meaning; `at` leads to the value.
    pub fn records(&self, value: &Value, at: &[String], labels: LabelsOf<'_>) -> Value {
        let items = answer::elements(value, &self.list).iter().enumerate();
        let records = items.map(|(number, item)| {
            let at = [at, &self.names, &[number.to_string()]].concat();
            let beside = self.beside.iter().map(|beside| match beside {
                Beside::Label { path, mask } => {
                    Value::Bool(labels(&[&at, path.as_slice()].concat()) & mask != 0)
                }
                Beside::List(inner) => inner.records(item, &at, labels),
            });
            Value::Record(std::iter::once(item.clone()).chain(beside).collect())
        });
        Value::list(records.collect())
    }

    /// What lies some steps away from a record: that is the element or in it, unless the steps lead beside it.
    pub fn beside(&self, steps: &[Step]) -> Option<&Beside> {
        match steps {
            [Step::Field(first), ..] => self.beside.get((*first as usize).checked_sub(1)?),
            _ => None,
        }
    }
}

/// The steps from an element to what lies some steps away from its record.
pub fn within(steps: &[Step]) -> &[Step] {
    match steps {
        [Step::Field(0), rest @ ..] => rest,
        other => other,
    }
}

/// What bodies under way ask beside the elements of their lists.
#[derive(Debug, Default)]
pub(super) struct Asked {
    open: Vec<Open>,
}

/// A quantifier under way.
#[derive(Debug)]
struct Open {
    level: u32,
    /// Whether its elements are told apart: they lie in a list of the arguments.
    apart: bool,
    beside: Vec<Beside>,
}

impl Asked {
    fn of(&mut self, level: u32) -> Option<&mut Open> {
        // Quantifiers of an event start again at the first level.
        self.open.iter_mut().rev().find(|open| open.level == level)
    }

    /// Begins a quantifier.
    pub fn begin(&mut self, level: u32, apart: bool) {
        self.open.push(Open {
            level,
            apart,
            beside: Vec::new(),
        });
    }

    /// Ends the quantifier that was begun last: what its body asks.
    pub fn end(&mut self) -> Vec<Beside> {
        self.open.pop().map_or(Vec::new(), |open| open.beside)
    }

    /// Whether the elements of a level are told apart.
    pub fn is_apart(&mut self, level: u32) -> bool {
        self.of(level).is_some_and(|open| open.apart)
    }

    /// The place of something beside the elements of a level, until the quantifier ends.
    pub fn ask(&mut self, level: u32, beside: Beside) -> Option<Place> {
        let open = self.of(level)?;
        let at = super::env::position(&mut open.beside, beside);
        Some(Place {
            level,
            steps: vec![Step::Field(u32::MAX - u32::try_from(at).ok()?)],
        })
    }
}

/// INVARIANT: no record has so many fields; such a field is one beside an element, counted from the end.
const BESIDE: u32 = u32::MAX / 2;

/// Begins the quantifier of a level over a list.
pub(super) fn begin(list: &Place, level: u32, scope: &Scope<'_>) {
    if let Some(env) = scope.env {
        let is_list = matches!(ty(list, scope), Some(Ty::List { .. }));
        let apart = is_list && root(list, scope).is_some_and(|root| root.whole.is_none());
        env.labelled(|asked| asked.begin(level, apart));
    }
}

/// Ends it where its body is wrong.
pub(super) fn give_up(scope: &Scope<'_>) {
    if let Some(env) = scope.env {
        env.labelled(Asked::end);
    }
}

/// Ends it: its list, or the slot it ranges over instead. `turn` is given the places of the body to look there.
pub(super) fn end(
    list: Place,
    level: u32,
    scope: &Scope<'_>,
    turn: impl FnOnce(&mut dyn FnMut(&mut Place)),
) -> Place {
    let Some(env) = scope.env else { return list };
    let beside = env.labelled(Asked::end);
    if beside.is_empty() {
        return list;
    }
    let (Some(root), Some(Ty::List { element, max })) = (root(&list, scope), ty(&list, scope)) else {
        return list;
    };
    turn(&mut |place| {
        if place.level != level {
            return;
        }
        match place.steps.first_mut() {
            Some(Step::Field(first)) if *first > BESIDE => *first = u32::MAX - *first + 1,
            _ => place.steps.insert(0, Step::Field(0)),
        }
    });
    let labelled = Labelled {
        list: root.steps,
        names: root.names,
        element: *element,
        max,
        beside,
    };
    let slot = match root.level {
        0 => Some(scope.slot(Slot::Each(labelled))),
        level => env.labelled(|asked| asked.ask(level, Beside::List(labelled))),
    };
    // The level it lies in is under way.
    slot.unwrap_or(list)
}

/// Whose labels are asked about at a place.
pub(super) enum Whose {
    /// Those of an argument, or of something at a fixed place in one.
    Argument(LabelOf),
    /// Those of something in an element, by the names from there.
    Element(u32, Vec<String>),
}

/// Whose labels those of a found value are; `None` where it is no part of an argument.
pub(super) fn whose(found: &Found, scope: &Scope<'_>) -> Option<Whose> {
    let root = root(&found.place, scope)?;
    if let Some(whole) = root.whole {
        return Some(whole);
    }
    match root.level {
        0 if root.names.is_empty() => None,
        0 => Some(Whose::Argument(LabelOf::Argument(root.names))),
        level => Some(Whose::Element(level, root.names)),
    }
}

/// A place from the arguments, or from the innermost element that is told apart.
struct Root {
    level: u32,
    steps: Vec<Step>,
    /// The names as far as there are some; what is a part of a value has its labels.
    names: Vec<String>,
    /// Where it lies in a collection whose elements are not told apart: whose labels count instead.
    whole: Option<Whose>,
}

fn root(place: &Place, scope: &Scope<'_>) -> Option<Root> {
    let mut place = place.clone();
    let mut collection = false;
    while place.level > 0
        && !scope
            .env
            .is_some_and(|env| env.labelled(|a| a.is_apart(place.level)))
    {
        let (_, list) = scope
            .lists
            .iter()
            .rev()
            .find(|(level, _)| *level == place.level)?;
        if ty(list, scope).is_some_and(|ty| ty.element().is_some()) {
            // Its elements have the labels of all of them.
            (place, collection) = (list.clone(), true);
        } else {
            place = Place {
                level: list.level,
                steps: [list.steps.clone(), place.steps].concat(),
            };
        }
    }
    let names = names(&base(place.level, scope)?, &place.steps)?;
    let whole = match (collection, place.level) {
        (false, _) => None,
        (true, 0) => Some(Whose::Argument(LabelOf::Argument(names.clone()))),
        (true, level) => Some(Whose::Element(level, names.clone())),
    };
    Some(Root {
        level: place.level,
        steps: place.steps,
        names,
        whole,
    })
}

/// The type of the arguments, or of an element.
fn base(level: u32, scope: &Scope<'_>) -> Option<Ty> {
    if level == 0 {
        return Some(Ty::Record(scope.tool.args.clone()));
    }
    let (_, list) = scope.lists.iter().rev().find(|(known, _)| *known == level)?;
    let list = ty(list, scope)?;
    Some(list.element().unwrap_or(list))
}

/// The type of what lies at a place of the arguments, without `?`.
fn ty(at: &Place, scope: &Scope<'_>) -> Option<Ty> {
    place::ty_at(&base(at.level, scope)?, &at.steps)
}

/// The names on the way to a value; `None` for what is no argument.
fn names(of: &Ty, steps: &[Step]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut ty = of;
    for step in steps {
        let Step::Field(index) = step else { break };
        let Ty::Record(fields) = ty.required() else {
            return None;
        };
        let field = fields.get(*index as usize)?;
        names.push(field.name.clone());
        ty = &field.ty;
    }
    Some(names)
}

/// Shows every place of a condition, to be changed.
pub(super) fn each_place(cond: &mut Cond, see: &mut dyn FnMut(&mut Place)) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => see(&mut atom.place),
        Cond::Relation(relation) => {
            each_place_of_term(&mut relation.left, see);
            each_place_of_term(&mut relation.right, see);
        }
        Cond::Not(inner) => each_place(inner, see),
        Cond::And(parts) | Cond::Or(parts) => parts.iter_mut().for_each(|part| each_place(part, see)),
        Cond::Any { list, body, .. } => {
            see(list);
            each_place(body, see);
        }
    }
}

/// The same of a term.
pub(super) fn each_place_of_term(term: &mut Term, see: &mut dyn FnMut(&mut Place)) {
    match term {
        Term::Place(place) | Term::Else(place, _) => see(place),
        Term::Const(_) => {}
        Term::Add(a, b) | Term::Sub(a, b) => {
            each_place_of_term(a, see);
            each_place_of_term(b, see);
        }
        Term::Sum { list, term, .. } => {
            see(list);
            each_place_of_term(term, see);
        }
        Term::Count { list, body, .. } => {
            see(list);
            each_place(body, see);
        }
    }
}
