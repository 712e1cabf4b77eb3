//! What rules oblige: the clauses after `oblige`. In: what is written, the obligations of the policy, the tools a rule is
//! about. Out: duties with typed constants, about arguments that every one of these tools has.

use super::obligation::{Kinds, ObligationKind, Param, Subject};
use super::scope::{member_names, member_of};
use super::{Package, Step, Tool, constant};
use crate::diag::codes::{
    BAD_DUTY, DUPLICATE_NAME, NOT_ON_EVERY_TOOL, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME,
};
use crate::diag::{Diagnostic, suggest};
use crate::domain::obligation;
use crate::limits;
use crate::source::Spanned;
use crate::syntax::ast::{self, Expr, ExprKind, Name};
use crate::ty::Ty;
use crate::value::Value;

/// What a rule obliges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duty {
    /// The obligation, by index into `Package::obligations`.
    pub kind: u32,
    /// What it is about, by the names from the arguments to it; no name is all arguments.
    pub place: Option<Vec<String>>,
    /// A value per parameter.
    pub values: Vec<Value>,
}

impl Duty {
    /// Whether this duty of one policy's rules adds nothing to a duty of another's, where both are done.
    pub fn adds_nothing(&self, package: &Package, to: &Duty, of: &Package) -> bool {
        let own = package.obligations.get(self.kind as usize);
        let (Some(own), Some(other)) = (own, of.obligations.get(to.kind as usize)) else {
            return false;
        };
        if own == other && self.place == to.place {
            return own.join(&to.values, &self.values).as_ref() == Ok(&to.values);
        }
        match (&self.place, &to.place) {
            // What is redacted says all about what lies in it.
            (Some(place), Some(wide)) if other.name == obligation::REDACT => {
                place.starts_with(wide) && (own.name == obligation::MASK || place.len() > wide.len())
            }
            _ => false,
        }
    }
}

