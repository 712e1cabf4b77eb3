//! From a value to its class, at run time: no allocation, no search longer than the table is deep.

use super::automaton::Automaton;
use crate::hir::answer::View;
use crate::value::Lookup;

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
    lookup: Lookup,
    automaton: Option<Automaton>,
    other: u32,
}

/// Known texts with their classes, the automaton for all others, and the class where there is none.
pub type Parts<'t> = (&'t [(Box<str>, u32)], Option<&'t Automaton>, u32);

impl Texts {
    /// Builds the look-up; `known` is sorted by text. `other` is the class where there is no automaton.
    pub fn new(known: Vec<(Box<str>, u32)>, automaton: Option<Automaton>, other: u32) -> Texts {
        let lookup = Lookup::new(known.iter().map(|(text, _)| &**text));
        Texts {
            known,
            lookup,
            automaton,
            other,
        }
    }

    /// The class of a text.
    #[inline]
    pub fn classify(&self, text: &str) -> u32 {
        let mut class = None;
        self.lookup.find(text, |number| {
            let known = self.known.get(number as usize);
            class = known
                .filter(|(known, _)| **known == *text)
                .map(|(_, class)| *class);
            class.is_some()
        });
        if let Some(class) = class {
            return class;
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
