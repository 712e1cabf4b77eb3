//! `gait trace recompute`: signed traces, decided again from what they name. Nothing is written.

use crate::approvals::Handed;
use crate::artifact::runpack::RunpackTrace;
use crate::artifact::{Kind, TraceRecord, TrustedKeys, Verified, kind, time};
use crate::attestation::Statements;
use crate::boundary::{Account, Boundary, Difference, RecomputeError, Recomputed};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::explanation::names;
use crate::cli::gate::{AttestedArgs, DelegatedArgs, HandedArgs};
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::load;
use crate::cli::ui::{Tone, Ui, brief, count, one_line, paint};
use crate::cli::verify::of_trace;
use crate::delegation::Chain;
use crate::host::Host;
use crate::json::Json;
use crate::kill_switch;
use crate::{artifact::jcs, limits};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Decide again what signed traces say was decided
///
/// Takes each decision again from the bundle, the intent and what the trace names, and compares all of it: verdict, codes,
/// matched rules, targets, labels, limits, obligations, digests, the session it leaves. A call of a session needs the
/// trace before it, too. Exits 0 when everything comes out the same, 5 when something does not, 2 when a
/// file does not verify.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Traces, and runpacks whose traces are meant
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The bundle that decided
    #[arg(long, value_name = "FILE", default_value = load::BUNDLE)]
    bundle: PathBuf,
    /// The intent, where one trace is given that does not keep it whole: rules redact some of it, or it holds secrets
    #[arg(long, value_name = "FILE")]
    intent: Option<PathBuf>,
    /// A trace before one of these, which says how the session stood; may be repeated
    #[arg(long, value_name = "FILE")]
    before: Vec<PathBuf>,
    /// The state of the kill switch that was asked
    #[arg(long, value_name = "FILE")]
    kill_switch: Option<PathBuf>,
    #[command(flatten)]
    handed: HandedArgs,
    #[command(flatten)]
    delegated: DelegatedArgs,
    #[command(flatten)]
    attested: AttestedArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// A trace to decide again.
struct Recorded {
    file: PathBuf,
    trace: Verified<TraceRecord>,
    kept: Option<Json>,
}

/// A trace that was decided again, and which keys were revoked since: that of who delegated first, and the first of those who attest.
type Done<'r> = (&'r Recorded, Recomputed, Revoked);

