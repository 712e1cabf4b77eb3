//! The delegation that a call is made under: its flags, and the chain that they name.

use crate::artifact::TraceRecord;
use crate::boundary::Delegated;
use crate::cli::error::{Category, CliError};
use crate::delegation::Chain;
use crate::domain::reserved;
use crate::host::Host;
use jiff::Timestamp;
use std::path::PathBuf;

/// The tokens of a call, and who may delegate.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DelegatedArgs {
    /// A link of the chain of delegation that the call is made under, made by `gait delegate`; may be repeated
    #[arg(long, value_name = "FILE", requires = "delegators")]
    pub delegation: Vec<PathBuf>,
    /// The trust file that says whose keys may delegate, made by `gait trust`
    #[arg(long, value_name = "FILE")]
    pub delegators: Option<PathBuf>,
}

impl DelegatedArgs {
    /// The chain that a trace was made under, at its time, for whoever decides again, and when its first key was revoked since; none
    /// where no token is named.
    pub fn chain_of(
        &self,
        host: &dyn Host,
        record: &TraceRecord,
    ) -> Result<Option<(Chain, Option<Timestamp>)>, CliError> {
        let Some(trust) = self.delegators.as_ref().filter(|_| !self.delegation.is_empty()) else {
            return Ok(None);
        };
        // What made no chain then makes none now, and the trace says why.
        let codes = &record.decision.reason_codes;
        if record.delegated_with.is_empty() && codes.iter().any(|code| code == reserved::DELEGATION) {
            return Ok(None);
        }
        let then = (record.created_at, record.delegated_with.as_slice());
        let chain = Chain::as_of(host, trust, &self.delegation, then);
        chain.map(Some).map_err(|error| {
            CliError::new(Category::Verification, "delegation.chain", error.to_string())
                .hint("name every link with --delegation, as it was handed over with the call")
        })
    }

    /// Files and whose keys may sign the first of them, to be read for each call; none where no file is named.
    pub fn files(&self) -> Option<(PathBuf, Vec<PathBuf>)> {
        let trust = self.delegators.clone().filter(|_| !self.delegation.is_empty())?;
        Some((trust, self.delegation.clone()))
    }

    /// What was handed over; none where nothing was.
    pub fn read(&self, host: &dyn Host, at: Option<Timestamp>) -> Option<Delegated> {
        let (trust, links) = self.files()?;
        Some(Chain::in_files(host, &trust, &links, at).into())
    }
}
