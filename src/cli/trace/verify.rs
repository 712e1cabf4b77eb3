//! `gait trace verify`: signed traces, one by one. Every file is looked at, and one that is refused fails the run.

use crate::artifact::TraceRecord;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::ui::{Tone, Ui, paint, safe};
use crate::cli::verify::{Outcome, of_trace};
use crate::host::Host;
use crate::json::Json;
use crate::limits;
use std::path::{Path, PathBuf};

/// Verify signed traces
///
/// Exits 2 when one of them is not what was signed by a trusted key.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The trace files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies each file.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let now = host.now();
    let (mut documents, mut refused) = (Vec::new(), Vec::new());
    for path in &args.files {
        let bytes = host.read(path, limits::FILE_BYTES)?;
        match of_trace(&bytes, &trusted, now) {
            Ok((trace, outcome)) => {
                documents.push(document(trace.value(), &outcome, path));
                if !ui.is_json() {
                    print(ui, trace.value(), &outcome, path)?;
                }
            }
            Err(error) => refused.push(error.in_file(path)),
        }
    }
    if !refused.is_empty() {
        return Err(summary(ui, refused, args.files.len()));
    }
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("traces", Json::Array(documents)),
        ]))?;
    }
    Ok(Exit::Success)
}

fn document(record: &TraceRecord, outcome: &Outcome, path: &Path) -> Json {
    let own = [
        ("verdict", Json::str(record.decision.verdict.as_str())),
        ("tool", Json::str(&record.tool)),
        ("bundle_digest", record.bundle_digest.to_json()),
    ];
    Json::object(outcome.to_json(path).into_iter().chain(own))
}

fn print(ui: &mut Ui, record: &TraceRecord, outcome: &Outcome, path: &Path) -> Result<(), CliError> {
    outcome.lines(path).iter().try_for_each(|line| ui.line(line))?;
    ui.line(&format!(
        "  decided  {} on `{}`",
        record.decision.verdict,
        safe(&record.tool)
    ))?;
    ui.line(&format!("  by       bundle {}", record.bundle_digest))
}

/// One file: its own error. Several: the first one's code, with all of them as details.
fn summary(ui: &mut Ui, mut refused: Vec<CliError>, total: usize) -> CliError {
    if total == 1
        && let Some(error) = refused.pop()
    {
        return error;
    }
    let code = refused
        .first()
        .map_or_else(String::new, |error| error.code.clone());
    if !ui.is_json() {
        for error in &refused {
            let head = paint(Tone::Bad, "refused:");
            ui.rendered(&format!("{head} {}", safe(&error.message)));
        }
    }
    let document = |error: &CliError| {
        let path = error.details.get("path").cloned().unwrap_or(Json::Null);
        Json::object([
            ("path", path),
            ("code", Json::str(&error.code)),
            ("message", Json::str(&error.message)),
        ])
    };
    let message = format!("{} of {total} traces are refused", refused.len());
    let refused = refused.iter().map(document).collect();
    CliError::new(Category::Verification, code, message).details([("refused", Json::Array(refused))])
}
