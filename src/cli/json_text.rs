//! JSON for people and pipes: indented, members in the order they were built, and every character that could act on
//! a terminal escaped. It is not the canonical form; nothing signs or digests it.

use super::ui::is_hidden;
use crate::json::Json;

/// The text of a document, with a line end.
pub fn write(document: &Json) -> String {
    let mut out = String::new();
    value(document, 0, &mut out);
    out.push('\n');
    out
}

fn value(json: &Json, depth: usize, out: &mut String) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Json::Number(number) => out.push_str(number.text()),
        Json::String(text) => string(text, out),
        Json::Array(items) if items.is_empty() => out.push_str("[]"),
        Json::Object(members) if members.is_empty() => out.push_str("{}"),
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { '[' } else { ',' });
                line(depth + 1, out);
                value(item, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        Json::Object(members) => {
            for (i, (key, member)) in members.iter().enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                line(depth + 1, out);
                string(key, out);
                out.push_str(": ");
                value(member, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
    }
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::json::{Json, parse};

    #[test]
    fn writes_what_the_strict_reader_reads_back() {
        let hostile = "\u{1b}[31m \"q\" \\ \n\t\r \u{0} \u{7f} \u{9b} \u{202e} \u{e0041} é 😀";
        let document = Json::object([
            (
                hostile,
                Json::Array(vec![
                    Json::Null,
                    Json::Bool(true),
                    Json::int(-7),
                    Json::str(hostile),
                ]),
            ),
            ("empty", Json::Array(Vec::new())),
            ("none", Json::Object(Vec::new())),
        ]);
        let text = write(&document);
        assert_eq!(parse(text.as_bytes()).unwrap(), document);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}
