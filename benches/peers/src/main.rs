//! Gait, Cedar, regorus and CEL on the same work in one run: first whether they decide alike, then times, allocations and
//! memory in three modes. Prints Markdown.
//!
//! `cargo run --release` runs everything. `-- --suite synthetic` runs the suites whose name begins so, `--rules 10` one
//! size of it, `--quick` measures less, `--svg FILE` writes the plot.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock, files and arguments, and prints"
)]

mod agree;
mod engine;
mod engines;
mod measure;
mod plot;
mod report;
mod suite;
mod suites;

use agree::{Agreement, Loaded};
use engine::{Answer, Failure};
use measure::{Budget, Mode};
use report::Measured;
use std::time::Duration;
use suite::Suite;

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    suite: String,
    rules: Option<usize>,
    is_quick: bool,
    svg: Option<String>,
}

fn asked() -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--suite" => asked.suite = value()?,
            "--rules" => asked.rules = Some(value()?.parse()?),
            "--svg" => asked.svg = Some(value()?),
            "--quick" => asked.is_quick = true,
            _ => return Err(format!("unknown argument {arg}").into()),
        }
    }
    Ok(asked)
}

impl Asked {
    fn budget(&self) -> Budget {
        Budget {
            time: Duration::from_secs(if self.is_quick { 2 } else { 10 }),
            rounds: if self.is_quick { 20 } else { 100 },
            warmups: 5,
            sample: Duration::from_micros(50),
        }
    }
}

fn main() -> Result<(), Failure> {
    let asked = asked()?;
    let mut measured = Vec::new();
    let mut agreements = Vec::new();
    for suite in suites::all(&asked.suite, asked.rules)? {
        let (figures, agreement) = run(&suite, asked.budget()).map_err(|e| format!("{}: {e}", suite.name))?;
        agreements.push((suite.name.clone(), suite.intents.len(), agreement));
        println!("{}", report::table(&figures));
        measured.push(figures);
    }
    println!("{}", report::agreements(&agreements));
    println!("{}", report::aims(&measured));
    if let Some(path) = &asked.svg {
        std::fs::write(path, plot::svg(&measured)?)?;
    }
    Ok(())
}

fn run(suite: &Suite, budget: Budget) -> Result<(Measured, Vec<Agreement>), Failure> {
    let mut loaded = agree::load(suite)?;
    let (verdicts, agreement) = agree::agreement(suite, &mut loaded)?;
    println!("{}: {}", suite.name, report::spread(&verdicts));
    loaded
        .failed
        .iter()
        .for_each(|(name, error)| println!("  {name} cannot load its policy: {error}"));
    for agreement in &agreement {
        report::differences(suite, &verdicts, agreement)
            .iter()
            .for_each(|line| println!("{line}"));
    }
    println!();
    if !suite.odd.is_empty() {
        let answers = answers(suite, &mut loaded);
        println!("{}", report::odd(&loaded.names, &answers));
    }
    let able = suite
        .contestants
        .iter()
        .filter(|c| loaded.failed.iter().all(|(name, _)| *name != c.name));
    let able: Vec<_> = able.collect();
    let numbers: Vec<usize> = (0..loaded.typed.len()).collect();
    let typed = loaded
        .typed
        .iter()
        .filter_map(|position| suite.intents.get(*position).cloned());
    let intents: Vec<Vec<u8>> = typed.collect();
    let mut figures = Vec::new();
    for mode in [Mode::Warm, Mode::Cold] {
        let of_mode = measure::decisions(&mut loaded.engines, mode, (&numbers, &intents), budget);
        figures.push((mode, of_mode));
    }
    let names = loaded.names.clone();
    drop(loaded);
    let loading = able
        .iter()
        .map(|c| c.name)
        .zip(measure::loading(&able, budget)?)
        .collect();
    let measured = Measured {
        name: suite.name.clone(),
        rules: suite.rules,
        requests: intents.len(),
        engines: names,
        figures,
        loading,
    };
    Ok((measured, agreement))
}

/// What every engine says of the odd requests.
fn answers(suite: &Suite, loaded: &mut Loaded) -> Vec<(&'static str, Vec<Answer>)> {
    let one = |(what, bytes): &(&'static str, Vec<u8>)| {
        let answers = loaded.engines.iter_mut().map(|engine| engine.cold(bytes));
        (*what, answers.collect())
    };
    suite.odd.iter().map(one).collect()
}
