//! Refinement: `rule x refines y` says that where x matches, y gives way. In: rules, and which refine which. Out: each
//! refined rule with one more exception, the whole condition of the rule that refines it; a rule that is refined itself
//! excepts only where it still matches.

use super::scopes::Policies;
use super::{Clause, Cond, Rule};
use crate::diag::codes::{BAD_REFINEMENT, REFINES_UPPER, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::source::Span;
use crate::syntax::ast::{self, Name};
use std::collections::BTreeMap;

/// Puts the exceptions into the rules that are refined.
pub(super) fn apply(
    rules: &mut [Rule],
    declared: &[&ast::Rule],
    policies: &Policies<'_>,
    out: &mut Vec<Diagnostic>,
) {
    let at: BTreeMap<String, usize> = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| (rule.name.clone(), index))
        .collect();
    // Per rule, by index: the rules that refine it.
    let mut refiners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut links: Vec<(usize, usize, Span)> = Vec::new();
    for written in declared {
        let Some(refining) = at.get(&written.name.text) else {
            continue;
        };
        for name in &written.refines {
            if let Some(limit) = at.get(&name.text).filter(|at| is_limit(rules, **at)) {
                out.push(not_refined(rules, *limit, name));
            } else if let Some(refined) = target(name, written, (declared, policies), &at, out)
                && shares_a_tool(rules, *refining, refined, name, out)
            {
                refiners.entry(refined).or_default().push(*refining);
                links.push((*refining, refined, name.span));
            }
        }
    }
    if let Some(cycle) = links.iter().find(|(from, to, _)| leads(&refiners, *from, *to)) {
        let name = rules.get(cycle.1).map_or("", |rule| rule.name.as_str());
        let message = format!("rule `{name}` refines itself through the rules it refines");
        out.push(
            Diagnostic::error(BAD_REFINEMENT, cycle.2, message).help("leave one of the refinements out"),
        );
        return;
    }
    let mut done = vec![false; rules.len()];
    for index in 0..rules.len() {
        settle(index, &refiners, rules, &mut done);
    }
}

fn is_limit(rules: &[Rule], index: usize) -> bool {
    rules.get(index).is_some_and(|rule| rule.limit)
}

/// A limit has no exceptions but its own conditions: what it counts and what it stops are one.
fn not_refined(rules: &[Rule], limit: usize, name: &Name) -> Diagnostic {
    let message = format!("`{}` is a limit, which is not refined", name.text);
    let report = Diagnostic::error(BAD_REFINEMENT, name.span, message)
        .help("write `unless` in the limit, for calls that it does not count");
    match rules.get(limit) {
        Some(limit) => report.also(limit.name_span, "the limit is declared here"),
        None => report,
    }
}

/// The rule that a name after `refines` stands for.
fn target(
    name: &Name,
    written: &ast::Rule,
    (declared, policies): (&[&ast::Rule], &Policies<'_>),
    at: &BTreeMap<String, usize>,
    out: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let Some(index) = at.get(&name.text) else {
        let report = Diagnostic::error(
            UNKNOWN_NAME,
            name.span,
            format!("no rule is called `{}`", name.text),
        );
        out.push(
            match suggest::nearest(&name.text, at.keys().map(String::as_str)) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(name.span, near),
                None => report.help("name a rule of this policy"),
            },
        );
        return None;
    };
    if name.text == written.name.text {
        let message = format!("rule `{}` refines itself", name.text);
        out.push(Diagnostic::error(BAD_REFINEMENT, name.span, message).help("name the rule that gives way"));
        return None;
    }
    let refined = declared.iter().find(|rule| rule.name.text == name.text)?;
    if policies.of(refined.name.span.file) > policies.of(written.name.span.file) {
        let message = format!("rule `{}` is of a policy above this one", name.text);
        out.push(
            Diagnostic::error(REFINES_UPPER, name.span, message)
                .also(refined.name.span, "written here")
                .why("an exception to it would be looser than the policy above")
                .help("leave the refinement out, or have the rule narrowed where it is written"),
        );
        return None;
    }
    if refined.is_final {
        let message = format!("rule `{}` is final", name.text);
        out.push(
            Diagnostic::error(BAD_REFINEMENT, name.span, message)
                .also(refined.name.span, "declared `final` here")
                .why("its author wants no exceptions")
                .help("leave the refinement out, or narrow the rule where it is written"),
        );
        return None;
    }
    Some(*index)
}

fn shares_a_tool(rules: &[Rule], a: usize, b: usize, name: &Name, out: &mut Vec<Diagnostic>) -> bool {
    let (Some(a), Some(b)) = (rules.get(a), rules.get(b)) else {
        return false;
    };
    // A rule about no tool is reported already.
    if a.on.is_empty() || b.on.is_empty() || a.on.iter().any(|(tool, _)| b.on.iter().any(|(t, _)| t == tool))
    {
        return true;
    }
    let message = format!("rules `{}` and `{}` are about different tools", a.name, b.name);
    out.push(
        Diagnostic::error(BAD_REFINEMENT, name.span, message)
            .also(b.name_span, "the rule is written here")
            .help("a rule refines one that is about the same tool"),
    );
    false
}

/// Whether `to` refines `from`, directly or through others.
fn leads(refiners: &BTreeMap<usize, Vec<usize>>, from: usize, to: usize) -> bool {
    let mut open = vec![from];
    let mut seen = vec![from];
    while let Some(next) = open.pop() {
        for above in refiners.get(&next).into_iter().flatten() {
            if *above == to {
                return true;
            }
            if !seen.contains(above) {
                seen.push(*above);
                open.push(*above);
            }
        }
    }
    false
}

/// Adds the exceptions of one rule, after those of the rules that refine it. A stack of its own: chains may be long.
fn settle(index: usize, refiners: &BTreeMap<usize, Vec<usize>>, rules: &mut [Rule], done: &mut [bool]) {
    let mut open = vec![index];
    while let Some(next) = open.last().copied() {
        let above: &[usize] = refiners.get(&next).map_or(&[], Vec::as_slice);
        let waits = above
            .iter()
            .copied()
            .find(|other| done.get(*other) == Some(&false));
        if let (Some(other), Some(false)) = (waits, done.get(next)) {
            open.push(other);
            continue;
        }
        open.pop();
        if let Some(flag @ false) = done.get_mut(next) {
            *flag = true;
            above.iter().for_each(|other| except(next, *other, rules));
        }
    }
}

/// Where `refining` matches, `refined` does not.
fn except(refined: usize, refining: usize, rules: &mut [Rule]) {
    let Some(exception) = rules.get(refining).cloned() else {
        return;
    };
    let Some(rule) = rules.get_mut(refined) else {
        return;
    };
    for (tool, cond) in &mut rule.on {
        let on_tool = exception.on.iter().find(|(other, _)| other == tool);
        let inner = on_tool.map_or(Cond::Const(false), |(_, cond)| cond.clone());
        let exception = Cond::Not(Box::new(inner));
        match cond {
            Cond::And(parts) => parts.push(exception),
            other => *other = Cond::And(vec![other.clone(), exception]),
        }
    }
    let span = exception.conditions_span.unwrap_or(exception.name_span);
    let condition = match exception.clauses.as_slice() {
        [only] if !only.negated => only.condition,
        _ => span,
    };
    rule.clauses.push(Clause {
        negated: true,
        span,
        condition,
    });
}
