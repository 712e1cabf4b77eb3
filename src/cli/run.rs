//! `gait run`: runs as evidence. Each command is one file in `run/`.

mod inspect;
mod receipt;
mod record;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Pack a run's traces, and look into a pack
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Inspect(inspect::Args),
    Receipt(receipt::Args),
    Record(record::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Inspect(args) => inspect::run(ui, host, args),
        Command::Receipt(args) => receipt::run(ui, host, args),
        Command::Record(args) => record::run(ui, host, args),
    }
}
