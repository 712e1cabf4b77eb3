//! `gait regress run`: recorded calls, judged again by another bundle; what came out differently is a regression.

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::junit::{self, Case, Failure, Suite};
use crate::cli::key_args::{self, TrustArgs};
use crate::cli::ui::{Tone, Ui, count, one_line, paint};
use crate::cli::{failure, load};
use crate::host::Host;
use crate::json::Json;
use crate::limits;
use crate::regress::{CaseResult, Drift, FIXTURE_NAME, Fixture, Outcome, RUNPACK_NAME};
use std::path::PathBuf;

/// Judge the calls of fixtures again and compare verdicts and reason codes
///
/// Exits 0 when every call is decided as recorded, 5 when one is not, 2 when a fixture was changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The fixture folders
    #[arg(required = true, value_name = "FIXTURE")]
    fixtures: Vec<PathBuf>,
    /// The bundle that decides now
    #[arg(long, value_name = "FILE", default_value = load::BUNDLE)]
    bundle: PathBuf,
    /// Write a JUnit report, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// A fixture, judged again.
struct Ran {
    folder: String,
    run_id: String,
    cases: Vec<CaseResult>,
}

/// Reads every fixture before it judges the first.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let boundary = load::boundary(host, &args.bundle, &trusted)?;
    let mut fixtures = Vec::new();
    for folder in &args.fixtures {
        let (pack, _) = load::runpack(host, &folder.join(RUNPACK_NAME), &trusted)?;
        let file = host.read(&folder.join(FIXTURE_NAME), limits::ARCHIVE_BYTES as u64)?;
        let fixture = Fixture::check(&pack, &file).map_err(|error| failure::regress(folder, &error))?;
        fixtures.push((folder, fixture));
    }
    let judge = |(folder, fixture): (&PathBuf, Fixture)| Ran {
        folder: folder.to_string_lossy().into_owned(),
        run_id: fixture.run_id.clone(),
        cases: fixture.run(boundary.gate()),
    };
    let ran: Vec<Ran> = fixtures.into_iter().map(judge).collect();
    if let Some(path) = &args.junit {
        junit::write(host, path, "gait regress", &junit(&ran))?;
    }
    let exit = if drifted(&ran).next().is_none() {
        Exit::Success
    } else {
        Exit::Regression
    };
    if ui.is_json() {
        let bundle = boundary.bundle().to_json();
        ui.json(&document(&ran, bundle, exit))?;
    } else {
        people(ui, &ran)?;
    }
    Ok(exit)
}

fn junit(ran: &[Ran]) -> Vec<Suite> {
    let case = |one: &Ran, result: &CaseResult| Case {
        name: format!("{} {}", result.case.tool, result.case.trace_id),
        class: one.run_id.clone(),
        failure: result.drift.map(|drift| Failure {
            kind: drift.as_str().to_owned(),
            lines: difference(result),
        }),
    };
    let suite = |one: &Ran| Suite {
        name: one.folder.clone(),
        cases: one.cases.iter().map(|result| case(one, result)).collect(),
    };
    ran.iter().map(suite).collect()
}

/// How many calls nobody can compare.
fn undecided(ran: &[Ran]) -> usize {
    ran.iter().flat_map(|r| &r.cases).filter(|c| c.undecided).count()
}

fn drifted(ran: &[Ran]) -> impl Iterator<Item = &CaseResult> {
    ran.iter().flat_map(|r| &r.cases).filter(|c| c.drift.is_some())
}

