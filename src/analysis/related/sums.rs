//! Sums of whole numbers that are at most something, and what follows from several of them: `a <= b` and `b <= c` give
//! `a <= c`. In: bounds, each with the answers it rests on. Out: all that follow, up to a number of them; a bound that no
//! numbers keep says that its answers never come together. Fourier and Motzkin's elimination, with whole numbers.

use crate::limits;
use std::collections::BTreeSet;

/// An answer by its question; two answers to one question exclude each other.
pub(super) type Answer = (usize, bool);

/// Values by number, each so many times; none of them no times.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sum(Vec<(usize, i128)>);

/// A sum that is at most a number where some answers are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub sum: Sum,
    pub most: i128,
    pub because: BTreeSet<Answer>,
    /// The bounds given that it follows from, by number, each used once.
    from: BTreeSet<usize>,
}

/// A sum that is not a number where some answers are given.
#[derive(Clone, Debug)]
pub(super) struct Apart {
    pub sum: Sum,
    pub from: i128,
    pub because: BTreeSet<Answer>,
}

impl Sum {
    /// One value.
    pub fn of(value: usize) -> Sum {
        Sum(vec![(value, 1)])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn parts(&self) -> &[(usize, i128)] {
        &self.0
    }

    /// The sum so many times; none where that is too large.
    pub fn times(&self, n: i128) -> Option<Sum> {
        let parts = self
            .0
            .iter()
            .map(|(value, own)| Some((*value, own.checked_mul(n)?)));
        let parts: Vec<(usize, i128)> = parts.collect::<Option<_>>()?;
        Some(Sum(parts.into_iter().filter(|(_, n)| *n != 0).collect()))
    }

    /// Both sums together; none where that is too large.
    pub fn plus(&self, other: &Sum) -> Option<Sum> {
        let mut parts = self.0.clone();
        for (value, more) in &other.0 {
            match parts.iter_mut().find(|(of, _)| of == value) {
                Some((_, own)) => *own = own.checked_add(*more)?,
                None => parts.push((*value, *more)),
            }
        }
        parts.retain(|(_, own)| *own != 0);
        parts.sort_unstable();
        Some(Sum(parts))
    }

    /// The greatest number that every part is a multiple of; 1 where there is no part.
    pub fn divisor(&self) -> i128 {
        let divisor = self.0.iter().fold(0, |all, (_, n)| gcd(all, *n));
        divisor.max(1)
    }

    /// The sum divided by a number that every part is a multiple of.
    pub fn divided(&self, by: i128) -> Sum {
        let part = |(value, n): &(usize, i128)| (*value, n.checked_div(by).unwrap_or(*n));
        Sum(self.0.iter().map(part).collect())
    }

    /// How often a value is in it.
    fn often(&self, value: usize) -> i128 {
        let found = self.0.iter().find(|(of, _)| *of == value);
        found.map_or(0, |(_, often)| *often)
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.saturating_abs(), b.saturating_abs());
    while b != 0 {
        (a, b) = (b, a.checked_rem(b).unwrap_or(0));
    }
    a
}

impl Bound {
    pub fn new(sum: Sum, most: i128, because: impl IntoIterator<Item = Answer>) -> Bound {
        let by = sum.divisor();
        Bound {
            most: most.div_euclid(by),
            sum: sum.divided(by),
            because: because.into_iter().collect(),
            from: BTreeSet::new(),
        }
    }

    /// Whether no numbers keep it.
    pub fn is_broken(&self) -> bool {
        self.sum.is_empty() && self.most < 0
    }

    /// Whether it says no less than another, and rests on no more.
    fn covers(&self, other: &Bound) -> bool {
        self.sum == other.sum && self.most <= other.most && self.because.is_subset(&other.because)
    }

    /// What follows from both, once for each value that they share the other way round.
    fn with(&self, other: &Bound) -> Vec<Bound> {
        let Some(because) = both(&self.because, &other.because) else {
            return Vec::new();
        };
        let from = &self.from | &other.from;
        if !self.from.is_disjoint(&other.from) || from.len() > limits::RELATED_ANSWERS {
            return Vec::new();
        }
        let shared = self.sum.parts().iter().filter_map(|(value, own)| {
            let theirs = other.sum.often(*value);
            if theirs == 0 || (theirs > 0) == (*own > 0) {
                return None;
            }
            let (a, b) = (theirs.saturating_abs(), own.saturating_abs());
            let sum = self.sum.times(a)?.plus(&other.sum.times(b)?)?;
            let most = self
                .most
                .checked_mul(a)?
                .checked_add(other.most.checked_mul(b)?)?;
            let bound = Bound::new(sum, most, because.iter().copied());
            Some(Bound {
                from: from.clone(),
                ..bound
            })
        });
        shared.collect()
    }

