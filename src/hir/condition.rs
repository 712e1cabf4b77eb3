//! Conditions typed for one tool: names to places, comparisons to questions, optionals eliminated, quantifiers over
//! lists, optionals and targets. A condition that is wrong is reported and becomes a constant.

use super::scope::{Found, Scope, member_names};
use super::{Atom, Cond, Part, Place, Question, Slot, Step, TargetKind};
use super::{compare, constant, lookup, preds, sets};
use super::{history, labelled, labels, window};
use crate::diag::codes::{NOT_ON_EVERY_TOOL, OPTIONAL_UNCHECKED, TYPE_MISMATCH, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Name, Op};
use crate::ty::Ty;

/// Names a message lists at most.
const NAMES_SHOWN: usize = 8;

/// Types one condition for the tool of the scope.
pub(super) fn lower(expr: &Expr, scope: &Scope<'_>, out: &mut Vec<Diagnostic>) -> Cond {
    let expr = scope.resolved(expr);
    match &expr.kind {
        ExprKind::Or(a, b) => {
            let left = lower(a, scope, out);
            let mut after = scope.clone();
            learn_failed(&left, &mut after);
            Cond::Or(vec![left, lower(b, &after, out)])
        }
        ExprKind::And(a, b) => {
            let left = lower(a, scope, out);
            let mut after = scope.clone();
            learn(&left, &mut after);
            Cond::And(vec![left, lower(b, &after, out)])
        }
        ExprKind::Not(inner) => Cond::Not(Box::new(lower(inner, scope, out))),
        ExprKind::Bool(b) => Cond::Const(*b),
        ExprKind::Compare(left, op, right) => {
            let compared = compare((left, op.node, op.span, right), expr.span, scope, out);
            or_report(compared, out)
        }
        ExprKind::Present(inner) => or_report(present(inner, expr.span, scope), out),
        ExprKind::Quantified {
            all,
            variable,
            list,
            body,
        } => quantified(*all, (variable, list, body), expr.span, scope, out),
        ExprKind::History(written) => history::lower(written, expr.span, scope, out),
        ExprKind::Name(name) if scope.variable(&name.text).is_none() && latch(name, scope).is_some() => {
            let monitor = latch(name, scope).unwrap_or_default();
            history::output(monitor, expr.span, scope)
        }
        ExprKind::Name(_) | ExprKind::Field(..) | ExprKind::Lookup(..) | ExprKind::Else(..) => {
            or_report(truth(expr, scope), out)
        }
        ExprKind::Call(name, arguments) if name.text != "len" => {
            preds::call(name, arguments, expr.span, scope, out)
        }
        ExprKind::Call(name, _) => {
            let message = format!("`{}(…)` is a number, not a condition", name.text);
            report(
                out,
                Diagnostic::error(TYPE_MISMATCH, expr.span, message).help("compare it with a number"),
            )
        }
        ExprKind::Arith(..) | ExprKind::Aggregate { .. } => report(
            out,
            Diagnostic::error(TYPE_MISMATCH, expr.span, "this is a number, not a condition")
                .help("compare it with a number"),
        ),
        ExprKind::String(_) | ExprKind::Number(_) | ExprKind::Set(_) => report(
            out,
            Diagnostic::error(TYPE_MISMATCH, expr.span, "a constant is not a condition"),
        ),
    }
}

/// What holding of a condition tells about optionals.
pub(super) fn learn(cond: &Cond, scope: &mut Scope<'_>) {
    match cond {
        Cond::And(parts) => parts.iter().for_each(|p| learn(p, scope)),
        Cond::Not(inner) => learn_failed(inner, scope),
        Cond::Atom(Atom {
            place,
            test: Question::Present,
            ..
        }) => scope.know_present(place.clone()),
        _ => {}
    }
}

