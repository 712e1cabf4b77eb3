//! `gait permit redeem`: the last question before a call runs. Whoever executes calls asks it with what it is about to run.

use super::{PermitArgs, refused};
use crate::boundary::permit::{self, Run};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::AskedArgs;
use crate::cli::key_args;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::{Host, INPUT};
use crate::json::{self, Json};
use crate::kill_switch;
use crate::limits;
use std::path::{Path, PathBuf};

/// Redeem the permit of an allowed call, right before it runs
///
/// Exits 0 where this call, with these arguments, may run now and has not run before; it is used up then. Exits 2 where it
/// must not run: other arguments, too late, a second time, or stopped since.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    permit: PermitArgs,
    /// The arguments that the tool is about to get: a JSON object; `-` is standard input
    #[arg(long, value_name = "FILE")]
    args: PathBuf,
    /// The tool that is about to run [default: the tool of the trace, or of the step]
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// The step of a script, from 1
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    asked: AskedArgs,
}

/// Verifies, compares, uses up, prints; in this order.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trace = args.permit.open(host)?;
    let given = read(host, &args.args)?;
    let record = trace.value();
    let step = args
        .step
        .and_then(|step| usize::try_from(step).ok()?.checked_sub(1));
    let of_step = step.and_then(|step| record.decision.steps.get(step));
    let tool = args.tool.as_deref();
    let tool = tool
        .or_else(|| of_step.map(|step| step.tool.as_str()))
        .unwrap_or(&record.tool);
    let store = args.store.open(host)?;
    let about = Run {
        step: args.step,
        tool,
        args: &given,
    };
    let asked = match &args.asked.kill_switch {
        Some(path) => {
            let operators = args
                .asked
                .operators(host, &key_args::trusted_keys(host, &args.permit.trust)?)?;
            let machine = (host, store.as_ref());
            let now = host.now();
            Some(kill_switch::consult(
                machine,
                path,
                &operators,
                now,
                record.policy.profile,
            ))
        }
        None => None,
    };
    let redeemed = permit::redeem(store.as_ref(), &trace, about, asked.as_ref(), host.now())
        .map_err(|error| refused(&args.permit.trace, &error))?;
    if ui.is_json() {
        ui.json(&redeemed.document(&record.trace_id, tool))?;
    } else {
        let head = paint(Tone::Good, "redeemed");
        let step = match redeemed.steps {
            1 => String::new(),
            steps => format!(", step {} of {steps}", redeemed.step),
        };
        ui.line(&format!("{head} {}{step}", one_line(tool)))?;
        ui.line(&format!("  call    {}", redeemed.call))?;
        ui.line("  run it now, once; then `gait permit settle` says what became of it")?;
    }
    Ok(Exit::Success)
}

fn read(host: &dyn Host, path: &Path) -> Result<Json, CliError> {
    let max = limits::JSON_BYTES as u64;
    let bytes = match path == Path::new(INPUT) {
        true => host.read_input(max)?,
        false => host.read(path, max)?,
    };
    let refuse = |reason: String| {
        CliError::new(Category::InvalidInput, "permit.args", reason)
            .hint("arguments are one JSON object, as the gate printed them in `canonical_args`")
            .in_file(path)
    };
    match json::parse(&bytes).map_err(|error| refuse(error.to_string()))? {
        args @ Json::Object(_) => Ok(args),
        other => Err(refuse(format!(
            "arguments are an object, and this is {}",
            other.kind()
        ))),
    }
}
