//! Prints an imported policy. In: rules, tools and the fields to trust. Out: source text, not laid out. It chooses
//! nothing.

use std::collections::BTreeSet;

use super::cond::Cond;
use super::declare;
use super::emit::{Emit, Emitted, used};
use super::limit::Bound;
use super::tools::Tool;
use crate::domain::Verdict;
use crate::syntax::quote;

/// The source. `trusted` are the fields declared as facts, among those the rules look at.
pub(super) fn policy(
    name: &str,
    emitted: &Emitted,
    tools: &[Tool],
    trusted: &BTreeSet<&'static str>,
) -> String {
    let rules: Vec<String> = emitted.rules.iter().map(rule).collect();
    let limits = emitted.limits.iter().map(limit);
    let rules = rules
        .into_iter()
        .chain(limits)
        .collect::<Vec<String>>()
        .join("\n");
    let mut out = format!("gaitpol 1\npolicy {}\n", quote::dotted_name(name));
    if rules.contains("v1.") {
        out.push_str("import std.v1\n");
    }
    // Nothing runs by default here, not even for trial; rules say so of the declared tools.
    out.push_str(&match emitted.default {
        Verdict::Allow | Verdict::DryRun => "\ndefault block\n".to_owned(),
        default => format!("\ndefault {default} code default_{default}\n"),
    });
    let fields: Vec<String> = used(&emitted.rules, &emitted.limits)
        .into_iter()
        .filter_map(|name| declared(name, trusted.contains(name)))
        .collect();
    if !fields.is_empty() {
        out.push_str(&format!("\ncontext {{\n{}}}\n", fields.concat()));
    }
    for (name, window) in emitted
        .windows
        .iter()
        .filter(|(name, _)| rules.contains(&format!("now in {name}")))
    {
        let spans: Vec<String> = window
            .spans
            .iter()
            .map(|(start, end)| format!("{}..{}", quote::string(start), quote::string(end)))
            .collect();
        let zone = quote::string(&window.zone);
        out.push_str(&format!("\nwindow {name} = {} tz {zone}\n", spans.join(", ")));
    }
    for tool in tools {
        out.push_str(&format!(
            "\ntool {} {{\n  ...\n}}\n",
            quote::dotted_name(&tool.name)
        ));
    }
    out.push('\n');
    out.push_str(&rules);
    out
}

/// The line of a field; none where what the library says is enough.
fn declared(name: &str, trusted: bool) -> Option<String> {
    let field = declare::find(name)?;
    let trusted = trusted || field.from.is_none();
    if !trusted && field.ty.is_none() {
        return None;
    }
    let word = if trusted { "fact" } else { "claim" };
    let ty = field.ty.map(|ty| format!(": {ty}")).unwrap_or_default();
    let from = field
        .from
        .map(|from| format!(" from intent {from}"))
        .unwrap_or_default();
    Some(format!("  {word} {name}{ty}{from}\n"))
}

fn rule(rule: &Emit) -> String {
    let why = rule
        .why
        .as_ref()
        .map(|why| format!(" {}", quote::string(why)))
        .unwrap_or_default();
    let on = on(rule.on.as_deref());
    let mut out = format!("rule {}{why}\n  on {on}\n", rule.name);
    for clause in rule.when.clone().clauses() {
        out.push_str(&format!("  when {}\n", clause.text()));
    }
    for guard in &rule.unless {
        for clause in alternatives(guard) {
            out.push_str(&format!("  unless {}\n", clause.text()));
        }
    }
    out.push_str(&format!("  {}", rule.verdict));
    if let Some((count, distinct)) = rule.approvals {
        let distinct = if distinct { " distinct" } else { "" };
        out.push_str(&format!(" {{ count {count}{distinct} }}"));
    }
    if rule.code != rule.name {
        out.push_str(&format!("\n  code {}", quote::dotted_name(&rule.code)));
    }
    out.push('\n');
    out
}

fn on(names: Option<&[String]>) -> String {
    match names {
        None => "*".to_owned(),
        Some(names) => {
            let names: Vec<String> = names.iter().map(|name| quote::dotted_name(name)).collect();
            names.join(", ")
        }
    }
}

fn limit(limit: &Bound) -> String {
    let mut out = format!("limit {}\n  on {}\n", limit.name, on(limit.on.as_deref()));
    for clause in limit.when.clone().clauses() {
        out.push_str(&format!("  when {}\n", clause.text()));
    }
    let Bound {
        max, per, by, code, ..
    } = limit;
    out.push_str(&format!(
        "  max {max} calls per {per} by {by}\n  exceed block\n  code {code}\n"
    ));
    out
}

/// A disjunction as several clauses: `unless` has one each.
fn alternatives(guard: &Cond) -> Vec<Cond> {
    match guard {
        Cond::Or(parts) => parts.clone(),
        other => vec![other.clone()],
    }
}
