//! The smallest call of a tool, as a witness beside a diagnostic: no optional is there, every list is empty, every other
//! value is the plainest of its type. In: a tool. Out: canonical JSON of tool and arguments (RFC 8785). It judges nothing.

use super::Tool;
use crate::json::{Json, Text};
use crate::ty::{Field, Ty};

/// The call; `None` where a type is wrong or the call would be too long to help.
pub(super) fn call(tool: &Tool) -> Option<String> {
    /// Bytes of a witness that a person still reads.
    const LONGEST: usize = 400;
    let args = record(&tool.args)?;
    let call = format!("{{\"args\":{args},\"tool\":{}}}", string(&tool.name));
    (call.len() <= LONGEST).then_some(call)
}

/// The JSON of the plainest value of a type; `None` for an optional, which would be missing.
pub(super) fn value(ty: &Ty) -> Option<String> {
    Some(match ty {
        Ty::Bool => "false".to_owned(),
        Ty::Int | Ty::Decimal { .. } | Ty::Money { .. } => "0".to_owned(),
        Ty::Duration { unit: Some(_) } => "0".to_owned(),
        Ty::Duration { unit: None } => string("0s"),
        Ty::Instant => string("2026-01-01T00:00:00Z"),
        Ty::Date => string("2026-01-01"),
        Ty::String { .. } => string(""),
        Ty::Enum { members, .. } => string(members.first()?),
        Ty::Path => string("file.txt"),
        Ty::Url => string("https://example.com/"),
        Ty::Host => string("example.com"),
        Ty::Ip => string("192.0.2.1"),
        Ty::Email => string("someone@example.com"),
        Ty::Command => string("ls"),
        Ty::Sql => string("SELECT 1"),
        Ty::Repo => string("example.com/owner/name"),
        Ty::Digest => string(&format!("sha256:{}", "0".repeat(64))),
        Ty::Cidr => string("192.0.2.0/24"),
        Ty::List { .. } | Ty::Set { .. } => "[]".to_owned(),
        Ty::Map { .. } => "{}".to_owned(),
        Ty::Record(fields) => record(fields)?,
        Ty::Optional(_) | Ty::Poison => return None,
    })
}

/// Members sorted by the UTF-16 code units of their names (RFC 8785 section 3.2.3).
fn record(fields: &[Field]) -> Option<String> {
    let mut there: Vec<&Field> = fields.iter().filter(|f| !f.ty.is_optional()).collect();
    there.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
    let members: Option<Vec<String>> = there
        .into_iter()
        .map(|f| Some(format!("{}:{}", string(&f.name), value(&f.ty)?)))
        .collect();
    Some(format!("{{{}}}", members?.join(",")))
}

/// JSON in canonical form.
pub fn canonical_json(json: &Json) -> String {
    let list = |items: Vec<String>| items.join(",");
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.text().to_owned(),
        Json::String(text) => string(text),
        Json::Array(items) => format!("[{}]", list(items.iter().map(canonical_json).collect())),
        Json::Object(members) => {
            let mut members: Vec<&(Text, Json)> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            let each = members.into_iter();
            let each = each.map(|(name, value)| format!("{}:{}", string(name), canonical_json(value)));
            format!("{{{}}}", list(each.collect()))
        }
    }
}

/// A string with the escapes of RFC 8785 section 3.2.2.2.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::jcs;
    use crate::builtins::bind;
    use crate::{compile, json};

    #[test]
    fn a_witness_is_a_canonical_call_the_gate_accepts() {
        let text = "gaitpol 1\npolicy a\ndefault block code b\nenum E { \"x\\u{1}\\\"\", y }\n\
            tool \"t\\n\" { b: Bool, i: Int, d: Decimal[2], m: Money[USD, 2], s: String[max 4], e: E, p: Path, u: Url, h: Host, \
            ee: Email, l: List[Int, max 3], o: Int?, r: { b: Path, a: Host, c: Int? }, \
            du: Duration, ds: Duration[s], at: Instant, day: Date, \
            set: Set[Int, max 2], map: Map[E, Host, max 2], \"é\": Bool, \"\\u{10000}\": Bool }";
        let report = compile::check("a", text);
        let checked = report.checked.unwrap();
        let tool = &checked.package().tools[0];
        let witness = call(tool).unwrap();
        let read = json::parse(witness.as_bytes()).unwrap();
        assert!(jcs::is_canonical(&read, witness.as_bytes()), "{witness}");
        bind::bind_record(read.get("args").unwrap(), &tool.args).unwrap();
    }
}
