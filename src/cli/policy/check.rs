//! `gait policy check`: every mistake of a policy in one run.

use super::source::REPOSITORY;
use super::source::{self, PolicyFile, count};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::render::{self, Findings, Format};
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::compile::{self, Purpose, Report};
use crate::host::{Host, Mode};
use crate::json::Json;
use std::path::PathBuf;

/// Find every mistake in policies, with the change that mends it
///
/// Each file is one policy. Exits 0 without errors and 6 with them; warnings do not count.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to show what was found; `--json` is `--format json`
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    format: Format,
    /// Apply the suggested changes, then check again
    #[arg(long)]
    fix: bool,
}

/// A file and what a run over it found.
struct Checked {
    file: PolicyFile,
    report: Report,
    /// Suggested changes applied before.
    fixed: usize,
}

/// Checks, and applies changes if asked to.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    if ui.is_json() && args.format == Format::Sarif {
        return Err(two_formats());
    }
    let mut checked = Vec::new();
    let mut unread = Vec::new();
    // What is mended is mended whole or not at all.
    let files = if args.fix || args.files.len() < 2 {
        source::read_all(host, &args.files)?
    } else {
        let read = args.files.iter().map(|path| source::read(host, path));
        let (files, failed): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        unread.extend(failed.into_iter().filter_map(Result::err));
        files.into_iter().flatten().collect()
    };
    if files.is_empty() && !unread.is_empty() {
        return Err(unread.swap_remove(0));
    }
    for file in files {
        let report = file.check(host, &file.name, Purpose::Author);
        checked.push(if args.fix {
            fix(host, file, report)?
        } else {
            Checked {
                file,
                report,
                fixed: 0,
            }
        });
    }
    let format = if ui.is_json() { Format::Json } else { args.format };
    let ok = unread.is_empty() && checked.iter().all(|c| c.report.errors() == 0);
    let exit = if ok { Exit::Success } else { Exit::InvalidInput };
    match format {
        Format::Human => people(ui, &checked)?,
        Format::Concise => {
            for line in checked.iter().flat_map(|c| render::concise::lines(findings(c))) {
                ui.line(&line)?;
            }
        }
        Format::Json => ui.json(&document(&checked, &unread, (ok, exit)))?,
        Format::Sarif => {
            let files: Vec<Findings<'_>> = checked.iter().map(findings).collect();
            ui.json(&render::sarif::log(&files))?;
        }
    }
    if format != Format::Json {
        unread.iter().try_for_each(|error| ui.failure(error))?;
    }
    Ok(exit)
}

pub(super) fn two_formats() -> CliError {
    CliError::new(
        Category::InvalidInput,
        "usage.invalid",
        "`--json` and `--format sarif` ask for two different documents",
    )
    .hint("leave `--json` out: SARIF is JSON too")
}

fn findings(checked: &Checked) -> Findings<'_> {
    Findings {
        diagnostics: &checked.report.diagnostics,
        sources: &checked.report.sources,
    }
}

/// Applies the suggested changes that do not overlap and checks again. Nothing is written when there are none.
fn fix(host: &dyn Host, file: PolicyFile, report: Report) -> Result<Checked, CliError> {
    let edits = compile::edits(&report);
    if edits.is_empty() {
        return Ok(Checked {
            file,
            report,
            fixed: 0,
        });
    }
    let mut text = file.text.clone();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    host.write_atomic(&file.path, text.as_bytes(), Mode::Kept)?;
    let file = PolicyFile { text, ..file };
    let report = file.check(host, &file.name, Purpose::Author);
    Ok(Checked {
        file,
        report,
        fixed: edits.len(),
    })
}

/// Tools, rules and test cases of a policy without errors.
fn counts(report: &Report) -> Option<[usize; 3]> {
    let package = report.checked.as_ref()?.package();
    let cases = package.tests.iter().map(|t| t.cases.len()).sum();
    Some([package.tools.len(), package.rules.len(), cases])
}

fn people(ui: &mut Ui, checked: &[Checked]) -> Result<(), CliError> {
    for one in checked {
        source::tell(ui, findings(one));
        if one.fixed > 0 {
            ui.note(&format!(
                "{}: {} applied",
                one.file.name,
                count(one.fixed, "change")
            ));
        }
        let errors = one.report.errors();
        let warnings = one.report.diagnostics.len() - errors;
        let warned = if warnings == 0 {
            String::new()
        } else {
            format!(", {}", count(warnings, "warning"))
        };
        match counts(&one.report) {
            Some([tools, rules, tests]) => ui.line(&format!(
                "{}: {} ({}, {}, {}{warned})",
                one_line(&one.file.name),
                paint(Tone::Good, "ok"),
                count(tools, "tool"),
                count(rules, "rule"),
                count(tests, "test case"),
            ))?,
            None => ui.line(&format!(
                "{}: {}{warned}",
                one_line(&one.file.name),
                paint(Tone::Bad, &count(errors, "error")),
            ))?,
        }
    }
    Ok(())
}

fn document(checked: &[Checked], unread: &[CliError], (ok, exit): (bool, Exit)) -> Json {
    let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    let file = |c: &Checked| {
        let errors = c.report.errors();
        let counts = counts(&c.report).map_or(Json::Null, |[tools, rules, tests]| {
            Json::object([
                ("tools", number(tools)),
                ("rules", number(rules)),
                ("tests", number(tests)),
            ])
        });
        Json::object([
            ("file", Json::str(&c.file.name)),
            ("ok", Json::Bool(errors == 0)),
            ("errors", number(errors)),
            ("warnings", number(c.report.diagnostics.len() - errors)),
            ("fixed", number(c.fixed)),
            ("counts", counts),
            ("diagnostics", render::json::diagnostics(findings(c))),
        ])
    };
    let reason = |error: &CliError| error.envelope().get("error").cloned().unwrap_or(Json::Null);
    Json::object([
        ("ok", Json::Bool(ok)),
        ("files", Json::Array(checked.iter().map(file).collect())),
        ("unread", Json::Array(unread.iter().map(reason).collect())),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}
