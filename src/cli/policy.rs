//! `gait policy`: the commands that work on policy files. Each is one file in `policy/`.

mod compile;
mod replay;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Compile and replay policies
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Compile(compile::Args),
    Replay(replay::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Compile(args) => compile::run(ui, host, args),
        Command::Replay(args) => replay::run(ui, host, args),
    }
}
