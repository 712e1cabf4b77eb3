//! One line per diagnostic, `file:line:column: error[GPnnnn]: message`, the form editors and `grep` read. No colour.

use super::{Findings, severity};
use crate::cli::ui::safe;

/// The line of each diagnostic, in order.
pub fn lines(findings: Findings<'_>) -> Vec<String> {
    let line = |d: &crate::diag::Diagnostic| {
        let (file, at) = findings.place(d.primary.span);
        let text = format!(
            "{file}:{}:{}: {}[{}]: {}",
            at.line,
            at.column,
            severity(d),
            d.code,
            d.message
        );
        // A name may hold a line end; a line must stay one.
        safe(&text.replace(['\n', '\r'], " "))
    };
    findings.diagnostics.iter().map(line).collect()
}
