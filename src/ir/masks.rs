//! Rows by class, for one variable: the rows that stay possible when the variable's value is in a class, as a table of bits.

use crate::classes::ClassSet;
use std::ops::Range;

/// Bits of 256 rows, which are looked at together: what processors write and read as one they handle fastest.
pub type Block = [u64; BLOCK_WORDS];

const BLOCK_WORDS: usize = 4;
const BLOCK_ROWS: u32 = 64 * 4;
const NONE: Block = [0; BLOCK_WORDS];

/// Blocks that hold so many rows.
pub(super) fn blocks(rows: u32) -> usize {
    rows.div_ceil(BLOCK_ROWS) as usize
}

/// What the table of so many classes takes on so many rows, in bytes.
pub(super) fn bytes(classes: u32, rows: u32) -> usize {
    (classes as usize + 1).saturating_mul(blocks(rows) * size_of::<Block>())
}

/// The rows that are in both.
#[inline]
fn both([a, b, c, d]: &Block, [e, f, g, h]: &Block) -> Block {
    [a & e, b & f, c & g, d & h]
}

#[inline]
fn is_empty([a, b, c, d]: &Block) -> bool {
    a | b | c | d == 0
}

/// Where a row is: its block, the word in it, its bit.
fn place(row: u32) -> (usize, usize, u64) {
    let word = (row % BLOCK_ROWS / 64) as usize;
    ((row / BLOCK_ROWS) as usize, word, 1 << (row % 64))
}

/// These rows, as bits in so many blocks.
pub(super) fn rows_of(blocks: usize, rows: impl IntoIterator<Item = u32>) -> Vec<Block> {
    let mut bits = vec![NONE; blocks];
    for row in rows {
        let (block, word, bit) = place(row);
        if let Some(word) = bits.get_mut(block).and_then(|block| block.get_mut(word)) {
            *word |= bit;
        }
    }
    bits
}

/// Rows that are still possible. Those in blocks outside `from..to` are not, whatever their bits say, so that a decision looks
/// at few blocks once its first variables have ruled most rows out.
#[derive(Debug)]
pub struct Possible<'w> {
    blocks: &'w mut [Block],
    from: usize,
    to: usize,
}

impl<'w> Possible<'w> {
    /// All of `rows` rows, in as many blocks as they take.
    pub fn all(blocks: &'w mut [Block], rows: u32) -> Self {
        blocks.fill([u64::MAX; BLOCK_WORDS]);
        if let (Some(last), used @ 1..) = (blocks.last_mut(), rows % BLOCK_ROWS) {
            for (word, from) in last.iter_mut().zip((0u32..).step_by(64)) {
                let beyond = u64::MAX.checked_shl(used.saturating_sub(from)).unwrap_or(0);
                *word = !beyond;
            }
        }
        let to = blocks.len();
        Self { blocks, from: 0, to }
    }

    /// Whether one of these rows, from the block `first` on, is still possible.
    #[inline]
    fn meets(&self, first: usize, rows: &[Block]) -> bool {
        if let Some((mine, at)) = self.only(first) {
            return rows.get(at).is_some_and(|rows| !is_empty(&both(mine, rows)));
        }
        let from = self.from.max(first);
        let mine = self.blocks.get(from..self.to).unwrap_or_default();
        meet(mine, rows.get(from - first..).unwrap_or_default())
    }

    /// The blocks that are left of so many from the block `first` on, and where the first of them is after that.
    #[inline]
    fn after(&mut self, first: usize, blocks: usize) -> (&mut [Block], usize) {
        let from = self.from.max(first);
        let to = self.to.min(first + blocks);
        (self.blocks.get_mut(from..to).unwrap_or_default(), from - first)
    }

    /// The block that is left, where it is the only one, and where it is from the block `first` on: mostly so, and soon so where there
    /// were many.
    #[inline]
    fn only(&self, first: usize) -> Option<(&Block, usize)> {
        let block = self.blocks.get(self.from).filter(|_| self.from + 1 == self.to)?;
        Some((block, self.from.checked_sub(first)?))
    }

    /// Writes what is left of the only block.
    #[inline]
    fn only_is(&mut self, left: Block) {
        if let Some(block) = self.blocks.get_mut(self.from) {
            *block = left;
        }
    }

