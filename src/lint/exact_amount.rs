//! `exact_amount`: a stricter rule about one exact amount, which an amount beside it passes.

use super::walk::Polarity;
use super::{Context, Group, Lint};
use crate::diag::codes::EXACT_AMOUNT;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::Question;
use crate::syntax::ast::Op;
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "exact_amount",
    code: EXACT_AMOUNT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules().filter(|(_, r)| r.verdict > Verdict::Allow) {
        for comparison in context.comparisons_of(written) {
            let equal = matches!(comparison.op.node, Op::Eq | Op::In);
            let exact = comparison.asked.iter().any(|asked| {
                let amount = matches!(asked.atom.ty, Ty::Decimal { .. } | Ty::Money { .. });
                let nonzero = |(low, high): &(i128, i128)| low == high && *low != 0;
                amount && matches!(&asked.atom.test, Question::Within(ranges) if ranges.iter().any(nonzero))
            });
            if !equal || !exact || comparison.polarity == Polarity::Fails {
                continue;
            }
            let message = format!(
                "`{}` does not hold for an amount beside it",
                context.text(comparison.expr.span)
            );
            let report = LINT
                .finding(comparison.expr.span, message)
                .label("one exact amount")
                .why("whoever wants past the rule pays a cent more or less");
            out.push(report.help("compare with `>=` or `<=`"));
        }
    }
}