/// The tools a rule is about, each with its index.
pub(super) type About<'t> = &'t [(usize, &'t Tool)];

/// What is obliged, each thing once; what is wrong is reported and left out. What is wrong on a tool goes to `found`.
pub(super) fn duties(
    written: &[ast::Duty],
    kinds: &Kinds,
    about: About<'_>,
    found: &mut Vec<(usize, Diagnostic)>,
    out: &mut Vec<Diagnostic>,
) -> Vec<Spanned<Duty>> {
    let mut duties: Vec<Spanned<Duty>> = Vec::new();
    for one in written {
        let Some(duty) = duty(one, kinds, about, found, out) else {
            continue;
        };
        let same = |known: &&Spanned<Duty>| (known.node.kind, &known.node.place) == (duty.kind, &duty.place);
        if let Some(first) = duties.iter().find(same) {
            let message = format!("`{}` is obliged twice", one.name.text);
            out.push(
                Diagnostic::error(DUPLICATE_NAME, one.span, message)
                    .also(first.span, "first obliged here")
                    .help("join the two"),
            );
            continue;
        }
        duties.push(Spanned {
            node: duty,
            span: one.span,
        });
    }
    if let Some(over) = written.get(limits::DUTIES) {
        let message = format!("a rule obliges at most {} things", limits::DUTIES);
        out.push(Diagnostic::error(TOO_LARGE, over.span, message));
    }
    duties
}

fn duty(
    written: &ast::Duty,
    kinds: &Kinds,
    about: About<'_>,
    found: &mut Vec<(usize, Diagnostic)>,
    out: &mut Vec<Diagnostic>,
) -> Option<Duty> {
    let (number, kind) = kinds.find(&written.name, out)?;
    let mut given = written.given.as_slice();
    let mut place = None;
    if kind.subject != Subject::Call {
        let (first, rest) = match given.split_first() {
            Some((first, rest)) if first.name.is_none() => (Some(first), rest),
            _ => (None, given),
        };
        given = rest;
        place = Some(argument(written, kind, first, about, found, out)?);
    }
    let values = values(written, given, kind, kinds, out)?;
    Some(Duty {
        kind: number,
        place,
        values,
    })
}

/// The argument that is obliged about, by its names.
fn argument(
    written: &ast::Duty,
    kind: &ObligationKind,
    given: Option<&ast::Given>,
    about: About<'_>,
    found: &mut Vec<(usize, Diagnostic)>,
    out: &mut Vec<Diagnostic>,
) -> Option<Vec<String>> {
    let names = given.and_then(|given| names(&given.value));
    let is_text = kind.subject == Subject::Text;
    let Some(names) = names.filter(|names| !(names.is_empty() && is_text)) else {
        let message = format!("`{}` is about an argument, and this names none", kind.name);
        let span = given.map_or(written.span, |given| given.value.span);
        out.push(Diagnostic::error(BAD_DUTY, span, message).help("write `args.` and its name first"));
        return None;
    };
    let before = found.len();
    for (index, tool) in about {
        found.extend(wrong_on(&names, tool, kind).map(|report| (*index, report)));
    }
    (found.len() == before).then(|| names.into_iter().map(|name| name.text.clone()).collect())
}

/// The names after `args`; `None` for anything else.
fn names(expr: &Expr) -> Option<Vec<&Name>> {
    match &expr.kind {
        ExprKind::Name(name) if name.text == "args" => Some(Vec::new()),
        ExprKind::Field(of, name) => {
            let mut names = names(of)?;
            names.push(name);
            Some(names)
        }
        _ => None,
    }
}

/// Why a tool has nothing an obligation can be about at a place.
fn wrong_on(names: &[&Name], tool: &Tool, kind: &ObligationKind) -> Option<Diagnostic> {
    let mut ty = Ty::Record(tool.args.clone());
    for (depth, name) in names.iter().enumerate() {
        let of = inside(&ty);
        if *of == Ty::Poison {
            return None;
        }
        match member_of(of, &name.text) {
            Some((Step::Field(_), next)) if matches!(of, Ty::Record(_)) => ty = next,
            Some(_) => {
                let message = format!(
                    "`{}` is a part of {}, which is taken as a whole",
                    name.text,
                    of.phrase()
                );
                let report = Diagnostic::error(BAD_DUTY, name.span, message);
                return Some(report.help("name the argument itself"));
            }
            None => return Some(no_field(name, of, tool, depth == 0)),
        }
    }
    let is_text = matches!(
        inside(&ty),
        Ty::String { .. } | Ty::Path | Ty::Url | Ty::Host | Ty::Email | Ty::Command | Ty::Poison
    );
    if kind.subject == Subject::Text && !is_text {
        let span = names.last().map(|name| name.span).unwrap_or_default();
        let message = format!(
            "`{}` keeps the end of a text, and this is {}",
            kind.name,
            ty.phrase()
        );
        let help = format!("write `{}(…)`, which keeps nothing", obligation::REDACT);
        return Some(Diagnostic::error(BAD_DUTY, span, message).help(help));
    }
    None
}

fn no_field(name: &Name, of: &Ty, tool: &Tool, is_argument: bool) -> Diagnostic {
    let (code, message) = if is_argument {
        let message = format!("tool `{}` has no argument `{}`", tool.name, name.text);
        (NOT_ON_EVERY_TOOL, message)
    } else {
        let message = format!("{} has no part `{}`", of.phrase(), name.text);
        (UNKNOWN_NAME, message)
    };
    let report = Diagnostic::error(code, name.span, message);
    match suggest::nearest(&name.text, member_names(of)) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, crate::syntax::quote::member_name(near)),
        None => report.help("name an argument of the tool, or a field of one"),
    }
}

/// The type inside optionals, lists and sets: what is said of an argument is said of each of its elements.
fn inside(ty: &Ty) -> &Ty {
    match ty {
        Ty::Optional(inner) => inside(inner),
        Ty::List { element, .. } | Ty::Set { element, .. } => inside(element),
        other => other,
    }
}

/// A value per parameter.
fn values(
    written: &ast::Duty,
    given: &[ast::Given],
    kind: &ObligationKind,
    kinds: &Kinds,
    out: &mut Vec<Diagnostic>,
) -> Option<Vec<Value>> {
    let mut values: Vec<Option<Value>> = vec![None; kind.params.len()];
    let mut wrong = false;
    for one in given {
        let Some(at) = parameter(one, given.len() == 1, kind, kinds, out) else {
            wrong = true;
            continue;
        };
        let (Some(param), Some(slot)) = (kind.params.get(at), values.get_mut(at)) else {
            continue;
        };
        if slot.is_some() {
            let message = format!("`{}` is given twice", param.field.name);
            out.push(Diagnostic::error(DUPLICATE_NAME, one.value.span, message).help("remove one of them"));
            wrong = true;
            continue;
        }
        match value(&one.value, &param.field.ty).and_then(|value| kept(value, &one.value, kind)) {
            Ok(value) => *slot = Some(value),
            Err(report) => {
                out.extend(report.map(|report| told(report, kind, param)));
                wrong = true;
            }
        }
    }
    if !wrong {
        out.extend(missing(written, &values, kind, kinds));
    }
    values.into_iter().collect()
}

