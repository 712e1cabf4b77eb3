//! Percent-encoding (RFC 3986 section 2.1) as `Path` and `Url` need it: one layer decoded, malformed escapes found,
//! and the normal form of section 6.2.2. It must not decide what an escape means for a type.

/// The byte two hexadecimal digits stand for.
fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// What stands at the start of `rest`: an escape or a plain byte, and what follows it.
fn step(rest: &[u8]) -> Option<(Step, &[u8])> {
    match rest {
        [b'%', high, low, tail @ ..] if byte(*high, *low).is_some() => {
            Some((Step::Escape(byte(*high, *low)?), tail))
        }
        [plain, tail @ ..] => Some((Step::Plain(*plain), tail)),
        [] => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Plain(u8),
    Escape(u8),
}

fn steps(text: &[u8]) -> impl Iterator<Item = Step> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (found, tail) = step(rest)?;
        rest = tail;
        Some(found)
    })
}

/// Decodes one layer; a `%` without two hexadecimal digits stays as it is.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    steps(text)
        .map(|step| match step {
            Step::Plain(b) | Step::Escape(b) => b,
        })
        .collect()
}

/// Whether an escape occurs.
pub(super) fn has_escape(text: &[u8]) -> bool {
    steps(text).any(|step| matches!(step, Step::Escape(_)))
}

/// Whether a `%` occurs that two hexadecimal digits do not follow.
pub(super) fn is_malformed(text: &str) -> bool {
    steps(text.as_bytes()).any(|step| step == Step::Plain(b'%'))
}

/// The normal form: escapes in capitals, unreserved characters unescaped (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
/// `text` must be ASCII without malformed escapes.
pub(super) fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for step in steps(text.as_bytes()) {
        match step {
            Step::Plain(b) => out.push(char::from(b)),
            Step::Escape(b) if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            Step::Escape(b) => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{decode, has_escape, is_malformed, normalise};

    #[test]
    fn decodes_one_layer_only() {
        for (text, decoded) in [
            ("%2e", "."),
            ("%252e", "%2e"),
            ("%%32%65", "%2e"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
        ] {
            assert_eq!(decode(text.as_bytes()), decoded.as_bytes(), "{text}");
        }
        assert!(has_escape(b"a%20") && !has_escape(b"100%"));
    }

    #[test]
    fn normalises_escapes() {
        for (text, normal) in [
            ("%7euser%5f%2d", "~user_-"),
            ("%2f%c3%bc", "%2F%C3%BC"),
            ("%2541", "%2541"),
            ("a b", "a b"),
        ] {
            assert_eq!(normalise(text), normal);
        }
        for (text, malformed) in [
            ("%", true),
            ("%4", true),
            ("%%34%31", true),
            ("%41%zz", true),
            ("%2541", false),
        ] {
            assert_eq!(is_malformed(text), malformed, "{text}");
        }
    }
}
