//! `deny_list`: a rule that allows whatever stricter rules do not name, for hosts, paths and addresses.

use super::context::gather;
use super::meaning::not;
use super::{Context, Group, Lint, targets};
use crate::diag::codes::DENY_LIST;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Cond, Question, TargetSource, Tool};
use crate::source::Span;
use crate::syntax::ast::Selector;
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "deny_list",
    code: DENY_LIST,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        let open = context.on(rule).find_map(|(index, tool, cond)| {
            let target = tool
                .targets
                .iter()
                .filter(|target| matches!(target.ty, Ty::Host | Ty::Url | Ty::Path | Ty::Email))
                .find(|target| passes(context, (index, tool), cond, target))?;
            Some((tool, target))
        });
        let Some((tool, target)) = open else { continue };
        let on = written.on.iter().map(Selector::span).reduce(Span::to);
        let message = format!(
            "rule `{}` allows `{}` for every {} that no stricter rule names",
            rule.name,
            tool.name,
            target.kind.as_str()
        );
        let report = LINT
            .finding(on.unwrap_or(written.name.span), message)
            .label(format!("`{}` acts on it with `{}`", tool.name, target.effect))
            .why("a list of what is forbidden misses what nobody thought of");
        out.push(report.help("say here what is allowed, and let the default stop the rest"));
    }
}

/// Whether an unknown target passes: the rule does not look at it, and the stricter rules only name some.
fn passes<'a>(
    context: &Context<'a>,
    (index, tool): (usize, &'a Tool),
    cond: &Cond,
    target: &TargetSource,
) -> bool {
    let stricter: Vec<&Cond> = context.stricter(Verdict::Allow, index).collect();
    if targets::looks_at(cond, target) || !stricter.iter().any(|c| targets::looks_at(c, target)) {
        return false;
    }
    match &target.list {
        Some(list) => !stricter
            .iter()
            .any(|c| targets::over(c, list, &mut |body, _| has_negation(body))),
        None => {
            let mut unnamed: Vec<Cond> = stricter.iter().map(|c| not(c)).collect();
            for stricter in &stricter {
                gather(stricter, &mut |atom| {
                    let named = matches!(atom.test, Question::OneOf(_) | Question::Shape(_));
                    if named && atom.place.level == 0 && atom.place.steps == target.steps {
                        unnamed.push(not(&Cond::Atom(atom.clone())));
                    }
                });
            }
            let mut all = vec![cond];
            all.extend(&unnamed);
            context.calls(tool).possible(&all)
        }
    }
}

/// Whether a condition is about what is not named.
fn has_negation(cond: &Cond) -> bool {
    match cond {
        Cond::Not(_) => true,
        Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => false,
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(has_negation),
        Cond::Any { body, .. } => has_negation(body),
    }
}
