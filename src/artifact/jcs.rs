//! The JSON Canonicalization Scheme (RFC 8785). In: a tree. Out: the one text everything is digested and signed as.
//! Numbers are already canonical (`json::Number`), so nothing is rounded here.

use crate::json::Json;

/// Writes the canonical text (RFC 8785 section 3.2).
pub fn to_vec(json: &Json) -> Vec<u8> {
    let mut out = String::new();
    write(json, &mut out);
    out.into_bytes()
}

/// Whether `bytes` are the canonical text of `json`, which was read from them.
pub fn is_canonical(json: &Json, bytes: &[u8]) -> bool {
    to_vec(json) == bytes
}

fn write(json: &Json, out: &mut String) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => out.push_str(number.text()),
        Json::String(text) => string(text, out),
        Json::Array(items) => array(items, out),
        Json::Object(members) => object(members, out),
    }
}

fn array(items: &[Json], out: &mut String) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// Members sorted by the UTF-16 code units of their names (section 3.2.3), which is not the order of UTF-8 bytes.
fn object(members: &[(String, Json)], out: &mut String) {
    let mut sorted: Vec<&(String, Json)> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(key, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

/// A string with only the escapes of section 3.2.2.2: seven short ones, `\u00xx` for other controls.
fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::to_vec;
    use crate::json::parse;

    #[test]
    fn writes_the_canonical_text() {
        for (given, canonical) in [
            (r#"{"b":1,"a":[true,null]}"#, r#"{"a":[true,null],"b":1}"#),
            (
                r#"{"\ue000":1,"\ud83d\ude00":2}"#,
                "{\"\u{1f600}\":2,\"\u{e000}\":1}",
            ),
            (r#""\u0007\u0008\/\u007f\u00e9""#, "\"\\u0007\\b/\u{7f}é\""),
            ("[1.0,1e21,-0,0.000001,1E-7]", "[1,1e+21,0,0.000001,1e-7]"),
        ] {
            let text = to_vec(&parse(given.as_bytes()).unwrap());
            assert_eq!(String::from_utf8(text.clone()).unwrap(), canonical);
            assert_eq!(
                to_vec(&parse(&text).unwrap()),
                text,
                "canonical text is a fixed point"
            );
        }
    }
}
