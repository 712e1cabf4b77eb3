//! `gait mcp verify`: whether the tools of a server are what was pinned. It writes nothing and calls no tool.

use super::server::{self, ServerArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, count, paint};
use crate::host::Host;
use crate::json::Json;
use crate::mcp::{self, pins};

/// Compare the tools of an MCP server with its pins
///
/// Starts the server, asks what its tools are and calls none. Exits 5 where a tool is new, gone, defined otherwise, or there twice.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks the server, and compares.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let args = args.server;
    server::named(args.server.as_deref())?;
    let pinned = server::pins(host, &args.lock, args.server.as_ref())?;
    mcp::is_program(&args.command, pinned.program).map_err(|error| server::failed(&error))?;
    let pinned = pinned.tools;
    let list = server::list(host, &args)?;
    let changes = pins::changes(&pinned, &list.listed);
    let exit = match changes.is_empty() {
        true => Exit::Success,
        false => Exit::Regression,
    };
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(exit == Exit::Success)),
            ("lock", Json::str(args.lock.to_string_lossy())),
            ("server", args.server.map_or(Json::Null, Json::str)),
            (
                "tools",
                Json::int(i64::try_from(pinned.len()).unwrap_or(i64::MAX)),
            ),
            ("changes", server::documents(&changes)),
            ("exit_code", Json::int(i64::from(exit.code()))),
        ]))?;
        return Ok(exit);
    }
    server::tell(ui, &changes)?;
    if exit == Exit::Success {
        let state = paint(Tone::Good, "as pinned");
        ui.line(&format!("{} {state}", count(pinned.len(), "tool")))?;
    } else {
        let state = paint(Tone::Bad, "not as pinned");
        ui.line(&format!("{} {state}", count(changes.len(), "tool")))?;
        ui.note("read what changed; `gait mcp pin` accepts it");
    }
    Ok(exit)
}
