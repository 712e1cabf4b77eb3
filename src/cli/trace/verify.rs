//! `gait trace verify`: signed traces, one by one. Every file is looked at, and one that is refused fails the run.

use crate::artifact::TraceRecord;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::explanation;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::ui::{Tone, Ui, brief, count, one_line, paint};
use crate::cli::verify::{Outcome, of_trace};
use crate::host::Host;
use crate::json::Json;
use crate::limits;
use std::path::{Path, PathBuf};

/// Verify signed traces
///
/// Checks every file. Exits 2 when one of them is not what was signed by a trusted key, else 6 when one cannot be read.
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
        let read = host.read(path, limits::FILE_BYTES).map_err(CliError::from);
        match read.and_then(|bytes| of_trace(&bytes, &trusted, now).map_err(|e| e.in_file(path))) {
            Ok((trace, outcome)) => {
                documents.push(document(trace.value(), &outcome, path));
                if !ui.is_json() {
                    print(ui, trace.value(), &outcome, path)?;
                }
            }
            Err(error) => refused.push(error),
        }
    }
    if !refused.is_empty() {
        return Err(summary(ui, refused, documents));
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
        ("enforcement", Json::str(record.enforcement.as_str())),
        ("runs", Json::Bool(record.runs)),
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
        one_line(&record.tool)
    ))?;
    if let Some(line) = explanation::unenforced(record) {
        ui.line(&format!("  runs     {line}"))?;
    }
    ui.line(&format!("  by       bundle {}", record.bundle_digest))
}

/// One file: its own error. Several: the code of the first that does not verify, or else of the first that cannot be
/// read, with all of them as details. A missing file must not hide a forged one.
fn summary(ui: &mut Ui, mut refused: Vec<CliError>, verified: Vec<Json>) -> CliError {
    let total = refused.len() + verified.len();
    if total == 1
        && let Some(error) = refused.pop()
    {
        return error;
    }
    let forged = refused.iter().find(|e| e.category == Category::Verification);
    let (category, code) = match forged.or(refused.first()) {
        Some(error) => (error.category, error.code.clone()),
        None => (Category::Internal, "internal.no_refusal".to_owned()),
    };
    if !ui.is_json() {
        for error in &refused {
            let head = paint(Tone::Bad, "refused:");
            ui.rendered(&format!("{head} {}", brief(&error.message)));
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
    let message = format!("{} of {} refused", refused.len(), count(total, "file"));
    let refused = refused.iter().map(document).collect();
    CliError::new(category, code, message).details([
        ("refused", Json::Array(refused)),
        ("verified", Json::Array(verified)),
    ])
}
