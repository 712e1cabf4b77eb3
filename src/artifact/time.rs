//! Instants in artifacts: RFC 3339, UTC, milliseconds, exactly 24 characters. The clock is the caller's.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// Bytes of the one form.
pub(super) const BYTES: usize = "2026-11-23T15:16:58.123Z".len();

/// Writes the one form, `2026-11-23T15:16:58.123Z`; smaller units are cut off.
pub fn print(at: Timestamp) -> String {
    DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&at)
}

/// The instant that is written: its whole milliseconds.
pub fn cut(at: Timestamp) -> Timestamp {
    let whole = at.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(whole)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(at)
}

/// Reads the one form; `None` for any other spelling, even of the same instant.
pub fn parse(text: &str) -> Option<Timestamp> {
    let at: Timestamp = text.parse().ok()?;
    (text.len() == BYTES && print(at) == text).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{cut, parse, print};

    #[test]
    fn has_one_spelling() {
        let at: jiff::Timestamp = "2026-11-23T15:16:58.123987Z".parse().unwrap();
        assert_eq!(print(at), "2026-11-23T15:16:58.123Z");
        assert_eq!(Some(cut(at)), parse("2026-11-23T15:16:58.123Z"));
        let early: jiff::Timestamp = "1969-07-20T20:17:40.123987Z".parse().unwrap();
        assert_eq!(Some(cut(early)), parse(&print(early)));
        assert!(parse("2026-11-23T15:16:58.000Z").is_some());
        for bad in [
            "2026-11-23T15:16:58Z",
            "2026-11-23T15:16:58.1Z",
            "2026-11-23T15:16:58.123+00:00",
            "2026-11-23 15:16:58.123Z",
            "2026-11-23t15:16:58.123z",
            "2026-02-30T00:00:00.000Z",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
