//! Rows by class, for one variable: the rows that stay possible when the variable's value is in a class. Kept as one
//! base row plus differences where classes differ little, and whole where they differ much.

use crate::classes::ClassSet;

/// One row's demand on one variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Constraint {
    /// The row.
    pub row: u32,
    /// The classes it is compatible with.
    pub classes: ClassSet,
}

/// The rows compatible with each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masks {
    /// The demands, by row: what is encoded.
    constraints: Vec<Constraint>,
    /// First word with a constrained row.
    first: usize,
    /// Constrained rows, from `first`.
    constrained: Vec<u64>,
    /// The mask most classes are close to, from `first`.
    base: Vec<u64>,
    /// Per class, how its mask is kept.
    classes: Vec<Kept>,
    /// Words that differ from the base, with their place from `first`.
    differences: Vec<(u32, u64)>,
    /// Whole masks.
    whole: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Differs { from: u32, to: u32 },
    Whole { from: u32 },
}

impl Masks {
    /// Builds the table of `count` classes from the demands, sorted by row.
    pub fn build(count: u32, constraints: Vec<Constraint>) -> Masks {
        let word = |row: u32| row as usize / 64;
        let first = constraints.first().map_or(0, |c| word(c.row));
        let words = constraints.last().map_or(0, |c| word(c.row) + 1 - first);
        let mut constrained = vec![0u64; words];
        for Constraint { row, .. } in &constraints {
            set(&mut constrained, word(*row) - first, 1u64 << (row % 64));
        }
        let table = sweep(count, &constraints, &constrained, first);
        let mask_of = |class: usize| table.get(class * words..(class + 1) * words).unwrap_or_default();
        let last = (count as usize).saturating_sub(1);
        let cost = |base: usize| {
            (0..count as usize)
                .map(|c| differing(mask_of(base), mask_of(c)))
                .sum::<usize>()
        };
        let base = if cost(0) <= cost(last) {
            mask_of(0)
        } else {
            mask_of(last)
        }
        .to_vec();
        let mut out = Masks {
            constraints,
            first,
            constrained,
            base,
            classes: Vec::new(),
            differences: Vec::new(),
            whole: Vec::new(),
        };
        for class in 0..count as usize {
            out.keep(mask_of(class));
        }
        out
    }

    fn keep(&mut self, mask: &[u64]) {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if differing(&self.base, mask) * 8 > mask.len() {
            self.classes.push(Kept::Whole {
                from: small(self.whole.len()),
            });
            self.whole.extend(mask);
            return;
        }
        let from = small(self.differences.len());
        let pairs = self
            .base
            .iter()
            .zip(mask)
            .enumerate()
            .filter(|(_, (a, b))| a != b);
        let found: Vec<(u32, u64)> = pairs.map(|(at, (_, word))| (small(at), *word)).collect();
        self.differences.extend(found);
        self.classes.push(Kept::Differs {
            from,
            to: small(self.differences.len()),
        });
    }

    /// The demands, by row.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Words from the first constrained row to the last: what looking and ruling out reads.
    pub fn words(&self) -> usize {
        self.constrained.len()
    }

    /// Whether a row that is still possible depends on this variable.
    #[inline]
    pub fn matters(&self, rows: &[u64]) -> bool {
        meet(rows.get(self.first..).unwrap_or_default(), &self.constrained)
    }

    /// Clears the rows that a class rules out. An unknown class rules out every constrained row.
    #[inline]
    pub fn apply(&self, class: u32, rows: &mut [u64]) {
        let Some(rows) = rows.get_mut(self.first..) else {
            return;
        };
        match self.classes.get(class as usize) {
            Some(Kept::Whole { from }) => {
                let mask = self.whole.get(*from as usize..).unwrap_or_default();
                rows.iter_mut()
                    .zip(mask.iter().take(self.base.len()))
                    .for_each(|(row, mask)| *row &= mask);
            }
            Some(Kept::Differs { from, to }) => {
                let differences = self
                    .differences
                    .get(*from as usize..*to as usize)
                    .unwrap_or_default();
                self.apply_differences(differences, rows);
            }
            None => rows
                .iter_mut()
                .zip(&self.constrained)
                .for_each(|(row, mine)| *row &= !mine),
        }
    }

    #[inline]
    fn apply_differences(&self, differences: &[(u32, u64)], rows: &mut [u64]) {
        let mut at = 0usize;
        for (place, word) in differences {
            let place = *place as usize;
            let between = rows.get_mut(at..place).unwrap_or_default();
            between
                .iter_mut()
                .zip(self.base.get(at..).unwrap_or_default())
                .for_each(|(row, mask)| *row &= mask);
            if let Some(row) = rows.get_mut(place) {
                *row &= word;
            }
            at = place + 1;
        }
        let rest = rows.get_mut(at..).unwrap_or_default();
        rest.iter_mut()
            .zip(self.base.get(at..).unwrap_or_default())
            .for_each(|(row, mask)| *row &= mask);
    }
}

/// Whether two sets of rows have one in common. Words are looked at by eights, which takes hardly longer than one.
#[inline]
pub(super) fn meet(a: &[u64], b: &[u64]) -> bool {
    let length = a.len().min(b.len());
    let (a, a_rest) = a.get(..length).unwrap_or_default().as_chunks::<8>();
    let (b, b_rest) = b.get(..length).unwrap_or_default().as_chunks::<8>();
    let common = |a: &[u64], b: &[u64]| a.iter().zip(b).fold(0, |all, (a, b)| all | a & b);
    let mut eights = a.iter().zip(b).map(|(a, b)| common(a, b));
    eights.any(|both| both != 0) || common(a_rest, b_rest) != 0
}

/// The mask of every class, one after the other: class by class, only the rows whose answer changes are touched.
fn sweep(count: u32, constraints: &[Constraint], constrained: &[u64], first: usize) -> Vec<u64> {
    let mut changes: Vec<(u32, usize, u64)> = Vec::new();
    for Constraint { row, classes } in constraints {
        let (at, bit) = (*row as usize / 64 - first, 1u64 << (row % 64));
        for (start, length) in classes.runs() {
            changes.push((start, at, bit));
            changes.push((start + length, at, bit));
        }
    }
    changes.sort_unstable();
    let mut mask: Vec<u64> = constrained.iter().map(|word| !word).collect();
    let mut table = Vec::with_capacity(mask.len() * count as usize);
    let mut changes = changes.into_iter().peekable();
    for class in 0..count {
        while let Some((_, at, bit)) = changes.next_if(|(from, _, _)| *from == class) {
            if let Some(word) = mask.get_mut(at) {
                *word ^= bit;
            }
        }
        table.extend_from_slice(&mask);
    }
    table
}

fn set(words: &mut [u64], at: usize, bit: u64) {
    if let Some(word) = words.get_mut(at) {
        *word |= bit;
    }
}

fn differing(a: &[u64], b: &[u64]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}
