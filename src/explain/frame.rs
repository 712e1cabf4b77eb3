//! The values in reach of a condition and what they are called: the request, then the element of each quantifier
//! around. In: a record or an element. Out: values some steps away, with their type and their name as a condition
//! would write it. What the gate computes for a tool (its slots) has no name of its own; `slot` tells it apart.

use super::{Seen, Shown, Subject, show};
use crate::hir::answer::{View, view};
use crate::hir::{self, Beside, ContextField, Labelled, Slot, Step, Term, Tool, labelled, place};
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
    /// What the gate computes, where this is the request.
    slots: &'v [Slot],
    /// What lies beside the element, where its labels are asked for.
    labelled: Option<Labelled>,
}

impl<'v> Frame<'v> {
    /// The request: the arguments, then the context, then what the gate computes.
    pub fn request(tool: &'v Tool, context: &[ContextField], record: &'v Value) -> Frame<'v> {
        Frame {
            value: record,
            ty: request_ty(tool, context),
            name: String::new(),
            args: tool.args.len(),
            path: None,
            slots: &tool.slots,
            labelled: None,
        }
    }

    /// The list with labels that lies some steps away.
    pub fn labelled(&self, steps: &[Step]) -> Option<&Labelled> {
        let slot = match (&self.labelled, steps) {
            (Some(mine), _) => match mine.beside(steps)? {
                Beside::List(inner) => return Some(inner),
                Beside::Label { .. } => return None,
            },
            (None, [Step::Field(first)]) => (*first as usize).checked_sub(self.args + 1)?,
            _ => return None,
        };
        match self.slots.get(slot)? {
            Slot::Each(labelled) => Some(labelled),
            _ => None,
        }
    }

    /// What is asked of the labels of this element some steps away: whose they are.
    pub fn label(&self, steps: &[Step]) -> Option<String> {
        match self.labelled.as_ref()?.beside(steps)? {
            Beside::Label { path, .. } => {
                let names = path.iter().map(|step| format!(".{step}"));
                Some(std::iter::once(self.name.clone()).chain(names).collect())
            }
            Beside::List(_) => None,
        }
    }

    /// The same steps from what people see: not into a slot or a record made for its labels.
    fn plain<'s>(&'s self, steps: &'s [Step]) -> &'s [Step] {
        match (self.labelled(steps), &self.labelled) {
            (Some(list), _) => &list.list,
            (None, Some(_)) => labelled::within(steps),
            (None, None) => steps,
        }
    }

    /// The type of what lies some steps away, without `?`.
    pub fn ty_at(&self, steps: &[Step]) -> Option<Ty> {
        place::ty_at(&self.ty, self.plain(steps))
    }

    /// The element with this number of the list some steps away; an optional's value has no number.
    pub fn element(&self, list: &[Step], number: Option<usize>, value: &'v Value) -> Frame<'v> {
        let ty = match self.ty_at(list) {
            Some(other) => other.element().unwrap_or(other),
            None => Ty::Poison,
        };
        let labelled = self.labelled(list).cloned();
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
            slots: &[],
            labelled,
        }
    }

    /// The names from the arguments to what lies some steps away; none for what is no argument.
    fn path(&self, steps: &[Step]) -> Option<Vec<String>> {
        let steps = self.plain(steps);
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

    /// The number of the slot that lies some steps away, where one does; what is looked up is named as it is written.
    pub fn slot(&self, steps: &[Step]) -> Option<usize> {
        match steps {
            [Step::Field(first)]
                if self.name.is_empty()
                    && self.looked_up(*first).is_none()
                    && self.labelled(steps).is_none() =>
            {
                (*first as usize).checked_sub(self.args + 1)
            }
            _ => None,
        }
    }

    /// The name and type of what is looked up and lies in a field of the request.
    fn looked_up(&self, field: u32) -> Option<&Field> {
        let Ty::Record(fields) = &self.ty else { return None };
        let field = fields
            .get(field as usize)
            .filter(|_| field as usize > self.args)?;
        (self.name.is_empty() && !field.name.is_empty()).then_some(field)
    }

    /// The name of what lies some steps away.
    pub fn written(&self, steps: &[Step]) -> String {
        if let Some(slot) = self.slot(steps) {
            return format!("#{slot}");
        }
        if let Some(of) = self.label(steps) {
            return format!("labels({of})");
        }
        let steps = self.plain(steps);
        match (self.name.is_empty(), steps.split_first()) {
            (true, Some((Step::Field(first), rest))) if self.looked_up(*first).is_some() => {
                let of = self.looked_up(*first);
                of.map_or(String::new(), |of| place::written(&of.name, &of.ty, rest))
            }
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
        if let Some(of) = self.label(steps) {
            return subject.labels(&of);
        }
        let name = self.written(steps);
        let element = self
            .labelled
            .as_ref()
            .and(self.value.fields())
            .and_then(<[Value]>::first);
        let found = match element {
            Some(element) => view(element, self.plain(steps)),
            None => view(self.value, steps),
        };
        let value = match found {
            View::Absent => Shown::Absent,
            _ if self.is_hidden(subject, steps) => Shown::Redacted,
            seen => show::view(&seen, &self.ty_at(steps).unwrap_or(Ty::Poison)),
        };
        Seen {
            place: name,
            value,
            because: None,
        }
    }
}

impl Frame<'_> {
    /// Whether what lies some steps away, or the map it was looked up in, must not be shown.
    fn is_hidden(&self, subject: &Subject<'_>, steps: &[Step]) -> bool {
        if let Some(Step::Field(first)) = steps.first()
            && self.looked_up(*first).is_some()
            && let Some(tool) = subject.package.tools.get(subject.tool)
            && let Some(slot) = tool.slots.get((*first as usize).saturating_sub(self.args + 1))
        {
            let mut hidden = false;
            slot.each_place(&mut |place| hidden |= self.is_hidden(subject, &place.steps));
            return hidden;
        }
        self.path(steps).is_some_and(|path| (subject.redact)(&path))
    }
}

