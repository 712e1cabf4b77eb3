//! JSON for people and pipes: indented, members in the order they were built, and every character that could act on
//! a terminal escaped. It is not the canonical form; nothing signs or digests it.

use super::ui::is_hidden;
use crate::json::Json;
use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// The text of a document, with a line end.
pub fn write(document: &Json) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Escaping(PrettyFormatter::new()));
    // Writing to memory does not fail, and a `Json` has nothing that serde_json refuses.
    let _written = document.serialize(&mut serializer);
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

/// serde_json's indented form with hidden characters escaped.
struct Escaping(PrettyFormatter<'static>);

impl Formatter for Escaping {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if is_hidden(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                write!(out, "{c}")?;
            }
        }
        Ok(())
    }
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