    /// What follows beside a number that the sum is not.
    fn beside(&self, apart: &Apart) -> Option<Bound> {
        let same = self.sum == apart.sum && self.most == apart.from;
        let turned =
            apart.sum.times(-1).as_ref() == Some(&self.sum) && apart.from.checked_neg() == Some(self.most);
        let because = both(&self.because, &apart.because)?;
        if !(same || turned) {
            return None;
        }
        Some(Bound {
            sum: self.sum.clone(),
            most: self.most.checked_sub(1)?,
            because,
            from: self.from.clone(),
        })
    }
}

/// The answers of both; none where they exclude each other or are too many.
fn both(a: &BTreeSet<Answer>, b: &BTreeSet<Answer>) -> Option<BTreeSet<Answer>> {
    let all = a | b;
    let is_left = all.iter().all(|(of, is)| !all.contains(&(*of, !is)));
    (is_left && all.len() <= limits::RELATED_ANSWERS).then_some(all)
}

/// The bounds and those that follow from them, those that rest on fewer answers first.
pub(super) fn derived(given: Vec<Bound>, apart: &[Apart]) -> Vec<Bound> {
    let mut all: Vec<Bound> = Vec::new();
    let mut open = vec![Vec::new(); limits::RELATED_ANSWERS + 2];
    let numbered = given.into_iter().enumerate().map(|(number, bound)| Bound {
        from: BTreeSet::from([number]),
        ..bound
    });
    push(&mut open, numbered);
    while let Some(next) = open.iter_mut().find_map(Vec::pop) {
        let is_trivial = next.sum.is_empty() && next.most >= 0;
        if is_trivial || all.iter().any(|known| known.covers(&next)) {
            continue;
        }
        if all.len() >= limits::RELATED_BOUNDS {
            break;
        }
        push(&mut open, apart.iter().filter_map(|apart| next.beside(apart)));
        push(&mut open, all.iter().flat_map(|known| known.with(&next)));
        all.push(next);
    }
    all
}

/// Puts bounds beside those that rest on as many answers.
fn push(open: &mut [Vec<Bound>], bounds: impl IntoIterator<Item = Bound>) {
    for bound in bounds {
        if let Some(alike) = open.get_mut(bound.because.len()) {
            alike.push(bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUES: std::ops::RangeInclusive<i128> = -3..=3;

    fn sum(parts: [i128; 3]) -> Sum {
        let of = |(value, n): (usize, i128)| Sum::of(value).times(n).unwrap();
        let parts = parts.into_iter().enumerate().map(of);
        parts.reduce(|all, one| all.plus(&one).unwrap()).unwrap()
    }

    fn at(sum: &Sum, values: [i128; 3]) -> i128 {
        sum.parts().iter().map(|(value, n)| values[*value] * n).sum()
    }

    fn parts() -> impl Strategy<Value = [i128; 3]> {
        prop::array::uniform3(-2i128..=2)
    }

    proptest! {
        /// What follows holds of all numbers of which the answers that it rests on hold.
        #[test]
        fn what_follows_holds(
            bounds in prop::collection::vec((parts(), -4i128..=4), 1..5),
            apart in prop::collection::vec((parts(), -2i128..=2), 0..2),
        ) {
            let given: Vec<Bound> = bounds.iter().enumerate()
                .map(|(at, (parts, most))| Bound::new(sum(*parts), *most, [(at, true)])).collect();
            let first = bounds.len();
            let apart: Vec<Apart> = apart.iter().enumerate()
                .map(|(at, (parts, from))| Apart { sum: sum(*parts), from: *from, because: BTreeSet::from([(first + at, true)]) }).collect();
            let found = derived(given, &apart);
            for a in VALUES { for b in VALUES { for c in VALUES {
                let values = [a, b, c];
                let holds = |(answer, _): &Answer| match answer.checked_sub(first) {
                    None => at(&sum(bounds[*answer].0), values) <= bounds[*answer].1,
                    Some(other) => at(&apart[other].sum, values) != apart[other].from,
                };
                for bound in &found {
                    if bound.because.iter().all(holds) {
                        prop_assert!(at(&bound.sum, values) <= bound.most, "{:?} {:?}", bound, values);
                    }
                }
            } } }
        }
    }

    #[test]
    fn a_chain_is_followed_to_its_end() {
        let less = |a: usize, b: usize, most: i128, answer: usize| {
            let sum = Sum::of(a).plus(&Sum::of(b).times(-1).unwrap()).unwrap();
            Bound::new(sum, most, [(answer, true)])
        };
        let broken = |given: Vec<Bound>, apart: &[Apart]| {
            let found = derived(given, apart);
            found
                .into_iter()
                .filter(Bound::is_broken)
                .map(|bound| bound.because.len())
                .min()
        };
        let ring = vec![
            less(0, 1, 0, 0),
            less(1, 2, 0, 1),
            less(2, 3, 0, 2),
            less(3, 0, -1, 3),
        ];
        assert_eq!(broken(ring[..3].to_vec(), &[]), None);
        assert_eq!(broken(ring, &[]), Some(4));
        // Twice a value is never one more than twice another.
        let twice = |n: i128| {
            Sum::of(0)
                .times(n)
                .unwrap()
                .plus(&Sum::of(1).times(-n).unwrap())
                .unwrap()
        };
        let odd = vec![
            Bound::new(twice(2), 1, [(0, true)]),
            Bound::new(twice(-2), -1, [(1, true)]),
        ];
        assert_eq!(broken(odd, &[]), Some(2));
        let equal = vec![less(0, 1, 0, 0), less(1, 2, 0, 1), less(2, 0, 0, 2)];
        let apart = Apart {
            sum: twice(1),
            from: 0,
            because: BTreeSet::from([(3, false)]),
        };
        assert_eq!(broken(equal, &[apart]), Some(4));
    }
}
