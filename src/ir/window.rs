//! Windows as canonical bytes, both ways. A zone is written once, with its data: the program needs no tz database.

use super::codec::{Reader, Writer};
use super::decode::DecodeError;
use crate::builtins::zone::Zone;
use crate::hir::{Open, Window};

type Result<T> = std::result::Result<T, DecodeError>;

const WRONG: DecodeError = DecodeError::Malformed("window");

/// The zones of windows, by name.
fn zones(windows: &[Window]) -> Vec<&Zone> {
    let mut zones: Vec<&Zone> = windows.iter().map(|window| &window.zone).collect();
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    zones.dedup();
    zones
}

pub(super) fn encode(w: &mut Writer, windows: &[Window]) {
    let zones = zones(windows);
    w.list(&zones, |w, zone| {
        w.text(&zone.name);
        w.list(&zone.tzif, |w, byte| w.byte(*byte));
    });
    w.list(windows, |w, window| {
        w.text(&window.name);
        let zone = zones.iter().position(|zone| **zone == window.zone);
        w.int(zone.unwrap_or(0) as u64);
        w.list(&window.spans, |w, span| match *span {
            Open::Weekly {
                first,
                last,
                start,
                end,
            } => {
                w.byte(0);
                w.byte(first);
                w.byte(last);
                w.int(u64::from(start));
                w.int(u64::from(end));
            }
            Open::Between { start, end } => {
                w.byte(1);
                w.wide(start);
                w.wide(end);
            }
        });
    });
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<Vec<Window>> {
    let zones = r.list(|r| {
        let name = r.text()?;
        let tzif = r.list(Reader::byte)?;
        Zone::of(name, tzif).ok_or(WRONG)
    })?;
    r.list(|r| {
        Ok(Window {
            name: r.text()?,
            zone: zones.get(r.small()? as usize).cloned().ok_or(WRONG)?,
            spans: r.list(span)?,
        })
    })
}

fn span(r: &mut Reader<'_>) -> Result<Open> {
    let (span, is_open) = match r.byte()? {
        0 => {
            let (first, last) = (r.byte()?, r.byte()?);
            let (start, end) = (r.small()?, r.small()?);
            let fits = first < 7 && last < 7 && end <= 86_400;
            let span = Open::Weekly {
                first,
                last,
                start,
                end,
            };
            (span, fits && start < end)
        }
        1 => {
            let (start, end) = (r.wide()?, r.wide()?);
            (Open::Between { start, end }, start < end)
        }
        _ => return Err(WRONG),
    };
    if is_open { Ok(span) } else { Err(WRONG) }
}
