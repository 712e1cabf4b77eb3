//! Obligations, and what rules oblige. In: `obligation` items and the clauses after `oblige`. Out: what the obligations
//! of a policy are told and how the values of several rules become one, and a duty per thing a rule obliges, its
//! constants typed. It must not know which rules fire together.

use super::constant;
use super::names::Names;
use crate::diag::codes::{
    BAD_DUTY, BAD_OBLIGATION, DUPLICATE_NAME, RESERVED_NAME, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME,
};
use crate::diag::{Diagnostic, suggest};
use crate::domain::obligation::{self, Law};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, Expr, ExprKind, Item, Name};
use crate::ty::{Field, Ty};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What rules may oblige.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObligationKind {
    /// Its name.
    pub name: String,
    /// What it is told.
    pub params: Vec<Param>,
}

/// One of the things an obligation is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name and type.
    pub field: Field,
    /// How the values of several rules become one.
    pub law: Law,
}

/// What a rule obliges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duty {
    /// The obligation, by index into `Package::obligations`.
    pub kind: u32,
    /// The argument it is about, by the names from the arguments to it.
    pub place: Option<Vec<String>>,
    /// A value per parameter.
    pub values: Vec<Value>,
}

impl ObligationKind {
    /// What two rules together tell it; the number of the first parameter whose values cannot be joined otherwise.
    pub fn join(&self, a: &[Value], b: &[Value]) -> Result<Vec<Value>, usize> {
        let values = self.params.iter().zip(a.iter().zip(b)).enumerate();
        values
            .map(|(at, (param, (a, b)))| joined(param.law, a, b).ok_or(at))
            .collect()
    }
}

/// Two values of one parameter as one. Members of an ordered enum are numbered from the least.
fn joined(law: Law, a: &Value, b: &Value) -> Option<Value> {
    match (law, a, b) {
        (Law::Max, ..) => Some(a.max(b).clone()),
        (Law::Min, ..) => Some(a.min(b).clone()),
        (Law::Union, Value::List(a), Value::List(b)) => {
            let all: BTreeSet<&Value> = a.iter().chain(b).collect();
            Some(Value::List(all.into_iter().cloned().collect()))
        }
        (Law::Union | Law::Same, ..) => (a == b).then(|| a.clone()),
    }
}

/// The levels of `log`, the least urgent first.
const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

/// What every policy may oblige.
fn built_in() -> Vec<ObligationKind> {
    let param = |name: &str, ty: Ty, law: Law| Param {
        field: Field {
            name: name.to_owned(),
            ty,
        },
        law,
    };
    let level = Ty::Enum {
        name: "LogLevel".to_owned(),
        members: LEVELS.map(str::to_owned).to_vec(),
        ordered: true,
    };
    let channels = Ty::Set {
        element: Box::new(Ty::String {
            max: limits::CHANNEL_BYTES,
        }),
        max: limits::CHANNELS,
    };
    let kind = |name: &str, params: Vec<Param>| ObligationKind {
        name: name.to_owned(),
        params,
    };
    vec![
        kind(obligation::LOG, vec![param("level", level, Law::Max)]),
        kind(obligation::NOTIFY, vec![param("channel", channels, Law::Union)]),
    ]
}

/// The obligations of a policy with the places of their declarations.
pub(super) struct Kinds {
    pub kinds: Vec<ObligationKind>,
    declared: BTreeMap<String, Span>,
}

impl Kinds {
    /// The built-in ones and those among the items, sorted by name, each name once.
    pub fn new(items: &[&Item], names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Kinds {
        let mut kinds = built_in();
        let mut declared: BTreeMap<String, Span> = BTreeMap::new();
        for item in items {
            let Item::Obligation(written) = item else {
                continue;
            };
            let name = &written.name;
            if let Some(first) = declared.get(&name.text) {
                let message = format!("obligation `{}` is declared twice", name.text);
                out.push(
                    Diagnostic::error(DUPLICATE_NAME, name.span, message)
                        .also(*first, "first declared here")
                        .help("rename or remove one of them"),
                );
                continue;
            }
            if kinds.iter().any(|kind| kind.name == name.text) {
                let message = format!("every policy has the obligation `{}` already", name.text);
                out.push(
                    Diagnostic::error(RESERVED_NAME, name.span, message)
                        .help("oblige it as it is, or choose another name"),
                );
                continue;
            }
            if declared.len() == limits::OBLIGATIONS {
                let message = format!("a policy declares at most {} obligations", limits::OBLIGATIONS);
                out.push(Diagnostic::error(TOO_LARGE, name.span, message));
                break;
            }
            declared.insert(name.text.clone(), name.span);
            kinds.push(ObligationKind {
                name: name.text.clone(),
                params: params(written, names, out),
            });
        }
        kinds.sort_by(|a, b| a.name.cmp(&b.name));
        Kinds { kinds, declared }
    }

    fn find(&self, name: &Name, out: &mut Vec<Diagnostic>) -> Option<(u32, &ObligationKind)> {
        if let Ok(at) = self.kinds.binary_search_by(|kind| kind.name.cmp(&name.text)) {
            return Some((u32::try_from(at).ok()?, self.kinds.get(at)?));
        }
        let message = format!("no obligation is called `{}`", name.text);
        let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
        let known = self.kinds.iter().map(|kind| kind.name.as_str());
        out.push(match suggest::nearest(&name.text, known) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report.help(format!("declare it with `obligation {} {{ … }}`", name.text)),
        });
        None
    }
}

