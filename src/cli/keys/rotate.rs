//! `gait keys rotate`: a new pair becomes the current one; the old one is kept.

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::Host;
use crate::json::Json;
use crate::keyring::{self, Pair};
use std::path::PathBuf;

/// Replace the current pair of keys by a new one
///
/// The old private key is kept as PREFIX.TIME.private.json, and the old public key stays trusted as
/// PREFIX.TIME.public.json, so that what it signed still verifies. Remove that file to end the trust.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the two files
    #[arg(long, value_name = "DIR", default_value = keyring::FOLDER)]
    out_dir: PathBuf,
    /// What the two files are called
    #[arg(long, value_name = "NAME", default_value = keyring::PREFIX)]
    prefix: String,
    /// When trust in the new key ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339")]
    valid_until: Option<String>,
}

/// Rotates the pair.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let valid_until = super::instant(args.valid_until.as_deref())?;
    let pair = Pair::current(&args.out_dir, &args.prefix)?;
    let rotated = keyring::rotate(host, &args.out_dir, &args.prefix, valid_until)?;
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    if ui.is_json() {
        let previous = Json::object([
            ("key_id", Json::str(rotated.previous.to_string())),
            ("private", Json::str(text(&rotated.kept.private))),
            ("public", Json::str(text(&rotated.kept.public))),
        ]);
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("key_id", Json::str(rotated.current.id().to_string())),
            ("private", Json::str(text(&pair.private))),
            ("public", Json::str(text(&pair.public))),
            ("valid_until", super::window(rotated.current.valid_until)),
            ("previous", previous),
        ]))?;
        return Ok(Exit::Success);
    }
    ui.line(&format!(
        "{} {}",
        paint(Tone::Good, "made key"),
        rotated.current.id()
    ))?;
    ui.line(&format!(
        "  private  {} (keep it secret)",
        one_line(&text(&pair.private))
    ))?;
    ui.line(&format!("  public   {}", one_line(&text(&pair.public))))?;
    ui.line(&format!("  trusted  {}", super::validity(&rotated.current)))?;
    ui.line(&format!("kept key {}", rotated.previous))?;
    ui.line(&format!("  private  {}", one_line(&text(&rotated.kept.private))))?;
    ui.line(&format!(
        "  public   {} (still trusted)",
        one_line(&text(&rotated.kept.public))
    ))?;
    Ok(Exit::Success)
}
