//! The statements that vouch for facts of a call: their flags, and what they say.

use crate::artifact::TraceRecord;
use crate::attestation::Statements;
use crate::boundary::Attested;
use crate::cli::error::{Category, CliError};
use crate::domain::reserved;
use crate::host::Host;
use jiff::Timestamp;
use std::path::PathBuf;

/// The statements of a call, and whose keys may attest.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AttestedArgs {
    /// A statement that vouches for a fact of the call, made by `gait attest`; may be repeated
    #[arg(long, value_name = "FILE", requires = "attestors")]
    pub attestation: Vec<PathBuf>,
    /// The trust file that says whose keys may attest, made by `gait trust`
    #[arg(long, value_name = "FILE")]
    pub attestors: Option<PathBuf>,
}

impl AttestedArgs {
    /// The statements that a trace was made with, at its time, for whoever decides again, and when the first of their keys was revoked
    /// since; none where none is named.
    pub fn statements_of(
        &self,
        host: &dyn Host,
        record: &TraceRecord,
    ) -> Result<Option<(Statements, Option<Timestamp>)>, CliError> {
        let Some(trust) = self.attestors.as_ref().filter(|_| !self.attestation.is_empty()) else {
            return Ok(None);
        };
        // What vouched for nothing then does not now, and the trace says why.
        let codes = &record.decision.reason_codes;
        if record.attested_with.is_empty() && codes.iter().any(|code| code == reserved::ATTESTATION) {
            return Ok(None);
        }
        let then = (record.created_at, record.attested_with.as_slice());
        let found = Statements::as_of(host, trust, &self.attestation, then);
        found.map(Some).map_err(|error| {
            CliError::new(Category::Verification, "attestation.refused", error.to_string())
                .hint("name every statement with --attestation, as it was handed over with the call")
        })
    }

    /// Files and whose keys may sign them, to be read for each call; none where no file is named.
    pub fn files(&self) -> Option<(PathBuf, Vec<PathBuf>)> {
        let trust = self.attestors.clone().filter(|_| !self.attestation.is_empty())?;
        Some((trust, self.attestation.clone()))
    }

    /// What was handed over; none where nothing was.
    pub fn read(&self, host: &dyn Host, at: Option<Timestamp>) -> Option<Attested> {
        let (trust, files) = self.files()?;
        Some(Statements::in_files(host, &trust, &files, at).into())
    }
}
