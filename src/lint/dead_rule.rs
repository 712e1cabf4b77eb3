//! `dead_rule`: a rule without which every call is decided the same. It speaks where `overruled_rule` and
//! `duplicate_rule` are silent.

use super::{Context, Group, Lint, idle};
use crate::analysis::idle::Kind;
use crate::diag::codes::DEAD_RULE;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "dead_rule",
    code: DEAD_RULE,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule, found) in idle::rules(context, Kind::Dead, out) {
        let message = format!(
            "rule `{}` changes nothing: without it every call is decided the same",
            rule.name
        );
        let report = LINT
            .finding(written.name.span, message)
            .label("no verdict, code, approval or obligation is its alone");
        let help = format!("remove it, or {} so that it counts", idle::narrow(context, found));
        out.push(idle::covered(context, found, report).help(help));
    }
}
