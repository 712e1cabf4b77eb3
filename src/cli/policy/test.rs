//! `gait policy test`: the `test` blocks of policies, decided by the production gate.

use super::source::{self, PolicyFile, count};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::render::{self, Findings};
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::compile::{self, Report};
use crate::host::Host;
use crate::json::Json;
use crate::suite::{self, CaseResult};
use std::path::PathBuf;

/// Run the tests that policies contain
///
/// Exits 0 when every case is decided as expected, 5 when one is not, 6 when a policy has errors.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A file and its cases; none when the policy has errors.
struct Tested {
    file: PolicyFile,
    report: Report,
    cases: Vec<CaseResult>,
}

/// Runs every test of every file.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut tested = Vec::new();
    for file in source::read_all(host, &args.files)? {
        let report = compile::check(&file.name, &file.text);
        let cases = report.checked.as_ref().map(suite::run).unwrap_or_default();
        tested.push(Tested { file, report, cases });
    }
    let exit = if tested.iter().any(|t| t.report.checked.is_none()) {
        Exit::InvalidInput
    } else if tested.iter().flat_map(|t| &t.cases).all(CaseResult::passed) {
        Exit::Success
    } else {
        Exit::Regression
    };
    if ui.is_json() {
        ui.json(&document(&tested, exit))?;
    } else {
        for one in &tested {
            people(ui, one)?;
        }
    }
    Ok(exit)
}

fn findings(tested: &Tested) -> Findings<'_> {
    Findings {
        diagnostics: &tested.report.diagnostics,
        sources: &tested.report.sources,
    }
}

fn people(ui: &mut Ui, tested: &Tested) -> Result<(), CliError> {
    let name = one_line(&tested.file.name);
    if tested.report.checked.is_none() {
        source::tell(ui, findings(tested));
        let errors = paint(Tone::Bad, &count(tested.report.errors(), "error"));
        return ui.line(&format!("{name}: {errors}, no test was run"));
    }
    for case in tested.cases.iter().filter(|c| !c.passed()) {
        let head = paint(Tone::Bad, "failed");
        ui.line(&format!(
            "{name}:{}:{}: {head} {}: call {}",
            case.at.line,
            case.at.column,
            one_line(&case.test),
            one_line(&case.tool),
        ))?;
        for failure in &case.failures {
            ui.line(&format!("  {}", one_line(failure)))?;
        }
        ui.line(&format!("  {}", matched(case)))?;
    }
    let failed = tested.cases.iter().filter(|c| !c.passed()).count();
    let passed = tested.cases.len() - failed;
    let end = match (passed, failed) {
        (0, 0) => paint(Tone::Warn, "no tests"),
        (_, 0) => paint(Tone::Good, &format!("{} passed", count(passed, "case"))),
        _ => paint(
            Tone::Bad,
            &format!("{} failed, {passed} passed", count(failed, "case")),
        ),
    };
    ui.line(&format!("{name}: {end}"))
}

/// Which rules matched, with their places.
fn matched(case: &CaseResult) -> String {
    if case.decision.matched.is_empty() {
        return "no rule matched".to_owned();
    }
    let rule = |m: &crate::domain::MatchedRule| {
        format!("{} ({}, line {})", one_line(&m.name), m.verdict, m.start.line)
    };
    let rules: Vec<String> = case.decision.matched.iter().map(rule).collect();
    format!("matched: {}", rules.join(", "))
}

fn document(tested: &[Tested], exit: Exit) -> Json {
    let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    let file = |t: &Tested| {
        let failed = t.cases.iter().filter(|c| !c.passed()).count();
        Json::object([
            ("file", Json::str(&t.file.name)),
            ("passed", number(t.cases.len() - failed)),
            ("failed", number(failed)),
            ("cases", Json::Array(t.cases.iter().map(case).collect())),
            ("diagnostics", render::json::diagnostics(findings(t))),
        ])
    };
    Json::object([
        ("ok", Json::Bool(exit == Exit::Success)),
        ("files", Json::Array(tested.iter().map(file).collect())),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}

fn case(case: &CaseResult) -> Json {
    let strings = |texts: &[String]| Json::Array(texts.iter().map(Json::str).collect());
    let rules = case.decision.matched.iter().map(|m| Json::str(&m.name)).collect();
    let detail = case.decision.detail.as_ref().map_or(Json::Null, Json::str);
    Json::object([
        ("test", Json::str(&case.test)),
        ("tool", Json::str(&case.tool)),
        ("line", Json::int(i64::from(case.at.line))),
        ("column", Json::int(i64::from(case.at.column))),
        ("passed", Json::Bool(case.passed())),
        ("failures", strings(&case.failures)),
        ("verdict", Json::str(case.decision.verdict.as_str())),
        ("reason_codes", strings(&case.decision.reason_codes)),
        ("matched", Json::Array(rules)),
        ("detail", detail),
    ])
}
