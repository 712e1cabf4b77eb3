//! Literals of a policy, read as the type they are compared with, so that both sides of a comparison went through the
//! same parser. A literal in another spelling than the canonical one is canonicalised; a malformed one is refused,
//! because it could never be equal to anything.

use super::decimal::{self, NumberFault};
use super::{
    Refused, cidr, command, date, digest, duration, email, host, instant, ip, path, repo, scalar, sql,
    string, url,
};
use crate::limits;
use crate::ty::Ty;

/// Size units and their bytes.
const UNITS: &[(&str, i128)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("B", 1)];

/// Reads a literal as the number that a value of `ty` is kept as. For `Int` it is a whole number or a size such as
/// `64KiB`, for `Decimal` and `Money` a number (an integer of 10^-n), for `Duration` such as `1h30m`, with `_` already
/// removed; for `Instant`, `Date` and `Ip` the text between the quotes. Errors: the reason, one sentence.
pub fn number(text: &str, ty: &Ty) -> Result<i128, Refused> {
    match ty.required() {
        Ty::Duration { .. } => duration::compact(text),
        Ty::Instant => instant::parse(text),
        Ty::Date => date::parse(text),
        Ty::Ip => ip::parse(text),
        Ty::Int => whole(text),
        Ty::Decimal { places } | Ty::Money { places, .. } => fraction(text, *places),
        other => Err(Refused::new(format!("`{other}` takes no number"))),
    }
}

fn whole(text: &str) -> Result<i128, Refused> {
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)))
        .unwrap_or((text, 1));
    if !decimal::is_decimal(digits) {
        return Err(no_number(text));
    }
    if digits.contains('.') {
        return Err(Refused::new("`Int` takes whole numbers only"));
    }
    let value = decimal::exact(digits, 0, limits::SAFE_INTEGER)
        .ok()
        .and_then(|n| n.checked_mul(unit));
    value
        .filter(|n| (-limits::SAFE_INTEGER..=limits::SAFE_INTEGER).contains(n))
        .ok_or_else(|| Refused::new("the number is outside \u{b1}(2^53 \u{2212} 1)"))
}

fn fraction(text: &str, places: u32) -> Result<i128, Refused> {
    if !decimal::is_decimal(text) {
        return Err(no_number(text));
    }
    decimal::exact(text, places, limits::DECIMAL_MAGNITUDE).map_err(|fault| match fault {
        NumberFault::Places => Refused::new(format!("the number has more than {places} decimal places")),
        _ => Refused::new("the number is too large"),
    })
}

/// Why a text is no number: what else it is, where it is a literal of another kind.
fn no_number(text: &str) -> Refused {
    let size = UNITS
        .iter()
        .any(|(unit, _)| text.strip_suffix(unit).is_some_and(decimal::is_decimal));
    Refused::new(if size {
        "a size is compared with `Int` only"
    } else if duration::compact(text).is_ok() {
        "a duration is compared with `Duration` only"
    } else {
        "not a number"
    })
}