/// The drift of a call in a few lines without colour: what was expected, what came out, and why.
fn difference(result: &CaseResult) -> Vec<String> {
    let shown = |outcome: &Outcome| {
        let codes = outcome.reason_codes.join(", ");
        let obliges: Vec<String> = outcome.obligations.iter().map(ToString::to_string).collect();
        let obliges = match obliges.as_slice() {
            [] => String::new(),
            all => format!(" oblige {}", one_line(&all.join(", "))),
        };
        format!("{} ({}){obliges}", outcome.verdict, one_line(&codes))
    };
    let mut lines = vec![
        format!("- {}", shown(&result.case.expected)),
        format!("+ {}", shown(&Outcome::of(&result.decision))),
    ];
    let found = Outcome::of(&result.decision);
    let steps = result.case.expected.steps.iter().zip(&found.steps);
    for ((then, now), number) in steps.zip(1..).filter(|((then, now), _)| then != now) {
        lines.push(format!("  step {number}: {}, now {}", shown(then), shown(now)));
    }
    for rule in &result.decision.matched {
        let at = format!(
            "{} {}:{}:{}",
            rule.name, rule.file, rule.start.line, rule.start.column
        );
        lines.push(format!("  by {}", one_line(&at)));
    }
    lines.extend(
        result
            .decision
            .detail
            .iter()
            .map(|d| format!("  {}", one_line(d))),
    );
    lines
}

fn people(ui: &mut Ui, ran: &[Ran]) -> Result<(), CliError> {
    for one in ran {
        for result in &one.cases {
            let Some(drift) = result.drift else { continue };
            let tone = if drift == Drift::Loosened {
                Tone::Bad
            } else {
                Tone::Warn
            };
            ui.line(&format!(
                "{} {} {} in {}",
                paint(tone, drift.as_str()),
                one_line(&result.case.tool),
                result.case.trace_id,
                one_line(&one.folder)
            ))?;
            for line in difference(result) {
                ui.line(&format!("  {line}"))?;
            }
        }
    }
    let total: usize = ran.iter().map(|r| r.cases.len()).sum();
    let changed = drifted(ran).count();
    let unknown = undecided(ran);
    if unknown > 0 {
        ui.line(&format!(
            "{} not compared: a rule looks at a value that was redacted, or something else than the policy stopped it",
            count(unknown, "call")
        ))?;
    }
    let end = if changed == 0 {
        paint(
            Tone::Good,
            &format!("{} decided as recorded", count(total - unknown, "call")),
        )
    } else {
        paint(
            Tone::Bad,
            &format!("{} of {} decided differently", changed, count(total, "call")),
        )
    };
    ui.line(&end)
}

fn document(ran: &[Ran], bundle: Json, exit: Exit) -> Json {
    let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    let of = |drift| number(drifted(ran).filter(|c| c.drift == Some(drift)).count());
    let total: usize = ran.iter().map(|r| r.cases.len()).sum();
    let summary = Json::object([
        ("cases", number(total)),
        ("unchanged", number(total - drifted(ran).count() - undecided(ran))),
        ("undecided", number(undecided(ran))),
        (Drift::Loosened.as_str(), of(Drift::Loosened)),
        (Drift::Tightened.as_str(), of(Drift::Tightened)),
        (Drift::Sideways.as_str(), of(Drift::Sideways)),
    ]);
    let fixture = |one: &Ran| {
        Json::object([
            ("fixture", Json::str(&one.folder)),
            ("run_id", Json::str(&one.run_id)),
            ("cases", Json::Array(one.cases.iter().map(case).collect())),
        ])
    };
    Json::object([
        ("ok", Json::Bool(exit == Exit::Success)),
        ("bundle_digest", bundle),
        ("summary", summary),
        ("fixtures", Json::Array(ran.iter().map(fixture).collect())),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}

fn case(result: &CaseResult) -> Json {
    let drift = result.drift.map_or(Json::Null, |d| Json::str(d.as_str()));
    let rules = result.decision.matched.iter().map(|m| Json::str(m.name.as_str()));
    Json::object([
        ("trace_id", Json::str(&result.case.trace_id)),
        ("tool", Json::str(&result.case.tool)),
        ("drift", drift),
        ("undecided", Json::Bool(result.undecided)),
        ("expected", result.case.expected.to_json()),
        ("found", Outcome::of(&result.decision).to_json()),
        ("matched", Json::Array(rules.collect())),
        (
            "detail",
            result.decision.detail.as_ref().map_or(Json::Null, Json::str),
        ),
    ])
}
