//! Freeze windows. In: a zone and local times as the Go system writes them. Out: spans that a window of this language
//! can say, or that they cannot be read. A time that the clocks show twice or never is widened to both readings.

use super::model::Freeze;
use crate::builtins::calendar;
use crate::builtins::zone::{Moments, Zone};

/// A window to declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The zone.
    pub(super) zone: String,
    /// Start and end of each span, as written in the policy.
    pub(super) spans: Vec<(String, String)>,
    /// Whether an end is wider than the Go system may read it.
    pub(super) widened: bool,
}

/// The window of a freeze; `None` where the zone is unknown or a span has no time in it. The Go system finds out when a
/// call comes, and blocks it.
pub(super) fn window(freeze: &Freeze) -> Option<Window> {
    let zone = Zone::find(&freeze.zone).filter(|zone| zone.name == freeze.zone)?;
    let mut out = Window {
        zone: zone.name.clone(),
        spans: Vec::new(),
        widened: false,
    };
    for (_, start, end) in &freeze.windows {
        let (start, from, exact) = end_of(&zone, start, Side::Start)?;
        let (end, to, also_exact) = end_of(&zone, end, Side::End)?;
        if from >= to {
            return None;
        }
        out.widened |= !(exact && also_exact);
        out.spans.push((start, end));
    }
    Some(out)
}

#[derive(Clone, Copy)]
enum Side {
    Start,
    End,
}

/// A local time as this language writes it, the moment it means, and whether it means only that one.
fn end_of(zone: &Zone, text: &str, side: Side) -> Option<(String, i128, bool)> {
    let (date, second) = read(text)?;
    let (before, after) = match zone.moments(date, second)? {
        Moments::One(moment) => return Some((text.to_owned(), moment, true)),
        Moments::Gap(before, after) | Moments::Fold(before, after) => (before, after),
    };
    // The greater offset is the earlier moment.
    let offset = match side {
        Side::Start => before.max(after),
        Side::End => before.min(after),
    };
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    let written = format!("{text}{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    let (year, month, day) = date;
    let days = calendar::days(year.into(), month.into(), day.into())?;
    let moment = (days * 86_400 + i128::from(second) - i128::from(offset)) * 1_000;
    Some((written, moment, false))
}

/// `YYYY-MM-DDTHH:MM:SS`
fn read(text: &str) -> Option<((i16, i8, i8), u32)> {
    let ((year, month, day), rest) = calendar::written(text)?;
    let (hour, rest) = calendar::digits(rest.strip_prefix('T')?, 2)?;
    let (minute, rest) = calendar::digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = calendar::digits(rest.strip_prefix(':')?, 2)?;
    if !rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = (
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    );
    Some((date, u32::try_from(hour * 3_600 + minute * 60 + second).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::gait_yaml::yaml::Place;

    #[test]
    fn spans_are_read_as_wide_as_they_may_be_meant() {
        let span = |zone: &str, start: &str, end: &str| {
            let freeze = Freeze {
                at: Place::default(),
                zone: zone.to_owned(),
                effect: crate::domain::Verdict::Block,
                environments: Default::default(),
                risk_classes: Default::default(),
                windows: vec![("w".to_owned(), start.to_owned(), end.to_owned())],
            };
            window(&freeze).map(|mut window| (window.spans.remove(0), window.widened))
        };
        let some = |start: &str, end: &str, widened| Some(((start.to_owned(), end.to_owned()), widened));
        let [march, april] = ["2026-03-10T09:00:00", "2026-04-10T12:00:30"];
        for (zone, start, end, expected) in [
            ("America/Toronto", march, april, some(march, april, false)),
            ("UTC", april, march, None),
            ("UTC", march, march, None),
            ("america/toronto", march, april, None),
            ("Mars/Olympus", march, april, None),
            ("UTC", "2026-03-10", april, None),
            ("UTC", "2026-02-30T00:00:00", april, None),
            ("UTC", "2026-03-10T09:00:00Z", april, None),
            (
                "Europe/Berlin",
                "2026-10-25T02:30:00",
                "2026-10-25T02:30:00",
                some("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", true),
            ),
            (
                "Europe/Berlin",
                "2026-03-29T02:30:00",
                april,
                some("2026-03-29T02:30:00+02:00", april, true),
            ),
        ] {
            assert_eq!(span(zone, start, end), expected, "{zone} {start} {end}");
        }
    }
}
