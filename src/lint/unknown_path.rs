//! `unknown_path`: a rule or limit about some paths of a command line that looks past operands whose path is not known, in
//! what it asks itself and in the predicates it asks.

mod asked;

use self::asked::{Asked, asked};
use super::{Context, Group, Lint};
use crate::diag::codes::UNKNOWN_PATH;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Cond, Rule, Tool};
use crate::source::Span;
use crate::syntax::ast::{Condition, Expr, ExprKind};
use std::collections::BTreeSet;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unknown_path",
    code: UNKNOWN_PATH,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<Span> = BTreeSet::new();
    let rules = context.rules();
    let rules = rules.map(|(written, rule)| ("rule", written.conditions.as_slice(), rule));
    let limits = context.limits();
    let limits = limits.map(|(written, rule)| ("limit", written.conditions.as_slice(), rule));
    for (what, written, rule) in rules.chain(limits) {
        if rule.verdict == Verdict::Allow {
            continue;
        }
        for (index, tool, cond) in context.on(rule) {
            let passed = asked(tool, cond).into_iter().find(|asked| {
                asked.is_passed_by() && lets_through(context, rule, (index, tool), &asked.list)
            });
            let Some(asked) = passed else { continue };
            let span = if asked.span.file == context.source.id {
                asked.span
            } else {
                place_in(written, cond, asked.span).unwrap_or(rule.span)
            };
            if told.insert(span) {
                // `all` of a path holds where there is none; a negation was made of it.
                let all = asked.span == span && context.text(span).starts_with("all ");
                out.push(report((what, rule, all), asked.span, span));
            }
        }
    }
}

fn report((what, rule, all): (&str, &Rule, bool), asked: Span, span: Span) -> Diagnostic {
    let message = format!(
        "{what} `{}` looks past operands whose path is not known",
        rule.name
    );
    let report = LINT
        .finding(span, message)
        .label(if all {
            "holds where the path is missing"
        } else {
            "does not hold where the path is missing"
        })
        .why("what `../x` names depends on the folder the line starts in, so it has no path");
    if asked == span {
        return report.help(if all {
            "ask `any p in o.path: …`, which does not hold there"
        } else {
            "let it match there, too: `not present o.path or o.path under …`"
        });
    }
    report
        .also(asked, "this asks for the path")
        .help("let it match where no path is known, too: with `or shell.unplaced(…)` of `std.shell`, or `or any c in …: any o in c.operands: not present o.path`")
}

/// Where a rule asks what a predicate of another file asks: the use of the predicate, as far as tree and meaning run alike.
fn place_in(conditions: &[Condition], cond: &Cond, asked: Span) -> Option<Span> {
    let Cond::And(parts) = cond else { return None };
    let mut clauses = conditions.iter().zip(parts);
    let (clause, part) = clauses.find(|(_, part)| asks(part, asked))?;
    let part = match part {
        Cond::Not(inner) if clause.negated => inner,
        part => part,
    };
    Some(narrowed(&clause.expr, part, asked))
}

fn narrowed(expr: &Expr, cond: &Cond, asked: Span) -> Span {
    let within = match (&expr.kind, cond) {
        (ExprKind::And(a, b), Cond::And(parts)) | (ExprKind::Or(a, b), Cond::Or(parts))
            if parts.len() == 2 =>
        {
            [a, b].into_iter().zip(parts).find(|(_, part)| asks(part, asked))
        }
        (ExprKind::Not(inner), Cond::Not(part)) => Some((inner, &**part)),
        _ => None,
    };
    within.map_or(expr.span, |(expr, cond)| narrowed(expr, cond, asked))
}

fn asks(cond: &Cond, span: Span) -> bool {
    match cond {
        Cond::Const(_) => false,
        Cond::Atom(atom) => atom.span == span,
        Cond::Relation(relation) => relation.span == span,
        Cond::Not(inner) => asks(inner, span),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|part| asks(part, span)),
        Cond::Any { body, span: own, .. } => *own == span || asks(body, span),
    }
}

/// Whether a call with such an operand may get less than the rule asks for, and no rule as strict stops it.
fn lets_through(context: &Context<'_>, rule: &Rule, (index, tool): (usize, &Tool), list: &str) -> bool {
    let of_list = |cond: &Cond| -> Vec<Asked> {
        let all = asked(tool, cond).into_iter();
        all.filter(|asked| asked.list == list).collect()
    };
    let about = context.about(index);
    let stopped = about
        .iter()
        .filter(|(other, _)| other.verdict > Verdict::Allow)
        .any(|(_, cond)| of_list(cond).iter().any(Asked::is_of_missing));
    let is_open = |verdict: Verdict, cond: &Cond| verdict < rule.verdict && of_list(cond).is_empty();
    let looser = about.iter().any(|(other, cond)| is_open(other.verdict, cond));
    !stopped && (looser || context.package.default.0 < rule.verdict)
}
