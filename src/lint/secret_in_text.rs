//! `secret_in_text`: a key or token in the text of a policy.

use super::{Context, Group, Lint};
use crate::diag::codes::SECRET_IN_TEXT;
use crate::diag::{Diagnostic, Level};
use crate::secrets;
use crate::syntax::lexer::lex;
use crate::syntax::token::Kind;

/// The lint.
pub const LINT: Lint = Lint {
    name: "secret_in_text",
    code: SECRET_IN_TEXT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// A text of letters and digits this long may be a key, if it looks drawn by lot.
const LONG: usize = 32;
/// Changes between kinds of letters per length, in percent, from which a text looks so.
const MIXED: usize = 35;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for token in lex(context.source) {
        if !matches!(token.kind, Kind::String | Kind::RawString | Kind::Comment) {
            continue;
        }
        let text = context.text(token.span);
        let Some((what, kind)) = secret(text) else {
            continue;
        };
        let start: String = what.chars().take(4).collect();
        let message = match kind {
            Some(kind) => format!("`{start}…` is a secret by its form (`{kind}`)"),
            None => format!("`{start}…` looks like a key or password"),
        };
        out.push(
            LINT.finding(token.span, message)
                .why("a policy is read by many, and its text goes into every bundle")
                .help("withdraw the key where it was made, and take it out of the policy and its history"),
        );
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !"_-.+/=".contains(c))
}

/// The first secret in a text, and what it is by its form. Who only writes down the first line of a private key does not mean
/// well either: a policy has no use for it.
fn secret(text: &str) -> Option<(&str, Option<&'static str>)> {
    if let Some(found) = secrets::tokens_in(text).first() {
        return Some((text.get(found.start..found.end)?, Some(found.kind)));
    }
    if text.contains("PRIVATE KEY-----") {
        return Some(("-----", Some("private_key")));
    }
    let drawn = words(text).find(|word| !word.ends_with("EXAMPLE") && looks_drawn(word))?;
    Some((drawn, None))
}

/// Whether letters of both cases and digits follow one another as nobody writes them.
fn looks_drawn(word: &str) -> bool {
    let kind = |c: char| match c {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ => 3,
    };
    let kinds: Vec<u8> = word.chars().map(kind).collect();
    let all = (0..3).all(|kind| kinds.contains(&kind));
    let changes = kinds
        .iter()
        .zip(kinds.iter().skip(1))
        .filter(|(a, b)| a != b)
        .count();
    let plain = kinds.iter().filter(|kind| **kind == 3).count() * 8 < word.len();
    word.len() >= LONG && all && plain && changes * 100 >= MIXED * word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_names_and_digests() {
        let found = |text: &str| secret(text).is_some();
        for yes in [
            "AKIAQ3EGRWJ5T7K2LMNP",
            "Bearer ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "-----BEGIN RSA PRIVATE KEY-----",
            "q8Zr2Vn7Lx0Tb4Yk9Wd3Hs6Jm1Gf5Pc8",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.dozjgNryP4J3jVmNHl0w5N",
        ] {
            assert!(found(yes), "{yes}");
        }
        for no in [
            "AKIAIOSFODNN7EXAMPLE",
            "sk_live_",
            "AmazonWebServicesAccountManagementConsole2024",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "https://example.com/a/very/long/path/With/Some/Case/2024/report.html",
            "(?:DK|FI|NL)[0-9A-Z]{14}|SI[0-9A-Z]{15}|(?:AT|EE|LT|LU)[0-9A-Z]{16}",
            "DE44500105175407324931",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(!found(no), "{no}");
        }
    }
}
