//! Obligations: what they are about, what they are told, and how the values of several rules become one. In: `obligation`
//! items. Out: the obligations of a policy. It must not know which rules fire together.

use super::names::Names;
use crate::diag::codes::{BAD_OBLIGATION, DUPLICATE_NAME, RESERVED_NAME, TOO_LARGE, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::obligation::{self, Law};
use crate::limits;
use crate::source::Span;
use crate::syntax::ast::{self, Item, Name};
use crate::ty::{Field, Ty};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What rules may oblige.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObligationKind {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub subject: Subject,
    /// What it is told.
    pub params: Vec<Param>,
}

/// What an obligation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Subject {
    /// The call.
    Call = 0,
    /// An argument, or a field of one.
    Place = 1,
    /// The same, and a text.
    Text = 2,
}

/// One of the things an obligation is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name and type.
    pub field: Field,
    /// How the values of several rules become one.
    pub law: Law,
}

impl ObligationKind {
    /// What two rules together tell it; the number of the first parameter whose values cannot be joined otherwise.
    pub fn join(&self, a: &[Value], b: &[Value]) -> Result<Vec<Value>, usize> {
        let values = self.params.iter().zip(a.iter().zip(b)).enumerate();
        values
            .map(|(at, (param, (a, b)))| joined(param, a, b).ok_or(at))
            .collect()
    }
}

impl Param {
    /// The most elements it holds, where it takes those of all rules.
    pub fn most(&self) -> Option<u64> {
        match (self.law, &self.field.ty) {
            (Law::Union, Ty::Set { max, .. }) => Some(*max),
            _ => None,
        }
    }
}

/// Two values of one parameter as one; none where that is no value of its type. Members of an ordered enum are numbered
/// from the least.
fn joined(param: &Param, a: &Value, b: &Value) -> Option<Value> {
    match (param.law, a, b) {
        (Law::Max, ..) => Some(a.max(b).clone()),
        (Law::Min, ..) => Some(a.min(b).clone()),
        (Law::Union, Value::List(a), Value::List(b)) => {
            let all: BTreeSet<&Value> = a.iter().chain(b.iter()).collect();
            let fits = param.most().is_none_or(|most| all.len() as u64 <= most);
            fits.then(|| Value::list(all.into_iter().cloned().collect()))
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
    let kind = |name: &str, subject: Subject, params: Vec<Param>| ObligationKind {
        name: name.to_owned(),
        subject,
        params,
    };
    vec![
        kind(
            obligation::LOG,
            Subject::Call,
            vec![param("level", level, Law::Max)],
        ),
        kind(
            obligation::MASK,
            Subject::Text,
            vec![param(obligation::KEEP_LAST, Ty::Int, Law::Min)],
        ),
        kind(
            obligation::NOTIFY,
            Subject::Call,
            vec![param("channel", channels, Law::Union)],
        ),
        kind(obligation::REDACT, Subject::Place, Vec::new()),
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
                subject: Subject::Call,
                params: params(written, names, out),
            });
        }
        kinds.sort_by(|a, b| a.name.cmp(&b.name));
        Kinds { kinds, declared }
    }

    /// Where an obligation of the policy's own is declared.
    pub fn declared(&self, name: &str) -> Option<Span> {
        self.declared.get(name).copied()
    }

    /// The obligation of a name, with its number.
    pub fn find(&self, name: &Name, out: &mut Vec<Diagnostic>) -> Option<(u32, &ObligationKind)> {
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
