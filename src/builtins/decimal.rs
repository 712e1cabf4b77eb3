//! `Int`, `Decimal[n]` and `Money[CUR, n]`: numbers read exactly from the JSON text (a number, or for the latter two
//! also a decimal string, which carries what RFC 8785 numbers cannot). Canonical form: an integer count of 10^-n.
//! Nothing is rounded: a digit too many is refused. It must not touch floating point.

use super::{Doc, Refused};
use crate::json::{Json, Number, Text, scaled};
use crate::limits;
use compact_str::ToCompactString as _;

/// What the manual says about `Int`.
pub const INT: Doc = Doc {
    name: "Int",
    summary: "A whole number within \u{b1}(2^53 \u{2212} 1)",
    json: "number",
    canonical: "the integer",
    rules: &[
        "a JSON number with a whole value within \u{b1}(2^53 \u{2212} 1) (RFC 7493 section 2.2); `1.0` and `1e2` are whole",
    ],
    parts: &[],
    operators: &["==", "!=", "<", "<=", ">", ">=", "in"],
    example_type: "Int",
    examples: &[
        ("12", Ok("12")),
        ("-0", Ok("0")),
        ("1e2", Ok("100")),
        ("9007199254740991", Ok("9007199254740991")),
        (
            "9007199254740992",
            Err("the number is outside \u{b1}(2^53 \u{2212} 1)"),
        ),
        ("1.5", Err("the number is not whole")),
        ("\"12\"", Err("expected a whole number, found a string")),
    ],
};

const RULES: &[&str] = &[
    "a JSON number, or a string `-?(0|[1-9][0-9]*)(\\.[0-9]+)?`, read exactly",
    "at most n decimal places that are not zero; nothing is rounded",
    "a magnitude of at most 10^30 units of the last place",
];

/// What the manual says about `Decimal`.
pub const DECIMAL: Doc = Doc {
    name: "Decimal[n]",
    summary: "An exact number with at most n decimal places",
    json: "number, or string",
    canonical: "an integer of 10^-n; in JSON the number without trailing zeros, or a string where RFC 8785 cannot carry it",
    rules: RULES,
    parts: &[],
    operators: &["==", "!=", "<", "<=", ">", ">=", "in"],
    example_type: "Decimal[2]",
    examples: &[
        ("98.70", Ok("98.7")),
        ("\"-98.70\"", Ok("-98.7")),
        ("\"12345678901234567.89\"", Ok("\"12345678901234567.89\"")),
        ("98.705", Err("the number has more than 2 decimal places")),
        ("\"1e3\"", Err("the string is not a decimal number")),
        ("\"01\"", Err("the string is not a decimal number")),
        ("1e30", Err("the number is too large")),
        (
            "true",
            Err("expected a number or a decimal string, found a boolean"),
        ),
    ],
};

/// What the manual says about `Money`.
pub const MONEY: Doc = Doc {
    name: "Money[CUR, n]",
    summary: "An exact amount of one currency with at most n decimal places",
    json: "number, or string",
    canonical: "as `Decimal[n]`; the currency is part of the type, not of the value",
    rules: RULES,
    parts: &[],
    operators: &["==", "!=", "<", "<=", ">", ">=", "in"],
    example_type: "Money[USD, 2]",
    examples: &[
        ("1000", Ok("1000")),
        ("\"0.10\"", Ok("0.1")),
        ("0.105", Err("the number has more than 2 decimal places")),
        ("\"USD 5\"", Err("the string is not a decimal number")),
        ("\"$5\"", Err("the string is not a decimal number")),
    ],
};

/// Why a number was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// The JSON is of another kind.
    Kind,
    /// The string is not a decimal number.
    Syntax,
    /// More decimal places than the type has.
    Places,
    /// Past the type's range.
    Range,
}

/// Reads an `Int`. Errors: the fault and its sentence.
pub fn int(json: &Json) -> Result<i128, (NumberFault, Refused)> {
    let Json::Number(number) = json else {
        let reason = format!("expected a whole number, found {}", json.kind());
        return Err((NumberFault::Kind, Refused::new(reason)));
    };
    match exact(number.text(), 0, limits::SAFE_INTEGER) {
        Ok(value) => Ok(value),
        Err(NumberFault::Places) => Err((NumberFault::Places, Refused::new("the number is not whole"))),
        Err(fault) => Err((
            fault,
            Refused::new("the number is outside \u{b1}(2^53 \u{2212} 1)"),
        )),
    }
}

/// Reads a `Decimal[places]` or `Money[_, places]` as an integer of 10^-`places`. Errors: the fault and its sentence.
pub fn decimal(json: &Json, places: u32) -> Result<i128, (NumberFault, Refused)> {
    let text = match json {
        Json::Number(number) => number.text(),
        Json::String(text) if is_decimal(text) => text,
        Json::String(_) => {
            return Err((
                NumberFault::Syntax,
                Refused::new("the string is not a decimal number"),
            ));
        }
        other => {
            let reason = format!("expected a number or a decimal string, found {}", other.kind());
            return Err((NumberFault::Kind, Refused::new(reason)));
        }
    };
    exact(text, places, limits::DECIMAL_MAGNITUDE).map_err(|fault| {
        let reason = match fault {
            NumberFault::Places => format!("the number has more than {places} decimal places"),
            _ => "the number is too large".to_owned(),
        };
        (fault, Refused::new(reason))
    })
}

/// Whether text is `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
pub(super) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

