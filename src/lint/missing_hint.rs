//! `missing_hint`: a rule that stops a call and does not say what to do.

use super::{Context, Group, Lint};
use crate::diag::codes::MISSING_HINT;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;

/// The lint.
pub const LINT: Lint = Lint {
    name: "missing_hint",
    code: MISSING_HINT,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let stops = |verdict| matches!(verdict, Verdict::Block | Verdict::RequireApproval);
    for (written, rule) in context.rules().filter(|(_, rule)| stops(rule.verdict)) {
        if written.hint.is_none() {
            let message = format!("rule `{}` does not say what to do now", rule.name);
            out.push(
                LINT.finding(written.verdict.span, message)
                    .help("write `hint \"…\"` at its end: whom to ask, or what is allowed instead"),
            );
        }
    }
}
