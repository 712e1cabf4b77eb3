//! `gait gate eval`: one intent, one verdict, one signed trace. The verdict is printed only when the trace is on disk.

use super::handed;
use crate::approvals::Handed;
use crate::artifact::envelope::Payload;
use crate::artifact::{Bundle, SigningKey, TrustedKeys, Verified, approval, limit, obligation, time};
use crate::boundary::{Boundary, Journal, Moment, Recorded};
use crate::bundling::Succession;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::{journal, tone};
use crate::cli::key_args::{self, KeyArgs, TrustArgs};
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, one_line, paint};
use crate::cli::{explanation, failure, load};
use crate::compile::Checked;
use crate::domain::counter::Outcome;
use crate::domain::{ArgumentOrigin, Intent, Profile, Request};
use crate::explain::{self, Explanation};
use crate::gate::Gate;
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::kill_switch::{self, Consulted};
use crate::limits;
use crate::store::used::Used;
use crate::store::{self, Store, counters};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Judge one intent and write a signed trace
///
/// Exits by verdict: 0 allow, 3 block, 4 require_approval, 9 dry_run. Anything that is no verdict has another code
/// and must not run either.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle that decides
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    #[command(flatten)]
    follows: Follows,
    /// The intent: one v1 IntentRequest
    #[arg(long, value_name = "FILE")]
    intent: PathBuf,
    /// What the host knows of the call: a JSON object with a member per fact the policy declares
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// What the runtime will do of what decisions oblige to: notify, and obligations the policy declares
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
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    handed: handed::HandedArgs,
    #[command(flatten)]
    asked: Asked,
    /// Keep the intent in the trace, without what rules redact, so that whoever approves it sees it
    #[arg(long)]
    keep_intent: bool,
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

/// The kill switch that is asked.
#[derive(Debug, clap::Args)]
struct Asked {
    /// The kill switch, whose stops block calls whatever the policy says
    #[arg(long, value_name = "FILE")]
    kill_switch: Option<PathBuf>,
    /// A public key that may have signed the kill switch; may be repeated [default: the trusted keys]
    #[arg(long, value_name = "FILE", requires = "kill_switch")]
    operator: Vec<PathBuf>,
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

/// Where traces are written.
enum Place {
    Folder(PathBuf),
    File(PathBuf),
}

impl Place {
    fn of(host: &dyn Host, path: &Path) -> Place {
        let written = path.as_os_str().as_encoded_bytes();
        // What cannot be read because it is no file is a folder, or fails as one.
        let folder =
            written.ends_with(b"/") || matches!(host.read(path, 0), Err(HostError::NotRegular { .. }));
        if folder {
            Place::Folder(path.to_owned())
        } else {
            Place::File(path.to_owned())
        }
    }

    fn path(&self, trace_id: &str) -> PathBuf {
        match self {
            Place::Folder(folder) => folder.join(format!("trace_{trace_id}.json")),
            Place::File(path) => path.clone(),
        }
    }
}

/// One call with everything its judgement needs.
struct Call<'a> {
    host: &'a dyn Host,
    intent: &'a Intent,
    key: &'a SigningKey,
    place: Place,
    session: Option<String>,
    run: Option<String>,
    at: Option<Timestamp>,
    facts: Option<Json>,
    store: &'a dyn Store,
    fulfils: Vec<String>,
    handed: Vec<Handed>,
    kill_switch: Option<Consulted>,
    keeps_intent: bool,
}

/// Reads, judges, writes, prints; in this order.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let session = load::id("session", args.session)?;
    let run = load::id("run", args.run)?;
    let at = args.evaluation_time.as_deref().map(load::time).transpose()?;
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
    promised(ui, &args.fulfils, boundary.gate())?;
    let store = args.store.open(host)?;
    let kill_switch = consulted(
        ui,
        (host, store.as_ref()),
        &args.asked,
        &trusted,
        (at, boundary.policy().profile),
    )?;
    let key = key_args::signing_key(host, &args.key)?;
    key_args::accepted(host, &key, &trusted)?;
    let call = Call {
        host,
        intent: &intent,
        key: &key,
        place: Place::of(host, &args.trace_out),
        run: run.or_else(|| session.clone()),
        session,
        at,
        facts,
        store: store.as_ref(),
        fulfils: BTreeSet::from_iter(args.fulfils).into_iter().collect(),
        handed,
        kill_switch,
        keeps_intent: args.keep_intent,
    };
    let (recorded, path) = match &call.session {
        Some(session) => in_session(ui, &call, &mut boundary, session)?,
        None => alone(&call, &mut boundary)?,
    };
    let exit = Exit::of_verdict(recorded.record.decision.verdict);
    let explained = explained(ui, &call, &boundary, &recorded, sources);
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

