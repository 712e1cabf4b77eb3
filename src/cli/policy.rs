//! `gait policy`: commands about policies and what they decide.

mod replay;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Work with policies
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Replay(replay::Args),
}

/// Runs the subcommand.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Replay(args) => replay::run(ui, host, args),
    }
}
