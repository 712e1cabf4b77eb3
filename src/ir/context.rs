//! The context in a program: every declared field, and which of them the rules of a tool look at, so that a decision
//! binds no more than it needs.

use super::codec::Writer;
use super::encode;
use crate::domain::{AttestedBy, Trust};
use crate::hir::{Cond, Package, Place, Slot, Step};
use crate::ty::Field;
use std::collections::BTreeSet;

/// A field of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextField {
    /// Its name and type.
    pub field: Field,
    /// Whether it is verified.
    pub trust: Trust,
    /// The member of the intent that holds it, step by step from the document; none for what the host supplies, or somebody attests.
    pub from: Option<Vec<String>>,
    /// Who vouches for it, where it is not the host.
    pub attested: Option<AttestedBy>,
    /// Its type, encoded: what a value was bound to that somebody holds.
    pub ty: Vec<u8>,
}

impl ContextField {
    /// A field of a name and type.
    pub fn new(field: Field, trust: Trust, from: Option<Vec<String>>) -> ContextField {
        let mut writer = Writer::default();
        encode::ty(&mut writer, &field.ty);
        ContextField {
            field,
            trust,
            from,
            attested: None,
            ty: writer.bytes,
        }
    }

    /// Whether whoever hands facts over may say it: neither the intent does, nor somebody by signature.
    pub fn is_of_host(&self) -> bool {
        self.from.is_none() && self.attested.is_none()
    }
}

/// The fields of a package.
pub(super) fn fields(package: &Package) -> Vec<ContextField> {
    let each = |f: &crate::hir::ContextField| ContextField {
        attested: f.attested.clone(),
        ..ContextField::new(f.field.clone(), f.trust, f.from.clone())
    };
    package.context.iter().map(each).collect()
}

/// The fields that the conditions on a tool with `args` arguments and these slots look at, by index, in order.
pub fn uses<'c>(args: usize, slots: &[Slot], conditions: impl Iterator<Item = &'c Cond>) -> Vec<u32> {
    let context = u32::try_from(args).unwrap_or(u32::MAX);
    let mut found = BTreeSet::new();
    let mut see = |place: &Place| {
        if let (0, [Step::Field(first), Step::Field(field), ..]) = (place.level, place.steps.as_slice())
            && *first == context
        {
            found.insert(*field);
        }
    };
    conditions.for_each(|condition| condition.each_place(&mut see));
    slots.iter().for_each(|slot| slot.each_place(&mut see));
    found.into_iter().collect()
}
