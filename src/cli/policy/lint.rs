//! `gait policy lint`: what policies say that their authors would not want said, beyond what is wrong.

use super::check::two_formats;
use super::source::REPOSITORY;
use super::source::{self, PolicyFile, count};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::render::{self, Findings, Format, diff};
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::compile::{self, Purpose, Report};
use crate::diag::Level;
use crate::host::{Host, Mode};
use crate::json::Json;
use crate::lint::{self, Flags, Group, Lint};
use std::path::PathBuf;

/// Find what policies say that their authors would not want said
///
/// Each file is one policy. A lint warns or denies as the policy's `lints` says, unless a flag says otherwise; NAME is a
/// lint or a group of lints. Exits 0 without errors and 6 with them; warnings do not count.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Do not report what this lint finds
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// Report what this lint finds as warnings
    #[arg(long, value_name = "NAME")]
    warn: Vec<String>,
    /// Report what this lint finds as errors; `warnings` is everything that would be a warning
    #[arg(long, value_name = "NAME")]
    deny: Vec<String>,
    /// How to show what was found; `--json` is `--format json`
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    format: Format,
    /// Apply the changes that leave the meaning as it is, then look again
    #[arg(long)]
    fix: bool,
    /// Change nothing and print what `--fix` would change as a unified diff
    #[arg(long, conflicts_with_all = ["fix", "format"])]
    diff: bool,
    /// List every lint, with its level
    #[arg(long, conflicts_with_all = ["files", "fix", "diff"])]
    list: bool,
}

/// A file and what was found in it.
struct Done {
    file: PolicyFile,
    report: Report,
    /// Findings that comments silence.
    silenced: usize,
    /// Changes applied before.
    fixed: usize,
    /// What changes would do, where that was asked.
    diff: Option<String>,
}

/// Lints, and applies changes if asked to.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    if ui.is_json() && args.format == Format::Sarif {
        return Err(two_formats());
    }
    let flags = flags(&args)?;
    if args.list {
        return list(ui, ui.is_json() || args.format == Format::Json);
    }
    let mut done = Vec::new();
    for file in source::read_all(host, &args.files)? {
        done.push(one(host, file, &flags, &args)?);
    }
    let format = if ui.is_json() { Format::Json } else { args.format };
    let ok = done.iter().all(|d| d.report.errors() == 0);
    let exit = if ok { Exit::Success } else { Exit::InvalidInput };
    match format {
        Format::Human => people(ui, &done)?,
        Format::Concise => {
            for line in done.iter().flat_map(|d| render::concise::lines(findings(d))) {
                ui.line(&line)?;
            }
        }
        Format::Json => ui.json(&document(&done, ok, exit))?,
        Format::Sarif => {
            let files: Vec<Findings<'_>> = done.iter().map(findings).collect();
            ui.json(&render::sarif::log(&files))?;
        }
    }
    Ok(exit)
}

fn flags(args: &Args) -> Result<Flags, CliError> {
    let mut flags = Flags::default();
    for (names, level) in [
        (&args.allow, Level::Allow),
        (&args.warn, Level::Warn),
        (&args.deny, Level::Deny),
    ] {
        for name in names {
            flags.set(name, level).map_err(|unknown| {
                let error = CliError::new(Category::InvalidInput, "lint.unknown_name", unknown.to_string())
                    .details([("given", Json::str(name))]);
                match unknown.near {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("`gait policy lint --list` names them all"),
                }
            })?;
        }
    }
    Ok(flags)
}

fn one(host: &dyn Host, file: PolicyFile, flags: &Flags, args: &Args) -> Result<Done, CliError> {
    let judge = |text: &str| {
        let judged = PolicyFile {
            text: text.to_owned(),
            ..file.clone()
        };
        let mut report = judged.check(host, &file.name, Purpose::Author);
        let silenced = compile::lint(&mut report, flags);
        (report, silenced)
    };
    let (report, silenced) = judge(&file.text);
    let mut done = Done {
        report,
        silenced,
        fixed: 0,
        diff: None,
        file: file.clone(),
    };
    if args.fix || args.diff {
        let mended = compile::mend(&file.text, done.report.clone(), |text| judge(text).0);
        if args.diff {
            done.diff = Some(diff::unified(&file.name, &file.text, &mended.text));
            return Ok(done);
        }
        if mended.applied > 0 {
            host.write_atomic(&file.path, mended.text.as_bytes(), Mode::Kept)?;
        }
        done.file.text = mended.text;
        done.report = mended.report;
        done.fixed = mended.applied;
    }
    Ok(done)
}

