//! `negative_amount`: a rule that allows to move a negative amount of money.

use super::{Context, Group, Lint, amounts};
use crate::diag::codes::NEGATIVE_AMOUNT;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "negative_amount",
    code: NEGATIVE_AMOUNT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for loose in amounts::let_through(context, (-amounts::MOST, -1)) {
        let rule = &loose.written.name.text;
        let message = format!(
            "rule `{rule}` allows `{}` with a negative `{}`",
            loose.tool.name, loose.argument
        );
        let report = LINT
            .finding(loose.written.verdict.span, message)
            .why("an upper limit alone lets every negative number through, and some services move money the other way for it");
        out.push(report.help(format!("add a lower limit: `when {} > 0`", loose.argument)));
    }
}
