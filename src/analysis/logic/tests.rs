//! Diagrams and circuits against an independent implementation of binary decision diagrams (biodivine-lib-bdd): the same joins,
//! over more points than a table could list, say the same.

use super::*;
use biodivine_lib_bdd::{Bdd, BddValuation, BddVariable, BddVariableSet, BddVariableSetBuilder};
use proptest::prelude::*;

const COUNTS: [u32; 10] = [2, 3, 5, 2, 7, 4, 2, 3, 2, 6];
/// The bits that a variable of up to eight values takes.
const BITS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    Is(usize, u32),
    Not(usize),
    And(usize, usize),
    Or(usize, usize),
    Without(usize, usize),
    At(usize, usize, u32),
}

fn op() -> impl Strategy<Value = Op> {
    let one = || 0..999usize;
    prop_oneof![
        4 => (0..COUNTS.len(), 1u32..255).prop_map(|(v, m)| Op::Is(v, m)),
        1 => one().prop_map(Op::Not),
        3 => (one(), one()).prop_map(|(a, b)| Op::And(a, b)),
        3 => (one(), one()).prop_map(|(a, b)| Op::Or(a, b)),
        2 => (one(), one()).prop_map(|(a, b)| Op::Without(a, b)),
        1 => (one(), 0..COUNTS.len(), 0..8u32).prop_map(|(a, v, c)| Op::At(a, v, c)),
    ]
}

/// The same variables in bits.
struct Other {
    set: BddVariableSet,
    bits: Vec<BddVariable>,
    /// Where each variable has one of its values.
    domain: Bdd,
}

impl Other {
    fn new() -> Other {
        let mut builder = BddVariableSetBuilder::new();
        let name = |bit: usize| format!("v{}b{}", bit / BITS, bit % BITS);
        let bits = (0..COUNTS.len() * BITS)
            .map(|bit| builder.make_variable(&name(bit)))
            .collect();
        let set = builder.build();
        let mut other = Other {
            domain: set.mk_true(),
            set,
            bits,
        };
        for variable in 0..COUNTS.len() {
            let all = other.is(variable, &|_| true);
            other.domain = other.domain.and(&all);
        }
        other
    }

    fn has(&self, variable: usize, class: u32) -> Bdd {
        let bit = |bit: usize| {
            self.set
                .mk_literal(self.bits[variable * BITS + bit], class >> bit & 1 == 1)
        };
        (0..BITS)
            .map(bit)
            .fold(self.set.mk_true(), |all, one| all.and(&one))
    }

    fn is(&self, variable: usize, classes: &dyn Fn(u32) -> bool) -> Bdd {
        let those = (0..COUNTS[variable]).filter(|class| classes(*class));
        those.fold(self.set.mk_false(), |all, class| {
            all.or(&self.has(variable, class))
        })
    }

    fn at(&self, of: &Bdd, variable: usize, class: u32) -> Bdd {
        let bits: Vec<BddVariable> = (0..BITS).map(|bit| self.bits[variable * BITS + bit]).collect();
        of.and(&self.has(variable, class)).exists(&bits)
    }

    fn is_at(&self, of: &Bdd, point: &[u32]) -> bool {
        let mut values = vec![false; self.bits.len()];
        for (variable, class) in point.iter().enumerate() {
            for bit in 0..BITS {
                values[variable * BITS + bit] = class >> bit & 1 == 1;
            }
        }
        of.eval_in(&BddValuation::new(values))
    }

    /// Whether two functions say the same of every point there is.
    fn same(&self, a: &Bdd, b: &Bdd) -> bool {
        a.xor(b).and(&self.domain).is_false()
    }
}

fn applied(logic: &mut Logic, op: &Op, made: &[Function]) -> Function {
    let at = |i: usize| made[i % made.len()];
    match op {
        Op::Is(variable, mask) => {
            let mut classes = ClassSet::empty(COUNTS[*variable]);
            let those = (0..COUNTS[*variable]).filter(|class| mask >> class & 1 == 1);
            those.for_each(|class| classes.insert(class));
            logic.is(*variable as u32, &classes)
        }
        Op::Not(a) => logic.not(at(*a)),
        Op::And(a, b) => logic.and(at(*a), at(*b)),
        Op::Or(a, b) => logic.or(at(*a), at(*b)),
        Op::Without(a, b) => logic.without(at(*a), at(*b)),
        Op::At(a, variable, class) => logic.at(at(*a), *variable as u32, class % COUNTS[*variable]),
    }
    .unwrap()
}

