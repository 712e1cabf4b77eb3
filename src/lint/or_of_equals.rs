//! `or_of_equals`: a value compared with several constants one by one, where a set says it at once.

use super::{Context, Group, Lint, walk};
use crate::diag::codes::OR_OF_EQUALS;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::{Expr, ExprKind, Op};
use crate::syntax::written::one_line;

/// The lint.
pub const LINT: Lint = Lint {
    name: "or_of_equals",
    code: OR_OF_EQUALS,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Comparisons that are worth a set.
const SEVERAL: usize = 3;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    walk::outermost(context.module, &mut |chain| {
        let (op, word, joint) = match &chain.kind {
            ExprKind::Or(..) => (Op::Eq, "in", "or"),
            ExprKind::And(..) => (Op::Ne, "not in", "and"),
            _ => return,
        };
        let mut parts = Vec::new();
        flatten(chain, &mut parts);
        let mut sets: Vec<(String, Vec<&Expr>)> = Vec::new();
        for part in &parts {
            let ExprKind::Compare(left, found, right) = &part.kind else {
                continue;
            };
            // Only a comparison with a constant asks a question.
            let constant = !context.asked(left.span.to(right.span)).is_empty();
            if found.node != op || !constant || matches!(right.kind, ExprKind::Set(_)) {
                continue;
            }
            let name = one_line(context.text(left.span));
            match sets.iter_mut().find(|(known, _)| *known == name) {
                Some((_, members)) => members.push(right),
                None => sets.push((name, vec![right])),
            }
        }
        for (left, members) in sets.iter().filter(|(_, members)| members.len() >= SEVERAL) {
            let texts: Vec<&str> = members.iter().map(|m| context.text(m.span)).collect();
            let set = format!("{left} {word} {{ {} }}", texts.join(", "));
            let message = format!("`{left}` is compared with {} constants one by one", members.len());
            let report = LINT.finding(chain.span, message).help(format!("write `{set}`"));
            let whole = members.len() == parts.len() && !context.text(chain.span).contains("//");
            out.push(if whole {
                report.edit(chain.span, set)
            } else {
                report.label(format!("a chain of `{joint}`"))
            });
        }
    });
}

fn flatten<'a>(expr: &'a Expr, out: &mut Vec<&'a Expr>) {
    flatten_as(expr, matches!(expr.kind, ExprKind::Or(..)), out);
}

fn flatten_as<'a>(expr: &'a Expr, or: bool, out: &mut Vec<&'a Expr>) {
    match &expr.kind {
        ExprKind::Or(a, b) if or => [a, b].into_iter().for_each(|e| flatten_as(e, or, out)),
        ExprKind::And(a, b) if !or => [a, b].into_iter().for_each(|e| flatten_as(e, or, out)),
        _ => out.push(expr),
    }
}
