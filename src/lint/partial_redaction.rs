//! `partial_redaction`: a value that is redacted of some of the calls that rules speak of, and kept of others.

use super::meaning::not;
use super::{Context, Group, Lint};
use crate::diag::codes::PARTIAL_REDACTION;
use crate::diag::{Diagnostic, Level};
use crate::domain::obligation;
use crate::hir::{Cond, Duty, Package, Rule};
use std::collections::BTreeSet;

/// The lint.
pub const LINT: Lint = Lint {
    name: "partial_redaction",
    code: PARTIAL_REDACTION,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Rules that take a value out past which nothing is looked for.
const TAKING: usize = 24;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let package = context.package;
    // A place that several rules take out is told once.
    let mut told: BTreeSet<(&[String], &str)> = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for (_, rule) in context.rules() {
        for duty in rule.duties.iter().filter(|duty| takes_out(package, &duty.node)) {
            let place = duty.node.place.as_deref().unwrap_or_default();
            if let Some(other) = kept_by(context, rule, place, &mut asked)
                && told.insert((place, &other.name))
            {
                let place: String = place.iter().map(|name| format!(".{name}")).collect();
                let (speaks, help) = if other.limit {
                    (
                        format!("go over limit `{}`", other.name),
                        "let a rule that matches these calls oblige the same".to_owned(),
                    )
                } else {
                    (
                        format!("rule `{}` speaks of", other.name),
                        format!("oblige the same in rule `{}`", other.name),
                    )
                };
                let message = format!(
                    "`args{place}` is kept of calls that {speaks} and that rule `{}` does not match",
                    rule.name
                );
                out.push(
                    LINT.finding(duty.span, message)
                        .also(
                            other.name_span,
                            if other.limit {
                                "a limit takes nothing out"
                            } else {
                                "this rule takes nothing out"
                            },
                        )
                        .why("only the rules that match say what is taken out of what is kept of a call")
                        .help(help),
                );
            }
        }
    }
}

fn takes_out(package: &Package, duty: &Duty) -> bool {
    let kind = package.obligations.get(duty.kind as usize);
    kind.is_some_and(|kind| kind.name == obligation::REDACT || kind.name == obligation::MASK)
}

/// A rule on one of the tools that matches some call of which nothing takes out the place. Each tool is asked once.
fn kept_by<'a>(
    context: &Context<'a>,
    rule: &'a Rule,
    place: &'a [String],
    asked: &mut BTreeSet<(usize, &'a [String])>,
) -> Option<&'a Rule> {
    let package = context.package;
    // Who takes out a part of it has thought of it.
    let near = |other: &[String]| place.starts_with(other) || other.starts_with(place);
    let covers = |rule: &Rule| {
        let mut duties = rule.duties.iter().map(|duty| &duty.node);
        duties.any(|other| takes_out(package, other) && other.place.as_deref().is_some_and(near))
    };
    context.on(rule).find_map(|(index, tool, _)| {
        if !asked.insert((index, place)) {
            return None;
        }
        let about = context.about(index).iter().copied();
        let (taking, others): (Vec<_>, Vec<_>) = about.partition(|(rule, _)| covers(rule));
        let nots: Vec<Cond> = taking.iter().map(|(_, cond)| not(cond)).collect();
        if nots.len() > TAKING {
            return None;
        }
        let is_left = |cond: &Cond| {
            let mut all = vec![cond];
            all.extend(&nots);
            !context.calls(tool).impossible(&all)
        };
        let other = others.into_iter().find(|(_, cond)| is_left(cond));
        other.map(|(rule, _)| rule)
    })
}
