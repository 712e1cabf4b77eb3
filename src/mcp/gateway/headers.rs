//! Headers that say arguments (`Mcp-Param-…`), as schemas name them (`x-mcp-header`). Whoever looks at headers alone must see what is called. In:
//! headers, schema and arguments. Out: nothing, or what disagrees.

use crate::json::Json;
use std::collections::BTreeMap;

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
