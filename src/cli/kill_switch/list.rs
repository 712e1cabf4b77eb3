//! `gait kill-switch list`: the stops, those that are off too.

use super::FileArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::ui::Ui;
use crate::host::Host;
use crate::kill_switch;

/// List the stops, those that are off too
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Lists them by id.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let state = kill_switch::read(host, &args.file.file, &trusted)?;
    super::report(ui, &args.file.file, (state.value(), state.digest()), host.now())?;
    Ok(Exit::Success)
}
