//! Conditions as rows: disjunctive normal form over classes. A literal is "this variable's class is one of these";
//! what a quantifier's body says about outer variables is lifted out of it, so that every predicate speaks of one
//! element only.

use crate::classes::ClassSet;
use crate::hir::{Atom, Cond, Place, Step};
use crate::limits;
use std::collections::BTreeMap;

/// A variable or predicate of one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Literal {
    /// A variable, by number in its scope.
    Var(u32),
    /// A predicate: the number of the list in its scope, and of the predicate in the list.
    Any(u32, u32),
}

/// A conjunction within one scope.
pub(super) type Row = BTreeMap<Literal, ClassSet>;
/// A conjunction over the scopes in reach, by quantifier level.
type Conjunction = BTreeMap<(u32, Literal), ClassSet>;

/// More rows than `limits::ROWS_PER_RULE`.
#[derive(Debug)]
pub(super) struct TooManyRows;

/// The scopes of one tool and what is known of them while rows are made.
pub(super) trait Names {
    /// The scope of the elements of a list that lies in `scope`, and the list's number there.
    fn list(&self, scope: usize, steps: &[Step]) -> (usize, u32);
    /// The arguments as a list of one, where `scope` is theirs: its scope and number.
    fn itself(&self, scope: usize) -> Option<(usize, u32)>;
    /// The variable of an atom in `scope`, and the classes that answer yes.
    fn classes(&self, scope: usize, atom: &Atom) -> (u32, ClassSet);
    /// The number of the predicate with these rows in the list of elements `scope`.
    fn predicate(&mut self, scope: usize, rows: Vec<Row>) -> u32;
}

