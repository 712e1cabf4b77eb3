//! The kill switch that a gate asks: its flags, and the keys they stand for.

use crate::artifact::TrustedKeys;
use crate::cli::error::CliError;
use crate::cli::key_args;
use crate::host::Host;
use std::path::PathBuf;

/// The kill switch that is asked.
#[derive(Debug, clap::Args)]
pub struct AskedArgs {
    /// The kill switch, whose stops block calls whatever the policy says
    #[arg(long, value_name = "FILE")]
    pub kill_switch: Option<PathBuf>,
    /// A public key that may have signed the kill switch; may be repeated [default: the trusted keys]
    #[arg(long, value_name = "FILE", requires = "kill_switch")]
    operator: Vec<PathBuf>,
}

impl AskedArgs {
    /// Who may have signed it.
    pub fn operators(&self, host: &dyn Host, trusted: &TrustedKeys) -> Result<TrustedKeys, CliError> {
        match self.operator.as_slice() {
            [] => Ok(trusted.clone()),
            files => key_args::named_keys(host, files),
        }
    }
}
