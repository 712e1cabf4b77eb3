//! Tells a collector on this machine of decisions. One thread sends; whoever decides never waits for it. What finds no place in the queue, and
//! what the collector does not take, is dropped and counted. In: decisions. Out: requests of `otlp`. A decision is the same with and without it.

use super::otlp::{self, Seen};
use crate::host::HostError;
use crate::http::{self, JSON, Metrics, Target, Told};
use crate::limits;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::time::Instant;

/// Where a collector takes spans and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    spans: Target,
    logs: Target,
}

impl Collector {
    /// The collector of an endpoint, such as `http://127.0.0.1:4318`; why it is none.
    pub fn read(endpoint: &str) -> Result<Collector, &'static str> {
        let base = Target::read(endpoint).map(|_| endpoint.trim_end_matches('/'))?;
        Ok(Collector {
            spans: Target::read(&format!("{base}/v1/traces"))?,
            logs: Target::read(&format!("{base}/v1/logs"))?,
        })
    }
}

/// What a collector is told.
pub struct Telemetry {
    queue: Mutex<Option<SyncSender<Seen>>>,
    sender: Mutex<Option<JoinHandle<()>>>,
    metrics: Arc<Metrics>,
    is_ending: Arc<AtomicBool>,
}

impl Telemetry {
    /// Begins to tell.
    pub fn start(collector: Collector, metrics: Arc<Metrics>) -> Result<Telemetry, HostError> {
        let (queue, from) = sync_channel(limits::OTLP_QUEUE);
        let is_ending = Arc::new(AtomicBool::new(false));
        metrics.exports();
        let sender = Sender {
            collector,
            metrics: Arc::clone(&metrics),
            is_ending: Arc::clone(&is_ending),
        };
        let spawned = thread::Builder::new().name("telemetry".to_owned());
        let spawned = spawned.spawn(move || sender.run(&from));
        let spawned = spawned.map_err(|error| HostError::Io {
            path: PathBuf::from("a thread"),
            reason: error.to_string(),
        })?;
        Ok(Telemetry {
            queue: Mutex::new(Some(queue)),
            sender: Mutex::new(Some(spawned)),
            metrics,
            is_ending,
        })
    }

    /// Tells of a decision, where there is a place in the queue.
    pub fn tell(&self, seen: Seen) {
        let is_sampled = seen.is_sampled;
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_some_and(|queue| queue.try_send(seen).is_ok()) {
            return;
        }
        self.metrics.exported(Told::Span, false, u64::from(is_sampled));
        self.metrics.exported(Told::Log, false, 1);
    }

    /// Tells what waits, as far as the collector takes it, and ends.
    pub fn close(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(queue);
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // One that panicked tells nothing more.
            let _ = sender.join();
        }
    }
}

/// The one who sends.
struct Sender {
    collector: Collector,
    metrics: Arc<Metrics>,
    is_ending: Arc<AtomicBool>,
}

impl Sender {
    fn run(&self, from: &Receiver<Seen>) {
        let mut is_up = true;
        while let Ok(first) = from.recv() {
            let group = gathered(first, from);
            // The end waits for a collector once, and not for each group.
            let gives_up = !is_up && self.is_ending.load(Ordering::Relaxed);
            let (spans, logs) = (&self.collector.spans, &self.collector.logs);
            let sampled = group.iter().filter(|seen| seen.is_sampled).count();
            let sends = |to, body| !gives_up && takes(to, body);
            let told = otlp::spans(&group).is_none_or(|body| sends(spans, body));
            self.metrics.exported(Told::Span, told, sampled as u64);
            is_up = sends(logs, otlp::logs(&group));
            self.metrics.exported(Told::Log, is_up, group.len() as u64);
        }
    }
}

/// What comes together with a decision, for a while.
fn gathered(first: Seen, from: &Receiver<Seen>) -> Vec<Seen> {
    let until = Instant::now() + Duration::from_millis(limits::OTLP_GROUP_MILLIS);
    let mut group = vec![first];
    while group.len() < limits::OTLP_GROUP {
        match from.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(seen) => group.push(seen),
            Err(_) => break,
        }
    }
    group
}

/// Whether a collector takes a request, in time. One that does not is not asked again: it would be told late, and others not at all.
fn takes(to: &Target, body: Vec<u8>) -> bool {
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(JSON))];
    let answered = http::post(to, &kind, body, (limits::OTLP_MILLIS, None), &mut |_| true);
    answered.is_ok_and(|answered| (200..300).contains(&answered.status))
}
