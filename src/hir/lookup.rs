//! `map[key]`: the entry of a map under a key of the call. In: an expression and a scope. Out: the place of a slot that
//! holds the entry's value, which is missing where the map has no such key.

use super::condition::{self, Failed, Operand};
use super::scope::{Found, Scope};
use super::{Place, Slot, Step, Term, constant};
use crate::diag::Diagnostic;
use crate::diag::codes::TYPE_MISMATCH;
use crate::source::Span;
use crate::syntax::ast::Expr;
use crate::ty::Ty;
use crate::value::Value;

/// The place of `of[key]`.
pub(super) fn place(of: &Expr, key: &Expr, span: Span, scope: &Scope<'_>) -> Result<Found, Failed> {
    let map = condition::place(of, scope)?;
    let (key_ty, value_ty) = match map.ty.required() {
        Ty::Poison => return Err(None),
        Ty::Map { key, value, .. } => ((**key).clone(), (**value).clone()),
        other => return Err(Some(no_map(other, of.span))),
    };
    let term = term(key, &key_ty, scope)?;
    let mut deepest = map.place.level;
    term.each_place(&mut |place| deepest = deepest.max(place.level));
    let ty = Ty::Optional(Box::new(value_ty));
    let place = if scope.env.is_none() {
        // A predicate on its own, which is typed in full where it is asked: a place that no other value has.
        let mut place = map.place;
        place.steps.push(Step::Field(u32::MAX));
        place
    } else if deepest > 0 {
        let report = Diagnostic::error(
            TYPE_MISMATCH,
            span,
            "a look-up is made once for a call, and this one is about an element of a list",
        );
        return Err(Some(report.help(
            "quantify over the map's entries instead: `any e in …: e.key == … and e.value …`",
        )));
    } else {
        scope.slot(Slot::Lookup {
            map: map.place,
            key: term,
            ty: ty.clone(),
        })
    };
    Ok(Found {
        place,
        ty,
        maybe_absent: false,
    })
}

fn no_map(ty: &Ty, span: Span) -> Diagnostic {
    let message = format!("{} is no map, so nothing is looked up in it", ty.phrase());
    let report = Diagnostic::error(TYPE_MISMATCH, span, message);
    match ty {
        Ty::Record(_) => report.help("a member of a record is named with a dot: `a.b`"),
        Ty::List { .. } | Ty::Set { .. } => {
            report.help("quantify over it with `any x in …: …` or `all x in …: …`")
        }
        _ => report.help("`[…]` looks up an entry of a `Map[K, V, max n]`"),
    }
}

/// The key, of the type the map's keys have.
fn term(key: &Expr, ty: &Ty, scope: &Scope<'_>) -> Result<Term, Failed> {
    let key = scope.resolved(key);
    if condition::is_constant(key, scope) {
        return constant::value(ty, key).map(Term::Const).map_err(Some);
    }
    let operand = condition::operand(key, scope)?;
    let found = condition::usable(&operand, scope)?;
    let fits = match (&found, ty) {
        (Ty::String { .. }, Ty::String { .. }) => true,
        (found, ty) => found == ty,
    };
    if !fits {
        let message = format!(
            "the keys are each {}, and this is {}",
            ty.phrase(),
            found.phrase()
        );
        let report = Diagnostic::error(TYPE_MISMATCH, key.span, message);
        return Err(Some(report.help("look up by a value of the keys' type")));
    }
    let Operand { found, fallback, .. } = operand;
    Ok(match fallback {
        Some(fallback) => Term::Else(found.place, constant::value(ty, fallback).map_err(Some)?),
        None => Term::Place(found.place),
    })
}

/// The value under a key of a map in a request; a missing one where the map, the key or the entry is missing.
pub fn entry(map: &Place, key: &Term, request: &Value) -> Value {
    let Some(key) = key.computed(&[request]) else {
        return Value::Absent;
    };
    let found = super::answer::elements(request, &map.steps)
        .iter()
        .find_map(|entry| match entry.fields()? {
            [name, value] if *name == key => Some(value.clone()),
            _ => None,
        });
    found.unwrap_or(Value::Absent)
}
