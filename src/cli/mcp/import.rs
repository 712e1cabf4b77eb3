//! `gait mcp import`: puts the gate before the servers of a client's configuration, and takes it away again. It shows what would change, and
//! changes it where it is told to; a backup is there before.

use super::server;
use crate::artifact::tool_lock;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::json_text;
use crate::cli::render::diff;
use crate::cli::ui::{Ui, count, safe};
use crate::host::{Around, Host, HostError, Mode, Os};
use crate::import::{self, Imported, Options};
use crate::json::{self, Json, JsonErrorKind};
use crate::limits;
use crate::mcp;
use crate::mcp::clients::{self, ClientsError, Entry, State, Through};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What the name of a backup ends with.
const BACKUP: &str = ".before-gait";

/// Put the gate before the MCP servers of an agent's configuration
///
/// Reads `.mcp.json`, the configuration of Claude Desktop, of Cursor or of VS Code, and shows it with `gait mcp proxy` before each server
/// that is started. Nothing is written without --write. Servers at addresses stay as they are, and are named.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write it; the configuration as it was is kept in FILE.before-gait
    #[arg(long)]
    write: bool,
    /// Take the gate away again
    #[arg(long, conflicts_with_all = ["bundle", "lock", "policy", "home"])]
    undo: bool,
    /// The bundle that decides, from --home
    #[arg(long, value_name = "FILE", default_value = "policy.gaitbundle")]
    bundle: String,
    /// Hold the servers to this lock, from --home, and pin in it those that are not: they are started for that, and no tool is called
    #[arg(long, value_name = "FILE")]
    lock: Option<String>,
    /// Draft a policy, a new file, that declares the tools of the servers: they are started for that, and no tool is called
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The folder of keys, store, traces and sessions [default: this folder]
    #[arg(long, value_name = "DIR")]
    home: Option<String>,
}

/// What changes.
struct Change {
    old: String,
    new: String,
    entries: Vec<Entry>,
    policy: Option<Imported>,
}

/// Shows what changes, and changes it where it is to.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let file = &args.file;
    let bytes = host.read(file, limits::JSON_BYTES as u64)?;
    let backup = backup_of(file);
    let (home, mut change) = match args.undo {
        true => (PathBuf::new(), undone(host, file, &backup, &bytes)?),
        false => imported(&args, &bytes)?,
    };
    let writes = args.write && change.old != change.new;
    if writes && !args.undo {
        keep(host, &backup, &bytes)?;
    }
    change.policy = drafted(host, &args, &home, &change.entries)?;
    if writes {
        if let (Some(path), Some(drafted)) = (&args.policy, &change.policy) {
            host.write_new(path, drafted.source.as_bytes(), Mode::Public)?;
        }
        host.write_atomic(file, change.new.as_bytes(), Mode::Kept)?;
    }
    tell(ui, &args, &backup, &change, writes)?;
    Ok(Exit::Success)
}

fn backup_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(BACKUP);
    PathBuf::from(name)
}

fn parsed(path: &Path, bytes: &[u8]) -> Result<Json, CliError> {
    json::parse(bytes).map_err(|error| {
        let message = format!("it cannot be read: {error}");
        let told = CliError::new(Category::InvalidInput, "mcp.import_not_json", message).in_file(path);
        match error.kind {
            JsonErrorKind::Syntax => told
                .hint("comments and commas at the end are no JSON, and would be lost; take them out first"),
            _ => told,
        }
    })
}

fn refused(path: &Path, error: &ClientsError) -> CliError {
    CliError::new(Category::InvalidInput, "mcp.import_shape", error.to_string()).in_file(path)
}

/// Keeps the configuration as it was. A backup of something else is not written over.
fn keep(host: &dyn Host, backup: &Path, bytes: &[u8]) -> Result<(), CliError> {
    match host.write_new(backup, bytes, Mode::Private) {
        Err(HostError::Exists { .. }) => {
            let kept = host.read(backup, limits::JSON_BYTES as u64)?;
            if kept == bytes {
                return Ok(());
            }
            let message = "it is the backup of something else";
            Err(CliError::new(Category::Unsafe, "mcp.import_backup", message)
                .hint("`--undo` takes the gate away; or move the backup to another place")
                .in_file(backup))
        }
        kept => Ok(kept?),
    }
}

fn imported(args: &Args, bytes: &[u8]) -> Result<(PathBuf, Change), CliError> {
    let config = parsed(&args.file, bytes)?;
    let home = match &args.home {
        Some(home) => home.clone(),
        None => Os
            .folder()
            .ok_or_else(|| nameless("mcp.import_home", "this folder"))?,
    };
    if !Path::new(&home).is_absolute() {
        let message = format!("`{}` does not begin at the root", home.escape_debug());
        return Err(CliError::new(Category::InvalidInput, "mcp.import_home", message)
            .hint("agents start servers in folders of their own"));
    }
    let mut own = vec![
        "--home".to_owned(),
        home.clone(),
        "--bundle".to_owned(),
        args.bundle.clone(),
    ];
    if let Some(lock) = &args.lock {
        own.extend(["--lock".to_owned(), lock.clone()]);
    }
    let through = Through {
        program: Os
            .program()
            .ok_or_else(|| nameless("mcp.import_program", "the program gait"))?,
        args: own,
    };
    let (changed, entries) =
        clients::through(&config, &through).map_err(|error| refused(&args.file, &error))?;
    let change = Change {
        old: String::from_utf8_lossy(bytes).into_owned(),
        // What is the same keeps its layout, too.
        new: match changed == config {
            true => String::from_utf8_lossy(bytes).into_owned(),
            false => json_text::write(&changed),
        },
        entries,
        policy: None,
    };
    Ok((home.into(), change))
}

