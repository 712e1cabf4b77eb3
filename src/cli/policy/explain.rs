//! `gait policy explain`: why a call is decided as it is, from a bundle or a policy alone. A bundle holds its sources;
//! they are compiled again, and must make the bundle's program byte for byte before anything is explained by them.

use super::source;
use crate::artifact::{approval, obligation};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::tone;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, count, one_line, paint};
use crate::cli::{explanation, failure, load};
use crate::compile::{self, Checked, Purpose};
use crate::domain::{ArgumentOrigin, Decision, Request, Usage};
use crate::explain::{self, Explanation};
use crate::gate::Gate;
use crate::host::Host;
use crate::json::Json;
use crate::store::{self, Store, counters};
use std::path::{Path, PathBuf};

/// Explain the decision on an intent: which rules matched, which clause stopped the others, and the nearest allowed call
///
/// Judges the intent without a key and writes no trace. The exit code is 0 whatever the verdict.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("decider").required(true).args(["bundle", "policy"])))]
pub struct Args {
    /// The signed policy that decides; its sources must make its program
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// A policy source that decides, instead of a bundle
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The intent: one v1 IntentRequest
    #[arg(long, value_name = "FILE")]
    intent: PathBuf,
    /// What the host knows of the call: a JSON object with a member per fact the policy declares
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Go on from this session's journal, gait-out/sessions/ID.jsonl, without adding to it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The run the call is one of; otherwise the session's id
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// The time of the call, such as 2026-01-31T12:00:00Z; otherwise now
    #[arg(long, value_name = "RFC3339")]
    evaluation_time: Option<String>,
    /// Show values that have a label of the policy's own, too
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Explains.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let intent = load::intent(host, &args.intent)?;
    let facts = match &args.facts {
        Some(path) => load::facts(host, path)?,
        None => Json::Object(Vec::new()),
    };
    let at = args.evaluation_time.as_deref().map(load::time).transpose()?;
    let at = at.unwrap_or_else(|| host.now());
    let checked = match (&args.bundle, &args.policy) {
        (Some(path), _) => from_bundle(host, path, &args.trust)?,
        (None, Some(path)) => from_source(ui, host, path)?,
        (None, None) => {
            return Err(CliError::new(
                Category::Internal,
                "usage.invalid",
                "no policy is named",
            ));
        }
    };
    let gate = Gate::new(compile::lower(&checked));
    let session = load::id("session", args.session)?;
    let run = load::id("run", args.run)?.or_else(|| session.clone());
    let store = args.store.open(host)?;
    let state = match session.clone() {
        Some(session) => {
            let trusted = trusted_keys(host, &args.trust)?;
            Some(load::session_state(
                (host, store.as_ref()),
                &session,
                &trusted,
                &gate,
            )?)
        }
        None => None,
    };
    let origins = ArgumentOrigin::of_intent(&intent.document);
    let request = Request {
        origins: origins.as_deref(),
        state: state.as_ref(),
        fulfils: None,
        session: session.as_deref(),
        run: run.as_deref(),
        now: Some(i128::from(at.as_millisecond())),
        ..Request::intent(&intent).with_facts(&facts)
    };
    let usage = spent(store.as_ref(), &gate, &request)?;
    let request = Request {
        usage: usage.as_ref(),
        ..request
    };
    let secret = explain::by_labels(&gate);
    let hidden = |call: &Request<'_>, path: &[String]| !args.reveal && secret(call, path);
    let explained = explain::explain(&checked, &gate, &request, &hidden);
    if ui.is_json() {
        ui.json(&document(&explained))?;
    } else {
        people(ui, &explained)?;
    }
    Ok(Exit::Success)
}

/// What is spent of the limits that count a call, without charging it.
fn spent(store: &dyn Store, gate: &Gate, request: &Request<'_>) -> Result<Option<Usage>, CliError> {
    let charges = gate.charges(request);
    if charges.is_empty() {
        return Ok(None);
    }
    let names = || charges.iter().map(|charge| charge.counter.as_str());
    let read = store::read(store, counters::keys(names()));
    let counters = read.and_then(|records| counters::read(&records, names()));
    let counters = counters.map_err(|error| failure::store(&error))?;
    Ok(Some(counters.used(&charges, crate::gate::millis(request.now))))
}

fn from_bundle(host: &dyn Host, path: &Path, trust: &TrustArgs) -> Result<Checked, CliError> {
    let trusted = trusted_keys(host, trust)?;
    let bundle = load::bundle(host, path, &trusted)?;
    load::sources(&bundle).map_err(|error| error.in_file(path))
}

fn from_source(ui: &mut Ui, host: &dyn Host, path: &Path) -> Result<Checked, CliError> {
    let file = source::read(host, path)?;
    let report = file.check(host, &file.name, Purpose::Author);
    let errors = report.errors();
    let Some(checked) = report.checked else {
        if !ui.is_json() {
            source::tell(
                ui,
                crate::cli::render::Findings {
                    diagnostics: &report.diagnostics,
                    sources: &report.sources,
                },
            );
        }
        let message = format!("{} has {}", file.name, count(errors, "error"));
        return Err(CliError::new(Category::InvalidInput, "policy.invalid", message)
            .hint(format!("`gait policy check {}` shows all of them", file.name)));
    };
    Ok(checked)
}

fn people(ui: &mut Ui, explained: &Explanation) -> Result<(), CliError> {
    let decision = &explained.decision;
    let verdict = paint(tone(decision.verdict), decision.verdict.as_str());
    ui.line(&format!("{verdict} {}", one_line(&explained.tool)))?;
    let mut say = |head: &str, text: &str| ui.line(&format!("  {head:<7} {}", one_line(text)));
    say("codes", &decision.reason_codes.join(", "))?;
    if let Some(detail) = &decision.detail {
        say("detail", detail)?;
    }
    for hint in decision.matched.iter().filter_map(|rule| rule.hint.as_ref()) {
        say("hint", hint)?;
    }
    for line in explanation::steps(decision)
        .into_iter()
        .chain(explanation::approvals(decision))
    {
        ui.line(&line)?;
    }
    for line in explanation::obligations(decision) {
        ui.line(&line)?;
    }
    for target in &decision.targets {
        let text = format!("{} {} {}", target.effect, target.kind, target.value);
        ui.line(&format!("  target  {}", one_line(&text)))?;
    }
    explanation::people(ui, explained)
}

fn document(explained: &Explanation) -> Json {
    let decision: &Decision = &explained.decision;
    let strings = |texts: &[String]| Json::Array(texts.iter().map(Json::str).collect());
    let target = |t: &crate::domain::Target| {
        Json::object([
            ("effect", Json::str(&t.effect)),
            ("kind", Json::str(&t.kind)),
            ("value", Json::str(&t.value)),
        ])
    };
    Json::object([
        ("ok", Json::Bool(true)),
        ("tool", Json::str(&explained.tool)),
        ("verdict", Json::str(decision.verdict.as_str())),
        ("reason_codes", strings(&decision.reason_codes)),
        (
            "targets",
            Json::Array(decision.targets.iter().map(target).collect()),
        ),
        ("approvals", approval::list(&decision.approvals)),
        ("approved_by", strings(&decision.approved_by)),
        ("obligations", obligation::list(&decision.obligations)),
        ("detail", decision.detail.as_ref().map_or(Json::Null, Json::str)),
        ("explanation", explanation::document(explained)),
        ("exit_code", Json::int(i64::from(Exit::Success.code()))),
    ])
}
