//! `gait policy coverage`: what a policy can decide of each tool.

mod document;
mod markdown;
mod plain;

use super::source;
use super::source::REPOSITORY;
use crate::analysis::coverage::ToolCoverage;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, count};
use crate::compile::Checked;
use crate::coverage;
use crate::hir::Package;
use crate::host::Host;
use std::path::PathBuf;

/// Tell for each tool which verdicts its calls can get, with a call for each
///
/// A verdict that is not listed is proved to be given to no call. Beside it: the rules that give each verdict, tools that no rule
/// is about, effects that cannot be undone and run by default, arguments that nothing asks about, and rules that
/// change nothing on a tool.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
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
}

/// A policy and what it decides.
struct Covered {
    file: String,
    checked: Checked,
    tools: Vec<ToolCoverage>,
}

impl Covered {
    fn package(&self) -> &Package {
        self.checked.package()
    }

    fn rules(&self, of: &[usize]) -> Vec<&str> {
        let rule = |index: &usize| self.package().rules.get(*index);
        of.iter()
            .filter_map(rule)
            .map(|rule| rule.name.as_str())
            .collect()
    }

    /// One line over everything.
    fn total(&self) -> String {
        let of = |is: &dyn Fn(&ToolCoverage) -> bool| self.tools.iter().filter(|tool| is(tool)).count();
        let mut parts = vec![count(self.tools.len(), "tool")];
        let unspoken = of(&|tool| !tool.spoken);
        if unspoken > 0 {
            parts.push(format!("{unspoken} without rules"));
        }
        let unguarded = of(&|tool| tool.unguarded.is_some());
        if unguarded > 0 {
            parts.push(format!("{unguarded} running by default what cannot be undone"));
        }
        let too_large = of(&|tool| tool.too_large);
        if too_large > 0 {
            parts.push(format!("{too_large} with too many rules to tell"));
        }
        parts.join(", ")
    }
}

/// Prints what each policy decides.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut all = Vec::new();
    for file in source::read_all(host, &args.files)? {
        let checked = source::checked(ui, host, &file)?;
        all.push(Covered {
            tools: coverage::coverage(&checked),
            file: file.name,
            checked,
        });
    }
    if ui.is_json() {
        ui.json(&document::document(&all))?;
        return Ok(Exit::Success);
    }
    for one in &all {
        match args.format {
            Format::Text => plain::print(ui, one)?,
            Format::Markdown => ui.raw(markdown::page(one).as_bytes())?,
        }
    }
    Ok(Exit::Success)
}
