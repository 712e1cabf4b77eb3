//! Predicates: conditions with a name and typed parameters. Each is checked once where it is declared, and written out
//! wherever it is used: its parameters become the places passed, so nothing of it is left in the package.

use super::condition::{self, Operand};
use super::names::{Declared, Names};
use super::scope::{Found, Scope};
use super::{Cond, Place, Step, Tool, constant, sets, types};
use crate::diag::codes::{
    BAD_CALL, NOT_PASSED, RESERVED_NAME, TOO_DEEP, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME,
};
use crate::diag::{Diagnostic, Label, suggest};
use crate::limits;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, Name, Op};
use crate::ty::{Field, Ty};

/// A predicate without mistakes.
pub(super) struct Pred<'a> {
    declared: &'a ast::Pred,
    params: Vec<Field>,
    /// Of the condition with every predicate in it written out.
    weight: Weight,
}

/// How large a condition is once every predicate in it is written out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    nodes: usize,
    height: usize,
}

impl Weight {
    pub fn of(expr: &Expr, names: &Names<'_>) -> Weight {
        let mut weight = match &expr.kind {
            ExprKind::Call(name, _) => names.pred(name).flatten().map(|p| p.weight).unwrap_or_default(),
            _ => Weight::default(),
        };
        for part in expr.parts() {
            let part = Weight::of(part, names);
            weight.nodes = weight.nodes.saturating_add(part.nodes);
            weight.height = weight.height.max(part.height);
        }
        weight.nodes = weight.nodes.saturating_add(1);
        weight.height = weight.height.saturating_add(1);
        weight
    }

    /// The report for a condition that is too large because of the predicates in it.
    pub fn refuse(self, span: Span, what: &str) -> Option<Diagnostic> {
        let with = "with every predicate in it written out";
        if self.nodes > limits::INLINED_NODES {
            let message = format!("{what} has over {} parts, {with}", limits::INLINED_NODES);
            return Some(Diagnostic::error(TOO_LARGE, span, message).help("name values in a set instead"));
        }
        if self.height > limits::SYNTAX_HEIGHT {
            let message = format!("{what} is over {} parts high, {with}", limits::SYNTAX_HEIGHT);
            return Some(Diagnostic::error(TOO_DEEP, span, message).help("nest fewer predicates"));
        }
        None
    }
}

/// Names that no set or predicate can take, because conditions know them already.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "args" | "context" | "targets" | "now" | "len" | "count" | "sum" | "labels" | "level"
    )
}

/// The predicates a predicate asks.
pub(super) fn called(declared: Declared<'_>) -> Vec<Name> {
    fn walk(expr: &Expr, names: &mut Vec<Name>) {
        if let ExprKind::Call(name, _) = &expr.kind {
            names.push(name.clone());
        }
        expr.parts().into_iter().for_each(|part| walk(part, names));
    }
    let mut names = Vec::new();
    if let Declared::Pred(pred) = declared {
        walk(&pred.body, &mut names);
    }
    names
}

/// Checks a predicate as it is declared; `None` where something is wrong.
pub(super) fn resolve<'a>(
    declared: &'a ast::Pred,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<Pred<'a>> {
    let before = out.iter().filter(|d| d.is_error()).count();
    let params = types::fields(&declared.params, names, out);
    let errors = |out: &[Diagnostic]| out.iter().filter(|d| d.is_error()).count();
    for param in declared.params.iter().filter(|p| is_reserved(&p.name.text)) {
        let message = format!("`{}` cannot be a parameter", param.name.text);
        let report = Diagnostic::error(RESERVED_NAME, param.name.span, message);
        out.push(report.help("choose another name"));
    }
    if errors(out) > before {
        return None;
    }
    let weight = Weight::of(&declared.body, names);
    if let Some(report) = weight.refuse(declared.name.span, &format!("predicate `{}`", declared.name.text)) {
        out.push(report);
        return None;
    }
    if !calls_are_known(&declared.body, names) {
        // The mistake is that of a predicate it asks, and reported there.
        return None;
    }
    let stand_in = Tool {
        name: declared.name.text.clone(),
        args: params.clone(),
        effects: Vec::new(),
        targets: Vec::new(),
        carries: Vec::new(),
        returns: 0,
        slots: Vec::new(),
        open: false,
        span: declared.span,
    };
    let found = |(index, field): (usize, &Field)| Found {
        place: Place {
            level: 0,
            steps: vec![Step::Field(u32::try_from(index).unwrap_or(u32::MAX))],
        },
        ty: field.ty.clone(),
        maybe_absent: false,
    };
    let variables = params
        .iter()
        .map(|p| p.name.clone())
        .zip(params.iter().enumerate().map(found))
        .collect();
    let scope = Scope::new(&stand_in, names, &[]).inside(&declared.name.text, variables, Vec::new());
    condition::lower(&declared.body, &scope, out);
    (errors(out) == before).then_some(Pred {
        declared,
        params,
        weight,
    })
}