/// Scales a number's text and says which bound it passes.
pub(super) fn exact(text: &str, places: u32, magnitude: i128) -> Result<i128, NumberFault> {
    match scaled(text, places) {
        Some(value) if (-magnitude..=magnitude).contains(&value) => Ok(value),
        Some(_) => Err(NumberFault::Range),
        None if has_more_places(text, places) => Err(NumberFault::Places),
        None => Err(NumberFault::Range),
    }
}

/// Whether text that does not scale fails for its places. ECMAScript writes an exponent below zero only under 10^-6,
/// where nothing is too large, and one above zero only for whole numbers.
fn has_more_places(text: &str, places: u32) -> bool {
    if text.contains(['e', 'E']) {
        return text.contains("e-");
    }
    let fraction = text
        .split_once('.')
        .map_or("", |(_, fraction)| fraction)
        .trim_end_matches('0');
    u32::try_from(fraction.len()).map_or(true, |len| len > places)
}

/// The canonical JSON of an integer of 10^-`places`: the number without trailing zeros, or the same as a string
/// where RFC 8785 cannot carry it.
pub fn to_json(value: i128, places: u32) -> Json {
    let text = to_text(value, places);
    match Number::read(&text) {
        Some(number) => Json::Number(number),
        None => Json::str(text),
    }
}

fn to_text(value: i128, places: u32) -> Text {
    let places = usize::try_from(places).unwrap_or(usize::MAX).min(MAX_PLACES);
    let magnitude = value.unsigned_abs();
    // Most fit, and are written faster then.
    let digits =
        u64::try_from(magnitude).map_or_else(|_| magnitude.to_compact_string(), |n| n.to_compact_string());
    let (whole, fraction) = match digits.len().checked_sub(places) {
        Some(at @ 1..) => digits.split_at_checked(at).unwrap_or_default(),
        _ => ("0", digits.as_str()),
    };
    let zeros = places - fraction.len();
    let mut text = Text::const_new(if value < 0 { "-" } else { "" });
    text.push_str(whole);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        text.push('.');
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(fraction);
    }
    text
}

/// Keeps the text short for a `places` no type can have.
const MAX_PLACES: usize = limits::DECIMAL_PLACES as usize;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DECIMAL, INT, MONEY, NumberFault, decimal, int, is_decimal, to_json};
    use crate::builtins::{Refused, testing};
    use crate::json::{self, Json};

    fn text(json: &Json) -> String {
        match json {
            Json::Number(number) => number.text().to_owned(),
            Json::String(text) => format!("\"{text}\""),
            other => panic!("{other:?}"),
        }
    }

    fn read(input: &str, run: impl Fn(&Json) -> Result<Json, Refused>) -> Result<String, Refused> {
        run(&json::parse(input.as_bytes()).unwrap()).map(|json| text(&json))
    }

    #[test]
    fn examples() {
        testing::run(&INT, |input| {
            read(input, |json| {
                int(json).map(|v| to_json(v, 0)).map_err(|(_, refused)| refused)
            })
        });
        for doc in [&DECIMAL, &MONEY] {
            testing::run(doc, |input| {
                read(input, |json| {
                    decimal(json, 2)
                        .map(|v| to_json(v, 2))
                        .map_err(|(_, refused)| refused)
                })
            });
        }
    }

    #[test]
    fn faults_are_named() {
        for (input, places, expected) in [
            ("98.7", 2, Ok(9870)),
            ("1e-7", 7, Ok(1)),
            ("1e-7", 6, Err(NumberFault::Places)),
            ("1.23e+47", 2, Err(NumberFault::Range)),
            ("\"0.000000000000000001\"", 18, Ok(1)),
            ("\"0.0000000000000000001\"", 18, Err(NumberFault::Places)),
            (
                "\"1000000000000\"",
                18,
                Ok(1_000_000_000_000_000_000_000_000_000_000),
            ),
            (
                "\"1000000000000.000000000000000001\"",
                18,
                Err(NumberFault::Range),
            ),
            (
                "\"9999999999999999999999999999999999999999999999\"",
                0,
                Err(NumberFault::Range),
            ),
            ("\"-0.00\"", 2, Ok(0)),
            ("\"1.2300000\"", 2, Ok(123)),
            ("null", 2, Err(NumberFault::Kind)),
            ("\"\"", 2, Err(NumberFault::Syntax)),
        ] {
            let json = json::parse(input.as_bytes()).unwrap();
            assert_eq!(
                decimal(&json, places).map_err(|(fault, _)| fault),
                expected,
                "{input} at {places}"
            );
        }
    }

    #[test]
    fn only_plain_decimals_are_decimals() {
        for text in ["0", "-0", "10", "0.0", "-12.50"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in [
            "", "-", ".", "1.", ".5", "01", "+1", "1e3", " 1", "1 ", "--1", "1.2.3", "1,000", "\u{661}",
            "0x1", "NaN", "1_000",
        ] {
            assert!(!is_decimal(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_values_read_back(value in -1_000_000_000_000_000_000_000_000_000_000i128..=1_000_000_000_000_000_000_000_000_000_000, places in 0u32..=18, shift in 0u32..90) {
            let value = value >> shift;
            prop_assert_eq!(decimal(&to_json(value, places), places), Ok(value));
        }

        #[test]
        fn any_string_is_safe(text in prop_oneof!["\\PC*", "-?[0-9.e+-]{0,60}"], places in 0u32..=18) {
            if let Ok(value) = decimal(&Json::str(text), places) {
                prop_assert_eq!(decimal(&to_json(value, places), places), Ok(value));
            }
        }
    }
}
