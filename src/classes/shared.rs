//! Which classes of two variables have a text in common. In: two classifiers of texts. Out: pairs of classes; a pair that is
//! missing has none, of one that is there nothing is said.

use super::automaton::Automaton;
use super::classifier::{Classifier, Texts};
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};

/// The classes of two variables that may have a value in common; `None` where that was not found out.
pub fn together(a: &Classifier, b: &Classifier) -> Option<BTreeSet<(u32, u32)>> {
    match (a, b) {
        (Classifier::Texts(a), Classifier::Texts(b)) => shared(a, b),
        (Classifier::Members(a), Classifier::Members(b)) => {
            Some(a.iter().copied().zip(b.iter().copied()).collect())
        }
        _ => None,
    }
}

/// The classes of two variables that may have a text in common; `None` where the automata are too large together.
pub fn shared(a: &Texts, b: &Texts) -> Option<BTreeSet<(u32, u32)>> {
    let mut pairs = BTreeSet::new();
    for (text, _) in a.parts().0.iter().chain(b.parts().0) {
        pairs.insert((a.classify(text), b.classify(text)));
    }
    let [own, other] = [a, b].map(|texts| {
        let (_, automaton, other) = texts.parts();
        automaton.cloned().unwrap_or_else(|| Automaton::constant(other))
    });
    let telling = bytes(&own, &other);
    let mut seen = BTreeSet::from([(0u32, 0u32)]);
    let mut open = vec![(0u32, 0u32)];
    while let Some((left, right)) = open.pop() {
        pairs.insert((own.class_at(left), other.class_at(right)));
        for byte in &telling {
            let next = (own.step(left, *byte), other.step(right, *byte));
            if seen.insert(next) {
                open.push(next);
            }
        }
        if seen.len() > limits::INHABITED_STATES {
            return None;
        }
    }
    Some(pairs)
}

/// One byte of each kind that the automata tell apart.
fn bytes(a: &Automaton, b: &Automaton) -> Vec<u8> {
    let kinds: BTreeMap<(u8, u8), u8> = (0..=255u8)
        .map(|byte| ((a.column(byte), b.column(byte)), byte))
        .collect();
    kinds.into_values().collect()
}

/// Whether a class has none but texts that are known one by one.
pub fn is_listed(texts: &Texts, class: u32) -> bool {
    let (_, automaton, other) = texts.parts();
    match automaton {
        Some(automaton) => !automaton.classes().contains(&class),
        None => class != other,
    }
}

#[cfg(test)]
mod tests {
    use super::shared;
    use crate::classes::{Classifier, partition};
    use crate::hir::{Question, Shape};
    use crate::ty::Ty;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn question() -> impl Strategy<Value = Question> {
        let text = || "[ab]{0,3}";
        prop_oneof![
            text().prop_map(|text| Question::OneOf([text.as_str().into()].into())),
            text().prop_map(|text| Question::Shape(Shape::Prefix(text))),
            text().prop_map(|text| Question::Shape(Shape::Contains(text))),
        ]
    }

    fn texts() -> impl Strategy<Value = Classifier> {
        prop::collection::btree_set(question(), 1..4).prop_map(|questions| {
            let cut = partition(&Ty::String { max: 9 }, &questions).unwrap();
            cut.groups.into_iter().next().unwrap().classifier
        })
    }

    proptest! {
        /// The pairs are those of all short texts, and no others but for texts that are known by themselves.
        #[test]
        fn pairs_are_those_of_texts((a, b) in (texts(), texts()), words in prop::collection::vec("[abc]{0,6}", 40)) {
            let (Classifier::Texts(a), Classifier::Texts(b)) = (&a, &b) else { return Ok(()) };
            let found = shared(a, b).unwrap();
            let pairs: BTreeSet<(u32, u32)> = words.iter().map(|text| (a.classify(text), b.classify(text))).collect();
            prop_assert!(pairs.is_subset(&found), "{:?} {:?}", pairs, found);
        }
    }

    #[test]
    fn a_prefix_and_another_have_no_text_in_common() {
        let cut = |shape: Shape| {
            let cut = partition(&Ty::String { max: 9 }, &[Question::Shape(shape.clone())].into()).unwrap();
            let yes = cut.answers[&Question::Shape(shape)].1.iter().next().unwrap();
            (cut.groups.into_iter().next().unwrap().classifier, yes)
        };
        for (a, b, is_shared) in [
            (
                Shape::Prefix("ab".to_owned()),
                Shape::Prefix("ac".to_owned()),
                false,
            ),
            (
                Shape::Prefix("ab".to_owned()),
                Shape::Prefix("abc".to_owned()),
                true,
            ),
            (
                Shape::Prefix("ab".to_owned()),
                Shape::Suffix("c".to_owned()),
                true,
            ),
            (
                Shape::Regex("[0-9]+".to_owned()),
                Shape::Regex("[a-z]*".to_owned()),
                false,
            ),
        ] {
            let ((Classifier::Texts(left), yes), (Classifier::Texts(right), also)) = (cut(a), cut(b)) else {
                unreachable!()
            };
            assert_eq!(shared(&left, &right).unwrap().contains(&(yes, also)), is_shared);
        }
    }
}
