//! `Duration`: a length of time of fixed units, from milliseconds to days. Two forms: `Duration` is a text, `1h30m` or
//! ISO 8601's `PT1H30M`; `Duration[s]` (or another unit) is a JSON number of whole units, for tools that count. Both are
//! kept as milliseconds and compared with literals such as `15m`. Months and years have no fixed length and are refused.

use super::decimal::{self, NumberFault};
use super::{Doc, Refused, instant};
use crate::json::Json;
use crate::limits;
use crate::ty::Unit;

/// What the manual says about `Duration`.
pub const DOC: Doc = Doc {
    name: "Duration",
    summary: "A length of time, from milliseconds to a million days",
    json: "string; a number for `Duration[ms]`, `Duration[s]`, `Duration[m]`, `Duration[h]` and `Duration[d]`",
    canonical: "`1h30m`: hours, minutes, seconds, milliseconds, each at most once, without those that are zero; `0s` for nothing; for `Duration[s]` and the like the number",
    rules: &[
        "whole numbers with a unit each, `d`, `h`, `m`, `s`, `ms`, from the largest to the smallest: `1d12h`, `90s`, `500ms`",
        "or ISO 8601: `P2DT3H`, `PT15M`, `PT1.5S`, `P2W`; a fraction is allowed on the seconds only, to the millisecond",
        "a day is 24 hours; years and months have no fixed length and are refused",
        "signs, spaces, other units and bare numbers are refused: `900` could be seconds or milliseconds",
        "`Duration[s]` takes a JSON number of whole units and no text, as the tool behind it does",
        "literals are `15m`, `1h30m`, `500ms`, `7d`, without quotes, for both forms",
        "at most 1,000,000 days",
    ],
    parts: &[],
    operators: &["==", "!=", "<", "<=", ">", ">=", "in"],
    example_type: "Duration",
    examples: &[
        ("15m", Ok("15m")),
        ("90m", Ok("1h30m")),
        ("PT15M", Ok("15m")),
        ("P1DT0.5S", Ok("24h500ms")),
        ("7d", Ok("168h")),
        ("P2W", Ok("336h")),
        ("0ms", Ok("0s")),
        (
            "",
            Err("the text is not a duration such as `15m`, `1h30m` or `PT15M`"),
        ),
        (
            "900",
            Err("the number has no unit; `d`, `h`, `m`, `s` or `ms` follows each"),
        ),
        (
            "30m1h",
            Err("the units do not go from the largest to the smallest, each once"),
        ),
        (
            "1h1h",
            Err("the units do not go from the largest to the smallest, each once"),
        ),
        (
            "1.5h",
            Err("the text is not a duration such as `15m`, `1h30m` or `PT15M`"),
        ),
        (
            "-5m",
            Err("the text is not a duration such as `15m`, `1h30m` or `PT15M`"),
        ),
        (
            "15 min",
            Err("the text is not a duration such as `15m`, `1h30m` or `PT15M`"),
        ),
        ("P1M", Err("years and months have no fixed length")),
        ("PT0.0001S", Err("the fraction is finer than a millisecond")),
        ("1000001d", Err("the duration is over 1000000 days")),
    ],
};

fn shape() -> Refused {
    Refused::new("the text is not a duration such as `15m`, `1h30m` or `PT15M`")
}

/// Reads a `Duration` as milliseconds. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<i128, Refused> {
    if text.len() > limits::TIME_INPUT_BYTES {
        return Err(shape());
    }
    match text.strip_prefix('P') {
        Some(iso) => self::iso(iso),
        None => compact(text),
    }
}

/// Reads `1h30m`: the form of the literals too. Errors: the reason, one sentence.
pub fn compact(text: &str) -> Result<i128, Refused> {
    let mut total = 0;
    let mut last: Option<Unit> = None;
    let mut rest = text;
    while !rest.is_empty() || last.is_none() {
        let (count, after) = count(rest)?;
        let (unit, after) = unit(after)?;
        if last.is_some_and(|last| last <= unit) {
            return Err(Refused::new(
                "the units do not go from the largest to the smallest, each once",
            ));
        }
        total = add(total, count, unit.millis())?;
        (last, rest) = (Some(unit), after);
    }
    Ok(total)
}

