//! `gait completions`: the script that makes a shell complete commands and flags. It writes to standard output and
//! leaves installing it to the user.

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::host::Host;
use crate::json::Json;
use clap::CommandFactory;
use clap_complete::Shell;

/// Print a completion script for a shell
///
/// For bash: gait completions bash > ~/.local/share/bash-completion/completions/gait
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(ui: &mut Ui, _host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "gait", &mut script);
    if ui.is_json() {
        let text = String::from_utf8_lossy(&script);
        let members = [
            ("ok", Json::Bool(true)),
            ("shell", Json::str(args.shell.to_string())),
            ("script", Json::str(text)),
        ];
        ui.json(&Json::object(members))?;
    } else {
        ui.raw(&script)?;
    }
    Ok(Exit::Success)
}
