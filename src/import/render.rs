//! Writes tool declarations. In: names and types. Out: `.gaitpol` text, one argument per line. It chooses nothing.

use crate::limits;
use crate::syntax::quote;
use crate::ty::{Field, Ty};

/// One tool, with an empty line before it.
pub(super) fn tool(name: &str, description: Option<&str>, arguments: &str) -> String {
    let name = quote::dotted_name(name);
    let description = description
        .map(|d| format!(" {}", quote::string(d)))
        .unwrap_or_default();
    format!("\ntool {name}{description} {{\n{arguments}}}\n")
}

/// The lines between the braces of a tool.
pub(super) fn arguments(fields: &[Field]) -> String {
    fields
        .iter()
        .map(|f| format!("  {}: {}\n", quote::member_name(&f.name), ty(&f.ty)))
        .collect()
}

/// A type as source. `Ty` prints an enum by its name; imported enums have none and are written out.
fn ty(of: &Ty) -> String {
    match of {
        Ty::Enum { members, .. } => {
            let members: Vec<String> = members.iter().map(|m| quote::member_name(m)).collect();
            format!("enum {{ {} }}", members.join(", "))
        }
        Ty::List { element, max } => format!("List[{}, max {max}]", ty(element)),
        Ty::Set { element, max } => format!("Set[{}, max {max}]", ty(element)),
        Ty::Map { key, value, max } => format!("Map[{}, {}, max {max}]", ty(key), ty(value)),
        Ty::Optional(inner) => format!("{}?", ty(inner)),
        Ty::Record(fields) => {
            let field = |f: &Field| format!("{}: {}", quote::member_name(&f.name), ty(&f.ty));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Ty::String { max } if *max >= limits::STRING_BYTES => "String".to_owned(),
        other => other.to_string(),
    }
}