/// The rows of a condition over the arguments (scope 0).
pub(super) fn rows(cond: &Cond, names: &mut impl Names) -> Result<Vec<Row>, TooManyRows> {
    let mut chain = BTreeMap::from([(0, 0)]);
    let disjunction = normal(cond, Polarity::Holds, names, &mut chain)?;
    let mut rows: Vec<Row> = disjunction
        .into_iter()
        .map(|c| c.into_iter().map(|((_, l), s)| (l, s)).collect())
        .collect();
    absorb(&mut rows);
    Ok(rows)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Polarity {
    Holds,
    Fails,
}

impl Polarity {
    fn flipped(self) -> Self {
        match self {
            Polarity::Holds => Polarity::Fails,
            Polarity::Fails => Polarity::Holds,
        }
    }
}

/// From quantifier level to scope.
type Chain = BTreeMap<u32, usize>;

fn normal(
    cond: &Cond,
    polarity: Polarity,
    names: &mut impl Names,
    chain: &mut Chain,
) -> Result<Vec<Conjunction>, TooManyRows> {
    match (cond, polarity) {
        (Cond::Const(b), _) if *b == (polarity == Polarity::Holds) => Ok(vec![Conjunction::new()]),
        // A comparison between values has become a slot.
        (Cond::Const(_) | Cond::Relation(_), _) => Ok(Vec::new()),
        (Cond::Not(inner), _) => normal(inner, polarity.flipped(), names, chain),
        (Cond::And(parts), Polarity::Holds) | (Cond::Or(parts), Polarity::Fails) => {
            let mut all = vec![Conjunction::new()];
            for part in parts {
                let mut rows = normal(part, polarity, names, chain)?;
                if all.len() * rows.len() > MULTIPLIED_ROWS {
                    rows = apart(rows, names, chain);
                }
                all = product(&all, &rows)?;
            }
            Ok(all)
        }
        (Cond::Or(parts), Polarity::Holds) | (Cond::And(parts), Polarity::Fails) => {
            let mut any = Vec::new();
            let mut bound = Bound::new();
            for part in parts {
                any.extend(normal(part, polarity, names, chain)?);
                bound.check(&mut any)?;
            }
            Ok(any)
        }
        (Cond::Atom(atom), _) => Ok(literal(atom, polarity, names, chain).into_iter().collect()),
        (
            Cond::Any {
                list, level, body, ..
            },
            _,
        ) => any(list, *level, body, polarity, names, chain),
    }
}

/// Refuses too many rows. Simplifies first, but only when they have doubled since, so that the work stays quadratic.
struct Bound {
    simplify_at: usize,
}

impl Bound {
    const FIRST: usize = 128;

    fn new() -> Self {
        Self {
            simplify_at: Self::FIRST,
        }
    }

    fn check(&mut self, rows: &mut Vec<Conjunction>) -> Result<(), TooManyRows> {
        if rows.len() > self.simplify_at {
            absorb(rows);
            self.simplify_at = Self::FIRST.max(2 * rows.len());
            if rows.len() > limits::ROWS_PER_RULE {
                return Err(TooManyRows);
            }
        }
        Ok(())
    }
}

fn literal(atom: &Atom, polarity: Polarity, names: &mut impl Names, chain: &Chain) -> Option<Conjunction> {
    let scope = chain.get(&atom.place.level).copied().unwrap_or(0);
    let (variable, yes) = names.classes(scope, atom);
    let classes = if polarity == Polarity::Holds {
        yes
    } else {
        yes.complement()
    };
    one((atom.place.level, Literal::Var(variable)), classes)
}

/// Rows a conjunction of alternatives may multiply to before an alternative is asked apart.
const MULTIPLIED_ROWS: usize = 16;

/// Alternatives over the arguments as one literal: a predicate of the arguments as a list of one. Alternatives that
/// speak of quantified elements, or of such a predicate, stay as they are.
fn apart(rows: Vec<Conjunction>, names: &mut impl Names, chain: &Chain) -> Vec<Conjunction> {
    let Some((scope, number)) = chain.get(&0).and_then(|top| names.itself(*top)) else {
        return rows;
    };
    // What is apart already is no part of the arguments' own element, and would be lost there.
    let fits = |(level, literal): &(u32, Literal)| {
        *level == 0 && !matches!(literal, Literal::Any(list, _) if *list == number)
    };
    if rows.len() < 2 || !rows.iter().flat_map(BTreeMap::keys).all(fits) {
        return rows;
    }
    let mut inner: Vec<Row> = rows
        .into_iter()
        .map(|c| c.into_iter().map(|((_, l), s)| (l, s)).collect())
        .collect();
    absorb(&mut inner);
    let predicate = names.predicate(scope, inner);
    vec![Conjunction::from([(
        (0, Literal::Any(number, predicate)),
        truth(1),
    )])]
}

/// The conjunction of one literal; `None` when no class satisfies it.
fn one(key: (u32, Literal), classes: ClassSet) -> Option<Conjunction> {
    if classes.is_empty() {
        return None;
    }
    let trivial = classes.is_full();
    Some(if trivial {
        Conjunction::new()
    } else {
        Conjunction::from([(key, classes)])
    })
}

fn product(left: &[Conjunction], right: &[Conjunction]) -> Result<Vec<Conjunction>, TooManyRows> {
    let mut out = Vec::new();
    let mut bound = Bound::new();
    for a in left {
        for b in right {
            out.extend(both(a, b));
        }
        bound.check(&mut out)?;
    }
    if out.len() <= Bound::FIRST {
        absorb(&mut out);
    }
    Ok(out)
}

fn both(a: &Conjunction, b: &Conjunction) -> Option<Conjunction> {
    let mut out = a.clone();
    for (key, classes) in b {
        let joined = match out.get(key) {
            Some(own) => own.intersection(classes),
            None => classes.clone(),
        };
        if joined.is_empty() {
            return None;
        }
        out.insert(*key, joined);
    }
    Some(out)
}

/// `any x in list: (outer and inner) or …` becomes `outer and any x in list: inner …` for each distinct outer part.
fn any(
    list: &Place,
    level: u32,
    body: &Cond,
    polarity: Polarity,
    names: &mut impl Names,
    chain: &mut Chain,
) -> Result<Vec<Conjunction>, TooManyRows> {
    let outer_scope = chain.get(&list.level).copied().unwrap_or(0);
    let (scope, number) = names.list(outer_scope, &list.steps);
    chain.insert(level, scope);
    let body = normal(body, Polarity::Holds, names, chain);
    chain.remove(&level);
    let mut by_outer: BTreeMap<Conjunction, Vec<Row>> = BTreeMap::new();
    for conjunction in body? {
        let (inner, outer): (Vec<_>, Vec<_>) = conjunction.into_iter().partition(|((l, _), _)| *l == level);
        let inner = inner
            .into_iter()
            .map(|((_, literal), set)| (literal, set))
            .collect();
        by_outer
            .entry(outer.into_iter().collect())
            .or_default()
            .push(inner);
    }
    let mut lifted: Vec<(Conjunction, (u32, Literal))> = Vec::new();
    for (outer, mut rows) in by_outer {
        absorb(&mut rows);
        let predicate = names.predicate(scope, rows);
        lifted.push((outer, (list.level, Literal::Any(number, predicate))));
    }
    match polarity {
        Polarity::Holds => Ok(lifted
            .iter()
            .filter_map(|(outer, key)| with(outer, *key))
            .collect()),
        Polarity::Fails => {
            let mut all = vec![Conjunction::new()];
            for (outer, key) in &lifted {
                all = product(&all, &refuted(outer, *key))?;
            }
            Ok(all)
        }
    }
}

fn truth(class: u32) -> ClassSet {
    let mut set = ClassSet::empty(2);
    set.insert(class);
    set
}

fn with(outer: &Conjunction, key: (u32, Literal)) -> Option<Conjunction> {
    both(outer, &Conjunction::from([(key, truth(1))]))
}

/// The ways `outer and any …` can fail.
fn refuted(outer: &Conjunction, key: (u32, Literal)) -> Vec<Conjunction> {
    let fails = outer
        .iter()
        .filter_map(|(k, classes)| one(*k, classes.complement()));
    fails.chain([Conjunction::from([(key, truth(0))])]).collect()
}

/// Sorts conjunctions and drops those that another, weaker one covers.
fn absorb<K: Ord + Clone>(rows: &mut Vec<BTreeMap<K, ClassSet>>) {
    rows.sort();
    rows.dedup();
    let covered = |row: &BTreeMap<K, ClassSet>, by: &BTreeMap<K, ClassSet>| {
        by.len() <= row.len()
            && row != by
            && by
                .iter()
                .all(|(key, wide)| row.get(key).is_some_and(|own| own.intersection(wide) == *own))
    };
    let kept: Vec<_> = rows
        .iter()
        .filter(|row| !rows.iter().any(|other| covered(row, other)))
        .cloned()
        .collect();
    *rows = kept;
}
