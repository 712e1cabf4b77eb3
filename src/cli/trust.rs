//! `gait trust`: whose keys may approve. Each command is one file in `trust/`.

mod add;
mod list;
mod revoke;

use super::error::{Category, CliError};
use super::exit::Exit;
use super::keys::validity;
use super::ui::{Tone, Ui, one_line, paint};
use crate::approvals::{self, TRUST_FILE, TrustError};
use crate::artifact::{Approver, time};
use crate::domain::approval::Standing;
use crate::host::Host;
use crate::json::Json;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Say whose keys may approve
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(add::Args),
    List(list::Args),
    Revoke(revoke::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Add(args) => add::run(ui, host, args),
        Command::List(args) => list::run(ui, host, args),
        Command::Revoke(args) => revoke::run(ui, host, args),
    }
}

/// The trust file.
#[derive(Debug, clap::Args)]
struct FileArgs {
    /// The trust file
    #[arg(long, value_name = "FILE", default_value = TRUST_FILE)]
    file: PathBuf,
}

/// Whether a key may approve now, and its tone.
fn state(approver: &Approver, now: Timestamp) -> (&'static str, Tone) {
    match approvals::standing_of_key(approver, now) {
        Standing::KeyRevoked => ("revoked", Tone::Bad),
        Standing::KeyNotValid if approver.key.valid_from.is_some_and(|from| now < from) => {
            ("not_yet_valid", Tone::Warn)
        }
        Standing::KeyNotValid => ("expired", Tone::Warn),
        _ => ("valid", Tone::Good),
    }
}

fn document(approver: &Approver, now: Timestamp) -> Json {
    let instant = |at: Option<Timestamp>| at.map_or(Json::Null, |at| Json::str(time::print(at)));
    Json::object([
        ("principal", Json::str(&approver.principal)),
        ("key_id", approver.key.id().digest().to_json()),
        ("valid_from", instant(approver.key.valid_from)),
        ("valid_until", instant(approver.key.valid_until)),
        ("added_at", instant(Some(approver.added_at))),
        ("revoked_at", instant(approver.revoked_at)),
        ("state", Json::str(state(approver, now).0)),
    ])
}

fn people(ui: &mut Ui, approver: &Approver, now: Timestamp) -> Result<(), CliError> {
    let (state, tone) = state(approver, now);
    let state = paint(tone, &state.replace('_', " "));
    ui.line(&format!("{state} {}", one_line(&approver.principal)))?;
    ui.line(&format!("  key      {}", approver.key.id()))?;
    ui.line(&format!("  trusted  {}", validity(&approver.key)))?;
    match approver.revoked_at {
        Some(at) => ui.line(&format!("  revoked  {}", time::print(at))),
        None => Ok(()),
    }
}

/// Reports one key that was changed.
fn changed(ui: &mut Ui, host: &dyn Host, file: &Path, approver: &Approver) -> Result<Exit, CliError> {
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(file.to_string_lossy())),
            ("approver", document(approver, host.now())),
        ]))?;
    } else {
        people(ui, approver, host.now())?;
    }
    Ok(Exit::Success)
}

impl From<TrustError> for CliError {
    fn from(error: TrustError) -> Self {
        let message = error.to_string();
        let new = |category, code: &str| CliError::new(category, code, message);
        match error {
            TrustError::Document { path, error } => new(Category::InvalidInput, error.code())
                .hint("`gait trust add` and `gait trust revoke` write this file; it is not edited by hand")
                .details([("path", Json::str(path.to_string_lossy()))]),
            TrustError::Known { .. } => new(Category::Unsafe, "trust.known")
                .hint("a key belongs to one person; make another one with `gait keys init`"),
            TrustError::Unknown(_) => {
                new(Category::InvalidInput, "trust.unknown").hint("`gait trust list` shows the keys")
            }
            TrustError::Revoked(_) => new(Category::InvalidInput, "trust.revoked"),
            TrustError::Principal { .. } => new(Category::InvalidInput, "trust.principal")
                .hint("write it as the roles of the policy do, such as ann@acme.com"),
            TrustError::Window => new(Category::InvalidInput, "trust.window")
                .hint("`--until` must lie in the future, and the key must not have expired"),
            TrustError::Host(error) => error.into(),
        }
    }
}
