//! Limits: how much may be spent of something, within what and by whom. In: `limit` items. Out: data that says what a
//! call costs and where it is counted, and a rule that matches where a call would go over; from there on a limit is a
//! rule as any other.

use super::compare;
use super::condition::{self, Failed};
use super::env::Env;
use super::names::Names;
use super::scope::Scope;
use super::{Cond, Place, Relation, RelationOp, Rule, Slot, Step, Term, constant, history};
use crate::diag::Diagnostic;
use crate::diag::codes::{BAD_LIMIT, DUPLICATE_NAME, TYPE_MISMATCH};
use crate::domain::{Trust, Verdict};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, Name};
use crate::ty::Ty;
use crate::value::Value;

/// What a limit is, whatever the tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSpec {
    /// Its name, which is also that of its rule.
    pub name: String,
    /// Within what it counts.
    pub per: Per,
    /// The most there may be.
    pub max: i128,
    /// The type of what is counted; `Int` for calls.
    pub ty: Ty,
    /// Each tool has a counter of its own.
    pub by_tool: bool,
    /// Whatever else has counters of its own, by its name.
    pub by: Vec<String>,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is.
    pub spec: LimitSpec,
    /// What calls cost, per tool.
    pub on: Vec<LimitOn>,
}

/// Within what a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A span of time before the call, in milliseconds; at least one.
    Time(u64),
    /// A session.
    Session,
    /// A run.
    Run,
}

/// A limit on one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitOn {
    /// The tool, by index.
    pub tool: usize,
    /// Which of its calls count.
    pub when: Cond,
    /// What a call costs; one where nothing is said.
    pub cost: Option<Term>,
}

/// The rule of a limit as it would be written, without what has been spent.
pub(super) fn as_rule(written: &ast::Limit) -> ast::Rule {
    let (on, conditions) = (written.on.clone(), written.conditions.clone());
    ast::Rule {
        description: written.description.clone(),
        approval: written.approval.clone(),
        code: written.code.clone(),
        hint: written.hint.clone(),
        ..ast::Rule::about(
            written.name.clone(),
            on,
            conditions,
            written.verdict.clone(),
            written.span,
        )
    }
}

/// The limit with this number, whose rule so far asks what counts; it goes on to ask whether the limit is kept.
pub(super) fn lower(
    written: &ast::Limit,
    number: u32,
    rule: &mut Rule,
    (env, names): (&Env<'_>, &Names<'_>),
    out: &mut Vec<Diagnostic>,
) -> Option<Limit> {
    let before = out.len();
    if rule.verdict == Verdict::Allow {
        let message = "a call over the limit would be allowed";
        let report = Diagnostic::error(BAD_LIMIT, written.verdict.span, message);
        out.push(report.help("write `exceed block` or `exceed require_approval`"));
    }
    let per = match &written.per.node {
        ast::Per::Session => Some(Per::Session),
        ast::Per::Run => Some(Per::Run),
        ast::Per::Time(span) => history::span_of(span)
            .map(Per::Time)
            .map_err(|report| out.push(report))
            .ok(),
    };
    for (at, name) in written.by.iter().enumerate() {
        if let Some(first) = written.by.iter().take(at).find(|known| known.text == name.text) {
            let message = format!("`{}` is named twice", name.text);
            let report = Diagnostic::error(DUPLICATE_NAME, name.span, message);
            out.push(
                report
                    .also(first.span, "first named here")
                    .help("remove one of them"),
            );
        }
    }
    let by_tool = written.by.iter().any(is_tool);
    let by: Vec<&Name> = written.by.iter().filter(|name| !is_tool(name)).collect();
    let mut spec: Option<LimitSpec> = None;
    let mut on = Vec::new();
    for (tool, cond) in &mut rule.on {
        let Some(scope) = Scope::of(*tool, env, names) else {
            continue;
        };
        let mut found = Vec::new();
        match one(written, number, &by, &scope, &mut found) {
            Ok(mine) => {
                on.push(LimitOn {
                    tool: *tool,
                    when: cond.clone(),
                    cost: mine.cost.clone(),
                });
                let ty = mine.ty.clone();
                let exceeded = exceeded(mine, written.span);
                match cond {
                    Cond::And(parts) => parts.push(exceeded.0),
                    other => *other = Cond::And(vec![other.clone(), exceeded.0]),
                }
                let known = spec.get_or_insert_with(|| LimitSpec {
                    name: written.name.text.clone(),
                    per: per.unwrap_or(Per::Run),
                    max: exceeded.1,
                    ty: ty.clone(),
                    by_tool,
                    by: by.iter().map(|name| name.text.clone()).collect(),
                });
                if known.ty != ty {
                    let message = format!("one tool counts {}, another {}", known.ty.phrase(), ty.phrase());
                    let report = Diagnostic::error(TYPE_MISMATCH, written.max.span, message);
                    found.push(report.help("write a limit for each"));
                }
            }
            Err(report) => found.extend(report),
        }
        // The same mistake on several tools is one.
        for report in found {
            let known = |d: &Diagnostic| d.primary.span == report.primary.span && d.code == report.code;
            if !out.iter().any(known) {
                out.push(report);
            }
        }
    }
    let spec = spec.filter(|_| out.len() == before)?;
    Some(Limit { spec, on })
}

