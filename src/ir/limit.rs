//! Limits as data and as canonical bytes, both ways.

use super::codec::{Reader, Writer};
use super::decode::{self, DecodeError};
use super::encode::ty;
use super::slots;
use crate::hir::{Cond, LimitSpec, Package, Per, Term};

type Result<T> = std::result::Result<T, DecodeError>;

/// What a call of a tool costs of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolLimit {
    /// The limit, by index into `Program::limits`.
    pub limit: u32,
    /// Which calls count.
    pub when: Cond,
    /// What a call costs; one where nothing is said.
    pub cost: Option<Term>,
}

/// The limits that count calls of a tool.
pub(super) fn of_tool(package: &Package, tool: usize) -> Vec<ToolLimit> {
    let mut found = Vec::new();
    for (limit, number) in package.limits.iter().zip(0u32..) {
        let mine = limit.on.iter().filter(|on| on.tool == tool);
        found.extend(mine.map(|on| ToolLimit {
            limit: number,
            when: on.when.unplaced(),
            cost: on.cost.as_ref().map(Term::unplaced),
        }));
    }
    found
}

pub(super) fn encode(w: &mut Writer, limits: &[LimitSpec]) {
    w.list(limits, |w, limit| {
        w.text(&limit.name);
        match limit.per {
            Per::Time(millis) => {
                w.byte(0);
                w.int(millis);
            }
            Per::Session => w.byte(1),
            Per::Run => w.byte(2),
        }
        w.wide(limit.max);
        ty(w, &limit.ty);
        w.byte(u8::from(limit.by_tool));
        w.list(&limit.by, |w, name| w.text(name));
    });
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<Vec<LimitSpec>> {
    r.list(|r| {
        Ok(LimitSpec {
            name: r.text()?,
            per: match r.byte()? {
                0 => Per::Time(r.int()?),
                1 => Per::Session,
                2 => Per::Run,
                _ => return Err(DecodeError::Malformed("limit")),
            },
            max: r.wide()?,
            ty: decode::ty(r)?,
            by_tool: match r.byte()? {
                0 => false,
                1 => true,
                _ => return Err(DecodeError::Malformed("limit")),
            },
            by: r.list(Reader::text)?,
        })
    })
}

pub(super) fn encode_tool(w: &mut Writer, limits: &[ToolLimit]) {
    w.list(limits, |w, limit| {
        w.int(u64::from(limit.limit));
        slots::encode_cond(w, &limit.when);
        w.list(limit.cost.as_slice(), slots::term);
    });
}

pub(super) fn decode_tool(r: &mut Reader<'_>) -> Result<Vec<ToolLimit>> {
    r.list(|r| {
        Ok(ToolLimit {
            limit: r.small()?,
            when: slots::decode_cond(r)?,
            cost: decode::optional(r, slots::decode_term)?,
        })
    })
}
