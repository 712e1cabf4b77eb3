//! Another order of the variables, in which the same functions need fewer edges: each variable is moved through all places,
//! by swapping it with its neighbour, and left where it was best. Every function keeps its number. In: diagrams. Out: the
//! same, smaller or as they were. Rudell, "Dynamic variable ordering for ordered binary decision diagrams", 1993, with
//! values instead of bits.

use super::{Diagrams, Function, Node};
use crate::limits;
use std::collections::BTreeMap;

/// What is known of the nodes while variables move.
struct Sifting<'d> {
    diagrams: &'d mut Diagrams,
    /// How often each node is a child, or held by somebody.
    uses: Vec<u32>,
    /// The nodes of each variable.
    nodes: Vec<Vec<u32>>,
    edges: usize,
    /// Nodes that may still be rewritten.
    left: usize,
}

impl Diagrams {
    /// Drops what nobody holds and looks for an order with fewer edges.
    pub(super) fn sift(&mut self) {
        self.collect();
        let mut sifting = Sifting::new(self);
        sifting.run();
        self.index();
    }

    /// Frees the nodes that no function in use leads to.
    fn collect(&mut self) {
        let mut used = vec![false; self.nodes.len()];
        let held = (0u32..).zip(&self.nodes).filter(|(_, node)| node.held);
        let mut open: Vec<u32> = held.map(|(number, _)| number).collect();
        while let Some(number) = open.pop() {
            if let Some(seen) = used.get_mut(number as usize)
                && !std::mem::replace(seen, true)
                && let Some(node) = self.nodes.get(number as usize)
            {
                open.extend(node.children.iter().map(|child| child.0));
            }
        }
        for (number, is_used) in used.into_iter().enumerate().skip(2) {
            if !is_used {
                self.free(number);
            }
        }
    }

    /// Makes a node free, if it is not.
    fn free(&mut self, number: usize) {
        if let Some(node) = self.nodes.get_mut(number)
            && !node.children.is_empty()
        {
            node.children = Box::new([]);
            self.unused.extend(u32::try_from(number));
        }
    }

    /// Finds nodes again after they have changed.
    fn index(&mut self) {
        self.known.clear();
        self.joined.clear();
        self.negated.clear();
        let mut edges = 0;
        for (number, node) in (0u32..).zip(&self.nodes) {
            if !node.children.is_empty() {
                self.known.insert(node.hash(), number);
                edges += node.children.len();
            }
        }
        self.edges = edges;
    }
}

