//! Which store a command uses: the flag and the variables of the environment, in one place.

use crate::cli::error::{Category, CliError};
use crate::host::Host;
use crate::store::{self, Store};
use std::path::{Path, PathBuf};

/// Where the store is unless another one is named.
const DEFAULT: &str = "gait-out/store";
/// Names the server of a fleet's store.
const URL: &str = "GAIT_STORE_URL";
/// Says that what is sent to that server may be read on the way.
#[cfg(feature = "postgres")]
const PLAINTEXT: &str = "GAIT_STORE_PLAINTEXT";

/// The store of a command.
#[derive(Clone, Debug, clap::Args)]
pub struct StoreArgs {
    /// The folder of the store, instead of gait-out/store or the server that GAIT_STORE_URL names: counters of limits, approvals
    /// that are used up, where sessions are
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

impl StoreArgs {
    /// The store. It is opened when it is needed, and not before.
    pub fn open(&self, host: &dyn Host) -> Result<Box<dyn Store>, CliError> {
        match (host.env(URL), &self.store) {
            (None, folder) => {
                let folder = folder.as_deref().unwrap_or(Path::new(DEFAULT));
                Ok(store::embedded(folder))
            }
            (Some(_), Some(_)) => {
                let message = format!("`--store` names a store, and so does {URL}");
                Err(CliError::new(Category::InvalidInput, "store.two", message)
                    .hint("calls are counted in one place; leave one of them out"))
            }
            (Some(url), None) => server(host, &url),
        }
    }
}

#[cfg(feature = "postgres")]
fn server(host: &dyn Host, url: &str) -> Result<Box<dyn Store>, CliError> {
    use crate::store::{Postgres, postgres::Network};
    let network = match host.env(PLAINTEXT).as_deref() {
        Some("1") => Network::Any,
        _ => Network::Local,
    };
    let store = Postgres::new(url, network).map_err(|error| {
        CliError::new(Category::InvalidInput, "store.url", format!("{URL}: {error}")).hint(format!(
            "write it like postgresql://gait@localhost/gait; for a server elsewhere make a tunnel, or set {PLAINTEXT}=1 \
             where the network is yours alone"
        ))
    })?;
    Ok(Box::new(store))
}

/// Calls that were counted on this machine alone would not be counted.
#[cfg(not(feature = "postgres"))]
fn server(_host: &dyn Host, _url: &str) -> Result<Box<dyn Store>, CliError> {
    let message = format!("{URL} is set, and this gait was built without PostgreSQL");
    Err(
        CliError::new(Category::MissingDependency, "store.no_postgres", message)
            .hint("build it with the feature `postgres`"),
    )
}
