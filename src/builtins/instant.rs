//! `Instant`: a moment, as RFC 3339 writes it with its offset from UTC. Canonical form: UTC with `Z`, with the fraction
//! only as long as it is, kept as milliseconds from 1970-01-01T00:00:00Z. Finer fractions are refused, not rounded; a
//! local time without an offset is no moment and is refused too.

use super::{Doc, Refused, calendar};
use crate::limits;

/// What the manual says about `Instant`.
pub const DOC: Doc = Doc {
    name: "Instant",
    summary: "A moment, to the millisecond",
    json: "string",
    canonical: "`YYYY-MM-DDThh:mm:ssZ` in UTC, with `.` and up to three digits where there is a fraction",
    rules: &[
        "a date-time of RFC 3339 section 5.6: date, `T`, time, and `Z` or an offset such as `+02:00`; small `t` and `z` count too",
        "an offset is required: without one the text names a different moment in every zone",
        "the date and the time exist: at most `23:59:59`, no leap second",
        "a fraction has at most three digits that are not trailing zeros; nothing is rounded",
        "within the years 0001 to 9999, in UTC too",
        "two texts of the same moment are the same value",
    ],
    parts: &[],
    operators: &["==", "!=", "<", "<=", ">", ">=", "in"],
    example_type: "Instant",
    examples: &[
        ("2026-12-29T14:00:00Z", Ok("2026-12-29T14:00:00Z")),
        ("2026-12-29T09:00:00-05:00", Ok("2026-12-29T14:00:00Z")),
        ("2026-12-29t14:00:00.120z", Ok("2026-12-29T14:00:00.12Z")),
        ("2027-01-01T00:30:00+01:00", Ok("2026-12-31T23:30:00Z")),
        ("2026-12-29T14:00:00.000000Z", Ok("2026-12-29T14:00:00Z")),
        (
            "2026-12-29T14:00:00",
            Err("the time has no offset: it ends with neither `Z` nor one such as `+02:00`"),
        ),
        (
            "2026-12-29",
            Err("the text is not a date and a time such as `2026-12-29T14:00:00Z`"),
        ),
        (
            "2026-12-29 14:00:00Z",
            Err("the text is not a date and a time such as `2026-12-29T14:00:00Z`"),
        ),
        ("2026-02-30T14:00:00Z", Err("the calendar has no such date")),
        ("2026-12-29T24:00:00Z", Err("the clock has no such time")),
        ("2016-12-31T23:59:60Z", Err("leap seconds are refused")),
        (
            "2026-12-29T14:00:00.0001Z",
            Err("the fraction is finer than a millisecond"),
        ),
        (
            "2026-12-29T14:00:00+25:00",
            Err("the offset is not one of a clock"),
        ),
        (
            "2026-12-29T14:00:00[Europe/Berlin]",
            Err("the time has no offset: it ends with neither `Z` nor one such as `+02:00`"),
        ),
        (
            "1798552800",
            Err("the text is not a date and a time such as `2026-12-29T14:00:00Z`"),
        ),
    ],
};

const DAY: i128 = 86_400_000;
const HOUR: i128 = 3_600_000;
const MINUTE: i128 = 60_000;

/// Reads a moment as milliseconds from 1970-01-01T00:00:00Z. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<i128, Refused> {
    let shape = || Refused::new("the text is not a date and a time such as `2026-12-29T14:00:00Z`");
    if text.len() > limits::TIME_INPUT_BYTES {
        return Err(shape());
    }
    let ((year, month, day), rest) = calendar::written(text).ok_or_else(shape)?;
    let rest = rest.strip_prefix(['T', 't']).ok_or_else(shape)?;
    let (hour, minute, second, rest) = clock(rest).ok_or_else(shape)?;
    let (fraction, rest) = fraction(rest)?;
    let offset = offset(rest)?;
    let days =
        calendar::days(year, month, day).ok_or_else(|| Refused::new("the calendar has no such date"))?;
    if second == 60 {
        return Err(Refused::new("leap seconds are refused"));
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Refused::new("the clock has no such time"));
    }
    let local = days * DAY + hour * HOUR + minute * MINUTE + second * 1_000 + fraction;
    let millis = local - offset * MINUTE;
    let (year, _, _) = calendar::date(millis.div_euclid(DAY));
    if !limits::YEARS.contains(&year) {
        return Err(Refused::new("the moment is outside the years 0001 to 9999"));
    }
    Ok(millis)
}

/// `hh:mm:ss` and the rest.
fn clock(text: &str) -> Option<(i128, i128, i128, &str)> {
    let (hour, rest) = calendar::digits(text, 2)?;
    let (minute, rest) = calendar::digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = calendar::digits(rest.strip_prefix(':')?, 2)?;
    Some((hour, minute, second, rest))
}

