//! What a policy can decide, told for all calls at once. In: a package. Out: per tool, the calls that get each verdict
//! as functions of its variables, and a call for each function that is not empty. A function that is empty is proof;
//! a call is proof only once it has been judged, which is for those who call this.

mod apart;
mod asking;
mod assertions;
mod circuit;
pub mod coverage;
pub mod declared;
pub mod delegated;
pub mod diagram;
pub mod difference;
pub mod edges;
pub mod idle;
mod joint;
pub mod logic;
pub mod monotone;
mod possible;
mod regions;
mod related;
mod text;
mod witness;

use crate::classes::{ClassSet, Matchers};
use crate::domain::Verdict;
use crate::hir::context::request_ty;
use crate::hir::{Case, Cond, Package, Rule, Slot, Tool};
use crate::ir::space::{Formula, Level, Literal, Space};
use crate::limits;
use crate::ty::{Field, Ty};
use circuit::Circuits;
use diagram::{Asked, Diagrams, Function, TooLarge};
use logic::Logic;
use related::{Known, Related, counts, some_of};
use std::cell::OnceCell;

pub use apart::told_apart;
pub use assertions::{Outcome, assertions};
pub use difference::{Difference, Direction, difference};
pub use witness::{Words, document, texts_of};

/// Paths on which a call is looked for, before it counts as not found.
const PATHS: usize = limits::ANALYSIS_PATHS;

/// A search for a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// There is none.
    None,
    /// This is one.
    Call(Box<Case>),
    /// None was found, which does not say that there is none.
    Unknown,
}

/// The variables of a call, or of a list's element, with functions of them. Its own variables come first, then the
/// predicates of its lists.
struct Calls {
    level: Level,
    logic: Logic,
    /// The first variable of each list's predicates, and how many there are.
    lists: Vec<(u32, u32)>,
    /// How many variables are its own.
    own: u32,
    /// True of every value there can be.
    possible: Function,
    /// Edges of diagrams about the elements of one list.
    element_edges: usize,
}

/// By what functions are told.
#[derive(Clone, Copy)]
struct Means {
    /// Those of calls.
    calls: By,
    /// Edges of diagrams about the elements of one list.
    elements: usize,
}

/// Diagrams of so many edges at most, or circuits.
#[derive(Clone, Copy)]
enum By {
    Diagrams(usize),
    Circuits,
}

impl Means {
    /// Diagrams, where nothing else is said.
    const DIAGRAMS: Means = Means::edges(limits::ANALYSIS_EDGES, limits::ANALYSIS_EDGES);
    /// Circuits, where diagrams of calls would be too large.
    const CIRCUITS: Means = Means {
        calls: By::Circuits,
        ..Means::DIAGRAMS
    };

    const fn edges(calls: usize, elements: usize) -> Means {
        Means {
            calls: By::Diagrams(calls),
            elements,
        }
    }
}

impl Calls {
    /// Of values of a type.
    fn over(level: Level, ty: &Ty, means: Means) -> Result<Calls, TooLarge> {
        let mut counts: Vec<u32> = level.variables.iter().map(|variable| variable.count).collect();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let own = number(counts.len());
        let mut lists = Vec::new();
        for list in &level.lists {
            lists.push((number(counts.len()), number(list.predicates.len())));
            counts.extend(list.predicates.iter().map(|_| 2));
        }
        let mut calls = Calls {
            level,
            logic: match means.calls {
                By::Diagrams(edges) => Logic::Diagrams(Box::new(Diagrams::new(counts, edges))),
                By::Circuits => Logic::Circuits(Box::new(Circuits::new(counts))),
            },
            lists,
            own,
            possible: Function::EVERYTHING,
            element_edges: means.elements,
        };
        calls.possible = possible::possible(&mut calls, ty)?;
        Ok(calls)
    }

    /// True where some element of a list satisfies a predicate.
    fn predicate(&mut self, list: usize, predicate: usize) -> Result<Function, TooLarge> {
        let first = self.lists.get(list).map_or(0, |(first, _)| *first);
        let mut yes = ClassSet::empty(2);
        yes.insert(1);
        let variable = first.saturating_add(u32::try_from(predicate).map_err(|_| TooLarge)?);
        self.logic.is(variable, &yes)
    }

