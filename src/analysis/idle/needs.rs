//! What a rule adds to the decisions of its calls, so that others have to add it without the rule: a verdict with its
//! code, approvals, obligations, a hint. In: a rule and its calls. Out: needs, each met where for each of its calls one of
//! some rules speaks. Where all are met, and the rule is not needed for calls of which no rule speaks, its removal
//! changes no decision.

use super::super::Decided;
use super::super::diagram::{Function, TooLarge};
use super::Kind;
use crate::domain::{ApprovalSpec, Verdict};
use crate::hir::{Duty, Package, Rule};
use std::collections::BTreeSet;

/// Calls, for each of which one of some rules must speak.
pub(super) struct Need {
    pub calls: Function,
    pub by: Vec<(usize, Function)>,
}

/// The other rules about a tool.
struct Others<'p> {
    rules: Vec<(usize, &'p Rule, Function)>,
}

impl<'p> Others<'p> {
    fn that(&self, adds: impl Fn(&Rule) -> bool) -> Vec<(usize, Function)> {
        let those = self.rules.iter().filter(|(_, rule, _)| adds(rule));
        those.map(|(index, _, calls)| (*index, *calls)).collect()
    }

    fn any(&self, is: impl Fn(&Rule) -> bool) -> bool {
        self.rules.iter().any(|(_, rule, _)| is(rule))
    }
}

/// What a rule adds to the decisions of its calls, and whether the default says the same of some of them.
pub(super) fn needs(
    decided: &mut Decided<'_>,
    (index, calls): (usize, Function),
    kind: Kind,
    removed: &BTreeSet<usize>,
) -> Result<(Vec<Need>, bool), TooLarge> {
    let package = decided.package;
    let Some(own) = package.rules.get(index) else {
        return Ok((Vec::new(), false));
    };
    let others = decided
        .rules()
        .iter()
        .filter(|(of, _)| *of != index && !removed.contains(of))
        .filter_map(|(of, calls)| Some((*of, package.rules.get(*of)?, *calls)));
    let others = Others {
        rules: others.collect(),
    };
    let is_named = kind != Kind::Subsumed;
    let same_code = !is_named || own.code == package.default.1;
    let alone = match own.verdict == package.default.0 && same_code {
        true => unspoken(decided, calls, &others)?,
        false => Function::NOTHING,
    };
    let adds = Adds {
        package,
        own,
        others,
        calls,
        spoken: decided.logic().without(calls, alone)?,
        is_named,
    };
    let mut needs = adds.verdict();
    needs.extend(adds.approvals());
    needs.extend(adds.hint());
    needs.extend(adds.duties());
    Ok((needs, alone != Function::NOTHING))
}

/// A rule beside others.
struct Adds<'p> {
    package: &'p Package,
    own: &'p Rule,
    others: Others<'p>,
    calls: Function,
    /// Its calls but for those that are left to a default that says the same.
    spoken: Function,
    /// Whether its code counts.
    is_named: bool,
}

impl Adds<'_> {
    fn same_code(&self, code: &str, other: &str) -> bool {
        !self.is_named || code == other
    }

    fn verdict(&self) -> Vec<Need> {
        let (own, default) = (self.own, &self.package.default);
        let mut needs = vec![Need {
            calls: self.spoken,
            by: self.others.that(|other| {
                let same = other.verdict == own.verdict && self.same_code(&own.code, &other.code);
                other.verdict > own.verdict || same
            }),
        }];
        if self.others.any(|other| other.limit) {
            // Where none but limits spoke, the default would, too.
            needs.push(Need {
                calls: self.spoken,
                by: self.others.that(|other| {
                    let same = other.verdict == default.0 && self.same_code(&default.1, &other.code);
                    !other.limit || other.verdict > default.0 || same
                }),
            });
        }
        needs
    }

    fn approvals(&self) -> Vec<Need> {
        let own = self.own;
        let asked = own
            .approvals
            .iter()
            .filter(|_| own.verdict == Verdict::RequireApproval);
        let by_limits = self
            .others
            .any(|other| other.limit && !other.approvals.is_empty());
        let need = |spec: &ApprovalSpec| {
            // A default that asks asks anybody.
            let is_default = *spec == ApprovalSpec::default() && !by_limits;
            Need {
                calls: if is_default { self.spoken } else { self.calls },
                by: self.others.that(|other| {
                    let same = |by: &ApprovalSpec| says_all_of(by, spec);
                    other.verdict > own.verdict || other.approvals.iter().any(same)
                }),
            }
        };
        asked.map(need).collect()
    }

    fn hint(&self) -> Option<Need> {
        let own = self.own;
        let hint = own.hint.as_ref()?;
        Some(Need {
            calls: self.calls,
            by: self.others.that(|other| {
                let same = other.verdict == own.verdict && other.hint.as_ref() == Some(hint);
                other.verdict > own.verdict || same
            }),
        })
    }

    fn duties(&self) -> Vec<Need> {
        let need = |by| Need {
            calls: self.calls,
            by,
        };
        let duties = self.own.duties.iter().map(|duty| &duty.node);
        let obliged = duties.map(|duty| self.others.that(|other| obliges(self.package, other, duty)));
        let mut needs: Vec<Need> = obliged.map(need).collect();
        let loosens = |rule: &Rule| !rule.limit && rule.verdict < self.package.default.0;
        if loosens(self.own) && self.others.any(takes_out) {
            // Of a call that nothing loosens more is taken out.
            needs.push(need(self.others.that(loosens)));
        }
        needs
    }
}

/// Calls of which no other rule speaks, but for limits.
fn unspoken(decided: &mut Decided<'_>, calls: Function, others: &Others<'_>) -> Result<Function, TooLarge> {
    let mut left = calls;
    for (_, _, other) in others.rules.iter().filter(|(_, rule, _)| !rule.limit) {
        left = decided.logic().without(left, *other)?;
    }
    Ok(left)
}

fn takes_out(rule: &Rule) -> bool {
    rule.duties.iter().any(|duty| duty.node.place.is_some())
}

/// Whether what a rule takes out would not be taken out of calls that no rule speaks of, were it not there.
pub(super) fn is_needed_where_nothing_speaks(
    package: &Package,
    tool: usize,
    index: usize,
    removed: &BTreeSet<usize>,
) -> bool {
    let own = package.rules.get(index);
    let mut duties = own.into_iter().flat_map(|rule| &rule.duties);
    let others = || {
        let all = package.rules.iter().enumerate();
        all.filter(|(of, rule)| {
            *of != index && !removed.contains(of) && rule.on.iter().any(|(on, _)| *on == tool)
        })
    };
    duties.any(|duty| {
        duty.node.place.is_some() && !others().any(|(_, rule)| obliges(package, rule, &duty.node))
    })
}

/// Whether a rule obliges all that a duty does, so that the duty adds nothing to it.
fn obliges(package: &Package, rule: &Rule, duty: &Duty) -> bool {
    rule.duties
        .iter()
        .any(|other| duty.adds_nothing(package, &other.node, package))
}

/// Whether a spec, beside what another asks, leaves no trace: not in what is asked, nor in how it is put.
fn says_all_of(by: &ApprovalSpec, spec: &ApprovalSpec) -> bool {
    let for_ever = |spec: &ApprovalSpec| ApprovalSpec {
        expires: None,
        ..spec.clone()
    };
    by.covers(spec) && (for_ever(by) == for_ever(spec) || !spec.implies(by))
}
