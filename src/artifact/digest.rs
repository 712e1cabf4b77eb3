//! SHA-256 digests, printed `sha256:` and 64 lowercase hexadecimal digits. Nothing else names content.

use sha2::Digest as _;

use super::jcs;
use crate::json::{Json, Text};

/// A SHA-256 digest (FIPS 180-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The digest of bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}

/// The digest of the canonical text of a document (RFC 8785).
pub fn of_json(json: &Json) -> Digest {
    sha256(&jcs::to_vec(json))
}

const PREFIX: &str = "sha256:";
/// Bytes of the printed form.
const PRINTED: usize = PREFIX.len() + 64;

impl Digest {
    /// Reads the printed form; `None` for anything else, upper case included.
    pub fn parse(text: &str) -> Option<Digest> {
        let hex = text.strip_prefix(PREFIX)?.as_bytes();
        let mut bytes = [0u8; 32];
        if hex.len() != bytes.len() * 2 {
            return None;
        }
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            let (high, low) = (nibble(high), nibble(low));
            seen |= high | low;
            *byte = high << 4 | low;
        }
        (seen < NO_DIGIT).then_some(Digest(bytes))
    }

    /// A digest from its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The printed form as JSON.
    pub fn to_json(&self) -> Json {
        Json::String(Text::new(self.printed(&mut [0; PRINTED])))
    }

    /// Writes the printed form behind a text.
    pub fn push_to(&self, text: &mut String) {
        text.push_str(self.printed(&mut [0; PRINTED]));
    }

    /// Writes the printed form.
    fn printed<'b>(&self, to: &'b mut [u8; PRINTED]) -> &'b str {
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let (prefix, hex) = to.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        std::str::from_utf8(to).unwrap_or_default()
    }
}

/// What `nibble` says of a byte that is no digit.
const NO_DIGIT: u8 = 16;

/// The value of a digit. Every byte takes the same steps: the digits of a digest are as good as random.
fn nibble(digit: u8) -> u8 {
    let decimal = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    let letter = if letter < 6 { letter + 10 } else { NO_DIGIT };
    if decimal < 10 { decimal } else { letter }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.printed(&mut [0; PRINTED]))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, sha256};

    #[test]
    fn prints_and_reads_one_form() {
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), text);
        assert_eq!(Digest::parse(text), Some(sha256(b"abc")));
        for bad in [
            &text.to_uppercase(),
            &text.replace("ba", "BA"),
            "sha256:",
            &format!("{text}0"),
            text.trim_start_matches("sha256:"),
            &text.replace("ba", "bg"),
            &text.replace("ba", "b`"),
            &text.replace("78", "7:"),
            &text.replace("78", "/8"),
        ] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }
}
