//! Times, allocations and memory. Times are those of the processor spent by this thread, and all sides are measured by turns, a
//! few decisions of each, so that what else the machine does counts little, and for all alike.

use crate::engine::{Contestant, Engine, Failure};
use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is measured of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// From a typed request.
    Warm,
    /// From the bytes of a request.
    Cold,
}

/// How often a decision is repeated in a sample at most.
const MOST: u128 = 10_000;

/// Medians and 99th percentiles in tenths of a nanosecond.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// The median.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
}

impl Times {
    fn of(mut samples: Vec<u64>) -> Times {
        samples.sort_unstable();
        let at = |percent: usize| samples.get(samples.len() * percent / 100).copied();
        Times {
            p50: at(50).unwrap_or_default(),
            p99: at(99).unwrap_or_default(),
        }
    }
}

/// A decision's times and allocations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figure {
    /// Over all requests and rounds.
    pub times: Times,
    /// Of one decision, the mean over the requests, in tenths.
    pub allocations: u64,
}

/// What loading costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loading {
    /// Of loading.
    pub times: Times,
    /// Allocations of loading.
    pub allocations: u64,
    /// Bytes held by what is loaded.
    pub held: u64,
}

/// How long and how finely is measured.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// For one mode of one suite.
    pub time: Duration,
    /// Rounds at most.
    pub rounds: usize,
    /// Runs of each before anything is measured.
    pub warmups: usize,
    /// What one sample lasts at least.
    pub sample: Duration,
}

/// Measures decisions of all engines on the requests of these numbers.
pub fn decisions(
    engines: &mut [Box<dyn Engine>],
    mode: Mode,
    (numbers, intents): (&[usize], &[Vec<u8>]),
    budget: Budget,
) -> Vec<Figure> {
    let once = |engine: &mut Box<dyn Engine>, position: usize| {
        let (Some(number), Some(intent)) = (numbers.get(position), intents.get(position)) else {
            return;
        };
        black_box(match mode {
            Mode::Warm => engine.warm(black_box(*number)),
            Mode::Cold => engine.cold(black_box(intent)),
        });
    };
    let count = numbers.len();
    let mut times: Vec<u32> = Vec::new();
    let mut allocations = Vec::new();
    for engine in engines.iter_mut() {
        let (repeats, allocated) = calibrate(count, budget, |position| once(engine, position));
        times.push(repeats);
        allocations.push(allocated);
    }
    let mut samples: Vec<Vec<u64>> = vec![Vec::new(); engines.len()];
    let begin = Instant::now();
    for _ in 0..budget.rounds {
        for position in 0..count {
            for ((engine, samples), times) in engines.iter_mut().zip(&mut samples).zip(&times) {
                let start = spent();
                (0..*times).for_each(|_| once(engine, position));
                samples.push((spent() - start) * 10 / u64::from(*times));
            }
        }
        if begin.elapsed() > budget.time {
            break;
        }
    }
    let figure = |(samples, allocations)| Figure {
        times: Times::of(samples),
        allocations,
    };
    samples.into_iter().zip(allocations).map(figure).collect()
}

/// How often one decision is repeated in a sample, and its allocations in tenths.
fn calibrate(count: usize, budget: Budget, mut once: impl FnMut(usize)) -> (u32, u64) {
    let start = Instant::now();
    for _ in 0..budget.warmups {
        (0..count).for_each(&mut once);
        if start.elapsed() > budget.time {
            break;
        }
    }
    let start = spent();
    let region = Region::new(ALLOCATOR);
    (0..count).for_each(&mut once);
    let changed = region.change();
    let mean = (spent() - start) / count.max(1) as u64;
    let repeats = budget.sample.as_nanos() / u128::from(mean.max(1));
    let allocations = changed.allocations + changed.reallocations;
    (
        u32::try_from(repeats.clamp(1, MOST)).unwrap_or(1),
        (allocations * 10 / count.max(1)) as u64,
    )
}

/// Measures loading of all contestants.
pub fn loading(contestants: &[&Contestant], budget: Budget) -> Result<Vec<Loading>, Failure> {
    let mut all = Vec::new();
    for contestant in contestants {
        let region = Region::new(ALLOCATOR);
        let loaded = (contestant.load)()?;
        let changed = region.change();
        all.push(Loading {
            times: Times::default(),
            allocations: (changed.allocations + changed.reallocations) as u64,
            held: held(&changed),
        });
        drop(loaded);
    }
    let mut samples: Vec<Vec<u64>> = vec![Vec::new(); contestants.len()];
    let begin = Instant::now();
    for _ in 0..budget.rounds {
        for (contestant, samples) in contestants.iter().zip(&mut samples) {
            let start = spent();
            let loaded = (contestant.load)()?;
            samples.push((spent() - start) * 10);
            drop(black_box(loaded));
        }
        if begin.elapsed() > budget.time {
            break;
        }
    }
    for (figure, samples) in all.iter_mut().zip(samples) {
        figure.times = Times::of(samples);
    }
    Ok(all)
}

fn held(changed: &Stats) -> u64 {
    changed.bytes_allocated.saturating_sub(changed.bytes_deallocated) as u64
}

/// Nanoseconds of the processor that this thread has had.
fn spent() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, rest) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds * 1_000_000_000 + rest
}
