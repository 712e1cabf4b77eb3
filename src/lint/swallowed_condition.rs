//! `swallowed_condition`: what stands in the body of a quantifier or a `count` and is no question about its elements.

use super::{Context, Group, Lint};
use crate::diag::codes::SWALLOWED_CONDITION;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::Aggregate;
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
    {
        let (is_root, kind) = (expr.span == root.span, (*all, chain.is_or));
        if let Some((last, after)) = chain.swallowed(&variable.text, variables) {
            out.push(report(context, (expr, is_root), kind, last, after));
        } else if let Some((first, rest)) = chain.begun_with(variables)
            && *all != chain.is_or
        {
            out.push(first_report(context, (expr, is_root), kind, first, rest));
        }
    }
    if let ExprKind::Aggregate {
        of: Aggregate::Count,
        body,
        ..
    } = &expr.kind
        && let Some(chain) = Chain::of(body)
        && let Some(other) = chain.other(variables)
    {
        out.push(count_report(chain.is_or, other));
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
        let last = self.parts.iter().rposition(|part| asks(part, variable))?;
        let (before, after) = self.parts.split_at_checked(last + 1)?;
        let free = |part: &&Expr| is_free(part, variables);
        (!after.is_empty() && after.iter().all(free)).then_some((before.last()?, after.first()?))
    }

    /// The first operand, where it is about no element, and the one after it.
    fn begun_with(&self, variables: &[&str]) -> Option<(&'a Expr, &'a Expr)> {
        let (first, rest) = self.parts.split_first()?;
        (is_free(first, variables) && !rest.iter().all(|part| is_free(part, variables)))
            .then_some((first, *rest.first()?))
    }

    /// An operand about no element, beside others that are.
    fn other(&self, variables: &[&str]) -> Option<&'a Expr> {
        let (free, about): (Vec<&Expr>, Vec<&Expr>) =
            self.parts.iter().partition(|part| is_free(part, variables));
        free.first().copied().filter(|_| !about.is_empty())
    }
}

/// Whether a part is about no element of the quantifiers around it.
fn is_free(part: &Expr, variables: &[&str]) -> bool {
    !variables.iter().any(|name| asks(part, name))
}

/// Whether a part is about a variable, and not about another of the same name that it declares itself.
fn asks(part: &Expr, name: &str) -> bool {
    match &part.kind {
        ExprKind::Name(found) => found.text == name,
        ExprKind::Quantified {
            variable, list, body, ..
        }
        | ExprKind::Aggregate {
            variable, list, body, ..
        } => asks(list, name) || variable.text != name && asks(body, name),
        _ => part.parts().into_iter().any(|child| asks(child, name)),
    }
}

fn count_report(is_or: bool, other: &Expr) -> Diagnostic {
    let word = if is_or { "or" } else { "and" };
    LINT.finding(
        other.span,
        "this stands in the body of `count` and asks nothing of its elements",
    )
    .label("counts every element, or none")
    .why(format!(
        "where it decides, the number is that of the whole list or 0, and what `{word}` seems to ask of the call is asked of a number"
    ))
    .help("ask it outside of the brackets of `count`")
}

/// The report for a body that begins with what asks nothing of the elements, and is not asked where there are none.
fn first_report(
    context: &Context<'_>,
    (expr, is_root): (&Expr, bool),
    (all, is_or): (bool, bool),
    first: &Expr,
    rest: &Expr,
) -> Diagnostic {
    let word = if is_or { "or" } else { "and" };
    let quantifier = if all { "all" } else { "any" };
    let between = |start: u32, end: u32| Span {
        start,
        end,
        ..expr.span
    };
    let ExprKind::Quantified { body, .. } = &expr.kind else {
        return LINT.finding(first.span, "this asks nothing of the elements");
    };
    let head = context.text(between(expr.span.start, body.span.start));
    let own = context.text(between(body.span.start, rest.span.start));
    let own = own
        .trim_end_matches('(')
        .trim_end()
        .trim_end_matches(word)
        .trim_end();
    let tail = context.text(between(rest.span.start, expr.span.end));
    let report = LINT
        .finding(
            first.span,
            format!("this stands in the body of `{quantifier}` and asks nothing of its elements"),
        )
        .label("asked only with an element")
        .why(format!(
            "where the list is empty, `{quantifier}` does not ask it: what stands before `{word}` counts only with an element"
        ))
        .help("write it before the quantifier, or put the body in brackets where that is meant");
    // Brackets around an operand are not in its span; they stay where they are.
    if [own, tail]
        .iter()
        .any(|text| text.matches('(').count() != text.matches(')').count())
    {
        return report;
    }
    let mended = format!("{own} {word} {head}{tail}");
    report.suggest(expr.span, if is_root { mended } else { format!("({mended})") })
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
