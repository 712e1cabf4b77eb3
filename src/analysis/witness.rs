//! A call on a path of a diagram: what the path asks of each variable is put into the plainest call of the tool, part
//! by part. In: a path. Out: a call as a test of the policy would write it, or nothing where none was found. Whether it
//! is one is told by judging it; nothing here is believed.

mod around;
mod fill;
mod parsed;

use super::diagram::Asked;
use crate::classes::{ClassSet, sample};
use crate::domain::{ArgumentOrigin, LabelOf};
use crate::hir::answer::{View, elements, holds, view};
use crate::hir::context::request_ty;
use crate::hir::{
    Case, Cond, Monitor, Package, PatternStep, Place, Relation, SessionStep, Slot, Step, Term, Tool, entry,
    place,
};
use crate::ir::space::{Level, List, Needs, Space, Variable};
use crate::json::Json;
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::Value;
use crate::{
    builtins::{bind, instant},
    classes::Matchers,
};
use std::collections::BTreeMap;

pub(super) use fill::fitting;
use fill::{ROUNDS, fill, meets};
pub(super) use parsed::Pool;
pub use parsed::{Words, texts_of};

/// What a path asks, with the quantifiers told apart from the variables.
pub(super) struct Wanted {
    /// Variables of the call and the classes they must be in.
    pub classes: Vec<Asked>,
    /// Lists of the call, their predicates, and whether some element must satisfy them or none may.
    pub lists: Vec<(u32, u32, bool)>,
}

/// Makes calls of one tool.
pub(super) struct Maker<'a> {
    package: &'a Package,
    tool: &'a Tool,
    /// The type of the request.
    ty: Ty,
    /// The same with what is computed.
    all: Ty,
    level: &'a Level,
    slots: &'a [Slot],
}

/// 2026-01-05T00:00:00Z, a Monday.
const MONDAY: i128 = 1_767_571_200_000;

