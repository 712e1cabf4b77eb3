//! `gait gate eval`: one intent, one verdict, one signed trace. The verdict is printed only when the trace is on disk.

use super::{AskedArgs, AttestedArgs, DelegatedArgs, handed};
use crate::artifact::{Bundle, TrustedKeys, Verified, time};
use crate::boundary::{
    Boundary, Call, Clock, Desk, KillSwitchFile, Moment, Recorded, TraceFiles, WriteError, Written, answer,
};
use crate::bundling::Succession;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::{journal, secrets, tone};
use crate::cli::key_args::{self, KeyArgs, TrustArgs};
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, one_line, paint};
use crate::cli::{explanation, failure, load};
use crate::compile::Checked;
use crate::domain::traceparent::is_traceparent;
use crate::domain::{ArgumentOrigin, Request, hidden, obligation};
use crate::explain::{self, Explanation};
use crate::gate::Gate;
use crate::host::{Host, HostError};
use crate::json::Json;
use crate::limits;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Judge one intent and write a signed trace
///
/// Exits by verdict: 0 allow, 3 block, 4 require_approval, 9 dry_run. Anything that is no verdict has another code
/// and must not run either.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle that decides
    #[arg(long, value_name = "FILE", default_value = load::BUNDLE)]
    bundle: PathBuf,
    #[command(flatten)]
    follows: Follows,
    /// The intent: one v1 IntentRequest
    #[arg(long, value_name = "FILE")]
    intent: PathBuf,
    /// What the host knows of the call: a JSON object with a member per fact the policy declares
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// What the runtime will do of what decisions oblige to: notify, obligations the policy declares, credential:NAME
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    fulfils: Vec<String>,
    /// Where the trace goes: a folder, or the name of a new file
    #[arg(long, value_name = "PATH", default_value = "gait-out/traces/")]
    trace_out: PathBuf,
    /// Append to this session's journal, gait-out/sessions/ID.jsonl; each trace names the one before it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The run the trace belongs to; otherwise the session's id
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// What you call the whole that the call is part of; the trace keeps it
    #[arg(long, value_name = "TEXT", value_parser = correlation_id)]
    correlation_id: Option<String>,
    /// Where the call stands in a distributed trace, as W3C Trace Context writes it; the trace keeps it
    #[arg(long, value_name = "TRACEPARENT", value_parser = traceparent)]
    traceparent: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    handed: handed::HandedArgs,
    #[command(flatten)]
    delegated: DelegatedArgs,
    #[command(flatten)]
    attested: AttestedArgs,
    #[command(flatten)]
    asked: AskedArgs,
    /// How long the call may wait to run once it is allowed, at most an hour
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    permit_for: String,
    /// Keep the intent in the trace, without what rules redact and without secrets, so that whoever approves it sees it
    #[arg(long)]
    keep_intent: bool,
    /// Keep secrets in what is kept, too: traces, journals and their digests hold them as they are
    #[arg(long)]
    keep_secrets: bool,
    /// Tell why: which rules matched, which clause stopped the others, and the nearest allowed call
    #[arg(long)]
    explain: bool,
    /// The time the trace states, such as 2026-01-31T12:00:00Z; keys are still held to the clock
    #[arg(long, value_name = "RFC3339")]
    evaluation_time: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// What the bundle must follow.
#[derive(Debug, clap::Args)]
struct Follows {
    /// The bundle it must follow: one that loosens this is refused, unless a cosigner has signed it, too
    #[arg(long, value_name = "FILE")]
    predecessor: Option<PathBuf>,
    /// A public key whose signature, beside that of a trusted one, lets a bundle loosen its predecessor; may be repeated
    #[arg(long, value_name = "FILE", requires = "predecessor")]
    cosigner: Vec<PathBuf>,
}

fn correlation_id(text: &str) -> Result<String, &'static str> {
    hidden::check_line(text, limits::CORRELATION_BYTES)?;
    Ok(text.to_owned())
}

