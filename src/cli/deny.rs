//! `gait deny`: a person denies one call that waits, and says why. It shows and signs as `gait approve` does.

use super::approve::{self, Asked};
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::artifact::given;
use crate::host::Host;

/// Deny one call that waits for an approval
///
/// Takes the signed trace of a call that the gate answered with require_approval, shows it, asks, and signs a denial by your own
/// key. While it lasts, no approval of the call counts: a gate that is handed it answers block, with your reason.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Why: one line, which whoever asked is told
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// How long the denial lasts, at most 31 days
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    expires: String,
}

fn reason(text: &str) -> Result<String, &'static str> {
    given::check_reason(text)?;
    Ok(text.to_owned())
}

/// Denies it.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    approve::answer(ui, host, args.asked, &args.expires, Some(args.reason))
}
