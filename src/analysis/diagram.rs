//! Decision diagrams over variables of finitely many values: a node asks for one variable and has a child per value,
//! every path asks in the same order, equal nodes are one node. So two functions are equal exactly when their nodes
//! are. In: literals, and functions to join. Out: functions, and the paths on which they are true. Bryant, "Graph-based
//! algorithms for Boolean function manipulation", 1986, with values instead of bits.

mod sift;
mod table;

use crate::classes::ClassSet;
use crate::limits;
use std::collections::BTreeMap;
use table::{Answers, Table};

/// A function of the variables, by its node, or by its gate in a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function(u32);

impl Function {
    /// True nowhere.
    pub const NOTHING: Function = Function(0);
    /// True everywhere.
    pub const EVERYTHING: Function = Function(1);

    /// By its number: 0 and 1 are the constants.
    pub(super) fn numbered(number: u32) -> Function {
        Function(number)
    }

    /// Its number.
    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// What functions are made of has passed its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// What a path asks of one variable: it is in one of these classes.
pub type Asked = (u32, ClassSet);

type Result<T> = std::result::Result<T, TooLarge>;

#[derive(Clone, Debug)]
struct Node {
    variable: u32,
    /// By the values of the variable; none where the node is free.
    children: Box<[Function]>,
    /// Whether somebody outside may hold it.
    held: bool,
}

impl Node {
    fn hash(&self) -> u64 {
        key(self.variable, &self.children)
    }
}

fn key(variable: u32, children: &[Function]) -> u64 {
    table::hash(std::iter::once(variable).chain(children.iter().map(|child| child.0)))
}

/// Diagrams that share their nodes.
#[derive(Debug)]
pub struct Diagrams {
    /// The values of each variable, by number.
    counts: Vec<u32>,
    /// The variables in the order in which they are asked, and the place of each in it.
    order: Vec<u32>,
    levels: Vec<u32>,
    nodes: Vec<Node>,
    /// Nodes that are free.
    unused: Vec<u32>,
    known: Table,
    /// The nodes of conjunctions asked for before.
    joined: Answers,
    negated: Answers,
    edges: usize,
    /// Edges that there may be.
    bound: usize,
    /// Edges from which on another order is looked for.
    many: usize,
}

impl Diagrams {
    /// No functions but the constant ones. `bound` is how many edges all of them may have together.
    pub fn new(counts: Vec<u32>, bound: usize) -> Diagrams {
        let terminal = || Node {
            variable: u32::MAX,
            children: Box::new([]),
            held: true,
        };
        let order: Vec<u32> = (0u32..).zip(&counts).map(|(number, _)| number).collect();
        Diagrams {
            counts,
            levels: order.clone(),
            order,
            nodes: vec![terminal(), terminal()],
            unused: Vec::new(),
            known: Table::default(),
            joined: Answers::default(),
            negated: Answers::default(),
            edges: 0,
            bound,
            // Soon enough for what another order makes smaller to stay small.
            many: (bound / 4).min(limits::SIFT_EDGES),
        }
    }

    fn node(&self, of: Function) -> Option<&Node> {
        self.nodes.get(of.0 as usize)
    }

    /// The place of the variable that a function asks first; beyond every variable for a constant.
    fn first(&self, of: Function) -> u32 {
        let node = self.node(of).filter(|node| !node.children.is_empty());
        node.map_or(u32::MAX, |node| self.level(node.variable))
    }

    fn level(&self, variable: u32) -> u32 {
        self.levels.get(variable as usize).copied().unwrap_or(u32::MAX)
    }

    fn variable_at(&self, level: u32) -> u32 {
        self.order.get(level as usize).copied().unwrap_or(u32::MAX)
    }

    /// Does something, again where that takes another order of the variables. What comes out is held.
    fn attempt(&mut self, act: &mut dyn FnMut(&mut Diagrams) -> Result<Function>) -> Result<Function> {
        let made = match act(self) {
            Err(TooLarge) => {
                self.sift();
                let many = std::mem::replace(&mut self.many, self.bound);
                let made = act(self);
                self.many = self.edges.saturating_mul(2).max(many).min(self.bound);
                made?
            }
            Ok(made) => made,
        };
        if let Some(node) = self.nodes.get_mut(made.0 as usize) {
            node.held = true;
        }
        Ok(made)
    }

