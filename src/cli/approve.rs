//! `gait approve`: a person approves one call. It shows everything that is approved before it asks, signs nothing that it
//! has not shown, and judges nothing: whether the approval is enough is for the gate.

mod script;

use super::error::{Category, CliError};
use super::exit::Exit;
use super::key_args::{TrustArgs, trusted_keys};
use super::ui::{Tone, Ui, one_line, paint};
use super::{load, verify};
use crate::approvals::{self, rows};
use crate::artifact::{Digest, GivenApproval, Subject, TraceRecord, digest, given, time};
use crate::domain::Verdict;
use crate::eval::redact;
use crate::host::{Host, HostError, Mode, Stream};
use crate::json::Json;
use crate::{keyring, limits};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

/// Where approvals are written unless another place is named.
pub(super) const FOLDER: &str = "gait-out/approvals";

/// The flag that says how long an answer is good for, and the code of what is wrong with it.
const EXPIRES: (&str, &str) = ("--expires", "approve.expires");

/// Approve one call that waits for it
///
/// Takes the signed trace of a call that the gate answered with require_approval, shows what is approved, asks, and signs
/// an approval by your own key: for this call, under this bundle, once.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// How long the approval is good for, at most 31 days
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    expires: String,
    /// Approve every script of this shape while it lasts, and not this one once: the same tools in the same order, with the same arguments
    #[arg(long)]
    script: bool,
    /// Arguments that may have any value of their kind, by the number of the step, such as `1.path,2.text`
    #[arg(long, value_name = "STEP.ARG", value_delimiter = ',', requires = "script", value_parser = place_of)]
    vary: Vec<(usize, String)>,
}

fn place_of(text: &str) -> Result<(usize, String), &'static str> {
    let wrong = "write the number of the step and the name of the argument, such as `1.path`";
    let (step, arg) = text
        .split_once('.')
        .filter(|(_, arg)| !arg.is_empty())
        .ok_or(wrong)?;
    let step = step.parse().ok().filter(|step| *step > 0).ok_or(wrong)?;
    Ok((step, arg.to_owned()))
}

/// A call that waits, and who answers.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// The signed trace of the call; `gait approvals` tells which wait
    trace: PathBuf,
    /// The line of the trace, where the file is a log of `gait serve`
    #[arg(long, value_name = "N")]
    line: Option<NonZeroU64>,
    /// Your own private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The intent of the call, where the trace does not hold it
    #[arg(long, value_name = "FILE")]
    intent: Option<PathBuf>,
    /// Where the answer goes: a new file [default: gait-out/approvals/approval_ID.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Approves it.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    if args.script {
        return script::approve(ui, host, args);
    }
    answer(ui, host, args.asked, &args.expires, None)
}

/// Shows, asks, signs, writes; in this order.
pub(super) fn answer(
    ui: &mut Ui,
    host: &dyn Host,
    asked: Asked,
    expires: &str,
    denied: Option<String>,
) -> Result<Exit, CliError> {
    let millis = load::duration(EXPIRES, expires, limits::APPROVAL_MILLIS)?;
    let trusted = trusted_keys(host, &asked.trust)?;
    let bytes = host.read(&asked.trace, limits::FILE_BYTES)?;
    let bytes = line(&bytes, &asked)?;
    let (trace, _) =
        verify::of_trace(bytes, &trusted, host.now()).map_err(|error| error.in_file(&asked.trace))?;
    let record = trace.value();
    let subject = subject(record).map_err(|error| error.in_file(&asked.trace))?;
    let intent = intent(host, &asked, record)?;
    let key = keyring::signing_key(host, &asked.key)?;
    consent(ui, host, &asked, (record, &intent), denied.as_deref())?;
    let given = approvals::give(host, (subject, &record.tool), denied, millis, &key)?;
    let given = given.ok_or_else(|| load::bad_duration(EXPIRES, expires, "that is no time any more"))?;
    let (signed, name) = given::sign(&given, &key)?;
    let path = asked.out.unwrap_or_else(|| place(name));
    host.write_new(&path, signed.as_bytes(), Mode::Public)
        .map_err(exists)?;
    report(ui, record, &given, name, &path)?;
    Ok(Exit::Success)
}

/// The trace in a file: the whole of it, or a line.
fn line<'b>(bytes: &'b [u8], args: &Asked) -> Result<&'b [u8], CliError> {
    let Some(number) = args.line else {
        return Ok(bytes);
    };
    let before = usize::try_from(number.get() - 1).unwrap_or(usize::MAX);
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let found = lines.nth(before).and_then(|line| line.strip_suffix(b"\n"));
    found.ok_or_else(|| {
        let message = format!("there is no line {number}");
        CliError::new(Category::InvalidInput, "approve.no_line", message).in_file(&args.trace)
    })
}

