//! `gait policy diff`: what two policies decide differently, proved for every call. The comparison is `crate::compare`;
//! here are the files, what was accepted of them, and the exit code.

mod document;
mod entries;
mod html;
mod markdown;
mod plain;

use super::replay;
use super::source;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::ui::Ui;
use crate::compile::{self, Checked};
use crate::gate::Gate;
use crate::host::Host;
use crate::replay::{Decided, Options};
use crate::{compare, limits};
use entries::{Entry, Recorded};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Compare two policies: which calls get another verdict, obligation, approval or code
///
/// Each difference is a kind of calls with one of them, judged by both policies. What is not listed is proved to be
/// decided the same, for every call, context, origin and session. Loosened comes first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy as it was
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The policy as it is
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Exit 5 if something is loosened that is not accepted
    #[arg(long)]
    require_narrowing: bool,
    /// A file of accepted differences: an id per line, `#` starts a comment
    #[arg(long, value_name = "FILE", requires = "require_narrowing")]
    accepted: Option<PathBuf>,
    /// Files of recorded calls to count differences in, as `gait policy replay --calls` reads them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    calls: Vec<PathBuf>,
    /// The time of recorded calls that do not say when they were made, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "RFC3339", requires = "calls")]
    evaluation_time: Option<String>,
    /// How to print it
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        conflicts_with = "json"
    )]
    format: Format,
}

/// For whom it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For a pull request
    Markdown,
    /// A page by itself
    Html,
}

/// All there is to print.
struct Comparison {
    before: String,
    after: String,
    compared: usize,
    entries: Vec<Entry>,
    recorded: Option<Recorded>,
}

impl Comparison {
    /// What is loosened, or may be, and not accepted.
    fn loosened(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.is_loosened && !entry.is_accepted)
    }
}

/// Compares two policies and prints what is different.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let before = source::read(host, &args.before)?;
    let after = source::read(host, &args.after)?;
    let accepted = match &args.accepted {
        Some(path) => accepted(host, path)?,
        None => BTreeSet::new(),
    };
    let policies = [
        source::checked(ui, host, &before)?,
        source::checked(ui, host, &after)?,
    ];
    let [old, new] = &policies;
    let difference = compare::compare(old, new);
    let recorded = match args.calls.as_slice() {
        [] => None,
        files => {
            let at = args.evaluation_time.as_deref().map(load::time).transpose()?;
            let options = Options {
                at: at.map(|at| i128::from(at.as_millisecond())),
                each: true,
                ..Options::default()
            };
            Some(recorded(ui, host, &policies, &options, files)?)
        }
    };
    let all: String = policies
        .iter()
        .flat_map(Checked::files)
        .map(|(.., text)| text)
        .collect();
    let mut entries = entries::entries(&difference, recorded.as_ref(), &all);
    for entry in &mut entries {
        entry.is_accepted = accepted.contains(&entry.id);
    }
    let comparison = Comparison {
        before: before.name.clone(),
        after: after.name.clone(),
        compared: difference.compared,
        entries,
        recorded,
    };
    let refused = args.require_narrowing && comparison.loosened().next().is_some();
    let exit = if refused { Exit::Regression } else { Exit::Success };
    if ui.is_json() {
        ui.json(&document::document(&comparison, exit))?;
        return Ok(exit);
    }
    match args.format {
        Format::Text => plain::print(ui, &comparison)?,
        Format::Markdown => ui.raw(markdown::page(&comparison).as_bytes())?,
        Format::Html => ui.raw(html::page(&comparison).as_bytes())?,
    }
    if refused {
        let ids: Vec<&str> = comparison.loosened().map(|entry| entry.id.as_str()).collect();
        ui.warn(&format!(
            "not narrower: write {} into a file for `--accepted`, if that is meant",
            ids.join(", ")
        ));
    }
    Ok(exit)
}

/// The ids in a file.
fn accepted(host: &dyn Host, path: &Path) -> Result<BTreeSet<String>, CliError> {
    let bytes = host.read(path, limits::SOURCE_BYTES as u64)?;
    let refuse = |message: String| {
        CliError::new(Category::InvalidInput, "diff.bad_accepted", message)
            .hint("write one id per line as `gait policy diff` prints it; `#` starts a comment")
    };
    let text = String::from_utf8(bytes).map_err(|_| refuse(format!("{} is not UTF-8", path.display())))?;
    let mut ids = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let id = line.split('#').next().unwrap_or_default().trim();
        if id.is_empty() {
            continue;
        }
        if !entries::is_id(id) {
            return Err(refuse(format!(
                "{}, line {number}: `{id}` is no id",
                path.display()
            )));
        }
        ids.insert(id.to_owned());
    }
    Ok(ids)
}

/// How often recorded calls get another verdict.
fn recorded(
    ui: &Ui,
    host: &dyn Host,
    policies: &[Checked; 2],
    options: &Options,
    files: &[PathBuf],
) -> Result<Recorded, CliError> {
    let mut each: Vec<Vec<Decided>> = Vec::new();
    for checked in policies {
        let gate = Gate::new(compile::lower(checked));
        each.push(replay::replay(ui, host, &gate, options.clone(), files)?.each);
    }
    let mut recorded = Recorded {
        calls: 0,
        changed: BTreeMap::new(),
    };
    if let [before, after] = each.as_slice() {
        for (old, new) in before.iter().zip(after) {
            recorded.calls += 1;
            if old.verdict != new.verdict {
                let change = (old.tool.clone(), old.verdict, new.verdict);
                *recorded.changed.entry(change).or_default() += 1;
            }
        }
    }
    Ok(recorded)
}