impl Subject<'_> {
    /// The labels of something, with why they are there.
    fn labels(&self, of: &str) -> Seen {
        let fact = self.labels.iter().find(|fact| fact.of == of);
        let names: &[String] = fact.map_or(&[], |fact| &fact.labels);
        let text = if names.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{ {} }}", names.join(", "))
        };
        let json = Json::Array(names.iter().map(Json::str).collect());
        Seen {
            place: format!("labels({of})"),
            value: Shown::Value { json, text },
            because: fact.map(|fact| fact.origin),
        }
    }

    /// What the gate computed for a slot: labels with why they are there, a count, or whether something happened.
    fn slot(&self, number: usize, seen: &View<'_>) -> Seen {
        let slot = self
            .package
            .tools
            .get(self.tool)
            .and_then(|t| t.slots.get(number));
        if let Some(Slot::Label { of, .. }) = slot {
            return self.labels(&of.to_string());
        }
        let ty = slot.map_or(Ty::Bool, Slot::ty);
        let place = match slot {
            Some(Slot::Tally(_)) => "the count".to_owned(),
            Some(Slot::Now) => "now".to_owned(),
            Some(Slot::Used { limit, .. }) => {
                let limit = self.package.limits.get(*limit as usize);
                format!("what is spent of {}", limit.map_or("", |limit| &limit.spec.name))
            }
            Some(Slot::Window(window)) => {
                let window = self.package.windows.get(*window as usize);
                format!("now in {}", window.map_or("", |window| &window.name))
            }
            _ => "what happened".to_owned(),
        };
        Seen {
            place,
            value: show::view(seen, &ty),
            because: None,
        }
    }
}

/// The type of the request of a tool: its arguments, then the context, then what the gate computes.
pub(super) fn request_ty(tool: &Tool, context: &[ContextField]) -> Ty {
    let mut ty = hir::context::request_ty(tool, context);
    for slot in &tool.slots {
        let name = match slot {
            Slot::Lookup { map, key, .. } => looked_up(&ty, tool.args.len(), map, key),
            _ => String::new(),
        };
        if let Ty::Record(fields) = &mut ty {
            fields.push(Field { name, ty: slot.ty() });
        }
    }
    ty
}

/// A look-up as it is written, in a request of this type.
fn looked_up(ty: &Ty, args: usize, map: &hir::Place, key: &Term) -> String {
    let frame = Frame {
        value: &Value::Absent,
        ty: ty.clone(),
        name: String::new(),
        args,
        path: None,
        slots: &[],
        labelled: None,
    };
    let constant = |value: &Value, of: &Ty| match show::value(value, of) {
        Shown::Value { text, .. } => text,
        Shown::Absent | Shown::Redacted => String::new(),
    };
    let keys = match place::ty_at(ty, &map.steps) {
        Some(Ty::Map { key, .. }) => *key,
        _ => Ty::Poison,
    };
    let key = match key {
        Term::Place(place) => frame.written(&place.steps),
        Term::Else(place, value) => {
            format!("{} else {}", frame.written(&place.steps), constant(value, &keys))
        }
        Term::Const(value) => constant(value, &keys),
        // No key is computed.
        Term::Add(..) | Term::Sub(..) | Term::Sum { .. } | Term::Count { .. } => String::new(),
    };
    format!("{}[{key}]", frame.written(&map.steps))
}
