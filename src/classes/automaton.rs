//! Dense automata over bytes: one table look-up per byte, the class of the text read off the last state. Built from
//! regular expressions by regex-automata's determiniser, copied out into a canonical table (states in breadth-first
//! order, equal bytes merged) that goes into the bundle and is checked when it is read back.

use crate::builtins::regex;
use regex_automata::Anchored;
use regex_automata::dfa::Automaton as _;
use regex_automata::util::start;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A deterministic automaton; state 0 starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automaton {
    /// The column of each byte.
    bytes: Box<[u8; 256]>,
    /// Columns per state.
    stride: u32,
    /// Where the row of the next state starts, by state and column; with `SINK`, where that state is never left.
    rows: Vec<u32>,
    /// The class of a text that ends in a state.
    accept: Vec<u32>,
}

/// Marks a state that is never left: the rest of the text need not be read.
const SINK: u32 = 1 << 31;

impl Automaton {
    /// Checks and adopts tables; `None` when they do not fit together.
    pub fn new(bytes: Box<[u8; 256]>, stride: u32, next: Vec<u32>, accept: Vec<u32>) -> Option<Self> {
        let states = accept.len();
        let fits = stride >= 1
            && next.len() == states.checked_mul(stride as usize)?
            && next.len() < SINK as usize
            && states >= 1
            && bytes.iter().all(|c| u32::from(*c) < stride)
            && next.iter().all(|s| (*s as usize) < states);
        if !fits {
            return None;
        }
        let is_left = |(state, row): (usize, &[u32])| row.iter().any(|s| *s as usize != state);
        let left: Vec<bool> = next.chunks(stride as usize).enumerate().map(is_left).collect();
        let row = |state: u32| match left.get(state as usize) {
            Some(true) => state * stride,
            _ => (state * stride) | SINK,
        };
        Some(Self {
            bytes,
            stride,
            rows: next.into_iter().map(row).collect(),
            accept,
        })
    }

    /// The class of a text.
    #[inline]
    pub fn classify(&self, text: &[u8]) -> u32 {
        let mut row = 0u32;
        for byte in text {
            let column = self.bytes.get(usize::from(*byte)).copied().unwrap_or(0);
            let at = row as usize + usize::from(column);
            row = self.rows.get(at).copied().unwrap_or(SINK);
            if row >= SINK {
                break;
            }
        }
        self.class_at(self.state(row))
    }

    /// The state whose row starts here.
    fn state(&self, row: u32) -> u32 {
        (row & !SINK) / self.stride.max(1)
    }

    /// The automaton that puts every text into one class.
    pub fn constant(class: u32) -> Self {
        Self {
            bytes: Box::new([0; 256]),
            stride: 1,
            rows: vec![SINK],
            accept: vec![class],
        }
    }

    /// The column of a byte: bytes of one column lead to the same states everywhere.
    pub fn column(&self, byte: u8) -> u8 {
        self.bytes.get(usize::from(byte)).copied().unwrap_or(0)
    }

    /// The state after `state` and a byte.
    pub fn step(&self, state: u32, byte: u8) -> u32 {
        let at = state as usize * self.stride as usize + usize::from(self.column(byte));
        self.state(self.rows.get(at).copied().unwrap_or(0))
    }

    /// The class of a text that ends in a state.
    pub fn class_at(&self, state: u32) -> u32 {
        self.accept.get(state as usize).copied().unwrap_or(0)
    }

    /// Whether a state is in class 0 and never left.
    pub fn is_refused(&self, state: u32) -> bool {
        let row = state as usize * self.stride as usize;
        let is_left = self
            .rows
            .get(row)
            .is_some_and(|to| *to < SINK || self.state(*to) != state);
        self.class_at(state) == 0 && !is_left
    }

    /// The class of a text that ends in each state.
    pub fn classes(&self) -> &[u32] {
        &self.accept
    }

    /// The tables, for encoding: byte columns, columns per state, transitions, classes.
    pub fn tables(&self) -> (&[u8; 256], u32, Vec<u32>, &[u32]) {
        let next = self.rows.iter().map(|row| self.state(*row)).collect();
        (&self.bytes, self.stride, next, &self.accept)
    }
}

/// The automaton of several expressions before its states have classes: per state the expressions that match a text
/// ending there.
#[derive(Clone)]
pub struct Matcher {
    bytes: Box<[u8; 256]>,
    stride: u32,
    next: Vec<u32>,
    /// Per state, the expressions that match.
    pub matches: Vec<BTreeSet<u32>>,
}

