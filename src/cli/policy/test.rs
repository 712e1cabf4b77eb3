//! `gait policy test`: the `test` blocks of policies, decided by the production gate.

mod coverage;
mod list;
mod report;
mod select;

use super::source::REPOSITORY;
use super::source::{self, PolicyFile};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::junit;
use crate::cli::render::Findings;
use crate::cli::ui::Ui;
use crate::compile::{Purpose, Report};
use crate::host::Host;
use crate::suite::coverage::{Coverage, Meter};
use crate::suite::{self, CaseResult, Runner};
use coverage::Format;
use select::Filter;
use std::path::PathBuf;

/// Run the tests that policies contain
///
/// Exits 0 when every case is decided as expected, 5 when one is not or too little is covered, 6 when a policy has
/// errors.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run only tests whose name holds this text, or fits it as a glob where it has `*` or `?`; may be repeated
    #[arg(long, value_name = "TEXT", value_parser = Filter::parse)]
    filter: Vec<Filter>,
    /// Name the tests and run none
    #[arg(long, conflicts_with_all = ["junit", "fail_fast", "coverage", "coverage_out", "min_coverage"])]
    list: bool,
    /// Stop at the first case that fails
    #[arg(long)]
    fail_fast: bool,
    /// Write a JUnit report, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Tell which rules, verdicts and conditions no case has shown
    #[arg(long)]
    coverage: bool,
    /// Write the coverage to a file, too
    #[arg(long, value_name = "FILE")]
    coverage_out: Option<PathBuf>,
    /// The form of that file
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, requires = "coverage_out")]
    format: Format,
    /// Exit 5 where the cases show less than this share of rules, verdicts and conditions, in per cent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
}

impl Args {
    fn measures(&self) -> bool {
        self.coverage || self.coverage_out.is_some() || self.min_coverage.is_some()
    }
}

/// A file and its cases; none when the policy has errors.
struct Tested {
    file: PolicyFile,
    report: Report,
    cases: Vec<CaseResult>,
    /// Cases not run: those of other tests, and those after the first failure where that ends the run.
    left_out: usize,
    /// What the cases have shown, where that was asked for.
    coverage: Option<Coverage>,
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
        let report = file.check(host, &file.name, Purpose::Author);
        tested.push(Tested {
            file,
            report,
            cases: Vec::new(),
            left_out: 0,
            coverage: None,
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
    if let Some(path) = &args.coverage_out {
        coverage::write(host, path, args.format, &tested)?;
    }
    let exit = if !readable {
        Exit::InvalidInput
    } else if tested.iter().all(|t| t.failed() == 0) {
        Exit::Success
    } else {
        Exit::Regression
    };
    let short = args
        .min_coverage
        .filter(|wanted| exit == Exit::Success && !coverage::is_enough(coverage::total(&tested), *wanted));
    let exit = short.map_or(exit, |_| Exit::Regression);
    if ui.is_json() {
        ui.json(&report::document(&tested, exit))?;
        return Ok(exit);
    }
    for one in &tested {
        report::people(ui, one)?;
        if args.coverage {
            coverage::people(ui, one)?;
        }
    }
    match short {
        Some(wanted) => Err(coverage::too_little(&tested, wanted)),
        None => Ok(exit),
    }
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
        let mut meter = args.measures().then(|| Meter::new(checked.package()));
        for (test, case) in suite::cases(checked.package()) {
            bar.inc(1);
            if stopped || !select::selects(&args.filter, &test.name) {
                one.left_out += 1;
                continue;
            }
            let (result, seen) = runner.run_seen(test, case);
            if let Some(meter) = &mut meter {
                meter.see(&seen);
            }
            stopped = args.fail_fast && !result.passed();
            one.cases.push(result);
        }
        one.coverage = meter.map(|meter| meter.finish());
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
