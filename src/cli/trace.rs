//! `gait trace`: the commands about signed traces. Each is one file in `trace/`.

mod verify;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Check signed traces
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Verify(args) => verify::run(ui, host, args),
    }
}
