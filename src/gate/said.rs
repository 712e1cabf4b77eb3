//! What an adapter says of a call's arguments, held against the arguments that are there. In: its entries, the arguments,
//! their types. Out: entries by the value they are about. What is said of something else than it finds counts as missing,
//! so that a wrong entry can only make labels more.

use crate::artifact::digest;
use crate::domain::ArgumentOrigin;
use crate::json::Json;
use crate::ty::{Field, Ty};
use std::collections::BTreeMap;

/// Entries by the path of the value they are about.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    entries: BTreeMap<Vec<String>, Entry>,
}

/// What is said of one value, by one entry or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The labels of all that is said.
    pub labels: u64,
    /// Somebody says where the value comes from.
    pub known: bool,
    /// An entry is about something else than what is there.
    pub wrong: bool,
}

impl Entry {
    fn join(&mut self, other: Entry) {
        self.labels |= other.labels;
        self.known |= other.known;
        self.wrong |= other.wrong;
    }
}

impl Said {
    /// Holds entries against the arguments. `source` gives an entry's labels, `missing` are those of what nobody vouches
    /// for.
    pub fn new(
        origins: &[ArgumentOrigin],
        (args, declared): (&Json, &[Field]),
        source: impl Fn(&ArgumentOrigin) -> u64,
        missing: u64,
    ) -> Said {
        let mut said = Said::default();
        for origin in origins {
            let (steps, entry) = match reach(args, declared, &origin.path) {
                Reached::Nothing => continue,
                Reached::Value(value) => {
                    let is_other = origin.digest.as_ref().is_some_and(|d| !is_digest(d, value));
                    let labels = if is_other { missing } else { source(origin) };
                    let entry = Entry {
                        labels,
                        known: !is_other,
                        wrong: is_other,
                    };
                    (origin.path.len(), entry)
                }
                Reached::Until(steps) => {
                    let labels = source(origin) | missing;
                    let entry = Entry {
                        labels,
                        known: false,
                        wrong: true,
                    };
                    (steps, entry)
                }
            };
            let path = origin.path.get(..steps).unwrap_or_default().to_vec();
            said.entries.entry(path).or_default().join(entry);
        }
        said
    }

    /// What is said of a value and of everything it lies in; nothing where nobody says anything.
    pub fn of(&self, at: &[String]) -> Option<Entry> {
        let around = (0..=at.len()).filter_map(|steps| self.entries.get(at.get(..steps)?));
        around.copied().reduce(|mut all, one| {
            all.join(one);
            all
        })
    }
}

fn is_digest(written: &str, value: &Json) -> bool {
    let found = digest::of_json(value).to_string();
    found.strip_prefix("sha256:") == Some(written)
}

/// Where a path leads.
enum Reached<'j> {
    /// To a value.
    Value(&'j Json),
    /// To an argument or field that may be missing and is: what is not there comes from nowhere.
    Nothing,
    /// To no value; so many steps lead to one that is there.
    Until(usize),
}

fn reach<'j>(args: &'j Json, declared: &[Field], path: &[String]) -> Reached<'j> {
    let mut value = args;
    let mut fields = Some(declared);
    let mut ty: Option<&Ty> = None;
    for (steps, step) in path.iter().enumerate() {
        let next = match value {
            Json::Object(members) => {
                let field = fields.and_then(|fields| fields.iter().find(|f| f.name == *step));
                ty = field.map(|field| &field.ty);
                let found = members.iter().find(|(name, _)| name == step);
                match found {
                    None if ty.is_some_and(Ty::is_optional) => return Reached::Nothing,
                    found => found.map(|(_, member)| member),
                }
            }
            Json::Array(items) => {
                ty = match ty.map(Ty::required) {
                    Some(Ty::List { element, .. } | Ty::Set { element, .. }) => Some(element),
                    _ => None,
                };
                index(step).and_then(|index| items.get(index))
            }
            _ => None,
        };
        let Some(next) = next else {
            return Reached::Until(steps);
        };
        value = next;
        fields = match ty.map(Ty::required) {
            Some(Ty::Record(fields)) => Some(fields),
            _ => None,
        };
    }
    Reached::Value(value)
}

/// The number a step names, written in the one way there is.
fn index(step: &str) -> Option<usize> {
    let number: usize = step.parse().ok()?;
    (number.to_string() == step).then_some(number)
}

/// The value a path leads to.
pub(super) fn value<'j>(args: &'j Json, path: &[String]) -> Option<&'j Json> {
    match reach(args, &[], path) {
        Reached::Value(value) => Some(value),
        Reached::Nothing | Reached::Until(_) => None,
    }
}
