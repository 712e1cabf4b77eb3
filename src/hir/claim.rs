//! What an assertion says by itself: its conditions with what they ask the gate to compute, numbered in the order in which
//! they ask for it. In: an assertion and its package. Out: a claim that is the same whatever else the policy claims, and
//! wherever it is written.

use super::labelled::{each_place, each_place_of_term};
use super::{Assertion, Cond, Event, History, Monitor, Package, PatternStep, Place, Slot, Step};
use std::collections::BTreeMap;

/// An assertion by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Per tool, by name, the calls it is about.
    pub on: Vec<(String, Cond)>,
    /// What the conditions on a tool look at beside its arguments and the context, by the tool's name.
    pub slots: BTreeMap<String, Vec<Slot>>,
    /// What they ask of the session; its calls are of tools by index.
    pub history: History,
}

impl Claim {
    /// What an assertion of a package with its claims says.
    pub fn of(package: &Package, assertion: &Assertion) -> Claim {
        let mut gathering = Gathering {
            package,
            slots: BTreeMap::new(),
            events: Vec::new(),
            monitors: Vec::new(),
        };
        let name = |tool: usize| package.tools.get(tool).map_or("", |tool| tool.name.as_str());
        let mut written: Vec<&(usize, Cond)> = assertion.on.iter().collect();
        written.sort_by_key(|(tool, _)| name(*tool));
        let on = written
            .into_iter()
            .map(|(tool, cond)| (name(*tool).to_owned(), gathering.cond(*tool, cond)))
            .collect();
        let (slots, history) = gathering.all();
        let slots = slots
            .into_iter()
            .map(|(tool, slots)| (name(tool).to_owned(), slots));
        Claim {
            on,
            slots: slots.collect(),
            history,
        }
    }
}

/// What was asked for so far, by its number in the package, in order.
struct Gathering<'p> {
    package: &'p Package,
    slots: BTreeMap<usize, Vec<u32>>,
    events: Vec<u32>,
    monitors: Vec<u32>,
}

impl Gathering<'_> {
    fn cond(&mut self, tool: usize, cond: &Cond) -> Cond {
        let mut cond = cond.unplaced();
        each_place(&mut cond, &mut |place| self.place(tool, place));
        cond
    }

    /// Turns the place of a slot.
    fn place(&mut self, tool: usize, place: &mut Place) {
        let args = self.package.tools.get(tool).map_or(0, |tool| tool.args.len());
        let Some(Step::Field(field)) = place.steps.first_mut().filter(|_| place.level == 0) else {
            return;
        };
        let context = u32::try_from(args).unwrap_or(u32::MAX);
        if let Some(slot) = field.checked_sub(context.saturating_add(1)) {
            let known = self.slots.entry(tool).or_default();
            *field = context.saturating_add(1).saturating_add(number(known, slot));
        }
    }

    /// Everything that was asked for, and what that asks for, until there is nothing new: it is finite.
    fn all(mut self) -> (BTreeMap<usize, Vec<Slot>>, History) {
        let mut slots: BTreeMap<usize, Vec<Slot>> = BTreeMap::new();
        let mut history = History::default();
        loop {
            let open = self.slots.iter().find_map(|(tool, known)| {
                let done = slots.get(tool).map_or(0, Vec::len);
                known.get(done).map(|slot| (*tool, *slot))
            });
            if let Some((tool, slot)) = open {
                let slot = self.slot(tool, slot);
                slots.entry(tool).or_default().push(slot);
            } else if let Some(monitor) = self.monitors.get(history.monitors.len()) {
                let monitor = self.monitor(*monitor);
                history.monitors.push(monitor);
            } else if let Some(event) = self.events.get(history.events.len()) {
                let event = self.event(*event);
                history.events.push(event);
            } else {
                return (slots, history);
            }
        }
    }

    fn slot(&mut self, tool: usize, slot: u32) -> Slot {
        let declared = self.package.tools.get(tool);
        let slot = declared.and_then(|tool| tool.slots.get(slot as usize)).cloned();
        // Places of slots lead to slots; one that did not would be the time's, and the claim another one.
        match slot.unwrap_or(Slot::Now) {
            Slot::Holds(cond) => Slot::Holds(self.cond(tool, &cond)),
            Slot::History(monitor) => Slot::History(number(&mut self.monitors, monitor)),
            Slot::Tally(monitor) => Slot::Tally(number(&mut self.monitors, monitor)),
            Slot::Used { limit, mut by, ty } => {
                by.iter_mut().for_each(|place| self.place(tool, place));
                Slot::Used { limit, by, ty }
            }
            Slot::Lookup { mut map, key, ty } => {
                self.place(tool, &mut map);
                let mut key = key.unplaced();
                each_place_of_term(&mut key, &mut |place| self.place(tool, place));
                Slot::Lookup { map, key, ty }
            }
            same @ (Slot::Label { .. } | Slot::Each(_) | Slot::Window(_) | Slot::Now) => same,
        }
    }

    fn monitor(&mut self, monitor: u32) -> Monitor {
        let known = self.package.history.monitors.get(monitor as usize).cloned();
        let events = &mut self.events;
        match known.unwrap_or(Monitor::Pattern(Vec::new())) {
            Monitor::Flag {
                set,
                clear,
                clear_wins,
            } => Monitor::Flag {
                set: number(events, set),
                clear: clear.map(|clear| number(events, clear)),
                clear_wins,
            },
            Monitor::Pattern(steps) => {
                let steps = steps.into_iter().map(|step| match step {
                    PatternStep::Event(event) => PatternStep::Event(number(events, event)),
                    other => other,
                });
                Monitor::Pattern(steps.collect())
            }
            Monitor::Count { event, cap } => Monitor::Count {
                event: number(events, event),
                cap,
            },
            Monitor::Recent { event, cap, within } => Monitor::Recent {
                event: number(events, event),
                cap,
                within,
            },
        }
    }

    fn event(&mut self, event: u32) -> Event {
        let known = self.package.history.events.get(event as usize);
        let Some(event) = known.cloned() else {
            return Event {
                calls: Vec::new(),
                labels: 0,
                ok: None,
                turn: false,
            };
        };
        let calls = event.calls.iter();
        Event {
            calls: calls
                .map(|(tool, cond)| (*tool, self.cond(*tool, cond)))
                .collect(),
            ..event
        }
    }
}

/// The number of an item among those known; it is added where it is new.
fn number(known: &mut Vec<u32>, item: u32) -> u32 {
    let at = super::env::position(known, item);
    u32::try_from(at).unwrap_or(u32::MAX)
}
