//! `gait policy test`: the `test` blocks of policies, decided by the production gate.

mod list;
mod report;
mod select;

use super::source::{self, PolicyFile};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::junit;
use crate::cli::render::Findings;
use crate::cli::ui::Ui;
use crate::compile::{self, Report};
use crate::host::Host;
use crate::suite::{self, CaseResult, Runner};
use select::Filter;
use std::path::PathBuf;

/// Run the tests that policies contain
///
/// Exits 0 when every case is decided as expected, 5 when one is not, 6 when a policy has errors.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run only tests whose name holds this text, or fits it as a glob where it has `*` or `?`; may be repeated
    #[arg(long, value_name = "TEXT", value_parser = Filter::parse)]
    filter: Vec<Filter>,
    /// Name the tests and run none
    #[arg(long, conflicts_with_all = ["junit", "fail_fast"])]
    list: bool,
    /// Stop at the first case that fails
    #[arg(long)]
    fail_fast: bool,
    /// Write a JUnit report, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// A file and its cases; none when the policy has errors.
struct Tested {
    file: PolicyFile,
    report: Report,
    cases: Vec<CaseResult>,
    /// Cases not run: those of other tests, and those after the first failure where that ends the run.
    left_out: usize,
}

impl Tested {
    fn findings(&self) -> Findings<'_> {
        Findings {
            diagnostics: &self.report.diagnostics,
            sources: &self.report.sources,
        }
    }

    fn failed(&self) -> usize {
        self.cases.iter().filter(|c| !c.passed()).count()
    }
}

/// Runs the selected tests of every file.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut tested = Vec::new();
    for file in source::read_all(host, &args.files)? {
        let report = compile::check(&file.name, &file.text);
        tested.push(Tested {
            file,
            report,
            cases: Vec::new(),
            left_out: 0,
        });
    }
    let readable = tested.iter().all(|t| t.report.checked.is_some());
    if readable && !any_selected(&tested, &args.filter) {
        return Err(nothing_selected());
    }
    if args.list {
        return list::print(ui, &tested, &args.filter);
    }
    judge(ui, &mut tested, &args);
    if let Some(path) = &args.junit {
        junit::write(host, path, "gait policy test", &report::junit(&tested))?;
    }
    let exit = if !readable {
        Exit::InvalidInput
    } else if tested.iter().all(|t| t.failed() == 0) {
        Exit::Success
    } else {
        Exit::Regression
    };
    if ui.is_json() {
        ui.json(&report::document(&tested, exit))?;
    } else {
        for one in &tested {
            report::people(ui, one)?;
        }
    }
    Ok(exit)
}

fn judge(ui: &Ui, tested: &mut [Tested], args: &Args) {
    let all = |t: &Tested| {
        t.report
            .checked
            .as_ref()
            .map_or(0, |c| suite::cases(c.package()).count())
    };
    let total: usize = tested.iter().map(all).sum();
    let bar = ui.progress(total as u64, "cases");
    let mut stopped = false;
    for one in tested {
        let Some(checked) = &one.report.checked else {
            continue;
        };
        let mut runner = Runner::new(checked);
        for (test, case) in suite::cases(checked.package()) {
            bar.inc(1);
            if stopped || !select::selects(&args.filter, &test.name) {
                one.left_out += 1;
                continue;
            }
            let result = runner.run(test, case);
            stopped = args.fail_fast && !result.passed();
            one.cases.push(result);
        }
    }
    bar.finish_and_clear();
}

/// Whether the filters leave anything; a policy without tests is not the filters' fault.
fn any_selected(tested: &[Tested], filters: &[Filter]) -> bool {
    let packages = || {
        tested
            .iter()
            .filter_map(|t| t.report.checked.as_ref())
            .map(|c| c.package())
    };
    filters.is_empty()
        || packages()
            .flat_map(|p| &p.tests)
            .any(|test| select::selects(filters, &test.name))
}

/// A run of no test that passes would hide a misspelt filter.
fn nothing_selected() -> CliError {
    let message = "no test has a name that `--filter` selects";
    CliError::new(Category::InvalidInput, "test.nothing_selected", message)
        .hint("`gait policy test FILE --list` names the tests")
}
