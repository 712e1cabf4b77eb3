//! A whole policy as rules of this language. The Go system asks rules tier by tier and stops at the first tier that
//! matches; here every rule is asked and the strictest answer counts. So a rule also says when an earlier, looser one
//! has decided already. In: the policy and its tools. Out: rules to print, and what became of each. It prints nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::cond::{Cond, not};
use super::constraint;
use super::declare;
use super::limit::{self, Bound};
use super::matching::condition;
use super::model::{Policy, Rule};
use super::parts::{self, Part, parts};
use super::remarks;
use super::report::{Note, RuleReport};
use super::script;
use super::target::{Use, said};
use super::tools::Tool;
use super::window::{self, Window};
use crate::domain::Verdict;
use crate::limits;
use crate::syntax::quote;

/// A policy to print.
pub(super) struct Emitted {
    /// The verdict when no rule matches; its code is `default_` and the verdict.
    pub(super) default: Verdict,
    /// Windows that rules ask about, by name.
    pub(super) windows: Vec<(String, Window)>,
    /// In the order in which the Go system asks them.
    pub(super) rules: Vec<Emit>,
    /// Limits on how many calls there may be.
    pub(super) limits: Vec<Bound>,
    /// Remarks, those about the whole policy first.
    pub(super) notes: Vec<Note>,
    /// What became of each rule.
    pub(super) reports: Vec<RuleReport>,
}

/// A rule to print.
#[derive(Clone, Debug)]
pub(super) struct Emit {
    pub(super) name: String,
    /// Said in the policy beside the name.
    pub(super) why: Option<String>,
    /// Names of tools; all of them where `None`.
    pub(super) on: Option<Vec<String>>,
    pub(super) when: Cond,
    /// Each says that an earlier rule has decided.
    pub(super) unless: Vec<Cond>,
    pub(super) verdict: Verdict,
    /// How many approvals, of as many people, where it is not just one.
    pub(super) approvals: Option<(i64, bool)>,
    pub(super) code: String,
}

/// A rule to print before it has a name: the same part of a rule on tools where it asks the same.
struct Group {
    part: Part,
    unless: Vec<Cond>,
    tools: Vec<String>,
    crowded: bool,
}

/// The rules of a policy.
pub(super) fn policy(policy: &Policy, tools: &[Tool]) -> Emitted {
    let mut names = Names::default();
    let mut rules = Vec::new();
    let mut reports = Vec::new();
    let mut notes = remarks::of_policy(policy);
    global(policy, tools, &mut names, &mut rules);
    default(policy, tools, &mut names, &mut rules);
    let limits: Vec<Bound> = limit::bounds(policy, tools)
        .into_iter()
        .map(|bound| Bound {
            name: names.fresh(bound.code.trim_end_matches("_exceeded")),
            ..bound
        })
        .collect();
    for (index, rule) in policy.rules.iter().enumerate() {
        let groups = groups(policy, rule, tools);
        let mut emitted = Vec::new();
        for group in &groups {
            let base = format!(
                "{}{}{}",
                rule.name,
                if group.part.suffix.is_empty() { "" } else { "_" },
                group.part.suffix
            );
            let name = names.fresh(&base);
            rules.push(emit(rule, group, &name, tools.len()));
            emitted.push(name);
        }
        let mut told = told(rule, &groups, &emitted, tools);
        for limit in limits.iter().filter(|limit| limit.rules.contains(&index)) {
            emitted.push(limit.name.clone());
            told.extend(remarks::limited(rule, &limit.name));
        }
        let mut tightened: Vec<&'static str> = Vec::new();
        for note in told.iter().filter(|note| note.kind == super::Kind::Tightened) {
            if !tightened.contains(&note.reason) {
                tightened.push(note.reason);
            }
        }
        notes.extend(told);
        reports.push(RuleReport {
            name: rule.name.clone(),
            at: rule.at,
            emitted,
            tightened,
        });
    }
    spelling(tools, &limits, &mut names, &mut rules, &mut notes);
    let windows = policy
        .rules
        .iter()
        .filter_map(|rule| Some((parts::window_name(rule), window::window(rule.freeze.as_ref()?)?)));
    Emitted {
        default: policy.default,
        windows: windows.collect(),
        limits,
        rules,
        notes,
        reports,
    }
}

/// The rules that are asked before those of a priority.
pub(super) fn earlier(policy: &Policy, priority: i64) -> impl Iterator<Item = &Rule> {
    policy
        .rules
        .iter()
        .filter(move |earlier| earlier.priority < priority)
}

/// The parts of a rule, those alike on several tools together.
fn groups(policy: &Policy, rule: &Rule, tools: &[Tool]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for tool in tools {
        for part in parts(rule, tool) {
            let Some((unless, crowded)) = unless(policy, rule.priority, tool, &part) else {
                continue;
            };
            let alike = groups.iter_mut().find(|group| {
                group.part.suffix == part.suffix && group.part.when == part.when && group.unless == unless
            });
            match alike {
                Some(group) => {
                    group.tools.push(tool.name.clone());
                    let more = part
                        .stricter
                        .iter()
                        .filter(|reason| !group.part.stricter.contains(reason));
                    let more: Vec<&'static str> = more.copied().collect();
                    group.part.stricter.extend(more);
                }
                None => groups.push(Group {
                    part,
                    unless,
                    tools: vec![tool.name.clone()],
                    crowded,
                }),
            }
        }
    }
    groups
}

