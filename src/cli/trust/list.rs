//! `gait trust list`: the keys that may approve, and those that may no longer.

use super::FileArgs;
use crate::approvals;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::host::Host;
use crate::json::Json;

/// List the keys that may approve, and those that were revoked
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    file: FileArgs,
}

/// Lists them by key id.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let known = approvals::read(host, &args.file.file)?;
    let now = host.now();
    if ui.is_json() {
        let all = known.all().iter().map(|one| super::document(one, now));
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(args.file.file.to_string_lossy())),
            ("approvers", Json::Array(all.collect())),
        ]))?;
    } else {
        known
            .all()
            .iter()
            .try_for_each(|one| super::people(ui, one, now))?;
    }
    Ok(Exit::Success)
}
