//! What is about to run, as it is told to every command that redeems a permit, and the redeeming itself.

use super::{PermitArgs, refused};
use crate::artifact::{TraceRecord, Verified};
use crate::boundary::permit::{self, Redeemed, Run};
use crate::cli::error::{Category, CliError};
use crate::cli::gate::AskedArgs;
use crate::cli::key_args;
use crate::cli::store_args::StoreArgs;
use crate::host::{Host, INPUT};
use crate::json::{self, Json};
use crate::kill_switch;
use crate::limits;
use std::path::{Path, PathBuf};

/// The permit, and what is about to run.
#[derive(Debug, clap::Args)]
pub struct AboutArgs {
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

/// A call that is about to run, if its permit says so.
pub struct About {
    /// The permit.
    pub trace: Verified<TraceRecord>,
    /// The arguments.
    pub given: Json,
    /// The tool.
    pub tool: String,
}

impl AboutArgs {
    /// The step that is named.
    pub fn step(&self) -> Option<u64> {
        self.step
    }

    /// Verifies the permit, and reads what is about to run.
    pub fn open(&self, host: &dyn Host) -> Result<About, CliError> {
        let trace = self.permit.open(host)?;
        let given = read(host, &self.args)?;
        let record = trace.value();
        let step = self
            .step
            .and_then(|step| usize::try_from(step).ok()?.checked_sub(1));
        let of_step = step.and_then(|step| record.decision.steps.get(step));
        let tool = self.tool.as_deref();
        let tool = tool
            .or_else(|| of_step.map(|step| step.tool.as_str()))
            .unwrap_or(&record.tool)
            .to_owned();
        Ok(About { trace, given, tool })
    }

    /// Redeems the permit for it: it is used up when this returns.
    pub fn redeem(&self, host: &dyn Host, about: &About) -> Result<Redeemed, CliError> {
        let record = about.trace.value();
        let store = self.store.open(host)?;
        let run = Run {
            step: self.step,
            tool: &about.tool,
            args: &about.given,
        };
        let asked = match &self.asked.kill_switch {
            Some(path) => {
                let trusted = key_args::trusted_keys(host, &self.permit.trust)?;
                let operators = self.asked.operators(host, &trusted)?;
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
        permit::redeem(store.as_ref(), &about.trace, run, asked.as_ref(), host.now())
            .map_err(|error| refused(&self.permit.trace, &error))
    }
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