fn elsewhere(other: &Other, op: &Op, made: &[Bdd]) -> Bdd {
    let at = |i: usize| &made[i % made.len()];
    match op {
        Op::Is(variable, mask) => other.is(*variable, &|class| mask >> class & 1 == 1),
        Op::Not(a) => at(*a).not(),
        Op::And(a, b) => at(*a).and(at(*b)),
        Op::Or(a, b) => at(*a).or(at(*b)),
        Op::Without(a, b) => at(*a).and_not(at(*b)),
        Op::At(a, variable, class) => other.at(at(*a), *variable, class % COUNTS[*variable]),
    }
}

/// Paths and points of a function are in it, and all paths together are it.
fn told_whole(logic: &Logic, of: Function, other: &Other, expected: &Bdd) {
    let mut left = expected.and(&other.domain);
    let mut paths = 0;
    let enough = logic.paths(of, &mut |path| {
        let here = path
            .iter()
            .fold(other.domain.clone(), |all, (variable, classes)| {
                all.and(&other.is(*variable as usize, &|class| classes.contains(class)))
            });
        assert!(here.and_not(expected).is_false(), "a path is not in its function");
        left = left.and_not(&here);
        paths += 1;
        paths == 200
    });
    assert!(enough || left.is_false(), "the paths are not the whole function");
    match logic.point(of).unwrap() {
        Some(point) => assert!(other.is_at(expected, &point) && logic.is_at(of, &point)),
        None => assert_eq!(of, Function::NOTHING),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn both_say_what_another_implementation_says(
        ops in prop::collection::vec(op(), 10..60),
        points in prop::collection::vec(prop::collection::vec(0..8u32, COUNTS.len()), 8),
    ) {
        let other = Other::new();
        let mut both = [
            Logic::Diagrams(Box::new(crate::analysis::diagram::Diagrams::new(COUNTS.to_vec(), 1_000_000))),
            Logic::Circuits(Box::new(Circuits::new(COUNTS.to_vec()))),
        ];
        let mut made = [vec![Function::NOTHING, Function::EVERYTHING], vec![Function::NOTHING, Function::EVERYTHING]];
        let mut expected = vec![other.set.mk_false(), other.set.mk_true()];
        for op in &ops {
            let next = elsewhere(&other, op, &expected);
            for (logic, made) in both.iter_mut().zip(&mut made) {
                let function = applied(logic, op, made);
                prop_assert_eq!(function == Function::NOTHING, other.same(&next, &expected[0]));
                prop_assert_eq!(function == Function::EVERYTHING, other.same(&next, &expected[1]));
                for point in &points {
                    let point: Vec<u32> = point.iter().zip(COUNTS).map(|(class, count)| class % count).collect();
                    prop_assert_eq!(logic.is_at(function, &point), other.is_at(&next, &point));
                }
                made.push(function);
            }
            // Equal functions are one node of a diagram.
            let diagram = &made[0];
            for (before, known) in diagram.iter().zip(&expected) {
                prop_assert_eq!(*before == diagram[expected.len()], other.same(known, &next));
            }
            expected.push(next);
        }
        for (logic, made) in both.iter().zip(&made) {
            for (function, expected) in made.iter().zip(&expected).rev().take(6) {
                told_whole(logic, *function, &other, expected);
            }
        }
    }
}

/// Random clauses of three literals over 60 variables: more than diagrams hold, little for circuits.
#[test]
fn circuits_tell_what_diagrams_cannot_hold() {
    let mut yes = ClassSet::empty(2);
    yes.insert(1);
    let mut seed = 7u64;
    let mut draw = |most: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % most
    };
    let clauses: Vec<[(u32, bool); 3]> = (0..170)
        .map(|_| std::array::from_fn(|_| (draw(60) as u32, draw(2) == 1)))
        .collect();
    let all = |logic: &mut Logic| {
        clauses.iter().try_fold(Function::EVERYTHING, |all, clause| {
            let mut any = Function::NOTHING;
            for (variable, is) in clause {
                let has = logic.is(*variable, &yes)?;
                let literal = if *is { has } else { logic.not(has)? };
                any = logic.or(any, literal)?;
            }
            logic.and(all, any)
        })
    };
    let mut diagrams = Logic::Diagrams(Box::new(crate::analysis::diagram::Diagrams::new(
        vec![2; 60],
        30_000,
    )));
    assert_eq!(all(&mut diagrams), Err(TooLarge));
    let mut circuits = Logic::Circuits(Box::new(Circuits::new(vec![2; 60])));
    let function = all(&mut circuits).unwrap();
    let point = circuits.point(function).unwrap().unwrap();
    let holds = |(variable, is): &(u32, bool)| (point[*variable as usize] == 1) == *is;
    assert!(clauses.iter().all(|clause| clause.iter().any(holds)));
}