/// Whether every predicate that is asked is without mistakes; a name that is no predicate does not count.
fn calls_are_known(expr: &Expr, names: &Names<'_>) -> bool {
    let own = match &expr.kind {
        ExprKind::Call(name, _) => !matches!(names.pred(name), Some(None)),
        _ => true,
    };
    own && expr.parts().into_iter().all(|part| calls_are_known(part, names))
}

/// The condition `name(arguments)` stands for.
pub(super) fn call(
    name: &Name,
    arguments: &[Expr],
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Cond {
    let pred = match scope.names.pred(name) {
        Some(Some(pred)) => pred,
        Some(None) => return Cond::Const(false),
        None => {
            out.push(unknown(name, scope.names));
            return Cond::Const(false);
        }
    };
    match pass(pred, name, arguments, span, scope) {
        Ok((variables, constants)) => {
            let inner = scope.inside(&pred.declared.name.text, variables, constants);
            let mut found = Vec::new();
            // Its questions keep their own places: explanations quote them.
            let cond = condition::lower(&pred.declared.body, &inner, &mut found);
            // All of them would stand at one place; the first is the cause.
            found.truncate(1);
            out.extend(found.into_iter().map(|d| at_use(d, name, span)));
            cond
        }
        Err(report) => {
            out.extend(report);
            Cond::Const(false)
        }
    }
}

/// What a parameter stands for at a use: places by name, and constants by name.
type Passed = (Vec<(String, Found)>, Vec<(String, Expr)>);

fn pass(
    pred: &Pred<'_>,
    name: &Name,
    arguments: &[Expr],
    span: Span,
    scope: &Scope<'_>,
) -> Result<Passed, Option<Diagnostic>> {
    if arguments.len() != pred.params.len() {
        let takes = match pred.params.len() {
            0 => "nothing".to_owned(),
            1 => "one value".to_owned(),
            n => format!("{n} values"),
        };
        let message = format!(
            "`{}` takes {takes}, and {} passed",
            name.text,
            are(arguments.len())
        );
        let report = Diagnostic::error(BAD_CALL, span, message);
        return Err(Some(report.also(head(pred.declared), "it is declared here")));
    }
    let (mut variables, mut constants) = (Vec::new(), Vec::new());
    for ((param, written), argument) in pred.params.iter().zip(&pred.declared.params).zip(arguments) {
        let argument = scope.resolved(argument);
        let here =
            |report: Diagnostic| Some(report.also(written.name.span, "the parameter is declared here"));
        if condition::is_constant(argument, scope) {
            let value = literal(&param.ty, argument).map_err(here)?;
            constants.push((param.name.clone(), value));
        } else {
            let operand = condition::operand(argument, scope)?;
            let found = fit(param, operand, argument, name, scope).map_err(|r| r.and_then(here))?;
            variables.push((param.name.clone(), found));
        }
    }
    Ok((variables, constants))
}

fn are(count: usize) -> String {
    match count {
        0 => "none is".to_owned(),
        1 => "one is".to_owned(),
        n => format!("{n} are"),
    }
}

/// The name and parameters.
fn head(declared: &ast::Pred) -> Span {
    let last = declared.params.last().map_or(declared.name.span, |p| p.ty.span);
    declared.name.span.to(last)
}

/// A constant for a parameter. A bare enum member becomes a text, which no name in the predicate can hide.
fn literal(ty: &Ty, argument: &Expr) -> Result<Expr, Diagnostic> {
    let required = ty.required();
    if let (Ty::Bool, ExprKind::Bool(_)) = (required, &argument.kind) {
        return Ok(argument.clone());
    }
    constant::question(required, Op::Eq, argument.span, argument)?;
    let kind = match &argument.kind {
        ExprKind::Name(name) | ExprKind::Field(_, name) => ExprKind::String(name.text.clone()),
        other => other.clone(),
    };
    Ok(Expr {
        kind,
        span: argument.span,
    })
}

/// The place passed, with the type its parameter gives it.
fn fit(
    param: &Field,
    operand: Operand<'_>,
    argument: &Expr,
    name: &Name,
    scope: &Scope<'_>,
) -> Result<Found, Option<Diagnostic>> {
    let (param_ty, ty) = (&param.ty, &operand.found.ty);
    if *param_ty == Ty::Poison || *ty == Ty::Poison {
        return Err(None);
    }
    if operand.fallback.is_some() {
        let message = "a value with `else` cannot be passed";
        let report = Diagnostic::error(BAD_CALL, argument.span, message);
        return Err(Some(
            report.help("write the `else` in the predicate, with an optional parameter"),
        ));
    }
    let given = match param_ty {
        Ty::Optional(inner) => match ty {
            Ty::Optional(own) => adapt(inner, own).map(|ty| Ty::Optional(Box::new(ty))),
            _ => {
                let message = format!(
                    "`{}` may be missing in `{}`, and this is always there",
                    param.name, name.text
                );
                let report = Diagnostic::error(BAD_CALL, argument.span, message);
                return Err(Some(
                    report.help("pass an optional, or declare the parameter without `?`"),
                ));
            }
        },
        _ => adapt(param_ty, &condition::usable(&operand, scope)?),
    };
    let Some(given) = given else {
        let message = format!(
            "`{}` takes {} as `{}`, and this is {}",
            name.text,
            param_ty.phrase(),
            param.name,
            ty.phrase()
        );
        return Err(Some(Diagnostic::error(BAD_CALL, argument.span, message)));
    };
    Ok(Found {
        ty: given,
        maybe_absent: false,
        ..operand.found
    })
}

/// The type of a value passed to a parameter: its own structure, with the texts' bounds of the parameter, so that what
/// was checked where the predicate is declared is what is asked. A record may have more fields than the parameter's.
fn adapt(param: &Ty, own: &Ty) -> Option<Ty> {
    match (param, own) {
        (Ty::List { element: a, .. }, Ty::List { element: b, max }) => Some(Ty::List {
            element: Box::new(adapt(a, b)?),
            max: *max,
        }),
        (Ty::Optional(a), Ty::Optional(b)) => Some(Ty::Optional(Box::new(adapt(a, b)?))),
        (Ty::Record(wanted), Ty::Record(fields)) => {
            let mut fields = fields.clone();
            for want in wanted {
                let field = fields.iter_mut().find(|f| f.name == want.name)?;
                field.ty = adapt(&want.ty, &field.ty)?;
            }
            Some(Ty::Record(fields))
        }
        _ => sets::same_kind(param, own).then(|| param.clone()),
    }
}

/// A mistake in a predicate that only this use makes, shown at the use.
fn at_use(mut report: Diagnostic, name: &Name, span: Span) -> Diagnostic {
    let label = Label {
        span: report.primary.span,
        text: "in its condition".to_owned(),
    };
    report.message = format!("`{}` cannot be asked here: {}", name.text, report.message);
    report.primary = Label {
        span,
        text: String::new(),
    };
    report.secondary.insert(0, label);
    report.edit = None;
    report
}

/// The report for a name before parentheses that nobody declared.
pub(super) fn unknown(name: &Name, names: &Names<'_>) -> Diagnostic {
    if let Some(report) = names.private(name) {
        return report;
    }
    if let Some((_, declared)) = names.find(name) {
        let message = format!("`{}` is {}, not a predicate", name.text, declared.what());
        let report = Diagnostic::error(TYPE_MISMATCH, name.span, message);
        return report.also(declared.name().span, "it is declared here");
    }
    let message = format!("no function or predicate is called `{}`", name.text);
    let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
    let known = names.visible(name.span.file, |d| matches!(d, Declared::Pred(_)));
    match suggest::nearest(&name.text, known.iter().map(String::as_str).chain(["len"])) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => {
            report.help("the only function is `len`; a predicate is declared with `pred name(x: Type) = …`")
        }
    }
}

/// The report for a predicate that speaks of the call.
pub(super) fn not_passed(what: &Name, pred: &str) -> Diagnostic {
    let message = format!("predicate `{pred}` cannot speak of `{}`", what.text);
    Diagnostic::error(NOT_PASSED, what.span, message)
        .why("its meaning must not depend on where it is asked")
        .help("declare a parameter, and pass the value where the predicate is asked")
}