/// The milliseconds of a fraction, where there is one, and the rest.
pub(super) fn fraction(text: &str) -> Result<(i128, &str), Refused> {
    let Some(after) = text.strip_prefix('.') else {
        return Ok((0, text));
    };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (digits, rest) = after.split_at_checked(end).unwrap_or_default();
    if digits.is_empty() {
        return Err(Refused::new("the fraction has no digits"));
    }
    let digits = digits.trim_end_matches('0');
    if digits.len() > 3 {
        return Err(Refused::new("the fraction is finer than a millisecond"));
    }
    Ok((format!("{digits:0<3}").parse().unwrap_or(0), rest))
}

/// An offset in minutes.
fn offset(text: &str) -> Result<i128, Refused> {
    if matches!(text, "Z" | "z") {
        return Ok(0);
    }
    let signed = match text.split_at_checked(1) {
        Some(("+", rest)) => Some((1, rest)),
        Some(("-", rest)) => Some((-1, rest)),
        _ => None,
    };
    let read = signed.and_then(|(sign, rest)| {
        let (hours, rest) = calendar::digits(rest, 2)?;
        let (minutes, rest) = calendar::digits(rest.strip_prefix(':')?, 2)?;
        rest.is_empty().then_some((sign, hours, minutes))
    });
    match read {
        Some((sign, hours, minutes)) if hours <= 23 && minutes <= 59 => Ok(sign * (hours * 60 + minutes)),
        Some(_) => Err(Refused::new("the offset is not one of a clock")),
        None => Err(Refused::new(
            "the time has no offset: it ends with neither `Z` nor one such as `+02:00`",
        )),
    }
}

/// The canonical text of a moment.
pub fn to_text(millis: i128) -> String {
    let (year, month, day) = calendar::date(millis.div_euclid(DAY));
    let of_day = millis.rem_euclid(DAY);
    let (hour, minute) = (of_day / HOUR, of_day / MINUTE % 60);
    let (second, rest) = (of_day / 1_000 % 60, of_day % 1_000);
    let fraction = match rest {
        0 => String::new(),
        rest => format!(".{rest:03}").trim_end_matches('0').to_owned(),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

#[cfg(test)]
mod tests {
    use super::{DOC, parse, to_text};
    use crate::builtins::testing;
    use proptest::prelude::*;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(to_text));
    }

    #[test]
    fn texts_of_one_moment_agree() {
        for text in [
            "2026-12-29T09:00:00-05:00",
            "2026-12-29T14:00:00+00:00",
            "2026-12-29T14:00:00-00:00",
            "2026-12-29T14:00:00.0Z",
            "2026-12-29T23:00:00+09:00",
            "2026-12-30T13:59:00+23:59",
            "2026-12-28T14:01:00-23:59",
        ] {
            assert_eq!(parse(text), Ok(1_798_552_800_000), "{text}");
        }
    }

    #[test]
    fn hostile_text_is_refused() {
        let long = format!("2026-12-29T14:00:00.{}Z", "0".repeat(100));
        for text in [
            "",
            " 2026-12-29T14:00:00Z",
            "2026-12-29T14:00:00Z ",
            "2026-12-29T14:00:00Z\n",
            "2026-12-29T14:00Z",
            "20261229T140000Z",
            "2026-12-29T14:00:00,5Z",
            "2026-12-29T14:00:00.Z",
            "2026-12-29T14:00:00+0100",
            "2026-12-29T14:00:00+01",
            "2026-12-29T14:00:00+01:60",
            "2026-12-29T14:00:00+1:00",
            "2026-12-29T14:00:00 +01:00",
            "2026-12-29T14:00:00\u{2212}01:00",
            "2026-12-29T14:00:00ZZ",
            "2026-12-29T14:00:00UTC",
            "2026-12-29T14:60:00Z",
            "2026-12-29T14:00:61Z",
            "2026-12-29T-4:00:00Z",
            "2026-12-29T1\u{0664}:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+002026-12-29T14:00:00Z",
            "now",
            &long,
        ] {
            assert!(
                parse(text).is_err(),
                "{text:?} gave {:?}",
                parse(text).map(to_text)
            );
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(millis in -62_135_596_800_000i128..=253_402_300_799_999) {
            prop_assert_eq!(parse(&to_text(millis)), Ok(millis));
        }

        /// Another reader never sees another moment.
        #[test]
        fn another_reader_agrees(text in "(19|20)[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,4})?(Z|[+-][01][0-9]:[0-5][0-9])") {
            let theirs: Option<jiff::Timestamp> = text.parse().ok();
            match parse(&text) {
                Ok(millis) => {
                    prop_assert_eq!(theirs.map(|t| i128::from(t.as_millisecond())), Some(millis));
                    prop_assert_eq!(parse(&to_text(millis)), Ok(millis));
                }
                Err(refused) => prop_assert!(theirs.is_none() || refused.reason.contains("finer"), "{text}"),
            }
        }
    }
}
