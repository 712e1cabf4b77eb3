//! `gait policy simulate`: what a new policy would have done to calls that were recorded, beside the one that decides now. The
//! comparison is `crate::replay::Simulation`; here are the records and the printing.

mod report;

use super::replay::{self, Selection};
use crate::artifact::{TraceRecord, runpack, trace};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::failure;
use crate::cli::key_args::{self, TrustArgs};
use crate::cli::ui::Ui;
use crate::gate::Gate;
use crate::host::{Host, HostError};
use crate::json::{self, Json};
use crate::limits;
use crate::replay::{Options, Report, Simulation};
use std::path::{Path, PathBuf};

/// How a container begins.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Decide recorded calls by two policies, and tell what changes and how the new one may be deployed
///
/// Reads intents and calls as `gait policy replay` does, signed traces that keep their intents, logs of them, runpacks, and folders
/// of all these. Calls of one session are decided one after the other. The exit code is 0 whatever changes; `gait policy diff
/// --require-narrowing` refuses what loosens.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy that decides now: a bundle, or a policy source
    #[arg(long, value_name = "FILE")]
    baseline: PathBuf,
    /// The policy that is to decide: a bundle, or a policy source
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Recorded calls: files, folders
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    intents: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    trust: TrustArgs,
}

/// A trace, and the intent that is kept beside it.
type Judged = (TraceRecord, Option<Json>);

/// Calls that were recorded.
#[derive(Default)]
struct Recorded {
    /// Files of calls.
    files: Vec<PathBuf>,
    /// Calls that gates have judged.
    judged: Vec<Judged>,
}

/// Reads the records, decides them twice, prints.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let gates = [
        replay::gate(host, &args.baseline, &args.trust)?,
        replay::gate(host, &args.policy, &args.trust)?,
    ];
    let mut recorded = Recorded::default();
    for path in &args.intents {
        recorded.read(host, path, &args.trust)?;
    }
    recorded.judged.sort_by(|(a, _), (b, _)| {
        let key = |one: &TraceRecord| (one.created_at, one.trace_id.clone());
        key(a).cmp(&key(b))
    });
    let options = args.selection.options(true)?;
    let [before, after] = &gates;
    let reports = [
        decided(ui, host, before, &options, &recorded)?,
        decided(ui, host, after, &options, &recorded)?,
    ];
    let [old, new] = &reports;
    let simulation = Simulation::of(&old.each, &new.each);
    let told = report::Told {
        programs: [before.program(), after.program()],
        simulation: &simulation,
        skipped: new.skipped_documents,
    };
    if ui.is_json() {
        ui.json(&report::document(&told))?;
    } else {
        report::print(ui, &told)?;
    }
    Ok(Exit::Success)
}

fn decided(
    ui: &Ui,
    host: &dyn Host,
    gate: &Gate,
    options: &Options,
    recorded: &Recorded,
) -> Result<Report, CliError> {
    let traces = recorded.judged.iter();
    let traces = traces.map(|(record, intent)| (record, intent.as_ref()));
    replay::replay_with(ui, host, gate, options.clone(), &recorded.files, traces)
}

impl Recorded {
    /// Reads a file, or the files of a folder by their names.
    fn read(&mut self, host: &dyn Host, path: &Path, trust: &TrustArgs) -> Result<(), CliError> {
        match host.read(path, limits::FILE_BYTES) {
            Ok(bytes) => self.file(host, path, &bytes, trust),
            Err(HostError::NotRegular { .. }) => {
                let mut names = host.list_dir(path)?;
                let ends = [".json", ".jsonl", ".json.gz", ".jsonl.gz", ".zip"];
                names.retain(|name| ends.iter().any(|end| name.ends_with(end)));
                names.sort();
                if names.is_empty() {
                    let message = format!("{} has no file of recorded calls", path.display());
                    return Err(CliError::new(Category::InvalidInput, "calls.none", message)
                        .hint("name a folder of .json, .jsonl or .zip files"));
                }
                names.iter().try_for_each(|name| {
                    let path = path.join(name);
                    let bytes = host.read(&path, limits::FILE_BYTES)?;
                    self.file(host, &path, &bytes, trust)
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn file(
        &mut self,
        host: &dyn Host,
        path: &Path,
        bytes: &[u8],
        trust: &TrustArgs,
    ) -> Result<(), CliError> {
        let trusted = || key_args::trusted_keys(host, trust);
        let refused = |error| failure::verification(path, &error);
        if bytes.starts_with(ZIP_MAGIC) {
            let pack = runpack::open(bytes, &trusted()?, host.now()).map_err(refused)?;
            let items = pack.into_value().traces.into_iter();
            self.judged
                .extend(items.map(|item| (item.trace.into_value(), item.intent)));
            return Ok(());
        }
        let Some(traces) = envelopes(bytes) else {
            self.files.push(path.to_owned());
            return Ok(());
        };
        let trusted = trusted()?;
        for one in traces {
            let record = trace::verify(one, &trusted, host.now()).map_err(refused)?;
            self.judged.push((record.into_value(), None));
        }
        Ok(())
    }
}

/// The signed envelopes of a file that is one, or has one a line; none of any other file. A last line without its end is one that is
/// being written, and is left alone.
fn envelopes(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let is_envelope = |text: &[u8]| json::parse(text).is_ok_and(|json| json.get("payloadType").is_some());
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if is_envelope(first) {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let whole: Vec<&[u8]> = lines.filter_map(|line| line.strip_suffix(b"\n")).collect();
        return Some(if whole.is_empty() { vec![bytes] } else { whole });
    }
    is_envelope(bytes).then(|| vec![bytes])
}
