//! JUnit reports, the form in which CI systems read test results. They state no time, so equal runs give equal
//! reports. In: suites of cases. Out: a file. It must not know what a case tests.

use super::error::{Category, CliError};
use crate::host::{Host, HostError, Mode};
use crate::limits;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::path::Path;

/// A named list of cases.
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One case and how it ended.
pub struct Case {
    /// Its name.
    pub name: String,
    /// What groups it within the suite.
    pub class: String,
    /// Why it failed; nothing where it passed.
    pub failure: Option<Failure>,
}

/// Why a case failed.
pub struct Failure {
    /// The kind of failure, one word.
    pub kind: String,
    /// What happened, line by line.
    pub lines: Vec<String>,
}

/// Writes a report. A report of an earlier run is replaced; any other file is left alone.
pub fn write(host: &dyn Host, path: &Path, title: &str, suites: &[Suite]) -> Result<(), CliError> {
    let text = text(title, suites)?;
    if host.exists(path) && !is_report(host, path) {
        let taken = CliError::from(HostError::Exists {
            path: path.to_owned(),
        });
        return Err(taken.hint("`--junit` replaces JUnit reports only; name another file"));
    }
    host.write_atomic(path, text.as_bytes(), Mode::Public)?;
    Ok(())
}

fn text(title: &str, suites: &[Suite]) -> Result<String, CliError> {
    let mut report = Report::new(title);
    for suite in suites {
        let mut out = TestSuite::new(suite.name.as_str());
        for case in &suite.cases {
            let mut line = TestCase::new(case.name.as_str(), status(case));
            line.set_classname(case.class.as_str());
            out.add_test_case(line);
        }
        report.add_test_suite(out);
    }
    report.to_string().map_err(|error| {
        let message = format!("the JUnit report cannot be written: {error}");
        CliError::new(Category::Internal, "junit.write", message)
    })
}

fn status(case: &Case) -> TestCaseStatus {
    let Some(failure) = &case.failure else {
        return TestCaseStatus::success();
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(failure.kind.as_str());
    status.set_message(format!("{}: {}", failure.kind, failure.lines.join("; ")));
    status.set_description(failure.lines.join("\n"));
    status
}

/// Whether a file begins as a JUnit report does, or is empty.
fn is_report(host: &dyn Host, path: &Path) -> bool {
    host.read(path, limits::FILE_BYTES).is_ok_and(|bytes| {
        let head = bytes.get(..limits::JUNIT_HEAD_BYTES.min(bytes.len()));
        let start = String::from_utf8_lossy(head.unwrap_or_default());
        bytes.is_empty() || (start.starts_with("<?xml") && start.contains("<testsuites"))
    })
}
