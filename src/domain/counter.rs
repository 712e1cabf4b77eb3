//! Counters of limits: how much was spent, when and for which call. In: charges and the time. Out: what counts now. A
//! value: whoever keeps counters reads them, changes them under a lock and writes them back. Rounding is against the
//! caller: what was settled long ago is kept a little longer than it counts, never shorter.

use crate::limits;
use std::collections::BTreeMap;

/// What a call costs of one limit, when it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The limit's name.
    pub limit: String,
    /// The counter's name: a digest of what is counted and for whom.
    pub counter: String,
    /// What it costs; not negative.
    pub amount: i128,
    /// How long it counts, in milliseconds; for ever where nothing is said.
    pub span: Option<u64>,
}

/// How much was spent of each counter, by its name.
pub type Usage = BTreeMap<String, i128>;

/// A counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// By time.
    entries: Vec<Entry>,
}

/// A charge that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// How much.
    pub amount: i128,
    /// The call, while it may still be settled.
    pub call: Option<String>,
}

/// What becomes of a charge once it is known what became of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It stays; the call cost what was charged, or so much.
    Keep(Option<i128>),
    /// It goes: the call did not run, or nothing came of it.
    TakeBack,
}

impl Counter {
    /// A counter with these entries; `None` where they are not in the order of time, or cost less than nothing.
    pub fn of(entries: Vec<Entry>) -> Option<Counter> {
        let fits = entries.is_sorted_by_key(|e| e.at) && entries.iter().all(|e| e.amount >= 0);
        fits.then_some(Counter { entries })
    }

    /// Its entries, by time.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What counts at a time, in milliseconds since 1970. A charge from after it counts too: a clock may go back.
    pub fn used(&self, span: Option<u64>, now: i64) -> i128 {
        let counting = self.entries.iter().filter(|entry| counts(entry, span, now));
        counting.fold(0, |sum, entry| sum.saturating_add(entry.amount))
    }

    /// Charges a call.
    pub fn reserve(&mut self, call: &str, charge: &Charge, now: i64) {
        self.entries.retain(|entry| counts(entry, charge.span, now));
        let entry = Entry {
            at: now,
            amount: charge.amount.max(0),
            call: Some(call.to_owned()),
        };
        self.entries
            .insert(self.entries.partition_point(|e| e.at <= now), entry);
        let open = self.entries.iter().filter(|e| e.call.is_some()).count();
        let mut extra = open.saturating_sub(limits::OPEN_CHARGES);
        for entry in &mut self.entries {
            if entry.call.is_some() && extra > 0 {
                // Nobody tells any more what became of it, so it counts.
                entry.call = None;
                extra -= 1;
            }
        }
        self.join(charge.span);
    }

    /// Settles the charge of a call; whether there was one.
    pub fn settle(&mut self, call: &str, settlement: Settlement) -> bool {
        let Some(at) = self.entries.iter().position(|e| e.call.as_deref() == Some(call)) else {
            return false;
        };
        match settlement {
            Settlement::TakeBack => {
                self.entries.remove(at);
            }
            Settlement::Keep(amount) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    entry.amount = amount.map_or(entry.amount, |amount| amount.max(0));
                    entry.call = None;
                }
            }
        }
        true
    }

    /// Joins settled charges that are close in time, so that a counter stays small; the last of them says how long they
    /// count.
    fn join(&mut self, span: Option<u64>) {
        let step = span.map(|span| {
            i64::try_from(span / limits::COUNTER_STEPS)
                .unwrap_or(i64::MAX)
                .max(1)
        });
        let bucket = |at: i64| step.map_or(0, |step| at.div_euclid(step));
        let mut joined: Vec<Entry> = Vec::new();
        let mut open: Vec<Entry> = Vec::new();
        for entry in self.entries.drain(..) {
            match joined.last_mut() {
                _ if entry.call.is_some() => open.push(entry),
                Some(last) if bucket(last.at) == bucket(entry.at) => {
                    last.at = entry.at;
                    last.amount = last.amount.saturating_add(entry.amount);
                }
                _ => joined.push(entry),
            }
        }
        joined.extend(open);
        joined.sort_by_key(|entry| entry.at);
        self.entries = joined;
    }
}

