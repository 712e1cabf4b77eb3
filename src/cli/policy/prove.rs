//! `gait policy prove`: what became of each assertion of a policy.

use super::source::REPOSITORY;
use super::source::{self, PolicyFile, count};
use crate::analysis::{Outcome, document};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::render::{self, Findings};
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::compile::{Purpose, Report};
use crate::host::Host;
use crate::json::Json;
use crate::prove::Proof;
use std::path::PathBuf;

/// Prove what policies claim of themselves, or show a call that refutes it
///
/// Each `assert` of a policy is about every call and every session. Exits 0 when all are proved, and 6 when one is
/// refuted, was not decided, or the policy has other errors. `check` and `compile` prove them, too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A policy and what was found.
struct Proved {
    file: PolicyFile,
    report: Report,
    proofs: Vec<Proof>,
}

/// Proves every assertion.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut all = Vec::new();
    for file in source::read_all(host, &args.files)? {
        let (report, proofs) = file.prove(host, &file.name, Purpose::Author);
        all.push(Proved { file, report, proofs });
    }
    let ok = all.iter().all(|one| one.report.errors() == 0);
    let exit = if ok { Exit::Success } else { Exit::InvalidInput };
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(ok)),
            ("files", Json::Array(all.iter().map(of_file).collect())),
            ("exit_code", Json::int(i64::from(exit.code()))),
        ]))?;
        return Ok(exit);
    }
    for one in &all {
        people(ui, one)?;
    }
    Ok(exit)
}

/// The word for what became of an assertion.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "proved",
        Outcome::Fails(_) | Outcome::Declared(_) => "refuted",
        Outcome::Open(_) | Outcome::TooLarge(_) => "undecided",
    }
}

fn people(ui: &mut Ui, one: &Proved) -> Result<(), CliError> {
    source::tell(ui, findings(one));
    let name = one_line(&one.file.name);
    if one.proofs.is_empty() {
        let all = match one.report.errors() {
            0 => "no claims".to_owned(),
            errors => paint(Tone::Bad, &count(errors, "error")),
        };
        ui.line(&format!("{name}: {all}"))?;
        return Ok(());
    }
    for proof in &one.proofs {
        let tone = match proof.outcome {
            Outcome::Holds => Tone::Good,
            _ => Tone::Bad,
        };
        let word = paint(tone, &format!("{:<9}", word(&proof.outcome)));
        ui.line(&format!("{word} {}", one_line(&proof.name)))?;
    }
    let of = |wanted: &str| {
        one.proofs
            .iter()
            .filter(|proof| word(&proof.outcome) == wanted)
            .count()
    };
    let others = ["refuted", "undecided"].map(|wanted| (of(wanted), wanted));
    let others: Vec<String> = others
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!(", {n} {what}"))
        .collect();
    let all = count(one.proofs.len(), "claim");
    ui.line(&format!(
        "{name}: {} of {all} proved{}",
        of("proved"),
        others.concat()
    ))?;
    Ok(())
}

fn findings(one: &Proved) -> Findings<'_> {
    Findings {
        diagnostics: &one.report.diagnostics,
        sources: &one.report.sources,
    }
}

fn of_file(one: &Proved) -> Json {
    Json::object([
        ("file", Json::str(&one.file.name)),
        ("ok", Json::Bool(one.report.errors() == 0)),
        (
            "assertions",
            Json::Array(one.proofs.iter().map(of_proof).collect()),
        ),
        ("diagnostics", render::json::diagnostics(findings(one))),
    ])
}

fn of_proof(proof: &Proof) -> Json {
    let mut members = vec![
        ("name", Json::str(&proof.name)),
        ("outcome", Json::str(word(&proof.outcome))),
    ];
    if let Outcome::Fails(call) = &proof.outcome {
        members.push(("call", document(call)));
    }
    if let Some((verdict, rules)) = &proof.broken {
        members.push(("verdict", Json::str(verdict.as_str())));
        members.push(("rules", Json::Array(rules.iter().map(Json::str).collect())));
    }
    Json::object(members)
}
