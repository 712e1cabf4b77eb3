//! Days and dates of the proleptic Gregorian calendar: a date to its number of days from 1970-01-01 and back. Pure
//! arithmetic on whole numbers; it knows no time zone, no leap second and no clock.

use crate::limits;

/// Days in 400 years, after which the calendar repeats.
const ERA_DAYS: i128 = 146_097;
/// Days from 0000-03-01, where the arithmetic starts, to 1970-01-01.
const EPOCH: i128 = 719_468;

/// The day of a date; `None` when there is no such date within `limits::YEARS`.
pub fn days(year: i128, month: i128, day: i128) -> Option<i128> {
    let last = match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !limits::YEARS.contains(&year) || !(1..=last).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last day of one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH)
}

/// The year, month and day of a day.
pub fn date(days: i128) -> (i128, i128, i128) {
    let shifted = days + EPOCH;
    let era = shifted.div_euclid(ERA_DAYS);
    let day = shifted.rem_euclid(ERA_DAYS);
    let of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = of_era + era * 400 + i128::from(month <= 2);
    (year, month, of_year - (153 * march + 2) / 5 + 1)
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Exactly `count` ASCII digits at the start of the text: their value, and the rest.
pub fn digits(text: &str, count: usize) -> Option<(i128, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let all = digits.bytes().all(|b| b.is_ascii_digit());
    all.then_some((digits.parse().ok()?, rest))
}

/// `YYYY-MM-DD` at the start of the text, read as year, month and day, and the rest.
pub fn written(text: &str) -> Option<((i128, i128, i128), &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    Some(((year, month, day), rest))
}

#[cfg(test)]
mod tests {
    use super::{date, days};
    use proptest::prelude::*;

    #[test]
    fn every_day_comes_back_and_follows_the_one_before() {
        let first = days(1, 1, 1).unwrap();
        let last = days(9_999, 12, 31).unwrap();
        assert_eq!((first, last, days(1970, 1, 1)), (-719_162, 2_932_896, Some(0)));
        for day in first..=last {
            let (y, m, d) = date(day);
            assert_eq!(days(y, m, d), Some(day));
        }
    }

    proptest! {
        #[test]
        fn another_calendar_agrees(y in 0i16..=9_999, m in 0i8..=13, d in 0i8..=32) {
            let theirs = jiff::civil::Date::new(y, m, d).ok().filter(|_| y >= 1).map(|date| {
                let epoch = jiff::civil::date(1970, 1, 1);
                i128::from(date.since((jiff::Unit::Day, epoch)).unwrap().get_days())
            });
            prop_assert_eq!(days(y.into(), m.into(), d.into()), theirs);
        }
    }
}
