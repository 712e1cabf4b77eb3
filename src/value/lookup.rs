//! Finding a text among many: a table of their numbers, by hash. It keeps no text; whoever asks compares.

/// Where texts are, by their hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Numbers of texts, each where its hash says or in the next free place after that. Half of them are free.
    slots: Vec<u32>,
}

const FREE: u32 = u32::MAX;

impl Lookup {
    /// The table of these texts, which are numbered from 0 on.
    pub fn new<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Lookup {
        let size = match texts.len() {
            0 => 0,
            some => (some * 2).next_power_of_two(),
        };
        let mut slots = vec![FREE; size];
        let mask = size.wrapping_sub(1);
        for (number, text) in (0..FREE).zip(texts) {
            let mut at = hash(text) as usize;
            while let Some(slot) = slots.get_mut(at & mask) {
                if *slot == FREE {
                    *slot = number;
                    break;
                }
                at += 1;
            }
        }
        Lookup { slots }
    }

    /// The number of a text, of those that may be it the first that is.
    #[inline]
    pub fn find(&self, text: &str, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash(text) as usize;
        loop {
            let number = *self.slots.get(at & mask)?;
            if number == FREE || is_it(number) {
                return (number != FREE).then_some(number);
            }
            at += 1;
        }
    }
}

/// Eight bytes at a time, the last of which may be among those before; equal texts are compared afterwards, so collisions cost
/// time only.
#[inline]
fn hash(text: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let bytes = text.as_bytes();
    let start = FACTOR ^ text.len() as u64;
    let mix = |state: u64, word: u64| {
        let state = (state ^ word).wrapping_mul(FACTOR);
        state ^ state >> 32
    };
    let (words, _) = bytes.as_chunks::<8>();
    let state = words
        .iter()
        .fold(start, |state, word| mix(state, u64::from_le_bytes(*word)));
    let last = match (
        bytes.last_chunk::<8>(),
        bytes.first_chunk::<4>(),
        bytes.last_chunk::<4>(),
    ) {
        (Some(last), ..) => u64::from_le_bytes(*last),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    mix(state, last)
}
