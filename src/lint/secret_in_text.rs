//! `secret_in_text`: a key or token in the text of a policy.

use super::{Context, Group, Lint};
use crate::diag::codes::SECRET_IN_TEXT;
use crate::diag::{Diagnostic, Level};
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

/// What keys of known services look like: what they start with, and how many letters, digits, `-`, `_` or `.` follow.
const SHAPES: [(&str, usize, &str); 17] = [
    ("AKIA", 16, "an AWS access key"),
    ("ASIA", 16, "an AWS access key"),
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 40, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("sk_live_", 20, "a Stripe key"),
    ("rk_live_", 20, "a Stripe key"),
    ("sk-ant-", 24, "an Anthropic key"),
    ("sk-proj-", 24, "an OpenAI key"),
    ("AIza", 35, "a Google key"),
    ("npm_", 36, "an npm token"),
    ("pypi-", 60, "a PyPI token"),
    ("SG.", 40, "a SendGrid key"),
];

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
        let Some((word, what)) = words(text).find_map(|word| Some((word, secret(word, text)?))) else {
            continue;
        };
        let start: String = word.chars().take(4).collect();
        let message = format!("`{start}…` looks like {what}");
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

/// What a word looks like, if it is a secret.
fn secret(word: &str, text: &str) -> Option<&'static str> {
    if text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    if word.ends_with("EXAMPLE") {
        return None;
    }
    let key = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let known = SHAPES.iter().find(|(start, length, _)| {
        let rest = word.strip_prefix(start);
        rest.is_some_and(|rest| rest.len() >= *length && rest.chars().all(key))
    });
    if let Some((_, _, what)) = known {
        return Some(what);
    }
    let mut parts = word.split('.');
    let token = word.starts_with("eyJ") && parts.by_ref().take(3).all(|part| part.len() > 15);
    if token && word.matches('.').count() == 2 {
        return Some("a JSON web token");
    }
    looks_drawn(word).then_some("a key or password")
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
        let found = |text: &str| words(text).find_map(|word| secret(word, text)).is_some();
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
