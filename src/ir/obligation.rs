//! Obligations and duties as canonical bytes, both ways, and the check that no two rules oblige together what cannot be
//! joined. In: kinds and duties; the rules on one tool. Out: bytes, values, reports.

use super::codec::{DecodeError, Reader, Writer};
use super::rows::{Literal, Row};
use super::{decode, encode, slots};
use crate::classes::ClassSet;
use crate::diag::Diagnostic;
use crate::diag::codes::OBLIGATION_CONFLICT;
use crate::domain::obligation::Law;
use crate::hir::{Duty, ObligationKind, Package, Param, Rule, Subject};
use crate::source::{Span, Spanned};
use crate::ty::{Field, Ty};
use crate::value::Value;
use std::collections::BTreeMap;

/// Writes an obligation.
pub(super) fn encode_kind(w: &mut Writer, kind: &ObligationKind) {
    w.text(&kind.name);
    w.byte(kind.subject as u8);
    w.list(&kind.params, |w, param| {
        w.text(&param.field.name);
        encode::ty(w, &param.field.ty);
        w.byte(param.law as u8);
    });
}

/// Reads an obligation.
pub(super) fn decode_kind(r: &mut Reader<'_>) -> Result<ObligationKind, DecodeError> {
    let name = r.text()?;
    let subject = match r.byte()? {
        0 => Subject::Call,
        1 => Subject::Place,
        2 => Subject::Text,
        _ => return Err(DecodeError::Malformed("subject")),
    };
    let params = r.list(|r| {
        let field = Field {
            name: r.text()?,
            ty: decode::ty(r)?,
        };
        let law = Law::ALL.get(usize::from(r.byte()?)).copied();
        Ok(Param {
            field,
            law: law.ok_or(DecodeError::Malformed("law"))?,
        })
    })?;
    Ok(ObligationKind {
        name,
        subject,
        params,
    })
}

/// Writes a duty.
pub(super) fn encode_duty(w: &mut Writer, duty: &Duty) {
    w.int(u64::from(duty.kind));
    w.list(duty.place.as_slice(), |w, place| {
        w.list(place, |w, name| w.text(name))
    });
    w.list(&duty.values, value);
}

fn value(w: &mut Writer, value: &Value) {
    match value {
        Value::List(items) => {
            w.byte(1);
            w.list(items, slots::value);
        }
        one => {
            w.byte(0);
            slots::value(w, one);
        }
    }
}

/// Reads a duty of one of the obligations.
pub(super) fn decode_duty(r: &mut Reader<'_>, kinds: &[ObligationKind]) -> Result<Duty, DecodeError> {
    let kind = r.small()?;
    let place = decode::optional(r, |r| r.list(Reader::text))?;
    let values = r.list(|r| match r.byte()? {
        0 => slots::decode_value(r),
        1 => Ok(Value::List(r.list(slots::decode_value)?)),
        _ => Err(DecodeError::Malformed("duty")),
    })?;
    let fits = kinds.get(kind as usize).is_some_and(|kind| {
        let params = &kind.params;
        let mut both = params.iter().zip(&values);
        let is_placed = match &place {
            None => kind.subject == Subject::Call,
            Some(place) => {
                kind.subject == Subject::Place || kind.subject == Subject::Text && !place.is_empty()
            }
        };
        is_placed && params.len() == values.len() && both.all(|(param, value)| fits(value, &param.field.ty))
    });
    if fits {
        Ok(Duty { kind, place, values })
    } else {
        Err(DecodeError::Malformed("duty"))
    }
}

/// Whether a value is one of the type, as far as joining values rests on it.
fn fits(value: &Value, ty: &Ty) -> bool {
    match (value, ty) {
        (Value::List(items), Ty::Set { element, .. }) => {
            items.iter().all(|item| fits(item, element)) && items.is_sorted_by(|a, b| a < b)
        }
        (Value::Bool(_), Ty::Bool) | (Value::Str(_), Ty::String { .. }) => true,
        (Value::Enum(member), Ty::Enum { members, .. }) => (*member as usize) < members.len(),
        (Value::Num(_), ty) => ty.is_numeric(),
        _ => false,
    }
}

