//! What string and number tokens mean. In: a token's text. Out: the unescaped string or the number's form, or what is
//! wrong and where. It must not know which type a number will have.

use std::ops::Range;

/// A mistake inside a literal, with the byte range in the token's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where, from the start of the token.
    pub range: Range<usize>,
    /// One lowercase sentence.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// The forms of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberForm {
    /// `12`
    Int,
    /// `-3`, `1_000.00`
    Decimal,
    /// `64KiB`
    Size,
    /// `15m`, `1h30m`
    Duration,
}

/// The units of a size.
pub const UNITS: [&str; 3] = ["KiB", "MiB", "B"];

/// The units of a duration, so ordered that none is found inside one before it.
pub const DURATION_UNITS: [&str; 5] = ["ms", "s", "m", "h", "d"];

const NUMBER_HELP: &str = "numbers are written `12`, `-3` or `1_000.00`, sizes `64KiB`, durations `15m`";
const ESCAPE_HELP: &str = "the escapes are `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` and `\\u{1F600}`";

/// Says which number a token is.
///
/// # Errors
/// A form the language does not have: an exponent, a leading zero, a misplaced `_`, an unknown unit.
pub fn number(text: &str) -> Result<NumberForm, Flaw> {
    let flaw = |why: &str| Flaw {
        range: 0..text.len(),
        message: format!("`{text}` is not a number: {why}"),
        help: NUMBER_HELP,
    };
    if is_duration(text) {
        return Ok(NumberForm::Duration);
    }
    let unit = UNITS
        .into_iter()
        .find(|unit| text.ends_with(unit))
        .unwrap_or_default();
    let (negative, magnitude) = match text.strip_suffix(unit).unwrap_or(text) {
        t if t.starts_with('-') => (true, t.trim_start_matches('-')),
        t => (false, t),
    };
    let (whole, places) = match magnitude.split_once('.') {
        Some((whole, places)) => (whole, Some(places)),
        None => (magnitude, None),
    };
    for digits in [Some(whole), places].into_iter().flatten() {
        if digits.chars().any(|c| !c.is_ascii_digit() && c != '_') {
            return Err(flaw("it has letters that are no unit"));
        }
        if digits.is_empty() || digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
            return Err(flaw("a `_` stands between two digits"));
        }
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(flaw("it starts with a zero"));
    }
    match (unit.is_empty(), negative, places) {
        (false, true, _) => Err(flaw("a size is not negative")),
        (false, false, Some(_)) => Err(flaw("a size is whole")),
        (false, false, None) => Ok(NumberForm::Size),
        (true, false, None) => Ok(NumberForm::Int),
        (true, _, _) => Ok(NumberForm::Decimal),
    }
}

/// Whether a token is made of whole numbers, each with a unit of time after it.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '_');
        let Some((digits, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
            return false;
        };
        let unit = DURATION_UNITS
            .into_iter()
            .find_map(|unit| after.strip_prefix(unit));
        match unit {
            Some(after) if number(digits) == Ok(NumberForm::Int) => rest = after,
            _ => return false,
        }
    }
    !text.is_empty()
}

/// The text of a number without its `_`.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| *c != '_').collect()
}

/// The value of a string token, raw or not, given with its quotes.
///
/// # Errors
/// The first unknown escape.
pub fn string(text: &str) -> Result<String, Flaw> {
    if let Some(raw) = text.strip_prefix("r\"") {
        return Ok(raw.strip_suffix('"').unwrap_or(raw).to_owned());
    }
    let inner = text
        .strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .unwrap_or(text);
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner.char_indices();
    while let Some((at, c)) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = rest.next().map(|(_, c)| c);
        let value = match escape {
            Some('"') => Some('"'),
            Some('\\') => Some('\\'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => code_point(rest.as_str()).map(|(value, used)| {
                rest.nth(used - 1);
                value
            }),
            _ => None,
        };
        let Some(value) = value else {
            return Err(bad_escape(at, escape));
        };
        out.push(value);
    }
    Ok(out)
}

fn bad_escape(at: usize, escape: Option<char>) -> Flaw {
    let shown = escape.map(String::from).unwrap_or_default();
    let message = match escape {
        Some('u') => "`\\u` needs a character number in braces, such as `\\u{1F600}`".to_owned(),
        _ => format!("`\\{shown}` is not an escape"),
    };
    // The opening quote is one byte before the inner text.
    Flaw {
        range: at + 1..at + 2 + shown.len(),
        message,
        help: ESCAPE_HELP,
    }
}

/// Reads `{1F600}`; gives the character and how many characters were read.
fn code_point(text: &str) -> Option<(char, usize)> {
    let (digits, _) = text.strip_prefix('{')?.split_once('}')?;
    let fits = (1..=6).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit());
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| fits)?;
    Some((char::from_u32(value)?, digits.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_forms_and_no_others() {
        let good = [
            ("0", NumberForm::Int),
            ("12", NumberForm::Int),
            ("1_000", NumberForm::Int),
            ("-3", NumberForm::Decimal),
            ("0.50", NumberForm::Decimal),
            ("-1_000.0_0", NumberForm::Decimal),
            ("64KiB", NumberForm::Size),
            ("1MiB", NumberForm::Size),
            ("1_0B", NumberForm::Size),
            ("15m", NumberForm::Duration),
            ("500ms", NumberForm::Duration),
            ("1_000s", NumberForm::Duration),
            ("1h30m", NumberForm::Duration),
            ("7d", NumberForm::Duration),
        ];
        for (text, want) in good {
            assert_eq!(number(text), Ok(want), "{text}");
        }
        for text in [
            "007", "00", "-01", "1e5", "1.5e3", "0x10", "1_", "1__0", "1_.0", "64kb", "64K", "1.5KiB",
            "-1KiB", "1_KiB", "1GiB", "-15m", "1.5h", "1h30", "05m", "1_m", "15min", "2w", "1hKiB",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn strings_are_unescaped_or_the_escape_is_named() {
        let good = [
            (r#""a\"\\\n\r\t""#, "a\"\\\n\r\t"),
            (r#""\u{1F600}\u{0}é""#, "\u{1F600}\u{0}é"),
            (r#"r"\d+""#, r"\d+"),
            (r#""""#, ""),
        ];
        for (text, want) in good {
            assert_eq!(string(text), Ok(want.to_owned()), "{text}");
        }
        let bad = [
            (r#""é\d""#, 3..5),
            (r#""\u""#, 1..3),
            (r#""\u{}""#, 1..3),
            (r#""\u{D800}""#, 1..3),
            (r#""\u{1234567}""#, 1..3),
            (r#""\u{12""#, 1..3),
            (r#""\é""#, 1..4),
        ];
        for (text, range) in bad {
            assert_eq!(string(text).map_err(|f| f.range), Err(range), "{text}");
        }
    }
}
