//! Labels beside the elements of a list. In: a slot, the bound record, where labels come from. Out: the list of records
//! that rules look at, and what was found of each element.

use super::labels::{self, Sources};
use crate::domain::{LabelFact, LabelOf};
use crate::hir::{Beside, Labelled, answer};
use crate::limits;
use crate::value::Value;

/// What was found of the elements of one list, in order, and of the list as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    elements: Vec<LabelFact>,
    whole: LabelFact,
}

impl Found {
    /// What a decision says: of so many elements only, and then of the list as a whole, too.
    pub fn kept(self) -> impl Iterator<Item = LabelFact> {
        let whole = (self.elements.len() > limits::LABELLED_ELEMENTS).then_some(self.whole);
        let few = self.elements.into_iter().take(limits::LABELLED_ELEMENTS);
        few.chain(whole)
    }

    /// What was found of each element.
    pub fn all(&self) -> impl Iterator<Item = &LabelFact> {
        self.elements.iter()
    }
}

/// The list of a slot in a record.
pub(super) fn list(sources: &Sources<'_>, of: &Labelled, record: &Value) -> (Value, Found) {
    let mut walk = Walk {
        sources,
        at: Vec::new(),
        elements: Vec::new(),
    };
    let list = walk.list(of, record, "args");
    let whole = LabelOf::Argument(of.names.clone());
    let found = sources.of(&whole);
    let found = Found {
        elements: walk.elements,
        whole: labels::fact(whole.to_string(), found, &sources.program.labels),
    };
    (list, found)
}

struct Walk<'s> {
    sources: &'s Sources<'s>,
    /// From the arguments to where the walk is.
    at: Vec<String>,
    elements: Vec<LabelFact>,
}

impl Walk<'_> {
    /// A list in a holder, which is called so.
    fn list(&mut self, of: &Labelled, holder: &Value, name: &str) -> Value {
        let depth = self.at.len();
        self.at.extend(of.names.iter().cloned());
        let name = joined(name, &of.names);
        let items = answer::elements(holder, &of.list).iter().enumerate();
        let records = items.map(|(number, item)| {
            self.at.push(number.to_string());
            let name = format!("{name}[{number}]");
            let beside = of.beside.iter().enumerate().map(|(at, beside)| match beside {
                Beside::Label { path, mask } => {
                    let is_same =
                        |other: &Beside| matches!(other, Beside::Label { path: known, .. } if known == path);
                    let is_known = of.beside.iter().take(at).any(is_same);
                    self.label(path, *mask, (!is_known).then_some(&name))
                }
                Beside::List(inner) => self.list(inner, item, &name),
            });
            let beside: Vec<Value> = beside.collect();
            self.at.pop();
            Value::Record(std::iter::once(item.clone()).chain(beside).collect())
        });
        let records = records.collect();
        self.at.truncate(depth);
        Value::list(records)
    }

    /// Whether something in an element has one of some labels; noted under the element's name, where that is given.
    fn label(&mut self, path: &[String], mask: u64, element: Option<&String>) -> Value {
        let at = [self.at.as_slice(), path].concat();
        let found = self.sources.at(&at);
        self.elements.extend(
            element.map(|element| labels::fact(joined(element, path), found, &self.sources.program.labels)),
        );
        Value::Bool(found.0 & mask != 0)
    }
}

fn joined(name: &str, path: &[String]) -> String {
    let names = path.iter().map(|step| format!(".{step}"));
    std::iter::once(name.to_owned()).chain(names).collect()
}
