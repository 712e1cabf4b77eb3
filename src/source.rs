//! Source texts and places in them. In: file names and texts. Out: `Span`s that stay cheap to copy, and
//! line/column positions for people. It must not read files: a `Source` is handed its text.

/// The index of a source within one compilation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open byte range `start..end` of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source the range lies in.
    pub file: FileId,
    /// First byte, from 0.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A range of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            file,
            start: clamp(start),
            end: clamp(end),
        }
    }

    /// The smallest range that covers both.
    pub fn to(self, other: Span) -> Span {
        Span {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Whether the other range lies in this one.
    pub fn covers(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The range as `usize`s, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A node with the place it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The node.
    pub node: T,
    /// Where it was written.
    pub span: Span,
}

/// One source text with the name it is reported under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its index in this compilation.
    pub id: FileId,
    /// The name shown to people: a relative path with `/`.
    pub name: String,
    /// The text.
    pub text: String,
    /// Where each line but the first starts, in bytes.
    lines: Vec<usize>,
}

/// A position for people: both numbers from 1, columns counted in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Source {
    /// Makes a source.
    pub fn new(id: FileId, name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            id,
            name: name.into(),
            lines: breaks.map(|(at, _)| at + 1).collect(),
            text,
        }
    }

    /// The position of a byte offset; past the end gives the end.
    pub fn position(&self, offset: u32) -> Position {
        let mut at = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line));
        let before = self.text.get(start.copied().unwrap_or(0)..at).unwrap_or_default();
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position {
            line: small(line + 1),
            column: small(before.chars().count() + 1),
        }
    }

    /// The text of a range; empty when the range is not of this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{FileId, Position, Source};

    #[test]
    fn a_position_is_what_counting_gives() {
        for text in ["", "\n", "a", "aé\n\n😀b\r\nc\n", "x\ny"] {
            let source = Source::new(FileId(0), "a", text);
            for offset in 0..text.len() + 2 {
                // Past the end it is the end, within a character its start.
                let before = (0..=offset).rev().find_map(|at| text.get(..at)).unwrap();
                let last = before.rsplit('\n').next().unwrap();
                let counted = Position {
                    line: u32::try_from(before.matches('\n').count() + 1).unwrap(),
                    column: u32::try_from(last.chars().count() + 1).unwrap(),
                };
                let found = source.position(u32::try_from(offset).unwrap());
                assert_eq!(found, counted, "{offset} in {text:?}");
            }
        }
    }
}
