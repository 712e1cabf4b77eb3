//! `gait regress bootstrap`: from a runpack to a fixture folder that `gait regress run` judges again.

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::key_args::{self, TrustArgs};
use crate::cli::ui::{Tone, Ui, count, paint};
use crate::cli::{failure, load};
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::regress::{FIXTURE_NAME, Fixture, RUNPACK_NAME};
use std::path::{Path, PathBuf};

/// Make a regression fixture from a runpack
///
/// The folder holds a copy of the runpack and regress.json: what every call was decided to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runpack
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder of the fixture; otherwise fixtures/RUN
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies and writes; an existing fixture stays as it is.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let (pack, bytes) = load::runpack(host, &args.file, &trusted)?;
    let fixture = Fixture::of(&pack).map_err(|error| failure::regress(&args.file, &error))?;
    let folder = args
        .out
        .unwrap_or_else(|| Path::new("fixtures").join(&fixture.run_id));
    let files = [
        (RUNPACK_NAME, bytes.as_slice()),
        (FIXTURE_NAME, &fixture.to_file()),
    ];
    // Both are looked for first, so that a refusal leaves nothing behind.
    for (name, _) in files {
        let path = folder.join(name);
        if host.exists(&path) {
            return Err(taken(HostError::Exists { path }));
        }
    }
    for (name, bytes) in files {
        host.write_new(&folder.join(name), bytes, Mode::Public)
            .map_err(taken)?;
    }
    if ui.is_json() {
        ui.json(&document(&fixture, &folder))?;
    } else {
        ui.line(&format!(
            "{} expects {} of run {} to be decided as recorded",
            paint(Tone::Strong, &folder.display().to_string()),
            count(fixture.cases.len(), "call"),
            fixture.run_id
        ))?;
    }
    Ok(Exit::Success)
}

fn taken(error: HostError) -> CliError {
    let exists = matches!(error, HostError::Exists { .. });
    let error = CliError::from(error);
    if exists {
        error.hint("fixtures are never overwritten; name another folder with --out")
    } else {
        error
    }
}

fn document(fixture: &Fixture, folder: &Path) -> Json {
    let cases = i64::try_from(fixture.cases.len()).unwrap_or(i64::MAX);
    Json::object([
        ("ok", Json::Bool(true)),
        ("run_id", Json::str(&fixture.run_id)),
        ("fixture", Json::str(folder.to_string_lossy())),
        ("runpack_digest", fixture.runpack.to_json()),
        ("cases", Json::int(cases)),
    ])
}
