//! Which store a command uses: the flag, in one place.

use crate::store::{self, Store};
use std::path::PathBuf;

/// Where the store is unless another folder is named.
const DEFAULT: &str = "gait-out/limits";

/// The store of a command.
#[derive(Clone, Debug, clap::Args)]
pub struct StoreArgs {
    /// The folder of the store: counters of limits, approvals that are used up, where sessions are
    #[arg(long, value_name = "DIR", default_value = DEFAULT)]
    ledger: PathBuf,
}

impl StoreArgs {
    /// The store. It is opened when it is needed, and not before.
    pub fn open(&self) -> Box<dyn Store> {
        store::embedded(&self.ledger)
    }
}
