//! `double_negation`: two negations that say nothing together: `not not a`, `unless not a`.

use super::{Context, Group, Lint, walk};
use crate::diag::codes::DOUBLE_NEGATION;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::ExprKind;

/// The lint.
pub const LINT: Lint = Lint {
    name: "double_negation",
    code: DOUBLE_NEGATION,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules() {
        for clause in written.conditions.iter().filter(|c| c.negated) {
            if let ExprKind::Not(inner) = &clause.expr.kind
                && let Some(text) = after_not(context, clause.expr.span)
                && !matches!(inner.kind, ExprKind::Not(_))
            {
                let span = clause.span;
                let report = LINT.finding(span, "`unless not` is `when`");
                out.push(
                    report
                        .help("write it with `when`")
                        .edit(span, format!("when {text}")),
                );
            }
        }
    }
    walk::expressions(context.module, &mut |expr| {
        let ExprKind::Not(inner) = &expr.kind else { return };
        if let ExprKind::Not(_) = &inner.kind
            && let Some(text) = after_not(context, inner.span)
        {
            let report = LINT.finding(expr.span, "`not not` says nothing");
            out.push(report.help("leave both out").edit(expr.span, text));
        }
    });
}

/// What `not` negates, as written; `None` where brackets or a comment stand before it.
fn after_not<'a>(context: &Context<'a>, not: Span) -> Option<&'a str> {
    let text = context.text(not).strip_prefix("not")?;
    let text = text.trim_start();
    (!text.starts_with("//")).then_some(text)
}
