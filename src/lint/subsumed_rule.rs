//! `subsumed_rule`: a rule whose verdict, approvals and obligations other rules give to all its calls, so that nothing of it
//! is left but its name as a code. A code that is written is taken for its purpose.

use super::{Context, Group, Lint, idle};
use crate::analysis::idle::Kind;
use crate::diag::codes::SUBSUMED_RULE;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "subsumed_rule",
    code: SUBSUMED_RULE,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule, found) in idle::rules(context, Kind::Subsumed, out) {
        // Its name is the reason that is given, and it stays where a looser rule is added.
        if found.default {
            continue;
        }
        let message = format!(
            "rule `{}` adds nothing but its name: all its calls get `{}` or stricter anyway",
            rule.name, rule.verdict
        );
        let report = LINT
            .finding(written.name.span, message)
            .label("without it only this reason code is gone");
        let help = format!(
            "remove it, {}, or write a `code` if that is what it is for",
            idle::narrow(context, found)
        );
        out.push(idle::covered(context, found, report).help(help));
    }
}
