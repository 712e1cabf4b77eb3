//! `gait policy replay`: decides recorded calls and prints what a policy would have done, per tool, per task and per
//! attacked run. The counting is `crate::replay`; here are the policy's loading and the table.

mod report;

use super::source;
use crate::artifact::TraceRecord;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::load;
use crate::cli::ui::{Ui, count, tally};
use crate::cli::verify::of_bundle;
use crate::compile::{self, Purpose};
use crate::gate::Gate;
use crate::host::Host;
use crate::json::Json;
use crate::limits;
use crate::replay::{Options, Replay, ReplayError, Report};
use std::path::{Path, PathBuf};

/// Decide recorded tool calls and count verdicts per tool, task and attacked run
///
/// Reads JSON Lines or a JSON array, plain or gzip: tasks (`{"id", "calls": [{"tool", "args", "label"}]}`), single
/// calls (`{"tool", "args"}`), and v1 IntentRequests, alone or as the member `intent`. A call labelled "malicious" makes
/// its task an attacked run; a call without a label counts as benign. The exit code is 0 whatever the verdicts.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("decider").required(true).args(["bundle", "policy"])))]
pub struct Args {
    /// The signed policy to decide by
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// A policy source to compile and decide by, instead of a bundle
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Files of recorded calls
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    calls: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// List each benign call that is not allowed and each malicious call that is
    #[arg(long)]
    details: bool,
}

/// Which recorded calls are decided, and when those were made that do not say it.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Take this off the tool names; calls of other tools are left out and counted
    #[arg(long, value_name = "TEXT")]
    tool_prefix: Option<String>,
    /// Read only records whose top-level member FIELD is the text VALUE, such as `suite=banking`
    #[arg(long, value_name = "FIELD=VALUE", value_parser = field)]
    only: Vec<(String, String)>,
    /// The time of the calls that do not say when they were made, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "RFC3339")]
    evaluation_time: Option<String>,
}

impl Selection {
    /// The same as a replay takes it.
    pub(super) fn options(self, each: bool) -> Result<Options, CliError> {
        let at = self.evaluation_time.as_deref().map(load::time).transpose()?;
        Ok(Options {
            at: at.map(|at| i128::from(at.as_millisecond())),
            tool_prefix: self.tool_prefix,
            only: self.only,
            each,
        })
    }
}

fn field(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write FIELD=VALUE, such as suite=banking".to_owned())
}

/// Replays the files and prints the report.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let gate = match (&args.bundle, &args.policy) {
        (Some(path), _) => from_bundle(host, path, &args.trust)?,
        (None, Some(path)) => from_source(host, path)?,
        (None, None) => {
            return Err(CliError::new(
                Category::Internal,
                "usage.invalid",
                "no policy is named",
            ));
        }
    };
    let options = args.selection.options(false)?;
    let report = replay(ui, host, &gate, options, &args.calls)?;
    talk(ui, &report);
    let program = gate.program();
    if ui.is_json() {
        ui.json(&report::document(&report, program, args.details))?;
    } else {
        report::print(ui, &report, args.details)?;
    }
    Ok(Exit::Success)
}

/// Replays files under a gate.
pub(super) fn replay(
    ui: &Ui,
    host: &dyn Host,
    gate: &Gate,
    options: Options,
    files: &[PathBuf],
) -> Result<Report, CliError> {
    replay_with(ui, host, gate, options, files, [])
}

/// The same, and then calls that gates have judged.
pub(super) fn replay_with<'r>(
    ui: &Ui,
    host: &dyn Host,
    gate: &Gate,
    options: Options,
    files: &[PathBuf],
    judged: impl IntoIterator<Item = (&'r TraceRecord, Option<&'r Json>)>,
) -> Result<Report, CliError> {
    let mut replay = Replay::new(gate, options);
    for path in files {
        let bytes = host.read(path, limits::FILE_BYTES)?;
        let bar = ui.progress(bytes.len() as u64, "bytes replayed");
        let outcome = replay.file(&path.to_string_lossy(), &bytes, &mut |done| {
            bar.set_position(done)
        });
        bar.finish_and_clear();
        outcome.map_err(unusable)?;
    }
    replay.traces(judged).map_err(unusable)?;
    Ok(replay.finish())
}

fn unusable(error: ReplayError) -> CliError {
    CliError::new(Category::InvalidInput, error.code(), error.to_string())
        .hint("`gait policy replay --help` names the shapes of records it reads")
}

/// What the table alone might hide.
fn talk(ui: &mut Ui, report: &Report) {
    let calls = &report.calls;
    if report.inexact_documents > 0 {
        ui.warn(&format!(
            "{} with a number that cannot be carried exactly, counted as blocked",
            tally(report.inexact_documents, "record")
        ));
    }
    if calls.unlabelled > 0 {
        ui.note(&format!(
            "note: {} without a label, counted as benign",
            tally(calls.unlabelled, "call")
        ));
    }
    if report.skipped_documents > 0 || calls.skipped > 0 {
        ui.note(&format!(
            "note: left out {} (--only) and {} (--tool-prefix)",
            tally(report.skipped_documents, "record"),
            tally(calls.skipped, "call")
        ));
    }
}

/// A gate by what a path names: a bundle, by the end of its name, or the source of a policy.
pub(super) fn gate(host: &dyn Host, path: &Path, trust: &TrustArgs) -> Result<Gate, CliError> {
    if path
        .extension()
        .is_some_and(|end| end == super::compile::EXTENSION)
    {
        return from_bundle(host, path, trust);
    }
    from_source(host, path)
}

fn from_bundle(host: &dyn Host, path: &Path, trust: &TrustArgs) -> Result<Gate, CliError> {
    let trusted = trusted_keys(host, trust)?;
    let bytes = host.read(path, limits::FILE_BYTES)?;
    let (_, program, _) = of_bundle(&bytes, &trusted, host.now()).map_err(|error| error.in_file(path))?;
    Ok(Gate::new(program))
}

fn from_source(host: &dyn Host, path: &Path) -> Result<Gate, CliError> {
    let file = source::read(host, path)?;
    let name = &file.name;
    let wrong = |message: String| CliError::new(Category::InvalidInput, "policy.invalid", message);
    let report = file.check(host, name, Purpose::Author);
    if let Some(checked) = &report.checked {
        return Ok(Gate::new(compile::lower(checked)));
    }
    let first = report
        .diagnostics
        .iter()
        .find(|d| d.is_error())
        .map_or_else(String::new, |d| {
            let source = report.sources.iter().find(|s| s.id == d.primary.span.file);
            let line = source.map_or(1, |s| s.position(d.primary.span.start).line);
            format!("; the first is {} on line {line}: {}", d.code, d.message)
        });
    let message = format!("{name} has {}{first}", count(report.errors(), "error"));
    Err(wrong(message).hint(format!("`gait policy check {name}` shows all of them")))
}
