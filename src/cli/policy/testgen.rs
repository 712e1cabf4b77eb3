//! `gait policy testgen`: tests on and beside the boundary of every condition of a policy.

mod document;

use super::source::REPOSITORY;
use super::source::{self, count};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, one_line};
use crate::host::{Host, HostError, Mode};
use crate::testgen::{self, Generated, Left, Seed};
use std::path::{Path, PathBuf};

/// Write tests on and beside the boundary of every condition
///
/// Each condition of each rule gets calls at which it only just holds and only just does not, where it decides its rule, and
/// each tool a call for every verdict its calls can get. The tests expect what the policy decides today; read them, and add
/// them to the policy. What no call was found for is listed with the reason.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy file
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    file: PathBuf,
    /// Write the tests to a new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the calls as intents into this folder, too, a file for each
    #[arg(long, value_name = "DIR")]
    seeds: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

/// Makes the tests.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let file = source::read(host, &args.file)?;
    let checked = source::checked(ui, host, &file)?;
    let made = testgen::generate(&checked);
    let text = testgen::text(&made.tests);
    let seeds = match &args.seeds {
        Some(_) => testgen::seeds(checked.package(), &made),
        None => Vec::new(),
    };
    write(host, &args, &text, &seeds)?;
    if ui.is_json() {
        let document = document::document(&file.name, &made, &text);
        ui.json(&document::written(document, &args.out, &args.seeds, seeds.len()))?;
        return Ok(Exit::Success);
    }
    if args.out.is_none() {
        ui.raw(text.as_bytes())?;
    }
    tell(ui, &file.name, &made);
    if let Some(folder) = &args.seeds {
        let written = count(seeds.len(), "intent");
        ui.note(&format!("{written} in {}", one_line(&folder.to_string_lossy())));
    }
    Ok(Exit::Success)
}

/// Writes all files, or none where one is there already.
fn write(host: &dyn Host, args: &Args, text: &str, seeds: &[Seed]) -> Result<(), CliError> {
    let out = args.out.iter().map(|path| (path.clone(), text.as_bytes()));
    let folder = args.seeds.as_deref().unwrap_or(Path::new(""));
    let seeds = seeds
        .iter()
        .map(|seed| (folder.join(&seed.name), seed.bytes.as_slice()));
    let files: Vec<(PathBuf, &[u8])> = out.chain(seeds).collect();
    if !args.force
        && let Some((path, _)) = files.iter().find(|(path, _)| host.exists(path))
    {
        let taken = CliError::from(HostError::Exists { path: path.clone() });
        return Err(taken.hint("`--force` replaces files that are there already"));
    }
    for (path, bytes) in files {
        match args.force {
            true => host.write_atomic(&path, bytes, Mode::Public)?,
            false => host.write_new(&path, bytes, Mode::Public)?,
        }
    }
    Ok(())
}

/// What was made and what was not, for a person.
fn tell(ui: &mut Ui, name: &str, made: &Generated) {
    for left in &made.gaps {
        ui.note(&gap(name, left));
    }
    let cases = made.tests.iter().map(|test| test.cases.len()).sum();
    let (conditions, both) = made.conditions;
    ui.note(&format!(
        "{}: {} with {}; {both} of {} shown on both sides",
        one_line(name),
        count(made.tests.len(), "test"),
        count(cases, "call"),
        count(conditions, "condition"),
    ));
}

fn gap(name: &str, left: &Left) -> String {
    let about = left.condition.as_deref().unwrap_or("the rule");
    let text = format!(
        "{name}:{}:{}: {}: `{about}`: {}",
        left.at.line,
        left.at.column,
        left.rule,
        left.because()
    );
    one_line(&text).to_string()
}