/// Reads a text literal as a value of `ty` and gives its canonical text. Errors: the reason, one sentence.
pub fn text(text: &str, ty: &Ty) -> Result<Box<str>, Refused> {
    match ty.required() {
        Ty::String { max } => string::parse(text, *max).map(Into::into),
        Ty::Enum { members, .. } => scalar::member(text, members).map(|_| text.into()),
        Ty::Path => path::parse(text).map(Into::into),
        Ty::Host => host::parse(text).map(Into::into),
        Ty::Url => url::parse(text).map(|url| url.text().into()),
        Ty::Email => email::parse(text).map(|email| email.text().into()),
        Ty::Command => command::check(text).map(|()| text.into()),
        Ty::Sql => sql::check(text).map(|()| text.into()),
        Ty::Repo => repo::parse(text).map(|repo| repo.text),
        Ty::Digest => digest::parse(text).map(|digest| digest.text),
        Ty::Cidr => cidr::parse(text).map(|cidr| cidr.text),
        other => Err(Refused::new(format!("`{other}` takes no text"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{number, text};
    use crate::builtins::bind::bind;
    use crate::json::Json;
    use crate::ty::{Ty, Unit};
    use crate::value::Value;

    const NO_DURATION: &str = "the text is not a duration such as `15m`, `1h30m` or `PT15M`";

    #[test]
    fn numbers() {
        let money = Ty::Money {
            currency: "USD".into(),
            places: 2,
        };
        let optional = Ty::Optional(Box::new(money.clone()));
        for (literal, ty, expected) in [
            ("12", &Ty::Int, Ok(12)),
            ("-3", &Ty::Int, Ok(-3)),
            ("64KiB", &Ty::Int, Ok(65_536)),
            ("1MiB", &Ty::Int, Ok(1_048_576)),
            ("7B", &Ty::Int, Ok(7)),
            ("9007199254740991", &Ty::Int, Ok(9_007_199_254_740_991)),
            ("9007199254740991B", &Ty::Int, Ok(9_007_199_254_740_991)),
            (
                "9007199254740992",
                &Ty::Int,
                Err("the number is outside \u{b1}(2^53 \u{2212} 1)"),
            ),
            (
                "9007199254740991KiB",
                &Ty::Int,
                Err("the number is outside \u{b1}(2^53 \u{2212} 1)"),
            ),
            ("1.0", &Ty::Int, Err("`Int` takes whole numbers only")),
            ("KiB", &Ty::Int, Err("not a number")),
            ("64 KiB", &Ty::Int, Err("not a number")),
            ("64kb", &Ty::Int, Err("not a number")),
            ("01", &Ty::Int, Err("not a number")),
            ("1e3", &Ty::Int, Err("not a number")),
            ("", &Ty::Int, Err("not a number")),
            ("1000.00", &money, Ok(100_000)),
            ("-0.5", &optional, Ok(-50)),
            ("0.005", &money, Err("the number has more than 2 decimal places")),
            ("64KiB", &money, Err("a size is compared with `Int` only")),
            ("1.", &money, Err("not a number")),
            ("15m", &money, Err("a duration is compared with `Duration` only")),
            (
                "15m",
                &Ty::Int,
                Err("a duration is compared with `Duration` only"),
            ),
            ("15m", &Ty::Duration { unit: None }, Ok(900_000)),
            (
                "1h30m",
                &Ty::Duration {
                    unit: Some(Unit::Second),
                },
                Ok(5_400_000),
            ),
            ("PT15M", &Ty::Duration { unit: None }, Err(NO_DURATION)),
            ("2026-12-29T14:00:00.5Z", &Ty::Instant, Ok(1_798_552_800_500)),
            ("1970-01-02", &Ty::Date, Ok(1)),
            ("1970-02-30", &Ty::Date, Err("the calendar has no such date")),
            ("::ffff:0.0.0.1", &Ty::Ip, Ok(i128::MIN + 0xffff_0000_0001)),
            ("0x7f.1", &Ty::Ip, Err("this is no IPv4 or IPv6 address")),
            ("1", &Ty::Bool, Err("`Bool` takes no number")),
        ] {
            let got = number(literal, ty);
            assert_eq!(
                got.as_ref().map_err(|e| e.reason.as_str()).copied(),
                expected,
                "{literal} as {ty}"
            );
        }
    }

    #[test]
    fn texts() {
        let env = Ty::Enum {
            name: "Env".into(),
            members: vec!["dev".into()],
            ordered: false,
        };
        for (literal, ty, expected) in [
            ("ACME.com.", &Ty::Host, Ok("acme.com")),
            ("/tmp/", &Ty::Path, Ok("/tmp")),
            ("HTTPS://Acme.com", &Ty::Url, Ok("https://acme.com/")),
            ("a@ACME.com", &Ty::Email, Ok("a@acme.com")),
            (" x ", &Ty::String { max: 3 }, Ok(" x ")),
            ("dev", &env, Ok("dev")),
            ("Dev", &env, Err("not one of `dev`")),
            ("abcd", &Ty::String { max: 3 }, Err("the string is over 3 bytes")),
            (
                "../x",
                &Ty::Path,
                Err("a `..` climbs above the start of the path"),
            ),
            ("x", &Ty::Int, Err("`Int` takes no text")),
        ] {
            let got = text(literal, ty);
            assert_eq!(
                got.as_deref().map_err(|e| e.reason.as_str()),
                expected,
                "{literal} as {ty}"
            );
        }
    }

    proptest! {
        /// A literal and an argument with the same text are accepted alike and become the same value.
        #[test]
        fn literals_agree_with_arguments(literal in prop_oneof!["\\PC{0,20}", "[a-zA-Z./:@%]{0,16}"], pick in 0usize..10) {
            let ty = [Ty::Path, Ty::Host, Ty::Url, Ty::Email, Ty::Command, Ty::Sql, Ty::Repo, Ty::Digest, Ty::Cidr, Ty::String { max: 9 }][pick].clone();
            let bound = bind(&Json::str(literal.as_str()), &ty).ok();
            let literal = text(&literal, &ty).ok();
            prop_assert_eq!(literal.as_deref(), bound.as_ref().and_then(Value::text));
        }

        #[test]
        fn number_literals_agree_with_arguments(literal in prop_oneof!["\\PC{0,8}", "-?[0-9]{1,20}(\\.[0-9]{0,4})?"]) {
            let ty = Ty::Decimal { places: 2 };
            let bound = bind(&Json::str(literal.as_str()), &ty).ok();
            prop_assert_eq!(number(&literal, &ty).ok().map(Value::Num), bound);
        }
    }
}