/// What failing of a condition tells about optionals: after `not present x or`, x is there.
pub(super) fn learn_failed(cond: &Cond, scope: &mut Scope<'_>) {
    match cond {
        Cond::Or(parts) => parts.iter().for_each(|p| learn_failed(p, scope)),
        Cond::Not(inner) => learn(inner, scope),
        _ => {}
    }
}

fn report(out: &mut Vec<Diagnostic>, diagnostic: Diagnostic) -> Cond {
    out.push(diagnostic);
    Cond::Const(false)
}

fn or_report(result: Result<Cond, Option<Diagnostic>>, out: &mut Vec<Diagnostic>) -> Cond {
    result.unwrap_or_else(|diagnostic| {
        out.extend(diagnostic);
        Cond::Const(false)
    })
}

/// A failure; `None` when the cause has been reported elsewhere.
pub(super) type Failed = Option<Diagnostic>;

/// A value a question can be asked of.
pub(super) struct Operand<'e> {
    pub found: Found,
    /// `else` constant for when it is missing.
    pub fallback: Option<&'e Expr>,
    span: Span,
    /// Its name as written, in backticks.
    written: Option<String>,
}

fn compare(
    (left, op, op_span, right): (&Expr, Op, Span, &Expr),
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Cond, Failed> {
    if labels::is_labels(left) {
        return labels::compare((left, op, op_span, right), scope, out);
    }
    if history::is_count(left) {
        return history::compare_count((left, op, op_span, right), scope, out);
    }
    let (left, right) = (scope.resolved(left), scope.resolved(right));
    if matches!(op, Op::In | Op::NotIn) && window::is_now(left, scope) {
        return window::compare((op, op_span, right), span, scope);
    }
    let constants = (is_constant(left, scope), is_constant(right, scope));
    let in_list = matches!(op, Op::In | Op::NotIn) && !constants.1;
    if constants == (false, false) || in_list || compare::is_computed(left) || compare::is_computed(right) {
        return compare::values((left, op, op_span, right), span, scope, out);
    }
    let (value, op, constant) = match constants {
        (false, true) => (left, op, right),
        (true, false) => (right, flip(op, op_span)?, left),
        (true, true) => {
            // A name that is no value here is most often a misspelt one.
            for side in [left, right] {
                if let ExprKind::Name(name) = &side.kind {
                    return Err(Some(unknown(name, scope)));
                }
            }
            let message = "both sides are constants";
            return Err(Some(Diagnostic::error(
                TYPE_MISMATCH,
                left.span.to(right.span),
                message,
            )));
        }
        // Both are values: compared above.
        (false, false) => return Err(None),
    };
    let operand = operand(value, scope)?;
    let ty = usable(&operand, scope)?;
    let (test, positive) = question(&ty, op, op_span, constant, scope)?;
    ask(operand, ty, test, positive, span)
}

/// The question a comparison asks, with a named set where one stands.
fn question(
    ty: &Ty,
    op: Op,
    op_span: Span,
    constant: &Expr,
    scope: &Scope<'_>,
) -> Result<(Question, bool), Failed> {
    let wants_set = matches!(op, Op::In | Op::NotIn);
    let is_member = matches!(ty, Ty::Enum { .. }) && !wants_set;
    if let Some(name) = constant.dotted().filter(|_| !is_member) {
        if let Some(set) = scope.names.set(&name) {
            return sets::question(set, ty, op, op_span, constant, scope.names);
        }
        if wants_set {
            if scope
                .env
                .is_some_and(|env| env.windows.iter().any(|w| w.name == name.text))
            {
                let message = format!(
                    "`{}` is a window, and only the time of the call is in one",
                    name.text
                );
                let report = Diagnostic::error(TYPE_MISMATCH, constant.span, message);
                return Err(Some(report.help(format!("write `now in {}`", name.text))));
            }
            return Err(Some(sets::unknown(&name, scope.names)));
        }
    }
    if matches!(op, Op::Like | Op::Matches) {
        let make = || constant::shape(ty, op, op_span, constant);
        let shape = scope.names.shape((constant.span, op, ty), make).map_err(Some)?;
        return Ok((Question::Shape(shape), true));
    }
    constant::question(ty, op, op_span, constant).map_err(Some)
}

/// Makes the atom, with its answer for a missing value.
fn ask(operand: Operand<'_>, ty: Ty, test: Question, positive: bool, span: Span) -> Result<Cond, Failed> {
    let when_absent = match operand.fallback {
        Some(fallback) => constant::answer(&test, &ty, fallback).map_err(Some)?,
        // A narrowed optional is there wherever the atom counts; missing, the comparison as written is false.
        None => !positive,
    };
    let atom = Cond::Atom(Atom {
        place: operand.found.place,
        ty,
        test,
        when_absent,
        span,
    });
    Ok(if positive { atom } else { Cond::Not(Box::new(atom)) })
}

fn flip(op: Op, span: Span) -> Result<Op, Failed> {
    match op {
        Op::Eq | Op::Ne => Ok(op),
        Op::Lt => Ok(Op::Gt),
        Op::Le => Ok(Op::Ge),
        Op::Gt => Ok(Op::Lt),
        Op::Ge => Ok(Op::Le),
        _ => {
            let message = format!("the constant belongs to the right of `{}`", op.as_str());
            let report = Diagnostic::error(TYPE_MISMATCH, span, message);
            Err(Some(report.help(
                "swap the sides: first the argument, then the operator and the constant",
            )))
        }
    }
}

/// Whether an expression is a constant: a literal, a set, or a bare or qualified name that is no value in reach.
pub(super) fn is_constant(expr: &Expr, scope: &Scope<'_>) -> bool {
    match &expr.kind {
        ExprKind::String(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Set(_) => true,
        ExprKind::Name(name) => !reachable(name, scope),
        ExprKind::Field(of, _) => expr.root().is_some_and(|root| {
            let is_type = || of.dotted().is_some_and(|of| scope.names.ty(&of).is_some());
            let is_upper = || root.text.starts_with(|c: char| c.is_ascii_uppercase());
            !reachable(root, scope) && (is_upper() || is_type() || scope.names.is_module(root))
        }),
        _ => false,
    }
}

fn reachable(name: &Name, scope: &Scope<'_>) -> bool {
    matches!(name.text.as_str(), "args" | "targets" | "context" | "now")
        || scope.variable(&name.text).is_some()
        || latch(name, scope).is_some()
}

/// The monitor of the latch that a name is.
fn latch(name: &Name, scope: &Scope<'_>) -> Option<u32> {
    scope.env.and_then(|env| env.latches.get(&name.text).copied())
}

/// The type of an operand once its optional is dealt with.
pub(super) fn usable(operand: &Operand<'_>, scope: &Scope<'_>) -> Result<Ty, Failed> {
    let ty = operand.found.ty.required().clone();
    if ty == Ty::Poison {
        return Err(None);
    }
    if operand.found.maybe_absent && operand.fallback.is_none() {
        let message = format!(
            "{} may be missing",
            operand.written.as_deref().unwrap_or("this value")
        );
        let report = Diagnostic::error(OPTIONAL_UNCHECKED, operand.span, message);
        let report = report.label("an optional is on the way").help(
            "ask `present …` before it with `and`, give a value with `else`, or quantify with `any x in …: …`",
        );
        return Err(Some(with_example(report, scope)));
    }
    Ok(ty)
}

pub(super) fn operand<'e>(expr: &'e Expr, scope: &'e Scope<'_>) -> Result<Operand<'e>, Failed> {
    match &expr.kind {
        ExprKind::Else(value, fallback) => {
            let inner = operand(value, scope)?;
            if !inner.found.maybe_absent && !inner.found.ty.is_optional() && inner.found.ty != Ty::Poison {
                let message = "this value is always there, so `else` never counts";
                let report = Diagnostic::error(TYPE_MISMATCH, fallback.span, message);
                return Err(Some(report.help("leave the `else` out")));
            }
            Ok(Operand {
                fallback: Some(scope.resolved(fallback)),
                span: expr.span,
                ..inner
            })
        }
        ExprKind::Call(name, arguments) => call(name, arguments, expr.span, scope),
        _ => {
            let mut found = place(expr, scope)?;
            found.maybe_absent |= found.ty.is_optional() && !scope.is_known(&found.place);
            Ok(Operand {
                found,
                fallback: None,
                span: expr.span,
                written: written(expr).map(|text| format!("`{text}`")),
            })
        }
    }
}

