//! Walking the conditions of a rule. In: a rule as written. Out: its expressions, each with what it must do for the
//! rule to match.

use crate::syntax::ast::{Expr, ExprKind, Rule};

/// What a condition must do for its rule to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polarity {
    Holds,
    Fails,
}

impl Polarity {
    fn flipped(self) -> Self {
        match self {
            Polarity::Holds => Polarity::Fails,
            Polarity::Fails => Polarity::Holds,
        }
    }
}

/// Visits every expression of the rule's conditions, outermost first, in order.
pub(super) fn conditions<'a>(rule: &'a Rule, visit: &mut impl FnMut(&'a Expr, Polarity)) {
    for clause in &rule.conditions {
        let polarity = if clause.negated {
            Polarity::Fails
        } else {
            Polarity::Holds
        };
        expression(&clause.expr, polarity, visit);
    }
}

fn expression<'a>(expr: &'a Expr, polarity: Polarity, visit: &mut impl FnMut(&'a Expr, Polarity)) {
    visit(expr, polarity);
    let inner = match &expr.kind {
        ExprKind::Not(_) => polarity.flipped(),
        _ => polarity,
    };
    for child in expr.children() {
        expression(child, inner, visit);
    }
}

/// Whether a name stands in an expression.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(n) if n.text == name)
        || expr.children().into_iter().any(|child| mentions(child, name))
}
