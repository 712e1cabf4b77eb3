//! `gait kill-switch add`: a stop, on from now on.

use super::ChangeArgs;
use crate::artifact::{StopEntry, time};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::ui::Ui;
use crate::domain::{Stop, StopScope, StopTarget};
use crate::host::Host;

/// Stop calls from now on
///
/// A call is stopped where everything named here holds of it, as one call or as a step of a script. Tools and
/// targets are what the policy declares and derives; what a caller says of itself stops it where it does not say it, too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the stop, which traces show
    #[arg(long, value_name = "ID")]
    id: String,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who stops them
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    scope: ScopeArgs,
    /// When the stop goes off by itself, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339")]
    until: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Which calls.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct ScopeArgs {
    /// A tool, or all under a name, such as mail.*
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// Who asks for the call
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// The agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// A folder; calls of workspaces in it are stopped
    #[arg(long, value_name = "FOLDER")]
    workspace: Option<String>,
    /// A file or folder; calls with a target in it are stopped
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// A target: host, url, email or name, such as host=acme.com, which is about what is under it, too
    #[arg(long, value_name = "KIND=VALUE", value_parser = target)]
    target: Option<StopTarget>,
    /// Every call
    #[arg(long, conflicts_with_all = ["tool", "identity", "agent", "environment", "workspace", "path", "target"])]
    all: bool,
}

fn target(text: &str) -> Result<StopTarget, String> {
    let pair = text
        .split_once('=')
        .filter(|(kind, _)| StopTarget::KINDS.contains(kind));
    let (kind, value) = pair.ok_or_else(|| {
        let kinds = StopTarget::KINDS.join(", ");
        format!("write KIND=VALUE, with a kind of {kinds}; paths are named with --path")
    })?;
    Ok(StopTarget {
        kind: kind.to_owned(),
        value: value.to_owned(),
    })
}

/// Adds the stop.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let id = load::id("stop", Some(args.id))?.unwrap_or_default();
    let now = time::cut(host.now());
    let until = args.until.as_deref().map(load::time).transpose()?.map(time::cut);
    if until.is_some_and(|until| until <= now) {
        let message = "`--until` is not in the future, so the stop would never be on";
        return Err(CliError::new(Category::InvalidInput, "usage.bad_time", message));
    }
    let named = args.scope;
    let entry = StopEntry {
        stop: Stop {
            id,
            scope: StopScope {
                tool: named.tool,
                identity: named.identity,
                agent: named.agent,
                environment: named.environment,
                workspace: named.workspace,
                path: named.path,
                target: named.target,
            },
        },
        reason: args.reason,
        by: args.by,
        added_at: now,
        expires_at: until,
        disabled_at: None,
    };
    super::changed(ui, host, &args.change, |operator| operator.add(entry))
}