fn call<'e>(
    name: &Name,
    arguments: &'e [Expr],
    span: Span,
    scope: &'e Scope<'_>,
) -> Result<Operand<'e>, Failed> {
    if name.text != "len" {
        return Err(Some(match scope.names.pred(name) {
            Some(_) => {
                let message = format!("`{}(…)` is a condition, not a value", name.text);
                let report = Diagnostic::error(TYPE_MISMATCH, span, message);
                report.help("write it alone, or `not` before it")
            }
            None => preds::unknown(name, scope.names),
        }));
    }
    let [argument] = arguments else {
        return Err(Some(Diagnostic::error(
            TYPE_MISMATCH,
            span,
            "`len` takes one argument",
        )));
    };
    let mut inner = operand(argument, scope)?;
    match inner.found.ty.required() {
        Ty::Poison => return Err(None),
        Ty::String { .. }
        | Ty::List { .. }
        | Ty::Set { .. }
        | Ty::Map { .. }
        | Ty::Path
        | Ty::Url
        | Ty::Host
        | Ty::Email
        | Ty::Command
        | Ty::Sql
        | Ty::Repo
        | Ty::Digest
        | Ty::Cidr => {}
        other => {
            let message = format!("`len` does not apply to {}", other.phrase());
            let report = Diagnostic::error(TYPE_MISMATCH, argument.span, message);
            return Err(Some(report.help(
                "it gives the bytes of a text or the elements of a list, set or map",
            )));
        }
    }
    inner.found.place.steps.push(Step::Part(Part::Len));
    inner.found.ty = Ty::Int;
    inner.span = span;
    Ok(inner)
}

