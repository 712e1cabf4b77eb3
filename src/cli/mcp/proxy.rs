//! `gait mcp proxy`: starts an MCP server and lets through what the policy allows. It reads keys, bundle and flags; it decides nothing.

use super::server;
use super::setup::{GateArgs, Judged};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::journal;
use crate::cli::load;
use crate::cli::ui::Ui;
use crate::host::{self, Around, Host, Os};
use crate::mcp::{self, AskError, Kept, ProxyError, Setup};
use std::ffi::OsString;
use std::path::PathBuf;

/// Put the gate before one MCP server that talks over standard input and output
///
/// Put it where the agent's configuration names the server: `gait mcp proxy --bundle policy.gaitbundle -- SERVER ARGS`. A call
/// that is not allowed is not passed on; the model is told why.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle that decides
    #[arg(long, value_name = "FILE", default_value = load::BUNDLE)]
    bundle: PathBuf,
    /// What stands before the names of the server's tools in the policy, with a dot
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Who asks, as policies see it
    #[arg(long, value_name = "WHO", default_value = "mcp-client")]
    identity: String,
    /// The folder from which every path here is, and in which sessions are; the server is started in this folder
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The folder that relative paths in arguments are in [default: this folder]
    #[arg(long, value_name = "DIR")]
    workspace: Option<String>,
    /// The session of all calls [default: a new one]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// What the host knows of the calls: a JSON object with a member per fact the policy declares
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// What the runtime will do of what decisions oblige to
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    fulfils: Vec<String>,
    /// List all tools of the server, also those that the policy does not know
    #[arg(long)]
    show_all: bool,
    /// The lock of `gait mcp pin`: a tool that is not as it was pinned is neither listed nor called
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// The folder of traces
    #[arg(long, value_name = "DIR", default_value = "gait-out/traces")]
    traces: PathBuf,
    /// The trust file that says whose keys may approve, made by `gait trust`
    #[arg(long, value_name = "FILE")]
    approvers: Option<PathBuf>,
    /// The folder of approvals, as `gait approve` writes them
    #[arg(
        long,
        value_name = "DIR",
        default_value = "gait-out/approvals",
        requires = "approvers"
    )]
    approvals: PathBuf,
    #[command(flatten)]
    gate: GateArgs,
    /// The server and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Reads everything, starts the server, and stands in between.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let command = args.command.clone();
    // The agent's folder, in which the server is started whatever --home says.
    let folder = Os.folder();
    if let Some(home) = &args.home {
        Os.enter(home)?;
    }
    let (setup, kept) = setup(ui, host, args, folder.clone())?;
    let around = Around {
        env: &[],
        folder: folder.as_deref(),
    };
    match mcp::proxy(setup, kept, &command, &around) {
        Ok(()) => Ok(Exit::Success),
        Err(ProxyError::Start(error)) => Err(server::failed(&AskError::Start(error))),
        Err(error @ ProxyError::ServerEnded { .. }) => Err(CliError::new(
            Category::Internal,
            "mcp.server_ended",
            error.to_string(),
        )),
    }
}

fn setup(
    ui: &mut Ui,
    host: &dyn Host,
    args: Args,
    folder: Option<String>,
) -> Result<(Setup, Kept), CliError> {
    server::named(args.server.as_deref())?;
    let pinned = match &args.lock {
        Some(path) => Some(server::pins(host, path, args.server.as_ref())?),
        None => None,
    };
    let program = pinned.as_ref().and_then(|pinned| pinned.program);
    mcp::is_program(&args.command, program).map_err(|error| server::failed(&error))?;
    let session = match load::id("session", args.session)? {
        Some(session) => session,
        None => mcp::session_name(&host::nonce(host)?),
    };
    let kept = Kept {
        session: Some((session.clone(), journal(&session))),
        pins: pinned.map(|pinned| pinned.tools),
    };
    let setup = Judged {
        bundle: args.bundle,
        server: args.server,
        identity: args.identity,
        workspace: args.workspace.or(folder),
        facts: args.facts,
        fulfils: args.fulfils,
        show_all: args.show_all,
        traces: args.traces,
        approvers: args.approvers,
        approvals: args.approvals,
    }
    .setup(ui, host, &args.gate)?;
    Ok((setup, kept))
}
