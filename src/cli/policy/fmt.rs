//! `gait policy fmt`: the one layout of policies, in place. A file that does not parse stays as it is.

use super::source::REPOSITORY;
use super::source::{self, PolicyFile};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::render::{self, Findings, diff};
use crate::cli::ui::{Ui, one_line};
use crate::diag::Diagnostic;
use crate::host::{Host, INPUT, Mode};
use crate::json::Json;
use crate::source::{FileId, Source};
use crate::syntax;
use std::path::{Path, PathBuf};

/// Lay policies out in the one standard form
///
/// Files are changed in place; one that does not parse stays as it is. Prints the names of the files that change. With
/// `-` the policy on standard input is laid out on standard output.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files, or `-`
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; exit 6 when a file would change
    #[arg(long)]
    check: bool,
    /// Change nothing and print what would change as a unified diff; exits as `--check` does
    #[arg(long)]
    diff: bool,
}

impl Args {
    fn writes(&self) -> bool {
        !self.check && !self.diff
    }
}

/// A file after formatting.
struct Done {
    path: PathBuf,
    source: Source,
    /// Its layout; the diagnostics where it has none.
    laid_out: Result<String, Vec<Diagnostic>>,
}

impl Done {
    fn of(file: PolicyFile) -> Done {
        let source = Source::new(FileId(0), file.name, file.text);
        Done {
            laid_out: syntax::format(&source),
            path: file.path,
            source,
        }
    }

    /// The new text, where it is another one.
    fn change(&self) -> Option<&str> {
        let text = self.laid_out.as_deref().ok()?;
        (text != self.source.text).then_some(text)
    }

    fn is_input(&self) -> bool {
        self.path == Path::new(INPUT)
    }

    fn diff(&self) -> Option<String> {
        let new = self.change()?;
        Some(diff::unified(&self.source.name, &self.source.text, new))
    }
}

/// Formats.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let done: Vec<Done> = read(host, &args.files)?.into_iter().map(Done::of).collect();
    if args.writes() {
        for one in done.iter().filter(|d| !d.is_input()) {
            if let Some(text) = one.change() {
                host.write_atomic(&one.path, text.as_bytes(), Mode::Kept)?;
            }
        }
    }
    let readable = done.iter().all(|d| d.laid_out.is_ok());
    let unformatted = !args.writes() && done.iter().any(|d| d.change().is_some());
    if ui.is_json() {
        if readable && unformatted {
            return Err(refusal(&done, args.diff));
        }
        ui.json(&document(&done, readable))?;
    } else {
        for one in &done {
            people(ui, &args, one)?;
        }
        if readable && unformatted {
            return Err(refusal(&done, args.diff));
        }
    }
    Ok(if readable {
        Exit::Success
    } else {
        Exit::InvalidInput
    })
}

/// Reads every file before anything is done with one. Standard input stands alone: its layout is all that is printed.
fn read(host: &dyn Host, paths: &[PathBuf]) -> Result<Vec<PolicyFile>, CliError> {
    match paths {
        [only] if only == Path::new(INPUT) => Ok(vec![source::read_input(host)?]),
        some if some.iter().any(|p| p == Path::new(INPUT)) => {
            let message = "`-` cannot be laid out together with other files";
            Err(CliError::new(Category::InvalidInput, "usage.invalid", message)
                .hint("give `-` alone, or name files only"))
        }
        all => source::read_all(host, all),
    }
}

fn people(ui: &mut Ui, args: &Args, done: &Done) -> Result<(), CliError> {
    let text = match &done.laid_out {
        Err(_) => {
            source::tell(ui, findings(done));
            return Ok(());
        }
        Ok(text) => text,
    };
    if args.diff {
        return ui.raw(diff::coloured(&done.diff().unwrap_or_default()).as_bytes());
    }
    if done.is_input() && args.writes() {
        return ui.raw(text.as_bytes());
    }
    match done.change() {
        Some(_) => ui.line(&one_line(&done.source.name)),
        None => Ok(()),
    }
}

fn findings(done: &Done) -> Findings<'_> {
    Findings {
        diagnostics: done.laid_out.as_ref().err().map_or(&[], Vec::as_slice),
        sources: std::slice::from_ref(&done.source),
    }
}

fn refusal(done: &[Done], with_diff: bool) -> CliError {
    let changed = || done.iter().filter(|d| d.change().is_some());
    let names: Vec<Json> = changed().map(|d| Json::str(&d.source.name)).collect();
    let message = format!("{} would change", source::count(names.len(), "file"));
    let mut details = vec![("files", Json::Array(names))];
    if with_diff {
        let diffs = changed().filter_map(Done::diff).map(Json::str).collect();
        details.push(("diffs", Json::Array(diffs)));
    }
    CliError::new(Category::InvalidInput, "fmt.unformatted", message)
        .hint("`gait policy fmt FILE` lays them out")
        .details(details)
}

fn document(done: &[Done], ok: bool) -> Json {
    let file = |d: &Done| {
        let text = match (&d.laid_out, d.is_input()) {
            (Ok(text), true) => Json::str(text),
            _ => Json::Null,
        };
        Json::object([
            ("file", Json::str(&d.source.name)),
            ("changed", Json::Bool(d.change().is_some())),
            ("text", text),
            ("diagnostics", render::json::diagnostics(findings(d))),
        ])
    };
    let exit = if ok { Exit::Success } else { Exit::InvalidInput };
    Json::object([
        ("ok", Json::Bool(ok)),
        ("files", Json::Array(done.iter().map(file).collect())),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}
