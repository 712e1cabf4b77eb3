//! `constant_comparison`: a comparison that holds of every value of its type, or of none.

use super::context::Asked;
use super::meaning::not;
use super::{Context, Group, Lint};
use crate::diag::codes::CONSTANT_COMPARISON;
use crate::diag::{Diagnostic, Level};
use crate::hir::{Atom, Cond, Part, Question, Step};
use crate::source::Span;
use crate::syntax::ast::Op;
use std::collections::{BTreeMap, BTreeSet};

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
    let mut known = BTreeMap::new();
    // What the compiler has said: that all a rule asks holds of every call, whatever its types.
    let alone = context.rules().filter(|(written, rule)| {
        written.conditions.len() == 1
            && context
                .on(rule)
                .all(|(_, tool, cond)| !context.fresh_calls(tool).tells(cond))
    });
    let said: BTreeSet<Span> = alone
        .filter_map(|(written, _)| Some(written.conditions.first()?.expr.span))
        .collect();
    for comparison in context.comparisons() {
        let mut all = |answer: Answer| {
            let mut asked = comparison.asked.iter();
            !comparison.asked.is_empty()
                && asked.all(|asked| answer_to(context, asked, &mut known) == Some(answer))
        };
        let always = all(Answer::Always);
        if !always && !all(Answer::Never) {
            continue;
        }
        if said.contains(&comparison.expr.span) {
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

/// What decides the answer to a question: its type, itself, the part it is about, and how long that may be.
type Key = (String, Question, Option<Step>, Option<String>);

/// The answer that a question has whatever the value, if it has one.
fn answer_to<'a>(
    context: &Context<'a>,
    asked: &Asked<'a>,
    known: &mut BTreeMap<Key, Option<Answer>>,
) -> Option<Answer> {
    let atom = asked.atom;
    if atom.place.level > 0 {
        return None;
    }
    let key = (
        atom.ty.to_string(),
        atom.test.clone(),
        atom.place
            .steps
            .last()
            .copied()
            .filter(|step| matches!(step, Step::Part(_))),
        context.measured(asked),
    );
    if let Some(answer) = known.get(&key) {
        return *answer;
    }
    // Only this question is asked, so its classes are few.
    let calls = context.fresh_calls(context.tool(asked.tool)?);
    let asks = Cond::Atom(atom.clone());
    let there = Cond::Atom(Atom {
        test: Question::Present,
        when_absent: false,
        ..atom.clone()
    });
    let answer = if calls.impossible(&[&there, &asks]) {
        Some(Answer::Never)
    } else if calls.impossible(&[&there, &not(&asks)]) {
        Some(Answer::Always)
    } else {
        None
    };
    known.insert(key, answer);
    answer
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
