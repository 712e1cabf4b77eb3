//! Automata built once and asked for again: the tools of a policy ask the same patterns, and trying whether several fit
//! into one automaton is the dear part. In: expressions and a budget. Out: their automaton, or none.

use super::automaton::Matcher;
use crate::limits;
use std::collections::BTreeMap;

/// The automata of one compilation.
#[derive(Default)]
pub struct Matchers {
    built: BTreeMap<Vec<String>, Option<Matcher>>,
    bytes: usize,
}

impl Matchers {
    /// The automaton of several expressions; `None` when it passes `budget` bytes. One set of expressions has one budget.
    pub(super) fn build(&mut self, expressions: &[String], budget: usize) -> Option<Matcher> {
        if let Some(known) = self.built.get(expressions) {
            return known.clone();
        }
        let matcher = Matcher::build(expressions, budget);
        let keys: usize = expressions.iter().map(String::len).sum();
        let size = keys + matcher.as_ref().map_or(0, Matcher::bytes);
        if self.bytes.saturating_add(size) <= limits::AUTOMATA_KEPT_BYTES {
            self.bytes += size;
            self.built.insert(expressions.to_vec(), matcher.clone());
        }
        matcher
    }
}
