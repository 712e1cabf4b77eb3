//! `gait policy fmt`: the one layout of policies, in place. A file that does not parse stays as it is.

use super::source;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::render::{self, Findings};
use crate::cli::ui::{Ui, one_line};
use crate::diag::Diagnostic;
use crate::host::{Host, Mode};
use crate::json::Json;
use crate::source::{FileId, Source};
use crate::syntax;
use std::path::PathBuf;

/// Lay policies out in the one standard form
///
/// Files are changed in place; one that does not parse stays as it is. Prints the names of the files that change.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; exit 6 when a file would change
    #[arg(long)]
    check: bool,
}

/// A file after formatting.
struct Done {
    source: Source,
    changed: bool,
    /// Why it cannot be formatted.
    broken: Vec<Diagnostic>,
}

/// Formats.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut done = Vec::new();
    for file in source::read_all(host, &args.files)? {
        let source = Source::new(FileId(0), file.name, file.text);
        let (changed, broken) = match syntax::format(&source) {
            Ok(text) => {
                let changed = text != source.text;
                if changed && !args.check {
                    host.write_atomic(&file.path, text.as_bytes(), Mode::Public)?;
                }
                (changed, Vec::new())
            }
            Err(broken) => (false, broken),
        };
        done.push(Done {
            source,
            changed,
            broken,
        });
    }
    let readable = done.iter().all(|d| d.broken.is_empty());
    let unformatted = args.check && done.iter().any(|d| d.changed);
    if ui.is_json() {
        if readable && unformatted {
            return Err(refusal(&done));
        }
        ui.json(&document(&done, readable))?;
    } else {
        for one in &done {
            source::tell(ui, findings(one));
            if one.changed {
                ui.line(&one_line(&one.source.name))?;
            }
        }
        if readable && unformatted {
            return Err(refusal(&done));
        }
    }
    Ok(if readable {
        Exit::Success
    } else {
        Exit::InvalidInput
    })
}

fn findings(done: &Done) -> Findings<'_> {
    Findings {
        diagnostics: &done.broken,
        sources: std::slice::from_ref(&done.source),
    }
}

fn refusal(done: &[Done]) -> CliError {
    let names: Vec<Json> = done
        .iter()
        .filter(|d| d.changed)
        .map(|d| Json::str(&d.source.name))
        .collect();
    let message = format!("{} would change", source::count(names.len(), "file"));
    CliError::new(Category::InvalidInput, "fmt.unformatted", message)
        .hint("`gait policy fmt FILE` lays them out")
        .details([("files", Json::Array(names))])
}

fn document(done: &[Done], ok: bool) -> Json {
    let file = |d: &Done| {
        Json::object([
            ("file", Json::str(&d.source.name)),
            ("changed", Json::Bool(d.changed)),
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