/// When an earlier tier has decided with a looser verdict. `None` where it always has, so that the part never speaks.
/// The second value says that there was no room for all of it.
fn unless(policy: &Policy, priority: i64, tool: &Tool, part: &Part) -> Option<(Vec<Cond>, bool)> {
    let mut guards: Vec<Cond> = Vec::new();
    let mut rows = part.when.rows(false);
    let mut crowded = false;
    let earlier = policy.rules.iter().filter(|earlier| earlier.priority < priority);
    for earlier in earlier.filter(|earlier| earlier.effect < part.verdict) {
        match condition(&earlier.matches, tool, Use::Loosen) {
            Cond::Const(false) => {}
            Cond::Const(true) => return None,
            decided if guards.contains(&decided) => {}
            decided => {
                let more = rows.saturating_mul(decided.rows(true));
                if more > limits::ROWS_PER_RULE / 4 {
                    crowded = true;
                } else {
                    rows = more;
                    guards.push(decided);
                }
            }
        }
    }
    Some((guards, crowded))
}

fn emit(rule: &Rule, group: &Group, name: &str, tools: usize) -> Emit {
    let verdict = group.part.verdict;
    let count = rule.min_approvals.max(1);
    let several = count > 1 || rule.distinct_approvers;
    Emit {
        name: name.to_owned(),
        why: (group.part.suffix.is_empty() && name != rule.name).then(|| rule.name.clone()),
        // A rule that names tools is about these, also where there are no others.
        on: (group.tools.len() < tools || !rule.matches.tools.is_empty()).then(|| group.tools.clone()),
        when: group.part.when.clone(),
        unless: group.unless.clone(),
        verdict,
        approvals: (verdict == Verdict::RequireApproval && several)
            .then_some((count, rule.distinct_approvers)),
        code: group.part.code.clone(),
    }
}

/// Remarks about a rule.
fn told(rule: &Rule, groups: &[Group], emitted: &[String], tools: &[Tool]) -> Vec<Note> {
    let mut by: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (group, name) in groups.iter().zip(emitted) {
        for reason in &group.part.stricter {
            by.entry(reason).or_default().push(name.clone());
        }
        if group.crowded {
            by.entry("earlier_tiers").or_default().push(name.clone());
        }
    }
    let mut notes: Vec<Note> = by
        .into_iter()
        .map(|(reason, by)| remarks::tightened(rule, reason, by))
        .collect();
    let silent = rule.effect != Verdict::Block
        && tools.iter().any(|tool| {
            condition(&rule.matches, tool, Use::Tighten) != condition(&rule.matches, tool, Use::Loosen)
        });
    if silent {
        notes.extend(remarks::silent(rule, tools));
    }
    notes.extend(remarks::of_rule(rule, emitted));
    notes
}

/// A default that this language does not have, as rules: of every call that no rule decides.
fn default(policy: &Policy, tools: &[Tool], names: &mut Names, out: &mut Vec<Emit>) {
    if policy.default > Verdict::DryRun {
        return;
    }
    let part = Part {
        suffix: "",
        verdict: policy.default,
        code: format!("default_{}", policy.default),
        when: Cond::Const(true),
        stricter: Vec::new(),
    };
    let mut groups: Vec<(Vec<Cond>, Vec<String>)> = Vec::new();
    for tool in tools {
        let Some((unless, _)) = unless(policy, i64::MAX, tool, &part) else {
            continue;
        };
        match groups.iter_mut().find(|(other, _)| *other == unless) {
            Some((_, names)) => names.push(tool.name.clone()),
            None => groups.push((unless, vec![tool.name.clone()])),
        }
    }
    for (unless, on) in groups {
        let on = (on.len() < tools.len()).then_some(on);
        let name = names.fresh(&part.code);
        let rule = plain(name, on, Cond::Const(true), policy.default, &part.code);
        out.push(Emit { unless, ..rule });
    }
}

