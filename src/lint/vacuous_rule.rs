//! `vacuous_rule`: a rule whose conditions never hold together, for reasons that only the whole call shows: the parts of
//! one value, the elements of one list, the labels of one source, what happened in one session.

use super::{Context, Group, Lint, idle};
use crate::analysis::idle::Kind;
use crate::diag::codes::VACUOUS_RULE;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "vacuous_rule",
    code: VACUOUS_RULE,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule, _) in idle::rules(context, Kind::Vacuous, out) {
        let message = format!("rule `{}` matches no call", rule.name);
        let span = rule.conditions_span.unwrap_or(written.name.span);
        out.push(
            LINT.finding(span, message)
                .label("never all true of one call")
                .why("no call has these values, from these sources, after such a session")
                .help("mend its conditions, or remove it"),
        );
    }
}