impl Matcher {
    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let sets: usize = self.matches.iter().map(|set| 32 + 4 * set.len()).sum();
        256 + 4 * self.next.len() + sets
    }

    /// Builds it; `None` when it passes `limit` bytes.
    pub fn build(expressions: &[String], limit: usize) -> Option<Matcher> {
        let dfa = regex::automaton(expressions, limit).ok()?;
        let first = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .ok()?;
        // Bytes that the determiniser does not tell apart need one look each: the least of them stands for all.
        let alike = dfa.byte_classes();
        let mut bytes = Box::new([0u8; 256]);
        let mut least: Vec<u8> = Vec::new();
        for (byte, column) in (0..=255u8).zip(bytes.iter_mut()) {
            *column = alike.get(byte);
            if usize::from(*column) == least.len() {
                least.push(byte);
            }
        }
        let mut number = BTreeMap::from([(first, 0u32)]);
        let mut queue = VecDeque::from([first]);
        let mut rows: Vec<Vec<u32>> = Vec::new();
        let mut matches = Vec::new();
        while let Some(state) = queue.pop_front() {
            let mut row = Vec::with_capacity(least.len());
            for byte in &least {
                let to = dfa.next_state(state, *byte);
                if dfa.is_quit_state(to) {
                    return None;
                }
                let fresh = u32::try_from(number.len()).ok()?;
                row.push(*number.entry(to).or_insert_with(|| {
                    queue.push_back(to);
                    fresh
                }));
            }
            rows.push(row);
            if rows.len() * 1024 > limit * 4 {
                return None;
            }
            let end = dfa.next_eoi_state(state);
            let count = if dfa.is_match_state(end) {
                dfa.match_len(end)
            } else {
                0
            };
            matches.push((0..count).map(|i| dfa.match_pattern(end, i).as_u32()).collect());
        }
        Some(Self::pack(bytes, rows, matches))
    }

    /// Merges bytes that no state tells apart, then equal states, then bytes again. Bytes come first because states are
    /// compared by what follows each column, and most patterns tell few bytes apart. `bytes` has the column of each byte
    /// in `rows`.
    fn pack(mut bytes: Box<[u8; 256]>, rows: Vec<Vec<u32>>, matches: Vec<BTreeSet<u32>>) -> Matcher {
        let (narrow, rows) = merge_columns(&rows);
        let (rows, matches) = minimise(rows, matches);
        let (again, rows) = merge_columns(&rows);
        for slot in bytes.iter_mut() {
            let column = narrow.get(usize::from(*slot)).copied().unwrap_or(0);
            *slot = again.get(usize::from(column)).copied().unwrap_or(0);
        }
        let stride = rows.first().map_or(0, Vec::len);
        Matcher {
            bytes,
            stride: u32::try_from(stride).unwrap_or(256),
            next: rows.concat(),
            matches,
        }
    }

    /// The automaton with a class per state.
    pub fn with_classes(self, class_of: impl Fn(&BTreeSet<u32>) -> u32) -> Option<Automaton> {
        let accept = self.matches.iter().map(class_of).collect();
        Automaton::new(self.bytes, self.stride, self.next, accept)
    }

    /// The expressions that match a text.
    pub fn matching(&self, text: &[u8]) -> BTreeSet<u32> {
        let mut state = 0usize;
        for byte in text {
            let column = self.bytes.get(usize::from(*byte)).copied().unwrap_or(0);
            let to = self.next.get(state * self.stride as usize + usize::from(column));
            state = to.copied().unwrap_or(0) as usize;
        }
        self.matches.get(state).cloned().unwrap_or_default()
    }
}

/// Equal columns become one, in the order of their first appearance: the new column of each old one, and the rows.
fn merge_columns(rows: &[Vec<u32>]) -> (Vec<u8>, Vec<Vec<u32>>) {
    let width = rows.first().map_or(0, Vec::len);
    let mut seen: BTreeMap<Vec<u32>, u8> = BTreeMap::new();
    let mut kept: Vec<usize> = Vec::new();
    let mut column_of = Vec::with_capacity(width);
    for column in 0..width {
        let key: Vec<u32> = rows.iter().filter_map(|r| r.get(column).copied()).collect();
        let fresh = u8::try_from(seen.len()).unwrap_or(u8::MAX);
        column_of.push(*seen.entry(key).or_insert_with(|| {
            kept.push(column);
            fresh
        }));
    }
    let narrow = |row: &Vec<u32>| kept.iter().filter_map(|c| row.get(*c).copied()).collect();
    (column_of, rows.iter().map(narrow).collect())
}

/// States that no text can tell apart become one (Moore's partition refinement), numbered breadth first again.
fn minimise(rows: Vec<Vec<u32>>, matches: Vec<BTreeSet<u32>>) -> (Vec<Vec<u32>>, Vec<BTreeSet<u32>>) {
    /// Past this many states refinement costs more than it saves.
    const WORTH: usize = 4096;
    if rows.len() > WORTH {
        return (rows, matches);
    }
    let mut block: Vec<u32> = number(matches.iter());
    loop {
        let signature = |state: usize| -> (u32, Vec<u32>) {
            let own = block.get(state).copied().unwrap_or(0);
            let to = rows.get(state).into_iter().flatten();
            (
                own,
                to.map(|t| block.get(*t as usize).copied().unwrap_or(0)).collect(),
            )
        };
        let refined: Vec<u32> = number((0..rows.len()).map(signature));
        if refined == block {
            break;
        }
        block = refined;
    }
    let blocks = block.iter().max().map_or(0, |m| *m as usize + 1);
    let mut new_rows = vec![Vec::new(); blocks];
    let mut new_matches = vec![BTreeSet::new(); blocks];
    for ((state, row), set) in rows.iter().enumerate().zip(matches) {
        let at = block.get(state).copied().unwrap_or(0) as usize;
        if let (Some(r), Some(m)) = (new_rows.get_mut(at), new_matches.get_mut(at))
            && r.is_empty()
        {
            *r = row
                .iter()
                .map(|t| block.get(*t as usize).copied().unwrap_or(0))
                .collect();
            *m = set;
        }
    }
    (new_rows, new_matches)
}

/// Numbers keys in the order of their first appearance, so state 0 keeps number 0.
fn number<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let mut seen: BTreeMap<K, u32> = BTreeMap::new();
    keys.map(|key| {
        let fresh = u32::try_from(seen.len()).unwrap_or(u32::MAX);
        *seen.entry(key).or_insert(fresh)
    })
    .collect()
}
