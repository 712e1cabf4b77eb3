//! The approvals that `gait gate eval` is handed: files in, verified approvals and words about them out.

use crate::approvals::{self, Handed};
use crate::artifact::VerifyError;
use crate::boundary::HandedOver;
use crate::cli::error::{Category, CliError};
use crate::cli::ui::one_line;
use crate::host::Host;
use crate::limits;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// The approvals of a call, and who may give them.
#[derive(Debug, clap::Args)]
pub struct HandedArgs {
    /// An approval of this call, made by `gait approve`; may be repeated
    #[arg(long, value_name = "FILE", requires = "approvers")]
    approval: Vec<PathBuf>,
    /// The trust file that says whose keys may approve, made by `gait trust`
    #[arg(long, value_name = "FILE")]
    approvers: Option<PathBuf>,
}

impl HandedArgs {
    /// Reads and verifies the approvals as `read` does, by a clock that shows the time of the call.
    pub fn read_as_of(&self, host: &dyn Host, at: Timestamp) -> Result<Vec<Handed>, CliError> {
        read_at(host, self, at, at)
    }
}

/// Reads and verifies the approvals, sorted by digest, each once. Keys are held to the time of the call and to the clock.
pub(super) fn read(
    host: &dyn Host,
    args: &HandedArgs,
    at: Option<Timestamp>,
) -> Result<Vec<Handed>, CliError> {
    let clock = host.now();
    read_at(host, args, at.unwrap_or(clock), clock)
}

fn read_at(
    host: &dyn Host,
    args: &HandedArgs,
    at: Timestamp,
    clock: Timestamp,
) -> Result<Vec<Handed>, CliError> {
    let Some(file) = args.approvers.as_deref().filter(|_| !args.approval.is_empty()) else {
        return Ok(Vec::new());
    };
    if args.approval.len() > limits::HANDED_APPROVALS {
        let message = format!("more than {} approvals are handed over", limits::HANDED_APPROVALS);
        return Err(CliError::new(Category::InvalidInput, "usage.invalid", message));
    }
    let known = approvals::read(host, file)?;
    let mut all = Vec::new();
    for path in &args.approval {
        let bytes = host.read(path, limits::ENVELOPE_BYTES as u64)?;
        let handed = approvals::verify(&bytes, &known, at, clock);
        all.push(handed.map_err(|error| refused(path, file, &error))?);
    }
    Ok(approvals::distinct(all))
}

fn refused(path: &Path, trust: &Path, error: &VerifyError) -> CliError {
    let refused = CliError::from(error.clone()).in_file(path);
    match error {
        VerifyError::KeyUnknown(_) => refused.hint(format!(
            "`gait trust add --file {}` says whose key it is, where you know it",
            trust.display()
        )),
        _ => refused.hint("an approval is what `gait approve` wrote; take it again from whoever gave it"),
    }
}

/// What became of each approval, for people: a line each, by who gave them.
pub(super) fn lines(handed: &[HandedOver]) -> Vec<String> {
    let mut sorted: Vec<&HandedOver> = handed.iter().collect();
    sorted.sort_by_key(|one| (&one.by, one.digest));
    let line = |one: &&HandedOver| {
        let who = format!("{}: {}", one.by, one.standing.said());
        format!("  given   {}", one_line(&who))
    };
    sorted.iter().map(line).collect()
}
