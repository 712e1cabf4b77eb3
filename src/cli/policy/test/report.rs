//! What a run of tests prints: text, one JSON document, a JUnit report. It must not run anything.

use super::{Tested, coverage};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::junit::{Case, Failure, Suite};
use crate::cli::policy::source::{self, count};
use crate::cli::render;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::json::Json;
use crate::suite::CaseResult;

/// One file, for people.
pub(super) fn people(ui: &mut Ui, tested: &Tested) -> Result<(), CliError> {
    let name = one_line(&tested.file.name);
    if tested.report.checked.is_none() {
        source::tell(ui, tested.findings());
        let errors = paint(Tone::Bad, &count(tested.report.errors(), "error"));
        return ui.line(&format!("{name}: {errors}, no test was run"));
    }
    for case in tested.cases.iter().filter(|c| !c.passed()) {
        let head = paint(Tone::Bad, "failed");
        ui.line(&format!(
            "{}: {head} {}",
            place(tested, case),
            one_line(&title(case))
        ))?;
        for failure in explained(case) {
            ui.line(&format!("  {}", one_line(&failure)))?;
        }
    }
    let failed = tested.failed();
    let passed = tested.cases.len() - failed;
    let end = match (passed, failed) {
        (0, 0) => paint(
            Tone::Warn,
            if tested.left_out == 0 {
                "no tests"
            } else {
                "no case run"
            },
        ),
        (_, 0) => paint(Tone::Good, &format!("{} passed", count(passed, "case"))),
        _ => paint(
            Tone::Bad,
            &format!("{} failed, {passed} passed", count(failed, "case")),
        ),
    };
    let left_out = match tested.left_out {
        0 => String::new(),
        n => format!(", {n} left out"),
    };
    ui.line(&format!("{name}: {end}{left_out}"))
}

fn place(tested: &Tested, case: &CaseResult) -> String {
    format!(
        "{}:{}:{}",
        one_line(&tested.file.name),
        case.at.line,
        case.at.column
    )
}

fn title(case: &CaseResult) -> String {
    format!("{}: call {}", case.test, case.tool)
}

/// Why a case failed, line by line: what was not as expected, then which rules matched and where they are.
fn explained(case: &CaseResult) -> Vec<String> {
    let rule = |m: &crate::domain::MatchedRule| format!("{} ({}, line {})", m.name, m.verdict, m.start.line);
    let rules: Vec<String> = case.decision.matched.iter().map(rule).collect();
    let matched = if rules.is_empty() {
        "no rule matched".to_owned()
    } else {
        format!("matched: {}", rules.join(", "))
    };
    case.failures.iter().cloned().chain([matched]).collect()
}

/// A suite per file.
pub(super) fn junit(tested: &[Tested]) -> Vec<Suite> {
    let case = |t: &Tested, c: &CaseResult| Case {
        name: format!("{} ({}:{})", title(c), c.at.line, c.at.column),
        class: t.file.name.clone(),
        failure: (!c.passed()).then(|| Failure {
            kind: "failed".to_owned(),
            lines: explained(c),
        }),
    };
    let broken = |t: &Tested| Case {
        name: "the policy has errors".to_owned(),
        class: t.file.name.clone(),
        failure: Some(Failure {
            kind: "error".to_owned(),
            lines: render::concise::lines(t.findings()),
        }),
    };
    let suite = |t: &Tested| Suite {
        name: t.file.name.clone(),
        cases: match t.report.checked {
            Some(_) => t.cases.iter().map(|c| case(t, c)).collect(),
            None => vec![broken(t)],
        },
    };
    tested.iter().map(suite).collect()
}

/// The document of `--json`.
pub(super) fn document(tested: &[Tested], exit: Exit) -> Json {
    let file = |t: &Tested| {
        Json::object([
            ("file", Json::str(&t.file.name)),
            ("passed", number(t.cases.len() - t.failed())),
            ("failed", number(t.failed())),
            ("left_out", number(t.left_out)),
            ("cases", Json::Array(t.cases.iter().map(case).collect())),
            ("coverage", coverage::document(t)),
            ("diagnostics", render::json::diagnostics(t.findings())),
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
    let rules = case
        .decision
        .matched
        .iter()
        .map(|m| Json::str(m.name.as_str()))
        .collect();
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

/// A count, for a document.
pub(super) fn number(n: usize) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}
