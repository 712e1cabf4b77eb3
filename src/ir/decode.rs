//! Canonical bytes to a program. Every index is checked, so that evaluation never meets one out of range; bytes that
//! are not the canonical form of what they hold are refused.

use super::codec::{MAGIC, Reader};
use super::{
    Constraint, ContextField, List, Masks, Predicate, Program, RuleInfo, Scope, Severity, ToolProgram,
    VERSION, Var, cost,
};
use crate::classes::automaton::Automaton;
use crate::classes::classifier::Texts;
use crate::classes::{ClassSet, Classifier};
use crate::domain::{AttestedBy, PolicyScope, Profile, RuleScope, Trust, Verdict};
use crate::hir::{Part, Slot, Step, TargetKind, TargetSource};
use crate::limits;
use crate::source::Position;
use crate::ty::{Field, Ty, Unit};
use std::sync::Arc;

pub use super::codec::DecodeError;

type Result<T> = std::result::Result<T, DecodeError>;

/// Reads a program.
pub fn decode(bytes: &[u8]) -> Result<Program> {
    let mut r = Reader::new(bytes);
    if r.bytes(MAGIC.len())? != MAGIC {
        return Err(DecodeError::Malformed("no program"));
    }
    if r.small()? != VERSION {
        return Err(DecodeError::Version);
    }
    let edition = r.small()?;
    let (policy, version) = (r.text()?, r.text()?);
    let profile = Profile::from_rank(r.byte()?).ok_or(DecodeError::Malformed("profile"))?;
    let default = (verdict(&mut r)?, r.text()?);
    let files = r.list(Reader::text)?;
    let context = r.list(context_field)?;
    let windows = super::window::decode(&mut r)?;
    let limits = super::limit::decode(&mut r)?;
    let session = super::session::decode(&mut r)?;
    let approvals = r.list(super::approval::decode)?;
    let obligations = r.list(super::obligation::decode_kind)?;
    let duties = r.list(|r| super::obligation::decode_duty(r, &obligations))?;
    let bounds = [files.len(), approvals.len(), duties.len()];
    let rules = r.list(|r| rule(r, bounds))?;
    let tools = r.list(|r| tool(r, &rules, context.len()))?;
    let program = Program {
        edition,
        policy,
        version,
        profile,
        default,
        files,
        context,
        labels: session.labels,
        events: session.events,
        monitors: session.monitors,
        windows,
        limits,
        approvals,
        obligations,
        duties,
        rules,
        tools,
    };
    let named = program.tools.iter().all(|tool| {
        let windows = program.windows.len();
        let limits = program.limits.len();
        let fits = |slot: &Slot| match slot {
            Slot::Window(window) => (*window as usize) < windows,
            Slot::Used { limit, .. } => (*limit as usize) < limits,
            Slot::History(monitor) | Slot::Tally(monitor) => (*monitor as usize) < program.monitors.len(),
            _ => true,
        };
        tool.slots.iter().all(fits) && tool.limits.iter().all(|on| (on.limit as usize) < limits)
    });
    if !named {
        return Err(DecodeError::Malformed("slot"));
    }
    let around = cost::Around::of(&program);
    let bounded = |tool: &ToolProgram| tool.steps == cost::of_tool(around, tool).steps();
    if !program.tools.iter().all(bounded) {
        return Err(DecodeError::Malformed("steps"));
    }
    let sorted = program
        .tools
        .windows(2)
        .all(|w| matches!(w, [a, b] if a.name < b.name));
    let asked = program.approvals.is_sorted_by(|a, b| a < b);
    let obliged =
        program.duties.is_sorted_by(|a, b| a < b) && program.obligations.is_sorted_by(|a, b| a.name < b.name);
    if !r.is_at_end() || !sorted || !asked || !obliged || super::encode(&program) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(program)
}

fn verdict(r: &mut Reader<'_>) -> Result<Verdict> {
    Verdict::from_rank(r.byte()?).ok_or(DecodeError::Malformed("verdict"))
}