fn counts(entry: &Entry, span: Option<u64>, now: i64) -> bool {
    span.is_none_or(|span| i128::from(now) - i128::from(entry.at) < i128::from(span))
}

/// Counters by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(pub BTreeMap<String, Counter>);

impl Counters {
    /// What counts at a time of the counters that charges name.
    pub fn used(&self, charges: &[Charge], now: i64) -> Usage {
        let used = |charge: &Charge| {
            let counter = self.0.get(&charge.counter);
            let used = counter.map_or(0, |counter| counter.used(charge.span, now));
            (charge.counter.clone(), used)
        };
        charges.iter().map(used).collect()
    }

    /// Charges a call.
    pub fn reserve(&mut self, call: &str, charges: &[Charge], now: i64) {
        for charge in charges {
            let counter = self.0.entry(charge.counter.clone()).or_default();
            counter.reserve(call, charge, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Reserve(i128),
        Settle(usize, bool),
    }

    fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
        let step = prop_oneof![
            (0i128..50).prop_map(Step::Reserve),
            (0usize..200, any::<bool>()).prop_map(|(call, ran)| Step::Settle(call, ran)),
        ];
        prop::collection::vec((0i64..4_000, step), 0..200)
    }

    proptest! {
        /// Against the list of everything that happened: never less than what counts, and never more than what would
        /// count if a charge lasted a sixtieth longer.
        #[test]
        fn a_counter_counts_what_the_whole_history_says(steps in steps(), endless in any::<bool>()) {
            let span = (!endless).then_some(60_000u64);
            let mut counter = Counter::default();
            let mut all: Vec<(i64, i128, String, bool)> = Vec::new();
            let mut now = 0;
            for (number, (later, step)) in steps.into_iter().enumerate() {
                now += later;
                match step {
                    Step::Reserve(amount) => {
                        let call = number.to_string();
                        let charge = Charge { limit: "l".into(), counter: "c".into(), amount, span };
                        counter.reserve(&call, &charge, now);
                        all.push((now, amount, call, true));
                    }
                    Step::Settle(call, ran) => {
                        let call = call.to_string();
                        let outcome = if ran { Settlement::Keep(None) } else { Settlement::TakeBack };
                        if counter.settle(&call, outcome) && !ran {
                            all.retain(|(_, _, known, _)| *known != call);
                        }
                    }
                }
                let within = |span: Option<i64>| -> i128 {
                    all.iter().filter(|(at, ..)| span.is_none_or(|s| now - at < s)).map(|(_, n, ..)| n).sum()
                };
                let used = counter.used(span, now);
                prop_assert!(used >= within(span.map(|s| s as i64)));
                prop_assert!(used <= within(span.map(|s| s as i64 + 1_000)));
                let again = Counter::of(counter.entries().to_vec());
                prop_assert_eq!(again.as_ref(), Some(&counter));
            }
        }
    }

    #[test]
    fn a_counter_stays_small_and_an_old_charge_cannot_be_taken_back() {
        let mut counter = Counter::default();
        let charge = Charge {
            limit: "l".into(),
            counter: "c".into(),
            amount: 1,
            span: None,
        };
        for call in 0..limits::OPEN_CHARGES + 500 {
            counter.reserve(&call.to_string(), &charge, 0);
        }
        assert_eq!(counter.entries().len(), limits::OPEN_CHARGES + 1);
        assert_eq!(counter.used(None, 0), limits::OPEN_CHARGES as i128 + 500);
        assert!(!counter.settle("0", Settlement::TakeBack));
        assert!(counter.settle("500", Settlement::TakeBack));
        assert!(!counter.settle("500", Settlement::TakeBack));
        assert!(counter.settle("501", Settlement::Keep(Some(7))));
        assert_eq!(counter.used(None, 0), limits::OPEN_CHARGES as i128 + 505);
    }
}
