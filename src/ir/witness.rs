//! A call that satisfies a condition, for a diagnostic to show. In: a tool and a condition. Out: canonical JSON of the call,
//! with the context it needs (RFC 8785). It is found by classes and then read back and judged condition by condition, so
//! that what is shown does satisfy it; where none is found that does, none is shown.

use super::apart::apart;
use super::index::Builder;
use super::rows::{self, Literal, Row};
use crate::builtins::bind;
use crate::classes::{ClassSet, Matchers, sample};
use crate::hir::answer::{View, elements, holds, view};
use crate::hir::{
    self, Cond, ContextField, Monitor, Package, PatternStep, Place, Slot, Step, Term, Tool, place,
};
use crate::json::Json;
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeMap;

/// A call that begins a session and satisfies the condition.
pub(super) fn call(package: &Package, tool: &Tool, cond: &Cond) -> Option<String> {
    let first = u32::try_from(tool.args.len() + 1).ok()?;
    let placed = apart(cond, first, &mut tool.slots.clone());
    let mut builder = Builder::new();
    builder.gather(&placed, &mut BTreeMap::from([(0, 0)]));
    builder.cut(&mut Matchers::default()).ok()?;
    builder.reflect();
    let rows = rows::rows(&placed, &mut builder).ok()?;
    let finder = Finder {
        package,
        tool,
        builder: &builder,
        ty: hir::context::request_ty(tool, &package.context),
    };
    let tried = || rows.iter().take(limits::WITNESS_ROWS);
    let mut tries = (0..limits::WITNESS_VALUES).flat_map(|choice| tried().map(move |row| (choice, row)));
    tries.find_map(|(choice, row)| finder.call(row, choice, cond))
}

struct Finder<'a> {
    package: &'a Package,
    tool: &'a Tool,
    builder: &'a Builder,
    ty: Ty,
}

impl Finder<'_> {
    /// The call of a row, where it is one and satisfies the condition.
    fn call(&self, row: &Row, choice: usize, cond: &Cond) -> Option<String> {
        let mut request = plain(&self.ty)?;
        self.fill(row, 0, choice, &mut request, &self.ty)?;
        relate(cond, choice, &mut request, &self.ty);
        let json = self.json(request.fields()?, cond)?;
        let read = self.read(&json)?;
        let text = hir::canonical_json(&json);
        (text.len() <= limits::WITNESS_BYTES && holds(cond, &[&read])).then_some(text)
    }

    /// Makes a value satisfy a row of its scope, as far as single values can.
    fn fill(&self, row: &Row, scope: usize, choice: usize, value: &mut Value, ty: &Ty) -> Option<()> {
        for (literal, classes) in row {
            match literal {
                Literal::Var(number) => self.put((scope, *number), classes, choice, value, ty)?,
                Literal::Any(list, predicate) if classes.contains(1) && !classes.contains(0) => {
                    let (steps, inner) = self.builder.list_at(scope, *list)?;
                    let rows = self.builder.rows_of(inner, *predicate)?;
                    let row = rows.get(choice.min(rows.len().checked_sub(1)?))?;
                    if steps.is_empty() {
                        self.fill(row, inner, choice, value, ty)?;
                        continue;
                    }
                    let of = place::ty_at(ty, steps)?;
                    let of = of.element().unwrap_or(of);
                    let mut element = plain(&of)?;
                    self.fill(row, inner, choice, &mut element, &of)?;
                    add(value, ty, steps, element)?;
                }
                // An element that is not there satisfies nothing.
                Literal::Any(..) => {}
            }
        }
        Some(())
    }

    /// Puts a value of one of some classes where a variable is.
    fn put(
        &self,
        (scope, number): (usize, u32),
        classes: &ClassSet,
        choice: usize,
        value: &mut Value,
        ty: &Ty,
    ) -> Option<()> {
        let (steps, group) = self.builder.variable(scope, number)?;
        let fields = self.tool.args.len() + 1;
        let is_computed = matches!(steps.first(), Some(Step::Field(field)) if *field as usize >= fields);
        if std::ptr::eq(ty, &self.ty) && is_computed {
            // It follows from the others.
            return Some(());
        }
        let of = &place::ty_at(ty, steps)?;
        let part = match steps.last() {
            Some(Step::Part(part)) => Some(*part),
            _ => None,
        };
        let samples = sample::samples(sample::Kind { ty: of, part }, &group.classifier, group.count);
        let fitting = classes
            .iter()
            .filter_map(|class| samples.get(class as usize)?.as_ref());
        let fitting: Vec<&Value> = fitting.collect();
        let new = *fitting.get(choice.min(fitting.len().checked_sub(1)?))?;
        match new {
            Value::Absent => {
                // What is missing already needs no change.
                let _ = place::clear(value, ty, steps);
                Some(())
            }
            new => place::put(value, ty, steps, new),
        }
    }

    /// The call, and of the context what the condition looks at.
    fn json(&self, fields: &[Value], cond: &Cond) -> Option<Json> {
        let args = self.tool.args.len();
        let mut whole = Json::object([
            ("args", bind::record_to_json(fields.get(..args)?, &self.tool.args)),
            ("tool", Json::str(&self.tool.name)),
        ]);
        let context = fields.get(args)?.fields()?;
        for index in super::context::uses(args, &self.tool.slots, std::iter::once(cond)) {
            let declared = self.package.context.get(index as usize)?;
            let value = context.get(index as usize)?;
            if *value != Value::Absent {
                put(
                    &mut whole,
                    &path(declared),
                    bind::to_json(value, &declared.field.ty),
                )?;
            }
        }
        Some(whole)
    }

    /// What rules would look at if this call began a session.
    fn read(&self, json: &Json) -> Option<Value> {
        let mut values = bind::bind_record(json.get("args")?, &self.tool.args).ok()?;
        let context = self.package.context.iter().map(|declared| {
            let found = path(declared).iter().try_fold(json, |at, step| at.get(step));
            match found {
                Some(json) => bind::bind(json, &declared.field.ty).ok(),
                None => Some(Value::Absent),
            }
        });
        values.push(Value::Record(context.collect::<Option<_>>()?));
        let mut record = Value::Record(values);
        for slot in &self.tool.slots {
            let value = computed(self.package, slot, &record)?;
            if let Value::Record(fields) = &mut record {
                fields.push(value);
            }
        }
        Some(record)
    }
}

