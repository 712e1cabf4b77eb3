//! The strict reader, by hand: a derive or a visitor over serde_json would let duplicate keys, rounded numbers and
//! private marker keys through (docs/decisions.md, "Own JSON reader"). One pass, one byte of look-ahead.

use super::{Json, Number, Text, plain_run};
use crate::limits;
use std::collections::BTreeSet;

/// Why a document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// It is not JSON (RFC 8259).
    Syntax,
    /// An object names a member twice.
    DuplicateKey,
    /// A number that RFC 8785 cannot carry exactly.
    Number,
    /// Nested deeper than `limits::JSON_DEPTH`.
    Depth,
    /// Longer than `limits::JSON_BYTES`.
    Size,
}

/// A refused document: the kind, a sentence, and the byte it was noticed at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (byte {at})")]
pub struct JsonError {
    /// The kind.
    pub kind: JsonErrorKind,
    /// What is wrong.
    pub message: String,
    /// Byte offset from 0.
    pub at: usize,
}

/// What becomes of a number that RFC 8785 cannot carry exactly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// The document is refused.
    Exact,
    /// It keeps the text it was written with.
    AsWritten,
}

/// Reads one JSON document.
pub fn parse(bytes: &[u8]) -> Result<Json, JsonError> {
    read(bytes, Numbers::Exact)
}

/// Reads one JSON document in which numbers may be past what RFC 8785 carries, such as a bound in a schema. Such a
/// number keeps its exact value and its own text, so a document read this way must never be digested or sent on.
pub fn parse_any_numbers(bytes: &[u8]) -> Result<Json, JsonError> {
    read(bytes, Numbers::AsWritten)
}

fn read(bytes: &[u8], numbers: Numbers) -> Result<Json, JsonError> {
    if bytes.len() > limits::JSON_BYTES {
        return Err(error(
            JsonErrorKind::Size,
            format!("document over {} bytes", limits::JSON_BYTES),
            0,
        ));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|e| error(JsonErrorKind::Syntax, "text is not UTF-8", e.valid_up_to()))?;
    let mut reader = Reader {
        text,
        at: 0,
        numbers,
        items: Vec::new(),
        members: Vec::with_capacity(OPEN_MEMBERS),
        marks: Vec::with_capacity(OPEN_MEMBERS),
    };
    let value = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.syntax("data after the end of the document")),
    }
}

/// What most documents need, in members of all objects that are open at a time.
const OPEN_MEMBERS: usize = 32;

fn error(kind: JsonErrorKind, message: impl Into<String>, at: usize) -> JsonError {
    JsonError {
        kind,
        message: message.into(),
        at,
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    numbers: Numbers,
    /// What is read of the arrays that are open, the innermost last; each takes its own when it ends.
    items: Vec<Json>,
    /// The same of the objects that are open.
    members: Vec<(Text, Json)>,
    /// The marks of the names of the objects that are open.
    marks: Vec<u64>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax(&self, message: impl Into<String>) -> JsonError {
        error(JsonErrorKind::Syntax, message, self.at)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > limits::JSON_DEPTH {
            let message = format!("nested deeper than {} levels", limits::JSON_DEPTH);
            return Err(error(JsonErrorKind::Depth, message, self.at));
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(_) => self.word(),
            None => Err(self.syntax("the document ends where a value should be")),
        }
    }

    fn word(&mut self) -> Result<Json, JsonError> {
        for (word, value) in [
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("null", Json::Null),
        ] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.syntax("expected a value"))
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let start = self.items.len();
        self.space();
        if self.eat(b']') {
            return Ok(Json::Array(Vec::new()));
        }
        loop {
            let item = self.value(depth + 1)?;
            self.items.push(item);
            self.space();
            if self.eat(b']') {
                return Ok(Json::Array(taken(&mut self.items, start)));
            }
            if !self.eat(b',') {
                return Err(self.syntax("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut seen = Keys::after(self);
        self.space();
        if self.eat(b'}') {
            return Ok(Json::Object(Vec::new()));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.syntax("expected a member name in double quotes"));
            }
            let key = self.string()?;
            if !seen.add(self, &key) {
                let message = format!("member `{}` appears twice", key.escape_debug());
                return Err(error(JsonErrorKind::DuplicateKey, message, start));
            }
            self.space();
            if !self.eat(b':') {
                return Err(self.syntax("expected `:`"));
            }
            let value = self.value(depth + 1)?;
            self.members.push((key, value));
            self.space();
            if self.eat(b'}') {
                self.marks.truncate(seen.marks);
                return Ok(Json::Object(taken(&mut self.members, seen.members)));
            }
            if !self.eat(b',') {
                return Err(self.syntax("expected `,` or `}`"));
            }
        }
    }

    fn number(&mut self) -> Result<Number, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') && !self.digits() {
            return Err(self.syntax("expected a digit"));
        }
        if self.eat(b'.') && !self.digits() {
            return Err(self.syntax("expected a digit after `.`"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'-') {
                self.eat(b'+');
            }
            if !self.digits() {
                return Err(self.syntax("expected a digit in the exponent"));
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let as_written = || (self.numbers == Numbers::AsWritten).then(|| Number::as_written(text));
        Number::read(text).or_else(as_written).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let message = format!("number {shown} cannot be carried exactly by RFC 8785");
            error(JsonErrorKind::Number, message, start)
        })
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    fn string(&mut self) -> Result<Text, JsonError> {
        self.at += 1;
        let run = self.run();
        if self.peek() == Some(b'"') {
            // Most have no escape, and take just the space they need.
            self.at += 1;
            return Ok(Text::new(run));
        }
        self.escaped(Text::new(run))
    }

    /// The text up to what is escaped, or ends it.
    fn run(&mut self) -> &'a str {
        let rest = self.rest();
        let (run, _) = rest
            .split_at_checked(plain_run(rest.as_bytes()))
            .unwrap_or((rest, ""));
        self.at += run.len();
        run
    }

    /// The rest of a text that has an escape.
    fn escaped(&mut self, mut out: Text) -> Result<Text, JsonError> {
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push(self.escape()?);
                    out.push_str(self.run());
                }
                Some(_) => return Err(self.syntax("control character in a string")),
                None => return Err(self.syntax("the document ends inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let escape = self.peek();
        self.at += 1;
        Ok(match escape {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(self.syntax("unknown escape in a string"));
            }
        })
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hex4()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).ok_or_else(|| self.syntax("no such character"));
            }
        }
        Err(self.syntax("lone surrogate in a string"))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        let code = code.ok_or_else(|| self.syntax("expected four hexadecimal digits after `\\u`"))?;
        self.at += 4;
        Ok(code)
    }
}

