//! Circuits over variables of finitely many values: what diagrams say of functions, where diagrams would be too large. A gate
//! joins others and asks nothing in any order, so there are never more gates than joins; whether a gate is true anywhere is
//! asked of a SAT solver (Tseitin, "On the complexity of derivation in propositional calculus", 1968). In: literals, and
//! functions to join. Out: functions, of which `Function::NOTHING` is the only one that is true nowhere, and points.

mod solver;

use super::diagram::{Asked, Function, TooLarge};
use crate::classes::ClassSet;
use crate::limits;
use solver::Solver;
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, TooLarge>;

/// A gate. None of them is true everywhere or nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    /// A variable is in one of these classes.
    Is(u32, ClassSet),
    /// Two functions are both true.
    And(Function, Function),
    /// A function is not true.
    Not(Function),
}

/// The number of the first gate: those before it are the constants.
const FIRST: u32 = 2;

/// Functions that share their gates.
#[derive(Debug)]
pub struct Circuits {
    /// The values of each variable, by number.
    counts: Vec<u32>,
    gates: Vec<Gate>,
    known: BTreeMap<Gate, Function>,
    solver: Solver,
}

impl Circuits {
    /// No functions but the constant ones.
    pub fn new(counts: Vec<u32>) -> Circuits {
        Circuits {
            solver: Solver::new(limits::SAT_CONFLICTS),
            counts,
            gates: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    fn gate(&self, of: Function) -> Option<&Gate> {
        self.gates.get(of.number().checked_sub(FIRST)? as usize)
    }

    fn make(&mut self, gate: Gate) -> Result<Function> {
        if let Some(known) = self.known.get(&gate) {
            return Ok(*known);
        }
        if self.gates.len() >= limits::CIRCUIT_GATES {
            return Err(TooLarge);
        }
        let number = u32::try_from(self.gates.len()).map_err(|_| TooLarge)?;
        let made = Function::numbered(number.saturating_add(FIRST));
        self.gates.push(gate.clone());
        self.known.insert(gate, made);
        Ok(made)
    }

    /// The values of a variable.
    pub fn count(&self, variable: u32) -> u32 {
        self.counts.get(variable as usize).copied().unwrap_or(0)
    }

    /// How many gates there are.
    pub fn gates(&self) -> usize {
        self.gates.len()
    }

    /// True where a variable is in one of these classes.
    pub fn is(&mut self, variable: u32, classes: &ClassSet) -> Result<Function> {
        let count = *self.counts.get(variable as usize).ok_or(TooLarge)?;
        let inside = (0..count).filter(|class| classes.contains(*class)).count();
        match inside {
            0 => Ok(Function::NOTHING),
            all if all == count as usize => Ok(Function::EVERYTHING),
            _ => self.make(Gate::Is(variable, classes.clone())),
        }
    }

    /// True where the function is not.
    pub fn not(&mut self, of: Function) -> Result<Function> {
        match of {
            Function::NOTHING => Ok(Function::EVERYTHING),
            Function::EVERYTHING => Ok(Function::NOTHING),
            _ => match self.gate(of) {
                Some(Gate::Not(inner)) => Ok(*inner),
                _ => self.make(Gate::Not(of)),
            },
        }
    }

    /// True where both are.
    pub fn and(&mut self, a: Function, b: Function) -> Result<Function> {
        match (a, b) {
            (Function::NOTHING, _) | (_, Function::NOTHING) => return Ok(Function::NOTHING),
            (Function::EVERYTHING, other) | (other, Function::EVERYTHING) => return Ok(other),
            _ if a == b => return Ok(a),
            _ => {}
        }
        let gate = Gate::And(a.min(b), a.max(b));
        if let Some(known) = self.known.get(&gate) {
            return Ok(*known);
        }
        if self.not(a)? == b || !self.solver.meet((&self.counts, &self.gates), &[a, b])? {
            self.known.insert(gate, Function::NOTHING);
            return Ok(Function::NOTHING);
        }
        self.make(gate)
    }

    /// A function where a variable has one value, as a function of the other variables.
    pub fn at(&mut self, of: Function, variable: u32, class: u32) -> Result<Function> {
        self.fixed(of, (variable, class))
    }

    fn fixed(&mut self, of: Function, (variable, class): (u32, u32)) -> Result<Function> {
        let mut done = BTreeMap::from([
            (Function::NOTHING, Function::NOTHING),
            (Function::EVERYTHING, Function::EVERYTHING),
        ]);
        let inner = |done: &BTreeMap<_, _>, of: Function| done.get(&of).copied().unwrap_or(of);
        for number in cone(&self.gates, of, &|_| false) {
            let here = Function::numbered(number);
            let made = match self.gate(here).cloned() {
                Some(Gate::Is(asked, classes)) if asked == variable => match classes.contains(class) {
                    true => Function::EVERYTHING,
                    false => Function::NOTHING,
                },
                Some(Gate::Is(..)) | None => here,
                Some(Gate::Not(of)) => self.not(inner(&done, of))?,
                Some(Gate::And(a, b)) => self.and(inner(&done, a), inner(&done, b))?,
            };
            done.insert(here, made);
        }
        Ok(inner(&done, of))
    }

    /// A value of each variable at which a function is true; none where it is true nowhere.
    pub fn point(&self, of: Function) -> Result<Option<Vec<u32>>> {
        match of {
            Function::NOTHING => return Ok(None),
            Function::EVERYTHING => return Ok(Some(self.whole(&[]))),
            _ => {}
        }
        let mut solver = Solver::new(limits::SAT_CONFLICTS);
        let model = solver.model((&self.counts, &self.gates), of)?;
        Ok(model.map(|model| self.whole(&model)))
    }

    /// A value of each variable, that of a model where it says one.
    fn whole(&self, model: &[(u32, u32)]) -> Vec<u32> {
        let mut point = vec![0; self.counts.len()];
        for (variable, class) in model {
            if let Some(at) = point.get_mut(*variable as usize) {
                *at = *class;
            }
        }
        point
    }

    /// Whether a function is true at a point.
    pub fn is_at(&self, of: Function, point: &[u32]) -> bool {
        let mut told = BTreeMap::from([(Function::NOTHING, false), (Function::EVERYTHING, true)]);
        let is = |told: &BTreeMap<_, _>, of: &Function| told.get(of).copied().unwrap_or(false);
        for number in cone(&self.gates, of, &|_| false) {
            let here = Function::numbered(number);
            let value = match self.gate(here) {
                None => false,
                Some(Gate::Is(variable, classes)) => {
                    let class = point.get(*variable as usize);
                    class.is_some_and(|class| classes.contains(*class))
                }
                Some(Gate::Not(inner)) => !is(&told, inner),
                Some(Gate::And(a, b)) => is(&told, a) && is(&told, b),
            };
            told.insert(here, value);
        }
        is(&told, &of)
    }

    /// Shows where a function is true until `see` says that it has seen enough: values that make it true, whatever the others
    /// are. What is shown is at a point that is in nothing shown before, and all of it together is the function.
    pub fn paths(&self, of: Function, see: &mut dyn FnMut(&[Asked]) -> bool) -> bool {
        match of {
            Function::NOTHING => return false,
            Function::EVERYTHING => return see(&[]),
            _ => {}
        }
        let here = (self.counts.as_slice(), self.gates.as_slice());
        let (mut inside, mut outside) = (
            Solver::new(limits::SAT_CONFLICTS),
            Solver::new(limits::SAT_CONFLICTS),
        );
        while let Ok(Some(model)) = inside.model(here, of) {
            let Ok(kept) = outside.enough(here, of, model) else {
                return false;
            };
            let asked: Vec<Asked> = kept
                .iter()
                .map(|(variable, class)| self.asked(*variable, *class))
                .collect();
            if see(&asked) {
                return true;
            }
            if inside.exclude(here, &kept).is_err() {
                return false;
            }
        }
        false
    }

    fn asked(&self, variable: u32, class: u32) -> Asked {
        let mut classes = ClassSet::empty(self.count(variable));
        classes.insert(class);
        (variable, classes)
    }
}

/// The gates that a function rests on and its own, by number: each after those it joins. What is behind a gate that is known is
/// left out, and so is that gate.
fn cone(gates: &[Gate], of: Function, is_known: &dyn Fn(u32) -> bool) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut open = vec![of];
    while let Some(of) = open.pop() {
        let number = of.number();
        if number < FIRST || is_known(number) || !found.insert(number) {
            continue;
        }
        match gates.get((number - FIRST) as usize) {
            Some(Gate::And(a, b)) => open.extend([*a, *b]),
            Some(Gate::Not(inner)) => open.push(*inner),
            Some(Gate::Is(..)) | None => {}
        }
    }
    found
}
