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
use crate::limits;
use crate::source::{Span, Spanned};
use crate::ty::{Field, Ty};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

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
        1 => Ok(Value::list(r.list(slots::decode_value)?)),
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
            && !rule.duties.is_empty()
        {
            obliging.entry(*number).or_insert((rule, Vec::new())).1.push(row);
        }
    }
    let obliging: Vec<(&Rule, Vec<&Row>)> = obliging.into_values().collect();
    overflows(package, &obliging, out);
    let same: Vec<_> = obliging
        .iter()
        .filter(|(rule, _)| rule.duties.iter().any(|duty| may_conflict(package, &duty.node)))
        .collect();
    for (at, (rule, rows)) in same.iter().enumerate() {
        for (other, others) in same.iter().skip(at + 1) {
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

/// The rules on one tool that oblige, each with its rows.
type Obliging<'r> = [(&'r Rule, Vec<&'r Row>)];

/// Rules that a call may match together and that together tell a parameter more than it holds.
struct Overflow<'r> {
    obliging: &'r Obliging<'r>,
    place: &'r Option<Vec<String>>,
    kind: u32,
    param: usize,
    most: u64,
    /// Sets of rules yet to be looked at; where they run out, what is left counts as found.
    budget: usize,
}

/// Reports what the duties of several rules come to where that is more than a set holds; two alone are a conflict.
fn overflows(package: &Package, obliging: &Obliging<'_>, out: &mut Vec<Diagnostic>) {
    let duties = obliging.iter().flat_map(|(rule, _)| &rule.duties);
    let about: BTreeSet<(u32, &Option<Vec<String>>)> =
        duties.map(|duty| (duty.node.kind, &duty.node.place)).collect();
    for (number, place) in about {
        let Some(kind) = package.obligations.get(number as usize) else {
            continue;
        };
        for (at, param) in kind.params.iter().enumerate() {
            let Some(most) = param.most() else { continue };
            let duties = obliging.iter().flat_map(|(rule, _)| &rule.duties);
            let of_kind = duties.filter(|duty| (duty.node.kind, &duty.node.place) == (number, place));
            let all: BTreeSet<&Value> = of_kind
                .flat_map(|duty| elements(duty.node.values.get(at)))
                .collect();
            if all.len() as u64 <= most {
                continue;
            }
            let mut overflow = Overflow {
                obliging,
                place,
                kind: number,
                param: at,
                most,
                budget: limits::OBLIGING_RULES,
            };
            let Some(last) = overflow.find(0, &Row::new(), &BTreeSet::new()) else {
                continue;
            };
            let known = |d: &Diagnostic| d.code == OBLIGATION_CONFLICT && d.primary.span == last.1;
            if !out.iter().any(known) {
                out.push(too_many(kind, param, most, last));
            }
        }
    }
}

impl<'r> Overflow<'r> {
    /// The last of some rules that a call may match together, from this one on, and that together say too much.
    fn find(&mut self, from: usize, row: &Row, told: &BTreeSet<&'r Value>) -> Option<(&'r Rule, Span)> {
        for (at, (rule, rows)) in self.obliging.iter().enumerate().skip(from) {
            let told_here =
                |duty: &&Spanned<Duty>| duty.node.kind == self.kind && duty.node.place == *self.place;
            let Some(duty) = rule.duties.iter().find(told_here) else {
                continue;
            };
            let mut all = told.clone();
            all.extend(elements(duty.node.values.get(self.param)));
            if all.len() == told.len() {
                continue;
            }
            for with in rows.iter().filter(|with| may_both_hold(row, with)) {
                self.budget = self.budget.saturating_sub(1);
                if all.len() as u64 > self.most || self.budget == 0 {
                    return Some((rule, duty.span));
                }
                let found = self.find(at + 1, &both(row, with), &all);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

fn elements(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// What holds where both do.
fn both(a: &Row, b: &Row) -> Row {
    let mut both = a.clone();
    for (literal, classes) in b {
        let narrowed = match both.get(literal) {
            Some(known) => known.intersection(classes),
            None => classes.clone(),
        };
        both.insert(*literal, narrowed);
    }
    both
}

fn too_many(kind: &ObligationKind, param: &Param, most: u64, (rule, span): (&Rule, Span)) -> Diagnostic {
    let name = &param.field.name;
    let message = format!(
        "rule `{}` and others that match with it oblige `{}` with more values of `{name}` than it holds",
        rule.name, kind.name
    );
    Diagnostic::error(OBLIGATION_CONFLICT, span, message)
        .label("one too many")
        .why(format!(
            "`{name}` is declared with `max {most}`, and a call may match rules that say more"
        ))
        .help(format!(
            "declare `{name}` with a larger `max`, or write conditions that exclude one another"
        ))
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
        // What is too much for a set is reported of all rules at once.
        kind.params.get(param).filter(|param| param.most().is_none())?;
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