fn rule(r: &mut Reader<'_>, [files, approvals, duties]: [usize; 3]) -> Result<RuleInfo> {
    let name = r.text()?;
    let verdict = verdict(r)?;
    let limit = match r.byte()? {
        0 => false,
        1 => true,
        _ => return Err(DecodeError::Malformed("rule")),
    };
    let code = r.text()?;
    let hint = optional(r, |r| r.text())?;
    let asked = r.list(Reader::small)?;
    if asked.is_empty() == (verdict == Verdict::RequireApproval)
        || asked.last().is_some_and(|last| *last as usize >= approvals)
        || !asked.is_sorted_by(|a, b| a < b)
    {
        return Err(DecodeError::Malformed("approval"));
    }
    let obliged = r.list(Reader::small)?;
    let last = obliged.last().map_or(0, |last| *last as usize + 1);
    if last > duties || !obliged.is_sorted_by(|a, b| a < b) {
        return Err(DecodeError::Malformed("duty"));
    }
    let scope = optional(r, rule_scope)?;
    let file = r.small()?;
    if file as usize >= files {
        return Err(DecodeError::Malformed("file"));
    }
    let start = Position {
        line: r.small()?,
        column: r.small()?,
    };
    let end = Position {
        line: r.small()?,
        column: r.small()?,
    };
    Ok(RuleInfo {
        name,
        verdict,
        limit,
        code,
        hint,
        approvals: asked,
        duties: obliged,
        scope,
        file,
        start,
        end,
    })
}

fn rule_scope(r: &mut Reader<'_>) -> Result<RuleScope> {
    let number = usize::from(r.byte()?);
    let scope = PolicyScope::ALL.get(number).copied();
    Ok(RuleScope {
        scope: scope.ok_or(DecodeError::Malformed("scope"))?,
        policy: r.text()?,
    })
}

