//! `gait permit redeem`: the last question before a call runs. Whoever executes calls asks it with what it is about to run.

use super::about::AboutArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::Host;

/// Redeem the permit of an allowed call, right before it runs
///
/// Exits 0 where this call, with these arguments, may run now and has not run before; it is used up then. Exits 2 where it
/// must not run: other arguments, too late, a second time, or stopped since.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    about: AboutArgs,
}

/// Verifies, compares, uses up, prints; in this order.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let about = args.about.open(host)?;
    let redeemed = args.about.redeem(host, &about)?;
    if ui.is_json() {
        let trace_id = &about.trace.value().trace_id;
        ui.json(&redeemed.document(trace_id, &about.tool))?;
    } else {
        let head = paint(Tone::Good, "redeemed");
        let step = match redeemed.steps {
            1 => String::new(),
            steps => format!(", step {} of {steps}", redeemed.step),
        };
        ui.line(&format!("{head} {}{step}", one_line(&about.tool)))?;
        ui.line(&format!("  call    {}", redeemed.call))?;
        ui.line("  run it now, once; then `gait permit settle` says what became of it")?;
    }
    Ok(Exit::Success)
}
