//! The values in reach of a condition and what they are called: the request, then the element of each quantifier
//! around. In: a record or an element. Out: values some steps away, with their type and their name as a condition
//! would write it. What the gate computes for a tool (its slots) has no name of its own; `slot` tells it apart.

use super::{Seen, Shown, Subject, show};
use crate::hir::answer::{View, view};
use crate::hir::{ContextField, Slot, Step, Tool, place};
use crate::json::Json;
use crate::ty::{Field, Ty};
use crate::value::Value;

/// What one level of a condition speaks of.
pub(super) struct Frame<'v> {
    /// The record or element.
    pub value: &'v Value,
    /// Its type.
    pub ty: Ty,
    /// Its name; empty for the request, whose parts have names of their own.
    name: String,
    /// How many fields of the request are arguments.
    args: usize,
    /// The names from the arguments to an element of a list in them; none for what is no part of an argument.
    path: Option<Vec<String>>,
}

impl<'v> Frame<'v> {
    /// The request: the arguments, then the context, then what the gate computes.
    pub fn request(tool: &Tool, context: &[ContextField], record: &'v Value) -> Frame<'v> {
        Frame {
            value: record,
            ty: request_ty(tool, context),
            name: String::new(),
            args: tool.args.len(),
            path: None,
        }
    }

    /// The element with this number of the list some steps away; an optional's value has no number.
    pub fn element(&self, list: &[Step], number: Option<usize>, value: &'v Value) -> Frame<'v> {
        let ty = match place::ty_at(&self.ty, list) {
            Some(Ty::List { element, .. }) => *element,
            Some(other) => other,
            None => Ty::Poison,
        };
        let path = self.path(list);
        let list = self.written(list);
        Frame {
            value,
            ty,
            name: match number {
                Some(number) => format!("{list}[{number}]"),
                None => list,
            },
            args: 0,
            path,
        }
    }

    /// The names from the arguments to what lies some steps away; none for what is no argument.
    fn path(&self, steps: &[Step]) -> Option<Vec<String>> {
        let mut path = match (&self.path, self.name.is_empty(), steps.first()) {
            (Some(path), false, _) => path.clone(),
            (None, true, Some(Step::Field(first))) if (*first as usize) < self.args => Vec::new(),
            _ => return None,
        };
        let mut ty = self.ty.clone();
        for at in steps {
            let (name, next) = match (at, place::step(&ty, *at)) {
                (Step::Field(_), Some(found)) => found,
                _ => break,
            };
            path.push(name.to_owned());
            ty = next;
        }
        Some(path)
    }

    /// The number of the slot that lies some steps away, where one does.
    pub fn slot(&self, steps: &[Step]) -> Option<usize> {
        match steps {
            [Step::Field(first)] if self.name.is_empty() => (*first as usize).checked_sub(self.args + 1),
            _ => None,
        }
    }

    /// The name of what lies some steps away.
    pub fn written(&self, steps: &[Step]) -> String {
        if let Some(slot) = self.slot(steps) {
            return format!("#{slot}");
        }
        match (self.name.is_empty(), steps.split_first()) {
            (true, Some((Step::Field(first), rest))) if *first as usize >= self.args => {
                let ty = place::ty_at(&self.ty, &[Step::Field(*first)]).unwrap_or(Ty::Poison);
                place::written("context", &ty, rest)
            }
            (true, _) => place::written("args", &self.ty, steps),
            (false, _) => place::written(&self.name, &self.ty, steps),
        }
    }

    /// What lies some steps away, as far as it may be shown.
    pub fn seen(&self, subject: &Subject<'_>, steps: &[Step]) -> Seen {
        if let Some(number) = self.slot(steps) {
            return subject.slot(number, &view(self.value, steps));
        }
        let name = self.written(steps);
        let value = match view(self.value, steps) {
            View::Absent => Shown::Absent,
            _ if self.path(steps).is_some_and(|path| (subject.redact)(&path)) => Shown::Redacted,
            seen => show::view(&seen, &place::ty_at(&self.ty, steps).unwrap_or(Ty::Poison)),
        };
        Seen {
            place: name,
            value,
            because: None,
        }
    }
}

impl Subject<'_> {
    /// What the gate computed for a slot: labels with why they are there, a count, or whether something happened.
    fn slot(&self, number: usize, seen: &View<'_>) -> Seen {
        let slot = self
            .package
            .tools
            .get(self.tool)
            .and_then(|t| t.slots.get(number));
        if let Some(Slot::Label { of, .. }) = slot {
            let of = of.to_string();
            let fact = self.labels.iter().find(|fact| fact.of == of);
            let names: &[String] = fact.map_or(&[], |fact| &fact.labels);
            let text = if names.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", names.join(", "))
            };
            let json = Json::Array(names.iter().map(Json::str).collect());
            return Seen {
                place: format!("labels({of})"),
                value: Shown::Value { json, text },
                because: fact.map(|fact| fact.origin),
            };
        }
        let ty = slot.map_or(Ty::Bool, Slot::ty);
        let place = match slot {
            Some(Slot::Tally(_)) => "the count",
            _ => "what happened",
        };
        Seen {
            place: place.to_owned(),
            value: show::view(seen, &ty),
            because: None,
        }
    }
}

/// The type of the request of a tool: its arguments, then the context, then what the gate computes.
pub(super) fn request_ty(tool: &Tool, context: &[ContextField]) -> Ty {
    let fields = context.iter().map(|c| c.field.clone()).collect();
    let context = Field {
        name: "context".to_owned(),
        ty: Ty::Record(fields),
    };
    let slots = tool.slots.iter().map(|slot| Field {
        name: String::new(),
        ty: slot.ty(),
    });
    Ty::Record(tool.args.iter().cloned().chain([context]).chain(slots).collect())
}
