//! `gait mcp pin`: what the tools of a server are, in a lock. It tells what changes in the lock; it judges nothing.

use super::server::{self, ServerArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, count, one_line, paint};
use crate::host::Host;
use crate::json::Json;
use crate::mcp;

/// Pin the tools of an MCP server: write their definitions to a lock
///
/// Starts the server, asks what its tools are and calls none. What differs from an earlier pin is shown: pinning accepts it, so
/// read it first (`gait mcp verify` shows it and writes nothing). Other servers of the lock stay in it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Pin the program that starts the server, too: the file that the first word of its command names
    #[arg(long)]
    program: bool,
}

/// Asks the server, and writes the lock.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let (args, with_program) = (args.server, args.program);
    server::named(args.server.as_deref())?;
    let list = server::list(host, &args)?;
    let (path, name) = (&args.lock, args.server.clone());
    let program = with_program.then(|| mcp::program(&args.command)).transpose();
    let program = program.map_err(|error| server::failed(&error))?;
    let (changes, written) = server::pin(host, path, &name, (program, &list.listed))?;
    let tools = list.listed.tools.len();
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("lock", Json::str(path.to_string_lossy())),
            ("server", name.map_or(Json::Null, Json::str)),
            ("tools", Json::int(i64::try_from(tools).unwrap_or(i64::MAX))),
            ("program", program.map_or(Json::Null, |digest| digest.to_json())),
            ("written", Json::Bool(written)),
            ("changes", server::documents(&changes)),
        ]))?;
        return Ok(Exit::Success);
    }
    server::tell(ui, &changes)?;
    let state = paint(Tone::Good, if written { "written" } else { "up to date" });
    let path = one_line(&path.to_string_lossy());
    ui.line(&format!("{path}: {state} ({})", count(tools, "tool")))?;
    Ok(Exit::Success)
}
