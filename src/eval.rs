//! Deciding: typed arguments against a program. `decide` is the production evaluator and does not allocate; `explain`
//! turns its rows into a `Decision`; `reference` is the naive interpreter it must agree with. It must not parse,
//! verify or know the time.

pub mod approval;
pub mod explain;
pub mod monitor;
pub mod obligation;
pub mod redact;
pub mod reference;

use crate::domain::Verdict;
use crate::hir::answer::{elements, view};
use crate::ir::{List, Program, Scope, ToolProgram, Var};
use crate::value::Value;

pub use explain::explain;

/// Working space for decisions, made once per thread and program.
#[derive(Debug)]
pub struct Workspace {
    words: Vec<u64>,
}

impl Workspace {
    /// Space for any tool of the program.
    pub fn new(program: &Program) -> Self {
        let need = |tool: &ToolProgram| tool.scope.words() + tool.scope.working_words();
        Self {
            words: vec![0; program.tools.iter().map(need).max().unwrap_or(0)],
        }
    }
}

/// The outcome of one evaluation, borrowed from the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'w> {
    /// The verdict.
    pub verdict: Verdict,
    /// The rows that matched, as bits.
    pub rows: &'w [u64],
    /// No rule matched, or only those of limits: the default counts.
    pub by_default: bool,
}

/// Judges one call of `tool` whose arguments are bound to its declaration.
pub fn decide<'w>(
    program: &Program,
    tool: &ToolProgram,
    args: &Value,
    workspace: &'w mut Workspace,
) -> Outcome<'w> {
    let (rows, free) = workspace
        .words
        .split_at_mut_checked(tool.scope.words())
        .unwrap_or_default();
    run(&tool.scope, args, rows, free);
    let strictest = tool.severity.strictest(rows);
    let by_default = !tool.severity.speaks(rows);
    let default = by_default.then_some(program.default.0);
    Outcome {
        // One of them is there.
        verdict: strictest.max(default).unwrap_or(Verdict::Block),
        rows,
        by_default,
    }
}

/// Leaves in `rows` those whose every demand the value meets.
fn run(scope: &Scope, value: &Value, rows: &mut [u64], free: &mut [u64]) {
    rows.fill(u64::MAX);
    if let (Some(last), used @ 1..) = (rows.last_mut(), scope.rows % 64) {
        *last = (1 << used) - 1;
    }
    for var in &scope.vars {
        if var.masks.matters(rows) {
            var.masks.apply(class_of(var, value), rows);
        }
    }
    for list in &scope.lists {
        run_list(list, value, rows, free);
    }
}

fn run_list(list: &List, value: &Value, rows: &mut [u64], free: &mut [u64]) {
    if !list.predicates.iter().any(|p| p.masks.matters(rows)) {
        return;
    }
    let words = list.scope.words();
    let (found, free) = free.split_at_mut_checked(words).unwrap_or_default();
    let (mine, free) = free.split_at_mut_checked(words).unwrap_or_default();
    found.fill(0);
    for element in elements(value, &list.steps) {
        run(&list.scope, element, mine, free);
        found.iter_mut().zip(&*mine).for_each(|(all, one)| *all |= one);
    }
    for predicate in &list.predicates {
        let holds = any_in(found, predicate.start as usize, predicate.end as usize);
        predicate.masks.apply(u32::from(holds), rows);
    }
}

/// Whether a bit in `start..end` is set.
fn any_in(words: &[u64], start: usize, end: usize) -> bool {
    (start..end).any(|row| words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1))
}

#[inline]
fn class_of(var: &Var, value: &Value) -> u32 {
    let class = var.classifier.class(&view(value, &var.steps));
    class.unwrap_or(var.count.saturating_sub(1))
}
