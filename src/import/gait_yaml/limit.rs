//! Rate limits and budgets. The Go system counts on one counter whatever has the same window and scope, whichever rule
//! says so; so each such counter becomes one limit, over the calls of all these rules, with the least of their bounds. In:
//! a policy and its tools. Out: limits to print, and remarks.

use std::collections::{BTreeMap, BTreeSet};

use super::cond::{Cond, and, not, or};
use super::constraint;
use super::emit::earlier;
use super::matching::condition;
use super::model::{Limit, Policy, Rule};
use super::target::Use;
use super::tools::Tool;
use crate::domain::Verdict;
use crate::limits;

/// A limit to print.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) name: String,
    /// Names of tools; all of them where `None`.
    pub(super) on: Option<Vec<String>>,
    pub(super) when: Cond,
    pub(super) max: i64,
    /// `1m` or `1h`.
    pub(super) per: &'static str,
    /// Whose count it is.
    pub(super) by: &'static str,
    pub(super) code: &'static str,
    /// The rules that ask for it, by their places in the policy.
    pub(super) rules: Vec<usize>,
}

/// What is counted on one counter: the window, the scope, and whether only destructive calls.
type Counter<'p> = (&'p str, &'p str, bool);

impl Bound {
    /// The fields of the context it looks at, as `Cond::fields` says of rules; whose count it is must be no claim.
    pub(super) fn fields(&self) -> BTreeSet<(&'static str, bool)> {
        let mut found = BTreeSet::new();
        self.when.fields(false, &mut found);
        if self.by.contains("identity") {
            found.insert(("identity", true));
        }
        found
    }
}

/// The limits of a policy, without names.
pub(super) fn bounds(policy: &Policy, tools: &[Tool]) -> Vec<Bound> {
    let mut counters: BTreeMap<Counter<'_>, Vec<(usize, &Limit, bool)>> = BTreeMap::new();
    let able = |rule: &Rule| rule.effect != Verdict::Block;
    for (index, rule) in policy.rules.iter().enumerate().filter(|(_, rule)| able(rule)) {
        let rate = rule.rate_limit.as_ref().map(|limit| (limit, false));
        let budget = rule.destructive_budget.as_ref().map(|limit| (limit, true));
        for (limit, destructive) in rate
            .into_iter()
            .chain(budget)
            .filter(|(limit, _)| limit.requests > 0)
        {
            // The count of an identity is one for both.
            let apart = destructive && limit.scope != "identity";
            let counter = (limit.window.as_str(), limit.scope.as_str(), apart);
            counters
                .entry(counter)
                .or_default()
                .push((index, limit, destructive));
        }
    }
    let bound = |((window, scope, _), asked): (Counter<'_>, Vec<(usize, &Limit, bool)>)| {
        let max = asked.iter().map(|(_, limit, _)| limit.requests).min()?;
        let mut on = Vec::new();
        let mut when = Vec::new();
        for tool in tools {
            let counted = or(asked.iter().filter_map(|(index, _, destructive)| {
                Some(calls(policy, policy.rules.get(*index)?, tool, *destructive))
            }));
            if counted != Cond::Const(false) {
                on.push(tool.name.clone());
                when.push(counted);
            }
        }
        let all = on.len() == tools.len();
        (!on.is_empty()).then(|| Bound {
            name: String::new(),
            on: (!all).then_some(on),
            when: or(absorbed(when)),
            max,
            per: if window == "hour" { "1h" } else { "1m" },
            by: match scope {
                "tool" => "tool",
                "identity" => "context.identity",
                _ => "tool, context.identity",
            },
            code: if asked.iter().all(|(.., destructive)| *destructive) {
                "destructive_budget_exceeded"
            } else {
                "rate_limit_exceeded"
            },
            rules: asked.iter().map(|(index, ..)| *index).collect(),
        })
    };
    counters.into_iter().filter_map(bound).collect()
}

/// The conditions without those that ask for all that another asks for.
fn absorbed(any: Vec<Cond>) -> Vec<Cond> {
    let any: Vec<Vec<Cond>> = any.into_iter().map(Cond::clauses).collect();
    let wider = |other: &Vec<Cond>, one: &Vec<Cond>| {
        other.len() < one.len() && other.iter().all(|clause| one.contains(clause))
    };
    let kept = any
        .iter()
        .filter(|one| !any.iter().any(|other| wider(other, one)));
    kept.map(|clauses| and(clauses.iter().cloned())).collect()
}

/// The calls of a rule that count: those it matches and no earlier rule is sure to have decided.
fn calls(policy: &Policy, rule: &Rule, tool: &Tool, destructive: bool) -> Cond {
    let matched = condition(&rule.matches, tool, Use::Tighten);
    let decided =
        or(earlier(policy, rule.priority).map(|earlier| condition(&earlier.matches, tool, Use::Loosen)));
    let asked = if destructive {
        constraint::destructive(tool)
    } else {
        Cond::Const(true)
    };
    let wide = and([matched.clone(), asked.clone()]);
    let exact = and([wide.clone(), not(decided)]);
    // Counting more is stricter, where saying it exactly takes too much room.
    if exact.rows(false) > limits::ROWS_PER_RULE / 4 {
        wide
    } else {
        exact
    }
}
