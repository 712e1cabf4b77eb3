//! `allow_any`: a rule that allows a call because one of its targets is good, whatever the others are.

use super::walk::{self, Polarity};
use super::{Context, Group, Lint};
use crate::diag::codes::ALLOW_ANY;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Cond, Step};
use crate::source::Span;
use crate::syntax::ast::ExprKind;

/// The lint.
pub const LINT: Lint = Lint {
    name: "allow_any",
    code: ALLOW_ANY,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        walk::conditions(written, &mut |expr, polarity| {
            let ExprKind::Quantified {
                all: false,
                list,
                body,
                variable,
            } = &expr.kind
            else {
                return;
            };
            if polarity == Polarity::Fails || !walk::mentions(body, &variable.text) {
                return;
            }
            let unchecked = rule.on.iter().find(|(tool, cond)| {
                let lists = context.target_lists(list, *tool);
                let checked = |list: &Vec<Step>| {
                    excludes(cond, list) || context.stricter(rule.verdict, *tool).any(|c| asks(c, list))
                };
                !lists.is_empty() && !lists.iter().all(checked)
            });
            if let Some((tool, _)) = unchecked {
                let name = context.tool(*tool).map_or("", |t| t.name.as_str());
                let shown = context.text(list.span);
                let message = format!(
                    "rule `{}` allows `{name}` when one of `{shown}` is right, whatever the others are",
                    rule.name
                );
                let word = Span {
                    end: expr.span.start.saturating_add(3),
                    ..expr.span
                };
                let report = LINT
                    .finding(expr.span, message)
                    .label("one element is enough")
                    .why("no other condition and no stricter rule looks at the elements one by one");
                out.push(
                    report
                        .help(format!(
                            "write `all`, and ask for an element too: `len({shown}) > 0`"
                        ))
                        .suggest(word, "all"),
                );
            }
        });
    }
}

/// Whether a condition fails for some elements of the list: a quantifier over it that must not find one.
fn excludes(cond: &Cond, list: &[Step]) -> bool {
    fn negated(cond: &Cond, list: &[Step], fails: bool) -> bool {
        match cond {
            Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => false,
            Cond::Not(inner) => negated(inner, list, !fails),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|c| negated(c, list, fails)),
            Cond::Any { list: over, body, .. } => {
                (fails && over.level == 0 && over.steps == list) || negated(body, list, fails)
            }
        }
    }
    negated(cond, list, false)
}

/// Whether a condition quantifies over the list.
fn asks(cond: &Cond, list: &[Step]) -> bool {
    match cond {
        Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => false,
        Cond::Not(inner) => asks(inner, list),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|c| asks(c, list)),
        Cond::Any { list: over, body, .. } => (over.level == 0 && over.steps == list) || asks(body, list),
    }
}
