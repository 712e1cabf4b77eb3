//! `String[max n]`: text kept exactly as received. Only its length in bytes of UTF-8 is judged; two strings are equal
//! when their bytes are, without Unicode normalisation or case folding.

use super::{Doc, Refused};
use crate::json::Text;

/// What the manual says about `String`.
pub const DOC: Doc = Doc {
    name: "String[max n]",
    summary: "Text of at most n bytes",
    json: "string",
    canonical: "as received",
    rules: &[
        "at most n bytes of UTF-8; `String` alone means the limit, 1 MiB",
        "compared byte by byte, without Unicode normalisation or case folding",
    ],
    parts: &[],
    operators: &[
        "==",
        "!=",
        "in",
        "starts_with",
        "ends_with",
        "contains",
        "like",
        "matches",
        "len()",
    ],
    example_type: "String[max 5]",
    examples: &[
        ("", Ok("")),
        (" a b ", Ok(" a b ")),
        ("na\u{ef}f", Ok("na\u{ef}f")),
        ("na\u{ef}fs", Err("the string is over 5 bytes")),
    ],
};

/// Takes text of at most `max` bytes. Errors: the reason, one sentence.
pub fn parse(text: &str, max: u64) -> Result<Text, Refused> {
    if u64::try_from(text.len()).is_ok_and(|len| len <= max) {
        Ok(text.into())
    } else {
        Err(Refused::new(format!("the string is over {max} bytes")))
    }
}

#[cfg(test)]
mod tests {
    use super::{DOC, parse};
    use crate::builtins::testing;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text, 5).map(String::from));
    }
}
