//! `gait trust add`: a key of somebody who may approve.

use super::FileArgs;
use crate::approvals;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::ui::Ui;
use crate::host::Host;
use crate::keyring;
use std::path::PathBuf;

/// Trust a key to approve as one principal
///
/// The file is made where it is not there. A principal may have several keys; a key belongs to one principal.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose key it is, as roles of the policy name people
    #[arg(long, value_name = "NAME")]
    principal: String,
    /// The public key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// When trust ends, such as 2027-01-31T00:00:00Z, where the key does not end before
    #[arg(long, value_name = "RFC3339")]
    until: Option<String>,
    #[command(flatten)]
    file: FileArgs,
}

/// Adds the key.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let until = args.until.as_deref().map(load::time).transpose()?;
    let key = keyring::public_key(host, &args.key)?;
    let until = until.map(crate::artifact::time::cut);
    let approver = approvals::add(host, &args.file.file, &args.principal, key, until)?;
    super::changed(ui, host, &args.file.file, &approver)
}
