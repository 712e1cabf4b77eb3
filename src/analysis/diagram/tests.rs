//! Diagrams against tables over all values, in whatever order the variables are asked.

use super::*;
use proptest::prelude::*;

const COUNTS: [u32; 4] = [2, 3, 2, 4];

/// A function as a table over all values.
type Table = Vec<bool>;

fn rows() -> Vec<[u32; 4]> {
    let mut rows = Vec::new();
    for a in 0..COUNTS[0] {
        for b in 0..COUNTS[1] {
            for c in 0..COUNTS[2] {
                rows.extend((0..COUNTS[3]).map(|d| [a, b, c, d]));
            }
        }
    }
    rows
}

#[derive(Clone, Debug)]
enum Op {
    Is(usize, u32),
    Not(usize),
    And(usize, usize),
    Or(usize, usize),
    /// Another order of the variables.
    Sift,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0..4usize, 0u32..16).prop_map(|(v, m)| Op::Is(v, m)),
        (0..99usize).prop_map(Op::Not),
        (0..99usize, 0..99usize).prop_map(|(a, b)| Op::And(a, b)),
        (0..99usize, 0..99usize).prop_map(|(a, b)| Op::Or(a, b)),
        Just(Op::Sift),
    ]
}

fn or(diagrams: &mut Diagrams, a: Function, b: Function) -> Result<Function> {
    let (a, b) = (diagrams.not(a)?, diagrams.not(b)?);
    let neither = diagrams.and(a, b)?;
    diagrams.not(neither)
}

proptest! {
    #[test]
    fn diagrams_are_tables(ops in prop::collection::vec(op(), 1..24)) {
        let rows = rows();
        let mut diagrams = Diagrams::new(COUNTS.to_vec(), 100_000);
        let mut made: Vec<(Function, Table)> = vec![
            (Function::NOTHING, vec![false; rows.len()]),
            (Function::EVERYTHING, vec![true; rows.len()]),
        ];
        for op in ops {
            let at = |i: usize| made[i % made.len()].clone();
            let next = match op {
                Op::Sift => {
                    diagrams.sift();
                    continue;
                }
                Op::Is(variable, mask) => {
                    let mut classes = ClassSet::empty(COUNTS[variable]);
                    (0..COUNTS[variable]).filter(|c| mask >> c & 1 == 1).for_each(|c| classes.insert(c));
                    let table = rows.iter().map(|row| classes.contains(row[variable])).collect();
                    (diagrams.is(variable as u32, &classes).unwrap(), table)
                }
                Op::Not(a) => {
                    let (f, t) = at(a);
                    (diagrams.not(f).unwrap(), t.iter().map(|x| !x).collect())
                }
                Op::And(a, b) => {
                    let ((f, s), (g, t)) = (at(a), at(b));
                    (diagrams.and(f, g).unwrap(), s.iter().zip(&t).map(|(x, y)| *x && *y).collect())
                }
                Op::Or(a, b) => {
                    let ((f, s), (g, t)) = (at(a), at(b));
                    (or(&mut diagrams, f, g).unwrap(), s.iter().zip(&t).map(|(x, y)| *x || *y).collect())
                }
            };
            // Equal tables are equal nodes, and the other way round.
            for (function, table) in &made {
                prop_assert_eq!(*function == next.0, *table == next.1);
            }
            made.push(next);
        }
        // The paths are exactly the rows on which the function is true, each row on one path.
        for (function, table) in &made {
            let mut seen = vec![0; rows.len()];
            diagrams.paths(*function, &mut |path| {
                for (row, seen) in rows.iter().zip(&mut seen) {
                    *seen += usize::from(path.iter().all(|(v, classes)| classes.contains(row[*v as usize])));
                }
                false
            });
            let expected: Vec<usize> = table.iter().map(|t| usize::from(*t)).collect();
            prop_assert_eq!(&seen, &expected);
            for (row, holds) in rows.iter().zip(table) {
                prop_assert_eq!(diagrams.is_at(*function, row), *holds);
            }
            match diagrams.point(*function) {
                Some(point) => prop_assert!(diagrams.is_at(*function, &point)),
                None => prop_assert!(!table.contains(&true)),
            }
        }
    }
}

#[test]
fn a_bound_is_kept() {
    let mut diagrams = Diagrams::new(vec![3; 8], 7);
    let mut one = ClassSet::empty(3);
    one.insert(1);
    let a = diagrams.is(0, &one).unwrap();
    let b = diagrams.is(1, &one).unwrap();
    assert_eq!(diagrams.and(a, b), Err(TooLarge));
}

/// `(a0 and b0) or (a1 and b1) or …`, where all of the `a` are asked before all of the `b`: exponential in that order, linear
/// where each pair stands together.
#[test]
fn sifting_finds_pairs() {
    const PAIRS: u32 = 14;
    let mut yes = ClassSet::empty(2);
    yes.insert(1);
    let pairs = |bound: usize| -> Result<(Diagrams, Function)> {
        let mut diagrams = Diagrams::new(vec![2; 2 * PAIRS as usize], bound);
        let mut any = Function::NOTHING;
        for pair in 0..PAIRS {
            let (a, b) = (diagrams.is(pair, &yes)?, diagrams.is(pair + PAIRS, &yes)?);
            let both = diagrams.and(a, b)?;
            any = or(&mut diagrams, any, both)?;
        }
        Ok((diagrams, any))
    };
    let (mut diagrams, any) = pairs(16_000).unwrap();
    let mut yes_everywhere = vec![0; 2 * PAIRS as usize];
    assert!(!diagrams.is_at(any, &yes_everywhere));
    for pair in 0..PAIRS as usize {
        yes_everywhere[pair] = 1;
        yes_everywhere[pair + PAIRS as usize] = 1;
        assert!(diagrams.is_at(any, &yes_everywhere));
        yes_everywhere[pair] = 0;
        assert!(!diagrams.is_at(any, &yes_everywhere));
        yes_everywhere[pair + PAIRS as usize] = 0;
    }
    let none = diagrams.not(any).unwrap();
    assert_eq!(diagrams.and(any, none), Ok(Function::NOTHING));
    assert!(pairs(100).is_err());
}
