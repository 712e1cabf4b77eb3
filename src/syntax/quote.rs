//! Writing names and strings into a policy. In: any text. Out: source text that reads back as exactly that. Used by
//! whatever writes policies: the tools importer, suggested edits, printers.

use super::hidden::is_hidden;

/// A name where dots are part of it: a tool, effect, policy or code. Bare when every part is an identifier.
pub fn dotted_name(text: &str) -> String {
    if text.split('.').all(is_identifier) {
        text.to_owned()
    } else {
        string(text)
    }
}

/// A name where a dot would mean a member: an argument or field. Bare when it is an identifier.
pub fn member_name(text: &str) -> String {
    if is_identifier(text) {
        text.to_owned()
    } else {
        string(text)
    }
}

/// A string literal. Line ends, controls and characters a reader cannot see are escaped.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
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

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::{hidden, literal};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_bare_where_they_can_be() {
        for (text, dotted, member) in [
            ("pay.transfer", "pay.transfer", "\"pay.transfer\""),
            ("rule", "rule", "rule"),
            ("get-weather", "\"get-weather\"", "\"get-weather\""),
            ("a..b", "\"a..b\"", "\"a..b\""),
            ("", "\"\"", "\"\""),
            ("1a", "\"1a\"", "\"1a\""),
            ("a.1", "\"a.1\"", "\"a.1\""),
            ("é", "\"é\"", "\"é\""),
        ] {
            assert_eq!(
                (dotted_name(text).as_str(), member_name(text).as_str()),
                (dotted, member)
            );
        }
    }

    proptest! {
        #[test]
        fn strings_read_back_and_hide_nothing(text in "(.|\\PC|[\u{0}-\u{1f}\u{200b}\u{202e}\"\\\\\n\r\u{2028}\u{feff}])*") {
            let quoted = string(&text);
            prop_assert_eq!(literal::string(&quoted), Ok(text));
            prop_assert!(hidden::runs(&quoted).is_empty());
            prop_assert!(!quoted.contains('\t'));
        }
    }
}