/// What the kill switch says. One that cannot be read stops the call, and is no error.
fn consulted(
    ui: &mut Ui,
    (host, store): (&dyn Host, &dyn Store),
    args: &Asked,
    trusted: &TrustedKeys,
    (at, profile): (Option<Timestamp>, Profile),
) -> Result<Option<Consulted>, CliError> {
    let Some(path) = &args.kill_switch else {
        return Ok(None);
    };
    let named = match args.operator.as_slice() {
        [] => None,
        files => Some(key_args::named_keys(host, files)?),
    };
    let at = at.unwrap_or_else(|| host.now());
    let found = kill_switch::consult(
        (host, store),
        path,
        named.as_ref().unwrap_or(trusted),
        at,
        profile,
    );
    if let Some(since) = found.stale_since.filter(|_| !ui.is_json()) {
        let path = path.display();
        ui.warn(&format!(
            "{path} is stale since {}; `gait kill-switch renew` signs it anew",
            time::print(since)
        ));
    }
    Ok(Some(found))
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
    let known = |name: &&String| gate.program().obligations.iter().any(|kind| kind.name == **name);
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
    call: &Call<'_>,
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
    let facts = call.facts.as_ref().unwrap_or(&nothing);
    let origins = ArgumentOrigin::of_intent(&call.intent.document);
    let request = Request {
        origins: origins.as_deref(),
        state: recorded.before.as_ref(),
        fulfils: Some(&call.fulfils),
        now: Some(i128::from(recorded.record.created_at.as_millisecond())),
        session: call.session.as_deref(),
        run: call.run.as_deref(),
        usage: recorded.usage.as_ref(),
        approvals: &recorded.approvals,
        ..Request::intent(call.intent).with_facts(facts)
    };
    let gate = boundary.gate();
    let secret = explain::by_labels(gate);
    Some(explain::explain(&checked, gate, &request, &secret))
}

/// The same intent judged twice in a millisecond would be the same event; the second is one of the next.
fn alone(call: &Call<'_>, boundary: &mut Boundary) -> Result<(Recorded, PathBuf), CliError> {
    let mut moment = moment(call);
    let mut tries = 1;
    loop {
        let recorded = boundary
            .judge_counted(call.store, call.intent, &moment, call.key)
            .map_err(|error| failure::no_trace(&error.to_string()))?;
        let path = call.place.path(&recorded.record.trace_id);
        match write(call, &path, &recorded) {
            Err(HostError::Exists { .. }) if may_wait(call) && tries < limits::TRACE_TRIES => {
                take_back(call, &recorded, true);
                let next = moment.now.checked_add(1.millisecond()).unwrap_or(moment.now);
                moment.now = next.max(call.host.now());
                tries += 1;
            }
            written => return finished(call, written, recorded, path),
        }
    }
}

/// The journal's place in the chain makes the event distinct, so there is nothing to try again.
fn in_session(
    ui: &mut Ui,
    call: &Call<'_>,
    boundary: &mut Boundary,
    session: &str,
) -> Result<(Recorded, PathBuf), CliError> {
    if let Place::File(path) = &call.place
        && call.host.exists(path)
    {
        return Err(exists(HostError::Exists { path: path.clone() }));
    }
    let kept = journal(session);
    let journal = Journal {
        host: call.host,
        path: &kept,
        store: call.store,
    };
    let recorded = boundary
        .judge_in_session(journal, call.intent, &moment(call), call.key)
        .map_err(failure::session)?;
    if let Some(flaw) = &recorded.flaw {
        ui.warn(&format!("{}: {flaw}", kept.display()));
    }
    let path = call.place.path(&recorded.record.trace_id);
    finished(call, write(call, &path, &recorded), recorded, path)
}

fn moment(call: &Call<'_>) -> Moment {
    Moment {
        now: call.at.unwrap_or_else(|| call.host.now()),
        session_id: call.session.clone(),
        run_id: call.run.clone(),
        previous: None,
        facts: call.facts.clone(),
        fulfils: call.fulfils.clone(),
        state: None,
        usage: None,
        uncounted: None,
        handed: call.handed.clone(),
        kill_switch: call.kill_switch.clone(),
        keeps_intent: call.keeps_intent,
    }
}

fn may_wait(call: &Call<'_>) -> bool {
    call.at.is_none() && matches!(call.place, Place::Folder(_))
}

fn write(call: &Call<'_>, path: &Path, recorded: &Recorded) -> Result<(), HostError> {
    call.host.write_new(path, recorded.trace.as_bytes(), Mode::Public)
}

