//! Checks a JSON document against the tables of `shape`. In: a value, its pointer, its shape. Out: nothing, or the
//! first mistake. It knows no field by name.

use super::shape::{Field, Need, Shape};
use super::{IntentError, refuse};
use crate::diag::suggest;
use crate::json::Json;
use crate::json::pointer::Place;

/// The most fields of an object; a test counts them.
const MOST_FIELDS: usize = 40;

/// Characters of a received text that a message repeats.
const SHOWN_CHARS: usize = 64;

/// Checks a closed object. Unknown members come first: a misspelt required field is better named by what is there.
pub(super) fn record(value: &Json, at: &Place<'_>, fields: &'static [Field]) -> Result<(), IntentError> {
    let members = value
        .as_object()
        .ok_or_else(|| wrong_type(value, at, "an object"))?;
    let mut given = [None; MOST_FIELDS];
    let mut next = 0;
    for (name, member) in members {
        let found = position(fields, name, next).and_then(|at| Some((at, given.get_mut(at)?)));
        let Some((found, place)) = found else {
            return Err(unknown(name, at, fields));
        };
        *place = Some(member);
        next = found + 1;
    }
    for (field, given) in fields.iter().zip(given) {
        match given {
            Some(member) => shape(member, &at.member(field.name), &field.shape)?,
            None if field.need == Need::Required => {
                let place = at.member(field.name);
                let message = format!("`{place}` is missing; every intent has it");
                return Err(refuse("intent.missing_field", &place, message));
            }
            None => {}
        }
    }
    Ok(())
}

/// Where a field of this name is; looked for from `next` on first, since most documents keep the order of the tables.
fn position(fields: &[Field], name: &str, next: usize) -> Option<usize> {
    let (before, after) = fields.split_at_checked(next).unwrap_or((fields, &[]));
    let is_it = |field: &Field| field.name == name;
    let after = after.iter().position(is_it).map(|at| next + at);
    after.or_else(|| before.iter().position(is_it))
}

fn unknown(name: &str, at: &Place<'_>, fields: &'static [Field]) -> IntentError {
    let place = at.member(name);
    let near = suggest::nearest(name, fields.iter().map(|f| f.name));
    let help = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    let object = if at.is_root() {
        "an intent".to_owned()
    } else {
        format!("`{at}`")
    };
    let message = format!("`{}` is not a field of {object}{help}", shown(name));
    refuse("intent.unknown_field", &place, message)
}

fn shape(value: &Json, at: &Place<'_>, expected: &'static Shape) -> Result<(), IntentError> {
    match expected {
        Shape::Record(fields) => record(value, at, fields),
        Shape::Open => match value {
            Json::Object(_) => Ok(()),
            other => Err(wrong_type(other, at, "an object")),
        },
        Shape::List(element) => {
            let items = value
                .as_array()
                .ok_or_else(|| wrong_type(value, at, "an array"))?;
            let each = |(i, item): (usize, &Json)| shape(item, &at.element(i), element);
            items.iter().enumerate().try_for_each(each)
        }
        Shape::Bool => match value {
            Json::Bool(_) => Ok(()),
            other => Err(wrong_type(other, at, "true or false")),
        },
        Shape::Seconds { least } => match value {
            Json::Number(_) if value.as_i64().is_some_and(|n| n >= *least) => Ok(()),
            Json::Number(_) => Err(bad_value(
                at,
                &format!("is not a whole number of at least {least}"),
            )),
            other => Err(wrong_type(other, at, "a number")),
        },
        _ => text(
            value.as_str().ok_or_else(|| wrong_type(value, at, "a string"))?,
            at,
            expected,
        ),
    }
}

fn text(text: &str, at: &Place<'_>, expected: &'static Shape) -> Result<(), IntentError> {
    let says = |ok: bool, what: &str| if ok { Ok(()) } else { Err(bad_value(at, what)) };
    match expected {
        Shape::NonEmpty => says(!text.is_empty(), "is empty"),
        Shape::Identifier => says(is_identifier(text), NOT_IDENTIFIER),
        Shape::IdentifierOrEmpty => says(text.is_empty() || is_identifier(text), NOT_IDENTIFIER),
        Shape::Digest => says(is_digest(text), "is not a SHA-256 in 64 hexadecimal digits"),
        Shape::Time => says(
            is_time(text),
            "is not a time like 2026-01-31T12:00:00Z (RFC 3339)",
        ),
        Shape::OneOf(words) if !words.contains(&text) => Err(not_one_of(text, at, words)),
        _ => Ok(()),
    }
}

const NOT_IDENTIFIER: &str = "is empty, starts or ends with a space, or holds a control or invisible character; names \
                              are compared exactly, so send it without";

fn not_one_of(text: &str, at: &Place<'_>, words: &'static [&'static str]) -> IntentError {
    let help = match suggest::nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it is one of {}", words.join(", ")),
    };
    refuse(
        "intent.bad_value",
        at,
        format!("`{at}` cannot be `{}`; {help}", shown(text)),
    )
}

