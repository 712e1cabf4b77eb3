//! Walking the conditions of a rule. In: a rule as written. Out: its expressions, each with what it must do for the
//! rule to match.

use crate::hir::Cond;
use crate::syntax::ast::{Delegated, Expr, ExprKind, Item, Module, Rule};

/// What a condition must do for its rule to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// It must hold.
    Holds,
    /// It must fail.
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
    for child in expr.parts() {
        expression(child, inner, visit);
    }
}

/// Visits every expression of a policy's conditions: those of rules, then the bodies of predicates.
pub(super) fn expressions<'a>(module: &'a Module, visit: &mut impl FnMut(&'a Expr)) {
    for item in &module.items {
        match item {
            Item::Rule(rule) => rule.conditions.iter().for_each(|c| each(&c.expr, visit)),
            Item::Limit(limit) => {
                limit.conditions.iter().for_each(|c| each(&c.expr, visit));
                limit.of.iter().for_each(|of| each(of, visit));
            }
            Item::Pred(pred) => each(&pred.body, visit),
            Item::Assert(assert) => assert.conditions.iter().for_each(|c| each(&c.expr, visit)),
            Item::Delegate(delegate) => {
                if let Delegated::Region { conditions, .. } = &delegate.what {
                    conditions.iter().for_each(|c| each(&c.expr, visit));
                }
            }
            _ => {}
        }
    }
}

/// Visits an expression and its parts, outermost first.
pub(super) fn each<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    visit(expr);
    for part in expr.parts() {
        each(part, visit);
    }
}

/// Visits every `and` and `or` that is no operand of another of its kind.
pub(super) fn outermost<'a>(module: &'a Module, visit: &mut impl FnMut(&'a Expr)) {
    fn go<'a>(expr: &'a Expr, within: Option<bool>, visit: &mut impl FnMut(&'a Expr)) {
        let own = match &expr.kind {
            ExprKind::Or(..) => Some(true),
            ExprKind::And(..) => Some(false),
            _ => None,
        };
        if own.is_some() && own != within {
            visit(expr);
        }
        expr.parts().into_iter().for_each(|part| go(part, own, visit));
    }
    for item in &module.items {
        match item {
            Item::Rule(rule) => rule.conditions.iter().for_each(|c| go(&c.expr, None, visit)),
            Item::Pred(pred) => go(&pred.body, None, visit),
            _ => {}
        }
    }
}

/// Whether a name stands in an expression.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(n) if n.text == name)
        || expr.parts().into_iter().any(|child| mentions(child, name))
}

/// What must hold for a rule to match on a tool: the operands of the `and`s of its `when` clauses, and its `unless` clauses,
/// each as written and as meant. Nothing where tree and meaning do not run alike.
pub(super) fn conjuncts<'a>(rule: &'a Rule, cond: &'a Cond) -> Vec<(&'a Expr, &'a Cond)> {
    let Cond::And(parts) = cond else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (clause, part) in rule.conditions.iter().zip(parts) {
        if clause.negated {
            found.push((&clause.expr, part));
        } else {
            operands(&clause.expr, part, &mut found);
        }
    }
    found
}

fn operands<'a>(expr: &'a Expr, cond: &'a Cond, out: &mut Vec<(&'a Expr, &'a Cond)>) {
    match (&expr.kind, cond) {
        (ExprKind::And(a, b), Cond::And(parts)) if parts.len() == 2 => {
            for (expr, cond) in [a, b].into_iter().zip(parts) {
                operands(expr, cond, out);
            }
        }
        _ => out.push((expr, cond)),
    }
}
