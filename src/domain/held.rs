//! Facts that a host holds: what it says of a thing with many calls, such as the groups of a user, bound to its declared type
//! once. `gate::request::hold` makes them, and a gate takes them only where the policy declares the same type.

use crate::json::Json;
use crate::value::Value;

/// A fact, with the value it was bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFact {
    name: String,
    said: Json,
    /// The declared type, encoded.
    ty: Vec<u8>,
    value: Value,
}

impl HeldFact {
    /// A fact that was bound to a type, whose encoding this is.
    pub(crate) fn new(name: String, said: Json, ty: Vec<u8>, value: Value) -> HeldFact {
        HeldFact {
            name,
            said,
            ty,
            value,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the host says.
    pub fn said(&self) -> &Json {
        &self.said
    }

    /// The value, where the fact is declared of this type.
    pub fn value(&self, ty: &[u8]) -> Option<&Value> {
        (self.ty == ty).then_some(&self.value)
    }
}
