//! `shadowed_name`: a variable of a quantifier that hides another name.

use super::{Context, Group, Lint};
use crate::diag::codes::SHADOWED_NAME;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Item, Name};
use std::collections::BTreeMap;

/// The lint.
pub const LINT: Lint = Lint {
    name: "shadowed_name",
    code: SHADOWED_NAME,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<&str, (Span, &str)> = BTreeMap::new();
    for item in &context.module.items {
        match item {
            Item::Enum(declared) => {
                for member in &declared.members {
                    known.insert(&member.text, (member.span, "a member of an enum"));
                }
            }
            Item::Set(set) => {
                known.insert(&set.name.text, (set.name.span, "a set"));
            }
            _ => {}
        }
    }
    for item in &context.module.items {
        match item {
            Item::Rule(rule) => {
                for clause in &rule.conditions {
                    inside(&clause.expr, &mut Vec::new(), &known, out);
                }
            }
            Item::Pred(pred) => {
                let mut open: Vec<&Name> = pred.params.iter().map(|param| &param.name).collect();
                inside(&pred.body, &mut open, &known, out);
            }
            _ => {}
        }
    }
}

fn inside<'a>(
    expr: &'a Expr,
    open: &mut Vec<&'a Name>,
    known: &BTreeMap<&str, (Span, &str)>,
    out: &mut Vec<Diagnostic>,
) {
    let (ExprKind::Quantified {
        variable, list, body, ..
    }
    | ExprKind::Aggregate {
        variable, list, body, ..
    }) = &expr.kind
    else {
        expr.parts()
            .into_iter()
            .for_each(|part| inside(part, open, known, out));
        return;
    };
    inside(list, open, known, out);
    let outer = open.iter().find(|name| name.text == variable.text);
    let hidden = match outer {
        Some(outer) => Some((outer.span, "another variable")),
        None => known.get(variable.text.as_str()).copied(),
    };
    if let Some((span, what)) = hidden {
        let message = format!("variable `{}` hides {what} of the same name", variable.text);
        let report = LINT
            .finding(variable.span, message)
            .also(span, "hidden in the body")
            .why("a condition in the body that speaks of the one asks about the other");
        out.push(report.help("choose another name for the variable"));
    }
    open.push(variable);
    inside(body, open, known, out);
    open.pop();
}