/// Reports pairs of rules on one tool that oblige what cannot be joined, unless no call meets the conditions of both. In:
/// rows, each with the index of its rule.
pub(super) fn check<'r>(
    package: &Package,
    rows: impl Iterator<Item = (&'r Row, &'r u32)>,
    out: &mut Vec<Diagnostic>,
) {
    let mut obliging: BTreeMap<u32, (&Rule, Vec<&Row>)> = BTreeMap::new();
    for (row, number) in rows {
        if let Some(rule) = package.rules.get(*number as usize)
            && rule.duties.iter().any(|duty| may_conflict(package, &duty.node))
        {
            obliging.entry(*number).or_insert((rule, Vec::new())).1.push(row);
        }
    }
    let obliging: Vec<(&Rule, Vec<&Row>)> = obliging.into_values().collect();
    for (at, (rule, rows)) in obliging.iter().enumerate() {
        for (other, others) in obliging.iter().skip(at + 1) {
            if let Some(conflict) = conflict(package, rule, other)
                && rows.iter().any(|a| others.iter().any(|b| may_both_hold(a, b)))
            {
                let known = |d: &Diagnostic| d.code == OBLIGATION_CONFLICT && d.primary.span == conflict.span;
                if !out.iter().any(known) {
                    out.push(conflict.report(rule, other));
                }
            }
        }
    }
}

/// Whether no variable keeps two rows apart.
fn may_both_hold(a: &Row, b: &Row) -> bool {
    let apart = |(literal, classes): (&Literal, &ClassSet)| {
        b.get(literal)
            .is_some_and(|other| other.intersection(classes).is_empty())
    };
    !a.iter().any(apart)
}

/// Whether its obligation is told something that all rules must agree on.
fn may_conflict(package: &Package, duty: &Duty) -> bool {
    let kind = package.obligations.get(duty.kind as usize);
    kind.is_some_and(|kind| kind.params.iter().any(|param| param.law == Law::Same))
}

/// Two duties that cannot be joined.
struct Conflict<'p> {
    kind: &'p ObligationKind,
    param: usize,
    span: Span,
    first: Span,
}

/// The first thing two rules oblige differently.
fn conflict<'p>(package: &'p Package, a: &Rule, b: &Rule) -> Option<Conflict<'p>> {
    let same =
        |x: &Spanned<Duty>, y: &Spanned<Duty>| (x.node.kind, &x.node.place) == (y.node.kind, &y.node.place);
    b.duties.iter().find_map(|second| {
        let first = a.duties.iter().find(|first| same(first, second))?;
        let kind = package.obligations.get(second.node.kind as usize)?;
        let param = kind.join(&first.node.values, &second.node.values).err()?;
        Some(Conflict {
            kind,
            param,
            span: second.span,
            first: first.span,
        })
    })
}

impl Conflict<'_> {
    fn report(&self, first: &Rule, second: &Rule) -> Diagnostic {
        let param = self.kind.params.get(self.param);
        let param = param.map_or("", |param| param.field.name.as_str());
        let message = format!(
            "rules `{}` and `{}` oblige `{}` with different values of `{param}`",
            first.name, second.name, self.kind.name
        );
        Diagnostic::error(OBLIGATION_CONFLICT, self.span, message)
            .label(format!("rule `{}` says this", second.name))
            .also(self.first, format!("rule `{}` says this", first.name))
            .why(format!(
                "a call may match both, and `{param}` is declared `merge same`, so nobody could say which holds"
            ))
            .help(format!(
                "give both the same `{param}`, write conditions that exclude one another, or declare another law for it"
            ))
    }
}
