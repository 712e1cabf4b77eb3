//! `swallowed_condition`: what follows a quantifier and is no question about its elements, but stands in its body.

use super::{Context, Group, Lint};
use crate::diag::codes::SWALLOWED_CONDITION;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::{Delegated, Expr, ExprKind, Item};

/// The lint.
pub const LINT: Lint = Lint {
    name: "swallowed_condition",
    code: SWALLOWED_CONDITION,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for item in &context.module.items {
        let roots: Vec<&Expr> = match item {
            Item::Rule(rule) => rule.conditions.iter().map(|c| &c.expr).collect(),
            Item::Limit(limit) => limit.conditions.iter().map(|c| &c.expr).collect(),
            Item::Pred(pred) => vec![&pred.body],
            Item::Delegate(delegate) => match &delegate.what {
                Delegated::Region { conditions, .. } => conditions.iter().map(|c| &c.expr).collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        for root in roots {
            walk(context, root, root, &mut Vec::new(), out);
        }
    }
}

fn walk<'a>(
    context: &Context<'a>,
    root: &Expr,
    expr: &'a Expr,
    variables: &mut Vec<&'a str>,
    out: &mut Vec<Diagnostic>,
) {
    let opened = match &expr.kind {
        ExprKind::Quantified { variable, .. } | ExprKind::Aggregate { variable, .. } => Some(&variable.text),
        _ => None,
    };
    variables.extend(opened.map(String::as_str));
    if let ExprKind::Quantified {
        all,
        variable,
        list,
        body,
    } = &expr.kind
        && !context.text(between(list, body)).contains('(')
        && let Some(chain) = Chain::of(body)
        && let Some((last, after)) = chain.swallowed(&variable.text, variables)
    {
        let is_root = expr.span == root.span;
        out.push(report(context, (expr, is_root), (*all, chain.is_or), last, after));
    }
    for part in expr.parts() {
        walk(context, root, part, variables, out);
    }
    if opened.is_some() {
        variables.pop();
    }
}

/// What stands between the list of a quantifier and its body: brackets around the body, where there are some.
fn between(list: &Expr, body: &Expr) -> Span {
    Span {
        start: list.span.end,
        end: body.span.start,
        ..body.span
    }
}

/// The operands of a body that is an `and` or `or` without brackets of its own.
struct Chain<'a> {
    is_or: bool,
    parts: Vec<&'a Expr>,
}

impl<'a> Chain<'a> {
    fn of(body: &'a Expr) -> Option<Chain<'a>> {
        let is_or = match &body.kind {
            ExprKind::Or(..) => true,
            ExprKind::And(..) => false,
            _ => return None,
        };
        let mut chain = Chain {
            is_or,
            parts: Vec::new(),
        };
        chain.flatten(body);
        (chain.parts.len() > 1).then_some(chain)
    }

    fn flatten(&mut self, expr: &'a Expr) {
        match (&expr.kind, self.is_or) {
            // Where the first operand is in brackets, the whole starts before it.
            (ExprKind::Or(a, b), true) | (ExprKind::And(a, b), false) => {
                if a.span.start == expr.span.start {
                    self.flatten(a);
                } else {
                    self.parts.push(a);
                }
                self.parts.push(b);
            }
            _ => self.parts.push(expr),
        }
    }

    /// The last operand about the variable, and the first after it; nothing where one of those after it is about an element
    /// of any quantifier.
    fn swallowed(&self, variable: &str, variables: &[&str]) -> Option<(&'a Expr, &'a Expr)> {
        let about = |part: &&Expr| super::walk::mentions(part, variable);
        let last = self.parts.iter().rposition(about)?;
        let (before, after) = self.parts.split_at_checked(last + 1)?;
        let free = |part: &&Expr| !variables.iter().any(|name| super::walk::mentions(part, name));
        (!after.is_empty() && after.iter().all(free)).then_some((before.last()?, after.first()?))
    }
}

fn report(
    context: &Context<'_>,
    (expr, is_root): (&Expr, bool),
    (all, is_or): (bool, bool),
    last: &Expr,
    after: &Expr,
) -> Diagnostic {
    let word = if is_or { "or" } else { "and" };
    let quantifier = if all { "all" } else { "any" };
    let rest = Span {
        start: after.span.start,
        ..expr.span
    };
    let upto = Span {
        end: last.span.end,
        ..expr.span
    };
    let tail = Span {
        start: last.span.end,
        ..expr.span
    };
    let mended = format!("({}){}", context.text(upto), context.text(tail));
    let mended = if is_root { mended } else { format!("({mended})") };
    let report = LINT
        .finding(
            rest,
            format!("this stands in the body of `{quantifier}` and asks nothing of its elements"),
        )
        .label(format!("belongs to `{quantifier}`, as far as the clause goes"))
        .also(
            Span {
                end: last.span.start,
                ..expr.span
            },
            "the body starts after the colon",
        );
    // Over an empty list `any` holds for none and `all` for all, whatever else the body asks.
    if all == is_or {
        report
            .help("put the quantifier in brackets; it means the same")
            .edit(expr.span, mended)
    } else {
        report
            .why(format!(
                "where the list is empty, `{quantifier}` does not ask it: what follows `{word}` counts only with an element"
            ))
            .help("put the quantifier in brackets, or its body where that is meant")
            .suggest(expr.span, mended)
    }
}
