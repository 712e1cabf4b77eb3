//! How far a text goes without anything a JSON string escapes: a quotation mark, a backslash or a control character. In:
//! bytes of UTF-8. Out: a count. These three are single bytes and no parts of longer characters.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// The bytes before the first that is escaped.
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut plain = 0;
    for word in words {
        let escaped = escaped(u64::from_le_bytes(*word));
        if escaped != 0 {
            // The lowest byte that is marked is the first.
            return plain + escaped.trailing_zeros() as usize / 8;
        }
        plain += word.len();
    }
    // The last eight bytes are those that are left, after some that are plain.
    match bytes.last_chunk() {
        Some(last) if !rest.is_empty() => {
            let escaped = escaped(u64::from_le_bytes(*last)).trailing_zeros() as usize / 8;
            bytes.len() - last.len() + escaped
        }
        _ => plain + short_run(rest),
    }
}

/// The same of less than eight bytes: of four and more as the first four and the last four.
fn short_run(bytes: &[u8]) -> usize {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        if escaped(u64::from(first) | u64::from(last) << 32) == 0 {
            return bytes.len();
        }
    }
    let end = bytes
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | ..b' '));
    end.unwrap_or(bytes.len())
}

/// Marks the lowest of eight bytes that is escaped in its highest bit; what is marked above it may be marked wrongly. A byte
/// below n borrows from its highest bit when n is taken from it, and so may the one after it.
fn escaped(word: u64) -> u64 {
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word & HIGH;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, 0x20) | equal(b'"') | equal(b'\\')
}

#[cfg(test)]
mod tests {
    use super::plain_run;
    use proptest::prelude::*;

    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![3 => 0x20u8..=0xff, 1 => 0u8..=0x24, 1 => Just(b'\\')]
    }

    proptest! {
        #[test]
        fn counts_as_one_by_one(bytes in prop::collection::vec(byte(), 0..40)) {
            let escaped = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
            let count = bytes.iter().position(escaped).unwrap_or(bytes.len());
            prop_assert_eq!(plain_run(&bytes), count);
        }

        #[test]
        fn plain_text_is_plain_to_its_end(text in "[a-zé😀]{0,30}") {
            prop_assert_eq!(plain_run(text.as_bytes()), text.len());
        }
    }
}
