//! `gait bundle`: the commands about compiled policies. Each is one file in `bundle/`.

mod cosign;
mod inspect;
mod verify;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Look into, check and cosign signed bundles
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Cosign(cosign::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Cosign(args) => cosign::run(ui, host, args),
        Command::Inspect(args) => inspect::run(ui, host, args),
        Command::Verify(args) => verify::run(ui, host, args),
    }
}
