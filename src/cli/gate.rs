//! `gait gate`: the commands that judge calls. Each is one file in `gate/`.

mod asked;
mod attested;
mod delegated;
mod eval;
mod handed;

pub use asked::AskedArgs;
pub use attested::AttestedArgs;
pub use delegated::DelegatedArgs;
pub use handed::HandedArgs;

use super::error::CliError;
use super::exit::Exit;
use super::ui::{Tone, Ui};
use crate::boundary::Secrets;
use crate::domain::Verdict;
use crate::host::Host;
use std::path::PathBuf;

/// Decide whether a tool call may run
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Eval(Box<eval::Args>),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Eval(args) => eval::run(ui, host, *args),
    }
}

/// The folder of journals.
pub fn journals() -> PathBuf {
    PathBuf::from("gait-out/sessions")
}

/// The journal of a session.
pub fn journal(session: &str) -> PathBuf {
    journals().join(format!("{session}.jsonl"))
}

/// What becomes of secrets, by the flag.
pub fn secrets(keep: bool) -> Secrets {
    match keep {
        true => Secrets::Kept,
        false => Secrets::Hidden,
    }
}

/// What a verdict looks like.
pub fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Allow => Tone::Good,
        Verdict::DryRun | Verdict::RequireApproval => Tone::Warn,
        Verdict::Block => Tone::Bad,
    }
}