/// The digits at the start as a number, and the rest.
fn count(text: &str) -> Result<(i128, &str), Refused> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or_default();
    if digits.is_empty() {
        return Err(shape());
    }
    // What does not fit is far over the bound.
    Ok((digits.parse().unwrap_or(i128::MAX), rest))
}

fn unit(text: &str) -> Result<(Unit, &str), Refused> {
    if text.is_empty() {
        return Err(Refused::new(
            "the number has no unit; `d`, `h`, `m`, `s` or `ms` follows each",
        ));
    }
    let found = Unit::ALL
        .into_iter()
        .find_map(|unit| Some((unit, text.strip_prefix(unit.as_str())?)));
    found
        .filter(|(_, rest)| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
        .ok_or_else(shape)
}

fn add(total: i128, count: i128, millis: i128) -> Result<i128, Refused> {
    count
        .checked_mul(millis)
        .and_then(|part| part.checked_add(total))
        .filter(|sum| *sum <= limits::DURATION_MILLIS)
        .ok_or_else(too_long)
}

fn too_long() -> Refused {
    let days = limits::DURATION_MILLIS / Unit::Day.millis();
    Refused::new(format!("the duration is over {days} days"))
}

/// Reads what follows the `P` of ISO 8601.
fn iso(text: &str) -> Result<i128, Refused> {
    let (days, time) = match text.split_once('T') {
        Some((_, "")) => return Err(shape()),
        Some((days, time)) => (days, time),
        None if text.is_empty() => return Err(shape()),
        None => (text, ""),
    };
    if let Some(weeks) = days.strip_suffix('W') {
        let (count, rest) = count(weeks)?;
        return match (rest, time) {
            ("", "") => add(0, count, 7 * Unit::Day.millis()),
            _ => Err(shape()),
        };
    }
    let mut total = 0;
    if !days.is_empty() {
        let (count, rest) = count(days)?;
        match rest {
            "D" => total = add(total, count, Unit::Day.millis())?,
            _ if days.contains(['Y', 'M']) => {
                return Err(Refused::new("years and months have no fixed length"));
            }
            _ => return Err(shape()),
        }
    }
    clock(time, total)
}

/// Reads what follows the `T` of ISO 8601: hours, minutes, seconds, in that order.
fn clock(text: &str, mut total: i128) -> Result<i128, Refused> {
    let mut rest = text;
    let mut letters = "HMS";
    while !rest.is_empty() {
        let (count, after) = count(rest)?;
        let (fraction, after) = instant::fraction(after)?;
        let letter = after.chars().next().ok_or_else(shape)?;
        let (_, left) = letters.split_once(letter).ok_or_else(shape)?;
        let unit = match letter {
            'H' => Unit::Hour,
            'M' => Unit::Minute,
            _ => Unit::Second,
        };
        // A `.` before another letter would be a part of an hour or a minute.
        if unit != Unit::Second && rest.split(letter).next().is_some_and(|n| n.contains('.')) {
            return Err(shape());
        }
        total = add(add(total, count, unit.millis())?, fraction, 1)?;
        letters = left;
        rest = after.strip_prefix(letter).unwrap_or_default();
    }
    Ok(total)
}

/// Reads a `Duration[unit]`: a whole number of units. Errors: the fault and its sentence.
pub fn counted(json: &Json, unit: Unit) -> Result<i128, (NumberFault, Refused)> {
    let count = decimal::int(json)?;
    if count < 0 {
        return Err((NumberFault::Range, Refused::new("a duration is not negative")));
    }
    add(0, count, unit.millis()).map_err(|refused| (NumberFault::Range, refused))
}

/// The canonical text of milliseconds; it is also how a policy writes them.
pub fn to_text(millis: i128) -> String {
    let mut rest = millis.unsigned_abs();
    let mut out = String::new();
    for unit in [Unit::Hour, Unit::Minute, Unit::Second, Unit::Millisecond] {
        let length = unit.millis().unsigned_abs();
        let count = rest / length;
        rest %= length;
        if count != 0 {
            out.push_str(&format!("{count}{}", unit.as_str()));
        }
    }
    match (out.is_empty(), millis < 0) {
        (true, _) => "0s".to_owned(),
        (false, true) => format!("-{out}"),
        (false, false) => out,
    }
}

#[cfg(test)]
mod tests {
    use super::{DOC, compact, counted, parse, to_text};
    use crate::builtins::testing;
    use crate::json;
    use crate::ty::Unit;
    use proptest::prelude::*;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(to_text));
    }

    #[test]
    fn texts_of_one_length_agree() {
        for (texts, millis) in [
            (
                &["1h30m", "90m", "5400s", "PT1H30M", "PT90M", "PT5400S", "1h30m0s"][..],
                5_400_000,
            ),
            (&["7d", "168h", "P7D", "P1W", "PT168H", "P07D"], 604_800_000),
            (&["1s500ms", "1500ms", "PT1.5S", "PT1.500000S"], 1_500),
            (&["0s", "0d", "PT0S", "P0D", "P0W", "0h0m0s0ms"], 0),
        ] {
            for text in texts {
                assert_eq!(parse(text), Ok(millis), "{text}");
            }
        }
    }

    #[test]
    fn hostile_text_is_refused() {
        let long = format!("{}s", "0".repeat(100));
        for text in [
            " 15m",
            "15m ",
            "15 m",
            "15M",
            "15H",
            "m",
            "ms",
            "15mm",
            "15min",
            "15m5",
            "15m,5s",
            "1y",
            "1w",
            "1us",
            "1ns",
            "1e3s",
            "0x10s",
            "+5m",
            "1_000s",
            "\u{ff11}5m",
            "1\u{b5}s",
            "P",
            "PT",
            "P1DT",
            "p1d",
            "PT15m",
            "-PT15M",
            "P-1D",
            "PT-15M",
            "P1Y",
            "P1Y2M10D",
            "P1W2D",
            "P1WT1H",
            "PT1M1H",
            "PT1S1S",
            "PT1.5M",
            "PT1.0M",
            "PT.5S",
            "PT1,5S",
            "PT1.S",
            "P1.5D",
            "PT15",
            "P15",
            "PT1H30",
            "99999999999999999999999999999999999999999999d",
            "170141183460469231731687303715884105727ms",
            &long,
        ] {
            assert!(
                parse(text).is_err(),
                "{text:?} gave {:?}",
                parse(text).map(to_text)
            );
        }
    }

    #[test]
    fn counted_durations_are_whole_numbers_of_their_unit() {
        for (text, unit, expected) in [
            ("900", Unit::Second, Some(900_000)),
            ("9e2", Unit::Second, Some(900_000)),
            ("2", Unit::Day, Some(172_800_000)),
            ("0", Unit::Millisecond, Some(0)),
            ("1.5", Unit::Second, None),
            ("-1", Unit::Second, None),
            ("\"900\"", Unit::Second, None),
            ("\"15m\"", Unit::Second, None),
            ("1000001", Unit::Day, None),
            ("9007199254740991", Unit::Day, None),
            ("null", Unit::Day, None),
        ] {
            let got = counted(&json::parse(text.as_bytes()).unwrap(), unit).ok();
            assert_eq!(got, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(millis in 0i128..=86_400_000_000_000) {
            prop_assert_eq!(parse(&to_text(millis)), Ok(millis));
            prop_assert_eq!(compact(&to_text(millis)), Ok(millis));
        }

        /// Another reader of ISO 8601 never sees another length.
        #[test]
        fn another_reader_agrees(text in "P([0-9]{1,2}D)?(T([0-9]{1,2}H)?([0-9]{1,2}M)?([0-9]{1,2}(\\.[0-9]{1,3})?S)?)?") {
            let theirs: Option<jiff::Span> = text.parse().ok();
            let days = jiff::SpanRelativeTo::days_are_24_hours();
            let theirs = theirs.map(|s| i128::from(s.total((jiff::Unit::Millisecond, days)).unwrap().round() as i64));
            prop_assert_eq!(parse(&text).ok(), theirs);
        }
    }
}