/// What is asked before any rule.
fn global(policy: &Policy, tools: &[Tool], names: &mut Names, out: &mut Vec<Emit>) {
    if let Some(asked) = &policy.fail_closed {
        let mut groups: Vec<(Cond, Vec<String>)> = Vec::new();
        for tool in tools {
            let when = constraint::fail_closed(asked, tool);
            match groups.iter_mut().find(|(other, _)| *other == when) {
                Some((_, names)) => names.push(tool.name.clone()),
                None => groups.push((when, vec![tool.name.clone()])),
            }
        }
        for (when, on) in groups {
            let on = (on.len() < tools.len()).then_some(on);
            out.push(plain(
                names.fresh("fail_closed"),
                on,
                when,
                Verdict::Block,
                "fail_closed",
            ));
        }
    }
    let scripts = &policy.scripts;
    if !tools.is_empty() {
        let block = Verdict::Block;
        for (is_asked, name, when, verdict, code) in [
            (
                scripts.max_steps > 0,
                "script_max_steps",
                script::longer_than(scripts.max_steps),
                block,
                "script_max_steps_exceeded",
            ),
            (
                scripts.approval_above > 0,
                "script_threshold",
                script::longer_than(scripts.approval_above),
                Verdict::RequireApproval,
                "script_step_threshold_approval",
            ),
            (
                scripts.block_mixed_risk,
                "script_mixed_risk",
                script::mixed(),
                block,
                "script_mixed_risk_blocked",
            ),
        ] {
            if is_asked {
                out.push(plain(names.fresh(name), None, when, verdict, code));
            }
        }
    }
    if let Some(asked) = policy.mcp_trust.as_ref().filter(|_| !tools.is_empty()) {
        let risky = said("context.risk_class", &asked.risk_classes, "risk_class");
        let when = super::cond::and([risky, not(declare::known(declare::MCP_SERVER_TRUSTED))]);
        out.push(plain(
            names.fresh("mcp_trust"),
            None,
            when,
            asked.action,
            "mcp_trust_server_unknown",
        ));
    }
}

fn plain(name: String, on: Option<Vec<String>>, when: Cond, verdict: Verdict, code: &str) -> Emit {
    Emit {
        name,
        why: None,
        on,
        when,
        unless: Vec::new(),
        verdict,
        approvals: None,
        code: code.to_owned(),
    }
}

/// The rule that blocks texts which the Go system would have respelt before it compared them.
fn spelling(
    tools: &[Tool],
    limits: &[Bound],
    names: &mut Names,
    rules: &mut Vec<Emit>,
    notes: &mut Vec<Note>,
) {
    let used = used(rules, limits);
    let wrong = declare::misspelt(used.iter().copied());
    if wrong == Cond::Const(false) || tools.is_empty() {
        return;
    }
    let name = names.fresh("spelling");
    notes.push(remarks::spelling(&name));
    rules.push(plain(name, None, wrong, Verdict::Block, "not_in_normal_spelling"));
}

/// The fields that rules look at.
pub(super) fn used(rules: &[Emit], limits: &[Bound]) -> BTreeSet<&'static str> {
    let found = rules
        .iter()
        .flat_map(fields)
        .chain(limits.iter().flat_map(Bound::fields));
    found.map(|(field, _)| field).collect()
}

/// The fields a rule looks at, with whether a caller could keep the rule from matching by what it says there.
fn fields(rule: &Emit) -> BTreeSet<(&'static str, bool)> {
    let mut found = BTreeSet::new();
    rule.when.fields(false, &mut found);
    rule.unless
        .iter()
        .for_each(|unless| unless.fields(true, &mut found));
    found
}

/// The fields in which a verdict that is no stricter than the default, or the silence of a strict rule, has to trust
/// what is said.
pub(super) fn trusted(emitted: &Emitted) -> BTreeSet<&'static str> {
    let limits = emitted.limits.iter().flat_map(Bound::fields);
    let mut out: BTreeSet<&'static str> = limits
        .filter(|(_, against)| *against)
        .map(|(field, _)| field)
        .collect();
    for rule in &emitted.rules {
        let strict = rule.verdict >= emitted.default;
        let found = fields(rule).into_iter();
        out.extend(
            found
                .filter(|(_, against)| !strict || *against)
                .map(|(field, _)| field),
        );
    }
    out
}

/// Takes rules that can never match out of a policy and of what is said of it. Whether there were any.
pub(super) fn take_out(emitted: &mut Emitted, names: &BTreeSet<String>) -> bool {
    let count = |emitted: &Emitted| emitted.rules.len() + emitted.limits.len();
    let before = count(emitted);
    emitted.rules.retain(|rule| !names.contains(&rule.name));
    emitted.limits.retain(|limit| !names.contains(&limit.name));
    for report in &mut emitted.reports {
        let had = report.emitted.len();
        report.emitted.retain(|name| !names.contains(name));
        if had > 0 && report.emitted.is_empty() {
            emitted
                .notes
                .push(remarks::without_effect(&report.name, report.at));
        }
    }
    // A remark about rules that are gone is gone with them; one that never named any stays.
    emitted.notes.retain_mut(|note| {
        let had = note.by.len();
        note.by.retain(|name| !names.contains(name));
        had == 0 || !note.by.is_empty()
    });
    for report in &mut emitted.reports {
        let notes = &emitted.notes;
        report.tightened.retain(|reason| {
            notes
                .iter()
                .any(|note| note.reason == *reason && note.rule.as_ref() == Some(&report.name))
        });
    }
    count(emitted) < before
}

/// Names of rules that are given away already.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// A new name as close to this text as names are.
    fn fresh(&mut self, text: &str) -> String {
        let mut base: String = text
            .chars()
            .take(limits::SHOWN_NAME_CHARS)
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            base.insert(0, '_');
        }
        let mut name = base.clone();
        let mut number = 1;
        while !self.0.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        debug_assert_eq!(quote::member_name(&name), name);
        name
    }
}