/// The report for parameters that got no value.
fn missing(
    written: &ast::Duty,
    values: &[Option<Value>],
    kind: &ObligationKind,
    kinds: &Kinds,
) -> Option<Diagnostic> {
    let both = kind.params.iter().zip(values);
    let missing = both.filter(|(_, value)| value.is_none());
    let missing: Vec<&str> = missing.map(|(param, _)| param.field.name.as_str()).collect();
    let first = missing.first()?;
    let message = format!("`{}` is not told its `{}`", kind.name, missing.join("`, `"));
    let report = Diagnostic::error(BAD_DUTY, written.span, message);
    let report = match kinds.declared(&kind.name) {
        Some(declared) => report.also(declared, "the obligation is declared here"),
        None => report,
    };
    let place = match kind.subject {
        Subject::Call => "",
        Subject::Place | Subject::Text => "args.…, ",
    };
    Some(report.help(format!("write `{}({place}{first}: …)`", kind.name)))
}

/// Refuses a `mask` that keeps too much to be one.
fn kept(value: Value, written: &Expr, kind: &ObligationKind) -> Result<Value, Option<Diagnostic>> {
    let most = limits::MASK_KEPT;
    if kind.name != obligation::MASK || matches!(value, Value::Num(n) if (0..=most).contains(&n)) {
        return Ok(value);
    }
    let message = format!("a mask keeps from 0 to {most} characters");
    let report = Diagnostic::error(BAD_DUTY, written.span, message);
    Err(Some(report.help("keep fewer: whoever reads a trace sees them")))
}

/// A report about a constant, which is compared with nothing here.
fn told(report: Diagnostic, kind: &ObligationKind, param: &Param) -> Diagnostic {
    let report = Diagnostic { why: None, ..report };
    if report.code != TYPE_MISMATCH {
        return report;
    }
    let ty = match &param.field.ty {
        Ty::Set { element, .. } => element.phrase(),
        ty => ty.phrase(),
    };
    let message = format!(
        "`{}` of `{}` is {ty}, and this is none",
        param.field.name, kind.name
    );
    Diagnostic {
        code: BAD_DUTY,
        message,
        ..report
    }
}

/// Which parameter is given. One without its name is that of an obligation that has no other.
fn parameter(
    given: &ast::Given,
    is_only: bool,
    kind: &ObligationKind,
    kinds: &Kinds,
    out: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let names = || kind.params.iter().map(|param| param.field.name.as_str());
    let also = |report: Diagnostic| match kinds.declared(&kind.name) {
        Some(declared) => report.also(declared, "the obligation is declared here"),
        None => report,
    };
    let Some(name) = &given.name else {
        if kind.params.len() == 1 && is_only {
            return Some(0);
        }
        let message = if kind.params.is_empty() {
            format!("`{}` is told nothing", kind.name)
        } else {
            format!("nobody can tell which parameter of `{}` this is", kind.name)
        };
        let report = Diagnostic::error(BAD_DUTY, given.value.span, message);
        let help = match names().next() {
            Some(first) => format!("write its name before it: `{first}: …`"),
            None => format!("write `{}()`", kind.name),
        };
        out.push(also(report).help(help));
        return None;
    };
    let word = match &name.kind {
        ExprKind::Name(name) => name.text.as_str(),
        _ => "",
    };
    let found = names().position(|known| known == word);
    if found.is_none() {
        let message = match word {
            "" => format!("this names no parameter of `{}`", kind.name),
            word => format!("`{}` has no parameter `{word}`", kind.name),
        };
        let report = also(Diagnostic::error(BAD_DUTY, name.span, message));
        out.push(match suggest::nearest(word, names()) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None if kind.params.is_empty() => report.help(format!("write `{}()`", kind.name)),
            None => {
                let names: Vec<&str> = names().collect();
                report.help(format!("its parameters are `{}`", names.join("`, `")))
            }
        });
    }
    found
}

/// A constant of a parameter's type; for a set one element, or several in braces. Nothing is reported of a type that is
/// wrong itself.
fn value(written: &Expr, ty: &Ty) -> Result<Value, Option<Diagnostic>> {
    let Ty::Set { element, max } = ty else {
        return match ty {
            Ty::Poison => Err(None),
            ty => constant::value(ty, written).map_err(Some),
        };
    };
    let items = match &written.kind {
        ExprKind::Set(items) => items.as_slice(),
        _ => std::slice::from_ref(written),
    };
    let mut values = items
        .iter()
        .map(|item| value(item, element))
        .collect::<Result<Vec<_>, _>>()?;
    values.sort();
    values.dedup();
    if values.len() as u64 > *max {
        let message = format!(
            "these are {} values, and {} holds at most {max}",
            values.len(),
            ty.phrase()
        );
        return Err(Some(
            Diagnostic::error(BAD_DUTY, written.span, message).help("name fewer of them"),
        ));
    }
    Ok(Value::list(values))
}