fn nameless(code: &str, what: &str) -> CliError {
    let message = format!("{what} has no name that can be written");
    CliError::new(Category::InvalidInput, code, message)
}

/// The policy that declares the tools of servers, and their pins, where either is asked for.
fn drafted(
    host: &dyn Host,
    args: &Args,
    home: &Path,
    entries: &[Entry],
) -> Result<Option<Imported>, CliError> {
    if args.policy.is_none() && args.lock.is_none() {
        return Ok(None);
    }
    let mut tools = Vec::new();
    for entry in entries {
        let State::Gated(started) = &entry.state else {
            continue;
        };
        let command: Vec<OsString> = started.command.iter().map(OsString::from).collect();
        let around = Around {
            env: &started.env,
            folder: None,
        };
        let list = mcp::tools(&command, &around).map_err(|error| server::no_list(&error))?;
        if let (Some(lock), true) = (&args.lock, args.write) {
            pin(host, &home.join(lock), &started.server, &list.listed)?;
        }
        tools.extend(list.tools.iter().map(|tool| named(tool, &started.server)));
    }
    Ok(args.policy.as_ref().map(|_| {
        let options = Options {
            policy_name: "imported.mcp".to_owned(),
            ..Options::default()
        };
        import::tools(&Json::Array(tools), &options)
    }))
}

/// Pins a server that is not pinned yet; one that is stays as somebody looked at it.
fn pin(host: &dyn Host, path: &Path, name: &str, listed: &tool_lock::Listed) -> Result<(), CliError> {
    let name = Some(name.to_owned());
    let pinned = server::lock(host, path)?.is_some_and(|lock| lock.servers.contains_key(&name));
    match pinned {
        true => Ok(()),
        false => server::pin(host, path, &name, (None, listed)).map(|_| ()),
    }
}

/// A tool as policies call it.
fn named(tool: &Json, server: &str) -> Json {
    let mut members = tool.as_object().unwrap_or_default().to_vec();
    for (key, value) in &mut members {
        if let (true, Some(name)) = (key == "name", value.as_str()) {
            *value = Json::str(format!("{server}.{name}"));
        }
    }
    Json::Object(members)
}

/// The configuration as it was. Where it was changed since in another way, that would be lost.
fn undone(host: &dyn Host, file: &Path, backup: &Path, bytes: &[u8]) -> Result<Change, CliError> {
    let before = host.read(backup, limits::JSON_BYTES as u64)?;
    let (config, original) = (parsed(file, bytes)?, parsed(backup, &before)?);
    let plain = |path: &Path, config: &Json| clients::without(config).map_err(|error| refused(path, &error));
    if plain(file, &config)? != plain(backup, &original)? {
        let message = "it has been changed since, and going back would lose that";
        return Err(CliError::new(Category::Unsafe, "mcp.import_changed", message)
            .hint("compare it with the backup, and change it by hand")
            .in_file(file));
    }
    Ok(Change {
        old: String::from_utf8_lossy(bytes).into_owned(),
        new: String::from_utf8_lossy(&before).into_owned(),
        entries: Vec::new(),
        policy: None,
    })
}

fn tell(ui: &mut Ui, args: &Args, backup: &Path, change: &Change, written: bool) -> Result<(), CliError> {
    let name = args.file.to_string_lossy();
    let shown = diff::unified(&name, &safe(&change.old), &safe(&change.new));
    if ui.is_json() {
        return ui.json(&document(args, backup, change, written, &shown));
    }
    ui.raw(diff::coloured(&shown).as_bytes())?;
    for entry in &change.entries {
        match &entry.state {
            State::Left(why) => ui.warn(&format!("`{}` is not behind the gate: {why}", entry.name)),
            State::Already => ui.note(&format!("`{}` is behind the gate already", entry.name)),
            State::Gated(started) => {
                ui.note(&format!("`{}` is `{}` in policies", entry.name, started.server));
            }
        }
    }
    if let Some(drafted) = &change.policy {
        for refused in &drafted.refused {
            ui.warn(&format!(
                "`{}` is not in the policy: {}",
                refused.tool, refused.message
            ));
        }
        ui.note(&format!("{} declared; add rules", count(drafted.tools, "tool")));
    }
    if !written && change.old != change.new {
        ui.note("nothing is written; --write does it");
    }
    Ok(())
}

fn document(args: &Args, backup: &Path, change: &Change, written: bool, diff: &str) -> Json {
    let entry = |entry: &Entry| {
        let (state, server, why) = match &entry.state {
            State::Gated(started) => ("gated", Json::str(&started.server), Json::Null),
            State::Already => ("already", Json::Null, Json::Null),
            State::Left(why) => ("left", Json::Null, Json::str(*why)),
        };
        Json::object([
            ("name", Json::str(&entry.name)),
            ("state", Json::str(state)),
            ("server", server),
            ("why", why),
        ])
    };
    let policy = match (&args.policy, &change.policy) {
        (Some(path), Some(drafted)) => Json::object([
            ("file", Json::str(path.to_string_lossy())),
            (
                "tools",
                Json::int(i64::try_from(drafted.tools).unwrap_or(i64::MAX)),
            ),
            ("source", Json::str(&drafted.source)),
        ]),
        _ => Json::Null,
    };
    Json::object([
        ("ok", Json::Bool(true)),
        ("file", Json::str(args.file.to_string_lossy())),
        ("backup", Json::str(backup.to_string_lossy())),
        ("written", Json::Bool(written)),
        ("servers", Json::Array(change.entries.iter().map(entry).collect())),
        ("policy", policy),
        ("diff", Json::str(diff)),
    ])
}
