//! What is counted while a service runs, as Prometheus reads it (text format 0.0.4). In: what happened. Out: text. It holds no
//! value of any request: labels are verdicts, codes and digests.

use crate::artifact::{Digest, PolicyRef, TraceRecord};
use crate::domain::{Enforcement, Outcome, Verdict};
use crate::json::Json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds.
const BOUNDS: [u64; 12] = [
    250, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
];

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By enforcement, then by verdict.
    verdicts: [[AtomicU64; Verdict::ALL.len()]; Enforcement::ALL.len()],
    approved: AtomicU64,
    denied: AtomicU64,
    /// Approvals, then denials.
    answers: [AtomicU64; ANSWERS.len()],
    redeemed: AtomicU64,
    settled: [AtomicU64; Outcome::ALL.len()],
    has_collector: AtomicBool,
    /// By signal, then what was sent and what was dropped.
    exported: [[AtomicU64; 2]; SIGNALS.len()],
    buckets: [AtomicU64; BOUNDS.len()],
    decisions: AtomicU64,
    micros: AtomicU64,
    in_flight: AtomicU64,
    reloads: AtomicU64,
    reloads_refused: AtomicU64,
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

/// What people answer.
const ANSWERS: [&str; 2] = ["approve", "deny"];

/// What a collector is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A part of a distributed trace.
    Span,
    /// A record of a log.
    Log,
}

const SIGNALS: [(Told, &str); 2] = [(Told::Span, "span"), (Told::Log, "log")];

/// What is known of whoever answers beside what was counted.
#[derive(Debug)]
pub struct About<'a> {
    /// The bundle that decides.
    pub bundle: Digest,
    /// The policy in it.
    pub policy: &'a PolicyRef,
    /// How many calls wait for people; none where nobody may answer them.
    pub waiting: Option<usize>,
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

/// The counter of one of all.
fn of<'c, T: PartialEq, C>(all: &[T], one: &T, counters: &'c [C]) -> Option<&'c C> {
    counters.get(all.iter().position(|other| other == one)?)
}

