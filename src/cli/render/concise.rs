//! One line per diagnostic, `file:line:column: error[GPnnnn]: message`, the form editors and `grep` read; what a lint
//! found ends in its name in brackets. No colour.

use super::{Findings, lint_name, severity};
use crate::cli::ui::{brief, one_line};
use crate::diag::Diagnostic;

/// The line of each diagnostic, in order.
pub fn lines(findings: Findings<'_>) -> Vec<String> {
    findings.diagnostics.iter().map(|d| line(d, findings)).collect()
}

/// The line of one diagnostic.
pub fn line(diagnostic: &Diagnostic, findings: Findings<'_>) -> String {
    let (file, at) = findings.place(diagnostic.primary.span);
    let lint = lint_name(diagnostic).map_or(String::new(), |name| format!(" ({name})"));
    format!(
        "{}:{}:{}: {}[{}]: {}{lint}",
        one_line(file),
        at.line,
        at.column,
        severity(diagnostic),
        diagnostic.code,
        brief(&diagnostic.message)
    )
}
