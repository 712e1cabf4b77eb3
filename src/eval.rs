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
use crate::ir::{Block, List, Possible, Program, Scope, ToolProgram, Var};
use crate::value::Value;

pub use explain::explain;

/// Working space for decisions, made once per thread and program.
#[derive(Debug)]
pub struct Workspace {
    blocks: Vec<Block>,
}

impl Workspace {
    /// Space for any tool of the program.
    pub fn new(program: &Program) -> Self {
        let need = |tool: &ToolProgram| tool.scope.blocks() + tool.scope.working_blocks();
        Self {
            blocks: vec![Block::default(); program.tools.iter().map(need).max().unwrap_or(0)],
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
        .blocks
        .split_at_mut_checked(tool.scope.blocks())
        .unwrap_or_default();
    let rows = run(&tool.scope, args, rows, free);
    let strictest = tool.severity.strictest(&rows);
    let by_default = !tool.severity.speaks(&rows);
    let default = by_default.then_some(program.default.0);
    Outcome {
        // One of them is there.
        verdict: strictest.max(default).unwrap_or(Verdict::Block),
        rows: rows.settle().as_flattened(),
        by_default,
    }
}

/// The rows whose every demand the value meets, in `blocks`.
fn run<'w>(scope: &Scope, value: &Value, blocks: &'w mut [Block], free: &mut [Block]) -> Possible<'w> {
    let mut rows = Possible::all(blocks, scope.rows);
    for var in &scope.vars {
        if var.masks.matters(&rows) {
            var.masks.rule_out(class_of(var, value), &mut rows);
        }
    }
    for list in &scope.lists {
        run_list(list, value, &mut rows, free);
    }
    rows
}

fn run_list(list: &List, value: &Value, rows: &mut Possible<'_>, free: &mut [Block]) {
    if !list.predicates.iter().any(|p| p.masks.matters(rows)) {
        return;
    }
    let blocks = list.scope.blocks();
    let (found, free) = free.split_at_mut_checked(blocks).unwrap_or_default();
    let (mine, free) = free.split_at_mut_checked(blocks).unwrap_or_default();
    found.fill(Block::default());
    for element in elements(value, &list.steps) {
        let mine = run(&list.scope, element, mine, free);
        let (mine, at) = mine.left();
        let among = found.get_mut(at..).unwrap_or_default();
        let words = among.as_flattened_mut().iter_mut();
        words.zip(mine.as_flattened()).for_each(|(all, one)| *all |= one);
    }
    let found = found.as_flattened();
    for predicate in &list.predicates {
        let holds = any_in(found, predicate.start as usize, predicate.end as usize);
        predicate.masks.rule_out(u32::from(holds), rows);
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