    fn function(&mut self, formula: &Formula) -> Result<Function, TooLarge> {
        match formula {
            Formula::Const(true) => Ok(Function::EVERYTHING),
            Formula::Const(false) => Ok(Function::NOTHING),
            Formula::Is(variable, classes) => self.logic.is(*variable, classes),
            Formula::Some(list, predicate) => self.predicate(*list as usize, *predicate as usize),
            Formula::Not(inner) => {
                let inner = self.function(inner)?;
                self.logic.not(inner)
            }
            Formula::And(parts) => parts.iter().try_fold(Function::EVERYTHING, |all, part| {
                let part = self.function(part)?;
                self.logic.and(all, part)
            }),
            Formula::Or(parts) => parts.iter().try_fold(Function::NOTHING, |all, part| {
                let part = self.function(part)?;
                self.logic.or(all, part)
            }),
        }
    }

    /// The variable of a formula that is one predicate of a list, or one comparison.
    fn alone(&self, formula: &Formula) -> Option<u32> {
        match formula {
            Formula::And(parts) | Formula::Or(parts) => match parts.as_slice() {
                [one] => self.alone(one),
                _ => None,
            },
            Formula::Some(list, predicate) => {
                let (first, _) = self.lists.get(*list as usize)?;
                first.checked_add(*predicate)
            }
            Formula::Is(variable, classes) => classes.iter().eq([1]).then_some(*variable),
            _ => None,
        }
    }

    /// A path, with its quantifiers told apart.
    fn wanted(&self, path: &[Asked]) -> witness::Wanted {
        let mut wanted = witness::Wanted {
            classes: Vec::new(),
            lists: Vec::new(),
        };
        for (variable, classes) in path {
            if *variable < self.own {
                wanted.classes.push((*variable, classes.clone()));
                continue;
            }
            let list = self
                .lists
                .iter()
                .position(|(first, count)| (*first..first + count).contains(variable));
            if let Some(list) = list
                && let Some((first, _)) = self.lists.get(list)
            {
                let list = u32::try_from(list).unwrap_or(u32::MAX);
                wanted.lists.push((list, variable - first, classes.contains(1)));
            }
        }
        wanted
    }
}

/// What a policy decides about the calls of one tool.
pub struct Decided<'p> {
    package: &'p Package,
    tool: usize,
    calls: Calls,
    slots: Vec<Slot>,
    /// The rules about the tool, by index, with the calls that each matches.
    rules: Vec<(usize, Function)>,
    /// What the rules ask, each thing as often as it is asked.
    literals: Vec<Literal>,
    /// Texts to try where values are read from one.
    pools: OnceCell<Vec<witness::Pool>>,
    /// The calls of each further condition.
    also: Vec<Function>,
}

