//! The bytes of a call file to JSON documents, one at a time: JSONL, or one document (an array is its elements),
//! plain or gzip, told apart by their first bytes. Every size is bounded, unpacked bytes too.

use super::{Place, ReplayError};
use crate::json::{self, Json, JsonError, JsonErrorKind};
use crate::limits;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

/// Stands where an inexact number stood. Whatever holds it is treated as inexact, so a text that happens to be equal
/// costs an allow and never gains one.
const INEXACT: &str = "\u{0}gait: a number that RFC 8785 cannot carry";
/// The same as a JSON string.
const INEXACT_JSON: &str = "\"\\u0000gait: a number that RFC 8785 cannot carry\"";

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One recorded document.
#[derive(Debug)]
pub(super) struct Document {
    /// Where it stands.
    pub(super) place: Place,
    /// What it says; inexact numbers are replaced.
    pub(super) json: Json,
    /// Whether it has a number that the strict reader refuses.
    pub(super) inexact: bool,
}

/// A `ReplayError` before the file's name is known.
#[derive(Debug)]
pub(super) enum Fault {
    /// See `ReplayError::Malformed`.
    Malformed(Place, JsonError),
    /// See `ReplayError::Shape`.
    Shape(Place, String),
    /// See `ReplayError::Unreadable`.
    Unreadable(String),
}

impl Fault {
    /// Adds the file's name.
    pub(super) fn named(self, file: &str) -> ReplayError {
        let file = file.to_owned();
        match self {
            Fault::Malformed(place, error) => ReplayError::Malformed { file, place, error },
            Fault::Shape(place, reason) => ReplayError::Shape { file, place, reason },
            Fault::Unreadable(reason) => ReplayError::Unreadable { file, reason },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Unreadable(format!("the gzip data is damaged: {error}"))
    }
}

/// Hands every document to `take`, in order; stops at the first fault. `progress` hears the bytes consumed so far.
pub(super) fn each(
    bytes: &[u8],
    progress: &mut dyn FnMut(u64),
    take: &mut dyn FnMut(Document) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let consumed = Cell::new(0);
    let source = Counting {
        rest: bytes,
        consumed: &consumed,
    };
    let plain: Box<dyn Read + '_> = if bytes.starts_with(&GZIP_MAGIC) {
        Box::new(MultiGzDecoder::new(source))
    } else {
        Box::new(source)
    };
    let mut reader = Lines::new(BufReader::new(plain), limits::FILE_BYTES);
    let mut first = true;
    while let Some(line) = reader.next()? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::Line(reader.number);
        match read(&line) {
            Ok((Json::Array(_), _)) if first => return whole(line, &mut reader, take),
            Err(error) if first && error.kind == JsonErrorKind::Syntax => {
                return whole(line, &mut reader, take);
            }
            Ok((json, inexact)) => take(Document { place, json, inexact })?,
            Err(error) => return Err(Fault::Malformed(place, error)),
        }
        first = false;
        progress(consumed.get());
    }
    Ok(())
}

/// A file that is one document over several lines, or an array.
fn whole(
    mut text: Vec<u8>,
    reader: &mut Lines<impl BufRead>,
    take: &mut dyn FnMut(Document) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let before = reader.number;
    while let Some(line) = reader.next()? {
        text.extend(line);
        if text.len() > limits::JSON_BYTES {
            break;
        }
    }
    let (json, _) = read(&text).map_err(|error| {
        let above = text.iter().take(error.at).filter(|b| **b == b'\n').count();
        Fault::Malformed(Place::Line(before + above as u64), error)
    })?;
    let elements = match json {
        Json::Array(elements) => elements,
        other => {
            let inexact = is_inexact(&other);
            return take(Document {
                place: Place::Line(before),
                json: other,
                inexact,
            });
        }
    };
    for (number, json) in (1..).zip(elements) {
        let inexact = is_inexact(&json);
        take(Document {
            place: Place::Element(number),
            json,
            inexact,
        })?;
    }
    Ok(())
}

/// Reads a document, looking past numbers that cannot be carried exactly; whether there were any.
fn read(bytes: &[u8]) -> Result<(Json, bool), JsonError> {
    let mut error = match json::parse(bytes) {
        Ok(json) => return Ok((json, false)),
        Err(error) => error,
    };
    let mut text = bytes.to_vec();
    for _ in 0..limits::REPLAY_INEXACT_NUMBERS {
        if error.kind != JsonErrorKind::Number {
            break;
        }
        let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
        let length = text.iter().skip(error.at).take_while(|b| number(b)).count();
        text.splice(error.at..error.at + length, INEXACT_JSON.bytes());
        error = match json::parse(&text) {
            Ok(json) => return Ok((json, true)),
            Err(error) => error,
        };
    }
    Err(error)
}

fn is_inexact(json: &Json) -> bool {
    match json {
        Json::String(text) => text == INEXACT,
        Json::Array(items) => items.iter().any(is_inexact),
        Json::Object(members) => members.iter().any(|(_, value)| is_inexact(value)),
        _ => false,
    }
}

/// Lines with their line ends, within the bounds.
struct Lines<R> {
    reader: R,
    /// Number of the line last read.
    number: u64,
    /// Bytes that may still come.
    left: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R, most: u64) -> Self {
        Lines {
            reader,
            number: 0,
            left: most,
        }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut line = Vec::new();
        let most = limits::JSONL_LINE_BYTES as u64;
        (&mut self.reader).take(most + 1).read_until(b'\n', &mut line)?;
        let length = line.len() as u64;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if length > most {
            let reason = format!("line {} is over {most} bytes", self.number);
            return Err(Fault::Unreadable(reason));
        }
        let over = || Fault::Unreadable(format!("the unpacked text is over {} bytes", limits::FILE_BYTES));
        self.left = self.left.checked_sub(length).ok_or_else(over)?;
        Ok(Some(line))
    }
}

/// Counts what is taken from a slice.
struct Counting<'a> {
    rest: &'a [u8],
    consumed: &'a Cell<u64>,
}

impl Read for Counting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.rest.read(out)?;
        self.consumed.set(self.consumed.get() + taken as u64);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn unpacked_text_is_bounded() {
        let mut lines = Lines::new(b"one\ntwo\n".as_slice(), 7);
        assert_eq!(lines.next().unwrap().unwrap(), b"one\n");
        let error = lines.next().unwrap_err().named("f");
        assert_eq!(error.to_string(), "f: the unpacked text is over 536870912 bytes");
    }
}
