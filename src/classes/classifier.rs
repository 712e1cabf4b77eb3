//! From a value to its class, at run time: no allocation, no search longer than the table is deep.

use super::automaton::Automaton;
use crate::hir::answer::View;

/// Finds the class of a value that is there. A missing value has a class of its own, kept beside the classifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classifier {
    /// Every value that is there is class 0.
    Any,
    /// `false` is 0, `true` is 1.
    Bool,
    /// Class i holds the numbers from `cuts[i-1]` up to below `cuts[i]`.
    Cuts(Vec<i128>),
    /// The class of each enum member.
    Members(Vec<u32>),
    /// Texts.
    Texts(Texts),
}

impl Classifier {
    /// The class of what was found; `None` where nothing was, which has a class of its own.
    #[inline]
    pub fn class(&self, seen: &View<'_>) -> Option<u32> {
        match (self, seen) {
            (_, View::Absent) => None,
            (Classifier::Any, _) => Some(0),
            (Classifier::Bool, View::Bool(b)) => Some(u32::from(*b)),
            (Classifier::Cuts(cuts), View::Num(n)) => {
                u32::try_from(cuts.partition_point(|cut| cut <= n)).ok()
            }
            (Classifier::Members(classes), View::Member(m)) => classes.get(*m as usize).copied(),
            (Classifier::Texts(texts), View::Text(text)) => Some(texts.classify(text)),
            _ => None,
        }
    }
}

/// Classes of texts: known texts by look-up, all others by an automaton.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    known: Vec<(Box<str>, u32)>,
    slots: Vec<u32>,
    automaton: Option<Automaton>,
    other: u32,
}

/// Known texts with their classes, the automaton for all others, and the class where there is none.
pub type Parts<'t> = (&'t [(Box<str>, u32)], Option<&'t Automaton>, u32);

const FREE: u32 = u32::MAX;

impl Texts {
    /// Builds the look-up; `known` is sorted by text. `other` is the class where there is no automaton.
    pub fn new(known: Vec<(Box<str>, u32)>, automaton: Option<Automaton>, other: u32) -> Texts {
        let mut slots = vec![
            FREE;
            if known.is_empty() {
                0
            } else {
                (known.len() * 2).next_power_of_two()
            }
        ];
        for (index, (text, _)) in known.iter().enumerate() {
            let mut at = hash(text) as usize;
            let mask = slots.len() - 1;
            while let Some(slot) = slots.get_mut(at & mask) {
                if *slot == FREE {
                    *slot = u32::try_from(index).unwrap_or(FREE);
                    break;
                }
                at += 1;
            }
        }
        Texts {
            known,
            slots,
            automaton,
            other,
        }
    }

    /// The class of a text.
    #[inline]
    pub fn classify(&self, text: &str) -> u32 {
        if let Some(mask) = self.slots.len().checked_sub(1) {
            let mut at = hash(text) as usize;
            while let Some(index) = self.slots.get(at & mask).filter(|i| **i != FREE) {
                match self.known.get(*index as usize) {
                    Some((known, class)) if **known == *text => return *class,
                    _ => at += 1,
                }
            }
        }
        self.automaton
            .as_ref()
            .map_or(self.other, |a| a.classify(text.as_bytes()))
    }

    /// The parts, for encoding: known texts, the automaton, the class of all others.
    pub fn parts(&self) -> Parts<'_> {
        (&self.known, self.automaton.as_ref(), self.other)
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
