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
        let mut all = Self::empty(self.count);
        all.insert_range(0, self.count);
        let words = all
            .words
            .iter()
            .zip(&self.words)
            .map(|(all, mine)| all & !mine)
            .collect();
        Self {
            words,
            count: self.count,
        }
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

    /// How many classes are in the set.
    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// How many classes there are, in the set or not.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether every class is in the set.
    pub fn is_full(&self) -> bool {
        self.complement().is_empty()
    }

    /// Adds the classes from `start` to below `end`.
    pub fn insert_range(&mut self, start: u32, end: u32) {
        let end = end.min(self.count);
        for at in (start / 64)..end.div_ceil(64) {
            let from = start.saturating_sub(at * 64).min(64);
            let to = (end - at * 64).min(64);
            let below = |n: u32| u64::MAX.checked_shl(n).map_or(u64::MAX, |high| !high);
            if let Some(word) = self.words.get_mut(at as usize) {
                *word |= below(to) & !below(from);
            }
        }
    }

    /// The classes, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs()
            .into_iter()
            .flat_map(|(start, length)| start..start + length)
    }

    /// The classes as runs of neighbours: first class and length, in order.
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (word, base) in self.words.iter().zip((0u32..).step_by(64)) {
            let mut rest = *word;
            let mut at = 0;
            while rest != 0 {
                let gap = rest.trailing_zeros();
                let length = (rest >> gap).trailing_ones();
                let start = base + at + gap;
                match runs.last_mut() {
                    Some((first, known)) if *first + *known == start => *known += length,
                    _ => runs.push((start, length)),
                }
                at += gap + length;
                rest = word.checked_shr(at).unwrap_or(0);
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::ClassSet;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_and_ranges_say_the_same_as_single_classes(
            ranges in prop::collection::vec((0u32..300, 0u32..150), 0..6),
        ) {
            let (mut by_range, mut by_class) = (ClassSet::empty(300), ClassSet::empty(300));
            for (start, length) in ranges {
                by_range.insert_range(start, start + length);
                (start..(start + length).min(300)).for_each(|c| by_class.insert(c));
            }
            prop_assert_eq!(&by_range, &by_class);
            let expected: Vec<u32> = (0..300).filter(|c| by_class.contains(*c)).collect();
            prop_assert_eq!(by_class.iter().collect::<Vec<_>>(), expected);
            let inverse: Vec<u32> = (0..300).filter(|c| !by_class.contains(*c)).collect();
            prop_assert_eq!(by_class.complement().iter().collect::<Vec<_>>(), inverse);
        }
    }
}
