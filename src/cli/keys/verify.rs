//! `gait keys verify`: whether two files are one usable pair.

use crate::artifact::VerifyError;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{KeyArgs, signing_key_file};
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::Host;
use crate::json::Json;
use crate::keyring::{self, Pair};
use std::path::PathBuf;

/// Check that a private and a public key are one pair, safe and in use
///
/// Signs with the one and verifies with the other. Exits 2 when they do not belong together or the key is outside its
/// time of validity, 8 when others may read the private key.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The private key [default: $GAIT_KEY_FILE, else gait-out/keys/gait.private.json]
    #[arg(long, value_name = "FILE")]
    private: Option<PathBuf>,
    /// The public key [default: the one beside the private key]
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
}

/// Checks the pair.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let private = signing_key_file(host, &KeyArgs { key: args.private });
    let public = args
        .public
        .or_else(|| Pair::public_beside(&private))
        .ok_or_else(|| {
            let message = format!("{} does not end in .private.json", private.display());
            CliError::new(Category::InvalidInput, "keys.public_unnamed", message)
                .hint("name the public key with `--public FILE`")
        })?;
    let pair = Pair { private, public };
    let key = keyring::check_pair(host, &pair)?;
    let now = host.now();
    if key.valid_from.is_some_and(|from| now < from) {
        return Err(CliError::from(VerifyError::KeyNotYetValid(key.id())).in_file(&pair.public));
    }
    if key.valid_until.is_some_and(|until| now > until) {
        let expired = CliError::from(VerifyError::KeyExpired(key.id())).in_file(&pair.public);
        return Err(expired.hint("`gait keys rotate` makes a new pair"));
    }
    let (private, public) = (pair.private.to_string_lossy(), pair.public.to_string_lossy());
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("key_id", Json::str(key.id().to_string())),
            ("private", Json::str(private)),
            ("public", Json::str(public)),
            ("valid_from", super::window(key.valid_from)),
            ("valid_until", super::window(key.valid_until)),
        ]))?;
        return Ok(Exit::Success);
    }
    ui.line(&format!("{} key {}", paint(Tone::Good, "ok:"), key.id()))?;
    ui.line(&format!(
        "  private  {} (readable by its owner alone)",
        one_line(&private)
    ))?;
    ui.line(&format!("  public   {}", one_line(&public)))?;
    ui.line(&format!("  trusted  {}", super::validity(&key)))?;
    Ok(Exit::Success)
}