fn findings(done: &Done) -> Findings<'_> {
    Findings {
        diagnostics: &done.report.diagnostics,
        sources: &done.report.sources,
    }
}

fn people(ui: &mut Ui, done: &[Done]) -> Result<(), CliError> {
    for one in done {
        source::tell(ui, findings(one));
        if let Some(diff) = &one.diff {
            ui.raw(diff::coloured(diff).as_bytes())?;
            continue;
        }
        if one.fixed > 0 {
            ui.note(&format!(
                "{}: {} applied",
                one.file.name,
                count(one.fixed, "change")
            ));
        }
        let errors = one.report.errors();
        let warnings = one.report.diagnostics.len() - errors;
        let mut parts = Vec::new();
        if errors > 0 {
            parts.push(paint(Tone::Bad, &count(errors, "error")));
        }
        if warnings > 0 {
            parts.push(paint(Tone::Warn, &count(warnings, "warning")));
        }
        if parts.is_empty() {
            parts.push(paint(Tone::Good, "ok"));
        }
        if one.silenced > 0 {
            parts.push(format!("{} silenced", one.silenced));
        }
        ui.line(&format!("{}: {}", one_line(&one.file.name), parts.join(", ")))?;
    }
    Ok(())
}

fn number(n: usize) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn document(done: &[Done], ok: bool, exit: Exit) -> Json {
    let file = |d: &Done| {
        let errors = d.report.errors();
        Json::object([
            ("file", Json::str(&d.file.name)),
            ("ok", Json::Bool(errors == 0)),
            ("errors", number(errors)),
            ("warnings", number(d.report.diagnostics.len() - errors)),
            ("silenced", number(d.silenced)),
            ("fixed", number(d.fixed)),
            ("diff", d.diff.as_ref().map_or(Json::Null, Json::str)),
            ("diagnostics", render::json::diagnostics(findings(d))),
        ])
    };
    Json::object([
        ("ok", Json::Bool(ok)),
        ("files", Json::Array(done.iter().map(file).collect())),
        ("lints", Json::Null),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}

/// Every lint by group: name, code, level, what it finds.
fn list(ui: &mut Ui, json: bool) -> Result<Exit, CliError> {
    if json {
        let all = lint::ALL.iter().map(|lint| described(lint)).collect();
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("files", Json::Array(Vec::new())),
            ("lints", Json::Array(all)),
            ("exit_code", Json::int(0)),
        ]))?;
        return Ok(Exit::Success);
    }
    let width = lint::ALL.iter().map(|l| l.name.len()).max().unwrap_or_default();
    for group in Group::ALL {
        let title = format!("{}: {}", group.as_str(), group.meaning());
        ui.line(&paint(Tone::Strong, &title))?;
        for lint in lint::ALL.iter().filter(|l| l.group == group) {
            ui.line(&format!(
                "  {:width$}  {}  {:5}  {}",
                lint.name,
                lint.code,
                lint.level.as_str(),
                lint.summary().trim_end_matches('.'),
            ))?;
        }
    }
    Ok(Exit::Success)
}

fn described(lint: &Lint) -> Json {
    Json::object([
        ("name", Json::str(lint.name)),
        ("code", Json::str(lint.code.0)),
        ("group", Json::str(lint.group.as_str())),
        ("level", Json::str(lint.level.as_str())),
        ("since", Json::str(lint.since)),
        ("summary", Json::str(lint.summary())),
        ("why", Json::str(lint.why())),
        ("bad", Json::str(lint.bad())),
        ("good", Json::str(lint.good())),
    ])
}
