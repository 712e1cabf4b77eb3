//! Decision diagrams over variables of finitely many values: a node asks for one variable and has a child per value,
//! every path asks in the same order, equal nodes are one node. So two functions are equal exactly when their nodes
//! are. In: literals, and functions to join. Out: functions, and the paths on which they are true. Bryant, "Graph-based
//! algorithms for Boolean function manipulation", 1986, with values instead of bits.

use crate::classes::ClassSet;
use std::collections::BTreeMap;

/// A function of the variables, by its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function(u32);

impl Function {
    /// True nowhere.
    pub const NOTHING: Function = Function(0);
    /// True everywhere.
    pub const EVERYTHING: Function = Function(1);
}

/// The diagrams have passed their bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// What a path asks of one variable: it is in one of these classes.
pub type Asked = (u32, ClassSet);

type Result<T> = std::result::Result<T, TooLarge>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    variable: u32,
    children: Box<[Function]>,
}

/// Diagrams that share their nodes.
#[derive(Debug)]
pub struct Diagrams {
    /// The values of each variable, by number; variables are asked in this order.
    counts: Vec<u32>,
    nodes: Vec<Node>,
    known: BTreeMap<Node, Function>,
    /// The nodes of conjunctions asked for before.
    joined: BTreeMap<(Function, Function), Function>,
    negated: BTreeMap<Function, Function>,
    /// Children that may still be made.
    left: usize,
}

impl Diagrams {
    /// No functions but the constant ones. `bound` is how many edges all of them may have together.
    pub fn new(counts: Vec<u32>, bound: usize) -> Diagrams {
        let terminal = || Node {
            variable: u32::MAX,
            children: Box::new([]),
        };
        Diagrams {
            counts,
            nodes: vec![terminal(), terminal()],
            known: BTreeMap::new(),
            joined: BTreeMap::new(),
            negated: BTreeMap::new(),
            left: bound,
        }
    }

    fn node(&self, of: Function) -> Option<&Node> {
        self.nodes.get(of.0 as usize)
    }

    /// The variable that a function asks first; beyond every variable for a constant.
    fn first(&self, of: Function) -> u32 {
        self.node(of).map_or(u32::MAX, |node| node.variable)
    }

    fn make(&mut self, variable: u32, children: Vec<Function>) -> Result<Function> {
        if let Some(first) = children.first()
            && children.iter().all(|child| child == first)
        {
            return Ok(*first);
        }
        let node = Node {
            variable,
            children: children.into(),
        };
        if let Some(known) = self.known.get(&node) {
            return Ok(*known);
        }
        self.left = self.left.checked_sub(node.children.len()).ok_or(TooLarge)?;
        let made = Function(u32::try_from(self.nodes.len()).map_err(|_| TooLarge)?);
        self.nodes.push(node.clone());
        self.known.insert(node, made);
        Ok(made)
    }

    /// The values of a variable.
    pub fn count(&self, variable: u32) -> u32 {
        self.counts.get(variable as usize).copied().unwrap_or(0)
    }

    /// True where a variable is in one of these classes.
    pub fn is(&mut self, variable: u32, classes: &ClassSet) -> Result<Function> {
        let count = *self.counts.get(variable as usize).ok_or(TooLarge)?;
        let child = |class| match classes.contains(class) {
            true => Function::EVERYTHING,
            false => Function::NOTHING,
        };
        self.make(variable, (0..count).map(child).collect())
    }

    /// True where the function is not.
    pub fn not(&mut self, of: Function) -> Result<Function> {
        match of {
            Function::NOTHING => return Ok(Function::EVERYTHING),
            Function::EVERYTHING => return Ok(Function::NOTHING),
            _ => {}
        }
        if let Some(known) = self.negated.get(&of) {
            return Ok(*known);
        }
        let (variable, children) = self.parts(of, self.first(of));
        let children = children.into_iter().map(|child| self.not(child));
        let children = children.collect::<Result<_>>()?;
        let made = self.make(variable, children)?;
        self.negated.insert(of, made);
        self.negated.insert(made, of);
        Ok(made)
    }

    /// True where both are.
    pub fn and(&mut self, a: Function, b: Function) -> Result<Function> {
        match (a, b) {
            (Function::NOTHING, _) | (_, Function::NOTHING) => return Ok(Function::NOTHING),
            (Function::EVERYTHING, other) | (other, Function::EVERYTHING) => return Ok(other),
            _ if a == b => return Ok(a),
            _ => {}
        }
        let key = (a.min(b), a.max(b));
        if let Some(known) = self.joined.get(&key) {
            return Ok(*known);
        }
        let variable = self.first(a).min(self.first(b));
        let (_, left) = self.parts(a, variable);
        let (_, right) = self.parts(b, variable);
        let children = left.into_iter().zip(right).map(|(a, b)| self.and(a, b));
        let children = children.collect::<Result<_>>()?;
        let made = self.make(variable, children)?;
        self.joined.insert(key, made);
        Ok(made)
    }

