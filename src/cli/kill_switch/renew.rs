//! `gait kill-switch renew`: the same stops, signed anew.

use super::ChangeArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::host::Host;

/// Sign the state anew, so that it is fresh; an empty one where there is none
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Signs it.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    super::changed(ui, host, &args.change, |operator| operator.renew())
}
