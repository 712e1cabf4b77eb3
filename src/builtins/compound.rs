//! `List`, `Set`, `Map`, `T?` and records as the manual describes them. They have no text of their own: `bind` walks them, and the
//! examples here are run through it.

use super::Doc;

/// What the manual says about `List`.
pub const LIST: Doc = Doc {
    name: "List[T, max n]",
    summary: "At most n elements of one type, in order",
    json: "array",
    canonical: "each element canonical, order and repetitions kept",
    rules: &[
        "at most n elements",
        "every element is of the element type; one that is not refuses the list",
    ],
    parts: &[],
    operators: &["any", "all", "len()"],
    example_type: "List[Host, max 2]",
    examples: &[
        (r#"["A.com","b.com."]"#, Ok(r#"["a.com","b.com"]"#)),
        ("[]", Ok("[]")),
        (
            r#"["a.com","a.com","a.com"]"#,
            Err("the list has over 2 elements"),
        ),
        (r#"["a.com",1]"#, Err("expected a string, found a number")),
        (r#""a.com""#, Err("expected an array, found a string")),
    ],
};

/// What the manual says about `Set`.
pub const SET: Doc = Doc {
    name: "Set[T, max n]",
    summary: "At most n elements of one type, each once, without order",
    json: "array",
    canonical: "each element canonical, sorted; the order of arrival means nothing",
    rules: &[
        "at most n elements",
        "every element is of the element type; one that is not refuses the set",
        "elements that are the same once they are canonical are refused, not dropped",
    ],
    parts: &[],
    operators: &["any", "all", "len()"],
    example_type: "Set[Host, max 3]",
    examples: &[
        (r#"["b.com","A.com"]"#, Ok(r#"["a.com","b.com"]"#)),
        ("[]", Ok("[]")),
        (r#"["a.com","A.com."]"#, Err("the set has this element twice")),
        (
            r#"["a.com","b.com","c.com","d.com"]"#,
            Err("the set has over 3 elements"),
        ),
        (r#"["a.com",null]"#, Err("expected a string, found null")),
        (r#""a.com""#, Err("expected an array, found a string")),
    ],
};

/// What the manual says about `Map`.
pub const MAP: Doc = Doc {
    name: "Map[K, V, max n]",
    summary: "At most n members whose names the tool does not fix",
    json: "object",
    canonical: "keys as received, sorted by their bytes; each value canonical",
    rules: &[
        "at most n members",
        "K is a `String[max n]` or an enum; a key that is no value of it refuses the map",
        "keys are compared byte by byte, without Unicode normalisation or case folding: `Host` and `host` are two",
        "every value is of the type V; `null` is refused",
        "a quantifier ranges over the entries, each with `.key` and `.value`",
        "`m[k]` is the value under a key, of type `V?`: missing where the map has no such key",
    ],
    parts: &[("key", "K"), ("value", "V")],
    operators: &["any", "all", "len()"],
    example_type: "Map[String[max 4], Host, max 2]",
    examples: &[
        (
            r#"{"cc":"B.com","a":"A.com."}"#,
            Ok(r#"{"a":"a.com","cc":"b.com"}"#),
        ),
        ("{}", Ok("{}")),
        (
            r#"{"a":"a.com","A":"a.com","b":"a.com"}"#,
            Err("the map has over 2 members"),
        ),
        (
            r#"{"longer":"a.com"}"#,
            Err("the key is refused: the string is over 4 bytes"),
        ),
        (r#"{"a":1}"#, Err("expected a string, found a number")),
        (r#"{"a":null}"#, Err("expected a string, found null")),
        (r#"[["a","a.com"]]"#, Err("expected an object, found an array")),
    ],
};

/// What the manual says about optionals.
pub const OPTIONAL: Doc = Doc {
    name: "T?",
    summary: "A value that may be missing",
    json: "as T, or `null`, or not there",
    canonical: "as T; a missing member of a record is left out",
    rules: &["missing and `null` are the same; an empty string or list is not missing"],
    parts: &[],
    operators: &["present", "else", "any", "all"],
    example_type: "Host?",
    examples: &[
        ("null", Ok("null")),
        (r#""A.com""#, Ok(r#""a.com""#)),
        (r#""""#, Err("the host is empty")),
        ("false", Err("expected a string, found a boolean")),
    ],
};

/// What the manual says about records.
pub const RECORD: Doc = Doc {
    name: "{ a: T, b: U }",
    summary: "Named fields, each with its type",
    json: "object",
    canonical: "fields in the order declared, missing ones left out",
    rules: &[
        "exactly the members declared; any other is refused",
        "a field without `?` must be there",
    ],
    parts: &[("a", "T")],
    operators: &[".a"],
    example_type: "{ host: Host, port: Int? }",
    examples: &[
        (r#"{"host":"A.com","port":null}"#, Ok(r#"{"host":"a.com"}"#)),
        (r#"{"port":1,"host":"a.com"}"#, Ok(r#"{"host":"a.com","port":1}"#)),
        (r#"{"port":1}"#, Err("`host` is missing")),
        (r#"{"host":"a.com","Port":1}"#, Err("`Port` is not declared")),
        ("[]", Err("expected an object, found an array")),
    ],
};

#[cfg(test)]
mod tests {
    use super::{LIST, MAP, OPTIONAL, RECORD, SET};
    use crate::builtins::{Doc, Refused, bind, testing};
    use crate::json::{self, Json};
    use crate::ty::{Field, Ty};

    /// Enough of a writer for the examples.
    fn write(json: &Json) -> String {
        let list = |items: Vec<String>| items.join(",");
        match json {
            Json::Null => "null".into(),
            Json::Bool(b) => b.to_string(),
            Json::Number(number) => number.text().into(),
            Json::String(text) => format!("\"{text}\""),
            Json::Array(items) => format!("[{}]", list(items.iter().map(write).collect())),
            Json::Object(members) => {
                format!(
                    "{{{}}}",
                    list(
                        members
                            .iter()
                            .map(|(k, v)| format!("\"{k}\":{}", write(v)))
                            .collect()
                    )
                )
            }
        }
    }

    fn check(doc: &Doc, ty: &Ty) {
        assert_eq!(doc.example_type, ty.to_string());
        testing::run(doc, |input| {
            let value = bind::bind(&json::parse(input.as_bytes()).unwrap(), ty);
            value
                .map(|value| write(&bind::to_json(&value, ty)))
                .map_err(|error| Refused::new(error.message))
        });
    }

    #[test]
    fn examples() {
        check(
            &LIST,
            &Ty::List {
                element: Box::new(Ty::Host),
                max: 2,
            },
        );
        check(
            &SET,
            &Ty::Set {
                element: Box::new(Ty::Host),
                max: 3,
            },
        );
        check(
            &MAP,
            &Ty::Map {
                key: Box::new(Ty::String { max: 4 }),
                value: Box::new(Ty::Host),
                max: 2,
            },
        );
        check(&OPTIONAL, &Ty::Optional(Box::new(Ty::Host)));
        let port = Ty::Optional(Box::new(Ty::Int));
        let fields = [("host", Ty::Host), ("port", port)].map(|(name, ty)| Field {
            name: name.into(),
            ty,
        });
        check(&RECORD, &Ty::Record(fields.into()));
    }
}
