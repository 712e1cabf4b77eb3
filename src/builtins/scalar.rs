//! `Bool` and enums: the two types whose values are few and named. A truth value is JSON `true` or `false`, never a
//! word or a number; a member is matched byte by byte, so a misspelt or differently cased one is refused.

use super::{Doc, Refused};

/// What the manual says about `Bool`.
pub const BOOL: Doc = Doc {
    name: "Bool",
    summary: "True or false",
    json: "`true` or `false`",
    canonical: "as received",
    rules: &["`true` or `false`; strings, numbers and `null` are refused"],
    parts: &[],
    operators: &["==", "!=", "alone"],
    example_type: "Bool",
    examples: &[
        ("true", Ok("true")),
        ("\"true\"", Err("expected a boolean, found a string")),
        ("1", Err("expected a boolean, found a number")),
    ],
};

/// What the manual says about enums.
pub const ENUM: Doc = Doc {
    name: "enum { a, b }",
    summary: "One of the members declared",
    json: "string",
    canonical: "the member",
    rules: &[
        "a member, byte by byte",
        "of an enum declared `enum Name ordered { … }` the members go from the least to the greatest, and `<`, `<=`, `>`, `>=` compare them",
    ],
    parts: &[],
    operators: &["==", "!=", "in", "<", "<=", ">", ">="],
    example_type: "enum { dev, prod }",
    examples: &[
        ("dev", Ok("dev")),
        ("Dev", Err("not one of `dev`, `prod`")),
        ("", Err("not one of `dev`, `prod`")),
    ],
};

/// Finds a member; gives its index in the declaration. Errors: the reason, which names the members.
pub fn member(text: &str, members: &[String]) -> Result<u32, Refused> {
    let found = members
        .iter()
        .position(|name| name == text)
        .and_then(|index| u32::try_from(index).ok());
    found.ok_or_else(|| {
        let shown: Vec<String> = members
            .iter()
            .take(SHOWN)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = if members.len() > SHOWN { " and others" } else { "" };
        Refused::new(format!("not one of {}{more}", shown.join(", ")))
    })
}

/// Members a message names.
const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::{ENUM, member};
    use crate::builtins::testing;

    #[test]
    fn examples() {
        let members = ["dev".to_owned(), "prod".to_owned()];
        testing::run(&ENUM, |text| {
            member(text, &members).map(|index| members[index as usize].clone())
        });
    }
}
