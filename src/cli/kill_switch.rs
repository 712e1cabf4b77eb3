//! `gait kill-switch`: which calls are stopped, whatever a policy says. Each command is one file in `kill_switch/`.

mod add;
mod disable;
mod expire;
mod list;
mod renew;

use super::error::{Category, CliError};
use super::exit::Exit;
use super::key_args::{self, KeyArgs, TrustArgs};
use super::load;
use super::ui::{Tone, Ui, count, one_line, paint};
use crate::artifact::{Digest, KillSwitch, StopEntry, kill_switch as document, time};
use crate::host::Host;
use crate::json::Json;
use crate::kill_switch::{FILE, KillSwitchError, Operator, Written};
use crate::limits;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Stop calls at once, whatever the policy says of them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(Box<add::Args>),
    List(list::Args),
    Disable(disable::Args),
    Expire(expire::Args),
    Renew(renew::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Add(args) => add::run(ui, host, *args),
        Command::List(args) => list::run(ui, host, args),
        Command::Disable(args) => disable::run(ui, host, args),
        Command::Expire(args) => expire::run(ui, host, args),
        Command::Renew(args) => renew::run(ui, host, args),
    }
}

/// The kill switch.
#[derive(Debug, clap::Args)]
struct FileArgs {
    /// The signed state of the kill switch
    #[arg(long, value_name = "FILE", default_value = FILE)]
    file: PathBuf,
}

/// The kill switch, and who changes it.
#[derive(Debug, clap::Args)]
struct ChangeArgs {
    #[command(flatten)]
    file: FileArgs,
    /// How long the new state is fresh; a stale one blocks every call under a strict profile
    #[arg(long, value_name = "DURATION", default_value = "7d")]
    fresh_for: String,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Changes the kill switch and reports what it is now.
fn changed(
    ui: &mut Ui,
    host: &dyn Host,
    args: &ChangeArgs,
    work: impl FnOnce(&Operator<'_>) -> Result<Written, KillSwitchError>,
) -> Result<Exit, CliError> {
    let flag = ("--fresh-for", "stop.fresh_for");
    let fresh_for = load::duration(flag, &args.fresh_for, limits::KILL_SWITCH_MILLIS)?;
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let key = key_args::signing_key(host, &args.key)?;
    key_args::accepted(host, &key, &trusted)?;
    let (state, digest) = work(&Operator {
        host,
        path: &args.file.file,
        trusted: &trusted,
        key: &key,
        fresh_for,
    })?;
    report(ui, &args.file.file, (&state, digest), host.now())?;
    Ok(Exit::Success)
}

/// Shows a state.
fn report(
    ui: &mut Ui,
    path: &Path,
    (state, digest): (&KillSwitch, Digest),
    now: Timestamp,
) -> Result<(), CliError> {
    if ui.is_json() {
        let stops = state.stops.iter().map(|entry| one(entry, now)).collect();
        return ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(path.to_string_lossy())),
            ("digest", digest.to_json()),
            (
                "sequence",
                Json::int(i64::try_from(state.sequence).unwrap_or(i64::MAX)),
            ),
            ("issued_at", Json::str(time::print(state.issued_at))),
            ("fresh_until", Json::str(time::print(state.fresh_until))),
            ("stale", Json::Bool(now >= state.fresh_until)),
            ("stops", Json::Array(stops)),
        ]));
    }
    for entry in &state.stops {
        people(ui, entry, now)?;
    }
    let on = state.stops.iter().filter(|entry| entry.is_on(now)).count();
    let fresh = if now >= state.fresh_until {
        "stale since"
    } else {
        "fresh until"
    };
    ui.line(&format!(
        "{} on, {fresh} {}",
        count(on, "stop"),
        time::print(state.fresh_until)
    ))
}

fn one(entry: &StopEntry, now: Timestamp) -> Json {
    let mut shown = document::entry_to_json(entry);
    if let Json::Object(members) = &mut shown {
        members.push(("on".into(), Json::Bool(entry.is_on(now))));
    }
    shown
}

fn people(ui: &mut Ui, entry: &StopEntry, now: Timestamp) -> Result<(), CliError> {
    let state = if entry.is_on(now) {
        paint(Tone::Bad, "on")
    } else {
        paint(Tone::Good, "off")
    };
    ui.line(&format!("{state} {}", entry.stop.id))?;
    ui.line(&format!("  stops    {}", one_line(&entry.stop.scope.to_string())))?;
    ui.line(&format!("  reason   {}", one_line(&entry.reason)))?;
    ui.line(&format!("  by       {}", one_line(&entry.by)))?;
    ui.line(&format!("  since    {}", time::print(entry.added_at)))?;
    let ends = [("until", entry.expires_at), ("disabled", entry.disabled_at)].into_iter();
    let mut ends = ends.filter_map(|(word, at)| Some((word, at?)));
    ends.try_for_each(|(word, at)| ui.line(&format!("  {word:<8} {}", time::print(at))))
}

impl From<KillSwitchError> for CliError {
    fn from(error: KillSwitchError) -> Self {
        let message = error.to_string();
        let new = |category, code: &str| CliError::new(category, code, message);
        match error {
            KillSwitchError::Verify { path, error } => CliError::from(error).in_file(&path).hint(
                "this is not what an operator has signed; take the last state from whoever did, and renew it",
            ),
            KillSwitchError::Known(_) => new(Category::Unsafe, "stop.known").hint("name another `--id`"),
            KillSwitchError::Unknown(_) => {
                new(Category::InvalidInput, "stop.unknown").hint("`gait kill-switch list` shows the stops")
            }
            KillSwitchError::Off(_) => new(Category::InvalidInput, "stop.off")
                .hint("a stop that is off stays off; `gait kill-switch add` makes another one"),
            KillSwitchError::Scope { .. } => new(Category::InvalidInput, "stop.scope")
                .hint("a stop must be able to be about a call, or it would stop nothing"),
            KillSwitchError::Full => new(Category::InvalidInput, "stop.full"),
            KillSwitchError::Time => new(Category::InvalidInput, "usage.bad_time"),
            KillSwitchError::Build(error) => error.into(),
            KillSwitchError::Host(error) => error.into(),
        }
    }
}
