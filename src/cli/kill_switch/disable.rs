//! `gait kill-switch disable`: a stop that is off from now on.

use super::ChangeArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::host::Host;

/// Turn a stop off; it stays in the state with the time
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stop
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Turns it off.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    super::changed(ui, host, &args.change, |operator| operator.disable(&args.id))
}