fn traceparent(text: &str) -> Result<String, &'static str> {
    match is_traceparent(text) {
        true => Ok(text.to_owned()),
        false => Err(
            "it is no `traceparent` of version 00, such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    }
}

/// Reads, judges, writes, prints; in this order.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let session = load::id("session", args.session)?;
    let run = load::id("run", args.run)?;
    let at = args.evaluation_time.as_deref().map(load::time).transpose()?;
    let permit_for = load::permit_for(&args.permit_for)?;
    let intent = load::intent(host, &args.intent)?;
    let facts = args
        .facts
        .as_deref()
        .map(|path| load::facts(host, path))
        .transpose()?;
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let handed = handed::read(host, &args.handed, at)?;
    let (bundle, succession) = opened(host, &args.bundle, &args.follows, &trusted)?;
    let sources = args.explain.then(|| load::sources(&bundle));
    let boundary = match &succession {
        Some(succession) => Boundary::succeeding(bundle, &trusted, succession),
        None => Boundary::of(bundle, &trusted),
    };
    let mut boundary = boundary.map_err(|error| failure::open(&args.bundle, &error))?;
    load::warn_unenforced(ui, boundary.enforcement());
    promised(ui, &args.fulfils, boundary.gate())?;
    let store = args.store.open(host)?;
    let operators = args.asked.operators(host, &trusted)?;
    let key = key_args::signing_key(host, &args.key)?;
    key_args::accepted(host, &key, &trusted)?;
    let moment = Moment {
        run_id: run.or_else(|| session.clone()),
        session_id: session,
        correlation_id: args.correlation_id,
        traceparent: args.traceparent,
        facts,
        fulfils: BTreeSet::from_iter(args.fulfils).into_iter().collect(),
        handed,
        delegation: args.delegated.read(host, at),
        attested: args.attested.read(host, at),
        permit_for: Some(permit_for),
        keeps_intent: args.keep_intent,
        secrets: secrets(args.keep_secrets),
        ..Moment::default()
    };
    let traces = TraceFiles::new(host, &args.trace_out);
    let desk = Desk {
        host,
        store: store.as_ref(),
        key: &key,
        traces: &traces,
        kill_switch: args.asked.kill_switch.as_deref().map(|path| KillSwitchFile {
            path,
            operators: &operators,
        }),
    };
    let journal = moment.session_id.as_deref().map(journal);
    let call = Call {
        intent: &intent,
        moment: &moment,
        clock: at.map_or(Clock::Machine, Clock::Named),
        journal: journal.as_deref(),
    };
    let written = boundary.judge_written(desk, call).map_err(|error| match error {
        WriteError::Traces(HostError::Exists { .. }) => failure::unwritten(error)
            .hint("traces are never overwritten; name another place with --trace-out, or another time"),
        error => failure::unwritten(error),
    })?;
    warn(ui, &written, desk, call);
    let Written { recorded, place, .. } = written;
    let path = place.file;
    let exit = Exit::of_record(&recorded.record);
    let explained = explained(ui, call, &boundary, &recorded, sources);
    if ui.is_json() {
        ui.json(&document(&recorded, &path, explained.as_ref(), exit))?;
    } else {
        people(ui, &recorded, &path)?;
        if let Some(explained) = &explained {
            explanation::people(ui, explained)?;
        }
    }
    Ok(exit)
}

/// What is worth a word and changes no verdict.
fn warn(ui: &mut Ui, written: &Written, desk: Desk<'_>, call: Call<'_>) {
    if let (Some(since), Some(file), false) = (written.stale_since, desk.kill_switch, ui.is_json()) {
        let path = file.path.display();
        ui.warn(&format!(
            "{path} is stale since {}; `gait kill-switch renew` signs it anew",
            time::print(since)
        ));
    }
    if let (Some(flaw), Some(journal)) = (&written.recorded.flaw, call.journal) {
        ui.warn(&format!("{}: {flaw}", journal.display()));
    }
}

/// The bundle that decides, and the one it must follow.
fn opened(
    host: &dyn Host,
    path: &Path,
    follows: &Follows,
    trusted: &TrustedKeys,
) -> Result<(Verified<Bundle>, Option<Succession>), CliError> {
    let Some(predecessor) = &follows.predecessor else {
        return Ok((load::bundle(host, path, trusted)?, None));
    };
    let cosigners = key_args::named_keys(host, &follows.cosigner)?;
    let succession = Succession {
        predecessor: load::cosigned(host, predecessor, trusted, &cosigners)?,
        cosigners,
    };
    let bundle = load::cosigned(host, path, trusted, &succession.cosigners)?;
    Ok((bundle, Some(succession)))
}