/// Takes back what a call was charged that has no trace, and so no verdict. Approvals that it has used up are given back only
/// where its trace is another call's: then it is certain that nobody has it. Whatever else went wrong, they stay used up.
fn take_back(call: &Call<'_>, recorded: &Recorded, is_others: bool) {
    let names = || recorded.charges.iter().map(|charge| charge.counter.as_str());
    let trace_id = &recorded.record.trace_id;
    let approvals = recorded.record.approved_with.as_slice();
    let approvals = if is_others { approvals } else { &[] };
    let keys: Vec<store::Key> = counters::keys(names()).chain(Used::keys(approvals)).collect();
    if keys.is_empty() {
        return;
    }
    // Where it cannot be taken back, it counts.
    let _ = store::change(call.store, keys, |records| {
        let mut counters = counters::read(records, names())?;
        for counter in counters.0.values_mut() {
            counter.settle(trace_id, Outcome::Failed);
        }
        let mut used = Used::read(records, approvals)?;
        for approval in approvals {
            used.give_back(*approval, trace_id);
        }
        counters::write(records, &counters)?;
        used.write(records)
    });
}

fn finished(
    call: &Call<'_>,
    written: Result<(), HostError>,
    recorded: Recorded,
    path: PathBuf,
) -> Result<(Recorded, PathBuf), CliError> {
    if written.is_err() {
        take_back(call, &recorded, false);
    }
    written.map_err(exists).map(|()| (recorded, path))
}

fn exists(error: HostError) -> CliError {
    match error {
        HostError::Exists { .. } => CliError::from(error)
            .hint("traces are never overwritten; name another place with --trace-out, or another time"),
        other => other.into(),
    }
}

fn document(recorded: &Recorded, path: &Path, explained: Option<&Explanation>, exit: Exit) -> Json {
    let record = recorded.record.to_json();
    let member = |name: &'static str| (name, record.get(name).cloned().unwrap_or(Json::Null));
    Json::object([
        ("ok", Json::Bool(true)),
        member("verdict"),
        member("reason_codes"),
        member("matched_rules"),
        member("targets"),
        member("detail"),
        ("approvals", approval::list(&recorded.record.decision.approvals)),
        (
            "approved_by",
            explanation::names(&recorded.record.decision.approved_by),
        ),
        ("handed", handed::document(&recorded.handed)),
        (
            "obligations",
            obligation::list(&recorded.record.decision.obligations),
        ),
        (
            "canonical_args",
            recorded.canonical_args.clone().unwrap_or(Json::Null),
        ),
        member("tool"),
        member("script"),
        member("trace_id"),
        ("trace_path", Json::str(path.to_string_lossy())),
        ("trace_digest", recorded.digest.to_json()),
        member("bundle_digest"),
        member("intent_digest"),
        member("args_digest"),
        member("call_digest"),
        member("policy"),
        ("limits", limit::list(&recorded.record.decision.limits)),
        member("session_id"),
        member("run_id"),
        member("previous"),
        ("explanation", explained.map_or(Json::Null, explanation::document)),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}

fn people(ui: &mut Ui, recorded: &Recorded, path: &Path) -> Result<(), CliError> {
    let decision = &recorded.record.decision;
    let verdict = paint(tone(decision.verdict), decision.verdict.as_str());
    ui.line(&format!("{verdict} {}", one_line(&recorded.record.tool)))?;
    ui.line(&format!(
        "  codes   {}",
        one_line(&decision.reason_codes.join(", "))
    ))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Memory;
    use crate::{bundling, compile};

    fn boundary(key: &SigningKey, now: Timestamp) -> Boundary {
        let text = include_str!("../../../policies/starter/policy.gaitpol");
        let checked = compile::check("p.gaitpol", text).checked.unwrap();
        let built = bundling::build(&checked, 0, key).unwrap();
        Boundary::open(&built.bytes, &TrustedKeys::new([key.verifying_key()]), now).unwrap()
    }

    /// The clock of this machine stands still, so every call is in the same millisecond.
    #[test]
    fn equal_calls_in_one_millisecond_are_traces_of_their_own() {
        let now: Timestamp = "2026-01-02T03:04:05.006Z".parse().unwrap();
        let (host, key) = (Memory::new(now), SigningKey::from_seed(&[1; 32]));
        let mut boundary = boundary(&key, now);
        let store = store::Memory::default();
        let text = include_bytes!("../../../policies/starter/intents/allow.json");
        let intent = Intent::read(text).unwrap();
        let call = |at, place| Call {
            host: &host,
            intent: &intent,
            key: &key,
            place,
            session: None,
            run: None,
            at,
            facts: None,
            store: &store,
            fulfils: Vec::new(),
            handed: Vec::new(),
            kill_switch: None,
            keeps_intent: false,
        };
        let folder = || Place::Folder(PathBuf::from("t"));
        for later in 0..3i64 {
            let (recorded, _) = alone(&call(None, folder()), &mut boundary).unwrap();
            assert_eq!(recorded.record.created_at, now + later.milliseconds());
        }
        assert_eq!(host.list_dir(Path::new("t")).unwrap().len(), 3);
        let file = || Place::File(PathBuf::from("t.json"));
        alone(&call(None, file()), &mut boundary).unwrap();
        for refused in [call(Some(now), folder()), call(None, file())] {
            assert_eq!(alone(&refused, &mut boundary).unwrap_err().code, "file.exists");
        }
    }
}
