//! The values in reach of a condition and what they are called: the request, then the element of each quantifier
//! around. In: a record or an element. Out: values some steps away, with their type and their name as a condition
//! would write it.

use super::{Seen, Shown, Subject, show};
use crate::hir::answer::{View, view};
use crate::hir::{ContextField, Step, Tool, place};
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
}

impl<'v> Frame<'v> {
    /// The request: the arguments, then the context.
    pub fn request(tool: &Tool, context: &[ContextField], record: &'v Value) -> Frame<'v> {
        Frame {
            value: record,
            ty: request_ty(tool, context),
            name: String::new(),
            args: tool.args.len(),
        }
    }

    /// The element with this number of the list some steps away; an optional's value has no number.
    pub fn element(&self, list: &[Step], number: Option<usize>, value: &'v Value) -> Frame<'v> {
        let ty = match place::ty_at(&self.ty, list) {
            Some(Ty::List { element, .. }) => *element,
            Some(other) => other,
            None => Ty::Poison,
        };
        let list = self.written(list);
        Frame {
            value,
            ty,
            name: match number {
                Some(number) => format!("{list}[{number}]"),
                None => list,
            },
            args: 0,
        }
    }

    /// The name of what lies some steps away.
    pub fn written(&self, steps: &[Step]) -> String {
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
        let name = self.written(steps);
        let value = match view(self.value, steps) {
            View::Absent => Shown::Absent,
            _ if (subject.redact)(&name) => Shown::Redacted,
            seen => show::view(&seen, &place::ty_at(&self.ty, steps).unwrap_or(Ty::Poison)),
        };
        Seen { place: name, value }
    }
}

/// The type of the request of a tool: its arguments, then the context.
pub(super) fn request_ty(tool: &Tool, context: &[ContextField]) -> Ty {
    let fields = context.iter().map(|c| c.field.clone()).collect();
    let context = Field {
        name: "context".to_owned(),
        ty: Ty::Record(fields),
    };
    Ty::Record(tool.args.iter().cloned().chain([context]).collect())
}
