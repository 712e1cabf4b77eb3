//! `gait mcp`: the gate between agents and the servers of the Model Context Protocol. Each command is one file in `mcp/`.

mod import;
#[cfg(all(feature = "serve", unix))]
mod oauth;
mod pin;
mod proxy;
#[cfg(all(feature = "serve", unix))]
mod serve;
mod server;
mod setup;
mod verify;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Stand between an agent and its MCP servers
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Import(import::Args),
    Pin(pin::Args),
    Proxy(Box<proxy::Args>),
    #[cfg(all(feature = "serve", unix))]
    Serve(Box<serve::Args>),
    Verify(verify::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Import(args) => import::run(ui, host, args),
        Command::Pin(args) => pin::run(ui, host, args),
        Command::Verify(args) => verify::run(ui, host, args),
        #[cfg(all(feature = "serve", unix))]
        Command::Serve(args) => serve::run(ui, host, *args),
        Command::Proxy(args) => proxy::run(ui, host, *args),
    }
}
