//! A simulation as a table and as the document of `schemas/v1/cli/policy_simulate.schema.json`. It counts nothing.

use crate::cli::error::CliError;
use crate::cli::gate::tone;
use crate::cli::ui::{Tone, Ui, one_line, paint, tally};
use crate::domain::{Enforcement, Verdict};
use crate::ir::Program;
use crate::json::Json;
use crate::replay::{Decided, Direction, Simulation};

/// How many calls people are shown, at most.
const SHOWN: usize = 20;

/// All there is to print.
pub(super) struct Told<'t> {
    /// The policies, before and after.
    pub programs: [&'t Program; 2],
    /// What changes.
    pub simulation: &'t Simulation,
    /// Records whose whole intent is not kept.
    pub skipped: u64,
}

impl Told<'_> {
    /// Why that is the next stage: one sentence.
    fn why(&self) -> String {
        let simulation = self.simulation;
        match simulation.stage() {
            Enforcement::Observe => "no call was recorded; find out what agents do first".to_owned(),
            Enforcement::Shadow => format!(
                "{} another verdict; try it beside the bundle that enforces now, until these are what you mean",
                get(simulation.loosened() + simulation.tightened())
            ),
            Enforcement::Enforce => "no recorded call gets another verdict".to_owned(),
        }
    }
}

fn get(calls: u64) -> String {
    let verb = if calls == 1 { "gets" } else { "get" };
    format!("{} {verb}", tally(calls, "call"))
}

/// Prints the table.
pub(super) fn print(ui: &mut Ui, told: &Told<'_>) -> Result<(), CliError> {
    let simulation = told.simulation;
    let [before, after] = told
        .programs
        .map(|program| one_line(format!("{} {}", program.policy, program.version).trim()));
    ui.line(&paint(Tone::Strong, &format!("{before} -> {after}")))?;
    ui.line(&format!(
        "  {} decided: {} loosened, {} tightened, {} for another reason",
        tally(simulation.calls, "call"),
        simulation.loosened(),
        simulation.tightened(),
        simulation.sideways()
    ))?;
    for ((old, new), calls) in &simulation.verdicts {
        let (old_word, new_word) = (format!("{:<16}", old.as_str()), new.as_str());
        ui.line(&format!(
            "  {calls:>7}  {} -> {}",
            paint(tone(*old), &old_word),
            paint(tone(*new), new_word)
        ))?;
    }
    for direction in Direction::ALL {
        let mut meant = simulation.changed.iter();
        let mut of: Vec<_> = meant
            .by_ref()
            .filter(|(old, new)| Direction::of(old, new) == direction)
            .collect();
        if of.is_empty() {
            continue;
        }
        ui.line(&paint(Tone::Strong, direction.as_str()))?;
        let more = of.len().saturating_sub(SHOWN);
        of.truncate(SHOWN);
        for (old, new) in of {
            let row = format!(
                "{}{} call {}: {} {} -> {}",
                old.file
                    .as_ref()
                    .map(|file| format!("{file}, "))
                    .unwrap_or_default(),
                old.id,
                old.call,
                old.tool,
                said(old),
                said(new)
            );
            ui.line(&format!("  {}", one_line(&row)))?;
        }
        if more > 0 {
            ui.line(&format!("  and {more} more; --json lists them"))?;
        }
    }
    if told.skipped > 0 {
        ui.note(&format!(
            "note: left out {} whose whole intent is not kept",
            tally(told.skipped, "trace")
        ));
    }
    ui.line(&format!("next: {} ({})", simulation.stage(), told.why()))
}

fn said(decided: &Decided) -> String {
    format!("{} ({})", decided.verdict, decided.codes.join(", "))
}

/// The `--json` document.
pub(super) fn document(told: &Told<'_>) -> Json {
    let simulation = told.simulation;
    let count = |n: u64| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    let policy = |program: &Program| {
        Json::object([
            ("name", Json::str(&program.policy)),
            ("version", Json::str(&program.version)),
        ])
    };
    let [before, after] = told.programs.map(policy);
    let verdict = |verdict: &Verdict| Json::str(verdict.as_str());
    let verdicts = simulation.verdicts.iter().map(|((old, new), calls)| {
        Json::object([
            ("before", verdict(old)),
            ("after", verdict(new)),
            ("calls", count(*calls)),
        ])
    });
    let decided = |one: &Decided| {
        Json::object([
            ("verdict", verdict(&one.verdict)),
            (
                "reason_codes",
                Json::Array(one.codes.iter().map(Json::str).collect()),
            ),
        ])
    };
    let changed = simulation.changed.iter().map(|(old, new)| {
        Json::object([
            ("file", old.file.as_ref().map_or(Json::Null, Json::str)),
            ("id", Json::str(&old.id)),
            ("call", count(old.call)),
            ("tool", Json::str(&old.tool)),
            ("direction", Json::str(Direction::of(old, new).as_str())),
            ("before", decided(old)),
            ("after", decided(new)),
        ])
    });
    Json::object([
        ("ok", Json::Bool(true)),
        ("baseline", before),
        ("policy", after),
        ("calls", count(simulation.calls)),
        ("skipped", count(told.skipped)),
        ("loosened", count(simulation.loosened())),
        ("tightened", count(simulation.tightened())),
        ("sideways", count(simulation.sideways())),
        ("verdicts", Json::Array(verdicts.collect())),
        ("changed", Json::Array(changed.collect())),
        ("more_changed", count(simulation.more)),
        ("stage", Json::str(simulation.stage().as_str())),
        ("why", Json::str(told.why())),
    ])
}
