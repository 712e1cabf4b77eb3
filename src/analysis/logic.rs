//! Functions of the variables of calls, by one of two means: diagrams, which tell whether functions are equal and are read
//! path by path, and circuits, for what diagrams would be too large. In: literals, and functions to join. Out: functions, of
//! which `Function::NOTHING` alone is true nowhere.

use super::circuit::Circuits;
use super::diagram::{Asked, Diagrams, Function, TooLarge};
use crate::classes::ClassSet;

type Result<T> = std::result::Result<T, TooLarge>;

/// Functions that share what they are made of.
#[derive(Debug)]
pub enum Logic {
    /// As decision diagrams.
    Diagrams(Box<Diagrams>),
    /// As circuits.
    Circuits(Box<Circuits>),
}

impl Logic {
    /// The values of a variable.
    pub fn count(&self, variable: u32) -> u32 {
        match self {
            Logic::Diagrams(diagrams) => diagrams.count(variable),
            Logic::Circuits(circuits) => circuits.count(variable),
        }
    }

    /// How large they are: edges of diagrams, gates of circuits.
    pub fn size(&self) -> usize {
        match self {
            Logic::Diagrams(diagrams) => diagrams.edges(),
            Logic::Circuits(circuits) => circuits.gates(),
        }
    }

    /// True where a variable is in one of these classes.
    pub fn is(&mut self, variable: u32, classes: &ClassSet) -> Result<Function> {
        match self {
            Logic::Diagrams(diagrams) => diagrams.is(variable, classes),
            Logic::Circuits(circuits) => circuits.is(variable, classes),
        }
    }

    /// True where the function is not.
    pub fn not(&mut self, of: Function) -> Result<Function> {
        match self {
            Logic::Diagrams(diagrams) => diagrams.not(of),
            Logic::Circuits(circuits) => circuits.not(of),
        }
    }

    /// True where both are.
    pub fn and(&mut self, a: Function, b: Function) -> Result<Function> {
        match self {
            Logic::Diagrams(diagrams) => diagrams.and(a, b),
            Logic::Circuits(circuits) => circuits.and(a, b),
        }
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
        match self {
            Logic::Diagrams(diagrams) => diagrams.at(of, variable, class),
            Logic::Circuits(circuits) => circuits.at(of, variable, class),
        }
    }

    /// A value of each variable at which a function is true; none where it is true nowhere.
    pub fn point(&self, of: Function) -> Result<Option<Vec<u32>>> {
        match self {
            Logic::Diagrams(diagrams) => Ok(diagrams.point(of)),
            Logic::Circuits(circuits) => circuits.point(of),
        }
    }

    /// Whether a function is true at a point.
    pub fn is_at(&self, of: Function, point: &[u32]) -> bool {
        match self {
            Logic::Diagrams(diagrams) => diagrams.is_at(of, point),
            Logic::Circuits(circuits) => circuits.is_at(of, point),
        }
    }

    /// Shows where a function is true until `see` says that it has seen enough: what variables must be asked, each once and
    /// with the classes that lead there. All that is shown together is the function; whether `see` had enough.
    pub fn paths(&self, of: Function, see: &mut dyn FnMut(&[Asked]) -> bool) -> bool {
        match self {
            Logic::Diagrams(diagrams) => diagrams.paths(of, see),
            Logic::Circuits(circuits) => circuits.paths(of, see),
        }
    }
}

#[cfg(test)]
mod tests;
