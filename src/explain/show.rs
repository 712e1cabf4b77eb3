//! Values as a person reads them: numbers with their places and `_` between thousands, texts in quotes.
//! In: values with their types. Out: canonical JSON and text.

use super::Shown;
use crate::builtins::{bind, written::number};
use crate::hir::answer::View;
use crate::json::Json;
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;

/// A value of type `ty`.
pub(super) fn value(value: &Value, ty: &Ty) -> Shown {
    match value {
        Value::Absent => Shown::Absent,
        value => {
            let json = bind::to_json(value, ty);
            let text = match value {
                Value::Num(n) => number(*n, ty),
                Value::Enum(_) => json.as_str().unwrap_or_default().to_owned(),
                Value::Bool(b) => b.to_string(),
                _ => brief(&json),
            };
            Shown::Value { json, text }
        }
    }
}

/// What was found at a place of type `ty`.
pub(super) fn view(seen: &View<'_>, ty: &Ty) -> Shown {
    match seen {
        View::Absent => Shown::Absent,
        View::Text(text) => {
            let json = Json::str(*text);
            let text = brief(&json);
            Shown::Value { json, text }
        }
        View::Num(n) => value(&Value::Num(*n), ty),
        View::Bool(b) => value(&Value::Bool(*b), ty),
        View::Member(m) => value(&Value::Enum(*m), ty),
        View::Whole(whole) => value(whole, ty),
    }
}

/// The numbers between two of them, in words. An end that is the type's own is left out.
pub(super) fn interval((lo, hi): (i128, i128), (least, most): (i128, i128), ty: &Ty) -> String {
    match (lo == least, hi == most) {
        _ if lo == hi => format!("exactly {}", number(lo, ty)),
        (true, true) => "any number".to_owned(),
        (true, false) => format!("at most {}", number(hi, ty)),
        (false, true) => format!("at least {}", number(lo, ty)),
        (false, false) => format!("{} to {}", number(lo, ty), number(hi, ty)),
    }
}

/// Canonical text of a JSON value, the middle of a long one left out.
fn brief(json: &Json) -> String {
    let text = serde_json::to_string(json).unwrap_or_default();
    let half = limits::SHOWN_VALUE_CHARS / 2;
    let start = text.char_indices().nth(half).map(|(at, _)| at);
    let end = text.char_indices().nth_back(half).map(|(at, _)| at);
    match (start, end) {
        (Some(start), Some(end)) if start < end => {
            let head = text.get(..start).unwrap_or_default();
            let tail = text.get(end..).unwrap_or_default();
            format!("{head}…{tail}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_as_said() {
        let range = (-10, 10);
        for (ends, text) in [
            ((-10, 3), "at most 3"),
            ((4, 10), "at least 4"),
            ((4, 6), "4 to 6"),
            ((4, 4), "exactly 4"),
            ((-10, 10), "any number"),
        ] {
            assert_eq!(interval(ends, range, &Ty::Int), text);
        }
    }
}