/// A computed value of a call that begins a session, of whose arguments the adapter says nothing; `None` where it is not
/// known without a clock or counters.
fn computed(package: &Package, slot: &Slot, record: &Value) -> Option<Value> {
    let monitor = |number: &u32| package.history.monitors.get(*number as usize);
    Some(match slot {
        Slot::Holds(cond) => Value::Bool(holds(cond, &[record])),
        Slot::Lookup { map, key, .. } => hir::entry(map, key, record),
        // Nothing was read, so nothing has labels.
        Slot::Label { .. } => Value::Bool(false),
        Slot::Each(of) => of.records(record, &[], &|_| 0),
        Slot::History(number) => Value::Bool(match monitor(number)? {
            Monitor::Pattern(steps) => steps.iter().all(|step| !matches!(step, PatternStep::Event(_))),
            _ => false,
        }),
        Slot::Tally(_) => Value::Num(0),
        Slot::Window(_) | Slot::Now | Slot::Used { .. } => return None,
    })
}

/// Brings numbers that the condition compares with one another to the same value, or to one below or above it: with the
/// first choice not at all, then the right one, then the left one.
fn relate(cond: &Cond, choice: usize, request: &mut Value, ty: &Ty) {
    let apart = match choice % 3 {
        _ if choice == 0 => return,
        1 => -1,
        2 => 1,
        _ => 0,
    };
    let mut compared = Vec::new();
    comparisons(cond, &mut compared);
    for (left, right) in compared {
        let (from, to) = if choice > 3 { (right, left) } else { (left, right) };
        if let View::Num(n) = view(request, &from.steps) {
            // A value that cannot be put there leaves the request as it is.
            let _ = place::put(request, ty, &to.steps, &Value::Num(n.saturating_add(apart)));
        }
    }
}

/// The places of the request whose values a condition compares with one another.
fn comparisons<'c>(cond: &'c Cond, found: &mut Vec<(&'c Place, &'c Place)>) {
    match cond {
        Cond::Relation(relation) => {
            if let (Term::Place(left), Term::Place(right)) = (&relation.left, &relation.right)
                && (left.level, right.level) == (0, 0)
            {
                found.push((left, right));
            }
        }
        Cond::Not(inner) => comparisons(inner, found),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| comparisons(part, found)),
        Cond::Const(_) | Cond::Atom(_) | Cond::Any { .. } => {}
    }
}

/// Where a field of the context stands in what is shown.
fn path(declared: &ContextField) -> Vec<String> {
    match &declared.from {
        Some(path) => path.clone(),
        None => vec!["facts".to_owned(), declared.field.name.clone()],
    }
}

/// Puts a value at a path of members; `None` where something else stands there.
fn put(at: &mut Json, path: &[String], value: Json) -> Option<()> {
    let Some((first, rest)) = path.split_first() else {
        *at = value;
        return Some(());
    };
    let Json::Object(members) = at else {
        return None;
    };
    if !members.iter().any(|(name, _)| name == first) {
        members.push((first.clone(), Json::Object(Vec::new())));
    }
    let (_, inner) = members.iter_mut().find(|(name, _)| name == first)?;
    put(inner, rest, value)
}

/// The plainest value, a record with all its fields.
fn plain(ty: &Ty) -> Option<Value> {
    match ty {
        Ty::Record(fields) => {
            let values: Option<Vec<Value>> = fields.iter().map(|field| plain(&field.ty)).collect();
            Some(Value::Record(values?))
        }
        ty => place::plain(ty),
    }
}

/// Adds an element to the list some steps away; an optional becomes the element.
fn add(value: &mut Value, ty: &Ty, steps: &[Step], element: Value) -> Option<()> {
    let listed = if place::ty_at(ty, steps)?.element().is_none() {
        element
    } else {
        let items = elements(value, steps).iter().cloned();
        Value::List(items.chain([element]).collect())
    };
    place::put(value, ty, steps, &listed)
}
