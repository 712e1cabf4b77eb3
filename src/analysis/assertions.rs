//! Whether a policy is as it claims, for every call and every session. In: a package, and a judge of single calls. Out:
//! per assertion that it holds, a call that shows that it does not, or that neither was found.

use super::asking::Asking;
use super::diagram::{Function, TooLarge};
use super::{Decided, Found};
use crate::classes::Matchers;
use crate::domain::Verdict;
use crate::hir::answer::holds;
use crate::hir::{Case, Cond, Package};
use crate::value::Value;

/// What became of an assertion.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It holds of every call.
    Holds,
    /// This call shows that it does not.
    Fails(Box<Case>),
    /// What the policy declares shows that it does not, in words.
    Declared(String),
    /// Calls of this tool, by index, may break it, but none that does was found.
    Open(usize),
    /// The rules on this tool, by index, are too many to tell.
    TooLarge(usize),
}

/// Judges a call as the gate does: its verdict, and the request with all that the gate computes for it.
pub type Judge<'j> = &'j mut dyn FnMut(&Case) -> Option<(Verdict, Value)>;

/// What became of every assertion of a package, in order.
pub fn assertions(package: &Package, judge: Judge<'_>) -> Vec<Outcome> {
    let mut matchers = Matchers::default();
    let mut outcomes = vec![Outcome::Holds; package.assertions.len()];
    for tool in 0..package.tools.len() {
        let here = |(number, on): (usize, &[(usize, Cond)])| {
            let (_, cond) = on.iter().find(|(of, _)| *of == tool)?;
            Some((number, cond.clone()))
        };
        let all = package.assertions.iter().map(|assertion| assertion.on.as_slice());
        let about: Vec<(usize, Cond)> = all.enumerate().filter_map(here).collect();
        if about.is_empty() {
            continue;
        }
        let conds: Vec<&Cond> = about.iter().map(|(_, cond)| cond).collect();
        let mut asking = Asking::about(package, tool, &conds);
        for (at, (number, cond)) in about.iter().enumerate() {
            let Some(outcome) = outcomes.get_mut(*number) else {
                continue;
            };
            if matches!(outcome, Outcome::Fails(_)) {
                continue;
            }
            let found = asking.ask(&mut matchers, &mut |decided| {
                one(package, decided, (*number, at, cond), judge)
            });
            match found {
                Ok(Found::None) => {}
                Ok(Found::Call(call)) => *outcome = Outcome::Fails(call),
                Ok(Found::Unknown) => *outcome = Outcome::Open(tool),
                Err(TooLarge) => *outcome = Outcome::TooLarge(tool),
            }
        }
    }
    outcomes
}

/// A call of the tool that breaks an assertion: by its number, that of its condition, and the condition.
fn one(
    package: &Package,
    decided: &mut Decided<'_>,
    (number, at, cond): (usize, usize, &Cond),
    judge: Judge<'_>,
) -> Result<Found, TooLarge> {
    let Some(assertion) = package.assertions.get(number) else {
        return Ok(Found::None);
    };
    let refused = Verdict::ALL
        .into_iter()
        .filter(|verdict| !assertion.accepts(*verdict));
    let verdicts = decided.verdicts(package.default.0, &|_| true)?;
    let refused: Vec<Function> = refused
        .filter_map(|verdict| verdicts.get(verdict as usize).copied())
        .collect();
    let about = decided.also(at);
    let refused = decided.logic().any(refused)?;
    let broken = decided.logic().and(about, refused)?;
    Ok(decided.find(broken, &mut |call| {
        judge(call).is_some_and(|(verdict, record)| !assertion.accepts(verdict) && holds(cond, &[&record]))
    }))
}
