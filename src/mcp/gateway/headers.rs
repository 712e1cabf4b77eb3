//! Headers that say arguments (`Mcp-Param-…`), as schemas name them (`x-mcp-header`). Whoever looks at headers alone must see what is called. In:
//! headers, schema and arguments. Out: nothing, or what disagrees.

use crate::json::Json;
use std::collections::{BTreeMap, BTreeSet};

/// The member of a schema that names a header.
const KEY: &str = "x-mcp-header";

/// Whether headers say what the arguments are. `must` wants a header for each argument whose schema names one. A header that the schema does not
/// name says nothing.
pub fn agree(
    headers: &BTreeMap<String, Option<String>>,
    schema: Option<&Json>,
    arguments: Option<&Json>,
    must: bool,
) -> Result<(), String> {
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    for (name, property) in properties.unwrap_or_default() {
        let argument = arguments.and_then(|all| all.get(name));
        agree(headers, Some(property), argument, must)?;
        let Some(header) = property.get(KEY).and_then(Json::as_str) else {
            continue;
        };
        let wrong = || {
            format!(
                "the header Mcp-Param-{} does not say what the call says",
                header.escape_debug()
            )
        };
        match (headers.get(&header.to_ascii_lowercase()), argument) {
            (None, None) => {}
            (None, Some(Json::Null)) => {}
            (None, Some(_)) if !must => {}
            (Some(Some(said)), Some(argument)) if text(argument).as_deref() == Some(said) => {}
            _ => return Err(wrong()),
        }
    }
    Ok(())
}

/// Where a schema stands in another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is the whole one.
    Root,
    /// It is that of an argument, or of a part of one.
    Property,
    /// Anywhere else, where nobody knows whether it is about an argument.
    Elsewhere,
}

/// Whether a schema names headers as it may: each of an argument that is a text, a whole number or a truth, by a name that a header may have, and
/// that no other has. A tool with another schema is called by nobody, since what is between would not see what is called.
pub fn are_good(schema: Option<&Json>) -> bool {
    schema.is_none_or(|schema| is_good(schema, Place::Root, &mut BTreeSet::new()))
}

fn is_good(schema: &Json, place: Place, seen: &mut BTreeSet<String>) -> bool {
    let members = schema.as_object().unwrap_or_default();
    if let Some(header) = schema.get(KEY) {
        let kind = schema.get("type").and_then(Json::as_str);
        let is_plain = kind.is_some_and(|kind| ["string", "integer", "boolean"].contains(&kind));
        let name = header.as_str().filter(|name| is_token(name));
        let is_new = name.is_some_and(|name| seen.insert(name.to_ascii_lowercase()));
        if place != Place::Property || !is_plain || !is_new {
            return false;
        }
    }
    let inner = match place {
        Place::Root | Place::Property => Place::Property,
        Place::Elsewhere => Place::Elsewhere,
    };
    members.iter().all(|(name, value)| {
        let mut each = |value: &Json, place| {
            let members = value.as_object().unwrap_or_default();
            members.iter().all(|(_, schema)| is_good(schema, place, seen))
        };
        match name.as_str() {
            // Values, and no schemas.
            "enum" | "const" | "default" | "examples" => true,
            "properties" => each(value, inner),
            "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                each(value, Place::Elsewhere)
            }
            _ => {
                let all = value.as_array().unwrap_or(std::slice::from_ref(value));
                all.iter().all(|schema| is_good(schema, Place::Elsewhere, seen))
            }
        }
    })
}

/// Whether a text may name a header (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let is_of = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_of)
}

/// The headers of arguments, as a schema names them.
pub fn of(schema: Option<&Json>, arguments: Option<&Json>) -> Vec<(String, String)> {
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let mut headers = Vec::new();
    for (name, property) in properties.unwrap_or_default() {
        let argument = arguments.and_then(|all| all.get(name));
        headers.extend(of(Some(property), argument));
        if let (Some(header), Some(said)) =
            (property.get(KEY).and_then(Json::as_str), argument.and_then(text))
        {
            headers.push((header.to_owned(), said));
        }
    }
    headers
}