/// Adds the smallest call of the tool, which has no optional and an empty list for every list, as a witness.
fn with_example(report: Diagnostic, scope: &Scope<'_>) -> Diagnostic {
    if scope.within.is_some() {
        return report;
    }
    match super::sample::call(scope.tool) {
        Some(call) => report.witness(call),
        None => report,
    }
}

/// A name and its members as written; `None` for anything else.
fn written(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.text.clone()),
        ExprKind::Field(of, name) => {
            let name = crate::syntax::quote::member_name(&name.text);
            Some(format!("{}.{name}", written(of)?))
        }
        ExprKind::Lookup(of, key) => match &key.kind {
            ExprKind::String(text) => Some(format!(
                "{}[{}]",
                written(of)?,
                crate::syntax::quote::string(text)
            )),
            _ => Some(format!("{}[{}]", written(of)?, written(key)?)),
        },
        _ => None,
    }
}

/// The place an expression names.
pub(super) fn place(expr: &Expr, scope: &Scope<'_>) -> Result<Found, Failed> {
    match &expr.kind {
        ExprKind::Name(name) => match &scope.within {
            Some(pred) if matches!(name.text.as_str(), "args" | "context" | "targets") => {
                Err(Some(preds::not_passed(name, pred)))
            }
            None if name.text == "args" => Ok(scope.args()),
            None if name.text == "context" => Ok(scope.context()),
            _ if window::is_now(expr, scope) => Ok(Found {
                place: scope.slot(Slot::Now),
                ty: Ty::Instant,
                maybe_absent: false,
            }),
            _ => match scope.variable(&name.text) {
                Some(found) => Ok(found.clone()),
                // A predicate on its own; it is typed in full where it is asked.
                None if scope.env.is_none() && scope.names.is_latch(&name.text) => Err(None),
                None => Err(Some(unknown(name, scope))),
            },
        },
        ExprKind::Lookup(of, key) => lookup::place(of, key, expr.span, scope),
        ExprKind::Field(of, name) => {
            if scope.within.is_none() && matches!(&of.kind, ExprKind::Name(n) if n.text == "targets") {
                let message = format!("`targets.{}` is a list", name.text);
                let report = Diagnostic::error(TYPE_MISMATCH, expr.span, message);
                return Err(Some(
                    report.help(format!("quantify over it: `any t in targets.{}: …`", name.text)),
                ));
            }
            let outer = place(of, scope)?;
            scope
                .member(&outer, &name.text)
                .ok_or_else(|| Some(no_member(of, &outer, name, scope)))
        }
        _ => {
            let report = Diagnostic::error(TYPE_MISMATCH, expr.span, "this is not a value of the call");
            Err(Some(report.help(
                "name an argument, such as `args.amount`, or a quantifier's variable",
            )))
        }
    }
}

