//! The decision core against the naive interpreter, for as long as one likes: random policies, calls, approvals, sessions,
//! scripts and labels, drawn as the tests of `tests/it` draw them (`oracle`, `script_oracle`, `elements`). A difference
//! ends it with the seed that shows it again.
//!
//! `cargo bench --bench differential -- --cases 2000000 --seed 1` compares so many decisions; `--only N` draws the Nth
//! batch of a seed alone.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement reads the clock, prints, and stops at the first surprise"
)]

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

#[expect(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests are part of it, and stop at the first surprise"
)]
#[path = "../tests/it/elements.rs"]
mod elements;
#[path = "../tests/it/oracle.rs"]
mod oracle;
#[expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests are part of it, and stop at the first surprise"
)]
#[path = "../tests/it/script_oracle.rs"]
mod script_oracle;

/// Calls of one policy.
const CALLS: usize = 200;
/// Sessions, and labelled calls, between two policies.
const SESSIONS: usize = 5;
const LABELLED: usize = 50;

/// Draws as the seed and the number of the batch say.
fn runner(seed: u64, batch: u64) -> TestRunner {
    let mut bytes = [0; 32];
    let (low, high) = bytes.split_at_mut(8);
    low.copy_from_slice(&seed.to_le_bytes());
    high.iter_mut()
        .zip(batch.to_le_bytes())
        .for_each(|(to, byte)| *to = byte);
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

/// What was compared: calls of policies, calls in sessions and scripts, calls with labels.
type Counts = [usize; 3];

fn batch(seed: u64, number: u64, judge: &elements::Judge) -> Counts {
    let mut runner = runner(seed, number);
    let calls = oracle::batch(&mut runner, CALLS);
    let sessions = (0..SESSIONS).map(|_| script_oracle::batch(&mut runner)).sum();
    let labelled = (0..LABELLED).map(|_| judge.batch(&mut runner)).sum();
    [calls, sessions, labelled]
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        Some(args.get(at + 1)?.parse::<u64>().expect("a number"))
    };
    let seed = value("--seed").unwrap_or(1);
    let cases = usize::try_from(value("--cases").unwrap_or(10_000)).expect("a size");
    let judge = elements::Judge::new();
    if let Some(only) = value("--only") {
        println!("seed {seed}, batch {only}: {:?}", batch(seed, only, &judge));
        return;
    }
    let start = Instant::now();
    let mut counts: Counts = [0; 3];
    let mut number = 0;
    while counts.iter().sum::<usize>() < cases {
        let found = catch_unwind(AssertUnwindSafe(|| batch(seed, number, &judge)));
        let Ok(found) = found else {
            println!("a difference: seed {seed}, batch {number} (`--seed {seed} --only {number}`)");
            std::process::exit(1);
        };
        counts.iter_mut().zip(found).for_each(|(all, one)| *all += one);
        number += 1;
        if number % 1_000 == 0 {
            println!(
                "{number} policies, {} decisions, no difference",
                counts.iter().sum::<usize>()
            );
        }
    }
    let [calls, sessions, labelled] = counts;
    println!(
        "seed {seed}: {} decisions, no difference, in {} s: {calls} calls of {number} random policies, {sessions} calls in random \
         sessions and scripts of others, {labelled} calls with random labels",
        counts.iter().sum::<usize>(),
        start.elapsed().as_secs()
    );
}
