//! `gait version`: the program's name and version. It reads nothing.

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;
use crate::json::Json;

/// Print the version
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the version this crate was built as.
pub fn run(ui: &mut Ui, _host: &dyn Host, _args: Args) -> Result<Exit, CliError> {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if ui.is_json() {
        let members = [
            ("ok", Json::Bool(true)),
            ("name", Json::str(name)),
            ("version", Json::str(version)),
        ];
        ui.json(&Json::object(members))?;
    } else {
        ui.line(&format!("{name} {version}"))?;
    }
    Ok(Exit::Success)
}
