//! Spelling of names and strings in `.gaitpol` text. In: any text. Out: text the lexer reads back as the same.

/// Words the grammar gives a meaning to; as a member name they are quoted to be safe.
const KEYWORDS: &[&str] = &[
    "all",
    "allow",
    "and",
    "any",
    "block",
    "by",
    "call",
    "code",
    "contains",
    "default",
    "dry_run",
    "each",
    "effect",
    "effects",
    "else",
    "ends_with",
    "enum",
    "false",
    "gaitpol",
    "group",
    "hint",
    "in",
    "len",
    "like",
    "list",
    "matches",
    "max",
    "not",
    "null",
    "on",
    "only",
    "or",
    "policy",
    "present",
    "record",
    "require_approval",
    "rule",
    "starts_with",
    "targets",
    "test",
    "to",
    "tool",
    "tools",
    "true",
    "under",
    "unless",
    "when",
    "with",
    "args",
];

/// A possibly dotted name: identifiers joined by dots stay bare, everything else is quoted.
pub(super) fn dotted_name(name: &str) -> String {
    if name.split('.').all(is_identifier) {
        name.to_owned()
    } else {
        string(name)
    }
}

/// A single name: an identifier that is no keyword stays bare, everything else is quoted, names with dots included.
pub(super) fn member_name(name: &str) -> String {
    if is_identifier(name) && !KEYWORDS.contains(&name) {
        name.to_owned()
    } else {
        string(name)
    }
}

/// A string literal. Characters that cannot be seen are written as `\u{…}`, since the language refuses them bare.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.push_str(&format!("\\u{{{:X}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn is_identifier(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Everything outside printable ASCII that is not a letter or a digit, and the letters that are blank: wider than what the language refuses, so that
/// the two lists cannot drift apart in the unsafe direction.
fn is_hidden(c: char) -> bool {
    let filler = matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    filler || (!c.is_ascii_graphic() && c != ' ' && !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::{dotted_name, member_name, string};

    #[test]
    fn quotes_what_is_no_identifier() {
        assert_eq!(dotted_name("pay.transfer"), "pay.transfer");
        assert_eq!(dotted_name("get-weather"), "\"get-weather\"");
        assert_eq!(dotted_name("a..b"), "\"a..b\"");
        assert_eq!(member_name("amount"), "amount");
        assert_eq!(member_name("a.b"), "\"a.b\"");
        assert_eq!(member_name("effect"), "\"effect\"");
        assert_eq!(string("a\"\\\n\u{202e}é"), "\"a\\\"\\\\\\n\\u{202E}é\"");
    }
}
