//! The counters of limits: a record per counter, by its name, which is a digest of what is counted and for whom. What is
//! reserved for a call that may still be settled is part of its counter.

use super::{Key, Kind, Records, StoreError};
use crate::domain;
use crate::domain::counter::{Counter, Entry};
use crate::json::Json;

/// The schema of a record.
pub const SCHEMA: &str = "gait.counter/1";

/// The kind.
#[derive(Clone, Copy, Debug)]
pub struct Counters;

impl Kind for Counters {
    type Value = Counter;
    const NAME: &'static str = "counter";

    fn write(name: &str, counter: &Counter) -> Json {
        let entries = counter.entries().iter().map(entry).collect();
        Json::object([
            ("schema", Json::str(SCHEMA)),
            ("counter", Json::str(name)),
            ("entries", Json::Array(entries)),
        ])
    }

    fn read(_: &str, json: &Json) -> Result<Counter, String> {
        let entries = json.get("entries").and_then(Json::as_array).unwrap_or_default();
        let entries: Option<Vec<Entry>> = entries.iter().map(entry_of).collect();
        let counter = entries.and_then(Counter::of).ok_or("its entries are none")?;
        Ok(counter)
    }
}

/// Numbers as text: they need not fit a JSON number.
fn entry(entry: &Entry) -> Json {
    let mut members = vec![
        ("at", Json::str(entry.at.to_string())),
        ("amount", Json::str(entry.amount.to_string())),
    ];
    members.extend(entry.call.as_ref().map(|call| ("call", Json::str(call))));
    Json::object(members)
}

fn entry_of(json: &Json) -> Option<Entry> {
    let text = |member: &str| json.get(member).and_then(Json::as_str);
    Some(Entry {
        at: text("at")?.parse().ok()?,
        amount: text("amount")?.parse().ok()?,
        call: text("call").map(str::to_owned),
    })
}

/// The keys of counters.
pub fn keys<'n>(names: impl IntoIterator<Item = &'n str>) -> impl Iterator<Item = Key> {
    names.into_iter().map(Key::of::<Counters>)
}

/// What records say of counters; one that is not there has counted nothing.
pub fn read<'n>(
    records: &Records,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<domain::Counters, StoreError> {
    let mut counters = domain::Counters::default();
    for name in names {
        if let Some(counter) = records.get::<Counters>(name)? {
            counters.0.insert(name.to_owned(), counter);
        }
    }
    Ok(counters)
}

/// Writes counters into records.
pub fn write(records: &mut Records, counters: &domain::Counters) -> Result<(), StoreError> {
    let mut all = counters.0.iter();
    all.try_for_each(|(name, counter)| records.put::<Counters>(name, counter))
}