impl<'a> Maker<'a> {
    /// For the variables of a space.
    pub fn new(package: &'a Package, tool: &'a Tool, (level, slots): (&'a Level, &'a [Slot])) -> Maker<'a> {
        Maker {
            package,
            tool,
            ty: request_ty(tool, &package.context),
            all: super::computed_ty(package, tool, slots),
            level,
            slots,
        }
    }

    /// The calls that may be on a path, the plainest first.
    pub fn calls(&self, wanted: &Wanted, pools: &[Pool]) -> Vec<Case> {
        let slot_of = |variable: u32| {
            let variable = self.level.variables.get(variable as usize)?;
            Some((self.slots.get(self.slot_at(&variable.steps)?)?, variable))
        };
        let (mut plain, mut found) = (Vec::new(), Vec::new());
        for (variable, classes) in &wanted.classes {
            match slot_of(*variable) {
                Some((slot, variable)) => found.push((slot, variable, classes)),
                None => plain.push((*variable, classes.clone())),
            }
        }
        let computed = |(list, ..): &&(u32, u32, bool)| {
            let list = self.level.lists.get(*list as usize);
            list.is_some_and(|list| self.slot_at(&list.steps).is_some())
        };
        let wants = Needs {
            classes: plain,
            lists: wanted
                .lists
                .iter()
                .filter(|list| !computed(list))
                .copied()
                .collect(),
        };
        let Some(mut record) = self.plainest() else {
            return Vec::new();
        };
        self.parse(&mut record, pools, wanted);
        if !fill(&mut record, &self.ty, self.level, &wants) {
            return Vec::new();
        }
        self.look_up(&mut record, wanted);
        self.label(&mut record, &found, &wants);
        if !meets(&record, self.level, &wants) {
            return Vec::new();
        }
        let mut record = self.with_slots(record, &BTreeMap::new());
        if !self.relate(&mut record, &wants, &found) {
            return Vec::new();
        }
        let Some(case) = self.case(&record) else {
            return Vec::new();
        };
        let spent = self.spent(&record);
        self.surroundings(case, &found, &spent)
    }

    /// The call whose every value is the plainest of its type.
    fn plainest(&self) -> Option<Value> {
        let Ty::Record(fields) = &self.ty else { return None };
        let value = |field: &Field| match &field.ty {
            Ty::Record(context) => context
                .iter()
                .map(|field| place::plain(&field.ty))
                .collect::<Option<_>>()
                .map(Value::Record),
            ty => place::plain(ty),
        };
        fields.iter().map(value).collect::<Option<_>>().map(Value::Record)
    }

    /// The slot that steps from the request lead to.
    fn slot_at(&self, steps: &[Step]) -> Option<usize> {
        match steps.first() {
            Some(Step::Field(field)) => (*field as usize).checked_sub(self.tool.args.len() + 1),
            _ => None,
        }
    }

    /// Puts values into arguments that may be missing where they are to have labels, which nothing has that is not there.
    fn label(&self, record: &mut Value, found: &[(&Slot, &Variable, &ClassSet)], wants: &Needs) {
        for (slot, _, classes) in found {
            let Slot::Label {
                of: LabelOf::Argument(path),
                ..
            } = slot
            else {
                continue;
            };
            let at = self
                .tool
                .args
                .iter()
                .position(|arg| path.first() == Some(&arg.name));
            let Some((at, arg)) = at.and_then(|at| Some((at, self.tool.args.get(at)?))) else {
                continue;
            };
            let steps = [Step::Field(u32::try_from(at).unwrap_or(u32::MAX))];
            if classes.contains(0) || view(record, &steps) != View::Absent {
                continue;
            }
            let mut changed = record.clone();
            let plain = place::plain(arg.ty.required());
            let put = plain.and_then(|plain| place::put(&mut changed, &self.ty, &steps, &plain));
            if put.is_some() && meets(&changed, self.level, wants) {
                *record = changed;
            }
        }
    }

    /// Puts entries into maps, so that what is looked up in them is as asked.
    fn look_up(&self, record: &mut Value, wanted: &Wanted) {
        for (number, slot) in self.slots.iter().enumerate() {
            let Slot::Lookup { map, key, ty } = slot else {
                continue;
            };
            let (level, wants) = self.behind(number, wanted);
            let found = entry(map, key, record);
            if meets(&found, &level, &wants) {
                continue;
            }
            let (Some(key), Some(mut value)) = (key.computed(&[record]), place::plain(ty.required())) else {
                continue;
            };
            if !fill(&mut value, ty.required(), &level, &wants) {
                continue;
            }
            if let Some(changed) = self.entered(record, map, (key, value)) {
                *record = changed;
            }
        }
    }

    /// The record with an entry of a map, in the place of the one with its key.
    fn entered(&self, record: &Value, map: &Place, (key, value): (Value, Value)) -> Option<Value> {
        let mut entries: Vec<Value> = elements(record, &map.steps).to_vec();
        entries.retain(|entry| entry.fields().and_then(<[Value]>::first) != Some(&key));
        entries.push(Value::Record(vec![key, value]));
        entries.sort();
        let mut changed = record.clone();
        place::put(&mut changed, &self.ty, &map.steps, &Value::list(entries))?;
        Some(changed)
    }

    /// What is asked of the value of a slot, from there.
    fn behind(&self, slot: usize, wanted: &Wanted) -> (Level, Needs) {
        let rest = |steps: &[Step]| match self.slot_at(steps) == Some(slot) {
            true => steps.get(1..).map(<[Step]>::to_vec),
            false => None,
        };
        let (mut level, mut needs) = (Level::default(), Needs::default());
        for (variable, classes) in &wanted.classes {
            let found = self.level.variables.get(*variable as usize);
            if let Some((found, steps)) = found.and_then(|found| Some((found, rest(&found.steps)?))) {
                let number = u32::try_from(level.variables.len()).unwrap_or(u32::MAX);
                needs.classes.push((number, classes.clone()));
                level.variables.push(Variable {
                    steps,
                    ..found.clone()
                });
            }
        }
        for (list, predicate, holds) in &wanted.lists {
            let found = self.level.lists.get(*list as usize);
            if let Some((found, steps)) = found.and_then(|found| Some((found, rest(&found.steps)?))) {
                let number = u32::try_from(level.lists.len()).unwrap_or(u32::MAX);
                needs.lists.push((number, *predicate, *holds));
                level.lists.push(List {
                    steps,
                    ..found.clone()
                });
            }
        }
        (level, needs)
    }

    /// A record of arguments and context with all that is computed for a call that begins a session at `MONDAY`, and that
    /// much used of limits, by the slot.
    fn with_slots(&self, record: Value, used: &BTreeMap<usize, i128>) -> Value {
        let Value::Record(mut values) = record else {
            return record;
        };
        values.truncate(self.tool.args.len() + 1);
        let mut record = Value::Record(values);
        for (number, slot) in self.slots.iter().enumerate() {
            let value = match slot {
                Slot::Used { .. } => Value::Num(used.get(&number).copied().unwrap_or(0)),
                Slot::Now => Value::Num(MONDAY),
                slot => computed(self.package, slot, &record).unwrap_or(Value::Bool(false)),
            };
            if let Value::Record(values) = &mut record {
                values.push(value);
            }
        }
        record
    }

    /// How much a record says is used of limits, by the slot.
    fn spent(&self, record: &Value) -> BTreeMap<usize, i128> {
        let Value::Record(values) = record else {
            return BTreeMap::new();
        };
        let slots = values.iter().skip(self.tool.args.len() + 1);
        let used = slots
            .zip(self.slots)
            .enumerate()
            .filter_map(|(number, (value, slot))| match (slot, value) {
                (Slot::Used { .. }, Value::Num(n)) if *n > 0 => Some((number, *n)),
                _ => None,
            });
        used.collect()
    }

    /// Makes comparisons between values come out as asked; false where that was not managed.
    fn relate(&self, record: &mut Value, wants: &Needs, found: &[(&Slot, &Variable, &ClassSet)]) -> bool {
        let compared: Vec<(&Cond, bool)> = found
            .iter()
            .filter_map(|(slot, _, classes)| match slot {
                // Where either answer will do, nothing is asked.
                Slot::Holds(cond) if classes.contains(0) != classes.contains(1) => {
                    Some((cond, classes.contains(1)))
                }
                _ => None,
            })
            .collect();
        let right = |record: &Value| {
            compared
                .iter()
                .all(|(cond, wanted)| holds(cond, &[record]) == *wanted)
                && meets(record, self.level, wants)
        };
        for _ in 0..ROUNDS {
            for (cond, wanted) in &compared {
                if holds(cond, &[record]) == *wanted {
                    continue;
                }
                let changes = match cond {
                    Cond::Relation(relation) => self.changes(relation, record),
                    Cond::Any { list, .. } if !*wanted => self.emptied(list, record),
                    Cond::Any {
                        list, level, body, ..
                    } => self.joined(list, *level, body, record),
                    _ => return false,
                };
                let changed = changes
                    .into_iter()
                    .find(|changed| holds(cond, &[changed]) == *wanted && meets(changed, self.level, wants));
                match changed {
                    Some(changed) => *record = changed,
                    None => return false,
                }
            }
            if right(record) {
                return true;
            }
        }
        right(record)
    }

    /// The call with one side of a comparison as the other, apart from it by one, or another text.
    fn changes(&self, relation: &Relation, record: &Value) -> Vec<Value> {
        let (mut values, mut entered) = (Vec::new(), Vec::new());
        for (steps, value) in relation.changes(&[record]) {
            let Some(ty) = place::ty_at(&self.all, &steps) else {
                continue;
            };
            // Of what is computed only what has been used can be had as one likes, and what a map has.
            let slot = self.slot_at(&steps);
            let computed = slot.and_then(|slot| self.slots.get(slot));
            if let Some(Slot::Lookup { map, key, .. }) = computed {
                let key = key.computed(&[record]);
                entered.extend(key.and_then(|key| self.entered(record, map, (key, value))));
                continue;
            }
            if computed.is_some_and(|slot| !matches!(slot, Slot::Used { .. }) || value < Value::Num(0)) {
                continue;
            }
            match value.text() {
                Some(text) => {
                    let others = sample::plain(sample::Kind { ty: &ty, part: None });
                    let all = place::of_text(text, &ty).into_iter().chain(others);
                    values.extend(all.map(|value| (steps.clone(), value)));
                }
                None => values.push((steps, value)),
            }
        }
        let changed = values.into_iter().filter_map(|(steps, value)| {
            let mut changed = record.clone();
            place::put(&mut changed, &self.all, &steps, &value)?;
            Some(changed)
        });
        let again = |changed: Value| {
            let used = self.spent(&changed);
            self.with_slots(changed, &used)
        };
        changed.chain(entered).map(again).collect()
    }

    /// The call with one more element in a list in which one is looked for that compares with something else of the call.
    fn joined(&self, list: &Place, level: u32, body: &Cond, record: &Value) -> Vec<Value> {
        let of = place::ty_at(&self.all, &list.steps).filter(|_| list.level == 0);
        let (Some(ty), Cond::Relation(relation)) = (of.and_then(|of| of.required().element()), body) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for (mine, other) in [
            (&relation.left, &relation.right),
            (&relation.right, &relation.left),
        ] {
            let (Term::Place(mine), Some(value)) = (mine, other.computed(&[record])) else {
                continue;
            };
            if mine.level != level {
                continue;
            }
            let element = place::plain(ty.required()).and_then(|mut element| {
                let here = place::ty_at(&ty, &mine.steps)?;
                let value = match value.text() {
                    Some(text) => place::of_text(text, &here)?,
                    None => value,
                };
                place::put(&mut element, &ty, &mine.steps, &value)?;
                Some(element)
            });
            let mut items = elements(record, &list.steps).to_vec();
            items.extend(element);
            out.extend(self.with_list(list, items, record));
        }
        out
    }

    /// The call with no element in a list.
    fn emptied(&self, list: &Place, record: &Value) -> Vec<Value> {
        let found = self.with_list(list, Vec::new(), record);
        found.filter(|_| list.level == 0).into_iter().collect()
    }

    fn with_list(&self, list: &Place, mut items: Vec<Value>, record: &Value) -> Option<Value> {
        if let Ty::Set { .. } = place::ty_at(&self.all, &list.steps)?.required() {
            items.sort();
            items.dedup();
        }
        let mut changed = record.clone();
        place::put(&mut changed, &self.all, &list.steps, &Value::list(items))?;
        let used = self.spent(&changed);
        Some(self.with_slots(changed, &used))
    }

    /// Whether something is asked of a field of the context.
    fn asks(&self, field: u32) -> bool {
        let args = u32::try_from(self.tool.args.len()).unwrap_or(u32::MAX);
        let at = [Step::Field(args), Step::Field(field)];
        let mut asked = self
            .level
            .variables
            .iter()
            .any(|variable| variable.steps.starts_with(&at));
        asked |= self.level.lists.iter().any(|list| list.steps.starts_with(&at));
        for slot in self.slots {
            slot.each_place(&mut |place| asked |= place.level == 0 && place.steps.starts_with(&at));
        }
        asked
    }

    /// A record of arguments and context as a case.
    fn case(&self, record: &Value) -> Option<Case> {
        let Value::Record(values) = record else {
            return None;
        };
        let Some(Value::Record(context)) = values.get(self.tool.args.len()) else {
            return None;
        };
        let fields = (0u32..).zip(&self.package.context).zip(context);
        let asked = fields.filter(|((number, _), value)| **value != Value::Absent && self.asks(*number));
        let given = asked.map(|((_, field), value)| {
            let field = &field.field;
            (field.name.as_str().into(), bind::to_json(value, &field.ty))
        });
        let given = Json::Object(given.collect());
        Some(Case {
            given,
            ..Case::call(&self.tool.name, bind::record_to_json(values, &self.tool.args))
        })
    }
}