impl<'d> Sifting<'d> {
    fn new(diagrams: &'d mut Diagrams) -> Sifting<'d> {
        let mut uses = vec![0u32; diagrams.nodes.len()];
        let mut nodes = vec![Vec::new(); diagrams.counts.len()];
        let mut edges = 0;
        for (number, node) in (0u32..).zip(&diagrams.nodes) {
            let held = u32::from(node.held);
            for of in node
                .children
                .iter()
                .map(|child| child.0)
                .chain((held > 0).then_some(number))
            {
                if let Some(uses) = uses.get_mut(of as usize) {
                    *uses += 1;
                }
            }
            if !node.children.is_empty()
                && let Some(of) = nodes.get_mut(node.variable as usize)
            {
                of.push(number);
                edges += node.children.len();
            }
        }
        Sifting {
            diagrams,
            uses,
            nodes,
            edges,
            left: limits::SIFTED_NODES,
        }
    }

    /// Moves every variable, again while that helps much.
    fn run(&mut self) {
        loop {
            let before = self.edges;
            self.pass();
            // Less than a twentieth is not worth going on.
            if self.left == 0 || self.edges.saturating_add(before / 20) >= before {
                return;
            }
        }
    }

    /// Moves the variables with the most nodes first.
    fn pass(&mut self) {
        let mut variables: Vec<(usize, usize)> = (self.nodes.iter().map(Vec::len)).zip(0..).collect();
        variables.sort_by_key(|(nodes, variable)| (std::cmp::Reverse(*nodes), *variable));
        for (_, variable) in variables.into_iter().filter(|(nodes, _)| *nodes > 0) {
            if self.left == 0 {
                return;
            }
            self.place(variable);
        }
    }

    fn level(&self, variable: usize) -> usize {
        self.diagrams
            .levels
            .get(variable)
            .map_or(0, |level| *level as usize)
    }

    /// Moves a variable to the best of all places: down, up, and back to where it was best.
    fn place(&mut self, variable: usize) {
        let last = self.diagrams.counts.len().saturating_sub(1);
        let (mut best, mut at) = (self.edges, self.level(variable));
        let most = best.saturating_mul(2);
        for down in [true, false] {
            while self.left > 0 && self.edges <= most {
                let level = self.level(variable);
                if down && level < last {
                    self.swap(level);
                } else if !down && level > 0 {
                    self.swap(level - 1);
                } else {
                    break;
                }
                if self.edges < best {
                    (best, at) = (self.edges, self.level(variable));
                }
            }
        }
        while self.level(variable) < at {
            self.swap(self.level(variable));
        }
        while self.level(variable) > at {
            self.swap(self.level(variable) - 1);
        }
    }

    /// Swaps the variables of a level and the next one.
    fn swap(&mut self, level: usize) {
        let order = &mut self.diagrams.order;
        let (Some(upper), Some(lower)) = (order.get(level).copied(), order.get(level + 1).copied()) else {
            return;
        };
        order.swap(level, level + 1);
        for (variable, level) in [(upper, level + 1), (lower, level)] {
            if let Some(of) = self.diagrams.levels.get_mut(variable as usize) {
                *of = u32::try_from(level).unwrap_or(u32::MAX);
            }
        }
        let taken = self.nodes.get_mut(upper as usize).map(std::mem::take);
        let (moved, kept): (Vec<u32>, Vec<u32>) = taken
            .unwrap_or_default()
            .into_iter()
            .filter(|number| self.is_of(*number, upper))
            .partition(|number| {
                self.children(*number)
                    .iter()
                    .any(|child| self.asks(*child, lower))
            });
        self.left = self.left.saturating_sub(moved.len() + 1);
        let mut known: BTreeMap<Vec<Function>, Function> = BTreeMap::new();
        for number in &kept {
            known.insert(self.children(*number), Function(*number));
        }
        if let Some(of) = self.nodes.get_mut(upper as usize) {
            *of = kept;
        }
        for number in moved {
            self.turn(number, (upper, lower), &mut known);
        }
    }

    fn children(&self, number: u32) -> Vec<Function> {
        let node = self.diagrams.nodes.get(number as usize);
        node.map(|node| node.children.to_vec()).unwrap_or_default()
    }

    fn is_of(&self, number: u32, variable: u32) -> bool {
        let node = self.diagrams.nodes.get(number as usize);
        node.is_some_and(|node| node.variable == variable && !node.children.is_empty())
    }

    fn asks(&self, of: Function, variable: u32) -> bool {
        self.diagrams
            .node(of)
            .is_some_and(|node| node.variable == variable)
    }

    /// Makes a node that asks the upper variable first ask the lower one first.
    fn turn(
        &mut self,
        number: u32,
        (upper, lower): (u32, u32),
        known: &mut BTreeMap<Vec<Function>, Function>,
    ) {
        let old = self.children(number);
        let mut children = Vec::new();
        for value in 0..self.diagrams.count(lower) as usize {
            let inner = old.iter().map(|child| match self.asks(*child, lower) {
                true => self
                    .children(child.0)
                    .get(value)
                    .copied()
                    .unwrap_or(Function::NOTHING),
                false => *child,
            });
            let inner: Vec<Function> = inner.collect();
            let child = self.make(upper, inner, known);
            self.hold(child);
            children.push(child);
        }
        self.edges = (self.edges + children.len()).saturating_sub(old.len());
        if let Some(node) = self.diagrams.nodes.get_mut(number as usize) {
            node.variable = lower;
            node.children = children.into();
        }
        if let Some(of) = self.nodes.get_mut(lower as usize) {
            of.push(number);
        }
        for child in old {
            self.release(child);
        }
    }

    fn make(
        &mut self,
        variable: u32,
        children: Vec<Function>,
        known: &mut BTreeMap<Vec<Function>, Function>,
    ) -> Function {
        if let Some(first) = children.first().copied()
            && children.iter().all(|child| *child == first)
        {
            return first;
        }
        if let Some(found) = known.get(&children) {
            return *found;
        }
        children.iter().for_each(|child| self.hold(*child));
        self.edges += children.len();
        let node = Node {
            variable,
            children: children.clone().into(),
            held: false,
        };
        let made = Function(self.diagrams.add(node));
        if self.uses.len() <= made.0 as usize {
            self.uses.resize(made.0 as usize + 1, 0);
        }
        if let Some(uses) = self.uses.get_mut(made.0 as usize) {
            *uses = 0;
        }
        if let Some(of) = self.nodes.get_mut(variable as usize) {
            of.push(made.0);
        }
        known.insert(children, made);
        made
    }

    fn hold(&mut self, of: Function) {
        if let Some(uses) = self.uses.get_mut(of.0 as usize) {
            *uses = uses.saturating_add(1);
        }
    }

    /// Takes a use of a node back; what nothing uses is freed, with what only it used.
    fn release(&mut self, of: Function) {
        let mut open = vec![of];
        while let Some(of) = open.pop() {
            let Some(uses) = self.uses.get_mut(of.0 as usize).filter(|_| of.0 > 1) else {
                continue;
            };
            *uses = uses.saturating_sub(1);
            if *uses == 0 {
                let children = self.children(of.0);
                self.edges = self.edges.saturating_sub(children.len());
                open.extend(children);
                self.diagrams.free(of.0 as usize);
            }
        }
    }
}
