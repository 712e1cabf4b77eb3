//! `gait approvals`: the calls that wait for people, told from the traces that gates have written. It signs nothing and
//! judges nothing.

use super::approve;
use super::error::CliError;
use super::exit::Exit;
use super::explanation;
use super::key_args::{TrustArgs, trusted_keys};
use super::ui::{Tone, Ui, one_line, paint};
use crate::approvals::inbox::{self, Inbox, Place, Reading, Unread, Waiting};
use crate::approvals::{Handed, rows};
use crate::artifact::time;
use crate::host::{Host, HostError};
use crate::json::Json;
use std::path::PathBuf;

/// Where gates write their traces unless another place is named.
const FOLDERS: [&str; 3] = [
    "gait-out/traces",
    "gait-out/serve/traces",
    "gait-out/mcp-serve/traces",
];

/// List the calls that wait for people
///
/// Reads the traces that gates have written, and shows each call whose last trace asks for approval: who asks, with which
/// arguments, what is asked for, and the approvals that are there. `gait approve` approves one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of traces, or files: a trace (.json) or a log of them (.jsonl) [default: gait-out/traces,
    /// gait-out/serve/traces and gait-out/mcp-serve/traces, where they are there]
    #[arg(value_name = "PATH")]
    traces: Vec<PathBuf>,
    /// The trust file that says whose keys may approve; without it approvals are not looked for
    #[arg(long, value_name = "FILE")]
    approvers: Option<PathBuf>,
    /// The folder of approvals [default: gait-out/approvals]
    #[arg(long, value_name = "DIR", requires = "approvers")]
    approvals: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Reads all traces, then tells what waits.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let files = files(host, &args.traces)?;
    let given = given(host, &args)?;
    let mut reading = Reading::default();
    let progress = ui.progress(files.len() as u64, "files of traces");
    for (file, found) in &files {
        match (reading.file(host, file, &trusted), found) {
            (Err(error), Found::InFolder) => reading.unreadable(file, &error),
            (read, _) => read?,
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let inbox = reading.inbox(&given);
    if ui.is_json() {
        ui.json(&document(&inbox))?;
    } else {
        people(ui, &inbox)?;
    }
    Ok(Exit::Success)
}

/// How a file came to be read.
#[derive(Clone, Copy)]
enum Found {
    /// It was named, so it has to be there.
    Named,
    /// It is in a folder of traces: one that cannot be read does not hide the others.
    InFolder,
}

/// The files to read. What is named has to be there.
fn files(host: &dyn Host, named: &[PathBuf]) -> Result<Vec<(PathBuf, Found)>, CliError> {
    let mut files = Vec::new();
    let default = FOLDERS.iter().filter(|_| named.is_empty());
    let default = default.map(PathBuf::from).filter(|folder| host.exists(folder));
    for path in named.iter().cloned().chain(default) {
        let is_file = path
            .extension()
            .is_some_and(|end| end == "json" || end == "jsonl");
        if is_file {
            files.push((path, Found::Named));
        } else {
            let all = inbox::files(host, &path)?.into_iter();
            files.extend(all.map(|file| (file, Found::InFolder)));
        }
    }
    Ok(files)
}

/// The approvals that are there, where the trust file says whose they are.
fn given(host: &dyn Host, args: &Args) -> Result<Vec<Handed>, CliError> {
    let Some(trust) = &args.approvers else {
        return Ok(Vec::new());
    };
    let known = crate::approvals::read(host, trust)?;
    let folder = args.approvals.clone().unwrap_or_else(|| approve::FOLDER.into());
    match crate::approvals::in_folder(host, &folder, &known) {
        // Nobody has approved anything yet.
        Err(HostError::NotFound { .. }) if args.approvals.is_none() => Ok(Vec::new()),
        found => Ok(crate::approvals::distinct(found?)),
    }
}

fn people(ui: &mut Ui, inbox: &Inbox) -> Result<(), CliError> {
    for waiting in &inbox.waiting {
        let heading = format!(
            "{} {}",
            paint(Tone::Warn, "waits"),
            one_line(&waiting.record.tool)
        );
        ui.line(&heading)?;
        lines(waiting).iter().try_for_each(|line| ui.line(line))?;
    }
    for Unread { place, reason } in &inbox.unread {
        ui.warn(&format!("{}: {reason}", shown(place)));
    }
    match inbox.waiting.last() {
        Some(_) => ui.note("next: `gait approve TRACE --key YOUR.private.json` shows one of them and asks"),
        None => ui.line("nothing waits")?,
    }
    Ok(())
}

fn lines(waiting: &Waiting) -> Vec<String> {
    let record = &waiting.record;
    let mut lines = Vec::new();
    let mut line = |head: &str, text: &str| lines.push(format!("  {head:<9}{}", one_line(text)));
    let times = match waiting.asked {
        1 => String::new(),
        n => format!(", {n} times"),
    };
    line("asked at", &format!("{}{times}", time::print(record.created_at)));
    if let Some(identity) = &record.identity {
        line("asks", identity);
    }
    match &record.intent {
        Some(intent) => rows::called(intent, &mut |head, text| line(head, &text)),
        None => line(
            "argument",
            "not in the trace: `gait approve` has to be given the intent",
        ),
    }
    line("trace", &shown(&waiting.place));
    for given in &waiting.given {
        let against = given
            .flaw
            .map_or(String::new(), |flaw| format!(", {}", flaw.as_str()));
        match given.answer.denies() {
            None => line("given", &format!("{}{against}", given.by)),
            Some(why) => line("denied", &format!("{}{against}: {why}", given.by)),
        }
    }
    lines.extend(explanation::approvals(&record.decision));
    lines
}

/// A place as `gait approve` takes it.
fn shown(place: &Place) -> String {
    let file = place.file.to_string_lossy();
    place
        .line
        .map_or(file.to_string(), |line| format!("{file} --line {line}"))
}

fn document(inbox: &Inbox) -> Json {
    Json::object([
        ("ok", Json::Bool(true)),
        (
            "waiting",
            Json::Array(inbox.waiting.iter().map(Waiting::to_json).collect()),
        ),
        ("unread", Json::Array(inbox.unread.iter().map(unread).collect())),
    ])
}

fn unread(one: &Unread) -> Json {
    let (file, line) = one.place.to_json();
    Json::object([("file", file), ("line", line), ("reason", Json::str(&one.reason))])
}
