//! The hand-written ZIP parser (APPNOTE 6.3.10 sections 4.3.7, 4.3.12, 4.3.16), for the one layout `write` makes: end
//! record last, directory before it, entries back to back from byte 0, every header field at its fixed value. It
//! shares no code with the zip crate, so the two check each other.

use std::ops::Range;

use super::{ArchiveError, printable};
use crate::limits;

/// Where one entry lies.
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its content, as a range of the archive.
    pub data: Range<usize>,
}

const END_BYTES: usize = 22;
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
const END_MARK: u32 = 0x0605_4b50;
const CENTRAL_MARK: u32 = 0x0201_4b50;
const LOCAL_MARK: u32 = 0x0403_4b50;
/// Made by Unix; the version of the format beside it is the writer's, checked by writing again.
const SYSTEM_UNIX: u8 = 3;
/// A regular file, `rw-r--r--`, in the upper half.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// 1980-01-01 00:00:00 as MS-DOS date and time.
const DATE: u16 = 0x21;

/// Bytes with fixed-width little-endian reads; `None` past the end.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn slice(self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(len)?)
    }

    fn u16(self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.slice(at, 2)?.try_into().ok()?))
    }

    fn u32(self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.slice(at, 4)?.try_into().ok()?))
    }

    fn size(self, at: usize) -> Option<usize> {
        usize::try_from(self.u32(at)?).ok()
    }
}

/// Walks the whole archive. Errors at the first byte that is not as `write` would put it.
pub fn walk(bytes: &[u8]) -> Result<Vec<Span>, ArchiveError> {
    let all = Bytes(bytes);
    let end = bytes.len().checked_sub(END_BYTES).ok_or(ArchiveError::End)?;
    let (count, directory) = end_record(all, end)?;
    let mut spans = Vec::new();
    let mut at = directory;
    let mut offset = 0usize;
    for _ in 0..count {
        let central = Central::read(all, at, end).ok_or(ArchiveError::Directory)?;
        central.check()?;
        if central.offset != offset {
            return Err(ArchiveError::Gap(central.shown()));
        }
        let data = local(all, &central, directory)?;
        offset = data.end;
        at += CENTRAL_BYTES + central.name.len();
        spans.push(Span {
            name: central.text()?.to_owned(),
            data,
        });
    }
    if at != end {
        return Err(ArchiveError::Directory);
    }
    if offset != directory {
        return Err(ArchiveError::Gap("the directory".to_owned()));
    }
    Ok(spans)
}

/// The count of entries and the offset of the directory.
fn end_record(all: Bytes<'_>, end: usize) -> Result<(usize, usize), ArchiveError> {
    let read = |at: usize| all.u16(end + at).ok_or(ArchiveError::End);
    if all.u32(end) != Some(END_MARK) || read(20)? != 0 {
        return Err(ArchiveError::End);
    }
    let (here, total) = (read(8)?, read(10)?);
    let size = all.size(end + 12).ok_or(ArchiveError::End)?;
    let directory = all.size(end + 16).ok_or(ArchiveError::End)?;
    if read(4)? != 0 || read(6)? != 0 || here != total || total == u16::MAX {
        return Err(ArchiveError::Unsupported);
    }
    if usize::from(total) > limits::ARCHIVE_ENTRIES {
        return Err(ArchiveError::TooMany);
    }
    if directory.checked_add(size) != Some(end) {
        return Err(ArchiveError::Directory);
    }
    Ok((usize::from(total), directory))
}

/// One entry of the directory.
struct Central<'a> {
    system: u8,
    shared: &'a [u8],
    flags: u16,
    method: u16,
    time: u16,
    date: u16,
    stored: usize,
    size: usize,
    extra: u16,
    comment: u16,
    disk: u16,
    internal: u16,
    attributes: u32,
    offset: usize,
    name: &'a [u8],
}

impl<'a> Central<'a> {
    /// Reads the entry at `at`, which must end before `end`.
    fn read(all: Bytes<'a>, at: usize, end: usize) -> Option<Central<'a>> {
        let head = Bytes(all.slice(at, CENTRAL_BYTES)?);
        if head.u32(0)? != CENTRAL_MARK {
            return None;
        }
        let name = all.slice(at + CENTRAL_BYTES, usize::from(head.u16(28)?))?;
        if at + CENTRAL_BYTES + name.len() > end {
            return None;
        }
        Some(Central {
            system: *head.0.get(5)?,
            // version needed, flags, method, time, date, checksum, both sizes, length of name: as in the local header
            shared: head.slice(6, 24)?,
            flags: head.u16(8)?,
            method: head.u16(10)?,
            time: head.u16(12)?,
            date: head.u16(14)?,
            stored: head.size(20)?,
            size: head.size(24)?,
            extra: head.u16(30)?,
            comment: head.u16(32)?,
            disk: head.u16(34)?,
            internal: head.u16(36)?,
            attributes: head.u32(38)?,
            offset: head.size(42)?,
            name,
        })
    }

    /// The name for messages.
    fn shown(&self) -> String {
        printable(&String::from_utf8_lossy(self.name))
    }

    fn text(&self) -> Result<&'a str, ArchiveError> {
        let name = std::str::from_utf8(self.name)
            .ok()
            .filter(|name| super::is_name(name));
        name.ok_or_else(|| ArchiveError::Name(self.shown()))
    }

    /// Every field at its fixed value.
    fn check(&self) -> Result<(), ArchiveError> {
        self.text()?;
        let shown = self.shown();
        if self.flags != 0 {
            return Err(ArchiveError::Flags(shown));
        }
        if self.method != 0 {
            return Err(ArchiveError::Compressed(shown));
        }
        if self.extra != 0 || self.comment != 0 {
            return Err(ArchiveError::Extra(shown));
        }
        if self.system != SYSTEM_UNIX || self.attributes != ATTRIBUTES {
            return Err(ArchiveError::Mode(shown));
        }
        if self.size > limits::ARCHIVE_ENTRY_BYTES {
            return Err(ArchiveError::EntryTooLarge(shown));
        }
        let fixed = self.disk == 0 && self.internal == 0 && self.time == 0 && self.date == DATE;
        if !fixed || self.stored != self.size {
            return Err(ArchiveError::Header(shown));
        }
        Ok(())
    }
}

/// The content behind the local header, which must repeat the directory's entry.
fn local(all: Bytes<'_>, central: &Central<'_>, directory: usize) -> Result<Range<usize>, ArchiveError> {
    let differs = || ArchiveError::Header(central.shown());
    let at = central.offset;
    let head = Bytes(all.slice(at, LOCAL_BYTES).ok_or_else(differs)?);
    let name = all
        .slice(at + LOCAL_BYTES, central.name.len())
        .ok_or_else(differs)?;
    let same = head.u32(0) == Some(LOCAL_MARK)
        && head.slice(4, 24) == Some(central.shared)
        && head.u16(28) == Some(0)
        && name == central.name;
    let start = at + LOCAL_BYTES + name.len();
    let end = start.checked_add(central.size).filter(|end| *end <= directory);
    match end {
        Some(end) if same => Ok(start..end),
        _ => Err(differs()),
    }
}
