//! The JSON Canonicalization Scheme (RFC 8785). In: a tree. Out: the one text everything is digested and signed as.
//! Numbers are already canonical (`json::Number`), so nothing is rounded here.

use crate::json::{Json, plain_run};

/// Writes the canonical text (RFC 8785 section 3.2).
pub fn to_vec(json: &Json) -> Vec<u8> {
    let mut out = String::with_capacity(SPACE);
    write(json, &mut out);
    out.into_bytes()
}

/// Writes the canonical text of an object of these members, whose names are distinct.
pub fn object_to_vec(members: &[(&str, &Json)]) -> Vec<u8> {
    let mut out = String::with_capacity(SPACE);
    object(members.iter().copied(), &mut out);
    out.into_bytes()
}

/// What most documents need, in bytes.
const SPACE: usize = 512;

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
        Json::Object(members) => object(members.iter().map(|(key, value)| (key.as_str(), value)), out),
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

/// Members sorted by the UTF-16 code units of their names (section 3.2.3), which is not the order of UTF-8 bytes, but for
/// ASCII.
fn object<'j>(members: impl Iterator<Item = (&'j str, &'j Json)>, out: &mut String) {
    let mut sorted: Vec<(&str, &Json)> = members.collect();
    if sorted.iter().all(|(key, _)| key.is_ascii()) {
        sorted.sort_unstable_by_key(|(key, _)| *key);
    } else {
        sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
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
    let mut rest = text;
    loop {
        let (plain, after) = rest.split_at(plain_run(rest.as_bytes()));
        out.push_str(plain);
        let mut after = after.chars();
        match after.next() {
            None => break,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\r') => out.push_str("\\r"),
            Some(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
        rest = after.as_str();
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
