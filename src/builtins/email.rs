//! `Email`: `local@domain` as RFC 5321 section 4.1.2 writes it when the local part is a dot-string (RFC 5322 section
//! 3.2.3) and the domain a name with a dot. Quoted local parts, comments, display names, address literals and
//! non-ASCII local parts (RFC 6531) are refused: mail programs disagree on where those go. The local part keeps its
//! case, because only its own host may fold it (RFC 5321 section 2.4).

use super::{Doc, Refused, host};
use crate::limits;
use crate::value::EmailValue;

/// What the manual says about `Email`.
pub const DOC: Doc = Doc {
    name: "Email",
    summary: "One email address",
    json: "string",
    canonical: "the local part as received, `@`, the domain as a canonical `Host`",
    rules: &[
        "exactly one `@`",
        "the local part is a dot-string of at most 64 bytes (RFC 5321 sections 4.1.2 and 4.5.3.1.1), case kept",
        "the domain is a `Host` with at least two labels, not an address, of letters, digits and `-` only",
        "quoted local parts, comments, display names, address literals and non-ASCII local parts are refused",
        "at most 254 bytes (RFC 5321 section 4.5.3.1.3)",
    ],
    parts: &[("local", "String"), ("domain", "Host")],
    operators: &["==", "!=", "in"],
    example_type: "Email",
    examples: &[
        ("Ann.Lee+x@ACME.com.", Ok("Ann.Lee+x@acme.com")),
        ("info@b\u{fc}cher.example", Ok("info@xn--bcher-kva.example")),
        (
            "ann@acme.com,eve@evil.example",
            Err("an email address has exactly one `@`"),
        ),
        (
            "Ann <ann@acme.com>",
            Err("the local part of the email address is not a dot-string"),
        ),
        (
            "\"a b\"@acme.com",
            Err("the local part of the email address is not a dot-string"),
        ),
        (
            "ann@[10.0.0.1]",
            Err("the domain of the email address is an address, not a name"),
        ),
        (
            "ann@localhost",
            Err("the domain of the email address has one label only"),
        ),
        (
            "eve%evil.example@acme.com",
            Err("the local part of the email address is not a dot-string"),
        ),
        (
            "ann.@acme.com",
            Err("the local part of the email address is not a dot-string"),
        ),
    ],
};

/// Parses an email address to its canonical form. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<EmailValue, Refused> {
    if text.len() > limits::HOST_INPUT_BYTES {
        return Err(too_long());
    }
    let mut signs = text.bytes().enumerate().filter(|(_, byte)| *byte == b'@');
    let (local, domain) = match (signs.next(), signs.next()) {
        (Some((at, _)), None) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        _ => return Err(Refused::new("an email address has exactly one `@`")),
    };
    if local.len() > limits::EMAIL_LOCAL_BYTES {
        let reason = format!(
            "the local part of the email address is over {} bytes",
            limits::EMAIL_LOCAL_BYTES
        );
        return Err(Refused::new(reason));
    }
    if !local
        .as_bytes()
        .split(|b| *b == b'.')
        .all(|atom| !atom.is_empty() && atom.iter().copied().all(is_atext))
    {
        return Err(Refused::new(
            "the local part of the email address is not a dot-string",
        ));
    }
    if domain.starts_with('[') {
        return Err(literal());
    }
    if host::is_plain(domain) {
        return named(local, domain);
    }
    named(local, &host::parse(domain)?)
}

/// An address of a local part and a canonical host.
fn named(local: &str, domain: &str) -> Result<EmailValue, Refused> {
    // A name that starts with a letter is no address, but for those of IPv6, which have colons.
    let is_name = domain
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    if domain.contains(':') || (!is_name && host::is_ip(domain)) {
        return Err(literal());
    }
    let has = |wanted: u8| domain.bytes().any(|byte| byte == wanted);
    if !has(b'.') {
        return Err(Refused::new("the domain of the email address has one label only"));
    }
    if has(b'_') {
        return Err(Refused::new("the domain of the email address has a `_`"));
    }
    let email = EmailValue::new(local, domain);
    if email.text().len() > limits::EMAIL_BYTES {
        return Err(too_long());
    }
    Ok(email)
}

fn literal() -> Refused {
    Refused::new("the domain of the email address is an address, not a name")
}

/// `atext` of RFC 5322 section 3.2.3.
fn is_atext(b: u8) -> bool {
    // `%` and `!` are atext too, but old relays read `eve%evil.example@acme.com` as mail for evil.example.
    b.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&b)
}

fn too_long() -> Refused {
    Refused::new(format!("the email address is over {} bytes", limits::EMAIL_BYTES))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DOC, parse};
    use crate::builtins::testing;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(|email| email.text().into()));
    }

    #[test]
    fn hostile_text_is_refused() {
        let local = format!("{}@acme.com", "a".repeat(65));
        let whole = format!("a@{}acme.com", "abcdefghi.".repeat(25));
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@acme.com",
            "a@@acme.com",
            "a@b@acme.com",
            "a b@acme.com",
            "a\u{0}@acme.com",
            "a@acme.com ",
            " a@acme.com",
            "a@acme.com\n",
            "a\r\nBcc: eve@evil.example",
            "a@acme.com\r\nBcc:x",
            ".a@acme.com",
            "a..b@acme.com",
            "a@acme..com",
            "a@.acme.com",
            "a@-acme.com",
            "a(c)@acme.com",
            "a@acme.com(c)",
            "a@(c)acme.com",
            "<a@acme.com>",
            "a;b@acme.com",
            "a,b@acme.com",
            "a\\@b@acme.com",
            "a@127.1",
            "a@2130706433",
            "a@::1",
            "a@[::1]",
            "a@[IPv6:::1]",
            "a@acme.com:25",
            "a@acme.com/x",
            "a@ac%6de.com",
            "a@x_y.com",
            "\u{fc}@acme.com",
            "a@acme.com\u{ff20}evil.com",
            "a\u{200b}@acme.com",
            "mailto:a@acme.com",
            &local,
            &whole,
        ] {
            assert!(parse(text).is_err(), "{text:?} gave {:?}", parse(text));
        }
        assert!(parse(local.get(1..).unwrap()).is_ok());
    }

    #[test]
    fn parts() {
        let email = parse("O'Brien/x=y@Mail.ACME.com").unwrap();
        assert_eq!((email.local(), email.domain()), ("O'Brien/x=y", "mail.acme.com"));
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(text in prop_oneof!["\\PC*", "[a-zA-Z.+@\"<>()\\[\\]0-9ü -]{0,40}", "[a-z.]{1,8}@[a-zA-Zü.]{1,12}"]) {
            if let Ok(email) = parse(&text) {
                prop_assert_eq!(parse(email.text()), Ok(email.clone()));
                prop_assert_eq!(email.text(), format!("{}@{}", email.local(), email.domain()));
            }
        }
    }
}
