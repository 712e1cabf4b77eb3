//! What is counted while a service runs, as Prometheus reads it (text format 0.0.4). In: what happened. Out: text. It holds no
//! value of any request: labels are verdicts, codes and digests.

use crate::artifact::{Digest, PolicyRef};
use crate::domain::Verdict;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds.
const BOUNDS: [u64; 12] = [
    250, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
];

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    verdicts: [AtomicU64; Verdict::ALL.len()],
    buckets: [AtomicU64; BOUNDS.len()],
    decisions: AtomicU64,
    micros: AtomicU64,
    in_flight: AtomicU64,
    reloads: AtomicU64,
    reloads_refused: AtomicU64,
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InFlight<'m>(&'m Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn more(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Counts a request until what is returned is dropped.
    pub fn begin(&self) -> InFlight<'_> {
        more(&self.in_flight);
        InFlight(self)
    }

    /// Counts a verdict, and how long it took.
    pub fn decided(&self, verdict: Verdict, took: Duration) {
        let place = Verdict::ALL.iter().position(|one| *one == verdict);
        if let Some(counter) = place.and_then(|place| self.verdicts.get(place)) {
            more(counter);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound);
        if let Some(counter) = bucket.and_then(|bucket| self.buckets.get(bucket)) {
            more(counter);
        }
        more(&self.decisions);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts a request that was refused.
    pub fn refused(&self, code: &'static str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(code).or_default() += 1;
    }

    /// Counts a reload: whether another bundle decides now.
    pub fn reloaded(&self, done: bool) {
        more(if done {
            &self.reloads
        } else {
            &self.reloads_refused
        });
    }

    /// All of it.
    pub fn text(&self, bundle: Digest, policy: &PolicyRef) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut out = String::new();
        head(
            &mut out,
            "gait_decisions_total",
            "counter",
            "Calls that were judged, by verdict.",
        );
        for (verdict, counter) in Verdict::ALL.iter().zip(&self.verdicts) {
            line(
                &mut out,
                &format!("gait_decisions_total{{verdict=\"{verdict}\"}}"),
                read(counter),
            );
        }
        head(
            &mut out,
            "gait_errors_total",
            "counter",
            "Requests that got no verdict, by code.",
        );
        for (code, count) in &*self.errors.lock().unwrap_or_else(PoisonError::into_inner) {
            line(&mut out, &format!("gait_errors_total{{code=\"{code}\"}}"), *count);
        }
        self.histogram(&mut out);
        for (name, kind, help, value) in [
            (
                "gait_requests_in_flight",
                "gauge",
                "Requests that are being answered.",
                &self.in_flight,
            ),
            (
                "gait_reloads_total",
                "counter",
                "Bundles that were loaded since the start.",
                &self.reloads,
            ),
            (
                "gait_reloads_refused_total",
                "counter",
                "Bundles that were refused since the start.",
                &self.reloads_refused,
            ),
        ] {
            head(&mut out, name, kind, help);
            line(&mut out, name, read(value));
        }
        head(&mut out, "gait_bundle_info", "gauge", "The bundle that decides.");
        let (name, version) = (escaped(&policy.name), escaped(&policy.version));
        let labels = format!("digest=\"{bundle}\",policy=\"{name}\",version=\"{version}\"");
        line(&mut out, &format!("gait_bundle_info{{{labels}}}"), 1);
        out
    }

    fn histogram(&self, out: &mut String) {
        let name = "gait_decision_seconds";
        head(
            out,
            name,
            "histogram",
            "From a whole request to its durable trace.",
        );
        let mut sum = 0;
        for (bound, counter) in BOUNDS.iter().zip(&self.buckets) {
            sum += counter.load(Ordering::Relaxed);
            line(out, &format!("{name}_bucket{{le=\"{}\"}}", seconds(*bound)), sum);
        }
        let all = self.decisions.load(Ordering::Relaxed).max(sum);
        line(out, &format!("{name}_bucket{{le=\"+Inf\"}}"), all);
        let micros = self.micros.load(Ordering::Relaxed);
        // Writing to a text does not fail.
        let _ = writeln!(out, "{name}_sum {}", seconds(micros));
        line(out, &format!("{name}_count"), all);
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, value: u64) {
    let _ = writeln!(out, "{name} {value}");
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
