//! Tables by hash: which node there is for a variable and children, and what was asked before. In: keys as numbers. Out: what
//! was put in. Nobody goes through them, so their order is nobody's matter.

/// A multiplication that spreads its bits (Knuth, TAOCP 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of some numbers.
pub(super) fn hash(numbers: impl Iterator<Item = u32>) -> u64 {
    numbers.fold(0, |state: u64, number| {
        let state = (state.rotate_left(5) ^ u64::from(number)).wrapping_mul(SPREAD);
        state ^ state >> 29
    })
}

const FREE: u32 = u32::MAX;

/// Numbers by the hash of what they stand for.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<(u64, u32)>,
    used: usize,
}

impl Table {
    /// The number of a hash that is the one that is looked for.
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize;
        loop {
            match self.slots.get(at & mask) {
                Some((own, number)) if *number != FREE => {
                    if *own == hash && is_it(*number) {
                        return Some(*number);
                    }
                }
                _ => return None,
            }
            at = at.wrapping_add(1);
        }
    }

    /// Puts a number in that is not there.
    pub fn insert(&mut self, hash: u64, number: u32) {
        if (self.used + 1) * 2 > self.slots.len() {
            let larger = vec![(0, FREE); (self.slots.len() * 2).max(64)];
            let old = std::mem::replace(&mut self.slots, larger);
            for (hash, number) in old.into_iter().filter(|(_, number)| *number != FREE) {
                self.put(hash, number);
            }
        }
        self.used += 1;
        self.put(hash, number);
    }

    fn put(&mut self, hash: u64, number: u32) {
        let Some(mask) = self.slots.len().checked_sub(1) else {
            return;
        };
        let mut at = hash as usize;
        loop {
            if let Some(slot) = self.slots.get_mut(at & mask)
                && slot.1 == FREE
            {
                *slot = (hash, number);
                return;
            }
            at = at.wrapping_add(1);
        }
    }

    /// Leaves nothing in it.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.used = 0;
    }
}

/// Answers to questions about two numbers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    table: Table,
    known: Vec<(u32, u32, u32)>,
}

impl Answers {
    /// What was answered before.
    pub fn get(&self, a: u32, b: u32) -> Option<u32> {
        let is_it = |at: u32| {
            self.known
                .get(at as usize)
                .is_some_and(|(x, y, _)| (*x, *y) == (a, b))
        };
        let at = self.table.find(hash([a, b].into_iter()), is_it)?;
        self.known.get(at as usize).map(|(.., answer)| *answer)
    }

    /// Keeps an answer that is not there.
    pub fn insert(&mut self, a: u32, b: u32, answer: u32) {
        let at = u32::try_from(self.known.len()).unwrap_or(FREE);
        if at < FREE {
            self.known.push((a, b, answer));
            self.table.insert(hash([a, b].into_iter()), at);
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.table.clear();
        self.known.clear();
    }
}