impl Metrics {
    /// Counts a request until what is returned is dropped.
    pub fn begin(&self) -> InFlight<'_> {
        more(&self.in_flight);
        InFlight(self)
    }

    /// Counts a decision, and how long it took.
    pub fn decided(&self, record: &TraceRecord, took: Duration) {
        let level = of(&Enforcement::ALL, &record.enforcement, &self.verdicts);
        let counter = level.and_then(|level| of(&Verdict::ALL, &record.decision.verdict, level));
        let approved = (!record.approved_with.is_empty()).then_some(&self.approved);
        let denied = (!record.denied_with.is_empty()).then_some(&self.denied);
        [counter, approved, denied].into_iter().flatten().for_each(more);
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

    /// Counts what a person answered to a call that waits, as whoever sent it is told.
    pub fn answered(&self, told: &Json) {
        let denies = told.get("denied").is_some_and(|reason| *reason != Json::Null);
        let answer = if denies { "deny" } else { "approve" };
        of(&ANSWERS, &answer, &self.answers).into_iter().for_each(more);
    }

    /// Counts a permit that was redeemed: a call, or a step of a script, runs.
    pub fn redeemed(&self) {
        more(&self.redeemed);
    }

    /// Counts what became of a call.
    pub fn settled(&self, outcome: Outcome) {
        of(&Outcome::ALL, &outcome, &self.settled)
            .into_iter()
            .for_each(more);
    }

    /// From now on a collector is told of decisions.
    pub fn exports(&self) {
        self.has_collector.store(true, Ordering::Relaxed);
    }

    /// Counts what a collector was told, or was not.
    pub fn exported(&self, signal: Told, sent: bool, many: u64) {
        let place = SIGNALS.iter().position(|(one, _)| *one == signal);
        if let Some([was_sent, dropped]) = place.and_then(|place| self.exported.get(place)) {
            let counter = if sent { was_sent } else { dropped };
            counter.fetch_add(many, Ordering::Relaxed);
        }
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
    pub fn text(&self, about: &About<'_>) -> String {
        let mut out = String::new();
        self.decisions(&mut out);
        self.people(&mut out, about.waiting);
        self.permits(&mut out);
        self.telemetry(&mut out);
        head(
            &mut out,
            "gait_errors_total",
            "counter",
            "Requests that got no verdict, and old traces that are not removed, by code.",
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
        let (name, version) = (escaped(&about.policy.name), escaped(&about.policy.version));
        let bundle = about.bundle;
        let labels = format!("digest=\"{bundle}\",policy=\"{name}\",version=\"{version}\"");
        line(&mut out, &format!("gait_bundle_info{{{labels}}}"), 1);
        out
    }

    fn decisions(&self, out: &mut String) {
        let name = "gait_decisions_total";
        let help = "Calls that were judged, by verdict and by whether that binds.";
        head(out, name, "counter", help);
        for (level, counters) in Enforcement::ALL.iter().zip(&self.verdicts) {
            for (verdict, counter) in Verdict::ALL.iter().zip(counters) {
                let labels = format!("{{verdict=\"{verdict}\",enforcement=\"{level}\"}}");
                line(out, &format!("{name}{labels}"), read(counter));
            }
        }
    }

    fn people(&self, out: &mut String, waiting: Option<usize>) {
        if let Some(waiting) = waiting {
            let name = "gait_calls_waiting";
            head(out, name, "gauge", "Calls that wait for people.");
            line(out, name, waiting as u64);
        }
        let name = "gait_answers_total";
        head(out, name, "counter", "Answers of people that were taken.");
        for (answer, counter) in ANSWERS.iter().zip(&self.answers) {
            line(out, &format!("{name}{{answer=\"{answer}\"}}"), read(counter));
        }
        for (name, help, counter) in [
            (
                "gait_calls_approved_total",
                "Calls that approvals let run.",
                &self.approved,
            ),
            (
                "gait_calls_denied_total",
                "Calls that a denial stopped.",
                &self.denied,
            ),
        ] {
            head(out, name, "counter", help);
            line(out, name, read(counter));
        }
    }

    fn permits(&self, out: &mut String) {
        let name = "gait_permits_redeemed_total";
        head(
            out,
            name,
            "counter",
            "Calls, and steps of scripts, that were begun.",
        );
        line(out, name, read(&self.redeemed));
        let name = "gait_calls_settled_total";
        head(
            out,
            name,
            "counter",
            "Calls of which it was said what became of them.",
        );
        for (outcome, counter) in Outcome::ALL.iter().zip(&self.settled) {
            let outcome = outcome.as_str();
            line(out, &format!("{name}{{outcome=\"{outcome}\"}}"), read(counter));
        }
    }

    fn telemetry(&self, out: &mut String) {
        if !self.has_collector.load(Ordering::Relaxed) {
            return;
        }
        for (at, name, help) in [
            (0, "gait_otlp_sent_total", "What a collector has taken."),
            (1, "gait_otlp_dropped_total", "What no collector has taken."),
        ] {
            head(out, name, "counter", help);
            for ((_, signal), counters) in SIGNALS.iter().zip(&self.exported) {
                let value = counters.get(at).map(read).unwrap_or_default();
                line(out, &format!("{name}{{signal=\"{signal}\"}}"), value);
            }
        }
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
            sum += read(counter);
            line(out, &format!("{name}_bucket{{le=\"{}\"}}", seconds(*bound)), sum);
        }
        let all = read(&self.decisions).max(sum);
        line(out, &format!("{name}_bucket{{le=\"+Inf\"}}"), all);
        let micros = read(&self.micros);
        // Writing to a text does not fail.
        let _ = writeln!(out, "{name}_sum {}", seconds(micros));
        line(out, &format!("{name}_count"), all);
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
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
