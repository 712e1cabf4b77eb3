//! `gait trust revoke`: a key that may approve nothing any more.

use super::FileArgs;
use crate::approvals;
use crate::artifact::KeyId;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::host::Host;

/// Take trust in a key back
///
/// What it has signed before counts no more. It stays in the file with the time, so that it is not added again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The key, as `gait trust list` names it: sha256:… or the first digits of it
    #[arg(long, value_name = "KEY_ID")]
    key: String,
    #[command(flatten)]
    file: FileArgs,
}

/// Revokes the key.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let id = named(host, &args)?;
    let approver = approvals::revoke(host, &args.file.file, id)?;
    super::changed(ui, host, &args.file.file, &approver)
}

/// The one key whose id starts so.
fn named(host: &dyn Host, args: &Args) -> Result<KeyId, CliError> {
    if let Some(id) = KeyId::parse(&args.key) {
        return Ok(id);
    }
    let known = approvals::read(host, &args.file.file)?;
    let digits = args.key.strip_prefix("sha256:").unwrap_or(&args.key);
    let start = format!("sha256:{digits}");
    let ids = known.all().iter().map(|one| one.key.id());
    let found: Vec<KeyId> = ids
        .filter(|id| !digits.is_empty() && id.to_string().starts_with(&start))
        .collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let message = format!("no key is called `{}`", args.key.escape_debug());
            let error = CliError::new(Category::InvalidInput, "trust.unknown", message);
            Err(error.hint("`gait trust list` shows the keys"))
        }
        [first, ..] => {
            let message = format!("`{}` names several keys", args.key.escape_debug());
            let error = CliError::new(Category::InvalidInput, "trust.ambiguous", message);
            Err(error.hint(format!("write more of it, such as {first}")))
        }
    }
}