/// The parameters of a declared obligation, each name once.
fn params(written: &ast::Obligation, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for param in &written.params {
        let ty = super::types::resolve(&param.ty, names, out);
        if let Some(first) = seen.get(param.name.text.as_str()) {
            let message = format!("`{}` is declared twice", param.name.text);
            out.push(
                Diagnostic::error(DUPLICATE_NAME, param.name.span, message)
                    .also(*first, "first declared here")
                    .help("rename or remove one of them"),
            );
            continue;
        }
        seen.insert(&param.name.text, param.name.span);
        let law = law(param, &ty, out);
        params.push(Param {
            field: Field {
                name: param.name.text.clone(),
                ty,
            },
            law,
        });
    }
    if params.len() > limits::OBLIGATION_PARAMS {
        let most = limits::OBLIGATION_PARAMS;
        let message = format!("an obligation has at most {most} parameters");
        out.push(Diagnostic::error(TOO_LARGE, written.name.span, message));
    }
    params
}

/// The law of a parameter; one that does not fit its type is reported.
fn law(param: &ast::ObligationParam, ty: &Ty, out: &mut Vec<Diagnostic>) -> Law {
    let is_scalar = |ty: &Ty| match ty {
        Ty::Bool | Ty::String { .. } | Ty::Enum { .. } => true,
        other => other.is_numeric(),
    };
    let is_set = matches!(ty, Ty::Set { element, .. } if is_scalar(element));
    let has_order = ty.is_ordered() || matches!(ty, Ty::Enum { ordered: true, .. });
    if *ty == Ty::Poison {
        return Law::Same;
    }
    if !is_scalar(ty) && !is_set {
        let message = format!("an obligation cannot be told {}", ty.phrase());
        out.push(
            Diagnostic::error(BAD_OBLIGATION, param.ty.span, message)
                .help("a parameter is a truth value, a number, a text, an enum, or a `Set` of one of these"),
        );
        return Law::Same;
    }
    let Some(written) = &param.merge else {
        return Law::Same;
    };
    let Some(law) = Law::ALL.into_iter().find(|law| law.as_str() == written.text) else {
        let message = format!("values are not merged by `{}`", written.text);
        let report = Diagnostic::error(BAD_OBLIGATION, written.span, message);
        out.push(match suggest::nearest(&written.text, Law::ALL.map(Law::as_str)) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(written.span, near),
            None => report.help("the laws are `max`, `min`, `union` and `same`"),
        });
        return Law::Same;
    };
    let (fits, why) = match law {
        Law::Max | Law::Min => (
            has_order,
            "`max` and `min` need numbers or an enum that is declared `ordered`",
        ),
        Law::Union => (is_set, "`union` joins the elements of a `Set`"),
        Law::Same => (true, ""),
    };
    if !fits {
        let message = format!("{} is not merged by `{}`", ty.phrase(), law.as_str());
        let report = Diagnostic::error(BAD_OBLIGATION, written.span, message).why(why);
        out.push(report.help("`merge same` asks that all rules give the same value"));
        return Law::Same;
    }
    law
}

/// What is obliged, each thing once; what is wrong is reported and left out.
pub(super) fn duties(written: &[ast::Duty], kinds: &Kinds, out: &mut Vec<Diagnostic>) -> Vec<Spanned<Duty>> {
    let mut duties: Vec<Spanned<Duty>> = Vec::new();
    for one in written {
        let Some(duty) = duty(one, kinds, out) else {
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

fn duty(written: &ast::Duty, kinds: &Kinds, out: &mut Vec<Diagnostic>) -> Option<Duty> {
    let (number, kind) = kinds.find(&written.name, out)?;
    let mut values: Vec<Option<Value>> = vec![None; kind.params.len()];
    let mut wrong = false;
    for given in &written.given {
        let Some(at) = parameter(given, written, kind, kinds, out) else {
            wrong = true;
            continue;
        };
        let (Some(param), Some(slot)) = (kind.params.get(at), values.get_mut(at)) else {
            continue;
        };
        if slot.is_some() {
            let message = format!("`{}` is given twice", param.field.name);
            out.push(Diagnostic::error(DUPLICATE_NAME, given.value.span, message).help("remove one of them"));
            wrong = true;
            continue;
        }
        match value(&given.value, &param.field.ty) {
            Ok(value) => *slot = Some(value),
            Err(report) => {
                out.extend(report.map(|report| told(report, kind, param)));
                wrong = true;
            }
        }
    }
    let missing: Vec<&str> = kind
        .params
        .iter()
        .zip(&values)
        .filter(|(_, value)| value.is_none())
        .map(|(param, _)| param.field.name.as_str())
        .collect();
    if let (false, [first, ..]) = (wrong, missing.as_slice()) {
        let message = format!("`{}` is not told its `{}`", kind.name, missing.join("`, `"));
        let report = Diagnostic::error(BAD_DUTY, written.span, message);
        let report = match kinds.declared.get(&kind.name) {
            Some(declared) => report.also(*declared, "the obligation is declared here"),
            None => report,
        };
        out.push(report.help(format!("write `{}({first}: …)`", kind.name)));
        return None;
    }
    Some(Duty {
        kind: number,
        place: None,
        values: values.into_iter().collect::<Option<_>>()?,
    })
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
    written: &ast::Duty,
    kind: &ObligationKind,
    kinds: &Kinds,
    out: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let names = || kind.params.iter().map(|param| param.field.name.as_str());
    let also = |report: Diagnostic| match kinds.declared.get(&kind.name) {
        Some(declared) => report.also(*declared, "the obligation is declared here"),
        None => report,
    };
    let Some(name) = &given.name else {
        if kind.params.len() == 1 && written.given.len() == 1 {
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
    Ok(Value::List(values))
}
