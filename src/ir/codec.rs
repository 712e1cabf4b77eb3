//! The primitives of the IR's byte form: LEB128 integers in their shortest form, length-prefixed texts, sixteen-byte
//! little-endian wide integers. One value has one byte form.

/// First bytes of every program.
pub(super) const MAGIC: &[u8; 8] = b"gait-ir\0";

/// Appends primitives to a buffer.
#[derive(Default)]
pub(super) struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub fn int(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.byte((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        self.byte(n as u8);
    }

    pub fn size(&mut self, n: usize) {
        self.int(n as u64);
    }

    pub fn wide(&mut self, n: i128) {
        self.bytes.extend(n.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.size(text.len());
        self.bytes.extend(text.as_bytes());
    }

    pub fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.size(items.len());
        items.iter().for_each(|item| each(self, item));
    }
}

/// Why bytes are no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("the program ends inside a value")]
    Truncated,
    /// A number is not in its shortest form or out of range.
    #[error("a number is not in its canonical form")]
    Number,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// An unknown tag, or parts that do not fit together.
    #[error("a part does not fit: {0}")]
    Malformed(&'static str),
    /// Another version of the encoding.
    #[error("the program has another version of the encoding")]
    Version,
    /// Bytes after the end, or bytes that another program would have.
    #[error("the bytes are not the canonical form of the program they hold")]
    NotCanonical,
}

/// Reads primitives from a slice.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// Nesting still allowed.
    pub depth: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            depth: crate::limits::SYNTAX_DEPTH,
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.bytes.split_at_checked(n).ok_or(DecodeError::Truncated)?;
        self.bytes = tail;
        Ok(head)
    }

    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        self.take(1)?.first().copied().ok_or(DecodeError::Truncated)
    }

    pub fn int(&mut self) -> Result<u64, DecodeError> {
        let mut n: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                return Err(DecodeError::Number);
            }
            n |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(DecodeError::Number)
    }

    pub fn small(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.int()?).map_err(|_| DecodeError::Number)
    }

    /// A count of things of at least one byte each, so that a short input cannot ask for a large allocation.
    pub fn count(&mut self) -> Result<usize, DecodeError> {
        let n = usize::try_from(self.int()?).map_err(|_| DecodeError::Number)?;
        if n > self.bytes.len() {
            Err(DecodeError::Truncated)
        } else {
            Ok(n)
        }
    }

    pub fn wide(&mut self) -> Result<i128, DecodeError> {
        let bytes = self.take(16)?.try_into().map_err(|_| DecodeError::Truncated)?;
        Ok(i128::from_le_bytes(bytes))
    }

    pub fn text(&mut self) -> Result<String, DecodeError> {
        let n = self.count()?;
        let bytes = self.take(n)?;
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| DecodeError::Text)
    }

    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        self.take(n)
    }

    pub fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let n = self.count()?;
        (0..n).map(|_| each(self)).collect()
    }

    /// Runs one level deeper, within the limit.
    pub fn nested<T>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or(DecodeError::Malformed("nested too deep"))?;
        let out = f(self);
        self.depth += 1;
        out
    }
}
