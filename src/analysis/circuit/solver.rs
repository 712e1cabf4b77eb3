//! Gates as clauses, for a SAT solver. In: gates, and functions that shall be true together. Out: values of variables at which
//! they are, or that there are none. The work is counted in conflicts and bounded by them, so that it is the same everywhere.

use super::{FIRST, Function, Gate, Result, TooLarge, cone};
use crate::classes::ClassSet;
use batsat::callbacks::Callbacks;
use batsat::clause::Kind;
use batsat::{Lit, SolverInterface, lbool};
use std::collections::BTreeMap;

/// The values of each variable, and the gates over them.
pub(super) type Here<'c> = (&'c [u32], &'c [Gate]);

/// A variable and its value.
pub(super) type Value = (u32, u32);

/// The conflicts that are left.
struct Budget {
    left: u64,
}

impl Callbacks for Budget {
    fn on_new_clause(&mut self, _: &[Lit], kind: Kind) {
        if kind == Kind::Learnt {
            self.left = self.left.saturating_sub(1);
        }
    }

    fn stop(&self) -> bool {
        self.left == 0
    }
}

/// A solver that knows some of the gates.
pub(super) struct Solver {
    sat: batsat::Solver<Budget>,
    /// What says that a gate is true, by its number.
    gates: BTreeMap<u32, Lit>,
    /// What says that a variable has a value: one of them does.
    values: BTreeMap<u32, Vec<Lit>>,
}

impl std::fmt::Debug for Solver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Solver")
            .field("gates", &self.gates.len())
            .finish_non_exhaustive()
    }
}

impl Solver {
    /// One that knows nothing, and gives up after so many conflicts.
    pub fn new(conflicts: u64) -> Solver {
        Solver {
            sat: batsat::Solver::new(batsat::SolverOpts::default(), Budget { left: conflicts }),
            gates: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }

    /// Whether functions are true together anywhere.
    pub fn meet(&mut self, here: Here<'_>, of: &[Function]) -> Result<bool> {
        let assumed = of
            .iter()
            .map(|of| self.lit(here, *of))
            .collect::<Result<Vec<Lit>>>()?;
        self.solve(&assumed)
    }

    /// Values at which a function is true; none where there are none.
    pub fn model(&mut self, here: Here<'_>, of: Function) -> Result<Option<Vec<Value>>> {
        if !self.meet(here, &[of])? {
            return Ok(None);
        }
        let mut model = Vec::new();
        for (variable, values) in &self.values {
            let is_true = |value: &Lit| self.sat.value_lit(*value) == lbool::TRUE;
            let class = values
                .iter()
                .position(is_true)
                .and_then(|class| u32::try_from(class).ok());
            model.extend(class.map(|class| (*variable, class)));
        }
        Ok(Some(model))
    }

    /// Those of the values at which a function is true that make it so, whatever the others are.
    pub fn enough(&mut self, here: Here<'_>, of: Function, values: Vec<Value>) -> Result<Vec<Value>> {
        let not = !self.lit(here, of)?;
        let mut kept = Vec::new();
        for (variable, class) in values {
            let lit = self.variable(here.0, variable)?.get(class as usize).copied();
            kept.push(((variable, class), lit.ok_or(TooLarge)?));
        }
        let assumed = |kept: &[(Value, Lit)]| -> Vec<Lit> {
            std::iter::once(not)
                .chain(kept.iter().map(|(_, lit)| *lit))
                .collect()
        };
        if self.solve(&assumed(&kept))? {
            return Err(TooLarge);
        }
        kept.retain(|(_, lit)| self.sat.unsat_core_contains_var(lit.var()));
        let mut at = 0;
        while at < kept.len() {
            let mut fewer = kept.clone();
            fewer.remove(at);
            match self.solve(&assumed(&fewer))? {
                true => at += 1,
                false => kept = fewer,
            }
        }
        Ok(kept.into_iter().map(|(value, _)| value).collect())
    }

    /// From now on these values are not looked for together.
    pub fn exclude(&mut self, here: Here<'_>, values: &[Value]) -> Result<()> {
        let mut clause = Vec::new();
        for (variable, class) in values {
            let lit = self.variable(here.0, *variable)?.get(*class as usize).copied();
            clause.push(!lit.ok_or(TooLarge)?);
        }
        self.sat.add_clause_reuse(&mut clause);
        Ok(())
    }

    fn solve(&mut self, assumed: &[Lit]) -> Result<bool> {
        match self.sat.solve_limited(assumed) {
            found if found == lbool::TRUE => Ok(true),
            found if found == lbool::FALSE => Ok(false),
            _ => Err(TooLarge),
        }
    }

    fn fresh(&mut self) -> Lit {
        Lit::new(self.sat.new_var_default(), true)
    }

    fn clause(&mut self, lits: impl IntoIterator<Item = Lit>) {
        self.sat.add_clause_reuse(&mut lits.into_iter().collect());
    }

    /// What says that a function is true, which is no constant.
    fn lit(&mut self, here: Here<'_>, of: Function) -> Result<Lit> {
        for number in cone(here.1, of, &|number| self.gates.contains_key(&number)) {
            let gate = here.1.get((number - FIRST) as usize).ok_or(TooLarge)?;
            let lit = match gate {
                Gate::Is(variable, classes) => self.is(here.0, *variable, classes)?,
                Gate::Not(inner) => !self.known(*inner)?,
                Gate::And(a, b) => {
                    let (both, a, b) = (self.fresh(), self.known(*a)?, self.known(*b)?);
                    self.clause([!both, a]);
                    self.clause([!both, b]);
                    self.clause([both, !a, !b]);
                    both
                }
            };
            self.gates.insert(number, lit);
        }
        self.known(of)
    }

    fn known(&self, of: Function) -> Result<Lit> {
        self.gates.get(&of.number()).copied().ok_or(TooLarge)
    }

    fn is(&mut self, counts: &[u32], variable: u32, classes: &ClassSet) -> Result<Lit> {
        let values = self.variable(counts, variable)?;
        let said: Vec<(Lit, bool)> = (0u32..)
            .zip(values)
            .map(|(class, lit)| (lit, classes.contains(class)))
            .collect();
        let mut inside = said.iter().filter(|(_, is)| *is);
        if let (Some((only, _)), None) = (inside.next(), inside.next()) {
            return Ok(*only);
        }
        let one_of = self.fresh();
        for (lit, is) in said {
            self.clause([!lit, if is { one_of } else { !one_of }]);
        }
        Ok(one_of)
    }

    /// What says that a variable has each of its values; exactly one of them is true. Sinz, "Towards an optimal CNF encoding of
    /// Boolean cardinality constraints", 2005, for one.
    fn variable(&mut self, counts: &[u32], variable: u32) -> Result<Vec<Lit>> {
        if let Some(values) = self.values.get(&variable) {
            return Ok(values.clone());
        }
        let count = *counts.get(variable as usize).ok_or(TooLarge)?;
        let values: Vec<Lit> = (0..count).map(|_| self.fresh()).collect();
        self.clause(values.iter().copied());
        let mut before: Option<Lit> = None;
        for value in &values {
            let until = self.fresh();
            self.clause([!*value, until]);
            if let Some(before) = before {
                self.clause([!before, until]);
                self.clause([!*value, !before]);
            }
            before = Some(until);
        }
        self.values.insert(variable, values.clone());
        Ok(values)
    }
}
