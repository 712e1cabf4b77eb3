//! The decision IR, which is the index: per tool, each variable's classes and, per class, the rows (conjunctions of
//! rules) it is compatible with. A decision is one class look-up per variable and one AND per word of rows. In: a
//! checked package. Out: a `Program`, its canonical bytes, and a printed form. It must not evaluate.

mod apart;
mod approval;
mod claim;
mod codec;
mod context;
pub mod cost;
mod decode;
mod encode;
pub mod index;
mod limit;
mod masks;
mod obligation;
mod polarity;
mod print;
mod rows;
mod session;
mod slots;
pub mod solve;
pub mod space;
mod window;

use crate::classes::Classifier;
use crate::domain::{ApprovalSpec, Profile, RuleScope, Verdict};
use crate::hir::{
    self, Cond, Duty, Labels, LimitSpec, Monitor, ObligationKind, Per, Slot, Step, TargetSource, Window,
};
use crate::source::Position;
use crate::ty::Field;
use std::collections::BTreeSet;

pub use claim::{claim, promise};
pub use context::{ContextField, uses as context_uses};
pub use decode::{DecodeError, decode};
pub use encode::encode;
pub use limit::ToolLimit;
pub use masks::{Block, Constraint, Masks, Possible};
pub use print::print;
pub use session::{EventTest, session_bytes};

/// Version of the encoding; a decoder knows exactly one.
pub const VERSION: u32 = 6;

/// A compiled policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The edition of the policy's language.
    pub edition: u32,
    /// The policy's name.
    pub policy: String,
    /// The policy's version text.
    pub version: String,
    /// How strictly the policy asks to be held.
    pub profile: Profile,
    /// The verdict and code when no rule matches.
    pub default: (Verdict, String),
    /// Names of the sources that spans refer to.
    pub files: Vec<String>,
    /// What is said and known about a call beside its arguments.
    pub context: Vec<ContextField>,
    /// What rules ask of people; sorted, distinct.
    pub approvals: Vec<ApprovalSpec>,
    /// What rules may oblige, sorted by name.
    pub obligations: Vec<ObligationKind>,
    /// What rules oblige; sorted, distinct.
    pub duties: Vec<Duty>,
    /// Rules in the order of the sources.
    pub rules: Vec<RuleInfo>,
    /// Labels and where they come from.
    pub labels: Labels,
    /// What monitors look for; the tools say which of their calls count.
    pub events: Vec<EventTest>,
    /// Monitors over the events of a session.
    pub monitors: Vec<Monitor>,
    /// Windows of time.
    pub windows: Vec<Window>,
    /// Limits.
    pub limits: Vec<LimitSpec>,
    /// Tools, sorted by name.
    pub tools: Vec<ToolProgram>,
}

/// What a decision says about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// The rule's name.
    pub name: String,
    /// The verdict it asks for.
    pub verdict: Verdict,
    /// It is that of a limit: it only ever tightens, so a call that none but such rules match has the default too.
    pub limit: bool,
    /// Its reason code.
    pub code: String,
    /// What the author tells the caller.
    pub hint: Option<String>,
    /// What must be approved where it asks for approval, by index into `Program::approvals`: ascending.
    pub approvals: Vec<u32>,
    /// What it obliges, by index into `Program::duties`; sorted, distinct.
    pub duties: Vec<u32>,
    /// The policy it is part of, where that policy is for a scope.
    pub scope: Option<RuleScope>,
    /// Its source, by index into `Program::files`.
    pub file: u32,
    /// Where it starts.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
}

