//! What lints of rules that change nothing have in common. In: the rules that are proved to be so, and what other lints
//! have said. Out: those of the file of which nothing is said yet, and how a report names the rules that cover one.

use super::Context;
use crate::analysis::idle::{Idle, Kind};
use crate::diag::Diagnostic;
use crate::diag::codes::{DUPLICATE_RULE, OVERRULED_RULE};
use crate::hir::Rule;
use crate::syntax::ast;

/// Rules that a report points at, at most.
const SHOWN: usize = 4;

/// The rules of the file that change nothing in this way and of which no other lint has said so.
pub(super) fn rules<'a>(
    context: &Context<'a>,
    kind: Kind,
    said: &[Diagnostic],
) -> Vec<(&'a ast::Rule, &'a Rule, &'a Idle)> {
    let found = |(written, rule): (&'a ast::Rule, &'a Rule)| {
        let is_said = said.iter().any(|report| {
            let at = report.primary.span;
            [OVERRULED_RULE, DUPLICATE_RULE].contains(&report.code)
                && at.file == rule.span.file
                && (rule.span.start..rule.span.end).contains(&at.start)
        });
        let is_it = |index: usize| {
            context
                .package
                .rules
                .get(index)
                .is_some_and(|r| r.name == rule.name)
        };
        let (_, idle) = context
            .idle
            .iter()
            .find(|(index, idle)| idle.kind == kind && is_it(*index))?;
        (!is_said).then_some((written, rule, idle))
    };
    context.rules().filter_map(found).collect()
}

/// The report with the rules that cover the rule.
pub(super) fn covered(context: &Context<'_>, idle: &Idle, report: Diagnostic) -> Diagnostic {
    let rules = idle
        .covers
        .iter()
        .filter_map(|rule| context.package.rules.get(*rule));
    let text = match idle.covers.as_slice() {
        [_] if !idle.default => "speaks of every call that the other matches",
        _ => "speaks of some of the calls that the other matches",
    };
    let report = rules
        .take(SHOWN)
        .fold(report, |report, rule| report.also(rule.name_span, text));
    match (idle.default, idle.covers.len()) {
        (true, 0) => report.why("no other rule speaks of its calls, and the default says the same"),
        (true, _) => report.why("where none of these rules speaks, the default says the same"),
        (false, more) if more > SHOWN => report.why(format!("it takes {more} rules to cover it")),
        _ => report,
    }
}

/// What to do instead of removing it.
pub(super) fn narrow(context: &Context<'_>, idle: &Idle) -> String {
    match idle.covers.as_slice() {
        [] => "change the default".to_owned(),
        [one] => {
            let name = context
                .package
                .rules
                .get(*one)
                .map_or("", |rule| rule.name.as_str());
            format!("narrow `{name}`")
        }
        _ => "narrow the rules that cover it".to_owned(),
    }
}
