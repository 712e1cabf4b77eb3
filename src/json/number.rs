//! JSON numbers, exact. A number is accepted only when the text RFC 8785 would write for it (the shortest form
//! ECMAScript prints for the nearest double) has the same decimal value as the text received, so that nothing
//! downstream can read another number.

use super::Text;
use compact_str::ToCompactString as _;

/// A number in its canonical RFC 8785 text; one that was written `-0` keeps its sign beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    text: Text,
}

/// What is kept of a zero with a sign. No canonical text is like it.
const NEGATIVE_ZERO: &str = "-0";

impl Number {
    /// Reads the text of a JSON number (already known to follow RFC 8259 section 6). `None` when RFC 8785 cannot
    /// carry its value exactly, which includes a number that is not zero but would read as zero.
    pub fn read(text: &str) -> Option<Number> {
        short(text).or_else(|| Number::read_any(text))
    }

    fn read_any(text: &str) -> Option<Number> {
        let given = Decimal::read(text)?;
        if given.is_zero() {
            return Some(Number::of(if text.starts_with('-') {
                NEGATIVE_ZERO
            } else {
                "0"
            }));
        }
        let double: f64 = text.parse().ok()?;
        if !double.is_finite() {
            return None;
        }
        let mut buffer = ryu_js::Buffer::new();
        let canonical = buffer.format_finite(double);
        let fits = Decimal::read(canonical)? == given;
        fits.then(|| Number::of(canonical))
    }

    /// INVARIANT: `text` is canonical, or `NEGATIVE_ZERO`.
    fn of(text: &str) -> Number {
        Number { text: text.into() }
    }

    /// An integer. Past ±(2^53 − 1) the nearest bound is taken; callers hold counts and sizes, which stay below.
    pub fn from_i64(n: i64) -> Number {
        let bound = i64::try_from(crate::limits::SAFE_INTEGER).unwrap_or(i64::MAX);
        Number {
            text: n.clamp(-bound, bound).to_compact_string(),
        }
    }

    /// A number past what RFC 8785 carries, for `parse_any_numbers` alone: its text is not canonical.
    pub(super) fn as_written(text: &str) -> Number {
        Number::of(text)
    }

    /// The canonical text (RFC 8785 section 3.2.2.3).
    pub fn text(&self) -> &str {
        if self.is_negative_zero() { "0" } else { &self.text }
    }

    /// Whether it was written `-0`: RFC 8785 writes `0` for it, so the sign would be lost.
    pub fn is_negative_zero(&self) -> bool {
        self.text == NEGATIVE_ZERO
    }

    /// The value times 10^`places`, where that is an integer that fits; nothing is rounded.
    pub fn to_scaled(&self, places: u32) -> Option<i128> {
        scaled(self.text(), places)
    }
}

impl serde::Serialize for Number {
    /// As an integer where it is one that fits, else as the double it was accepted for being equal to.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.text().parse::<i64>() {
            Ok(integer) => to.serialize_i64(integer),
            Err(_) => to.serialize_f64(self.text().parse().map_err(serde::ser::Error::custom)?),
        }
    }
}

/// Reads a decimal text (`-12.50`, `1e3`) as an integer of 10^-`places`; `None` when it has more places or does not
/// fit. Follows the JSON number grammar, so `+1`, `.5`, `01` and `1.` are refused by the callers' own syntax checks.
pub fn scaled(text: &str, places: u32) -> Option<i128> {
    let plain = Plain::read(text).and_then(|plain| plain.to_scaled(places));
    plain.or_else(|| Decimal::read(text)?.to_scaled(places))
}

/// A number without exponent that has at most 15 digits and none after the sixth place: a double carries it exactly, and
/// ECMAScript prints it as it stands, without zeros at its end.
fn short(text: &str) -> Option<Number> {
    let plain = Plain::read(text)?;
    if plain.digits > 15 || plain.places > 6 {
        return None;
    }
    let kept = if plain.places > 0 {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    };
    // A zero with a sign is `NEGATIVE_ZERO` as it stands.
    Some(Number::of(kept))
}

/// A number without exponent, of few digits.
struct Plain {
    /// Its value times 10^`places`.
    value: i64,
    digits: u32,
    places: u32,
}

impl Plain {
    /// The most digits whose value always fits.
    const DIGITS: u32 = 18;

