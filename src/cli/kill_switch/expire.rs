//! `gait kill-switch expire`: a stop that goes off by itself.

use super::ChangeArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::ui::Ui;
use crate::host::Host;

/// Let a stop go off by itself at a time
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stop
    #[arg(value_name = "ID")]
    id: String,
    /// When, such as 2027-01-31T00:00:00Z [default: now]
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Lets it expire.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let at = args.at.as_deref().map(load::time).transpose()?;
    let at = at.unwrap_or_else(|| host.now());
    super::changed(ui, host, &args.change, |operator| operator.expire(&args.id, at))
}