/// A value as a header says it; none where it cannot.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Number(number) => Some(number.text().to_owned()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn a_schema_names_each_header_once_and_of_an_argument() {
        let header = |of: &str, name: &str| format!(r#"{{"type":"{of}","x-mcp-header":"{name}"}}"#);
        let properties = |a: &str, b: &str| format!(r#"{{"properties":{{"a":{a},"b":{b}}}}}"#);
        let plain = r#"{"type":"array","items":{"type":"string"}}"#;
        for (schema, good) in [
            ("{}".to_owned(), true),
            (properties(&header("string", "A"), &header("integer", "B")), true),
            (properties(&header("boolean", "A-1"), plain), true),
            (
                properties(&properties(&header("string", "A"), plain), plain),
                true,
            ),
            // A value is no schema, and an argument may have this name.
            (
                r#"{"default":{"x-mcp-header":"A"},"properties":{"x-mcp-header":{"type":"string"}}}"#
                    .to_owned(),
                true,
            ),
            (properties(&header("string", "A"), &header("string", "a")), false),
            (properties(&header("number", "A"), plain), false),
            (properties(&header("object", "A"), plain), false),
            (properties(&header("string", ""), plain), false),
            (properties(&header("string", "A B"), plain), false),
            (properties(&header("string", "A:"), plain), false),
            (properties(&header("string", "é"), plain), false),
            (properties(r#"{"x-mcp-header":"A"}"#, plain), false),
            (properties(r#"{"type":"string","x-mcp-header":1}"#, plain), false),
            (header("string", "A"), false),
            (format!(r#"{{"items":{}}}"#, header("string", "A")), false),
            (
                format!(r#"{{"allOf":[{}]}}"#, properties(&header("string", "A"), plain)),
                false,
            ),
            (format!(r#"{{"$defs":{{"d":{}}}}}"#, header("string", "A")), false),
        ] {
            let schema = parse(schema.as_bytes()).unwrap();
            assert_eq!(are_good(Some(&schema)), good, "{schema:?}");
        }
    }

    #[test]
    fn a_header_of_an_argument_says_the_argument() {
        let schema = r#"{"properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"x-mcp-header":"N"},
            "in":{"properties":{"deep":{"x-mcp-header":"Deep"}}},"free":{"type":"string"}}}"#;
        let schema = parse(schema.as_bytes()).unwrap();
        for (headers, arguments, must, good) in [
            (&[][..], r#"{"free":"x"}"#, true, true),
            (&[("region", "eu")], r#"{"region":"eu"}"#, true, true),
            (&[("region", "us")], r#"{"region":"eu"}"#, false, false),
            (&[("region", "EU")], r#"{"region":"eu"}"#, false, false),
            (&[("region", "eu")], r#"{}"#, false, false),
            (&[], r#"{"region":"eu"}"#, true, false),
            (&[], r#"{"region":"eu"}"#, false, true),
            (&[("n", "7")], r#"{"n":7}"#, true, true),
            (&[("n", "7.0")], r#"{"n":7}"#, true, false),
            (&[("n", "true")], r#"{"n":true}"#, true, true),
            (&[("n", "[]")], r#"{"n":[]}"#, true, false),
            (&[("deep", "a")], r#"{"in":{"deep":"a"}}"#, true, true),
            (&[("deep", "b")], r#"{"in":{"deep":"a"}}"#, true, false),
            (&[("deep", "b")], r#"{"in":"a"}"#, true, false),
            (&[("other", "b")], r#"{}"#, true, true),
            (&[("other", "?")], r#"{}"#, true, true),
            (&[("region", "?")], r#"{"region":"?"}"#, false, false),
            (&[("region", "?")], r#"{}"#, false, false),
        ] {
            // What cannot be read is written as `?` here.
            let value = |value: &str| (value != "?").then(|| value.to_owned());
            let headers: BTreeMap<String, Option<String>> = headers
                .iter()
                .map(|(name, said)| ((*name).to_owned(), value(said)))
                .collect();
            let arguments = parse(arguments.as_bytes()).unwrap();
            let found = agree(&headers, Some(&schema), Some(&arguments), must);
            assert_eq!(found.is_ok(), good, "{headers:?} {arguments:?}");
            let own = of(Some(&schema), Some(&arguments)).into_iter();
            let own = own
                .map(|(name, value)| (name.to_ascii_lowercase(), Some(value)))
                .collect();
            assert!(agree(&own, Some(&schema), Some(&arguments), false).is_ok());
        }
        assert!(agree(&BTreeMap::new(), None, None, true).is_ok());
    }
}