/// The index of one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolProgram {
    /// The tool's name.
    pub name: String,
    /// Its arguments, for binding.
    pub args: Vec<Field>,
    /// Whether further arguments are kept as received.
    pub open: bool,
    /// Where its targets come from.
    pub targets: Vec<TargetSource>,
    /// The fields of the context its rules look at, by index, in order.
    pub uses: Vec<u32>,
    /// What is computed of a request before its rules are judged, in the order of their places after the context.
    pub slots: Vec<Slot>,
    /// The limits that count its calls.
    pub limits: Vec<ToolLimit>,
    /// The arguments that leave the boundary, each by its names.
    pub carries: Vec<Vec<String>>,
    /// The labels of what it returns, as bits.
    pub returns: u64,
    /// The events its calls may be, by number, each with its condition on the call.
    pub events: Vec<(u32, Cond)>,
    /// The rule of each row, by index into `Program::rules`. Rows that demand alike are neighbours, so that a variable leaves rows
    /// in few blocks.
    pub rows: Vec<u32>,
    /// The rows of each verdict, as bits, strictest first.
    pub severity: Severity,
    /// The variables of the arguments.
    pub scope: Scope,
    /// The most steps that a decision takes, as `cost` counts them.
    pub steps: u64,
}

/// Rows by the verdict they ask for, as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Severity {
    masks: Vec<(Verdict, Vec<Block>)>,
    /// Rows of limits; nothing where there are none.
    limits: Vec<Block>,
}

impl Severity {
    /// Sorts rows by the verdict of their rules, and tells those of limits apart.
    pub fn new(rows: &[u32], rule_of: impl Fn(u32) -> Option<(Verdict, bool)>) -> Severity {
        let of: Vec<Option<(Verdict, bool)>> = rows.iter().map(|rule| rule_of(*rule)).collect();
        let blocks = masks::blocks(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let mask = |is: &dyn Fn((Verdict, bool)) -> bool| {
            let numbered = (0u32..).zip(&of);
            masks::rows_of(
                blocks,
                numbered.filter(|(_, of)| of.is_some_and(is)).map(|(row, _)| row),
            )
        };
        let has_limit = of.iter().flatten().any(|(_, limit)| *limit);
        let by_verdict = |verdict| (verdict, mask(&|(of, _)| of == verdict));
        Severity {
            masks: Verdict::ALL.into_iter().rev().map(by_verdict).collect(),
            limits: if has_limit {
                mask(&|(_, limit)| limit)
            } else {
                Vec::new()
            },
        }
    }

    /// Whether a row is left that is not of a limit.
    #[inline]
    pub fn speaks(&self, rows: &Possible<'_>) -> bool {
        let (rows, at) = rows.left();
        let rows = rows.as_flattened().iter();
        let limits = self.limits.get(at..).unwrap_or_default().as_flattened();
        let limits = limits.iter().copied().chain(std::iter::repeat(0));
        rows.zip(limits).any(|(row, limit)| row & !limit != 0)
    }

    /// The strictest verdict among the rows that are left; none where none is.
    #[inline]
    pub fn strictest(&self, rows: &Possible<'_>) -> Option<Verdict> {
        let (rows, at) = rows.left();
        let mut masks = self.masks.iter();
        let found = masks.find(|(_, mask)| masks::meet(mask.get(at..).unwrap_or_default(), rows));
        found.map(|(verdict, _)| *verdict)
    }
}

/// The variables of a record or list element, and the rows they decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Rows.
    pub rows: u32,
    /// Variables, cheapest first.
    pub vars: Vec<Var>,
    /// Quantified lists and optionals.
    pub lists: Vec<List>,
}

impl Scope {
    /// Blocks of 256 rows.
    pub fn blocks(&self) -> usize {
        masks::blocks(self.rows)
    }

    /// Blocks of working space a run needs beyond its own rows.
    pub fn working_blocks(&self) -> usize {
        self.lists
            .iter()
            .map(|l| 2 * l.scope.blocks() + l.scope.working_blocks())
            .max()
            .unwrap_or(0)
    }
}

/// One variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Var {
    /// Where its value is.
    pub steps: Vec<Step>,
    /// Finds the class of a value that is there.
    pub classifier: Classifier,
    /// Classes; the last one is the missing value's.
    pub count: u32,
    /// Rows by class.
    pub masks: Masks,
}

