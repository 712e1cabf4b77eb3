//! Comparisons between two computed values, and sums and counts over lists, typed for one tool. What compares a value
//! with a constant is `condition`'s; here both sides have to be of one type.

use super::condition::{self, Failed, Operand};
use super::scope::{Found, Scope};
use super::{Atom, Cond, Place, Relation, RelationOp, Term, constant, labelled};
use crate::diag::Diagnostic;
use crate::diag::codes::TYPE_MISMATCH;
use crate::source::Span;
use crate::syntax::ast::{Aggregate, ArithOp, Expr, ExprKind, Name, Op};
use crate::ty::Ty;

/// A term with its type.
struct Typed {
    term: Term,
    ty: Ty,
}

/// Whether an expression computes a value that is not simply there.
pub(super) fn is_computed(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Arith(..) | ExprKind::Aggregate { .. })
}

/// A number that a call says or that is computed of what it says, with its type.
pub(super) fn amount(
    expr: &Expr,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<(Term, Ty), Failed> {
    let found = term(scope.resolved(expr), scope, out)?;
    match found.ty {
        Ty::Poison => Err(None),
        ty => Ok((found.term, ty)),
    }
}

/// `left op right`, where at least one side is computed or both are values of the call.
pub(super) fn values(
    (left, op, op_span, right): (&Expr, Op, Span, &Expr),
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Cond, Failed> {
    if matches!(op, Op::In | Op::NotIn) {
        let any = member(left, right, span, scope, out)?;
        return Ok(if op == Op::In {
            any
        } else {
            Cond::Not(Box::new(any))
        });
    }
    let (a, b) = both(left, right, scope, out)?;
    if a.ty == Ty::Poison || b.ty == Ty::Poison {
        return Err(None);
    }
    let relation = |left: Typed, op: RelationOp, right: Typed| {
        Cond::Relation(Box::new(Relation {
            left: left.term,
            op,
            right: right.term,
            span,
        }))
    };
    if op == Op::Under {
        return match (&a.ty, &b.ty) {
            (Ty::Path, Ty::Path) | (Ty::Host, Ty::Host) => Ok(relation(a, RelationOp::Under, b)),
            _ => mismatch(op_span, "`under` compares two paths or two hosts", &a.ty, &b.ty),
        };
    }
    if !same(&a.ty, &b.ty) {
        return mismatch(op_span, "both sides need the same type", &a.ty, &b.ty);
    }
    let is_scalar = !matches!(
        a.ty,
        Ty::List { .. } | Ty::Set { .. } | Ty::Map { .. } | Ty::Record(_)
    );
    let is_ordered = a.ty.is_ordered() || matches!(a.ty, Ty::Enum { ordered: true, .. });
    match op {
        Op::Eq if is_scalar => Ok(relation(a, RelationOp::Equal, b)),
        Op::Ne if is_scalar => Ok(Cond::Not(Box::new(relation(a, RelationOp::Equal, b)))),
        Op::Lt if is_ordered => Ok(relation(a, RelationOp::Less, b)),
        Op::Le if is_ordered => Ok(relation(a, RelationOp::LessOrEqual, b)),
        Op::Gt if is_ordered => Ok(relation(b, RelationOp::Less, a)),
        Op::Ge if is_ordered => Ok(relation(b, RelationOp::LessOrEqual, a)),
        _ => {
            let message = format!(
                "`{}` does not compare two values that are each {}",
                op.as_str(),
                a.ty.phrase()
            );
            let report = Diagnostic::error(TYPE_MISMATCH, op_span, message);
            Err(Some(report.help("compare with `==` or `!=`, or with a constant")))
        }
    }
}

fn mismatch(span: Span, rule: &str, a: &Ty, b: &Ty) -> Result<Cond, Failed> {
    let message = format!("{} is compared with {}", a.phrase(), b.phrase());
    let report = Diagnostic::error(TYPE_MISMATCH, span, message);
    Err(Some(match (a, b) {
        (Ty::Money { currency: x, .. }, Ty::Money { currency: y, .. }) if x != y => report
            .why(format!("an amount in {x} says nothing about one in {y}"))
            .help("compare amounts of one currency"),
        _ => report.help(rule.to_owned()),
    }))
}

/// Whether values of two types can be equal.
fn same(a: &Ty, b: &Ty) -> bool {
    let alike = matches!(
        (a, b),
        (Ty::String { .. }, Ty::String { .. }) | (Ty::Duration { .. }, Ty::Duration { .. })
    );
    a == b || alike
}

/// Both sides; a constant takes the type of the other side.
fn both(
    left: &Expr,
    right: &Expr,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<(Typed, Typed), Failed> {
    let (left, right) = (scope.resolved(left), scope.resolved(right));
    if condition::is_constant(left, scope) {
        let right = term(right, scope, out)?;
        return Ok((constant_term(left, &right.ty)?, right));
    }
    let left = term(left, scope, out)?;
    let right = if condition::is_constant(right, scope) {
        constant_term(right, &left.ty)?
    } else {
        term(right, scope, out)?
    };
    Ok((left, right))
}

/// The sides of a sum or difference: a number beside a moment is a duration.
fn summands(
    left: &Expr,
    right: &Expr,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<(Typed, Typed), Failed> {
    let is_length = condition::is_constant(right, scope) && matches!(right.kind, ExprKind::Number(_));
    if !is_length || condition::is_constant(left, scope) {
        return both(left, right, scope, out);
    }
    let left = term(left, scope, out)?;
    let right = match left.ty {
        Ty::Instant => constant_term(right, &Ty::Duration { unit: None })?,
        _ => constant_term(right, &left.ty)?,
    };
    Ok((left, right))
}

fn constant_term(expr: &Expr, ty: &Ty) -> Result<Typed, Failed> {
    if *ty == Ty::Poison {
        return Err(None);
    }
    Ok(Typed {
        term: Term::Const(constant::value(ty, expr).map_err(Some)?),
        ty: ty.clone(),
    })
}

fn term(expr: &Expr, scope: &Scope<'_>, out: &mut Vec<Diagnostic>) -> Result<Typed, Failed> {
    match &expr.kind {
        ExprKind::Arith(left, op, right) => {
            let (a, b) = summands(left, right, scope, out)?;
            arithmetic(a, op.node, op.span, b)
        }
        ExprKind::Aggregate {
            of,
            variable,
            list,
            body,
        } => aggregate(*of, variable, list, body, scope, out),
        _ => {
            let operand = condition::operand(expr, scope)?;
            let ty = condition::usable(&operand, scope)?;
            let Operand { found, fallback, .. } = operand;
            let term = match fallback {
                Some(fallback) => Term::Else(found.place, constant::value(&ty, fallback).map_err(Some)?),
                None => Term::Place(found.place),
            };
            Ok(Typed { term, ty })
        }
    }
}

fn arithmetic(a: Typed, op: ArithOp, span: Span, b: Typed) -> Result<Typed, Failed> {
    if a.ty == Ty::Poison || b.ty == Ty::Poison {
        return Err(None);
    }
    let Some(ty) = combined(&a.ty, op, &b.ty) else {
        let message = format!(
            "{} and {} cannot be added or subtracted",
            a.ty.phrase(),
            b.ty.phrase()
        );
        let report = Diagnostic::error(TYPE_MISMATCH, span, message);
        return Err(Some(report.help(
            "both sides are of one numeric type: the same decimal places, the same currency; the difference of two moments is a duration",
        )));
    };
    let (left, right) = (Box::new(a.term), Box::new(b.term));
    let term = match op {
        ArithOp::Add => Term::Add(left, right),
        ArithOp::Sub => Term::Sub(left, right),
    };
    Ok(Typed { term, ty })
}

/// The type of a sum or difference; `None` where it means nothing.
fn combined(a: &Ty, op: ArithOp, b: &Ty) -> Option<Ty> {
    match (a, op, b) {
        (Ty::Int | Ty::Decimal { .. } | Ty::Money { .. }, _, _) => (a == b).then(|| a.clone()),
        (Ty::Duration { .. }, _, Ty::Duration { .. }) | (Ty::Instant, ArithOp::Sub, Ty::Instant) => {
            Some(Ty::Duration { unit: None })
        }
        (Ty::Instant, _, Ty::Duration { .. }) => Some(Ty::Instant),
        _ => None,
    }
}

fn aggregate(
    of: Aggregate,
    variable: &Name,
    list: &Expr,
    body: &Expr,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Typed, Failed> {
    let (list, level, element) = elements(list, scope)?;
    let inner = scope.bind(&variable.text, element, level, Some(&list));
    labelled::begin(&list, level, scope);
    match of {
        Aggregate::Count => {
            let mut body = Box::new(condition::lower(body, &inner, out));
            let list = labelled::end(list, level, scope, |see| labelled::each_place(&mut body, see));
            Ok(Typed {
                term: Term::Count { list, level, body },
                ty: Ty::Int,
            })
        }
        Aggregate::Sum => {
            let added = term(body, &inner, out);
            let mut added = added.inspect_err(|_| labelled::give_up(scope))?;
            let look = |see: &mut dyn FnMut(&mut Place)| labelled::each_place_of_term(&mut added.term, see);
            let list = labelled::end(list, level, scope, look);
            if !matches!(added.ty, Ty::Int | Ty::Decimal { .. } | Ty::Money { .. }) {
                let message = format!("`sum` adds numbers, and this is {}", added.ty.phrase());
                return Err(Some(
                    Diagnostic::error(TYPE_MISMATCH, body.span, message).help("name a number of the element"),
                ));
            }
            let term = Box::new(added.term);
            Ok(Typed {
                term: Term::Sum { list, level, term },
                ty: added.ty,
            })
        }
    }
}

/// The list of an expression, the level of its elements, and an element as a value.
fn elements(list: &Expr, scope: &Scope<'_>) -> Result<(Place, u32, Found), Failed> {
    let range = condition::one_range(list, scope)?;
    let level = scope.level.max(range.0.level) + 1;
    let element = Found {
        place: Place {
            level,
            steps: Vec::new(),
        },
        ty: range.1,
        maybe_absent: false,
    };
    Ok((range.0, level, element))
}

/// `left in list`: some element is the same value.
fn member(
    left: &Expr,
    right: &Expr,
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Cond, Failed> {
    let (list, level, element) = elements(right, scope)?;
    if element.ty == Ty::Poison {
        return Err(None);
    }
    let body = if condition::is_constant(left, scope) {
        let (test, _) = constant::question(&element.ty, Op::Eq, span, left).map_err(Some)?;
        Cond::Atom(Atom {
            place: element.place,
            ty: element.ty,
            test,
            when_absent: false,
            span,
        })
    } else {
        let value = term(left, scope, out)?;
        if !same(&value.ty, &element.ty) || matches!(value.ty, Ty::List { .. } | Ty::Record(_)) {
            return mismatch(
                right.span,
                "the list needs elements of the value's type",
                &value.ty,
                &element.ty,
            );
        }
        Cond::Relation(Box::new(Relation {
            left: Term::Place(element.place),
            op: RelationOp::Equal,
            right: value.term,
            span,
        }))
    };
    Ok(Cond::Any {
        list,
        level,
        body: Box::new(body),
        span,
    })
}
