//! Which classes of texts have a text at all. A text that is known by itself is in a class of its own, so what is left of the
//! patterns it matches may have no other one: `like "abc"` beside `== "abc"`. And a type may have no value that only one of two
//! patterns matches: a path never ends in `/`. In: the classes of a variable and its type. Out: the classes that are empty. It
//! proves emptiness only: of every other class nothing is said.

use super::automaton::Automaton;
use super::classifier::Texts;
use crate::limits;
use crate::ty::Ty;
use std::collections::{BTreeMap, BTreeSet};

/// The classes in which no text is, of those that an automaton knows.
pub fn empty(texts: &Texts, ty: &Ty) -> BTreeSet<u32> {
    let (known, automaton, _) = texts.parts();
    let Some(automaton) = automaton else {
        return BTreeSet::new();
    };
    let form = Form::of(ty);
    let Some(graph) = Graph::of(automaton, form) else {
        return BTreeSet::new();
    };
    let mut by_itself: BTreeMap<u32, u64> = BTreeMap::new();
    for (text, of) in known {
        let class = automaton.classify(text.as_bytes());
        if *of != class && form.has(text) {
            *by_itself.entry(class).or_default() += 1;
        }
    }
    let classes = automaton.classes();
    let all: BTreeSet<u32> = classes.iter().copied().collect();
    let is_known = |class: &u32| known.iter().any(|(_, of)| of == class);
    let is_empty = |class: &u32| {
        let known = by_itself.get(class).copied().unwrap_or(0);
        !is_known(class) && graph.texts(*class, known).is_some_and(|texts| texts <= known)
    };
    all.into_iter().filter(is_empty).collect()
}

/// The least and the greatest number of bytes of a text of each class that an automaton knows, none where there is no
/// greatest; nothing where that is not known. A text that is known by itself counts as one of both.
pub fn lengths(texts: &Texts, ty: &Ty) -> BTreeMap<u32, (u64, Option<u64>)> {
    let (known, automaton, _) = texts.parts();
    let form = Form::of(ty);
    let Some((automaton, graph)) = automaton.and_then(|a| Some((a, Graph::of(a, form)?))) else {
        return BTreeMap::new();
    };
    let classes = automaton.classes();
    let classes: BTreeSet<u32> = classes.iter().copied().collect();
    let mut out: BTreeMap<u32, (u64, Option<u64>)> = BTreeMap::new();
    for class in classes {
        out.extend(graph.lengths(class).map(|found| (class, found)));
    }
    for (text, class) in known {
        if let Some((least, most)) = out.get_mut(class) {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            *least = length.min(*least);
            *most = most.map(|most| most.max(length));
        }
    }
    out
}

/// What is known of how the values of a type are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Any,
    /// Names between single `/`, none at the end; or `/` alone.
    Path,
}

/// Where a reader of a path is: at its start, after the first `/`, in a name, after a later `/`, or past what a path can be.
const PATH: [[u8; 2]; 5] = [[2, 1], [2, 4], [2, 3], [2, 4], [4, 4]];

impl Form {
    fn of(ty: &Ty) -> Form {
        match ty.required() {
            Ty::Path => Form::Path,
            _ => Form::Any,
        }
    }

    /// Where a byte leads: in the form, and in the UTF-8 that every text is.
    fn step(self, (state, character): (u8, u8), byte: u8) -> (u8, u8) {
        (self.read(state, byte), utf8(character, byte))
    }

    fn read(self, state: u8, byte: u8) -> u8 {
        match self {
            Form::Any => 0,
            Form::Path => {
                let row = PATH.get(usize::from(state)).copied().unwrap_or([4, 4]);
                let [name, slash] = row;
                if byte == b'/' { slash } else { name }
            }
        }
    }

    fn ends(self, (state, character): (u8, u8)) -> bool {
        character == 0 && (self == Form::Any || matches!(state, 1 | 2))
    }

    fn has(self, text: &str) -> bool {
        let end = text.bytes().fold((0, 0), |state, byte| self.step(state, byte));
        self.ends(end)
    }
}

/// Where a reader of UTF-8 (RFC 3629 section 4) is: 0 between characters, 1 to 3 with so many bytes to come, 4 to 7 before the second
/// byte of those that have another range for it, 8 past what a text can be.
fn utf8(state: u8, byte: u8) -> u8 {
    match (state, byte) {
        (0, 0..=0x7f) | (1, 0x80..=0xbf) => 0,
        (0, 0xc2..=0xdf) | (2, 0x80..=0xbf) | (4, 0xa0..=0xbf) | (5, 0x80..=0x9f) => 1,
        (0, 0xe0) => 4,
        (0, 0xed) => 5,
        (0, 0xe1..=0xef) | (3, 0x80..=0xbf) | (6, 0x90..=0xbf) | (7, 0x80..=0x8f) => 2,
        (0, 0xf0) => 6,
        (0, 0xf4) => 7,
        (0, 0xf1..=0xf3) => 3,
        _ => 8,
    }
}

/// The states that texts of a form lead to, each with where every byte leads.
struct Graph<'a> {
    automaton: &'a Automaton,
    form: Form,
    states: Vec<(u32, (u8, u8))>,
    /// Per state, how many bytes lead to which.
    next: Vec<BTreeMap<usize, u64>>,
}

