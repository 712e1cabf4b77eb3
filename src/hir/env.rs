//! What every condition of a package may refer to beside its tool, and what conditions ask the gate to compute. In:
//! declarations. Out: places of slots. Conditions share it while they are typed; it hands out each slot, event and
//! monitor once.

use super::history::{Event, History, Monitor};
use super::labelled;
use super::labels::Labels;
use super::selectors::Catalogue;
use super::{ContextField, Place, Slot, Step, Window};
use crate::diag::Diagnostic;
use crate::source::Span;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The declarations conditions refer to.
pub(super) struct Env<'a> {
    pub context: &'a [ContextField],
    pub labels: &'a Labels,
    pub catalogue: &'a Catalogue<'a>,
    /// Latches by name, with their monitors.
    pub latches: BTreeMap<String, u32>,
    pub windows: &'a [Window],
    asked: RefCell<Asked>,
}

/// What conditions ask the gate to compute.
#[derive(Clone, Debug, Default)]
pub struct Computed {
    /// The slots of each tool, by its index.
    pub slots: BTreeMap<usize, Vec<Slot>>,
    /// Events and monitors.
    pub history: History,
}

/// An event that was typed once, with what was wrong with it.
type Typed = (Option<u32>, Vec<Diagnostic>);

#[derive(Default)]
struct Asked {
    slots: BTreeMap<usize, Vec<Slot>>,
    history: History,
    /// Events by where they are written.
    events: BTreeMap<Span, Typed>,
    /// What bodies under way ask of the elements of their lists.
    labelled: labelled::Asked,
}

impl<'a> Env<'a> {
    pub fn new(
        context: &'a [ContextField],
        labels: &'a Labels,
        windows: &'a [Window],
        catalogue: &'a Catalogue<'a>,
    ) -> Self {
        Self {
            context,
            labels,
            catalogue,
            latches: BTreeMap::new(),
            windows,
            asked: RefCell::default(),
        }
    }

    /// The place of a slot in the requests of a tool; the same slot has one place.
    pub fn slot(&self, tool: usize, slot: Slot) -> Place {
        let args = self.catalogue.tools.get(tool).map_or(0, |t| t.args.len());
        let mut asked = self.asked.borrow_mut();
        let slots = asked.slots.entry(tool).or_default();
        let at = position(slots, slot);
        let field = u32::try_from(args + 1 + at).unwrap_or(u32::MAX);
        Place {
            level: 0,
            steps: vec![Step::Field(field)],
        }
    }

    /// The slot with this number that was asked for on a tool.
    pub fn slot_at(&self, tool: usize, number: usize) -> Option<Slot> {
        self.asked.borrow().slots.get(&tool)?.get(number).cloned()
    }

    /// What bodies under way ask of the elements of their lists.
    pub fn labelled<T>(&self, look: impl FnOnce(&mut labelled::Asked) -> T) -> T {
        look(&mut self.asked.borrow_mut().labelled)
    }

    /// The number of a monitor; the same monitor has one number.
    pub fn monitor(&self, monitor: Monitor) -> u32 {
        number(position(&mut self.asked.borrow_mut().history.monitors, monitor))
    }

    /// The number of the event written at a place: typed by `make` the first time, remembered after that.
    pub fn event(
        &self,
        span: Span,
        out: &mut Vec<Diagnostic>,
        make: impl FnOnce(&mut Vec<Diagnostic>) -> Option<Event>,
    ) -> Option<u32> {
        if let Some((event, found)) = self.asked.borrow().events.get(&span) {
            out.extend(found.iter().cloned());
            return *event;
        }
        let mut found = Vec::new();
        let event = make(&mut found);
        let mut asked = self.asked.borrow_mut();
        let event = event.map(|event| number(position(&mut asked.history.events, event)));
        out.extend(found.iter().cloned());
        asked.events.insert(span, (event, found));
        event
    }

    /// What was asked so far: the slots of each tool, and the events and monitors. What is asked later comes after these.
    pub fn computed(&self) -> Computed {
        let asked = self.asked.borrow();
        Computed {
            slots: asked.slots.clone(),
            history: asked.history.clone(),
        }
    }
}

/// Where an item is in a list; it is added where it is not there yet.
pub(super) fn position<T: PartialEq>(known: &mut Vec<T>, item: T) -> usize {
    known.iter().position(|k| *k == item).unwrap_or_else(|| {
        known.push(item);
        known.len() - 1
    })
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