pub(super) fn optional<T>(
    r: &mut Reader<'_>,
    each: impl FnMut(&mut Reader<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut items = r.list(each)?;
    if items.len() > 1 {
        Err(DecodeError::Malformed("optional"))
    } else {
        Ok(items.pop())
    }
}

fn context_field(r: &mut Reader<'_>) -> Result<ContextField> {
    let field = field(r)?;
    let (trust, attested) = match r.byte()? {
        0 => (Trust::Fact, None),
        1 => (Trust::Claim, None),
        super::encode::ATTESTED => (Trust::Fact, Some(attested(r)?)),
        _ => return Err(DecodeError::Malformed("trust")),
    };
    let from = optional(r, |r| r.list(Reader::text))?;
    if attested.is_some() && from.is_some() {
        return Err(DecodeError::Malformed("attested"));
    }
    Ok(ContextField {
        attested,
        ..ContextField::new(field, trust, from)
    })
}

/// Who vouches for a fact; what no policy could write is refused.
fn attested(r: &mut Reader<'_>) -> Result<AttestedBy> {
    let by = Arc::new(super::approval::decode_role(r)?);
    let within = r.int()?;
    if !(1..=limits::ATTESTATION_MILLIS).contains(&i128::from(within)) {
        return Err(DecodeError::Malformed("attested"));
    }
    Ok(AttestedBy { by, within })
}

fn tool(r: &mut Reader<'_>, rules: &[RuleInfo], context: usize) -> Result<ToolProgram> {
    let name = r.text()?;
    let args = r.list(field)?;
    let open = match r.byte()? {
        0 => false,
        1 => true,
        _ => return Err(DecodeError::Malformed("open")),
    };
    let targets = r.list(target)?;
    let uses = r.list(Reader::small)?;
    let sorted = uses.windows(2).all(|w| matches!(w, [a, b] if a < b));
    if !sorted || uses.last().is_some_and(|last| *last as usize >= context) {
        return Err(DecodeError::Malformed("context"));
    }
    let slots = r.list(super::slots::decode_slot)?;
    let (carries, returns, events) = super::session::decode_tool(r)?;
    let limits = super::limit::decode_tool(r)?;
    let rows = r.list(|r| {
        let rule = r.small()?;
        if (rule as usize) < rules.len() {
            Ok(rule)
        } else {
            Err(DecodeError::Malformed("rule"))
        }
    })?;
    let scope = scope(r)?;
    let steps = r.int()?;
    if scope.rows as usize != rows.len() {
        return Err(DecodeError::Malformed("rows"));
    }
    let severity = Severity::new(&rows, |rule| {
        rules.get(rule as usize).map(|r| (r.verdict, r.limit))
    });
    Ok(ToolProgram {
        name,
        args,
        open,
        targets,
        uses,
        slots,
        carries,
        returns,
        events,
        limits,
        rows,
        severity,
        scope,
        steps,
    })
}

fn field(r: &mut Reader<'_>) -> Result<Field> {
    Ok(Field {
        name: r.text()?,
        ty: ty(r)?,
    })
}

pub(super) fn ty(r: &mut Reader<'_>) -> Result<Ty> {
    r.nested(|r| {
        Ok(match r.byte()? {
            0 => Ty::Bool,
            1 => Ty::Int,
            2 => Ty::Decimal { places: places(r)? },
            3 => Ty::Money {
                currency: r.text()?,
                places: places(r)?,
            },
            4 => Ty::String { max: r.int()? },
            tag @ (5 | 23) => Ty::Enum {
                name: r.text()?,
                members: r.list(Reader::text)?,
                ordered: tag == 23,
            },
            6 => Ty::Path,
            7 => Ty::Url,
            8 => Ty::Host,
            9 => Ty::Email,
            10 => Ty::List {
                max: r.int()?,
                element: Box::new(ty(r)?),
            },
            11 => Ty::Optional(Box::new(ty(r)?)),
            12 => Ty::Record(r.list(field)?),
            26 => Ty::Command,
            20 => Ty::Duration {
                unit: optional(r, unit)?,
            },
            21 => Ty::Instant,
            22 => Ty::Date,
            24 => Ty::Set {
                max: r.int()?,
                element: Box::new(ty(r)?),
            },
            25 => Ty::Map {
                max: r.int()?,
                key: Box::new(key(r)?),
                value: Box::new(ty(r)?),
            },
            27 => Ty::Ip,
            28 => Ty::Sql,
            29 => Ty::Repo,
            30 => Ty::Digest,
            31 => Ty::Cidr,
            _ => return Err(DecodeError::Malformed("type")),
        })
    })
}

fn key(r: &mut Reader<'_>) -> Result<Ty> {
    match ty(r)? {
        key @ (Ty::String { .. } | Ty::Enum { .. }) => Ok(key),
        _ => Err(DecodeError::Malformed("key")),
    }
}

fn unit(r: &mut Reader<'_>) -> Result<Unit> {
    let unit = Unit::ALL.get(usize::from(r.byte()?)).copied();
    unit.ok_or(DecodeError::Malformed("unit"))
}

fn places(r: &mut Reader<'_>) -> Result<u32> {
    let places = r.small()?;
    if places <= limits::DECIMAL_PLACES {
        Ok(places)
    } else {
        Err(DecodeError::Malformed("places"))
    }
}

fn target(r: &mut Reader<'_>) -> Result<TargetSource> {
    let effect = r.text()?;
    let kind = TargetKind::ALL.get(usize::from(r.byte()?)).copied();
    let kind = kind.ok_or(DecodeError::Malformed("target kind"))?;
    Ok(TargetSource {
        effect,
        kind,
        list: optional(r, steps)?,
        steps: steps(r)?,
        ty: ty(r)?,
    })
}

pub(super) fn steps(r: &mut Reader<'_>) -> Result<Vec<Step>> {
    r.list(|r| match r.byte()? {
        0 => Ok(Step::Field(r.small()?)),
        1 => Part::ALL
            .get(usize::from(r.byte()?))
            .map(|p| Step::Part(*p))
            .ok_or(DecodeError::Malformed("part")),
        _ => Err(DecodeError::Malformed("step")),
    })
}

fn scope(r: &mut Reader<'_>) -> Result<Scope> {
    r.nested(|r| {
        let rows = r.small()?;
        if rows as usize > limits::RULES * limits::ROWS_PER_RULE {
            return Err(DecodeError::Malformed("rows"));
        }
        Ok(Scope {
            rows,
            vars: r.list(|r| var(r, rows))?,
            lists: r.list(|r| list(r, rows))?,
        })
    })
}

fn var(r: &mut Reader<'_>, rows: u32) -> Result<Var> {
    let steps = steps(r)?;
    let classifier = classifier(r)?;
    let count = r.small()?;
    if highest(&classifier).is_none_or(|h| h + 1 >= count) {
        return Err(DecodeError::Malformed("classes"));
    }
    Ok(Var {
        steps,
        classifier,
        count,
        masks: masks(r, count, rows)?,
    })
}

/// The highest class a classifier gives.
fn highest(classifier: &Classifier) -> Option<u32> {
    match classifier {
        Classifier::Any => Some(0),
        Classifier::Bool => Some(1),
        Classifier::Cuts(cuts) => u32::try_from(cuts.len()).ok(),
        Classifier::Members(members) => members.iter().copied().max(),
        Classifier::Texts(texts) => {
            let (known, automaton, other) = texts.parts();
            let ends = automaton.map(Automaton::classes).unwrap_or_default();
            known
                .iter()
                .map(|(_, c)| *c)
                .chain(ends.iter().copied())
                .chain([other])
                .max()
        }
    }
}

fn classifier(r: &mut Reader<'_>) -> Result<Classifier> {
    Ok(match r.byte()? {
        0 => Classifier::Any,
        1 => Classifier::Bool,
        2 => {
            let cuts = r.list(Reader::wide)?;
            if !cuts.windows(2).all(|w| matches!(w, [a, b] if a < b)) {
                return Err(DecodeError::Malformed("cuts"));
            }
            Classifier::Cuts(cuts)
        }
        3 => Classifier::Members(r.list(Reader::small)?),
        4 => {
            let known = r.list(|r| Ok((r.text()?.into_boxed_str(), r.small()?)))?;
            if !known.windows(2).all(|w| matches!(w, [a, b] if a.0 < b.0)) {
                return Err(DecodeError::Malformed("known texts"));
            }
            let other = r.small()?;
            let automaton = match r.byte()? {
                0 => None,
                1 => Some(automaton(r)?),
                _ => return Err(DecodeError::Malformed("automaton")),
            };
            Classifier::Texts(Texts::new(known, automaton, other))
        }
        _ => return Err(DecodeError::Malformed("classifier")),
    })
}

fn automaton(r: &mut Reader<'_>) -> Result<Automaton> {
    let bytes: [u8; 256] = r.bytes(256)?.try_into().map_err(|_| DecodeError::Truncated)?;
    let stride = r.small()?;
    let accept = r.list(Reader::small)?;
    let next = r.list(Reader::small)?;
    Automaton::new(Box::new(bytes), stride, next, accept).ok_or(DecodeError::Malformed("automaton"))
}

fn masks(r: &mut Reader<'_>, count: u32, rows: u32) -> Result<Masks> {
    let constraints = r.list(|r| {
        let row = r.small()?;
        let mut classes = ClassSet::empty(count);
        for (start, length) in r.list(|r| Ok((r.small()?, r.small()?)))? {
            let end = start.checked_add(length).filter(|end| *end <= count);
            classes.insert_range(start, end.ok_or(DecodeError::Malformed("class"))?);
        }
        if row < rows {
            Ok(Constraint { row, classes })
        } else {
            Err(DecodeError::Malformed("row"))
        }
    })?;
    let sorted = constraints
        .windows(2)
        .all(|w| matches!(w, [a, b] if a.row < b.row));
    let bytes = super::masks::bytes(count, rows);
    if !sorted || bytes > limits::CLASS_TABLE_BYTES {
        return Err(DecodeError::Malformed("masks"));
    }
    Ok(Masks::build(count, rows, constraints))
}

fn list(r: &mut Reader<'_>, rows: u32) -> Result<List> {
    let steps = steps(r)?;
    let scope = scope(r)?;
    let predicates = r.list(|r| {
        let (start, end) = (r.small()?, r.small()?);
        if start > end || end > scope.rows {
            return Err(DecodeError::Malformed("predicate"));
        }
        Ok(Predicate {
            start,
            end,
            masks: masks(r, 2, rows)?,
        })
    })?;
    Ok(List {
        steps,
        scope,
        predicates,
    })
}
