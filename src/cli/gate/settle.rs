//! `gait gate settle`: what became of an allowed call that limits count. A call counts from the moment it is allowed;
//! settling takes the charge back where it failed, or sets it to what it really cost.

use crate::artifact::TraceRecord;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, one_line};
use crate::cli::verify::of_trace;
use crate::cli::{failure, load};
use crate::domain::Verdict;
use crate::domain::counter::Outcome;
use crate::host::Host;
use crate::json::{self, Json};
use crate::limits;
use crate::store::{self, counters};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Say what became of an allowed call that limits count
///
/// A call counts from the moment it is allowed. `--failed` takes its charge back; `--ran` keeps it, or with `--amount`
/// sets it to what the call really cost. A call can be settled once.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("outcome").required(true).args(["ran", "failed"])))]
pub struct Args {
    /// The signed trace of the call
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// It ran
    #[arg(long)]
    ran: bool,
    /// It did not run, or nothing came of it
    #[arg(long)]
    failed: bool,
    /// What it really cost of a limit, such as spend=12.50
    #[arg(
        long,
        value_name = "LIMIT=NUMBER",
        requires = "bundle",
        conflicts_with = "failed"
    )]
    amount: Vec<String>,
    /// The bundle that decided, which says what a limit counts
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Settles the call in every counter its trace names.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let bytes = host.read(&args.trace, limits::FILE_BYTES)?;
    let (trace, _) = of_trace(&bytes, &trusted, host.now()).map_err(|error| error.in_file(&args.trace))?;
    let record = trace.value();
    let invalid = |code: &'static str, message: String| {
        CliError::new(Category::InvalidInput, code, message).in_file(&args.trace)
    };
    if record.decision.verdict != Verdict::Allow || record.decision.limits.is_empty() {
        let message = format!("the call is {}, and no limit counts it", record.decision.verdict);
        return Err(
            invalid("settle.not_counted", message).hint("only an allowed call that limits count is settled")
        );
    }
    let amounts = amounts(host, &args, record, &trusted)?;
    let names = || record.decision.limits.iter().map(|fact| fact.counter.as_str());
    let store = args.store.open(host)?;
    let settled = store::change(store.as_ref(), counters::keys(names()), |records| {
        let mut counters = counters::read(records, names())?;
        let mut settled = Vec::new();
        for fact in &record.decision.limits {
            let outcome = if args.failed {
                Outcome::Failed
            } else {
                Outcome::Ran(amounts.get(&fact.limit).copied())
            };
            let counter = counters.0.get_mut(&fact.counter);
            if counter.is_some_and(|counter| counter.settle(&record.trace_id, outcome)) {
                settled.push(fact.limit.clone());
            }
        }
        counters::write(records, &counters)?;
        Ok(settled)
    })
    .map_err(|error| failure::store(&error))?;
    if settled.is_empty() {
        let message = "the call is settled already, or it was counted elsewhere";
        return Err(invalid("settle.settled", message.to_owned())
            .hint("name the folder that counted it with --store"));
    }
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("trace_id", Json::str(&record.trace_id)),
            ("outcome", Json::str(if args.failed { "failed" } else { "ran" })),
            ("limits", Json::Array(settled.iter().map(Json::str).collect())),
        ]))?;
    } else {
        let word = if args.failed { "taken back" } else { "settled" };
        ui.line(&format!("{word} in {}", one_line(&settled.join(", "))))?;
    }
    Ok(Exit::Success)
}

/// What the call really cost, by limit.
fn amounts(
    host: &dyn Host,
    args: &Args,
    record: &TraceRecord,
    trusted: &crate::artifact::TrustedKeys,
) -> Result<BTreeMap<String, i128>, CliError> {
    let mut amounts = BTreeMap::new();
    let Some(path) = args.bundle.as_ref().filter(|_| !args.amount.is_empty()) else {
        return Ok(amounts);
    };
    let boundary = load::boundary(host, path, trusted)?;
    let invalid = |message: String| CliError::new(Category::InvalidInput, "settle.amount", message);
    if boundary.bundle() != record.bundle_digest {
        return Err(invalid("the trace is one of another bundle".to_owned()).in_file(path));
    }
    for written in &args.amount {
        let shape = || {
            invalid(format!("`{written}` does not say what a limit was spent on")).hint("write LIMIT=NUMBER")
        };
        let (limit, number) = written.split_once('=').ok_or_else(shape)?;
        let of_text = boundary.gate().amount(limit, &Json::str(number));
        let bare = || json::parse(number.as_bytes()).ok();
        let amount = of_text.or_else(|| boundary.gate().amount(limit, &bare()?));
        let amount = amount.filter(|amount| *amount >= 0).ok_or_else(|| {
            invalid(format!("`{number}` is no amount of a limit called `{limit}`"))
                .hint("name a limit that adds something up, and a number of that; a call costs one of a limit on calls")
        })?;
        if !record.decision.limits.iter().any(|fact| fact.limit == limit) {
            return Err(invalid(format!("limit `{limit}` does not count this call")));
        }
        if amounts.insert(limit.to_owned(), amount).is_some() {
            return Err(invalid(format!("`{limit}` is given twice")));
        }
    }
    Ok(amounts)
}