    fn make(&mut self, variable: u32, children: Vec<Function>) -> Result<Function> {
        if let Some(first) = children.first()
            && children.iter().all(|child| child == first)
        {
            return Ok(*first);
        }
        let hash = key(variable, &children);
        let is_it = |number: u32| {
            let node = self.nodes.get(number as usize);
            node.is_some_and(|node| node.variable == variable && *node.children == *children)
        };
        if let Some(known) = self.known.find(hash, is_it) {
            return Ok(Function(known));
        }
        let edges = self.edges.saturating_add(children.len());
        if edges > self.many || self.nodes.len() >= u32::MAX as usize {
            return Err(TooLarge);
        }
        self.edges = edges;
        let made = self.add(Node {
            variable,
            children: children.into(),
            held: false,
        });
        self.known.insert(hash, made);
        Ok(Function(made))
    }

    /// Puts a node where one is free.
    fn add(&mut self, node: Node) -> u32 {
        if let Some(number) = self.unused.pop()
            && let Some(free) = self.nodes.get_mut(number as usize)
        {
            *free = node;
            return number;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len().saturating_sub(1)).unwrap_or(u32::MAX)
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
        self.attempt(&mut |diagrams| diagrams.make(variable, (0..count).map(child).collect()))
    }

    /// True where the function is not.
    pub fn not(&mut self, of: Function) -> Result<Function> {
        self.attempt(&mut |diagrams| diagrams.negation(of))
    }

    fn negation(&mut self, of: Function) -> Result<Function> {
        match of {
            Function::NOTHING => return Ok(Function::EVERYTHING),
            Function::EVERYTHING => return Ok(Function::NOTHING),
            _ => {}
        }
        if let Some(known) = self.negated.get(of.0, 0) {
            return Ok(Function(known));
        }
        let (variable, children) = self.parts(of, self.first(of));
        let children = children.into_iter().map(|child| self.negation(child));
        let children = children.collect::<Result<_>>()?;
        let made = self.make(variable, children)?;
        self.negated.insert(of.0, 0, made.0);
        if self.negated.get(made.0, 0).is_none() {
            self.negated.insert(made.0, 0, of.0);
        }
        Ok(made)
    }

    /// True where both are.
    pub fn and(&mut self, a: Function, b: Function) -> Result<Function> {
        self.attempt(&mut |diagrams| diagrams.conjunction(a, b))
    }

    fn conjunction(&mut self, a: Function, b: Function) -> Result<Function> {
        match (a, b) {
            (Function::NOTHING, _) | (_, Function::NOTHING) => return Ok(Function::NOTHING),
            (Function::EVERYTHING, other) | (other, Function::EVERYTHING) => return Ok(other),
            _ if a == b => return Ok(a),
            _ => {}
        }
        let (a, b) = (a.min(b), a.max(b));
        if let Some(known) = self.joined.get(a.0, b.0) {
            return Ok(Function(known));
        }
        let level = self.first(a).min(self.first(b));
        let (variable, left) = self.parts(a, level);
        let (_, right) = self.parts(b, level);
        let children = left.into_iter().zip(right).map(|(a, b)| self.conjunction(a, b));
        let children = children.collect::<Result<_>>()?;
        let made = self.make(variable, children)?;
        self.joined.insert(a.0, b.0, made.0);
        Ok(made)
    }

    /// A function where a variable has one value, as a function of the other variables.
    pub fn at(&mut self, of: Function, variable: u32, class: u32) -> Result<Function> {
        self.attempt(&mut |diagrams| diagrams.fixed(of, (variable, class), &mut BTreeMap::new()))
    }

    fn fixed(
        &mut self,
        of: Function,
        at: (u32, u32),
        known: &mut BTreeMap<Function, Function>,
    ) -> Result<Function> {
        let level = self.level(at.0);
        let Some(node) = self.node(of).filter(|_| self.first(of) <= level) else {
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

    /// A function as asked at a place in the order: the variable there, and its child per value, itself for each where it does
    /// not ask.
    fn parts(&self, of: Function, level: u32) -> (u32, Vec<Function>) {
        let variable = self.variable_at(level);
        match self.node(of) {
            Some(node) if node.variable == variable => (variable, node.children.to_vec()),
            _ => (variable, vec![of; self.count(variable) as usize]),
        }
    }

    /// How many edges there are.
    pub fn edges(&self) -> usize {
        self.edges
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
mod tests;
