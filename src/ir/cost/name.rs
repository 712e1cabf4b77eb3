//! What a part of a decision is called: places as conditions write them, and words for what is computed. In: a tool and a
//! part. Out: text for people, names of the policy's author in it.

use super::condition::places;
use super::{Around, What};
use crate::domain::LabelOf;
use crate::hir::{Slot, Step, place};
use crate::ir::ToolProgram;
use crate::ty::{Field, Ty};

/// The name of a part, such as `args.to.domain`.
pub fn name(around: Around<'_>, tool: &ToolProgram, what: &What) -> String {
    Naming {
        around,
        tool,
        quote: "",
    }
    .part(what)
}

/// The same within a sentence: places in backticks.
pub(super) fn phrase(around: Around<'_>, tool: &ToolProgram, what: &What) -> String {
    Naming {
        around,
        tool,
        quote: "`",
    }
    .part(what)
}

struct Naming<'p> {
    around: Around<'p>,
    tool: &'p ToolProgram,
    /// What stands around a place.
    quote: &'static str,
}

impl Naming<'_> {
    fn part(&self, what: &What) -> String {
        match what {
            What::Slot(number) => self.slot(*number),
            What::Value(steps) | What::List(steps, _) => self.at(steps),
            What::Verdict => "the verdict".to_owned(),
            What::Session => "the session after the call".to_owned(),
        }
    }

    /// What lies some steps away from the request.
    fn at(&self, steps: &[Step]) -> String {
        let Some((Step::Field(first), rest)) = steps.split_first() else {
            return "conditions asked apart".to_owned();
        };
        let quoted = |place: String| format!("{0}{place}{0}", self.quote);
        match (*first as usize).checked_sub(self.tool.args.len()) {
            None => quoted(place::written("args", &Ty::Record(self.tool.args.clone()), steps)),
            Some(0) => {
                let known = self.around.context.iter().map(|known| known.field.clone());
                let fields: Vec<Field> = known.collect();
                quoted(place::written("context", &Ty::Record(fields), rest))
            }
            Some(number) => match self.tool.slots.get(number - 1) {
                Some(Slot::Holds(_) | Slot::Lookup { .. }) => {
                    format!("the result of {}", self.slot(number - 1))
                }
                _ => self.slot(number - 1),
            },
        }
    }

    fn slot(&self, number: usize) -> String {
        let Some(slot) = self.tool.slots.get(number) else {
            return format!("#{number}");
        };
        match slot {
            Slot::Holds(_) => format!("a comparison of {}", self.places(slot, number)),
            Slot::Lookup { .. } => format!("a look-up with {}", self.places(slot, number)),
            Slot::Label { of, .. } => format!("{0}labels({of}){0}", self.quote),
            Slot::Each(of) => format!(
                "labels of the elements of {1}{0}{1}",
                LabelOf::Argument(of.names.clone()),
                self.quote
            ),
            Slot::History(_) | Slot::Tally(_) => "what happened before".to_owned(),
            Slot::Window(_) => "a window of time".to_owned(),
            Slot::Now => "now".to_owned(),
            Slot::Used { .. } => "what is spent of a limit".to_owned(),
        }
    }

    /// The places that a slot looks at. It is computed of what stands before it, so this ends for a program that says
    /// otherwise, too.
    fn places(&self, slot: &Slot, number: usize) -> String {
        let is_before = |steps: &&Vec<Step>| match steps.first() {
            Some(Step::Field(first)) => (*first as usize) < self.tool.args.len() + 1 + number,
            _ => true,
        };
        let all = places(slot);
        let names: Vec<String> = all.iter().filter(is_before).map(|steps| self.at(steps)).collect();
        names.join(", ")
    }
}
