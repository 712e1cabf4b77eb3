//! `gait regress`: recorded decisions as tests. Each command is one file in `regress/`.

mod bootstrap;
mod run;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Turn recorded runs into tests of a policy
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Bootstrap(bootstrap::Args),
    Run(run::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Bootstrap(args) => bootstrap::run(ui, host, args),
        Command::Run(args) => run::run(ui, host, args),
    }
}