fn is_tool(name: &Name) -> bool {
    name.text == "tool"
}

/// A limit on one tool, typed.
struct One {
    used: Place,
    cost: Option<Term>,
    max: i128,
    ty: Ty,
}

fn one(
    written: &ast::Limit,
    number: u32,
    by: &[&Name],
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<One, Failed> {
    let (cost, ty) = match &written.of {
        Some(expr) => {
            let (term, ty) = compare::amount(expr, scope, out)?;
            let counts = matches!(
                ty,
                Ty::Int | Ty::Decimal { .. } | Ty::Money { .. } | Ty::Duration { .. }
            );
            if !counts {
                let message = format!("{} is nothing to add up", ty.phrase());
                let report = Diagnostic::error(TYPE_MISMATCH, expr.span, message);
                return Err(Some(
                    report.help("name a number, an amount of money or a duration"),
                ));
            }
            let mut claim = None;
            term.each_place(&mut |place| claim = claim.take().or_else(|| claimed(place, scope)));
            if let Some(name) = claim {
                let message =
                    format!("the caller says `context.{name}` itself, so it could spend without end");
                let report = Diagnostic::error(BAD_LIMIT, expr.span, message);
                return Err(Some(
                    report.help(format!("let the host say it: `fact {name}: …`")),
                ));
            }
            (Some(term), ty)
        }
        None => (None, Ty::Int),
    };
    let max = match constant::value(&ty, &written.max).map_err(Some)? {
        Value::Num(max) if max >= 0 => max,
        _ => {
            let message = "a limit is not below zero";
            return Err(Some(Diagnostic::error(BAD_LIMIT, written.max.span, message)));
        }
    };
    let mut places = Vec::new();
    for name in by {
        places.push(scope_of(name, scope)?);
    }
    let used = scope.slot(Slot::Used {
        limit: number,
        by: places,
        ty: ty.clone(),
    });
    Ok(One { used, cost, max, ty })
}

/// `used + cost > max`, and the most there may be.
fn exceeded(one: One, span: Span) -> (Cond, i128) {
    let cost = one.cost.unwrap_or(Term::Const(Value::Num(1)));
    let relation = Relation {
        left: Term::Const(Value::Num(one.max)),
        op: RelationOp::Less,
        right: Term::Add(Box::new(Term::Place(one.used)), Box::new(cost)),
        span,
    };
    (Cond::Relation(Box::new(relation)), one.max)
}

/// The place that has counters of its own: an argument or a field of the context, which a bare name stands for.
fn scope_of(name: &Name, scope: &Scope<'_>) -> Result<Place, Failed> {
    let parts: Vec<&str> = name.text.split('.').collect();
    let part = |text: &str| Name {
        text: text.to_owned(),
        span: name.span,
    };
    let (root, rest) = match parts.split_first() {
        Some((root, rest)) if matches!(*root, "args" | "context") && !rest.is_empty() => (*root, rest),
        _ => ("context", parts.as_slice()),
    };
    let mut expr = Expr {
        kind: ExprKind::Name(part(root)),
        span: name.span,
    };
    for text in rest {
        expr = Expr {
            kind: ExprKind::Field(Box::new(expr), part(text)),
            span: name.span,
        };
    }
    let found = condition::place(&expr, scope)?;
    let ty = found.ty.required();
    if *ty == Ty::Poison {
        return Err(None);
    }
    if matches!(
        ty,
        Ty::List { .. } | Ty::Set { .. } | Ty::Map { .. } | Ty::Record(_) | Ty::Command
    ) {
        let message = format!("{} cannot have a counter of its own", ty.phrase());
        let report = Diagnostic::error(TYPE_MISMATCH, name.span, message);
        return Err(Some(report.help("name a text, a number or a part of the value")));
    }
    if let Some(field) = claimed(&found.place, scope) {
        let message = format!("the caller says `context.{field}` itself, so it could start a new count");
        let report = Diagnostic::error(BAD_LIMIT, name.span, message);
        return Err(Some(report.help(format!(
            "let the host say it, or trust the adapter with it: `context {{ fact {field}: {} from intent … }}`",
            ty
        ))));
    }
    Ok(found.place)
}

/// The claim a place lies in, or what is there was looked up in or by.
pub(super) fn claimed(place: &Place, scope: &Scope<'_>) -> Option<String> {
    let (0, [Step::Field(first), rest @ ..]) = (place.level, place.steps.as_slice()) else {
        return None;
    };
    let args = scope.tool.args.len();
    match (*first as usize).checked_sub(args)? {
        0 => {
            let [Step::Field(field), ..] = rest else {
                return None;
            };
            let declared = scope.context.get(*field as usize)?;
            (declared.trust == Trust::Claim).then(|| declared.field.name.clone())
        }
        slot => {
            let slot = scope.env?.slot_at(scope.index, slot - 1)?;
            let mut claim = None;
            slot.each_place(&mut |place| claim = claim.take().or_else(|| claimed(place, scope)));
            claim
        }
    }
}
