//! `gait policy`: the commands that work on policy files and on what they decide. Each is one file in `policy/`.

mod check;
mod compile;
mod cost;
mod coverage;
mod diff;
mod explain;
mod fmt;
mod import;
mod lint;
mod lock;
mod prove;
mod replay;
mod simulate;
mod source;
mod test;
mod testgen;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;

/// Check, cost, cover, compare, lint, explain, format, test, generate tests for, prove, lock, compile, import, replay and simulate policies
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Compile(compile::Args),
    Check(check::Args),
    Cost(cost::Args),
    Coverage(coverage::Args),
    Diff(diff::Args),
    Explain(explain::Args),
    Fmt(fmt::Args),
    Import(import::Args),
    Lint(lint::Args),
    Lock(lock::Args),
    Prove(prove::Args),
    Replay(replay::Args),
    Simulate(simulate::Args),
    Test(test::Args),
    Testgen(testgen::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Compile(args) => compile::run(ui, host, args),
        Command::Check(args) => check::run(ui, host, args),
        Command::Cost(args) => cost::run(ui, host, args),
        Command::Coverage(args) => coverage::run(ui, host, args),
        Command::Diff(args) => diff::run(ui, host, args),
        Command::Explain(args) => explain::run(ui, host, args),
        Command::Fmt(args) => fmt::run(ui, host, args),
        Command::Import(args) => import::run(ui, host, args),
        Command::Lint(args) => lint::run(ui, host, args),
        Command::Lock(args) => lock::run(ui, host, args),
        Command::Prove(args) => prove::run(ui, host, args),
        Command::Replay(args) => replay::run(ui, host, args),
        Command::Simulate(args) => simulate::run(ui, host, args),
        Command::Test(args) => test::run(ui, host, args),
        Command::Testgen(args) => testgen::run(ui, host, args),
    }
}
