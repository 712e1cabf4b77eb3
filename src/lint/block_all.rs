//! `block_all`: a stricter rule that one harmless element of a list switches off, so that less is asked of the call. Where
//! the default is stricter than the rule and nothing about the tool is looser, `all` is the safe word.

use super::walk::{self, Polarity};
use super::{Context, Group, Lint, targets};
use crate::diag::codes::BLOCK_ALL;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::Rule;
use crate::source::Span;
use crate::syntax::ast::ExprKind;

/// The lint.
pub const LINT: Lint = Lint {
    name: "block_all",
    code: BLOCK_ALL,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict > Verdict::Allow) {
        walk::conditions(written, &mut |expr, polarity| {
            let ExprKind::Quantified { all: true, list, .. } = &expr.kind else {
                return;
            };
            if polarity == Polarity::Fails {
                return;
            }
            let Some((_, tool, _)) = context.on(rule).find(|(index, _, _)| {
                let lists = context.target_lists(list, *index);
                let mut others = context
                    .about(*index)
                    .iter()
                    .filter(|(other, _)| other.verdict >= rule.verdict && other.name != rule.name);
                let asked = others.any(|(_, cond)| {
                    lists
                        .iter()
                        .any(|list| targets::over(cond, list, &mut |_, _| true))
                });
                !lists.is_empty() && !asked && loosens(context, rule, *index)
            }) else {
                return;
            };
            let shown = context.text(list.span);
            let message = format!(
                "rule `{}` does not hold once one of `{shown}` of `{}` is harmless",
                rule.name, tool.name
            );
            let word = Span {
                end: expr.span.start.saturating_add(3),
                ..expr.span
            };
            let report = LINT
                .finding(expr.span, message)
                .label("asks every element")
                .why("whoever wants past the rule adds an element that does not fit");
            out.push(
                report
                    .help("write `any`: one such element is enough to stop the call")
                    .suggest(word, "any"),
            );
        });
    }
}

/// Whether a call of the tool may get a milder verdict where the rule does not match: that of another rule, or the default's.
/// A rule as strict as the default is there to hold where others allow, whether they are written yet or not.
fn loosens(context: &Context<'_>, rule: &Rule, tool: usize) -> bool {
    let mut about = context.about(tool).iter();
    context.package.default.0 <= rule.verdict || about.any(|(other, _)| other.verdict < rule.verdict)
}