/// A promise that is none is refused, and one of an obligation that the policy does not have is worth a word: a misspelt one
/// blocks calls.
fn promised(ui: &mut Ui, names: &[String], gate: &Gate) -> Result<(), CliError> {
    if names.iter().any(String::is_empty) {
        let message = "`--fulfils` has a name that is empty";
        return Err(CliError::new(Category::InvalidInput, "usage.invalid", message)
            .hint("name what the runtime does, such as `--fulfils notify,ticket`, or leave it out"));
    }
    let known = |name: &&String| {
        // One credential is promised as `credential:NAME`.
        let kind = match name.split_once(':') {
            Some((kind, _)) if kind == obligation::CREDENTIAL => kind,
            _ => name.as_str(),
        };
        gate.program().obligations.iter().any(|known| known.name == kind)
    };
    if !ui.is_json() {
        for name in names.iter().filter(|name| !known(name)) {
            ui.warn(&format!("the policy has no obligation `{name}` to fulfil"));
        }
    }
    Ok(())
}

/// Why it was decided so. A bundle that cannot be explained still decides, so that is a warning.
fn explained(
    ui: &mut Ui,
    call: Call<'_>,
    boundary: &Boundary,
    recorded: &Recorded,
    sources: Option<Result<Checked, CliError>>,
) -> Option<Explanation> {
    let checked = match sources? {
        Ok(checked) => checked,
        Err(error) => {
            ui.warn(&format!("no explanation: {}", error.message));
            return None;
        }
    };
    let nothing = Json::Object(Vec::new());
    // With those that a chain of delegation and statements have added.
    let facts = recorded.record.facts.as_ref().unwrap_or(&nothing);
    let origins = ArgumentOrigin::of_intent(&call.intent.document);
    let request = Request {
        origins: origins.as_deref(),
        state: recorded.before.as_ref(),
        fulfils: Some(&call.moment.fulfils),
        now: Some(i128::from(recorded.record.created_at.as_millisecond())),
        session: call.moment.session_id.as_deref(),
        run: call.moment.run_id.as_deref(),
        usage: recorded.usage.as_ref(),
        approvals: &recorded.approvals,
        ..Request::intent(call.intent).with_facts(facts)
    };
    let gate = boundary.gate();
    let secret = explain::by_labels(gate);
    Some(explain::explain(&checked, gate, &request, &secret))
}

fn document(recorded: &Recorded, path: &Path, explained: Option<&Explanation>, exit: Exit) -> Json {
    let place = ("trace_path", Json::str(path.to_string_lossy()));
    let mut members = answer(recorded, [place]);
    members.push(("explanation", explained.map_or(Json::Null, explanation::document)));
    members.push(("exit_code", Json::int(i64::from(exit.code()))));
    Json::object(members)
}

fn people(ui: &mut Ui, recorded: &Recorded, path: &Path) -> Result<(), CliError> {
    let decision = &recorded.record.decision;
    let verdict = paint(tone(decision.verdict), decision.verdict.as_str());
    ui.line(&format!("{verdict} {}", one_line(&recorded.record.tool)))?;
    ui.line(&format!(
        "  codes   {}",
        one_line(&decision.reason_codes.join(", "))
    ))?;
    if let Some(line) = explanation::unenforced(&recorded.record) {
        ui.line(&format!("  runs    {line}"))?;
    }
    if let Some(detail) = &decision.detail {
        ui.line(&format!("  detail  {}", one_line(detail)))?;
    }
    for line in explanation::steps(decision) {
        ui.line(&line)?;
    }
    for rule in &decision.matched {
        let at = format!("{}:{}:{}", rule.file, rule.start.line, rule.start.column);
        ui.line(&format!(
            "  rule    {} ({}, {}) {}{}",
            one_line(&rule.name),
            rule.verdict,
            one_line(&rule.code),
            one_line(&at),
            rule.scope.as_ref().map(explanation::of_scope).unwrap_or_default()
        ))?;
        if let Some(hint) = &rule.hint {
            ui.line(&format!("  hint    {}", one_line(hint)))?;
        }
    }
    for line in explanation::approvals(decision) {
        ui.line(&line)?;
    }
    for line in handed::lines(&recorded.handed) {
        ui.line(&line)?;
    }
    for line in explanation::obligations(decision) {
        ui.line(&line)?;
    }
    for line in explanation::spent(decision) {
        ui.line(&line)?;
    }
    for target in &decision.targets {
        let line = format!("{} {} {}", target.effect, target.kind, target.value);
        ui.line(&format!("  target  {}", one_line(&line)))?;
    }
    ui.line(&format!("  trace   {}", one_line(&path.display().to_string())))
}