impl<'p> Decided<'p> {
    /// Of one tool, with further conditions on it. An error where what tells functions would be too large.
    fn with(
        package: &'p Package,
        tool: usize,
        also: &[&Cond],
        (known, means): (Known, Means),
        matchers: &mut Matchers,
    ) -> Result<Decided<'p>, TooLarge> {
        let declared = package.tools.get(tool).ok_or(TooLarge)?;
        let on = |(index, rule): (usize, &'p Rule)| {
            let (_, cond) = rule.on.iter().find(|(of, _)| *of == tool)?;
            Some((index, cond))
        };
        let rules: Vec<(usize, &Cond)> = package.rules.iter().enumerate().filter_map(on).collect();
        let asked = rules.iter().map(|(_, cond)| *cond).chain(also.iter().copied());
        let counts = counts(asked.clone());
        let some: Vec<Cond> = counts.iter().filter_map(some_of).collect();
        let all: Vec<&Cond> = asked.chain(&some).collect();
        let first_slot = u32::try_from(declared.args.len() + 1).map_err(|_| TooLarge)?;
        let mut space = Space::new(first_slot, &declared.slots, &all, matchers).ok_or(TooLarge)?;
        let mut formulas = Vec::new();
        for cond in all.iter().take(rules.len() + also.len()) {
            formulas.push(space.formula(cond).ok_or(TooLarge)?);
        }
        let literals = space.asked().to_vec();
        let some: Vec<Option<Formula>> = some.iter().map(|cond| space.formula(cond)).collect();
        let slots = space.slots().1.to_vec();
        let ty = computed_ty(package, declared, &slots);
        let mut calls = Calls::over(space.level(), &ty, means)?;
        let counted = counts.iter().zip(&some);
        let related = Related {
            package,
            first: declared.args.len() + 1,
            slots: &slots,
            known,
            ty,
            counted: counted
                .filter_map(|(count, some)| Some((count, calls.alone(some.as_ref()?)?)))
                .collect(),
        };
        let related = related.possible(&mut calls, matchers)?;
        calls.possible = calls.logic.and(calls.possible, related)?;
        let mut functions = Vec::new();
        for formula in &formulas {
            functions.push(calls.function(formula)?);
        }
        let also = functions.split_off(rules.len());
        let rules: Vec<(usize, Function)> = rules.iter().map(|(index, _)| *index).zip(functions).collect();
        Ok(Decided {
            package,
            tool,
            calls,
            slots,
            rules,
            literals,
            pools: OnceCell::new(),
            also,
        })
    }

    /// Every call there can be.
    pub fn possible(&self) -> Function {
        self.calls.possible
    }

    /// The calls that get each verdict by some of the rules and a default, by the verdict's rank: that of the strictest
    /// rule that matches, or the default where none but limits does and that is stricter.
    pub fn verdicts(
        &mut self,
        default: Verdict,
        is_of: &dyn Fn(usize) -> bool,
    ) -> Result<[Function; 4], TooLarge> {
        let silent = self.silent(is_of)?;
        let mut left = self.calls.possible;
        let mut out = [Function::NOTHING; 4];
        for verdict in Verdict::ALL.into_iter().rev() {
            let mut here = self.any(&|index, rule| is_of(index) && rule.verdict == verdict)?;
            let logic = &mut self.calls.logic;
            if verdict == default {
                here = logic.or(here, silent)?;
            }
            let here = logic.and(here, left)?;
            left = logic.without(left, here)?;
            if let Some(slot) = out.get_mut(verdict as usize) {
                *slot = here;
            }
        }
        Ok(out)
    }

    /// The calls that none of some rules matches, but for limits.
    fn silent(&mut self, is_of: &dyn Fn(usize) -> bool) -> Result<Function, TooLarge> {
        let speaks = self.any(&|index, rule| is_of(index) && !rule.limit)?;
        self.calls.logic.without(self.calls.possible, speaks)
    }

    /// The calls that some of the rules match.
    fn any(&mut self, wanted: &dyn Fn(usize, &Rule) -> bool) -> Result<Function, TooLarge> {
        let package = self.package;
        let is = |index: usize| package.rules.get(index).is_some_and(|rule| wanted(index, rule));
        let found = self.rules.iter().filter(|(index, _)| is(*index));
        self.calls.logic.any(found.map(|(_, function)| *function))
    }

    /// The calls of a further condition, by its number.
    pub fn also(&self, number: usize) -> Function {
        self.also.get(number).copied().unwrap_or(Function::NOTHING)
    }

    /// The rules about the tool, by index, with the calls that each matches.
    pub fn rules(&self) -> &[(usize, Function)] {
        &self.rules
    }

    /// What the functions are made of.
    pub fn logic(&mut self) -> &mut Logic {
        &mut self.calls.logic
    }

    /// A call of a function that `is_one` takes for one.
    pub fn find(&self, function: Function, is_one: &mut dyn FnMut(&Case) -> bool) -> Found {
        self.find_on(function, PATHS, is_one)
    }

    /// The same, looked for on so many paths.
    fn find_on(&self, function: Function, paths: usize, is_one: &mut dyn FnMut(&Case) -> bool) -> Found {
        if function == Function::NOTHING {
            return Found::None;
        }
        let Some(tool) = self.package.tools.get(self.tool) else {
            return Found::Unknown;
        };
        let maker = witness::Maker::new(self.package, tool, (&self.calls.level, &self.slots));
        let pools = self.pools.get_or_init(|| maker.pools(limits::ANALYSIS_TEXTS));
        let mut left = paths;
        let mut found = Found::Unknown;
        self.calls.logic.paths(function, &mut |path| {
            let calls = maker.calls(&self.calls.wanted(path), pools);
            if let Some(call) = calls.into_iter().find(|call| is_one(call)) {
                found = Found::Call(Box::new(call));
                return true;
            }
            left -= 1;
            left == 0
        });
        found
    }
}

/// The type of the request of a tool, with what the gate computes for it.
fn computed_ty(package: &Package, tool: &Tool, slots: &[Slot]) -> Ty {
    let mut ty = request_ty(tool, &package.context);
    if let Ty::Record(fields) = &mut ty {
        fields.extend(slots.iter().map(|slot| Field {
            name: String::new(),
            ty: slot.ty(),
        }));
    }
    ty
}
