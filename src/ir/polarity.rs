//! Facts and claims: no claim may loosen a verdict. A rule as strict as the default or stricter must not stop matching
//! because of what a caller says; a looser one must not start to, except where another rule, free of claims, matches
//! anyway. In: the rules on one tool as written and as asked of its variables. Out: a report per rule that breaks this.

use super::rows::{self, Names};
use crate::diag::Diagnostic;
use crate::diag::codes::CLAIM_LOOSENS;
use crate::hir::trust::{Claimed, Movement, movement};
use crate::hir::{Cond, Package, Rule, Tool};

/// Checks the rules on a tool.
pub(super) fn check(
    package: &Package,
    tool: usize,
    written: &[(usize, &Cond)],
    rules: &[(usize, Cond)],
    names: &mut impl Names,
    out: &mut Vec<Diagnostic>,
) {
    let Some(tool) = package.tools.get(tool) else {
        return;
    };
    let moved: Vec<Movement> = written
        .iter()
        .map(|(_, cond)| movement(cond, tool, &package.context))
        .collect();
    let free = || {
        let speaks = |index: usize| package.rules.get(index).is_some_and(|rule| !rule.limit);
        let free = rules.iter().zip(&moved);
        let free = free.filter(|((index, _), moved)| moved.is_none() && speaks(*index));
        Cond::Or(free.map(|((_, cond), _)| cond.clone()).collect())
    };
    for ((index, cond), moved) in rules.iter().zip(&moved) {
        let Some(rule) = package.rules.get(*index) else {
            continue;
        };
        let loosening = rule.verdict < package.default.0 && !rule.limit;
        let claimed = if loosening {
            moved.raises.filter(|_| reaches_alone(cond, free(), names))
        } else {
            moved.lowers
        };
        if let Some(claimed) = claimed {
            let report = report(package, tool, rule, claimed, loosening);
            let known = |d: &Diagnostic| d.code == CLAIM_LOOSENS && d.primary.span == report.primary.span;
            if !out.iter().any(known) {
                out.push(report);
            }
        }
    }
}

/// Whether some call meets the condition and none of the others.
fn reaches_alone(cond: &Cond, others: Cond, names: &mut impl Names) -> bool {
    let alone = Cond::And(vec![cond.clone(), Cond::Not(Box::new(others))]);
    // What is too large to decide is not taken for covered.
    rows::rows(&alone, names).map_or(true, |rows| !rows.is_empty())
}

fn report(package: &Package, tool: &Tool, rule: &Rule, claimed: Claimed, loosening: bool) -> Diagnostic {
    let field = package.context.get(claimed.field as usize);
    let name = field.map_or("", |f| f.field.name.as_str());
    let (default, _) = &package.default;
    let message = format!(
        "the claim `context.{name}` could loosen the verdict on `{}`",
        tool.name
    );
    let why = if loosening {
        format!(
            "whoever makes the call says this; saying it makes rule `{}` give `{}` where no rule would have spoken and the default is `{default}`",
            rule.name, rule.verdict
        )
    } else {
        format!(
            "whoever makes the call says this; saying it keeps rule `{}` from asking for `{}`",
            rule.name, rule.verdict
        )
    };
    // A predicate asks the same for others; the mistake is the rule's that passes it a claim.
    let own = rule.conditions_span.filter(|own| !own.covers(claimed.span));
    let mut diagnostic = Diagnostic::error(CLAIM_LOOSENS, own.unwrap_or(claimed.span), message)
        .label("the caller decides this")
        .also(rule.name_span, format!("this rule gives `{}`", rule.verdict))
        .why(why)
        .help(format!(
            "declare `{name}` as a `fact` that the host supplies, or turn the rule round so that the claim only tightens"
        ));
    if own.is_some() {
        diagnostic = diagnostic.also(claimed.span, "asked here");
    }
    if let Some(field) = field {
        diagnostic = diagnostic.also(field.span, "declared as a claim here");
    }
    diagnostic
}
