//! `single_member_set`: `in` with a set of one constant.

use super::{Context, Group, Lint};
use crate::diag::codes::SINGLE_MEMBER_SET;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::{ExprKind, Op};

/// The lint.
pub const LINT: Lint = Lint {
    name: "single_member_set",
    code: SINGLE_MEMBER_SET,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let word = match comparison.op.node {
            Op::In => Op::Eq,
            Op::NotIn => Op::Ne,
            _ => continue,
        };
        let ExprKind::Set(members) = &comparison.right.kind else {
            continue;
        };
        if let [member] = members.as_slice() {
            let written = comparison.op.span.to(comparison.right.span);
            let plain = format!("{} {}", word.as_str(), context.text(member.span));
            let message = format!("`{}` is `{plain}`", context.text(written));
            out.push(
                LINT.finding(written, message)
                    .help(format!("write `{plain}`"))
                    .edit(written, plain),
            );
        }
    }
}
