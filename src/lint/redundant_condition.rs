//! `redundant_condition`: a condition of a rule that its other conditions imply.

use super::meaning::{Calls, not};
use super::{Context, Group, Lint, walk};
use crate::diag::codes::REDUNDANT_CONDITION;
use crate::diag::{Diagnostic, Level};
use crate::hir::Cond;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Rule};
use crate::syntax::written::one_line;
use std::rc::Rc;

/// The lint.
pub const LINT: Lint = Lint {
    name: "redundant_condition",
    code: REDUNDANT_CONDITION,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Conditions that all have to hold, as written and as meant.
type Conjuncts<'a> = Vec<(&'a Expr, &'a Cond)>;

/// Conditions of a rule, and tools it is about, past which nothing is looked for: each is one question to the classes.
const CONDITIONS: usize = 12;
const TOOLS: usize = 16;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.on.len() <= TOOLS) {
        let on: Vec<(Rc<Calls<'_>>, Conjuncts<'_>)> = context
            .on(rule)
            .map(|(_, tool, cond)| (context.calls(tool), walk::conjuncts(written, cond)))
            .collect();
        let Some(count) = on.first().map(|(_, parts)| parts.len()) else {
            continue;
        };
        if !(2..=CONDITIONS).contains(&count) || on.iter().any(|(_, parts)| parts.len() != count) {
            continue;
        }
        let mut left: Vec<usize> = (0..count).collect();
        for at in (0..count).rev() {
            let redundant = on
                .iter()
                .all(|(calls, parts)| is_implied(calls, parts, &left, at));
            let expr = on
                .first()
                .and_then(|(_, parts)| parts.get(at))
                .map(|(expr, _)| *expr);
            if redundant && let Some(expr) = expr {
                left.retain(|kept| *kept != at);
                out.push(report(context, written, expr));
            }
        }
    }
}

/// Whether the condition at `at` follows from the others that are left. What asks for an optional is needed by them.
fn is_implied(calls: &Calls<'_>, parts: &[(&Expr, &Cond)], left: &[usize], at: usize) -> bool {
    let Some((expr, cond)) = parts.get(at) else {
        return false;
    };
    if has_present(expr) || !calls.tells(cond) {
        return false;
    }
    let others = left.iter().filter(|other| **other != at);
    let others: Vec<&Cond> = others
        .filter_map(|other| parts.get(*other))
        .map(|(_, c)| *c)
        .collect();
    let never = not(cond);
    let mut all = others.clone();
    all.push(&never);
    !others.is_empty() && calls.impossible(&all)
}

fn has_present(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Present(_)) || expr.parts().into_iter().any(has_present)
}

fn report(context: &Context<'_>, rule: &Rule, expr: &Expr) -> Diagnostic {
    let clause = rule.conditions.iter().find(|c| c.expr.span == expr.span);
    let span = clause.map_or(expr.span, |c| c.span);
    let message = format!(
        "`{}` follows from the other conditions of the rule",
        one_line(context.text(span))
    );
    let report = LINT
        .finding(span, message)
        .label("every call that passes the others passes this")
        .help("leave it out, or mend the condition that makes it superfluous");
    match clause {
        Some(_) => {
            let before = context.source.text.get(..span.start as usize).unwrap_or_default();
            let start = before.trim_end().len();
            let removed = Span::new(span.file, start, span.end as usize);
            // A comment between would be joined to what stands before.
            if before
                .lines()
                .next_back()
                .is_some_and(|line| line.trim().is_empty())
            {
                report.edit(removed, "")
            } else {
                report
            }
        }
        None => report,
    }
}
