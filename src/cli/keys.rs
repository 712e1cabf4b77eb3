//! `gait keys`: the commands about signing keys. Each is one file in `keys/`.

mod init;
mod rotate;
mod verify;

use super::error::{Category, CliError};
use super::exit::Exit;
use super::ui::Ui;
use crate::artifact::{VerifyingKey, time};
use crate::host::Host;
use crate::json::Json;
use jiff::Timestamp;

/// Make, replace and check the keys that sign
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Init(init::Args),
    Rotate(rotate::Args),
    Verify(verify::Args),
}

/// Starts the command of the group.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.command {
        Command::Init(args) => init::run(ui, host, args),
        Command::Rotate(args) => rotate::run(ui, host, args),
        Command::Verify(args) => verify::run(ui, host, args),
    }
}

/// Reads `--valid-until`: RFC 3339 with any offset; what is finer than a millisecond is cut off.
fn instant(text: Option<&str>) -> Result<Option<Timestamp>, CliError> {
    let Some(text) = text else { return Ok(None) };
    let read = text.parse::<Timestamp>().ok();
    let whole = read.and_then(|at| Timestamp::from_millisecond(at.as_millisecond()).ok());
    whole.map(Some).ok_or_else(|| {
        let message = format!("`{}` is not a time", text.escape_debug());
        CliError::new(Category::InvalidInput, "keys.valid_until", message)
            .hint("write RFC 3339 with an offset, such as 2027-01-31T00:00:00Z")
    })
}

/// An end of a key's window as JSON.
fn window(at: Option<Timestamp>) -> Json {
    at.map_or(Json::Null, |at| Json::str(time::print(at)))
}

/// How long a key is trusted, for people.
pub(super) fn validity(key: &VerifyingKey) -> String {
    match (key.valid_from, key.valid_until) {
        (None, None) => "without end".to_owned(),
        (None, Some(until)) => format!("until {}", time::print(until)),
        (Some(from), None) => format!("from {}", time::print(from)),
        (Some(from), Some(until)) => format!("from {} until {}", time::print(from), time::print(until)),
    }
}
