//! `Digest`: what a hash function makes of some bytes, as `algorithm:hex`, the form of OCI descriptors and of Gait's own
//! files. The algorithms are a closed set: functions for which collisions are known are not in it, because equal digests
//! would not mean equal bytes. Canonical form: small letters.

use super::{Doc, Refused};
use crate::ty::{Field, Ty};
use crate::value::{ParsedText, Value};

/// What the manual says about `Digest`.
pub const DOC: Doc = Doc {
    name: "Digest",
    summary: "The digest of some bytes",
    json: "string",
    canonical: "`algorithm:` and hexadecimal digits, in small letters",
    rules: &[
        "the algorithm is `sha256`, `sha384` or `sha512` (FIPS 180-4), in letters of either case",
        "the digits are hexadecimal, as many as the algorithm has: 64, 96 or 128",
        "`sha1` and `md5` are refused: different bytes with the same digest can be made",
        "digits alone are refused, because they do not say of which algorithm they are; so are the base64 forms of \
         Subresource Integrity",
    ],
    parts: &[("algorithm", "enum"), ("hex", "String")],
    operators: &["==", "!=", "in"],
    example_type: "Digest",
    examples: &[
        (
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            Ok("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ),
        (
            "SHA256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            Ok("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ),
        (
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            Err("a digest is an algorithm, `:` and hexadecimal digits, such as `sha256:…`"),
        ),
        (
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            Err("the algorithm is none of sha256, sha384 and sha512"),
        ),
        ("sha256:e3b0c442", Err("sha256 has 64 hexadecimal digits")),
        (
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            Err("a digest is an algorithm, `:` and hexadecimal digits, such as `sha256:…`"),
        ),
    ],
};

/// The algorithms, with their numbers of digits.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Reads a digest. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<ParsedText, Refused> {
    let Some((name, digits)) = text.split_once(':') else {
        return Err(Refused::new(
            "a digest is an algorithm, `:` and hexadecimal digits, such as `sha256:…`",
        ));
    };
    let known = (0u32..)
        .zip(ALGORITHMS)
        .find(|(_, (algorithm, _))| algorithm.eq_ignore_ascii_case(name));
    let Some((index, (algorithm, length))) = known else {
        return Err(Refused::new("the algorithm is none of sha256, sha384 and sha512"));
    };
    if digits.len() != length || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refused::new(format!(
            "{algorithm} has {length} hexadecimal digits"
        )));
    }
    let hex = digits.to_ascii_lowercase();
    Ok(ParsedText {
        text: format!("{algorithm}:{hex}").into(),
        parts: Value::Record(vec![Value::Enum(index), Value::Str(hex.into())]),
    })
}

/// The parts a policy sees, in the order of the record in the value.
pub fn fields() -> Vec<Field> {
    let members: Vec<String> = ALGORITHMS.iter().map(|(name, _)| (*name).to_owned()).collect();
    vec![
        Field {
            name: "algorithm".to_owned(),
            ty: Ty::Enum {
                name: format!("enum {{ {} }}", members.join(", ")),
                members,
                ordered: false,
            },
        },
        Field {
            name: "hex".to_owned(),
            ty: Ty::String { max: 128 },
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::{DOC, parse};
    use crate::builtins::testing;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(|digest| digest.text.into()));
    }

    #[test]
    fn hostile_text_is_refused() {
        let digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in [
            String::new(),
            ":".to_owned(),
            format!(" sha256:{digits}"),
            format!("sha256: {digits}"),
            format!("sha256:{digits}\n"),
            format!("sha256:{digits}0"),
            format!("sha256::{digits}"),
            format!("sha256:0x{digits}"),
            format!("sha-256:{digits}"),
            format!("sha256:{}", digits.replace('e', "\u{435}")),
            format!("sha256:{}", digits.replace('3', "\u{ff13}")),
            format!("sha512:{digits}"),
            format!("md5:{digits}"),
            format!("\u{17f}ha256:{digits}"),
        ] {
            assert!(parse(&text).is_err(), "{text:?}");
        }
    }
}
