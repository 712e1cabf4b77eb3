//! `gait run receipt`: one line that names a verified runpack, for a ticket or a chat.

use crate::artifact::{Runpack, Verified};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{self, TrustArgs};
use crate::cli::load;
use crate::cli::ui::{Ui, shell_word};
use crate::host::Host;
use crate::json::Json;
use std::path::{Path, PathBuf};

/// Verify a runpack and print one line that names it, to paste into a ticket
///
/// The digest is that of the signed manifest, which names every file inside.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runpack
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies and prints.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let path = on_one_line(&args.file)?;
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let (pack, _) = load::runpack(host, &args.file, &trusted)?;
    let line = receipt(&pack, &path);
    if ui.is_json() {
        let traces = i64::try_from(pack.value().traces.len()).unwrap_or(i64::MAX);
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("run_id", Json::str(&pack.value().run_id)),
            ("runpack_digest", pack.digest().to_json()),
            ("traces", Json::int(traces)),
            ("receipt", Json::str(line)),
        ]))?;
    } else {
        ui.line(&line)?;
    }
    Ok(Exit::Success)
}

fn receipt(pack: &Verified<Runpack>, path: &str) -> String {
    let value = pack.value();
    format!(
        "GAIT run_id={} runpack={} traces={} verify=\"gait verify {path}\"",
        value.run_id,
        pack.digest(),
        value.traces.len()
    )
}

/// The path as it stands in the line. Errors on what would break it.
fn on_one_line(path: &Path) -> Result<String, CliError> {
    path.to_str().and_then(shell_word).ok_or_else(|| {
        let message = format!("the path {} does not fit into one line", path.display());
        CliError::new(Category::InvalidInput, "receipt.path", message).hint("move the file to a plainer name")
    })
}