    /// True where one of them is.
    pub fn or(&mut self, a: Function, b: Function) -> Result<Function> {
        let (a, b) = (self.not(a)?, self.not(b)?);
        let neither = self.and(a, b)?;
        self.not(neither)
    }

    /// True where one of many is; nothing where there are none.
    pub fn any(&mut self, of: impl IntoIterator<Item = Function>) -> Result<Function> {
        of.into_iter()
            .try_fold(Function::NOTHING, |all, one| self.or(all, one))
    }

    /// True where the first is and the second is not.
    pub fn without(&mut self, a: Function, b: Function) -> Result<Function> {
        let other = self.not(b)?;
        self.and(a, other)
    }

    /// A function where a variable has one value, as a function of the other variables.
    pub fn at(&mut self, of: Function, variable: u32, class: u32) -> Result<Function> {
        self.fixed(of, (variable, class), &mut BTreeMap::new())
    }

    fn fixed(
        &mut self,
        of: Function,
        at: (u32, u32),
        known: &mut BTreeMap<Function, Function>,
    ) -> Result<Function> {
        let Some(node) = self.node(of).filter(|node| node.variable <= at.0) else {
            return Ok(of);
        };
        if node.variable == at.0 {
            return Ok(node
                .children
                .get(at.1 as usize)
                .copied()
                .unwrap_or(Function::NOTHING));
        }
        if let Some(found) = known.get(&of) {
            return Ok(*found);
        }
        let (variable, children) = (node.variable, node.children.to_vec());
        let children = children.into_iter().map(|child| self.fixed(child, at, known));
        let children = children.collect::<Result<_>>()?;
        let made = self.make(variable, children)?;
        known.insert(of, made);
        Ok(made)
    }

    /// A function as asked at a variable: its child per value, itself for each where it does not ask.
    fn parts(&self, of: Function, variable: u32) -> (u32, Vec<Function>) {
        match self.node(of) {
            Some(node) if node.variable == variable => (variable, node.children.to_vec()),
            _ => {
                let count = self.counts.get(variable as usize).copied().unwrap_or(0);
                (variable, vec![of; count as usize])
            }
        }
    }

    /// How many edges there are.
    pub fn edges(&self) -> usize {
        self.nodes.iter().map(|node| node.children.len()).sum()
    }

    /// A value of each variable at which a function is true; none where it is true nowhere.
    pub fn point(&self, of: Function) -> Option<Vec<u32>> {
        let mut point = vec![0; self.counts.len()];
        let mut at = of;
        while at != Function::EVERYTHING {
            let node = self.node(at).filter(|_| at != Function::NOTHING)?;
            let mut children = (0u32..).zip(&node.children);
            let (class, child) = children.find(|(_, child)| **child != Function::NOTHING)?;
            *point.get_mut(node.variable as usize)? = class;
            at = *child;
        }
        Some(point)
    }

    /// Whether a function is true at a point.
    pub fn is_at(&self, of: Function, point: &[u32]) -> bool {
        let mut at = of;
        while at != Function::EVERYTHING {
            let node = self.node(at).filter(|_| at != Function::NOTHING);
            let next = node.and_then(|node| {
                let class = point.get(node.variable as usize)?;
                node.children.get(*class as usize)
            });
            match next {
                Some(next) => at = *next,
                None => return false,
            }
        }
        true
    }

    /// Shows the paths on which a function is true, in the order of the variables and their classes, until `see` says
    /// that it has seen enough. A path names the variables it asks, each once, with all classes that lead the same way.
    pub fn paths(&self, of: Function, see: &mut dyn FnMut(&[Asked]) -> bool) -> bool {
        self.walk(of, &mut Vec::new(), see)
    }

    fn walk(&self, of: Function, path: &mut Vec<Asked>, see: &mut dyn FnMut(&[Asked]) -> bool) -> bool {
        match of {
            Function::NOTHING => return false,
            Function::EVERYTHING => return see(path),
            _ => {}
        }
        let Some(node) = self.node(of) else { return false };
        let mut ways: Vec<(Function, ClassSet)> = Vec::new();
        for (class, child) in (0u32..).zip(&node.children) {
            let count = u32::try_from(node.children.len()).unwrap_or(u32::MAX);
            let known = ways.iter().position(|(to, _)| to == child);
            let at = known.unwrap_or_else(|| {
                ways.push((*child, ClassSet::empty(count)));
                ways.len() - 1
            });
            if let Some((_, classes)) = ways.get_mut(at) {
                classes.insert(class);
            }
        }
        for (child, classes) in ways {
            path.push((node.variable, classes));
            let enough = self.walk(child, path, see);
            path.pop();
            if enough {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
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
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            (0..4usize, 0u32..16).prop_map(|(v, m)| Op::Is(v, m)),
            (0..99usize).prop_map(Op::Not),
            (0..99usize, 0..99usize).prop_map(|(a, b)| Op::And(a, b)),
            (0..99usize, 0..99usize).prop_map(|(a, b)| Op::Or(a, b)),
        ]
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
                        (diagrams.or(f, g).unwrap(), s.iter().zip(&t).map(|(x, y)| *x || *y).collect())
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
}
