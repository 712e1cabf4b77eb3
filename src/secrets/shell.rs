//! What a shell would act on (POSIX.1-2024, Shell Command Language, section 2.2). A text may be a command, and what somebody has put between
//! quotes that look like those of a password may run where it stands. In: a text, and secrets in it. Out: those with nothing in them
//! that a shell acts on there. In doubt something acts.

use super::Found;

/// What a shell takes the characters at a place for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// A command.
    Plain,
    /// Single quotes, in which nothing acts.
    Single,
    /// Double quotes, in which substitutions act.
    Double,
    /// What goes on to the end of the line.
    Comment,
    /// What it takes more to read: substitutions, here-documents.
    Unknown,
}

/// A text that is read from its start.
struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    within: Within,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Reads on to a place.
    fn read_to(&mut self, to: usize) {
        while self.at < to {
            let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
            self.within = match (self.within, byte) {
                (Within::Unknown, _) => Within::Unknown,
                (Within::Comment, b'\n') | (Within::Single, b'\'') | (Within::Double, b'"') => Within::Plain,
                (within @ (Within::Comment | Within::Single), _) => within,
                (_, b'`') => Within::Unknown,
                (_, b'$') if matches!(next, b'(' | b'{' | b'\'') => Within::Unknown,
                (Within::Plain, b'<') if next == b'<' => Within::Unknown,
                (within, b'\\') => {
                    // What follows is taken as it is.
                    self.at += 1;
                    within
                }
                (Within::Plain, b'\'') => Within::Single,
                (Within::Plain, b'"') => Within::Double,
                (Within::Plain, b'#') if self.starts_word() => Within::Comment,
                (within, _) => within,
            };
            self.at += 1;
        }
    }

    fn starts_word(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.byte(at));
        before.is_none_or(|byte| byte.is_ascii_whitespace() || b";|&()".contains(&byte))
    }

    /// Whether a shell acts on a character here.
    fn acts(&self, byte: u8) -> bool {
        match self.within {
            Within::Single => false,
            Within::Double => matches!(byte, b'$' | b'`'),
            Within::Plain | Within::Comment | Within::Unknown => !is_plain(byte),
        }
    }
}

/// Whether a character is part of a word and stands for itself, wherever it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.+=:%@/!#^".contains(&byte) || !byte.is_ascii()
}

/// Whether a shell acts on nothing in a text, whatever stands around it.
pub(super) fn is_inert(text: &str) -> bool {
    text.bytes().all(is_plain)
}

/// Keeps the secrets with nothing in them that acts, of all that a text has, in their order.
pub(super) fn keep_inert(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut reader = Reader {
        bytes,
        at: 0,
        within: Within::Plain,
    };
    found.retain(|one| {
        reader.read_to(one.start);
        let value = bytes.get(one.start..one.end).unwrap_or_default();
        !value.iter().any(|byte| reader.acts(*byte))
    });
}
