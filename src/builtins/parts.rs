//! Building the records that types with several parts look like: `Command`, `Sql`.

use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::Value;

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

/// How many of these records, from the first on, have at most so many elements in all their lists of one name.
pub(super) fn fitting(records: &[Value], most: usize) -> usize {
    let mut counts: Vec<usize> = Vec::new();
    let fits = |record: &Value| {
        let fields = record.fields().unwrap_or_default();
        counts.resize(counts.len().max(fields.len()), 0);
        let lists = fields.iter().zip(&mut counts);
        lists.fold(true, |fits, (field, count)| {
            if let Value::List(items) = field {
                *count += items.len();
            }
            fits && *count <= most
        })
    };
    records.iter().map(fits).take_while(|fits| *fits).count()
}

/// An enum in place.
pub(super) fn members(members: &[&str]) -> Ty {
    Ty::Enum {
        name: format!("enum {{ {} }}", members.join(", ")),
        members: members.iter().map(|&m| m.to_owned()).collect(),
        ordered: false,
    }
}
