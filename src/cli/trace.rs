//! `gait trace`: the commands about signed traces. Each is one file in `trace/`.

mod recompute;
mod verify;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Check signed traces, and decide again what they say was decided
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Recompute(Box<recompute::Args>),
    Verify(verify::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Recompute(args) => recompute::run(ui, host, *args),
        Command::Verify(args) => verify::run(ui, host, args),
    }
}
