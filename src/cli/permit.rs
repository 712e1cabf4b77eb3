//! `gait permit`: what was allowed runs once, and what became of it is written down. Each command is one file in `permit/`.

mod about;
mod exec;
mod redeem;
mod settle;

use super::error::{Category, CliError};
use super::exit::Exit;
use super::key_args::{TrustArgs, trusted_keys};
use super::ui::Ui;
use super::{failure, verify};
use crate::artifact::{TraceRecord, Verified};
use crate::boundary::permit::PermitError;
use crate::host::Host;
use crate::limits;
use std::path::{Path, PathBuf};

/// Run what was allowed once, and say what became of it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Redeem(redeem::Args),
    Exec(Box<exec::Args>),
    Settle(settle::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Redeem(args) => redeem::run(ui, host, args),
        Command::Exec(args) => exec::run(ui, host, *args),
        Command::Settle(args) => settle::run(ui, host, args),
    }
}

/// The permit: the signed trace of an allowed call.
#[derive(Debug, clap::Args)]
struct PermitArgs {
    /// The signed trace of the allowed call
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

impl PermitArgs {
    fn open(&self, host: &dyn Host) -> Result<Verified<TraceRecord>, CliError> {
        let trusted = trusted_keys(host, &self.trust)?;
        let bytes = host.read(&self.trace, limits::FILE_BYTES)?;
        let (trace, _) =
            verify::of_trace(&bytes, &trusted, host.now()).map_err(|error| error.in_file(&self.trace))?;
        Ok(trace)
    }
}

/// A call that must not run, or an outcome that cannot be. What was asked of a permit and is not in it fails its verification.
fn refused(path: &Path, error: &PermitError) -> CliError {
    let Some(code) = error.code() else {
        return match error {
            PermitError::Store(error) => failure::store(error),
            other => failure::no_trace(&other.to_string()),
        };
    };
    let (category, hint) = match error {
        PermitError::None { .. } => (
            Category::Verification,
            "only a call that is allowed runs; `gait gate eval --permit-for` says how long it may wait",
        ),
        PermitError::Stopped(_) => (
            Category::Verification,
            "`gait kill-switch list` shows what is stopped, and by whom",
        ),
        PermitError::KillSwitch(_) => (
            Category::Verification,
            "name the kill switch that the gate asks with --kill-switch",
        ),
        PermitError::Unenforced(_) => (
            Category::Verification,
            "an executor that asks for permits needs a bundle that enforces",
        ),
        PermitError::OtherCall => (
            Category::Verification,
            "run the `canonical_args` that the gate printed, and nothing else; judge another call anew",
        ),
        PermitError::NoStep { .. } | PermitError::UnknownStep { .. } => {
            (Category::InvalidInput, "name the step with --step N, from 1")
        }
        PermitError::StepTooEarly { .. } => {
            (Category::Verification, "the steps of a script run in their order")
        }
        PermitError::Redeemed { .. } => (
            Category::Verification,
            "a permit is good once; judge the call anew",
        ),
        PermitError::Settled { .. } => (
            Category::Verification,
            "what is said of a call once stays; judge the call anew to run it again",
        ),
        PermitError::Expired { .. } => (
            Category::Verification,
            "judge the call anew; `gait gate eval --permit-for` says how long it may wait",
        ),
        PermitError::Early { .. } => (Category::Verification, "set the clock right"),
        PermitError::NotRedeemed { .. } => (
            Category::InvalidInput,
            "`gait permit redeem` comes before the call; of one that was not started, say not_executed",
        ),
        _ => (
            Category::InvalidInput,
            "name a limit that the trace lists, of a call that was executed or is ambiguous",
        ),
    };
    CliError::new(category, code, error.to_string())
        .hint(hint)
        .in_file(path)
}