    /// No row outside these blocks is possible.
    #[inline]
    fn narrow(&mut self, to: &Range<u32>) {
        self.from = self.from.max(to.start as usize);
        self.to = self.to.min(to.end as usize);
    }

    /// Leaves out blocks at both ends without a row.
    #[inline]
    fn trim(&mut self) {
        while self.from < self.to && self.blocks.get(self.from).is_some_and(is_empty) {
            self.from += 1;
        }
        while self.from < self.to && self.blocks.get(self.to - 1).is_some_and(is_empty) {
            self.to -= 1;
        }
    }

    /// The blocks that are left, and where the first of them is.
    #[inline]
    pub fn left(&self) -> (&[Block], usize) {
        (self.blocks.get(self.from..self.to).unwrap_or_default(), self.from)
    }

    /// Ends the looking: all bits say what is possible.
    #[inline]
    pub fn settle(self) -> &'w [Block] {
        let Self { blocks, from, to } = self;
        blocks.get_mut(..from).unwrap_or_default().fill(NONE);
        blocks.get_mut(to.max(from)..).unwrap_or_default().fill(NONE);
        blocks
    }
}

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
    /// First block with a constrained row.
    first: usize,
    /// Constrained rows, from `first`.
    constrained: Vec<Block>,
    /// Per class, as many blocks from `first`; after the last class, those of a class nobody knows.
    table: Vec<Block>,
    /// Per class, the blocks outside of which it leaves no row.
    reach: Vec<Range<u32>>,
}

impl Masks {
    /// Builds the table of `count` classes from the demands on `rows` rows, sorted by row.
    pub fn build(count: u32, rows: u32, constraints: Vec<Constraint>) -> Masks {
        let first = constraints.first().map_or(0, |c| place(c.row).0);
        let end = constraints.last().map_or(0, |c| place(c.row).0 + 1);
        let base = small(first).saturating_mul(BLOCK_ROWS);
        let own = constraints.iter().map(|c| c.row - base);
        let constrained = rows_of(end - first, own);
        let table = sweep(count, &constraints, &constrained, base);
        let masks = table.chunks(constrained.len().max(1));
        let reach = masks.map(|mask| reach(mask, first, blocks(rows))).collect();
        Masks {
            constraints,
            first,
            constrained,
            table,
            reach,
        }
    }

    /// The demands, by row.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Blocks from the first constrained row to the last: what looking and ruling out reads.
    pub fn blocks(&self) -> usize {
        self.constrained.len()
    }

    /// Whether a row that is still possible depends on this variable.
    #[inline]
    pub fn matters(&self, rows: &Possible<'_>) -> bool {
        rows.meets(self.first, &self.constrained)
    }

    /// Takes away the rows that a class rules out. An unknown class rules out every constrained row.
    #[inline]
    pub fn rule_out(&self, class: u32, rows: &mut Possible<'_>) {
        let class = (class as usize).min(self.reach.len().saturating_sub(1));
        if let Some((block, at)) = rows.only(self.first) {
            let known = at < self.constrained.len();
            let mask = self.table.get(class * self.constrained.len() + at);
            if let Some(mask) = mask.filter(|_| known) {
                let left = both(block, mask);
                rows.only_is(left);
            }
            return;
        }
        if let Some(reach) = self.reach.get(class) {
            rows.narrow(reach);
        }
        let (rows_left, at) = rows.after(self.first, self.constrained.len());
        let mask = self.table.get(class * self.constrained.len() + at..);
        for (block, mask) in rows_left.iter_mut().zip(mask.unwrap_or_default()) {
            *block = both(block, mask);
        }
        rows.trim();
    }
}