    /// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?` of few digits; `None` for any other text.
    fn read(text: &str) -> Option<Plain> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mut value, mut digits, mut point) = (0i64, 0u32, None);
        for byte in unsigned.bytes() {
            match byte {
                b'0'..=b'9' if digits < Plain::DIGITS => {
                    value = value * 10 + i64::from(byte - b'0');
                    digits += 1;
                }
                b'.' if point.is_none() => point = Some(digits),
                _ => return None,
            }
        }
        let whole = point.unwrap_or(digits);
        let is_written_so = whole > 0 && point != Some(digits) && (whole == 1 || !unsigned.starts_with('0'));
        is_written_so.then(|| Plain {
            value: if unsigned.len() < text.len() {
                -value
            } else {
                value
            },
            digits,
            places: digits - whole,
        })
    }

    /// The value times 10^`places`; `None` where it has more places, or nobody knows without a second look.
    fn to_scaled(&self, places: u32) -> Option<i128> {
        let more = places.checked_sub(self.places)?;
        let factor = 10i64.checked_pow(more)?;
        Some(i128::from(self.value) * i128::from(factor))
    }
}

/// ± the digits of `whole` and `fraction`, one after the other, × 10^`exponent`: without leading or trailing zero digits;
/// zero has no digits.
struct Decimal<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    exponent: i64,
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.negative, self.exponent) == (other.negative, other.exponent) && self.digits().eq(other.digits())
    }
}

impl<'t> Decimal<'t> {
    fn read(text: &'t str) -> Option<Decimal<'t>> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.strip_prefix('+').unwrap_or(e).parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (mut whole, mut fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if mantissa.is_empty() || mantissa == "." || !digits(whole) || !digits(fraction) {
            return None;
        }
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let all = whole.len() + fraction.len();
        fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            whole = whole.trim_end_matches('0');
        }
        let dropped = i64::try_from(all - whole.len() - fraction.len()).ok()?;
        whole = whole.trim_start_matches('0');
        if whole.is_empty() {
            fraction = fraction.trim_start_matches('0');
        }
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Decimal {
            negative: negative && !is_zero,
            whole,
            fraction,
            exponent: if is_zero {
                0
            } else {
                exponent.checked_add(dropped)?
            },
        })
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn to_scaled(&self, places: u32) -> Option<i128> {
        if self.is_zero() {
            return Some(0);
        }
        let shift = u32::try_from(self.exponent.checked_add(i64::from(places))?).ok()?;
        let magnitude = self.digits().try_fold(0i128, |all, digit| {
            all.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        })?;
        let magnitude = magnitude.checked_mul(10i128.checked_pow(shift)?)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, Number, Plain, scaled, short};
    use proptest::prelude::*;

    #[test]
    fn reads_only_what_rfc_8785_carries() {
        for (text, canonical) in [
            ("0", Some("0")),
            ("-0", Some("0")),
            ("-0.0", Some("0")),
            ("98.70", Some("98.7")),
            ("1.0", Some("1")),
            ("1e2", Some("100")),
            ("0.1", Some("0.1")),
            ("0.30000000000000004", Some("0.30000000000000004")),
            ("0.3000000000000000400001", None),
            ("123e45", Some("1.23e+47")),
            ("9007199254740991", Some("9007199254740991")),
            ("9007199254740992", Some("9007199254740992")),
            ("9007199254740993", None),
            ("1e400", None),
            ("1e-400", None),
            ("-1.5e-7", Some("-1.5e-7")),
            ("1e21", Some("1e+21")),
        ] {
            assert_eq!(Number::read(text).as_ref().map(Number::text), canonical, "{text}");
        }
    }

    proptest! {
        /// The short way is a short cut.
        #[test]
        fn a_short_number_reads_as_any_other(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,8})?") {
            prop_assert!(short(&text).is_none_or(|number| Some(number) == Number::read_any(&text)), "{}", text);
        }
    }

    proptest! {
        /// So is the short way to a scaled value.
        #[test]
        fn a_plain_number_scales_as_any_other(
            text in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,8})?",
            places in 0u32..24,
        ) {
            let plain = Plain::read(&text).and_then(|plain| plain.to_scaled(places));
            let any = Decimal::read(&text).and_then(|any| any.to_scaled(places));
            prop_assert!(plain.is_none() || plain == any, "{}", text);
        }
    }

    #[test]
    fn scales_without_rounding() {
        for (text, places, value) in [
            ("98.7", 2, Some(9870)),
            ("98.705", 2, None),
            ("-1", 2, Some(-100)),
            ("1.50", 1, Some(15)),
            ("1e3", 0, Some(1000)),
            ("0", 5, Some(0)),
            ("0.0e9", 5, Some(0)),
            ("1200e-2", 0, Some(12)),
            ("10.500", 1, Some(105)),
            ("0.00120", 4, Some(12)),
            ("0.00120", 3, None),
            ("1e38", 0, Some(10i128.pow(38))),
            ("1e39", 0, None),
            (".", 0, None),
        ] {
            assert_eq!(scaled(text, places), value, "{text} at {places}");
        }
    }
}