impl<'a> Graph<'a> {
    /// `None` where there are too many states.
    fn of(automaton: &'a Automaton, form: Form) -> Option<Graph<'a>> {
        let mut number = BTreeMap::from([((0u32, (0u8, 0u8)), 0usize)]);
        let mut states = vec![(0u32, (0u8, 0u8))];
        let mut next = Vec::new();
        while let Some((state, at)) = states.get(next.len()).copied() {
            let mut row: BTreeMap<usize, u64> = BTreeMap::new();
            for byte in 0..=255u8 {
                let to = (automaton.step(state, byte), form.step(at, byte));
                let fresh = states.len();
                let to = *number.entry(to).or_insert_with(|| {
                    states.push(to);
                    fresh
                });
                *row.entry(to).or_default() += 1;
            }
            next.push(row);
            if states.len() > limits::INHABITED_STATES {
                return None;
            }
        }
        Some(Graph {
            automaton,
            form,
            states,
            next,
        })
    }

    fn is_end(&self, number: usize, class: u32) -> bool {
        let state = self.states.get(number);
        state.is_some_and(|(state, at)| self.automaton.class_at(*state) == class && self.form.ends(*at))
    }

    /// How many texts a class has; `None` where there are more than `most` of them, or without end.
    fn texts(&self, class: u32, most: u64) -> Option<u64> {
        let live = self.leading_to(class);
        // Backwards from the states that lead nowhere else: a state that is never reached so is in a ring.
        let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
        let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for from in &live {
            let to = self.next.get(*from)?.keys().filter(|to| live.contains(to));
            let mut count = 0;
            for to in to {
                before.entry(*to).or_default().push(*from);
                count += 1;
            }
            waits.insert(*from, count);
        }
        let mut ready: Vec<usize> = live
            .iter()
            .copied()
            .filter(|state| waits.get(state) == Some(&0))
            .collect();
        let mut texts: BTreeMap<usize, u64> = BTreeMap::new();
        while let Some(state) = ready.pop() {
            let mut count = u64::from(self.is_end(state, class));
            for (to, bytes) in self.next.get(state)? {
                let more = texts.get(to).copied().unwrap_or(0);
                count = count.saturating_add(more.saturating_mul(*bytes));
            }
            texts.insert(state, count);
            for from in before.get(&state).into_iter().flatten() {
                let left = waits.get_mut(from)?;
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.push(*from);
                }
            }
        }
        if texts.len() < live.len() {
            return None;
        }
        let count = texts.get(&0).copied().unwrap_or(0);
        (count <= most).then_some(count)
    }

    /// The least and the greatest number of bytes of a text of a class, none where there is no greatest; nothing where there
    /// is no text.
    fn lengths(&self, class: u32) -> Option<(u64, Option<u64>)> {
        let live = self.leading_to(class);
        let goes_round = self.texts(class, u64::MAX).is_none();
        let mut here: BTreeSet<usize> = BTreeSet::from([0]);
        let (mut least, mut most) = (None, None);
        here.retain(|state| live.contains(state));
        for length in 0u64.. {
            if here.iter().any(|state| self.is_end(*state, class)) {
                least = least.or(Some(length));
                most = Some(length);
            }
            let next = here.iter().filter_map(|state| self.next.get(*state));
            here = next
                .flat_map(BTreeMap::keys)
                .copied()
                .filter(|state| live.contains(state))
                .collect();
            // Where a text may go round, there is one of any length or none.
            if here.is_empty() || goes_round && least.is_some() {
                break;
            }
        }
        Some((least?, most.filter(|_| !goes_round)))
    }

    /// The states from which a text of a class is reached.
    fn leading_to(&self, class: u32) -> BTreeSet<usize> {
        let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, row) in self.next.iter().enumerate() {
            for to in row.keys() {
                before.entry(*to).or_default().push(from);
            }
        }
        let mut open: Vec<usize> = (0..self.states.len())
            .filter(|state| self.is_end(*state, class))
            .collect();
        let mut live: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(state) = open.pop() {
            for from in before.get(&state).into_iter().flatten() {
                if live.insert(*from) {
                    open.push(*from);
                }
            }
        }
        live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::glob::GlobKind;
    use crate::classes::{Classifier, partition};
    use crate::hir::{Question, Shape};

    /// How many classes of some questions have no text.
    fn count(ty: &Ty, questions: Vec<Question>) -> usize {
        let cut = partition(ty, &questions.into_iter().collect()).unwrap();
        let Classifier::Texts(texts) = &cut.groups[0].classifier else {
            unreachable!()
        };
        empty(texts, ty).len()
    }

    #[test]
    fn texts_that_are_known_leave_nothing_behind() {
        let is = |text: &str| Question::OneOf([text.into()].into());
        let regex = |text: &str| Question::Shape(Shape::Regex(text.to_owned()));
        let text = Ty::String { max: 99 };
        for (questions, empty) in [
            (vec![is("abc"), regex("abc")], 1),
            (vec![is("abc"), regex("abc|abd")], 0),
            (vec![is("abc"), is("abd"), regex("ab[cd]")], 1),
            (vec![is("abc"), regex("abc*")], 0),
            (vec![is("abd"), regex("abc")], 0),
            (
                vec![regex("a.*"), Question::Shape(Shape::Prefix("a".to_owned()))],
                0,
            ),
            (vec![is(""), regex("a{0}")], 1),
        ] {
            assert_eq!(count(&text, questions.clone()), empty, "{questions:?}");
        }
    }

    #[test]
    fn no_path_ends_in_a_slash() {
        let questions = vec![
            Question::Shape(Shape::Glob(GlobKind::Path, "/ws/**".to_owned())),
            Question::Shape(Shape::UnderPath("/ws".to_owned())),
            Question::Shape(Shape::Regex("/ws(/.*)?/".to_owned())),
        ];
        assert!(count(&Ty::Path, questions.clone()) > 0);
        assert_eq!(count(&Ty::String { max: 99 }, questions), 0);
    }
}