/// What is on a stack from `start` on, in just the space it needs.
fn taken<T>(stack: &mut Vec<T>, start: usize) -> Vec<T> {
    if start == 0 {
        return std::mem::take(stack);
    }
    stack.split_off(start)
}

/// The names of one object: compared one by one while they are few, looked up once they are many.
struct Keys {
    /// Where the object's members start among those of all that are open, and where its marks do.
    members: usize,
    marks: usize,
    many: BTreeSet<Text>,
}

impl Keys {
    /// Few enough that comparing them all is quicker than keeping a set.
    const FEW: usize = 64;

    /// Those of an object that opens.
    fn after(reader: &Reader<'_>) -> Keys {
        Keys {
            members: reader.members.len(),
            marks: reader.marks.len(),
            many: BTreeSet::new(),
        }
    }

    /// Adds a name; false when a member has it already.
    fn add(&mut self, reader: &mut Reader<'_>, key: &Text) -> bool {
        let members = reader.members.get(self.members..).unwrap_or_default();
        if members.len() < Keys::FEW {
            let marks = reader.marks.get(self.marks..).unwrap_or_default();
            let mark = mark(key);
            // Names of one mark are rare, and all others differ.
            let is_new = !marks.contains(&mark) || members.iter().all(|(known, _)| known != key);
            reader.marks.push(mark);
            return is_new;
        }
        if self.many.is_empty() {
            self.many.extend(members.iter().map(|(known, _)| known.clone()));
        }
        self.many.insert(key.clone())
    }
}

/// A number that is the same for the same name: its length, its start and its end.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (Some(start), Some(end)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        return bytes.iter().fold(1, |mark, byte| mark << 8 | u64::from(*byte));
    };
    let length = u64::try_from(bytes.len()).unwrap_or_default();
    u64::from_le_bytes(*start) ^ u64::from_le_bytes(*end).rotate_left(20) ^ length.rotate_left(40)
}

#[cfg(test)]
mod tests {
    use super::{JsonErrorKind, parse, parse_any_numbers};

    #[test]
    fn any_number_is_read_only_where_it_is_asked_for() {
        for (text, whole) in [
            ("18446744073709551615", Some(18_446_744_073_709_551_615)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("1e400", None),
            ("1e99999999999999999999", None),
            ("0.1", None),
            ("3", Some(3)),
        ] {
            let crate::json::Json::Number(number) = parse_any_numbers(text.as_bytes()).unwrap() else {
                panic!("{text}");
            };
            assert_eq!(number.to_scaled(0), whole, "{text}");
        }
        assert!(parse(b"18446744073709551615").is_err());
        for text in ["01", "{\"a\":1,\"a\":2}", "-", "1 2"] {
            assert!(parse_any_numbers(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_what_would_be_read_in_two_ways() {
        for (text, kind) in [
            (r#"{"a":1,"a":2}"#, JsonErrorKind::DuplicateKey),
            (r#"{"a":1,"\u0061":2}"#, JsonErrorKind::DuplicateKey),
            (r#"{"n":9007199254740993}"#, JsonErrorKind::Number),
            (r#"["\ud800"]"#, JsonErrorKind::Syntax),
            ("\u{feff}1", JsonErrorKind::Syntax),
            ("1 2", JsonErrorKind::Syntax),
            ("01", JsonErrorKind::Syntax),
            ("", JsonErrorKind::Syntax),
        ] {
            assert_eq!(parse(text.as_bytes()).map_err(|e| e.kind), Err(kind), "{text}");
        }
        for twice in [0usize, 14, 62, 63, 64, 65, 89] {
            let names = (0..90).chain([twice]).map(|n| format!("\"k{n}\":0"));
            let text = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
            assert_eq!(
                parse(text.as_bytes()).map_err(|e| e.kind),
                Err(JsonErrorKind::DuplicateKey),
                "{twice}"
            );
        }
        let deep = "[".repeat(100_000);
        assert_eq!(
            parse(deep.as_bytes()).map_err(|e| e.kind),
            Err(JsonErrorKind::Depth)
        );
    }
}
