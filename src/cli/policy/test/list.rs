//! `gait policy test --list`: which tests there are, without running one.

use super::{Tested, report::number, select};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::policy::source::{self, count};
use crate::cli::ui::{Ui, one_line};
use crate::hir::{Package, Test};
use crate::json::Json;
use crate::suite;

/// Prints the selected tests of each file.
pub(super) fn print(ui: &mut Ui, tested: &[Tested], filters: &[select::Filter]) -> Result<Exit, CliError> {
    let broken = tested.iter().any(|t| t.report.checked.is_none());
    let exit = if broken { Exit::InvalidInput } else { Exit::Success };
    let mut rows = Vec::new();
    for one in tested {
        let Some(checked) = &one.report.checked else {
            if !ui.is_json() {
                source::tell(ui, one.findings());
            }
            continue;
        };
        let package = checked.package();
        let meant = package.tests.iter().filter(|t| select::selects(filters, &t.name));
        for test in meant {
            if ui.is_json() {
                rows.push(row(package, one, test));
            } else {
                let at = suite::position(package, test.span);
                let name = one_line(&one.file.name);
                let cases = count(test.cases.len(), "case");
                ui.line(&format!(
                    "{name}:{}:{}: {} ({cases})",
                    at.line,
                    at.column,
                    one_line(&test.name)
                ))?;
            }
        }
    }
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(exit == Exit::Success)),
            ("tests", Json::Array(rows)),
            ("exit_code", Json::int(i64::from(exit.code()))),
        ]))?;
    }
    Ok(exit)
}

fn row(package: &Package, tested: &Tested, test: &Test) -> Json {
    let at = suite::position(package, test.span);
    Json::object([
        ("file", Json::str(&tested.file.name)),
        ("line", Json::int(i64::from(at.line))),
        ("column", Json::int(i64::from(at.column))),
        ("test", Json::str(&test.name)),
        ("cases", number(test.cases.len())),
    ])
}
