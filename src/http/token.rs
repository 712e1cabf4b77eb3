//! Bearer tokens (RFC 6750, section 2.1). In: the content of a file, the value of a header. Out: whether they are the same,
//! in a time that says nothing about where they differ.

use crate::limits;
use hyper::header::HeaderValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The token that callers show.
#[derive(Debug)]
pub struct Token(Zeroizing<Vec<u8>>);

impl Token {
    /// The token of a file: one line of the characters that a header may have, long enough not to be guessed.
    pub fn of_file(bytes: Vec<u8>) -> Result<Token, &'static str> {
        let bytes = Zeroizing::new(bytes);
        let token = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if token.len() < limits::TOKEN_BYTES {
            return Err("it is too short");
        }
        let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        if !token.iter().all(is_token) {
            return Err("it has characters other than letters, digits and -._~+/=");
        }
        Ok(Token(Zeroizing::new(token.to_vec())))
    }

    /// The value of an `Authorization` header that shows it.
    pub fn header(&self) -> HeaderValue {
        let text = [b"Bearer ".as_slice(), &self.0].concat();
        // INVARIANT: its characters are those that a header may have.
        let mut value = HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    /// Whether the value of an `Authorization` header shows it.
    pub fn is_shown(&self, header: &[u8]) -> bool {
        bearer(header).is_some_and(|shown| bool::from(self.0.as_slice().ct_eq(shown)))
    }
}

/// The token that the value of an `Authorization` header shows; none where it shows something else.
pub fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, shown) = header.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn only_the_whole_token_is_shown() {
        let secret = "0123456789abcdef0123456789abcdef";
        let token = Token::of_file(format!("{secret}\n").into_bytes()).unwrap();
        for (header, shown) in [
            (format!("Bearer {secret}"), true),
            (format!("bearer {secret}"), true),
            (format!("Bearer {secret} "), false),
            (format!("Bearer  {secret}"), false),
            (format!("Basic {secret}"), false),
            ("Bearer ".to_owned(), false),
            ("Bearer 0123456789abcdef0123456789abcdee".to_owned(), false),
            (secret.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(token.is_shown(header.as_bytes()), shown, "{header}");
        }
        for refused in [
            "",
            "short",
            "0123456789abcdef 0123456789abcdef",
            "0123456789abcdef0123456789abcde\u{e9}",
        ] {
            assert!(Token::of_file(refused.as_bytes().to_vec()).is_err(), "{refused}");
        }
    }
}
