//! `gait policy import gait-yaml`: a policy of the Go system as a policy of this language.

use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::policy::source::count;
use crate::cli::ui::Ui;
use crate::host::{Host, Mode};
use crate::import::gait_yaml::{self, ImportError, Imported, Kind, Note};
use crate::json::{self, Json};
use crate::limits;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Turn a YAML policy of the Go system into a policy
///
/// Reads a policy in the YAML of `gait` 1.x and writes a complete policy that is nowhere looser. Standard error says of
/// each rule what became of it, and names every reason why a call may get a stricter verdict than it got. That system
/// declares no tools; this one blocks what is not declared: name the tools its rules leave out with `--tool`, or give
/// intents that call them. Exits 6 when the file cannot be read as such a policy.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The YAML policy
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// Declare the tools that these intents call: a file with one, or with one per line (JSONL); may be repeated
    #[arg(long, value_name = "FILE")]
    intents: Vec<PathBuf>,
    /// Declare this tool too; may be repeated
    #[arg(long = "tool", value_name = "NAME")]
    tools: Vec<String>,
    /// The name of the policy
    #[arg(long, value_name = "NAME", default_value = "imported.policy")]
    name: String,
    /// Write a new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Imports a YAML policy.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let bytes = host.read(&args.from, limits::FILE_BYTES)?;
    let mut called: BTreeSet<String> = args.tools.into_iter().collect();
    for path in &args.intents {
        called.extend(called_by(path, &host.read(path, limits::FILE_BYTES)?)?);
    }
    let done = gait_yaml::policy(&bytes, &args.name, &called).map_err(|error| refused(&args.from, &error))?;
    if let Some(out) = &args.out {
        host.write_new(out, done.source.as_bytes(), Mode::Public)?;
    }
    if ui.is_json() {
        let path = args
            .out
            .map_or(Json::Null, |path| Json::str(path.to_string_lossy()));
        ui.json(&document(&done, path))?;
        return Ok(Exit::Success);
    }
    tell(ui, &done);
    if args.out.is_none() {
        ui.raw(done.source.as_bytes())?;
    }
    Ok(Exit::Success)
}

/// The names of the tools that intents call.
fn called_by(path: &Path, bytes: &[u8]) -> Result<BTreeSet<String>, CliError> {
    let documents = match json::parse_any_numbers(bytes) {
        Ok(Json::Array(items)) => items,
        Ok(document) => vec![document],
        Err(whole) => {
            let lines = bytes
                .split(|b| *b == b'\n')
                .filter(|line| !line.trim_ascii().is_empty());
            let lines: Result<Vec<Json>, _> = lines.map(json::parse_any_numbers).collect();
            lines.map_err(|_| {
                let message = format!("{} cannot be read: {whole}", path.display());
                CliError::new(Category::InvalidInput, "import.not_json", message)
                    .hint("give one intent, or one intent per line")
            })?
        }
    };
    let name = |call: &Json| call.get("tool_name").and_then(Json::as_str).map(str::to_owned);
    let mut names = BTreeSet::new();
    for intent in &documents {
        let steps = intent
            .get("script")
            .and_then(|script| script.get("steps"))
            .and_then(Json::as_array);
        match steps {
            Some(steps) => names.extend(steps.iter().filter_map(name)),
            None => names.extend(name(intent)),
        }
    }
    Ok(names)
}

fn refused(path: &Path, error: &ImportError) -> CliError {
    let place = format!("{}:{}:{}", path.display(), error.at.line, error.at.column);
    let out = CliError::new(
        Category::InvalidInput,
        error.code,
        format!("{place}: {}", error.message),
    );
    match &error.help {
        Some(help) => out.hint(help.clone()),
        None => out,
    }
}

fn tell(ui: &mut Ui, done: &Imported) {
    for note in &done.notes {
        let rule = note
            .rule
            .as_ref()
            .map(|rule| format!(" rule `{rule}`"))
            .unwrap_or_default();
        let by = match note.by.as_slice() {
            [] => String::new(),
            by => format!(" ({})", by.join(", ")),
        };
        let text = format!(
            "{}{rule}, line {}: {}{by}",
            note.kind.as_str(),
            note.at.line,
            note.message
        );
        ui.note(&text.replace('\n', " "));
    }
    let left_out = done.rules.iter().filter(|rule| rule.emitted.is_empty()).count();
    let kept = done.rules.iter().filter(|rule| !rule.emitted.is_empty());
    let exact = kept.filter(|rule| rule.tightened.is_empty()).count();
    let left_out = match left_out {
        0 => String::new(),
        n => format!("{n} left out that can decide no call, "),
    };
    ui.note(&format!(
        "{} declared; {} of {} kept exactly, {left_out}the others stricter where it says so",
        count(done.tools, "tool"),
        exact,
        count(done.rules.len(), "rule"),
    ));
}

fn document(done: &Imported, out: Json) -> Json {
    let tightened = done.notes.iter().any(|note| note.kind == Kind::Tightened);
    Json::object([
        ("ok", Json::Bool(true)),
        ("out", out),
        ("source", Json::str(&done.source)),
        ("tools", Json::int(i64::try_from(done.tools).unwrap_or(i64::MAX))),
        ("tightened", Json::Bool(tightened)),
        (
            "rules",
            Json::Array(done.rules.iter().map(gait_yaml::RuleReport::json).collect()),
        ),
        ("notes", Json::Array(done.notes.iter().map(Note::json).collect())),
    ])
}
