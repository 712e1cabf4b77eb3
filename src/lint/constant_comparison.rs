//! `constant_comparison`: a comparison that holds of every value of its type, or of none.

use super::context::{Asked, Comparison};
use super::meaning::not;
use super::{Context, Group, Lint};
use crate::diag::codes::CONSTANT_COMPARISON;
use crate::diag::{Diagnostic, Level};
use crate::hir::{Atom, Cond, Part, Question, Step};
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "constant_comparison",
    code: CONSTANT_COMPARISON,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let always = answers(context, &comparison, Answer::Always);
        if !always && !answers(context, &comparison, Answer::Never) {
            continue;
        }
        let written = context.text(comparison.expr.span);
        let opposite = matches!(comparison.op.node, Op::Ne | Op::NotIn);
        let word = if always == opposite { "never" } else { "always" };
        let message = format!("`{written}` {word} holds");
        let report = LINT.finding(comparison.expr.span, message);
        let report = match comparison.asked.first() {
            Some(asked) => report.why(why(context, asked)),
            None => report,
        };
        out.push(report.help("leave it out, or compare with a value that tells calls apart"));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Always,
    Never,
}

/// Whether the question has the same answer whatever the call, on every tool it is asked on.
fn answers(context: &Context<'_>, comparison: &Comparison<'_, '_>, answer: Answer) -> bool {
    !comparison.asked.is_empty()
        && comparison.asked.iter().all(|asked| {
            let Some(tool) = context.tool(asked.tool) else {
                return false;
            };
            if asked.atom.place.level > 0 {
                return false;
            }
            let calls = context.calls(tool);
            let asks = Cond::Atom(asked.atom.clone());
            let there = Cond::Atom(Atom {
                test: Question::Present,
                when_absent: false,
                ..asked.atom.clone()
            });
            match answer {
                // What is always so is reported once, by the compiler, where it is all that a rule asks.
                Answer::Always => calls.tells(&asks) && !calls.possible(&[&there, &not(&asks)]),
                Answer::Never => !calls.possible(&[&there, &asks]),
            }
        })
}

fn why(context: &Context<'_>, asked: &Asked<'_>) -> String {
    if let Some(max) = context.measured(asked) {
        return format!("the length lies between 0 and {max}");
    }
    if asked.atom.place.steps.last() == Some(&Step::Part(Part::Port)) {
        return format!("a port lies between 0 and {}", u16::MAX);
    }
    format!("every value that is {} answers alike", asked.atom.ty.phrase())
}