fn wrong_type(value: &Json, at: &Place<'_>, expected: &str) -> IntentError {
    refuse(
        "intent.wrong_type",
        at,
        format!("`{at}` is {}; it has to be {expected}", value.kind()),
    )
}

fn bad_value(at: &Place<'_>, what: &str) -> IntentError {
    refuse("intent.bad_value", at, format!("`{at}` {what}"))
}

/// The start of a received text, fit for a message of one line.
pub(super) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(SHOWN_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        out.push('…');
    }
    out
}

/// Refuses `-0` wherever it stands.
pub(super) fn no_negative_zero(value: &Json, at: &Place<'_>) -> Result<(), IntentError> {
    match value {
        Json::Number(n) if n.is_negative_zero() => Err(refuse(
            "intent.number_not_exact",
            at,
            format!("`{at}` is -0, whose sign RFC 8785 would drop"),
        )),
        Json::Array(items) => {
            let each = |(i, v): (usize, &Json)| no_negative_zero(v, &at.element(i));
            items.iter().enumerate().try_for_each(each)
        }
        Json::Object(members) => members
            .iter()
            .try_for_each(|(key, v)| no_negative_zero(v, &at.member(key))),
        _ => Ok(()),
    }
}

/// Not empty, no space at either end, no character that cannot be seen. Spaces inside are allowed: workspaces have
/// them.
fn is_identifier(text: &str) -> bool {
    let hides =
        |text: &str| !text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.chars().any(is_invisible);
    !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ') && !hides(text)
}

/// Controls, the white space of Unicode other than U+0020, and the characters of no width. The JSON Schema spells
/// the same ranges; `tests/it/intents.rs` compares the two.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{feff}')
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// RFC 3339 section 5.6 as most systems write it: capital `T` and `Z`, no leap second.
fn is_time(text: &str) -> bool {
    read_time(text).is_some()
}

fn read_time(text: &str) -> Option<()> {
    let (date, rest) = text.split_once('T')?;
    let (clock, zone) = match rest.strip_suffix('Z') {
        Some(clock) => (clock, None),
        None => rest
            .rfind(['+', '-'])
            .and_then(|i| Some((rest.get(..i)?, Some(rest.get(i + 1..)?))))?,
    };
    let (whole, fraction) = match clock.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (clock, "0"),
    };
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = parts(whole, ':', [2, 2, 2])?;
    let [zone_hour, zone_minute] = parts(zone.unwrap_or("00:00"), ':', [2, 2])?;
    let fits = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    let clock_fits = hour < 24 && minute < 60 && second < 60 && zone_hour < 24 && zone_minute < 60;
    let fraction_fits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    (fits && clock_fits && fraction_fits).then_some(())
}

/// Splits `text` into exactly N numbers of the given widths.
fn parts<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u32; N]> {
    let mut out = [0; N];
    let mut pieces = text.split(separator);
    for (slot, width) in out.iter_mut().zip(widths) {
        let piece = pieces
            .next()
            .filter(|p| p.len() == width && p.bytes().all(|b| b.is_ascii_digit()))?;
        *slot = piece.parse().ok()?;
    }
    pieces.next().is_none().then_some(out)
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Field, INTENT, Shape};
    use super::{MOST_FIELDS, is_time};

    fn most_fields(fields: &[Field]) -> usize {
        let of = |shape: &Shape| match shape {
            Shape::Record(fields) | Shape::List(Shape::Record(fields)) => most_fields(fields),
            _ => 0,
        };
        let inner = fields.iter().map(|field| of(&field.shape)).max();
        fields.len().max(inner.unwrap_or_default())
    }

    #[test]
    fn every_object_has_room_for_its_fields() {
        assert!((33..=MOST_FIELDS).contains(&most_fields(INTENT)));
    }

    #[test]
    fn reads_rfc_3339_and_the_calendar() {
        for (text, good) in [
            ("2026-02-05T00:00:00Z", true),
            ("2024-02-29T23:59:59.123456789+05:30", true),
            ("0001-01-01T00:00:00Z", true),
            ("2023-02-29T00:00:00Z", false),
            ("2026-13-01T00:00:00Z", false),
            ("2026-04-31T00:00:00Z", false),
            ("2026-02-05T24:00:00Z", false),
            ("2026-02-05T00:00:60Z", false),
            ("2026-02-05T00:00:00", false),
            ("2026-02-05t00:00:00z", false),
            ("2026-02-05 00:00:00Z", false),
            ("2026-02-05T00:00:00.Z", false),
            ("2026-02-05T00:00:00+0530", false),
            ("2026-02-05T00:00Z", false),
            ("+026-02-05T00:00:00Z", false),
            ("", false),
        ] {
            assert_eq!(is_time(text), good, "{text}");
        }
    }
}
