//! What deciding costs at most, told from the program alone: steps of one decision on each tool, and bytes of a session's
//! state. In: the index of a tool, the types of what it looks at, the monitors of the policy. Out: bounds, and what makes
//! them large. A step is one value classified, one question answered, one element looked at, or one block of 256
//! rows read or written: the bound follows `eval` and the slots of a request line by line, and lists are as long as their
//! types allow. What grows with the bytes of a request, and what is written down after the verdict, is no part of it.

mod condition;
mod name;
mod profile;
mod reach;
mod state;

use super::{ContextField, List, Program, Scope, ToolProgram, Var};
use crate::classes::Classifier;
use crate::hir::{Labels, Monitor, Step};
use crate::limits;
use crate::ty::{Field, Ty};
use reach::{Reach, elements};
use std::collections::BTreeMap;

pub use name::name;
use name::phrase;
pub use profile::{Ceiling, check};
pub use state::{counter_bytes, monitor_bytes, state_bytes};

/// What a tool's cost depends on beside the tool.
#[derive(Clone, Copy, Debug)]
pub struct Around<'p> {
    /// The fields of the context.
    pub context: &'p [ContextField],
    /// The policy's monitors.
    pub monitors: &'p [Monitor],
    /// The policy's labels.
    pub labels: &'p Labels,
}

impl<'p> Around<'p> {
    /// That of a program.
    pub fn of(program: &'p Program) -> Around<'p> {
        Around {
            context: &program.context,
            monitors: &program.monitors,
            labels: &program.labels,
        }
    }
}

/// The most that a decision on one tool costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rows: those of the tool, and those of the elements of its lists.
    pub rows: u64,
    /// Variables, of elements too.
    pub variables: u64,
    /// Words of 64 rows in which a decision is made; those of elements are not among them.
    pub words: u64,
    /// States of all automata.
    pub states: u64,
    /// What takes steps, in the order in which it runs.
    pub parts: Vec<Part>,
}

/// A part of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is looked at.
    pub what: What,
    /// The most steps it takes.
    pub steps: u64,
}

/// What a part of a decision looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The slot with this number: it is computed.
    Slot(usize),
    /// The value some steps away: it is classified, and rows are ruled out.
    Value(Vec<Step>),
    /// The elements of the list some steps away, so many at most.
    List(Vec<Step>, u64),
    /// The rows that are left: the strictest verdict among them.
    Verdict,
    /// The monitors: the session after the call, once it succeeds and once it fails.
    Session,
}

impl Cost {
    /// The most steps of one decision.
    pub fn steps(&self) -> u64 {
        sum(self.parts.iter().map(|part| part.steps))
    }

    /// The part that takes the most steps; the first of several.
    pub fn costliest(&self) -> Option<&Part> {
        self.parts.iter().rev().max_by_key(|part| part.steps)
    }
}

/// What a decision on a tool costs at most.
pub fn of_tool(around: Around<'_>, tool: &ToolProgram) -> Cost {
    let request = request_ty(around.context, tool);
    let whole = Reach::once(&request);
    let chain = BTreeMap::from([(0, whole)]);
    let mut cost = Cost {
        words: u64::from(tool.scope.rows.div_ceil(64)),
        ..Cost::default()
    };
    cost.count(&tool.scope);
    for (number, slot) in tool.slots.iter().enumerate() {
        cost.part(What::Slot(number), condition::slot(around, tool, slot, &chain));
    }
    for var in &tool.scope.vars {
        cost.part(What::Value(var.steps.clone()), variable(var));
    }
    for list in &tool.scope.lists {
        let most = elements(whole, 1, &list.steps).map_or(0, |elements| elements.times);
        cost.part(What::List(list.steps.clone(), most), of_list(list, whole));
    }
    // The rows are set, told at the end, then read once per verdict and once to tell those of limits apart.
    let passes = size(3 + crate::domain::Verdict::ALL.len());
    cost.part(What::Verdict, product(passes, size(tool.scope.blocks())));
    let session = condition::session(around, tool, &chain);
    if session > 0 {
        cost.part(What::Session, session);
    }
    cost
}

impl Cost {
    fn part(&mut self, what: What, steps: u64) {
        self.parts.push(Part { what, steps });
    }

    fn count(&mut self, scope: &Scope) {
        let states = |var: &Var| match &var.classifier {
            Classifier::Texts(texts) => texts.parts().1.map_or(0, |automaton| automaton.classes().len()),
            _ => 0,
        };
        self.rows = self.rows.saturating_add(scope.rows.into());
        self.variables = self.variables.saturating_add(size(scope.vars.len()));
        self.states = self
            .states
            .saturating_add(size(scope.vars.iter().map(states).sum()));
        scope.lists.iter().for_each(|list| self.count(&list.scope));
    }
}

/// The type of what the rules of a tool look at: its arguments, the context, its slots.
fn request_ty(context: &[ContextField], tool: &ToolProgram) -> Ty {
    let unnamed = |ty| Field {
        name: String::new(),
        ty,
    };
    let context = Field {
        name: "context".to_owned(),
        ty: Ty::Record(context.iter().map(|known| known.field.clone()).collect()),
    };
    let slots = tool.slots.iter().map(|slot| unnamed(slot.ty()));
    Ty::Record(tool.args.iter().cloned().chain([context]).chain(slots).collect())
}

/// The elements of a scope: its rows are filled, then ruled out by its variables and lists, and blocks without a row at both
/// ends are left out.
fn of_scope(scope: &Scope, each: Reach<'_>) -> u64 {
    let variables = scope.vars.iter().map(variable);
    let own = sum([product(2, size(scope.blocks()))].into_iter().chain(variables));
    let lists = scope.lists.iter().map(|list| of_list(list, each));
    sum([product(each.times, own)].into_iter().chain(lists))
}

/// The rows it may rule out are looked at, its value is classified, the rows are ruled out, the blocks at both ends are looked at.
fn variable(var: &Var) -> u64 {
    sum([product(2, size(var.masks.blocks())), 3])
}

/// A list in each of these: the rows its predicates may rule out are looked at; those found are cleared; per element the
/// scope runs and its rows are added; then each predicate looks at its rows one by one and rules rows out.
fn of_list(list: &List, holder: Reach<'_>) -> u64 {
    let blocks = size(list.scope.blocks());
    let predicates = list.predicates.iter().map(|predicate| {
        let rows = u64::from(predicate.end.saturating_sub(predicate.start));
        sum([product(2, size(predicate.masks.blocks())), rows, 2])
    });
    let own = sum([blocks].into_iter().chain(predicates));
    let elements = elements(holder, holder.times, &list.steps).map_or(0, |elements| {
        let scope = of_scope(&list.scope, elements.each());
        sum([product(elements.times, sum([1, blocks])), scope])
    });
    sum([product(holder.times, own), elements])
}

fn size(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A sum that stops at the largest number JSON carries exactly.
fn sum(all: impl IntoIterator<Item = u64>) -> u64 {
    all.into_iter().fold(0, u64::saturating_add).min(limits::STEPS)
}

fn product(a: u64, b: u64) -> u64 {
    a.saturating_mul(b).min(limits::STEPS)
}