/// What is approved; only of a call that waits for it.
fn subject(record: &TraceRecord) -> Result<Subject, CliError> {
    let verdict = record.decision.verdict;
    if verdict != Verdict::RequireApproval || !record.enforcement.binds() {
        let message = match record.enforcement.binds() {
            true => format!("the call is {verdict}, so there is nothing to approve"),
            false => "nothing is enforced, so the call waits for nobody".to_owned(),
        };
        let error = CliError::new(Category::InvalidInput, "approve.not_asked", message);
        return Err(error.hint("only a call that the gate answered with require_approval is approved"));
    }
    Subject::of_trace(record).ok_or_else(|| {
        let message = "the trace names no canonical form of the call";
        CliError::new(Category::InvalidInput, "approve.not_asked", message)
    })
}

/// The intent of the call, which the trace names by its digest.
fn intent(host: &dyn Host, args: &Asked, record: &TraceRecord) -> Result<Json, CliError> {
    let Some(path) = &args.intent else {
        return record.intent.clone().ok_or_else(|| {
            let message = "the trace does not hold the arguments, and nobody approves what is not shown";
            CliError::new(Category::InvalidInput, "approve.no_intent", message)
                .hint("name the intent with --intent, or have `gait gate eval --keep-intent` keep it in the trace")
                .in_file(&args.trace)
        });
    };
    let intent = load::intent(host, path)?;
    let mut document = intent.canonical();
    if digest::of_json(&document) == record.intent_digest {
        return Ok(document);
    }
    // A trace is of what is kept, and no secret is.
    redact::secrets(&mut document, &|name| name == record.tool);
    if digest::of_json(&document) == record.intent_digest {
        return Ok(document);
    }
    let message = "the intent is not the one that the trace is of";
    let error = CliError::new(Category::Verification, "approve.other_intent", message);
    Err(error
        .hint("of a policy that redacts arguments, `gait gate eval --keep-intent` keeps what may be shown in the trace")
        .in_file(path))
}

/// Shows what is approved and asks a person, unless told not to.
fn consent(
    ui: &mut Ui,
    host: &dyn Host,
    args: &Asked,
    (record, intent): (&TraceRecord, &Json),
    denied: Option<&str>,
) -> Result<(), CliError> {
    let can_ask = host.is_terminal(Stream::In) && host.is_terminal(Stream::Err) && !ui.is_json();
    if !args.yes && !can_ask {
        let message =
            "there is nobody to ask: standard input and error are no terminal, or the output is JSON";
        let error = CliError::new(Category::Unsafe, "approve.nobody_to_ask", message);
        return Err(error.hint("look at the call, and then say --yes"));
    }
    if !ui.is_json() {
        for line in shown(record, intent) {
            ui.rendered(&line);
        }
        if let Some(why) = denied {
            ui.rendered(&format!("  {:<9}{}", "denied", one_line(why)));
        }
    }
    if args.yes {
        return Ok(());
    }
    let question = match denied {
        None => "Approve this call, once? Type yes:",
        Some(_) => "Deny this call? Type yes:",
    };
    ui.rendered(&paint(Tone::Strong, question));
    let answer = match host.read_answer(limits::ANSWER_BYTES) {
        Err(HostError::TooLarge { .. }) => String::new(),
        answer => answer?,
    };
    if answer.trim() == "yes" {
        return Ok(());
    }
    let message = "not answered; nothing was signed";
    Err(CliError::new(Category::Unsafe, "approve.declined", message))
}

/// Everything that is approved or denied, for people. All of it is from outside, so each line is escaped.
fn shown(record: &TraceRecord, intent: &Json) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {}",
        paint(Tone::Warn, "waits for an approval"),
        one_line(&record.tool)
    )];
    let rows = rows::rows(record, Some(intent)).into_iter();
    lines.extend(rows.map(|(head, text)| format!("  {head:<9}{}", one_line(&text))));
    lines
}

fn place(name: Digest) -> PathBuf {
    Path::new(FOLDER).join(approvals::file_name(name))
}

fn exists(error: HostError) -> CliError {
    match error {
        HostError::Exists { .. } => {
            CliError::from(error).hint("approvals are never overwritten; name another file")
        }
        other => other.into(),
    }
}

