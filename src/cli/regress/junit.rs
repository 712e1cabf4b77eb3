//! The JUnit form of a regression run: a suite per fixture, a case per call. It states no time, so equal runs give
//! equal reports.

use super::run::{Ran, difference};
use crate::cli::error::{Category, CliError};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The text of the report.
pub fn report(ran: &[Ran]) -> Result<String, CliError> {
    let mut report = Report::new("gait regress");
    for one in ran {
        let mut suite = TestSuite::new(one.folder.as_str());
        for result in &one.cases {
            let status = match result.drift {
                None => TestCaseStatus::success(),
                Some(drift) => {
                    let lines = difference(result);
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_type(drift.as_str());
                    status.set_message(format!("{}: {}", drift.as_str(), lines.join("; ")));
                    status.set_description(lines.join("\n"));
                    status
                }
            };
            let name = format!("{} {}", result.case.tool, result.case.trace_id);
            let mut case = TestCase::new(name, status);
            case.set_classname(one.run_id.as_str());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| {
        let message = format!("the JUnit report cannot be written: {error}");
        CliError::new(Category::Internal, "junit.write", message)
    })
}