/// The blocks outside of which a mask leaves no row: it says so of those it speaks of, from the block `first` on, out of `all`.
fn reach(mask: &[Block], first: usize, all: usize) -> Range<u32> {
    let some = |block: &Block| *block != NONE;
    let before = if first > 0 {
        Some(0)
    } else {
        mask.iter().position(some)
    };
    let behind = if first + mask.len() < all {
        Some(all)
    } else {
        mask.iter().rposition(some).map(|last| first + last + 1)
    };
    let (from, to) = match (before, behind) {
        (Some(from), Some(to)) => (from, to),
        // Every block that it speaks of is empty: what is left is before or behind.
        (None, Some(to)) => (mask.len(), to),
        (Some(_), None) => (0, first),
        (None, None) => (0, 0),
    };
    small(from)..small(to)
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whether two sets of rows have one in common.
#[inline]
pub(super) fn meet(a: &[Block], b: &[Block]) -> bool {
    a.iter().zip(b).any(|(a, b)| !is_empty(&both(a, b)))
}

/// The mask of every class, one after the other, and that of a class nobody knows: class by class, only the rows whose answer
/// changes are touched. Rows are counted from `base`.
fn sweep(count: u32, constraints: &[Constraint], constrained: &[Block], base: u32) -> Vec<Block> {
    let mut changes: Vec<(u32, u32)> = Vec::new();
    for Constraint { row, classes } in constraints {
        for (start, length) in classes.runs() {
            changes.push((start, row - base));
            changes.push((start + length, row - base));
        }
    }
    changes.sort_unstable();
    let mut mask: Vec<Block> = constrained.iter().map(|block| block.map(|word| !word)).collect();
    let nobody = mask.clone();
    let mut table = Vec::with_capacity(mask.len() * (count as usize + 1));
    let mut changes = changes.into_iter().peekable();
    for class in 0..count {
        while let Some((_, row)) = changes.next_if(|(from, _)| *from == class) {
            let (block, word, bit) = place(row);
            if let Some(word) = mask.get_mut(block).and_then(|block| block.get_mut(word)) {
                *word ^= bit;
            }
        }
        table.extend_from_slice(&mask);
    }
    table.extend(nobody);
    table
}

#[cfg(test)]
mod tests {
    use super::{Constraint, Masks, NONE, Possible, blocks};
    use crate::classes::ClassSet;
    use proptest::prelude::*;

    /// Rows of several blocks, and what variables of five classes demand of some of them.
    fn variables() -> impl Strategy<Value = (u32, Vec<Vec<(u32, u8)>>)> {
        (1u32..6000).prop_flat_map(|rows| {
            let demand = (0..rows, 0u8..32);
            let scattered = prop::collection::vec(demand, 0..40);
            let near = (0..rows, 0u32..4000, 0u8..32).prop_map(move |(from, length, classes)| {
                (from..rows.min(from + length))
                    .map(|row| (row, classes))
                    .collect()
            });
            let demands = prop_oneof![scattered, near];
            (Just(rows), prop::collection::vec(demands, 1..6))
        })
    }

    fn masks(rows: u32, mut demands: Vec<(u32, u8)>) -> Masks {
        demands.sort_unstable();
        demands.dedup_by_key(|(row, _)| *row);
        let constraints = demands.into_iter().map(|(row, bits)| {
            let mut classes = ClassSet::empty(5);
            (0..5)
                .filter(|class| bits >> class & 1 == 1)
                .for_each(|class| classes.insert(class));
            Constraint { row, classes }
        });
        Masks::build(5, rows, constraints.collect())
    }

    proptest! {
        /// One row after the other, it is the same: a row is left where every variable's class is one that it demands, and
        /// whether a variable matters is whether one of its rows is left.
        #[test]
        fn what_is_left_is_what_every_variable_leaves(
            (rows, variables) in variables(),
            classes in prop::collection::vec(0u32..7, 6),
        ) {
            let mut space = vec![NONE; blocks(rows)];
            let mut possible = Possible::all(&mut space, rows);
            let mut expected: Vec<bool> = vec![true; rows as usize];
            for (demands, class) in variables.into_iter().zip(classes) {
                let masks = masks(rows, demands);
                let matters = masks.constraints().iter().any(|of| expected[of.row as usize]);
                prop_assert_eq!(masks.matters(&possible), matters);
                masks.rule_out(class, &mut possible);
                for of in masks.constraints() {
                    expected[of.row as usize] &= of.classes.contains(class);
                }
            }
            let words = possible.settle().as_flattened();
            let settled: Vec<bool> = (0..rows).map(|row| words[row as usize / 64] >> (row % 64) & 1 == 1).collect();
            prop_assert_eq!(settled, expected);
        }
    }
}
