//! `gait run inspect`: what a verified runpack holds, as a table.

use crate::artifact::envelope::Payload;
use crate::artifact::runpack::RunpackTrace;
use crate::artifact::{Runpack, Verified, time};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::gate::tone;
use crate::cli::key_args::{self, TrustArgs};
use crate::cli::load;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::Host;
use crate::json::Json;
use std::path::PathBuf;

/// Verify a runpack and list its traces
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runpack
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies and prints.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let (pack, _) = load::runpack(host, &args.file, &trusted)?;
    if ui.is_json() {
        ui.json(&document(&pack))?;
    } else {
        people(ui, &pack)?;
    }
    Ok(Exit::Success)
}

fn people(ui: &mut Ui, pack: &Verified<Runpack>) -> Result<(), CliError> {
    let value = pack.value();
    ui.line(&format!("run       {}", paint(Tone::Strong, &value.run_id)))?;
    ui.line(&format!("runpack   {}", pack.digest()))?;
    ui.line(&format!("packed    {}", time::print(value.created_at)))?;
    for key in pack.keys() {
        ui.line(&format!("signer    {key}"))?;
    }
    for bundle in &value.bundles {
        ui.line(&format!("bundle    {bundle}"))?;
    }
    if let Some(before) = value.continues {
        ui.line(&format!("continues {before}"))?;
    }
    let width = value.traces.iter().map(|item| tool(item).chars().count());
    let width = width.max().unwrap_or_default();
    for (item, number) in value.traces.iter().zip(1u32..) {
        let record = item.trace.value();
        let verdict = record.decision.verdict;
        let tool = tool(item);
        let padding = " ".repeat(width.saturating_sub(tool.chars().count()));
        ui.line(&format!(
            "{number:>4}  {}  {tool}{padding}  {}  {}  {}{}",
            time::print(record.created_at),
            paint(tone(verdict), &format!("{:<16}", verdict.as_str())),
            record.trace_id,
            one_line(&record.decision.reason_codes.join(", ")),
            if item.intent.is_none() {
                "  (without its intent)"
            } else {
                ""
            },
        ))?;
    }
    Ok(())
}

fn tool(item: &RunpackTrace) -> String {
    one_line(&item.trace.value().tool)
}

fn document(pack: &Verified<Runpack>) -> Json {
    let value = pack.value();
    let strings = |texts: Vec<String>| Json::Array(texts.into_iter().map(Json::str).collect());
    let traces = value.traces.iter().zip(1i64..).map(|(item, n)| trace(item, n));
    Json::object([
        ("ok", Json::Bool(true)),
        ("run_id", Json::str(&value.run_id)),
        ("runpack_digest", pack.digest().to_json()),
        ("created_at", Json::str(time::print(value.created_at))),
        (
            "signers",
            strings(pack.keys().iter().map(ToString::to_string).collect()),
        ),
        (
            "bundle_digests",
            strings(value.bundles.iter().map(ToString::to_string).collect()),
        ),
        (
            "continues",
            value.continues.map_or(Json::Null, |digest| digest.to_json()),
        ),
        ("traces", Json::Array(traces.collect())),
    ])
}

fn trace(item: &RunpackTrace, sequence: i64) -> Json {
    let record = item.trace.value().to_json();
    let member = |name: &'static str| (name, record.get(name).cloned().unwrap_or(Json::Null));
    Json::object([
        ("sequence", Json::int(sequence)),
        member("created_at"),
        member("tool"),
        member("verdict"),
        member("reason_codes"),
        member("trace_id"),
        ("trace_digest", item.trace.digest().to_json()),
        member("bundle_digest"),
        member("session_id"),
        ("has_intent", Json::Bool(item.intent.is_some())),
    ])
}
