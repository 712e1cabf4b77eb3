//! `gait mcp proxy`: starts an MCP server and lets through what the policy allows. It reads keys, bundle and flags; it decides nothing.

use super::server;
use crate::approvals;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::{AskedArgs, journal};
use crate::cli::key_args::{self, KeyArgs, TrustArgs};
use crate::cli::load;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::Ui;
use crate::host::{self, Host, Os};
use crate::mcp::{self, AskError, Caller, ProxyError, Setup};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

/// Put the gate before one MCP server that talks over standard input and output
///
/// Put it where the agent's configuration names the server: `gait mcp proxy --bundle policy.gaitbundle -- SERVER ARGS`. A call
/// that is not allowed is not passed on; the model is told why.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle that decides
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// What stands before the names of the server's tools in the policy, with a dot
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Who asks, as policies see it
    #[arg(long, value_name = "WHO", default_value = "mcp-client")]
    identity: String,
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
    store: StoreArgs,
    #[command(flatten)]
    asked: AskedArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// The server and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Reads everything, starts the server, and stands in between.
pub fn run(_ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let command = args.command.clone();
    let setup = setup(host, args)?;
    match mcp::proxy(setup, &command) {
        Ok(()) => Ok(Exit::Success),
        Err(ProxyError::Start(error)) => Err(server::failed(&AskError::Start(error))),
        Err(ProxyError::Host(error)) => Err(error.into()),
        Err(error @ ProxyError::ServerEnded { .. }) => Err(CliError::new(
            Category::Internal,
            "mcp.server_ended",
            error.to_string(),
        )),
    }
}

fn setup(host: &dyn Host, args: Args) -> Result<Setup, CliError> {
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let boundary = load::boundary(host, &args.bundle, &trusted)?;
    let key = key_args::signing_key(host, &args.key)?;
    key_args::accepted(host, &key, &trusted)?;
    server::named(args.server.as_deref())?;
    let pins = match &args.lock {
        Some(path) => Some(server::pins(host, path, args.server.as_ref())?),
        None => None,
    };
    if let Some(file) = &args.approvers {
        // A misspelt path is found out now, and not by the first approval.
        approvals::read(host, file)?;
    }
    let session = match load::id("session", args.session)? {
        Some(session) => session,
        None => format!("mcp-{}", host::nonce(host)?.get(..16).unwrap_or_default()),
    };
    let kill_switch = match &args.asked.kill_switch {
        Some(path) => Some((path.clone(), args.asked.operators(host, &trusted)?)),
        None => None,
    };
    let workspace = match args.workspace {
        Some(workspace) => workspace,
        None => here()?,
    };
    Ok(Setup {
        boundary,
        key,
        store: args.store.open(host)?,
        traces: args.traces,
        session: Some((session.clone(), journal(&session))),
        kill_switch,
        approvals: args.approvers.map(|trust| (trust, args.approvals)),
        facts: args
            .facts
            .as_deref()
            .map(|path| load::facts(host, path))
            .transpose()?,
        fulfils: BTreeSet::from_iter(args.fulfils).into_iter().collect(),
        caller: Caller {
            server: args.server,
            identity: args.identity,
            workspace,
        },
        shows_all: args.show_all,
        pins,
    })
}

/// This folder, in which the server is started, too.
fn here() -> Result<String, CliError> {
    Os.folder().ok_or_else(|| {
        CliError::new(
            Category::InvalidInput,
            "mcp.workspace",
            "this folder has no name that can be written",
        )
        .hint("name the workspace with --workspace")
    })
}