/// A call of a tool that satisfies a condition on its arguments.
fn call_where(package: &Package, tool: &Tool, cond: &Cond) -> Option<Case> {
    let first_slot = u32::try_from(tool.args.len() + 1).ok()?;
    let mut space = Space::new(first_slot, &tool.slots, &[cond], &mut Matchers::default())?;
    let formula = space.formula(cond)?;
    let slots = space.slots().1.to_vec();
    let mut all = super::Calls::over(
        space.level(),
        &super::computed_ty(package, tool, &slots),
        super::Means::DIAGRAMS,
    )
    .ok()?;
    let function = all.function(&formula).ok()?;
    let function = all.logic.and(function, all.possible).ok()?;
    let maker = Maker::new(package, tool, (&all.level, &slots));
    let pools = maker.pools(limits::ANALYSIS_TEXTS);
    let mut found = None;
    let mut left = super::PATHS;
    all.logic.paths(function, &mut |path| {
        found = maker.calls(&all.wanted(path), &pools).into_iter().next();
        left -= 1;
        found.is_some() || left == 0
    });
    found
}

/// What rules look at where a call begins a session, by plain meaning; none where that takes a clock or counters.
pub(super) fn first(package: &Package, tool: usize, call: &Case) -> Option<Value> {
    let tool = package.tools.get(tool)?;
    let mut values = bind::bind_record(&call.args, &tool.args).ok()?;
    let context = package.context.iter().map(|declared| {
        let field = &declared.field;
        match call.given.get(&field.name) {
            Some(json) => bind::bind(json, &field.ty).ok(),
            None => Some(Value::Absent),
        }
    });
    values.push(Value::Record(context.collect::<Option<_>>()?));
    let mut record = Value::Record(values);
    for slot in &tool.slots {
        let value = computed(package, slot, &record)?;
        if let Value::Record(fields) = &mut record {
            fields.push(value);
        }
    }
    Some(record)
}