/// A quantified list or optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Where it is.
    pub steps: Vec<Step>,
    /// The variables of an element; its rows are those of the predicates.
    pub scope: Scope,
    /// What is asked of the list.
    pub predicates: Vec<Predicate>,
}

/// "Some element satisfies one of these rows": class 0 is no, class 1 is yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// First row in the element's scope.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// Rows of the outer scope by class.
    pub masks: Masks,
}

impl Program {
    /// Whether a rule on the tool of this name asks about the time, or a monitor remembers when its calls were.
    pub fn asks_time(&self, name: &str) -> bool {
        let recent = |monitor: u32| match self.monitors.get(monitor as usize) {
            Some(Monitor::Recent { event, .. }) => Some(*event),
            _ => None,
        };
        let asks = |slot: &Slot| match slot {
            Slot::Window(_) | Slot::Now => true,
            Slot::Used { limit, .. } => {
                let limit = self.limits.get(*limit as usize);
                limit.is_some_and(|limit| matches!(limit.per, Per::Time(_)))
            }
            Slot::Tally(monitor) => recent(*monitor).is_some(),
            _ => false,
        };
        let dated: Vec<u32> = (0u32..)
            .zip(&self.monitors)
            .filter_map(|(n, _)| recent(n))
            .collect();
        self.tool(name).is_some_and(|tool| {
            tool.slots.iter().any(asks) || tool.events.iter().any(|(event, _)| dated.contains(event))
        })
    }

    /// The tool of this name.
    pub fn tool(&self, name: &str) -> Option<&ToolProgram> {
        let at = self.tools.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?;
        self.tools.get(at)
    }
}

/// Puts a checked package and its index together. It cannot fail: whatever could has failed before.
pub fn lower(package: &hir::Package, mut tools: Vec<ToolProgram>) -> Program {
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    let asked = package.rules.iter().flat_map(|rule| rule.approvals.clone());
    let mut approvals: Vec<ApprovalSpec> = asked.collect();
    approvals.sort();
    approvals.dedup();
    let number = |spec: &ApprovalSpec| u32::try_from(approvals.binary_search(spec).ok()?).ok();
    let all = package.rules.iter().flat_map(|rule| &rule.duties);
    let all: BTreeSet<&Duty> = all.map(|duty| &duty.node).collect();
    let duties: Vec<Duty> = all.into_iter().cloned().collect();
    let numbers = |rule: &hir::Rule| {
        let of = rule
            .duties
            .iter()
            .filter_map(|duty| duties.binary_search(&duty.node).ok());
        let of: BTreeSet<u32> = of.filter_map(|at| u32::try_from(at).ok()).collect();
        of.into_iter().collect()
    };
    let rules = package.rules.iter().map(|rule| {
        let at = package.sources.iter().position(|s| s.id == rule.span.file);
        let source = at.and_then(|i| package.sources.get(i));
        let position = |offset| source.map_or(Position { line: 1, column: 1 }, |s| s.position(offset));
        RuleInfo {
            name: rule.name.clone(),
            verdict: rule.verdict,
            limit: rule.limit,
            code: rule.code.clone(),
            hint: rule.hint.clone(),
            approvals: rule.approvals.iter().filter_map(number).collect(),
            duties: numbers(rule),
            scope: package.scope_of(rule),
            file: u32::try_from(at.unwrap_or(0)).unwrap_or(0),
            start: position(rule.span.start),
            end: position(rule.span.end),
        }
    });
    Program {
        edition: package.edition,
        policy: package.name.clone(),
        version: package.version.clone(),
        profile: package.profile,
        default: package.default.clone(),
        files: package.sources.iter().map(|s| s.name.clone()).collect(),
        context: context::fields(package),
        labels: package.labels.clone(),
        events: package.history.events.iter().map(EventTest::of).collect(),
        monitors: package.history.monitors.clone(),
        windows: package.windows.clone(),
        limits: package.limits.iter().map(|limit| limit.spec.clone()).collect(),
        rules: rules.collect(),
        approvals,
        obligations: package.obligations.clone(),
        duties: duties.clone(),
        tools,
    }
}