/// When keys were revoked, by the member that says it.
type Revoked = [(&'static str, Option<Timestamp>); 2];

/// Reads all files before it decides the first.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let mut boundary = load::boundary(host, &args.bundle, &trusted)?;
    let mut all = Vec::new();
    for path in &args.files {
        all.extend(read(host, path, &trusted)?);
    }
    let intent = args
        .intent
        .as_deref()
        .map(|path| load::intent(host, path))
        .transpose()?;
    if intent.is_some() && all.len() != 1 {
        let message = format!("`--intent` is that of one trace, and there are {}", all.len());
        return Err(CliError::new(Category::InvalidInput, "usage.invalid", message));
    }
    let decided = all.len();
    for path in &args.before {
        all.extend(read(host, path, &trusted)?);
    }
    let kill_switch = args.kill_switch.as_deref();
    let kill_switch = kill_switch
        .map(|path| kill_switch::read(host, path, &trusted))
        .transpose()?;
    let mut done = Vec::new();
    for one in all.iter().take(decided) {
        let (again, revoked) = handed_over(host, &args, (one.trace.value(), decided > 1))?;
        let before = one.trace.value().previous;
        let before = before.and_then(|digest| all.iter().find(|other| other.trace.digest() == digest));
        let found = boundary.recompute(Account {
            record: one.trace.value(),
            intent: intent.as_ref(),
            kept: one.kept.as_ref(),
            before: before.map(|before| before.trace.value()),
            kill_switch: kill_switch.as_ref(),
            handed: &again.approvals,
            chain: again.chain.as_ref(),
            statements: again.statements.as_ref(),
        });
        let found = found.map_err(|error| refused(&one.file, &error))?;
        done.push((one, found, revoked));
    }
    let same = done.iter().all(|(_, found, _)| found.differences.is_empty());
    let exit = if same { Exit::Success } else { Exit::Regression };
    if ui.is_json() {
        ui.json(&document(&done, &boundary, exit))?;
    } else {
        people(ui, &done)?;
    }
    Ok(exit)
}

/// What is handed over again, as it was with a call.
struct Again {
    approvals: Vec<Handed>,
    chain: Option<Chain>,
    statements: Option<Statements>,
}

/// What of the flags a trace was made with, and which keys were revoked since. Of several traces, those that name no link or statement were
/// made without.
fn handed_over(
    host: &dyn Host,
    args: &Args,
    (record, of_several): (&TraceRecord, bool),
) -> Result<(Again, Revoked), CliError> {
    let chain = match of_several && record.delegated_with.is_empty() {
        true => None,
        false => args.delegated.chain_of(host, record)?,
    };
    let statements = match of_several && record.attested_with.is_empty() {
        true => None,
        false => args.attested.statements_of(host, record)?,
    };
    let (chain, delegator) = chain.unzip();
    let (statements, attestor) = statements.unzip();
    let again = Again {
        approvals: args.handed.read_as_of(host, record.created_at)?,
        chain,
        statements,
    };
    let revoked = [
        ("delegator_revoked_at", delegator.flatten()),
        ("attestor_revoked_at", attestor.flatten()),
    ];
    Ok((again, revoked))
}

/// The traces of a file.
fn read(host: &dyn Host, path: &Path, trusted: &TrustedKeys) -> Result<Vec<Recorded>, CliError> {
    let bytes = host.read(path, limits::FILE_BYTES)?;
    if kind::claimed(&bytes) != Some(Kind::Runpack) {
        let (trace, _) = of_trace(&bytes, trusted, host.now()).map_err(|error| error.in_file(path))?;
        return Ok(vec![Recorded {
            file: path.to_owned(),
            trace,
            kept: None,
        }]);
    }
    let (pack, _) = load::runpack(host, path, trusted)?;
    let of_item = |item: RunpackTrace| Recorded {
        file: path.to_owned(),
        trace: item.trace,
        kept: item.intent,
    };
    Ok(pack.into_value().traces.into_iter().map(of_item).collect())
}

fn refused(path: &Path, error: &RecomputeError) -> CliError {
    let category = match error {
        RecomputeError::OtherState => Category::Verification,
        _ => Category::InvalidInput,
    };
    let refused = CliError::new(category, error.code(), error.to_string()).in_file(path);
    match error {
        RecomputeError::OtherBundle(_) => refused.hint("name the bundle of that digest with `--bundle`"),
        RecomputeError::IntentMissing | RecomputeError::IntentRedacted | RecomputeError::OtherIntent(_) => {
            refused.hint("name the intent that was judged with `--intent`")
        }
        RecomputeError::StateMissing(_) => refused.hint("name that trace with `--before`"),
        RecomputeError::KillSwitch(_) => refused.hint("name the file of that state with `--kill-switch`"),
        RecomputeError::OtherState => refused.hint("one of the two traces is not what the gate wrote"),
        RecomputeError::OtherTable => refused
            .hint("recompute it with the version of gait that wrote it: `producer_version` of the trace"),
        RecomputeError::Intent(_) => refused,
    }
}

fn document(done: &[Done<'_>], boundary: &Boundary, exit: Exit) -> Json {
    let difference = |one: &Difference| {
        Json::object([
            ("member", Json::str(&one.member)),
            ("recorded", one.recorded.clone()),
            ("recomputed", one.recomputed.clone()),
        ])
    };
    let trace = |(one, found, revoked): &Done<'_>| {
        let record = one.trace.value();
        let believed: Vec<String> = found.believed.iter().map(|name| (*name).to_owned()).collect();
        let mut members = vec![
            ("file", Json::str(one.file.to_string_lossy())),
            ("trace_id", Json::str(&record.trace_id)),
            ("digest", one.trace.digest().to_json()),
            ("tool", Json::str(&record.tool)),
            ("verdict", Json::str(record.decision.verdict.as_str())),
            ("same", Json::Bool(found.differences.is_empty())),
            (
                "differences",
                Json::Array(found.differences.iter().map(difference).collect()),
            ),
            ("believed", names(&believed)),
        ];
        let revoked = revoked.iter().filter_map(|(name, at)| Some((*name, (*at)?)));
        members.extend(revoked.map(|(name, at)| (name, Json::str(time::print(at)))));
        Json::record(members)
    };
    Json::object([
        ("ok", Json::Bool(true)),
        ("bundle_digest", boundary.bundle().to_json()),
        ("traces", Json::Array(done.iter().map(trace).collect())),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}

fn people(ui: &mut Ui, done: &[Done<'_>]) -> Result<(), CliError> {
    for (one, found, revoked) in done {
        let record = one.trace.value();
        let word = match found.differences.as_slice() {
            [] => paint(Tone::Good, "same"),
            _ => paint(Tone::Bad, "differs"),
        };
        let decided = format!("{} {}", record.decision.verdict, record.tool);
        ui.line(&format!("{word} {} {}", record.trace_id, one_line(&decided)))?;
        for difference in &found.differences {
            let shown = |json: &Json| brief(&String::from_utf8_lossy(&jcs::to_vec(json)));
            ui.line(&format!("  {}", difference.member))?;
            ui.line(&format!("    trace says   {}", shown(&difference.recorded)))?;
            ui.line(&format!("    comes out as {}", shown(&difference.recomputed)))?;
        }
        if !found.believed.is_empty() {
            ui.line(&format!(
                "  only the trace vouches for {}",
                found.believed.join(", ")
            ))?;
        }
        let said = ["the key that delegated first", "a key that attested"];
        for (what, (_, at)) in said.iter().zip(revoked) {
            if let Some(at) = at {
                ui.line(&format!("  {what} was revoked later, at {}", time::print(*at)))?;
            }
        }
    }
    let differ = done
        .iter()
        .filter(|(_, found, _)| !found.differences.is_empty())
        .count();
    ui.line(&match differ {
        0 => format!("{} decided again, all the same", count(done.len(), "trace")),
        some => format!("{some} of {} decided otherwise", count(done.len(), "trace")),
    })
}
