//! Values as a policy writes them. In: values with their types. Out: text that reads back as the value.

use super::bind;
use crate::json::Json;
use crate::ty::Ty;
use crate::value::Value;

/// A number as a policy writes it: `2_000.00`, `1h30m`, `2026-12-29`.
pub fn number(n: i128, ty: &Ty) -> String {
    if let (Ty::Instant | Ty::Date | Ty::Ip | Ty::Duration { unit: None }, Json::String(text)) =
        (ty.required(), bind::to_json(&Value::Num(n), ty.required()))
    {
        return text.into();
    }
    let places = match ty.required() {
        Ty::Decimal { places } | Ty::Money { places, .. } => *places as usize,
        _ => 0,
    };
    let digits = format!("{:0>width$}", n.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits
        .split_at_checked(digits.len() - places)
        .unwrap_or((&digits, ""));
    let mut text = String::new();
    if n < 0 {
        text.push('-');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_written() {
        let money = Ty::Money {
            currency: "EUR".to_owned(),
            places: 2,
        };
        for (n, ty, text) in [
            (200_000, &money, "2_000.00"),
            (-5, &money, "-0.05"),
            (0, &money, "0.00"),
            (999, &Ty::Int, "999"),
            (-1_234_567, &Ty::Int, "-1_234_567"),
            (5_400_000, &Ty::Duration { unit: None }, "1h30m"),
        ] {
            assert_eq!(number(n, ty), text);
        }
    }
}
