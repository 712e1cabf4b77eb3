//! The server that a command is about, its pins, and what of it differs from them. It asks the server through `mcp` and prints what
//! comes of it; it compares nothing itself.

use crate::artifact::tool_lock::{self, Listed, Pinned, ToolLock};
use crate::artifact::{Digest, is_id};
use crate::cli::error::{Category, CliError};
#[cfg(all(feature = "serve", unix))]
use crate::cli::listen;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::{self, Around, Host, HostError, Mode};
#[cfg(all(feature = "serve", unix))]
use crate::http::Target;
use crate::json::Json;
use crate::limits;
use crate::mcp::pins::{self, Change, Drift};
use crate::mcp::{self, AskError, List, ListError, RESERVED};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A server and its lock.
#[derive(Debug, clap::Args)]
pub struct ServerArgs {
    /// The name of the server, as policies write it before its tools
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// The lock
    #[arg(long, value_name = "FILE", default_value = tool_lock::NAME)]
    pub lock: PathBuf,
    /// Ask a server at this address of this machine instead
    #[cfg(all(feature = "serve", unix))]
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    pub url: Option<String>,
    /// The bearer token that it is shown, in a file that only you may read
    #[cfg(all(feature = "serve", unix))]
    #[arg(long, value_name = "FILE", requires = "url")]
    pub token_file: Option<PathBuf>,
    /// The server and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Refuses what is no name of a server.
pub fn named(server: Option<&str>) -> Result<(), CliError> {
    match server.filter(|name| !is_id(name) || *name == RESERVED) {
        None => Ok(()),
        Some(server) => {
            let message = format!("`{}` is no name of a server", server.escape_debug());
            Err(CliError::new(Category::InvalidInput, "mcp.server", message)
                .hint("use a-z, 0-9, `-` and `_`, as the policy writes it before the tools; `mcp` is the gateway's own"))
        }
    }
}

/// The lock of a file; none where there is no file.
pub fn lock(host: &dyn Host, path: &Path) -> Result<Option<ToolLock>, CliError> {
    let bytes = match host.read(path, limits::JSON_BYTES as u64) {
        Err(HostError::NotFound { .. }) => return Ok(None),
        read => read?,
    };
    ToolLock::parse(&bytes).map(Some).map_err(|error| {
        CliError::new(Category::InvalidInput, "mcp.lock", error.to_string())
            .hint("take the file from where it was whole, or pin every server anew")
            .in_file(path)
    })
}

/// What was pinned of a server.
pub fn pins(host: &dyn Host, path: &Path, server: Option<&String>) -> Result<Pinned, CliError> {
    let Some(mut lock) = lock(host, path)? else {
        let path = path.to_owned();
        return Err(CliError::from(HostError::NotFound { path }).hint("`gait mcp pin` makes it"));
    };
    lock.servers.remove(&server.cloned()).ok_or_else(|| {
        let message = match server {
            Some(server) => format!("nothing of the server `{server}` is pinned"),
            None => "nothing of a server without a name is pinned".to_owned(),
        };
        CliError::new(Category::InvalidInput, "mcp.lock_server", message)
            .hint("name the server as `gait mcp pin --server NAME` did")
            .in_file(path)
    })
}

/// Pins a server anew: what changes in the lock, and whether it was written.
pub fn pin(
    host: &dyn Host,
    path: &Path,
    name: &Option<String>,
    (program, listed): (Option<Digest>, &Listed),
) -> Result<(Vec<Change>, bool), CliError> {
    if let Some(name) = listed.twice.first() {
        let message = format!("two tools of the server are called `{}`", name.escape_debug());
        return Err(CliError::new(Category::Unsafe, "mcp.pin_twice", message)
            .hint("which of them a call would run nobody knows, so neither can be pinned"));
    }
    // Two servers that are pinned at once are both in the lock.
    host::alone(host, path, || {
        let mut lock = lock(host, path)?.unwrap_or_default();
        let before = lock.servers.get(name).cloned();
        let now = Pinned {
            program,
            tools: listed.tools.clone(),
        };
        let changes = pins::changes(&before.clone().unwrap_or_default().tools, listed);
        let written = before.as_ref() != Some(&now);
        lock.servers.insert(name.clone(), now);
        let bytes = lock.to_file();
        if bytes.len() > limits::JSON_BYTES {
            let message = format!("the lock would be over {} bytes", limits::JSON_BYTES);
            return Err(
                CliError::new(Category::InvalidInput, "mcp.lock_too_large", message)
                    .hint("pin the server in a lock of its own"),
            );
        }
        if written {
            host.write_atomic(path, &bytes, Mode::Public)?;
        }
        Ok((changes, written))
    })?
}

/// What the tools of the server are now.
pub fn list(host: &dyn Host, args: &ServerArgs) -> Result<List, CliError> {
    #[cfg(all(feature = "serve", unix))]
    if let Some(url) = &args.url {
        let target = Target::read(url).map_err(|why| {
            let message = format!("`{}`: {why}", url.escape_debug());
            CliError::new(Category::InvalidInput, "mcp.url", message)
        })?;
        let token = listen::shown(host, args.token_file.as_deref())?;
        return mcp::tools_at(target, token).map_err(|error| no_list(&error));
    }
    let _ = host;
    if args.command.is_empty() {
        let message = "after `--` stands the command that starts the server";
        return Err(CliError::new(Category::InvalidInput, "usage.invalid", message));
    }
    mcp::tools(&args.command, &Around::default()).map_err(|error| no_list(&error))
}

/// Why there is no list of tools.
pub fn no_list(error: &ListError<AskError>) -> CliError {
    match error {
        ListError::Ask(error) => failed(error),
        error => CliError::new(Category::Internal, "mcp.list", error.to_string()),
    }
}

/// Why a server does not say what its tools are.
pub fn failed(error: &AskError) -> CliError {
    match error {
        AskError::Program => CliError::new(Category::Regression, error.code(), error.to_string())
            .hint("find out who changed it; `gait mcp pin --program` accepts it"),
        AskError::Start(_) => CliError::new(Category::MissingDependency, error.code(), error.to_string())
            .hint("after `--` stands the command that starts the server, as in the agent's configuration"),
        _ => CliError::new(Category::Internal, error.code(), error.to_string()),
    }
}

/// Tells people what differs.
pub fn tell(ui: &mut Ui, changes: &[Change]) -> Result<(), CliError> {
    for change in changes {
        let mark = match change.drift {
            Drift::New => "+",
            Drift::Gone => "-",
            Drift::Changed => "~",
            Drift::Twice => "!",
        };
        let word = paint(Tone::Strong, &change.tool);
        ui.line(&format!("{mark} {word} {}", change.drift.as_str()))?;
        for member in &change.members {
            let place = match member.pointer.as_str() {
                "" => String::new(),
                pointer => format!("{} ", one_line(pointer)),
            };
            for (mark, tone, value) in [("-", Tone::Bad, &member.old), ("+", Tone::Good, &member.new)] {
                if let Some(value) = value {
                    let text = paint(tone, &format!("{mark} {place}{}", tool_lock::text(value)));
                    ui.line(&format!("    {text}"))?;
                }
            }
        }
    }
    Ok(())
}

/// The same for programs.
pub fn documents(changes: &[Change]) -> Json {
    let digest = |digest: Option<Digest>| digest.map_or(Json::Null, |digest| digest.to_json());
    let text = |value: &Option<Json>| {
        value
            .as_ref()
            .map_or(Json::Null, |json| Json::str(tool_lock::text(json)))
    };
    let one = |change: &Change| {
        let member = |one: &mcp::pins::Member| {
            Json::object([
                ("pointer", Json::str(&one.pointer)),
                ("old", text(&one.old)),
                ("new", text(&one.new)),
            ])
        };
        Json::object([
            ("tool", Json::str(&change.tool)),
            ("drift", Json::str(change.drift.as_str())),
            ("old", digest(change.old)),
            ("new", digest(change.new)),
            (
                "members",
                Json::Array(change.members.iter().map(member).collect()),
            ),
        ])
    };
    Json::Array(changes.iter().map(one).collect())
}
