//! `currencies_differ`: one number compared with amounts of several currencies.

use super::context::Asked;
use super::{Context, Group, Lint};
use crate::diag::codes::CURRENCIES_DIFFER;
use crate::diag::{Diagnostic, Level};
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "currencies_differ",
    code: CURRENCIES_DIFFER,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let currency = |asked: &Asked<'_>| match &asked.atom.ty {
            Ty::Money { currency, .. } => Some((currency.clone(), asked.tool)),
            _ => None,
        };
        let mut found: Vec<(String, usize)> = comparison.asked.iter().filter_map(currency).collect();
        found.sort();
        found.dedup_by(|a, b| a.0 == b.0);
        let [(first, one), (second, other), ..] = found.as_slice() else {
            continue;
        };
        let name = |index: usize| context.tool(index).map_or("", |tool| tool.name.as_str());
        let message = format!(
            "`{}` is about {first} on `{}` and about {second} on `{}`",
            context.text(comparison.expr.span),
            name(*one),
            name(*other)
        );
        let report = LINT
            .finding(comparison.expr.span, message)
            .why("the same number is worth more in one currency than in the other");
        out.push(report.help("write a rule for each currency"));
    }
}
