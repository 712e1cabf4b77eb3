//! `gait keys init`: a new pair of keys. It never replaces one.

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::Host;
use crate::json::Json;
use crate::keyring::{self, Made, Pair};
use std::path::PathBuf;

/// Make a new pair of keys for signing
///
/// Writes PREFIX.private.json (mode 0600; keep it secret) and PREFIX.public.json. Keys that are there already are
/// never replaced: that is refused with exit code 8. A run that was cut off is completed by the next.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder for the two files
    #[arg(long, value_name = "DIR", default_value = keyring::FOLDER)]
    out_dir: PathBuf,
    /// What the two files are called
    #[arg(long, value_name = "NAME", default_value = keyring::PREFIX)]
    prefix: String,
    /// When trust in the key ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339")]
    valid_until: Option<String>,
}

/// Makes the pair.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let valid_until = super::instant(args.valid_until.as_deref())?;
    let pair = Pair::current(&args.out_dir, &args.prefix)?;
    let Made { key, completed } = keyring::init(host, &args.out_dir, &args.prefix, valid_until)?;
    let (private, public) = (pair.private.to_string_lossy(), pair.public.to_string_lossy());
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("key_id", Json::str(key.id().to_string())),
            ("private", Json::str(private)),
            ("public", Json::str(public)),
            ("valid_until", super::window(key.valid_until)),
            ("completed", Json::Bool(completed)),
        ]))?;
        return Ok(Exit::Success);
    }
    let made = if completed { "completed key" } else { "made key" };
    ui.line(&format!("{} {}", paint(Tone::Good, made), key.id()))?;
    if completed {
        ui.note("an interrupted run had left the private key alone; its public half is there now");
    }
    ui.line(&format!("  private  {} (keep it secret)", one_line(&private)))?;
    ui.line(&format!("  public   {}", one_line(&public)))?;
    ui.line(&format!("  trusted  {}", super::validity(&key)))?;
    ui.note("next: `gait policy compile policy.gaitpol` signs a bundle with it");
    Ok(Exit::Success)
}
