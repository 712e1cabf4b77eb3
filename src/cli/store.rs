//! `gait store`: what gates share. Each command is one file in `store/`.

mod check;
mod init;
mod show;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Look at what gates share: counters, used approvals, where sessions are
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Init(init::Args),
    Show(show::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Check(args) => check::run(ui, host, args),
        Command::Init(args) => init::run(ui, host, args),
        Command::Show(args) => show::run(ui, host, args),
    }
}
