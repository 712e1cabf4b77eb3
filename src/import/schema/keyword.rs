//! Single keywords of JSON Schema, read leniently about dialect and strictly about form. In: a schema object. Out:
//! what the keyword says. It must not go down into subschemas.

use std::collections::BTreeSet;

use super::Remark;
use crate::json::{Json, pointer};

/// Keywords that allow nothing and forbid nothing; `$defs` speak where they are referred to. `default` is read with
/// the members.
pub(super) const HARMLESS: [&str; 14] = [
    "title",
    "description",
    "examples",
    "example",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$id",
    "$comment",
    "$anchor",
    "$defs",
    "definitions",
];

/// Names of types in other dialects and what JSON Schema calls them.
const ALIASES: [(&str, &str); 12] = [
    ("dict", "object"),
    ("hashmap", "object"),
    ("float", "number"),
    ("double", "number"),
    ("int", "integer"),
    ("long", "integer"),
    ("bool", "boolean"),
    ("str", "string"),
    ("char", "string"),
    ("tuple", "array"),
    ("list", "array"),
    ("arraylist", "array"),
];

/// What `type` says, or what the other keywords let it be.
pub(super) struct TypeNames {
    /// Without `null`, aliases replaced, distinct, in the order written.
    pub(super) names: Vec<String>,
    /// Whether `null` is allowed.
    pub(super) nullable: bool,
}

/// Reads `type`. A schema without it is an object when it has `properties`, an array when it has `items`.
pub(super) fn type_names(schema: &Json, at: &str) -> Result<TypeNames, Remark> {
    let written = match schema.get("type") {
        Some(Json::String(one)) => vec![one.as_str()],
        Some(Json::Array(several)) if several.iter().all(|t| t.as_str().is_some()) => {
            several.iter().filter_map(Json::as_str).collect()
        }
        Some(_) => {
            return Err((
                pointer::child(at, "type"),
                "`type` is neither a name nor names".to_owned(),
            ));
        }
        None if schema.get("properties").is_some() => vec!["object"],
        None if schema.get("items").is_some() || schema.get("prefixItems").is_some() => vec!["array"],
        None => match first_value(schema) {
            Some(Json::Bool(_)) => vec!["boolean"],
            Some(Json::Number(n)) if n.to_scaled(0).is_some() => vec!["integer"],
            Some(Json::Number(_)) => vec!["number"],
            _ => Vec::new(),
        },
    };
    let mut out = TypeNames {
        names: Vec::new(),
        nullable: nullable(schema),
    };
    for name in written {
        let lower = name.to_ascii_lowercase();
        let plain = ALIASES
            .iter()
            .find(|(alias, _)| *alias == lower)
            .map_or(lower.as_str(), |(_, plain)| plain);
        if plain == "null" {
            out.nullable = true;
        } else if !out.names.iter().any(|n| n == plain) {
            out.names.push(plain.to_owned());
        }
    }
    Ok(out)
}

/// A value of `const` or `enum` that shows the type of a schema without `type`, when all are of one kind.
fn first_value(schema: &Json) -> Option<&Json> {
    if let Some(value) = schema.get("const") {
        return Some(value);
    }
    let values = schema.get("enum")?.as_array()?;
    let whole = |v: &Json| matches!(v, Json::Number(n) if n.to_scaled(0).is_some());
    let first = values
        .iter()
        .find(|v| matches!(v, Json::Number(_)) && !whole(v))
        .or_else(|| values.first())?;
    values.iter().all(|v| v.kind() == first.kind()).then_some(first)
}

/// The schema of an object's members, where they have one schema and none is named.
pub(super) fn map_values(schema: &Json) -> Option<&Json> {
    let named = schema
        .get("properties")
        .is_some_and(|p| p.as_object() != Some(&[]));
    let values = schema.get("additionalProperties")?;
    let says_something = values.as_object().is_some_and(|keys| !keys.is_empty());
    (!named && says_something).then_some(values)
}

/// OpenAPI's `nullable: true`.
pub(super) fn nullable(schema: &Json) -> bool {
    schema.get("nullable").and_then(Json::as_bool) == Some(true)
}

/// Whether the schema allows `null` and nothing else.
pub(super) fn is_null(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("null") || schema.get("const") == Some(&Json::Null)
}

/// Whether nothing beside a choice says what the value is; otherwise the choice only narrows and is noted.
pub(super) fn says_nothing(schema: &Json) -> bool {
    ["type", "properties", "items", "enum", "const", "$ref"]
        .iter()
        .all(|key| schema.get(key).is_none())
}

/// Whether one is `integer` and the other `number`.
pub(super) fn are_numbers(a: &str, b: &str) -> bool {
    matches!((a, b), ("integer", "number") | ("number", "integer"))
}

/// The words of an `enum` or `const`.
pub(super) struct Words {
    /// Distinct, in the order written; not empty.
    pub(super) members: Vec<String>,
    /// Whether `null` is allowed.
    pub(super) nullable: bool,
}

/// Reads `const` and `enum` where every value is a string, or `null` beside strings.
pub(super) fn words(schema: &Json) -> Option<Words> {
    let constant = schema.get("const").map(std::slice::from_ref);
    let values = constant.or_else(|| schema.get("enum").and_then(Json::as_array))?;
    let mut out = Words {
        members: Vec::new(),
        nullable: nullable(schema),
    };
    let mut seen = BTreeSet::new();
    for value in values {
        match value {
            Json::Null => out.nullable = true,
            Json::String(word) if seen.insert(word) => out.members.push(word.to_string()),
            Json::String(_) => {}
            _ => return None,
        }
    }
    (!out.members.is_empty()).then_some(out)
}

/// The names in `required`. Draft 3 wrote a boolean into each property; that form is refused as unreadable.
pub(super) fn required<'a>(schema: &'a Json, at: &str) -> Result<BTreeSet<&'a str>, Remark> {
    let bad = || {
        (
            pointer::child(at, "required"),
            "`required` is not a list of names".to_owned(),
        )
    };
    match schema.get("required") {
        None => Ok(BTreeSet::new()),
        Some(Json::Array(names)) => names.iter().map(|n| n.as_str().ok_or_else(bad)).collect(),
        Some(_) => Err(bad()),
    }
}

/// The schemas of an array's elements: `prefixItems`, and `items` as one schema or, in old drafts, as several.
pub(super) fn elements<'a>(schema: &'a Json, at: &str) -> Vec<(&'a Json, String)> {
    let mut out = Vec::new();
    for key in ["prefixItems", "items"] {
        let place = pointer::child(at, key);
        match schema.get(key) {
            Some(Json::Array(items)) => {
                let each = |(i, item): (usize, &'a Json)| (item, pointer::child(&place, &i.to_string()));
                out.extend(items.iter().enumerate().map(each));
            }
            // `items: false` after `prefixItems` says that nothing follows.
            Some(Json::Bool(false) | Json::Null) | None => {}
            Some(item) => out.push((item, place)),
        }
    }
    out
}
