//! `unbounded_amount`: a rule that allows to move any amount of money.

use super::{Context, Group, Lint, amounts};
use crate::diag::codes::UNBOUNDED_AMOUNT;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "unbounded_amount",
    code: UNBOUNDED_AMOUNT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for loose in amounts::let_through(context, (amounts::MOST, amounts::MOST)) {
        let rule = &loose.written.name.text;
        let message = format!(
            "rule `{rule}` allows `{}` whatever the `{}`, however large",
            loose.tool.name, loose.argument
        );
        let report = LINT
            .finding(loose.written.verdict.span, message)
            .why("no condition and no stricter rule sets a limit");
        out.push(report.help(format!(
            "add a limit: `when {} <= …`, and a rule that asks or blocks above it",
            loose.argument
        )));
    }
}