/// A computed value of a call that begins a session, of whose arguments the adapter says nothing; `None` where it is not
/// known without a clock or counters.
fn computed(package: &Package, slot: &Slot, record: &Value) -> Option<Value> {
    let monitor = |number: &u32| package.history.monitors.get(*number as usize);
    Some(match slot {
        Slot::Holds(cond) => Value::Bool(holds(cond, &[record])),
        Slot::Lookup { map, key, .. } => entry(map, key, record),
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

/// The call as a JSON document: tool, arguments, what is said beside them, where they come from, and what ran before.
pub fn document(case: &Case) -> Json {
    let mut members = vec![
        ("tool".into(), Json::str(&case.tool)),
        ("args".into(), case.args.clone()),
    ];
    if case.given.as_object().is_some_and(|given| !given.is_empty()) {
        members.push(("context".into(), case.given.clone()));
    }
    if let Some(origins) = &case.origins {
        members.push((
            "arg_provenance".into(),
            Json::Array(origins.iter().map(origin).collect()),
        ));
    }
    if !case.session.is_empty() {
        members.push((
            "session".into(),
            Json::Array(case.session.iter().map(step).collect()),
        ));
    }
    if let Some(at) = case.at {
        members.push(("at".into(), Json::str(instant::to_text(at))));
    }
    Json::Object(members)
}

fn origin(origin: &ArgumentOrigin) -> Json {
    let mut members = vec![
        ("arg_path".into(), Json::str(origin.path.join("."))),
        ("source".into(), Json::str(origin.source.as_str())),
    ];
    if let Some(tool) = &origin.tool {
        members.push(("source_ref".into(), Json::str(tool)));
    }
    Json::Object(members)
}

fn step(step: &SessionStep) -> Json {
    match step {
        SessionStep::Turn => Json::object([("turn", Json::Bool(true))]),
        SessionStep::At(at) => Json::object([("at", Json::str(instant::to_text(*at)))]),
        SessionStep::Call { tool, args, ok } => Json::object([
            ("tool", Json::str(tool)),
            ("args", args.clone()),
            ("ok", Json::Bool(*ok)),
        ]),
    }
}
