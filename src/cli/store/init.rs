//! `gait store init`: makes a store that is not there yet, so that those who use it need no right to make tables.

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failure;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, one_line};
use crate::host::Host;
use crate::json::Json;
use crate::store;

/// Make the store where it is not there yet
///
/// The first call that needs a store makes it, too; on a server this wants the right to make a schema.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
}

/// Makes it by a change that changes nothing.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let store = args.store.open(host)?;
    store::change(store.as_ref(), [], |_| Ok(())).map_err(|error| failure::store(&error))?;
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("place", Json::str(store.place())),
        ]))?;
    } else {
        ui.line(&format!("ready  {}", one_line(&store.place())))?;
    }
    Ok(Exit::Success)
}