fn unknown(name: &Name, scope: &Scope<'_>) -> Diagnostic {
    let report = Diagnostic::error(
        UNKNOWN_NAME,
        name.span,
        format!("nothing here is called `{}`", name.text),
    );
    if scope.names.is_module(name) {
        let message = format!("`{}` is a module, not a value of the call", name.text);
        return Diagnostic::error(TYPE_MISMATCH, name.span, message)
            .help("name a set of it after `in`, or ask a predicate of it");
    }
    if let Some((_, declared)) = scope.names.find(name) {
        let message = format!("`{}` is {}, not a value of the call", name.text, declared.what());
        let report = Diagnostic::error(TYPE_MISMATCH, name.span, message);
        return report.also(declared.name().span, "it is declared here");
    }
    if let Some(pred) = &scope.within {
        let names: Vec<&str> = scope.variables.iter().map(|(n, _)| n.as_str()).collect();
        return match suggest::nearest(&name.text, names.iter().copied()) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report.help(format!(
                "predicate `{pred}` speaks of its parameters and the variables of quantifiers"
            )),
        };
    }
    if scope.tool.args.iter().any(|f| f.name == name.text) {
        let full = format!("args.{}", crate::syntax::quote::member_name(&name.text));
        return report
            .help(format!("an argument is written `{full}`"))
            .edit(name.span, full);
    }
    let names = scope
        .variables
        .iter()
        .map(|(n, _)| n.as_str())
        .chain(["args", "context", "targets", "now"]);
    match suggest::nearest(&name.text, names) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => report
            .help("conditions speak of `args`, `context`, `targets`, `now` and the variables of quantifiers"),
    }
}

fn no_member(of: &Expr, outer: &Found, name: &Name, scope: &Scope<'_>) -> Diagnostic {
    let is_args = matches!(&of.kind, ExprKind::Name(n) if n.text == "args");
    let is_context = matches!(&of.kind, ExprKind::Name(n) if n.text == "context");
    let message = if is_args {
        format!("tool `{}` has no argument `{}`", scope.tool.name, name.text)
    } else if is_context {
        format!("the context has no `{}`", name.text)
    } else {
        format!("{} has no part `{}`", outer.ty.phrase(), name.text)
    };
    let code = if is_args { NOT_ON_EVERY_TOOL } else { UNKNOWN_NAME };
    let mut report = Diagnostic::error(code, name.span, message);
    if is_args {
        report = with_example(report, scope);
    }
    match outer.ty.required() {
        Ty::List { .. } => {
            return report.help("it is a list: quantify over it with `any x in …: …` or `all x in …: …`");
        }
        Ty::Set { .. } => {
            return report.help("it is a set: quantify over it with `any x in …: …` or `all x in …: …`");
        }
        Ty::Map { .. } => {
            return report
                .help("it is a map: quantify over its entries, `any e in …: e.key == … and e.value …`");
        }
        _ => {}
    }
    let names = member_names(outer.ty.required());
    match suggest::nearest(&name.text, names.iter().copied()) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, crate::syntax::quote::member_name(near)),
        None => match names.as_slice() {
            _ if is_context => report.help("declare it: `context { fact … }` for what the host supplies, `claim … from intent …` for what the caller says"),
            [] if is_args => report.help("the tool takes no arguments"),
            [] => report.help("it has no parts; ask about it directly"),
            [one] => report.help(format!("there is only `{one}`")),
            few if few.len() <= NAMES_SHOWN => report.help(format!("there are `{}`", few.join("`, `"))),
            _ => report.help(if is_args {
                "declare it in the tool, or name one of its arguments"
            } else {
                "name one of its fields"
            }),
        },
    }
}

