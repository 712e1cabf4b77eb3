//! `vacuous_all`: a rule that allows calls without any target, because `all` over nothing is true; SQL that names no table
//! is such a call.

use super::meaning::{not, with_lists};
use super::walk::{self, Polarity};
use super::{Context, Group, Lint};
use crate::diag::codes::VACUOUS_ALL;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Cond, Place, Rule, Step, Tool, place};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind};
use crate::ty::Ty;

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
            out.push(if shown.starts_with("targets.") {
                report.help("ask for an element too, with `any` or `len(…) > 0`")
            } else {
                asking(report, all, shown)
            });
            continue;
        }
        let mut on = context.on(rule);
        let found = on.find_map(|(index, tool, cond)| {
            let span = tables_alone(context, rule, (index, tool), cond)?;
            let found = alls.iter().find(|(all, _)| all.span == span)?;
            Some((tool, *found))
        });
        if let Some((tool, (all, list))) = found {
            let message = format!(
                "rule `{}` allows `{}` with SQL that names no table",
                rule.name, tool.name
            );
            let report = LINT
                .finding(all.span, message)
                .label("holds when there is no table")
                .why("`SET ROLE admin` and `SELECT pg_read_file('x')` name none, and pass as if each were checked");
            out.push(asking(report, all, context.text(list.span)));
        }
    }
}

/// The report with what to ask before an `all` over a list.
fn asking(report: Diagnostic, all: &Expr, list: &str) -> Diagnostic {
    let at = Span {
        end: all.span.start,
        ..all.span
    };
    report
        .help(format!("ask for an element too: `len({list}) > 0 and all …`"))
        .suggest(at, format!("len({list}) > 0 and "))
}

/// The `all` over the tables of an SQL text, where nothing is asked of what the text does, and no stricter rule asks it.
fn tables_alone(
    context: &Context<'_>,
    rule: &Rule,
    (index, tool): (usize, &Tool),
    cond: &Cond,
) -> Option<Span> {
    let root = Ty::Record(tool.args.clone());
    let (sql, span) = all_of_tables(&root, cond, true)?;
    let more = |cond: &Cond| asks_more(&root, &sql, cond, true);
    let mut stricter = context.stricter(rule.verdict, index);
    (!more(cond) && !stricter.any(more)).then_some(span)
}

/// The first `all` over tables that must hold: its text, and where it stands.
fn all_of_tables(root: &Ty, cond: &Cond, holds: bool) -> Option<(Vec<Step>, Span)> {
    match cond {
        Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => None,
        Cond::Not(inner) => all_of_tables(root, inner, !holds),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().find_map(|c| all_of_tables(root, c, holds)),
        Cond::Any { list, body, span, .. } => {
            let (last, sql) = list.steps.split_last()?;
            if !holds && list.level == 0 && part_of_sql(root, sql, *last).as_deref() == Some("tables") {
                return Some((sql.to_vec(), *span));
            }
            all_of_tables(root, body, holds)
        }
    }
}

/// Whether a condition asks for a table, or what the text does.
fn asks_more(root: &Ty, sql: &[Step], cond: &Cond, holds: bool) -> bool {
    let beside = |at: &Place| {
        let rest = at.steps.strip_prefix(sql).filter(|_| at.level == 0);
        match rest {
            Some([step]) => part_of_sql(root, sql, *step)
                .is_some_and(|part| !matches!(part.as_str(), "tables" | "opaque")),
            // Its length, or all of the text.
            Some(_) => true,
            None => false,
        }
    };
    match cond {
        Cond::Const(_) => false,
        Cond::Atom(atom) => beside(&atom.place),
        Cond::Relation(relation) => {
            let mut found = false;
            relation.each_place(&mut |at| found |= at.steps.starts_with(sql));
            found
        }
        Cond::Not(inner) => asks_more(root, sql, inner, !holds),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|c| asks_more(root, sql, c, holds)),
        Cond::Any { list, body, .. } => {
            let of_table = list.level == 0 && list.steps.starts_with(sql);
            holds && of_table || beside(list) || asks_more(root, sql, body, holds)
        }
    }
}

/// The name of the part of an SQL text that a step goes to.
fn part_of_sql(root: &Ty, sql: &[Step], step: Step) -> Option<String> {
    let ty = place::ty_at(root, sql)?;
    match ty.required() {
        Ty::Sql => place::step(&ty, step).map(|(name, _)| name.to_owned()),
        _ => None,
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
