//! Building the records that types with several parts look like: `Command`, `Sql`.

use crate::limits;
use crate::ty::{Field, Ty};

/// A field.
pub(super) fn field(name: &str, ty: Ty) -> Field {
    Field {
        name: name.to_owned(),
        ty,
    }
}

/// A list as long as any.
pub(super) fn list(element: Ty) -> Ty {
    Ty::List {
        element: Box::new(element),
        max: limits::LIST_ITEMS,
    }
}

/// An enum in place.
pub(super) fn members(members: &[&str]) -> Ty {
    Ty::Enum {
        name: format!("enum {{ {} }}", members.join(", ")),
        members: members.iter().map(|&m| m.to_owned()).collect(),
        ordered: false,
    }
}
