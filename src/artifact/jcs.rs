//! The JSON Canonicalization Scheme (RFC 8785). In: a tree. Out: the one text everything is digested and signed as.
//! Numbers are already canonical (`json::Number`), so nothing is rounded here.

use super::digest::Digest;
use super::members::Sink;
use crate::json::{Json, plain_run};
use std::ops::Range;

/// Writes the canonical text (RFC 8785 section 3.2).
pub fn to_vec(json: &Json) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.value(json);
    writer.out.into_bytes()
}

/// Writes the canonical text, and tells where in it the value of a member of the document is; nowhere where there is no
/// such member.
pub fn to_text_with<'j>(json: &'j Json, member: &'j str) -> (String, Range<usize>) {
    let mut writer = Writer::new();
    writer.looked_for = json.as_object().map(|_| member);
    writer.value(json);
    (writer.out, writer.found)
}

/// The canonical text of an object while its members are written, each in its place; nothing is sorted.
#[derive(Debug)]
pub struct Object {
    out: String,
    /// Whether the object that is written has a member already.
    has_members: bool,
}

impl Object {
    pub(super) fn open() -> Object {
        let mut out = String::with_capacity(SPACE);
        out.push('{');
        let has_members = false;
        Object { out, has_members }
    }

    pub(super) fn close(mut self) -> Vec<u8> {
        self.out.push('}');
        self.out.into_bytes()
    }

    /// A member whose value is a canonical text already.
    pub fn written(&mut self, name: &'static str, text: &str) {
        self.name(name);
        self.out.push_str(text);
    }

    fn name(&mut self, name: &'static str) {
        self.out.push_str(if self.has_members { ",\"" } else { "\"" });
        self.out.push_str(name);
        self.out.push_str("\":");
        self.has_members = true;
    }

    fn nested(&mut self, members: impl FnOnce(&mut Self)) {
        self.out.push('{');
        self.has_members = false;
        members(self);
        self.out.push('}');
        self.has_members = true;
    }

    /// The elements of a list, each written by `write`.
    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(']');
    }
}

impl Sink for Object {
    fn null(&mut self, name: &'static str) {
        self.name(name);
        self.out.push_str("null");
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        string(text, &mut self.out);
    }

    fn number(&mut self, name: &'static str, n: u64) {
        self.name(name);
        whole(n, &mut self.out);
    }

    fn digest(&mut self, name: &'static str, digest: &Digest) {
        self.name(name);
        self.out.push('"');
        digest.push_to(&mut self.out);
        self.out.push('"');
    }

    fn json(&mut self, name: &'static str, json: &Json) {
        self.name(name);
        let mut writer = Writer::after(std::mem::take(&mut self.out));
        writer.value(json);
        self.out = writer.out;
    }

    fn texts<T: AsRef<str>>(&mut self, name: &'static str, texts: impl IntoIterator<Item = T>) {
        self.name(name);
        self.list(texts, |to, text| string(text.as_ref(), &mut to.out));
    }

    fn object(&mut self, name: &'static str, members: impl FnOnce(&mut Self)) {
        self.name(name);
        self.nested(members);
    }

    fn objects<T>(&mut self, name: &'static str, items: &[T], members: impl Fn(&T, &mut Self)) {
        self.name(name);
        self.list(items, |to, item| to.nested(|to| members(item, to)));
    }
}

/// The digits of a number.
fn whole(n: u64, out: &mut String) {
    let mut digits = [0; 20];
    let mut left = n;
    let mut written = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        written += 1;
        if left == 0 {
            break;
        }
    }
    let digits = digits.get(digits.len() - written..).unwrap_or_default();
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// What most documents need, in bytes; what is larger takes the allocator longer.
const SPACE: usize = 1000;
/// What most documents need, in members of all objects that are written at a time.
const MEMBERS: usize = 30;

/// Whether `bytes` are the canonical text of `json`, which was read from them.
pub fn is_canonical(json: &Json, bytes: &[u8]) -> bool {
    to_vec(json) == bytes
}

/// A member: the first bytes of its name as a number, which mostly tell its place, the name, the value.
type Member<'j> = (u64, &'j str, &'j Json);

struct Writer<'j> {
    out: String,
    /// Members of the objects that are being written, the innermost last.
    members: Vec<Member<'j>>,
    /// The member of the outermost object whose value is looked for, and where it is.
    looked_for: Option<&'j str>,
    found: Range<usize>,
}

impl<'j> Writer<'j> {
    fn new() -> Writer<'j> {
        Writer::after(String::with_capacity(SPACE))
    }

    /// Writes behind a text.
    fn after(out: String) -> Writer<'j> {
        Writer {
            out,
            members: Vec::with_capacity(MEMBERS),
            looked_for: None,
            found: 0..0,
        }
    }

    fn value(&mut self, json: &'j Json) {
        match json {
            Json::Null => self.out.push_str("null"),
            Json::Bool(true) => self.out.push_str("true"),
            Json::Bool(false) => self.out.push_str("false"),
            Json::Number(number) => self.out.push_str(number.text()),
            Json::String(text) => string(text, &mut self.out),
            Json::Array(items) => self.array(items),
            Json::Object(members) => self.object(members.iter().map(|(key, value)| (key.as_str(), value))),
        }
    }

    fn array(&mut self, items: &'j [Json]) {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(item);
        }
        self.out.push(']');
    }

    /// Members sorted by the UTF-16 code units of their names (section 3.2.3), which is not the order of UTF-8 bytes, but
    /// for ASCII.
    fn object(&mut self, members: impl Iterator<Item = (&'j str, &'j Json)>) {
        let start = self.members.len();
        self.members
            .extend(members.map(|(key, value)| (first_bytes(key), key, value)));
        let own = self.members.get_mut(start..).unwrap_or_default();
        if own.iter().all(|(_, key, _)| key.is_ascii()) {
            own.sort_unstable_by_key(|(first, key, _)| (*first, *key));
        } else {
            own.sort_unstable_by(|(_, a, _), (_, b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        }
        self.out.push('{');
        for index in start..self.members.len() {
            if index > start {
                self.out.push(',');
            }
            if let Some((_, key, value)) = self.members.get(index).copied() {
                string(key, &mut self.out);
                self.out.push(':');
                let from = self.out.len();
                self.value(value);
                if start == 0 && self.looked_for == Some(key) {
                    self.found = from..self.out.len();
                }
            }
        }
        self.out.push('}');
        self.members.truncate(start);
    }
}

/// The first eight bytes, in the order of texts; what is missing counts as the lowest.
fn first_bytes(text: &str) -> u64 {
    match text.as_bytes().first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let bytes = text.bytes().chain(std::iter::repeat(0)).take(8);
            bytes.fold(0, |all, byte| all << 8 | u64::from(byte))
        }
    }
}

/// A string with only the escapes of section 3.2.2.2: seven short ones, `\u00xx` for other controls.
fn string(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    if plain_run(text.as_bytes()) == text.len() {
        out.push_str(text);
        out.push('"');
        return;
    }
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
    fn a_member_is_found_in_the_text() {
        for (given, found) in [
            (r#"{"b":1,"a":{"a":[2, "x"]}}"#, r#"{"a":[2,"x"]}"#),
            (r#"{"b":{"a":1}}"#, ""),
            (r#"[{"a":1}]"#, ""),
            ("1", ""),
        ] {
            let document = parse(given.as_bytes()).unwrap();
            let (text, at) = super::to_text_with(&document, "a");
            assert_eq!(text.as_bytes(), to_vec(&document));
            assert_eq!(text.get(at), Some(found), "{given}");
        }
    }

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
