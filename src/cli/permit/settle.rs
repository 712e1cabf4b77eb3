//! `gait permit settle`: what became of an allowed call. A call counts from the moment it is allowed; settling takes the
//! charge back where nothing came of it, or sets it to what it really cost, and signs the outcome.

use super::{PermitArgs, refused};
use crate::artifact::envelope::Payload;
use crate::artifact::{CallOutcome, TraceRecord};
use crate::boundary::permit::{self, Ended};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{self, KeyArgs};
use crate::cli::load;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, one_line};
use crate::domain::Outcome;
use crate::host::{Host, HostError, Mode};
use crate::json::{self, Json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where outcomes are written unless another place is named.
const FOLDER: &str = "gait-out/outcomes";

/// Say what became of an allowed call
///
/// `failed` and `not_executed` take back what limits have counted; `executed` and `ambiguous` leave it, or set it to
/// what the call really cost. Said once; saying the same again writes the same outcome again.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    permit: PermitArgs,
    /// What became of it
    #[arg(long, value_name = "OUTCOME", value_parser = parse)]
    outcome: Outcome,
    /// What it really cost of a limit, such as spend=12.50
    #[arg(long, value_name = "LIMIT=NUMBER", requires = "bundle")]
    amount: Vec<String>,
    /// The bundle that decided, which says what a limit counts
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Where the signed outcome goes: a new file [default: gait-out/outcomes/outcome_ID.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    key: KeyArgs,
}

fn parse(text: &str) -> Result<Outcome, String> {
    Outcome::parse(text).ok_or_else(|| {
        let names = Outcome::ALL.map(Outcome::as_str);
        format!("one of {}", names.join(", "))
    })
}

/// Verifies, settles in the store, signs, writes, prints; in this order.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trace = args.permit.open(host)?;
    let ended = Ended {
        outcome: args.outcome,
        amounts: amounts(host, &args, trace.value())?,
    };
    let key = key_args::signing_key(host, &args.key)?;
    let store = args.store.open(host)?;
    let (outcome, signed) = permit::settle(store.as_ref(), &trace, &ended, host.now(), &key)
        .map_err(|error| refused(&args.permit.trace, &error))?;
    let path = args.out.unwrap_or_else(|| {
        let name = format!("outcome_{}.json", outcome.trace_id);
        Path::new(FOLDER).join(name)
    });
    write(host, &path, signed.as_bytes())?;
    report(ui, &outcome, &path)?;
    Ok(Exit::Success)
}

/// Writes the outcome, which may be there already.
fn write(host: &dyn Host, path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    match host.write_new(path, bytes, Mode::Public) {
        Err(HostError::Exists { .. }) if host.read(path, bytes.len() as u64).as_deref() == Ok(bytes) => {
            Ok(())
        }
        Err(error @ HostError::Exists { .. }) => {
            Err(CliError::from(error)
                .hint("the call is settled; name another place for its outcome with --out"))
        }
        written => Ok(written?),
    }
}

fn report(ui: &mut Ui, outcome: &CallOutcome, path: &Path) -> Result<(), CliError> {
    if ui.is_json() {
        let member = |(name, value): &(crate::json::Text, Json)| (name.clone(), value.clone());
        let document = outcome.to_json();
        let own = document.as_object().unwrap_or_default().iter();
        let own = own.filter(|(name, _)| name != "schema").map(member);
        let ok = [("ok".into(), Json::Bool(true))];
        let path = [("outcome_path".into(), Json::str(path.to_string_lossy()))];
        return ui.json(&Json::object(ok.into_iter().chain(own).chain(path)));
    }
    ui.line(&format!(
        "{} {}",
        outcome.outcome.as_str(),
        one_line(&outcome.tool)
    ))?;
    let word = match outcome.outcome.counts() {
        true => "counted",
        false => "taken back",
    };
    for limit in &outcome.limits {
        let amount = limit
            .amount
            .as_ref()
            .map(|amount| format!(" ({amount})"))
            .unwrap_or_default();
        ui.line(&format!(
            "  limit   {} {word}{}",
            one_line(&limit.limit),
            one_line(&amount)
        ))?;
    }
    ui.line(&format!("  outcome {}", one_line(&path.display().to_string())))
}

/// What the call really cost, by limit.
fn amounts(
    host: &dyn Host,
    args: &Args,
    record: &TraceRecord,
) -> Result<BTreeMap<String, (String, i128)>, CliError> {
    let mut amounts = BTreeMap::new();
    let Some(path) = args.bundle.as_ref().filter(|_| !args.amount.is_empty()) else {
        return Ok(amounts);
    };
    let trusted = key_args::trusted_keys(host, &args.permit.trust)?;
    let boundary = load::boundary(host, path, &trusted)?;
    let invalid = |message: String| CliError::new(Category::InvalidInput, "permit.amount", message);
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
        if amounts
            .insert(limit.to_owned(), (number.to_owned(), amount))
            .is_some()
        {
            return Err(invalid(format!("`{limit}` is given twice")));
        }
    }
    Ok(amounts)
}