fn report(
    ui: &mut Ui,
    record: &TraceRecord,
    given: &GivenApproval,
    name: Digest,
    path: &Path,
) -> Result<(), CliError> {
    let calls = given.subject.call_digests.iter().map(Digest::to_json);
    if ui.is_json() {
        return ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(path.to_string_lossy())),
            ("digest", name.to_json()),
            ("key_id", given.key.digest().to_json()),
            ("denied", given.denied.as_ref().map_or(Json::Null, Json::str)),
            ("tool", Json::str(&given.tool)),
            ("trace_id", Json::str(&record.trace_id)),
            ("bundle_digest", given.subject.bundle_digest.to_json()),
            ("intent_digest", given.subject.intent_digest.to_json()),
            ("call_digests", Json::Array(calls.collect())),
            ("given_at", Json::str(time::print(given.given_at))),
            ("expires_at", Json::str(time::print(given.expires_at))),
        ]));
    }
    ui.line(&format!(
        "{} {}",
        match given.denied {
            None => paint(Tone::Good, "approved"),
            Some(_) => paint(Tone::Bad, "denied"),
        },
        one_line(&given.tool)
    ))?;
    ui.line(&format!("  until    {}", time::print(given.expires_at)))?;
    ui.line(&format!("  key      {}", given.key))?;
    ui.line(&format!("  file     {}", one_line(&path.to_string_lossy())))?;
    ui.note("next: `gait gate eval … --approval FILE --approvers gait-trust.json` with the same bundle and intent");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::SigningKey;
    use crate::boundary::{Boundary, Moment};
    use crate::cli::ui::Options;
    use crate::domain::Intent;
    use crate::host::Memory;
    use crate::{artifact::TrustedKeys, bundling, compile};

    const POLICY: &str = "gaitpol 1\npolicy p\ndefault require_approval\ntool say { text: String[max 99] }\n\
        rule never on say when args.text == \"no\" block\n";

    /// A machine with the trace of a call that waits, and the key of somebody who approves.
    fn host(text: &str) -> Memory {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let (gate, ann) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let checked = compile::check("p.gaitpol", POLICY).checked.unwrap();
        let built = bundling::build(&checked, 0, &gate).unwrap();
        let trusted = TrustedKeys::new([gate.verifying_key()]);
        let mut boundary = Boundary::open(&built.bytes, &trusted, now).unwrap();
        let intent = format!(
            r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-01-02T03:04:05Z",
            "producer_version":"t","tool_name":"say","args":{{"text":"{text}"}},"targets":[],
            "context":{{"identity":"a","workspace":"/w","risk_class":"low"}}}}"#
        );
        let intent = Intent::read(intent.as_bytes()).unwrap();
        let moment = Moment {
            now,
            keeps_intent: true,
            ..Moment::default()
        };
        let recorded = boundary.judge(&intent, &moment, &gate).unwrap();
        let host = Memory::new(now)
            .with_file("t.json", recorded.trace.into_bytes())
            .with_file("gate.public.json", gate.verifying_key().to_file());
        host.write_new(Path::new("ann"), &ann.to_file(), Mode::Private)
            .unwrap();
        host
    }

    fn approve(host: &Memory, yes: bool) -> Result<Exit, String> {
        let asked = Asked {
            trace: "t.json".into(),
            line: None,
            key: "ann".into(),
            intent: None,
            out: Some("a.json".into()),
            yes,
            trust: TrustArgs {
                trust: vec!["gate.public.json".into()],
            },
        };
        let expires = "15m".to_owned();
        let args = Args {
            asked,
            expires,
            script: false,
            vary: Vec::new(),
        };
        run(&mut Ui::new(host, Options::default()), host, args).map_err(|error| error.code)
    }

    #[test]
    fn only_a_whole_yes_of_a_person_approves() {
        for (answer, terminal, yes, result) in [
            ("yes\n", true, false, Ok(Exit::Success)),
            (" yes \r\nno\n", true, false, Ok(Exit::Success)),
            ("yes\n", false, false, Err("approve.nobody_to_ask")),
            ("", false, true, Ok(Exit::Success)),
            ("", true, false, Err("approve.declined")),
            ("y\n", true, false, Err("approve.declined")),
            ("\nyes\n", true, false, Err("approve.declined")),
            ("yes please\n", true, false, Err("approve.declined")),
        ] {
            let host = host("hello").with_input(answer);
            let host = if terminal { host.with_terminals() } else { host };
            let expected = result.map_err(str::to_owned);
            assert_eq!(approve(&host, yes), expected, "{answer:?}");
            assert_eq!(host.exists(Path::new("a.json")), expected.is_ok(), "{answer:?}");
        }
        assert_eq!(approve(&host("no"), true), Err("approve.not_asked".to_owned()));
    }

    #[test]
    fn what_is_shown_is_everything_and_cannot_act() {
        let host = host("a\\u001b[2J\\u202eb\\nrule: x");
        let bytes = host.read(Path::new("t.json"), 99_999).unwrap();
        let trusted = TrustedKeys::new([SigningKey::from_seed(&[1; 32]).verifying_key()]);
        let trace = crate::artifact::trace::verify(&bytes, &trusted, host.now()).unwrap();
        let intent = trace.value().intent.clone().unwrap();
        let lines = shown(trace.value(), &intent);
        let text = lines.join("|");
        assert!(
            lines.iter().all(|line| !line.contains(['\n', '\u{202e}'])),
            "{text}"
        );
        for part in [
            r#"argument text: "a\u001b[2J\u{202e}b\nrule: x""#,
            "say",
            r#"context: {"identity":"a""#,
            "approve  from anybody count 1",
            "policy   p",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
