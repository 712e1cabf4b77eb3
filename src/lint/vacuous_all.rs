//! `vacuous_all`: a rule that allows calls without any target, because `all` over nothing is true.

use super::meaning::{not, with_lists};
use super::walk::{self, Polarity};
use super::{Context, Group, Lint};
use crate::diag::codes::VACUOUS_ALL;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Cond, Rule, Tool};
use crate::syntax::ast::{Expr, ExprKind};

/// The lint.
pub const LINT: Lint = Lint {
    name: "vacuous_all",
    code: VACUOUS_ALL,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        let mut alls: Vec<(&Expr, &Expr)> = Vec::new();
        walk::conditions(written, &mut |expr, polarity| {
            if let ExprKind::Quantified { all: true, list, .. } = &expr.kind
                && polarity == Polarity::Holds
            {
                alls.push((expr, list));
            }
        });
        let mut on = context.on(rule);
        let found = on.find_map(|(index, tool, cond)| {
            let found = on_tool(context, rule, (index, tool), cond, &alls);
            Some((tool, found?))
        });
        if let Some((tool, (all, list))) = found {
            let shown = context.text(list.span);
            let message = format!("rule `{}` allows `{}` with `{shown}` empty", rule.name, tool.name);
            let report = LINT
                .finding(all.span, message)
                .label("holds when there is no element")
                .why("`all` over nothing is true, so a call that names no target passes as if each were checked");
            let report = if shown.starts_with("targets.") {
                report.help("ask for an element too, with `any` or `len(…) > 0`")
            } else {
                let more = format!("len({shown}) > 0 and ");
                let at = crate::source::Span {
                    end: all.span.start,
                    ..all.span
                };
                report
                    .help(format!("ask for an element too: `len({shown}) > 0 and all …`"))
                    .suggest(at, more)
            };
            out.push(report);
        }
    }
}

/// The first `all` over a target of the tool, where a call without any target of those lists is allowed only because
/// there is none.
fn on_tool<'e>(
    context: &Context<'e>,
    rule: &Rule,
    (tool, declared): (usize, &'e Tool),
    cond: &Cond,
    alls: &[(&'e Expr, &'e Expr)],
) -> Option<(&'e Expr, &'e Expr)> {
    let mut lists = Vec::new();
    let mut first = None;
    for (all, list) in alls {
        let found = context.target_lists(list, tool);
        if !found.is_empty() {
            first = first.or(Some((*all, *list)));
            lists.extend(found);
        }
    }
    let first = first?;
    // A list that may be missing, or one of several, is often rightly empty.
    let required = context.required_target_lists(tool);
    if required.is_empty() || !required.iter().all(|l| lists.contains(l)) {
        return None;
    }
    let empty = with_lists(cond, &lists, false);
    let each_checked = not(&with_lists(cond, &lists, true));
    let stricter = context.stricter(rule.verdict, tool);
    let stricter: Vec<Cond> = stricter.map(|c| not(&with_lists(c, &lists, false))).collect();
    let mut all: Vec<&Cond> = vec![&empty, &each_checked];
    all.extend(&stricter);
    context.calls(declared).possible(&all).then_some(first)
}
