//! `gait run record`: from a session's journal to the signed runpack of one run.

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::gate;
use crate::cli::key_args::{self, KeyArgs, TrustArgs};
use crate::cli::ui::{Tone, Ui, count, paint};
use crate::cli::{failure, load};
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::limits;
use crate::session::{self, Recording, SessionError};
use std::path::{Path, PathBuf};

/// Pack the traces of a run, with their intents, into a signed runpack
///
/// The same run gives the same bytes every time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The session whose journal holds the run
    #[arg(long, value_name = "ID")]
    session: String,
    /// The run; otherwise the session's id
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// The new file; otherwise gait-out/runpack_RUN.zip
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Packs and writes.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let session = load::id("session", Some(args.session))?.unwrap_or_default();
    let run_id = load::id("run", args.run)?.unwrap_or_else(|| session.clone());
    let out = args
        .out
        .unwrap_or_else(|| Path::new("gait-out").join(format!("runpack_{run_id}.zip")));
    let journal = gate::journal(&session);
    let session::Entries { entries, torn } = session::read(host, &journal).map_err(no_journal)?;
    if torn > 0 {
        let journal = journal.display();
        ui.warn(&format!(
            "{journal} ends in {torn} bytes of a write that was cut off; they are no part of the pack"
        ));
    }
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let key = key_args::signing_key(host, &args.key)?;
    let recording = session::record(entries, (&session, &run_id), &trusted, host.now(), &key)
        .map_err(|error| failure::record(&journal, &error))?;
    let written = keep(host, &out, &recording.bytes)?;
    if ui.is_json() {
        ui.json(&document(&session, &recording, &out, written))?;
    } else {
        people(ui, &recording, &out, written)?;
    }
    Ok(Exit::Success)
}

fn no_journal(error: SessionError) -> CliError {
    let missing = matches!(error, SessionError::Host(HostError::NotFound { .. }));
    let error = failure::session(error);
    if missing {
        error.hint("`gait gate eval --session ID` writes the journal of a session")
    } else {
        error
    }
}

/// Writes a new file; one that holds these very bytes already is as good.
fn keep(host: &dyn Host, path: &Path, bytes: &[u8]) -> Result<bool, CliError> {
    match host.write_new(path, bytes, Mode::Public) {
        Ok(()) => Ok(true),
        Err(HostError::Exists { path: taken }) => match host.read(path, limits::ARCHIVE_BYTES as u64) {
            Ok(there) if there == bytes => Ok(false),
            _ => Err(CliError::from(HostError::Exists { path: taken })
                .hint("runpacks are never overwritten; name another file with --out")),
        },
        Err(other) => Err(other.into()),
    }
}

fn document(session: &str, recording: &Recording, path: &Path, written: bool) -> Json {
    let pack = recording.pack.value();
    let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    Json::object([
        ("ok", Json::Bool(true)),
        ("session_id", Json::str(session)),
        ("run_id", Json::str(&pack.run_id)),
        ("path", Json::str(path.to_string_lossy())),
        ("runpack_digest", recording.pack.digest().to_json()),
        ("traces", number(pack.traces.len())),
        ("left_out", number(recording.left_out)),
        (
            "bundle_digests",
            Json::Array(pack.bundles.iter().map(|bundle| bundle.to_json()).collect()),
        ),
        ("written", Json::Bool(written)),
    ])
}

fn people(ui: &mut Ui, recording: &Recording, path: &Path, written: bool) -> Result<(), CliError> {
    let pack = recording.pack.value();
    let done = if written { "packed" } else { "is there already:" };
    ui.line(&format!(
        "{} {done} {} of run {}",
        paint(Tone::Strong, &path.display().to_string()),
        count(pack.traces.len(), "trace"),
        pack.run_id
    ))?;
    if recording.left_out > 0 {
        let left_out = count(recording.left_out, "trace");
        ui.note(&format!("note: {left_out} of other runs in the journal left out"));
    }
    ui.line(&format!("  runpack {}", recording.pack.digest()))
}