fn truth(expr: &Expr, scope: &Scope<'_>) -> Result<Cond, Failed> {
    let operand = operand(expr, scope)?;
    let ty = usable(&operand, scope)?;
    if ty != Ty::Bool {
        let report = Diagnostic::error(
            TYPE_MISMATCH,
            expr.span,
            format!("{} is not a condition", ty.phrase()),
        );
        return Err(Some(report.help("compare it with a constant")));
    }
    ask(operand, ty, Question::True, true, expr.span)
}

fn present(inner: &Expr, span: Span, scope: &Scope<'_>) -> Result<Cond, Failed> {
    let found = place(inner, scope)?;
    match &found.ty {
        Ty::Poison => Err(None),
        Ty::Optional(ty) => {
            let ty = (**ty).clone();
            let place = found.place;
            Ok(Cond::Atom(Atom {
                place,
                ty,
                test: Question::Present,
                when_absent: false,
                span,
            }))
        }
        other => {
            let message = format!("{} is always there", other.phrase());
            let report = Diagnostic::error(TYPE_MISMATCH, inner.span, message);
            Err(Some(
                report.help("only an optional, declared with `?`, can be missing"),
            ))
        }
    }
}

fn quantified(
    all: bool,
    (variable, list, body): (&Name, &Expr, &Expr),
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Cond {
    if matches!(variable.text.as_str(), "args" | "context" | "targets") {
        let message = format!("`{}` cannot be a variable", variable.text);
        return report(
            out,
            Diagnostic::error(crate::diag::codes::RESERVED_NAME, variable.span, message)
                .why("it would hide the arguments, context or targets of the call")
                .help("choose another name"),
        );
    }
    let ranges = match ranges(list, scope) {
        Ok(ranges) => ranges,
        Err(diagnostic) => return or_report(Err(diagnostic), out),
    };
    let mut parts = Vec::new();
    for range in ranges {
        let (level, found) = match &range.list {
            Some(list) => {
                let level = scope.level.max(list.level) + 1;
                (
                    level,
                    Found {
                        place: Place {
                            level,
                            steps: range.steps,
                        },
                        ty: range.ty,
                        maybe_absent: false,
                    },
                )
            }
            None => {
                let place = Place {
                    level: 0,
                    steps: range.steps,
                };
                (
                    scope.level,
                    Found {
                        place,
                        ty: range.ty,
                        maybe_absent: false,
                    },
                )
            }
        };
        let inner = scope.bind(&variable.text, found, level, range.list.as_ref());
        let over = |body: &mut Cond| {
            let list = range.list.as_ref()?;
            Some(labelled::end(list.clone(), level, scope, |see| {
                labelled::each_place(body, see)
            }))
        };
        range
            .list
            .iter()
            .for_each(|list| labelled::begin(list, level, scope));
        let mut body = lower(body, &inner, out);
        let list = over(&mut body);
        if all {
            body = Cond::Not(Box::new(body));
        }
        parts.push(match list {
            Some(list) => Cond::Any {
                list,
                level,
                body: Box::new(body),
                span,
            },
            None => body,
        });
    }
    let some = Cond::Or(parts);
    if all { Cond::Not(Box::new(some)) } else { some }
}

/// What a quantifier's variable stands for: elements of a list, or one value (a target without a list).
struct Range {
    list: Option<Place>,
    steps: Vec<Step>,
    ty: Ty,
}

/// The one list or optional of an expression, and the type of its elements; targets are several.
pub(super) fn one_range(list: &Expr, scope: &Scope<'_>) -> Result<(Place, Ty), Failed> {
    match ranges(list, scope)?.as_slice() {
        [
            Range {
                list: Some(place),
                steps,
                ty,
            },
        ] if steps.is_empty() => Ok((place.clone(), ty.clone())),
        _ => {
            let report = Diagnostic::error(
                TYPE_MISMATCH,
                list.span,
                "targets lie in several places of a call",
            );
            Err(Some(report.help("name the argument that holds the list")))
        }
    }
}

fn ranges(list: &Expr, scope: &Scope<'_>) -> Result<Vec<Range>, Failed> {
    if scope.within.is_none()
        && let ExprKind::Field(of, kind) = &list.kind
        && matches!(&of.kind, ExprKind::Name(n) if n.text == "targets")
    {
        return targets(kind, scope);
    }
    let found = place(list, scope)?;
    if found.maybe_absent {
        let report = Diagnostic::error(
            OPTIONAL_UNCHECKED,
            list.span,
            "this list may be missing with the record it is in",
        );
        let report = report.help("ask `present …` of the record before it with `and`");
        return Err(Some(with_example(report, scope)));
    }
    if matches!(found.place.steps.last(), Some(Step::Part(_))) {
        let message = "a part of a value is asked about directly";
        let report = Diagnostic::error(TYPE_MISMATCH, list.span, message);
        return Err(Some(report.help(
            "ask `present …` of it before it with `and`, or give a value with `else`",
        )));
    }
    let ty = match (&found.ty, found.ty.required().element()) {
        (Ty::Poison, _) => return Err(None),
        (_, Some(element)) => element,
        (Ty::Optional(inner), None) => (**inner).clone(),
        (other, None) => {
            let message = format!("{} is neither a collection nor an optional", other.phrase());
            let report = Diagnostic::error(TYPE_MISMATCH, list.span, message);
            return Err(Some(report.help("ask about it directly")));
        }
    };
    Ok(vec![Range {
        list: Some(found.place),
        steps: Vec::new(),
        ty,
    }])
}

fn targets(kind: &Name, scope: &Scope<'_>) -> Result<Vec<Range>, Failed> {
    let Some(wanted) = TargetKind::ALL.into_iter().find(|k| k.as_str() == kind.text) else {
        let message = format!("no kind of target is called `{}`", kind.text);
        let names = TargetKind::ALL.map(TargetKind::as_str);
        let report = Diagnostic::error(UNKNOWN_NAME, kind.span, message);
        return Err(Some(match suggest::nearest(&kind.text, names) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(kind.span, near),
            None => report.help(format!("the kinds are {}", names.join(", "))),
        }));
    };
    let mut ranges: Vec<Range> = Vec::new();
    for source in scope.tool.targets.iter().filter(|t| t.kind == wanted) {
        let list = source.list.clone().map(|steps| Place { level: 0, steps });
        let known = ranges.iter().any(|r| r.list == list && r.steps == source.steps);
        if !known {
            ranges.push(Range {
                list,
                steps: source.steps.clone(),
                ty: source.ty.clone(),
            });
        }
    }
    if ranges.is_empty() {
        let message = format!("tool `{}` has no `{}` target", scope.tool.name, kind.text);
        let report = Diagnostic::error(NOT_ON_EVERY_TOOL, kind.span, message)
            .why("a condition over no targets would hold, or fail, without looking at the call")
            .help("give the tool an `effect … to …`, or leave it out of the rule");
        return Err(Some(with_example(report, scope)));
    }
    Ok(ranges)
}
