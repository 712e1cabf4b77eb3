//! `negated_comparison`: `not a == b`, which has an operator of its own.

use super::{Context, Group, Lint, walk};
use crate::diag::codes::NEGATED_COMPARISON;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, Op};

/// The lint.
pub const LINT: Lint = Lint {
    name: "negated_comparison",
    code: NEGATED_COMPARISON,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    walk::expressions(context.module, &mut |expr| {
        let ExprKind::Not(inner) = &expr.kind else { return };
        let ExprKind::Compare(_, op, _) = &inner.kind else {
            return;
        };
        let Some(opposite) = opposite(op.node) else { return };
        let side = |start: u32, end: u32| {
            let side = Span {
                start,
                end,
                ..inner.span
            };
            context.text(side).trim()
        };
        let left = side(inner.span.start, op.span.start);
        let right = side(op.span.end, inner.span.end);
        let plain = format!("{left} {} {right}", opposite.as_str());
        let message = format!("`not … {} …` is `… {} …`", op.node.as_str(), opposite.as_str());
        out.push(
            LINT.finding(expr.span, message)
                .help(format!("write `{plain}`"))
                .edit(expr.span, plain),
        );
    });
}

fn opposite(op: Op) -> Option<Op> {
    Some(match op {
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Lt => Op::Ge,
        Op::Le => Op::Gt,
        Op::Gt => Op::Le,
        Op::Ge => Op::Lt,
        Op::In => Op::NotIn,
        Op::NotIn => Op::In,
        Op::StartsWith
        | Op::EndsWith
        | Op::Contains
        | Op::Like
        | Op::Matches
        | Op::Under
        | Op::Has
        | Op::HasAny
        | Op::HasAll => return None,
    })
}
