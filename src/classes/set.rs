//! Sets of class numbers, as bits.

/// A set of classes of one variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClassSet {
    words: Vec<u64>,
    count: u32,
}

impl ClassSet {
    /// No class out of `count`.
    pub fn empty(count: u32) -> Self {
        Self {
            words: vec![0; (count as usize).div_ceil(64)],
            count,
        }
    }

    /// Adds a class.
    pub fn insert(&mut self, class: u32) {
        if let Some(word) = self.words.get_mut(class as usize / 64) {
            *word |= 1 << (class % 64);
        }
    }

    /// Whether a class is in the set.
    pub fn contains(&self, class: u32) -> bool {
        self.words
            .get(class as usize / 64)
            .is_some_and(|w| w >> (class % 64) & 1 == 1)
    }

    /// The classes that are not in the set.
    pub fn complement(&self) -> Self {
        let mut out = Self::empty(self.count);
        for class in (0..self.count).filter(|c| !self.contains(*c)) {
            out.insert(class);
        }
        out
    }

    /// The classes in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect();
        Self {
            words,
            count: self.count,
        }
    }

    /// Whether no class is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// Whether every class is in the set.
    pub fn is_full(&self) -> bool {
        (0..self.count).all(|c| self.contains(c))
    }

    /// The classes, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let base = u32::try_from(at * 64).unwrap_or(u32::MAX);
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| base + bit)
        })
    }
}
