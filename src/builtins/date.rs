//! `Date`: a day of the calendar, as ISO 8601 writes it, without a time or a zone. Canonical form: `YYYY-MM-DD`, kept as
//! the number of days from 1970-01-01. A date that the calendar does not have is refused, never moved to the next one.

use super::{Doc, Refused, calendar};

/// What the manual says about `Date`.
pub const DOC: Doc = Doc {
    name: "Date",
    summary: "A day of the calendar",
    json: "string",
    canonical: "`YYYY-MM-DD`",
    rules: &[
        "exactly `YYYY-MM-DD` in ASCII digits (ISO 8601-1 section 5.2.2, the extended form)",
        "a day of the proleptic Gregorian calendar, from `0001-01-01` to `9999-12-31`",
        "times, offsets, week dates, ordinal dates and other orders of the parts are refused",
    ],
    parts: &[],
    operators: &["==", "!=", "<", "<=", ">", ">=", "in"],
    example_type: "Date",
    examples: &[
        ("2026-12-29", Ok("2026-12-29")),
        ("2024-02-29", Ok("2024-02-29")),
        ("0001-01-01", Ok("0001-01-01")),
        ("2026-02-30", Err("the calendar has no such date")),
        ("2026-02-29", Err("the calendar has no such date")),
        ("1900-02-29", Err("the calendar has no such date")),
        ("2026-13-01", Err("the calendar has no such date")),
        ("0000-01-01", Err("the calendar has no such date")),
        ("2026-1-1", Err("the date is not written `YYYY-MM-DD`")),
        ("20261229", Err("the date is not written `YYYY-MM-DD`")),
        ("29/12/2026", Err("the date is not written `YYYY-MM-DD`")),
        (
            "2026-12-29T00:00:00Z",
            Err("the date is not written `YYYY-MM-DD`"),
        ),
        ("2026-W52-2", Err("the date is not written `YYYY-MM-DD`")),
        ("", Err("the date is not written `YYYY-MM-DD`")),
    ],
};

/// Reads a date as its days from 1970-01-01. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<i128, Refused> {
    match calendar::written(text) {
        Some(((year, month, day), "")) => {
            calendar::days(year, month, day).ok_or_else(|| Refused::new("the calendar has no such date"))
        }
        _ => Err(Refused::new("the date is not written `YYYY-MM-DD`")),
    }
}

/// The canonical text of a day.
pub fn to_text(days: i128) -> String {
    let (year, month, day) = calendar::date(days);
    format!("{year:04}-{month:02}-{day:02}")
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
    fn hostile_text_is_refused() {
        for text in [
            " 2026-12-29",
            "2026-12-29 ",
            "2026-12-29\n",
            "+2026-12-29",
            "-2026-12-29",
            "2026\u{2010}12\u{2010}29",
            "\u{ff12}026-12-29",
            "2026-12-2\u{0669}",
            "2026-12-00",
            "2026-00-10",
            "12026-12-29",
            "2026-12-29Z",
            "2026-363",
            "today",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay_and_keep_their_order(a in -719_162i128..=2_932_896, b in -719_162i128..=2_932_896) {
            prop_assert_eq!(parse(&to_text(a)), Ok(a));
            prop_assert_eq!(a.cmp(&b), to_text(a).cmp(&to_text(b)));
        }

        #[test]
        fn nothing_else_is_accepted(text in prop_oneof!["\\PC*", "[0-9T:Z-]{8,12}"]) {
            if let Ok(days) = parse(&text) {
                prop_assert_eq!(to_text(days), text);
            }
        }
    }
}
