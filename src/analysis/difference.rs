//! What two policies decide differently, for all calls at once. In: two packages, and a judge of single calls by both.
//! Out: per tool the kinds of calls that get another verdict, other obligations, approvals or codes, as regions with a
//! call each, and what is declared differently. What is not in it is proved to be the same.

use super::asking::Asking;
use super::declared::{self, Declared};
use super::diagram::{Function, TooLarge};
use super::joint::{BEFORE, Joint, joint, same_carries};
use super::related::Known;
use super::{Decided, Found};
use crate::classes::Matchers;
use crate::domain::{ApprovalSpec, Verdict};
use crate::hir::{Case, Duty, Package, Rule, Slot, Tool, canonical_json};
use crate::json::Json;
use crate::limits;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The way a policy changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More may happen, or with less ado.
    Loosened,
    /// Something else is asked or said.
    Sideways,
    /// Less may happen, or with more ado.
    Tightened,
}

impl Direction {
    /// All of them, the one to look at first in front.
    pub const ALL: [Direction; 3] = [Direction::Loosened, Direction::Sideways, Direction::Tightened];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Loosened => "loosened",
            Direction::Sideways => "sideways",
            Direction::Tightened => "tightened",
        }
    }
}

/// What is different of some calls: before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The verdict.
    Verdict(Verdict, Verdict),
    /// What must be approved, where both ask for it: what is asked by one of them only.
    Approvals(Vec<String>, Vec<String>),
    /// What is obliged by one of them only, where the verdict is the same.
    Obligations(Vec<String>, Vec<String>),
    /// The reason codes of one of them only, where the verdict is the same.
    Codes(Vec<String>, Vec<String>),
}

/// What is decided of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The rules that give it; none where it is the default.
    pub by: Vec<String>,
    /// What must be approved, as text.
    pub approvals: Vec<String>,
    /// What is obliged, as text.
    pub obligations: Vec<String>,
    /// The reason codes.
    pub codes: Vec<String>,
}

/// Judges a call by both policies: what they decide, and what their rules looked at.
pub type Judges<'j> = &'j mut dyn FnMut(&Case) -> [(Decision, Option<Value>); 2];

/// A kind of calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// What holds of them, each condition on its own; every call where there is none.
    pub conditions: Vec<String>,
    /// What the names in the conditions mean, for who compares two of these.
    pub meaning: String,
    /// One of them, with what both policies decide of it; none was found where it is missing, and then the difference
    /// is not certain.
    pub example: Option<(Case, [Decision; 2])>,
}

/// Calls of one tool of which the same is different.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What is different.
    pub what: What,
    /// Which way.
    pub direction: Direction,
    /// Of which calls.
    pub kinds: Vec<Kind>,
    /// Whether there are more kinds than those.
    pub more: bool,
}

/// What is different about a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDifference {
    /// Its name.
    pub tool: String,
    /// Its declarations.
    pub declared: Vec<Declared>,
    /// What is decided.
    pub changes: Vec<Change>,
    /// Whether the rules on it were too many to compare, so that more may be different.
    pub too_large: bool,
}

/// What two policies decide differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What is declared beside the tools.
    pub declared: Vec<Declared>,
    /// The tools about which something is different, by name.
    pub tools: Vec<ToolDifference>,
    /// How many tools were compared.
    pub compared: usize,
}

/// Compares two policies.
pub fn difference(before: &Package, after: &Package, judges: Judges<'_>) -> Difference {
    let joint = joint(before, after);
    let names: BTreeSet<&str> = [before, after]
        .iter()
        .flat_map(|package| &package.tools)
        .map(|tool| tool.name.as_str())
        .collect();
    let labels = uses_labels(before) || uses_labels(after);
    let mut matchers = Matchers::default();
    let mut tools = Vec::new();
    for name in &names {
        let compared = match &joint {
            Some(joint) => Tools {
                joint,
                sides: [before, after],
            }
            .compare(name, &mut matchers, judges),
            None => Err(TooLarge),
        };
        let of = |package| tool(package, name);
        let (too_large, (changes, is_open)) = match compared {
            Ok(found) => (false, found),
            Err(TooLarge) => (true, (Vec::new(), true)),
        };
        let mut declared = declared::tool(of(before), of(after), is_open, labels);
        declared.extend(declared::returned(before, after, name));
        if too_large || !changes.is_empty() || !declared.is_empty() {
            tools.push(ToolDifference {
                tool: (*name).to_owned(),
                declared,
                changes,
                too_large,
            });
        }
    }
    Difference {
        declared: declared::policy(before, after),
        tools,
        compared: names.len(),
    }
}

/// Whether a rule asks for labels. Then what a tool is named as a source of depends on whether it is declared.
fn uses_labels(package: &Package) -> bool {
    let mut slots = package.tools.iter().flat_map(|tool| &tool.slots);
    slots.any(|slot| matches!(slot, Slot::Label { .. } | Slot::Each(_)))
}

fn tool<'p>(package: &'p Package, name: &str) -> Option<&'p Tool> {
    package.tools.iter().find(|tool| tool.name == name)
}

struct Tools<'p> {
    joint: &'p Joint,
    sides: [&'p Package; 2],
}

/// Texts, each with the calls of which it is said.
type Said = BTreeMap<String, Function>;

impl Tools<'_> {
    /// What is different about one tool, and whether the second policy lets any call of it through.
    fn compare(
        &self,
        name: &str,
        matchers: &mut Matchers,
        judges: Judges<'_>,
    ) -> Result<(Vec<Change>, bool), TooLarge> {
        let package = &self.joint.package;
        let tool = package.tools.iter().position(|tool| tool.name == name);
        let known = Known {
            labels: self.joint.labels,
            carried: same_carries(self.sides, name),
        };
        let mut asking = Asking::knowing(package, tool.ok_or(TooLarge)?, &[], known);
        asking.ask(matchers, &mut |decided| self.changes(name, decided, judges))
    }

    /// The same, told by one means.
    fn changes(
        &self,
        name: &str,
        decided: &mut Decided<'_>,
        judges: Judges<'_>,
    ) -> Result<(Vec<Change>, bool), TooLarge> {
        let [before, after] = [self.verdicts(decided, name, 0)?, self.verdicts(decided, name, 1)?];
        let of = |all: &[Function; 4], verdict: Verdict| {
            all.get(verdict as usize).copied().unwrap_or(Function::NOTHING)
        };
        let mut changes = Vec::new();
        let mut same = Vec::new();
        for from in Verdict::ALL {
            for to in Verdict::ALL {
                let both = decided.logic().and(of(&before, from), of(&after, to))?;
                if from == to {
                    same.push(both);
                    let codes = [self.codes(decided, from, 0)?, self.codes(decided, from, 1)?];
                    self.said(decided, both, &codes, What::Codes, &mut changes)?;
                } else if both != Function::NOTHING {
                    changes.push((What::Verdict(from, to), both));
                }
            }
        }
        let asking = same.get(Verdict::RequireApproval as usize).copied();
        let specs = [self.approvals(decided, 0)?, self.approvals(decided, 1)?];
        self.said(
            decided,
            asking.unwrap_or(Function::NOTHING),
            &specs,
            What::Approvals,
            &mut changes,
        )?;
        let same = decided.logic().any(same)?;
        let duties = [self.duties(decided, 0)?, self.duties(decided, 1)?];
        self.said(decided, same, &duties, What::Obligations, &mut changes)?;
        let mut found = Vec::new();
        for (what, calls) in changes {
            found.push(self.change(decided, what, calls, judges)?);
        }
        found.sort_by_key(|change| change.direction);
        let blocked = of(&after, Verdict::Block);
        let possible = decided.possible();
        Ok((
            found,
            decided.logic().without(possible, blocked)? != Function::NOTHING,
        ))
    }

    fn package(&self, side: usize) -> Option<&Package> {
        self.sides.get(side).copied()
    }

    /// Whether a rule of the joint package is one of a side's.
    fn is_of(&self, side: usize, rule: usize) -> bool {
        self.joint
            .rules
            .get(side)
            .is_some_and(|rules| rules.contains(&rule))
    }

    /// The calls of each verdict; a tool that a policy does not know is blocked.
    fn verdicts(
        &self,
        decided: &mut Decided<'_>,
        name: &str,
        side: usize,
    ) -> Result<[Function; 4], TooLarge> {
        match self.package(side) {
            Some(package) if tool(package, name).is_some() => {
                decided.verdicts(package.default.0, &|rule| self.is_of(side, rule))
            }
            _ => {
                let mut all = [Function::NOTHING; 4];
                if let Some(blocked) = all.get_mut(Verdict::Block as usize) {
                    *blocked = decided.possible();
                }
                Ok(all)
            }
        }
    }

    /// The rules of a side about the tool, with the calls that each matches.
    fn rules_of(&self, decided: &Decided<'_>, side: usize) -> Vec<(&Rule, Function)> {
        let rules = decided.rules().iter();
        let own = rules.filter(|(index, _)| self.is_of(side, *index));
        own.filter_map(|(index, calls)| Some((self.joint.package.rules.get(*index)?, *calls)))
            .collect()
    }

    /// The calls of which each text is said by rules of a side.
    fn of_rules(
        &self,
        decided: &mut Decided<'_>,
        side: usize,
        texts: &dyn Fn(&Rule) -> Vec<String>,
    ) -> Result<Said, TooLarge> {
        let mut said = Said::new();
        for (rule, calls) in self.rules_of(decided, side) {
            for text in texts(rule) {
                add(decided, &mut said, text, calls)?;
            }
        }
        Ok(said)
    }

    fn codes(&self, decided: &mut Decided<'_>, verdict: Verdict, side: usize) -> Result<Said, TooLarge> {
        let mut said = self.of_rules(decided, side, &|rule| match rule.verdict == verdict {
            true => vec![rule.code.clone()],
            false => Vec::new(),
        })?;
        if let Some((default, code)) = self.package(side).map(|package| &package.default)
            && *default == verdict
        {
            let silent = decided.silent(&|rule| self.is_of(side, rule))?;
            add(decided, &mut said, code.clone(), silent)?;
        }
        Ok(said)
    }

    /// The calls of which each approval is asked that no other one asked covers, were the verdict to ask for any.
    fn approvals(&self, decided: &mut Decided<'_>, side: usize) -> Result<Said, TooLarge> {
        let plain = ApprovalSpec::default();
        let rules = self.joint.package.rules.iter();
        let mut specs: BTreeSet<&ApprovalSpec> = rules.flat_map(|rule| &rule.approvals).collect();
        specs.insert(&plain);
        let mut asked: Vec<(&ApprovalSpec, Function)> = Vec::new();
        for spec in specs {
            let asks = |index, rule: &Rule| self.is_of(side, index) && rule.approvals.contains(spec);
            let mut calls = decided.any(&asks)?;
            if *spec == plain {
                let asks = |index, rule: &Rule| self.is_of(side, index) && !rule.approvals.is_empty();
                let (any, possible) = (decided.any(&asks)?, decided.possible());
                let silent = decided.logic().without(possible, any)?;
                calls = decided.logic().or(calls, silent)?;
            }
            asked.push((spec, calls));
        }
        let mut said = Said::new();
        for (spec, calls) in &asked {
            let mut left = *calls;
            for (by, also) in &asked {
                if by != spec && by.covers(spec) && (by < spec || !spec.covers(by)) {
                    left = decided.logic().without(left, *also)?;
                }
            }
            add(decided, &mut said, self.asked(spec), left)?;
        }
        Ok(said)
    }

    fn duties(&self, decided: &mut Decided<'_>, side: usize) -> Result<Said, TooLarge> {
        let Some(package) = self.package(side) else {
            return Ok(Said::new());
        };
        let text = |duty: &Duty| obliged(package, duty);
        let mut said = self.of_rules(decided, side, &|rule| {
            rule.duties.iter().map(|duty| text(&duty.node)).collect()
        })?;
        // Of a call that no rule makes looser, what any rule takes out is taken out.
        let loosens = |rule: &Rule| !rule.limit && rule.verdict < package.default.0;
        let loosened = decided.any(&|index, rule| self.is_of(side, index) && loosens(rule))?;
        let possible = decided.possible();
        let silent = decided.logic().without(possible, loosened)?;
        for (rule, _) in self.rules_of(decided, side) {
            for duty in rule.duties.iter().filter(|duty| duty.node.place.is_some()) {
                add(decided, &mut said, text(&duty.node), silent)?;
            }
        }
        Ok(said)
    }

    /// The parts of some calls of which other texts are said before than after.
    fn said(
        &self,
        decided: &mut Decided<'_>,
        of: Function,
        [before, after]: &[Said; 2],
        what: fn(Vec<String>, Vec<String>) -> What,
        changes: &mut Vec<(What, Function)>,
    ) -> Result<(), TooLarge> {
        let texts: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let mut parts = vec![(of, Vec::new(), Vec::new())];
        for text in texts {
            let calls = |said: &Said| said.get(text).copied().unwrap_or(Function::NOTHING);
            let (old, new) = (calls(before), calls(after));
            let mut next = Vec::new();
            for (part, gone, come) in parts {
                let logic = decided.logic();
                let (only_old, only_new) = (logic.without(old, new)?, logic.without(new, old)?);
                let either = logic.or(only_old, only_new)?;
                let with = |of: &Vec<String>| of.iter().cloned().chain([text.clone()]).collect::<Vec<_>>();
                let split = [
                    (logic.without(part, either)?, gone.clone(), come.clone()),
                    (logic.and(part, only_old)?, with(&gone), come.clone()),
                    (logic.and(part, only_new)?, gone.clone(), with(&come)),
                ];
                next.extend(split.into_iter().filter(|(part, ..)| *part != Function::NOTHING));
            }
            if next.len() > limits::DIFFERENT_PARTS {
                return Err(TooLarge);
            }
            parts = next;
        }
        let parts = parts.into_iter();
        let different = parts.filter(|(_, gone, come)| !gone.is_empty() || !come.is_empty());
        changes.extend(different.map(|(part, gone, come)| (what(gone, come), part)));
        Ok(())
    }

    fn change(
        &self,
        decided: &mut Decided<'_>,
        what: What,
        calls: Function,
        judges: Judges<'_>,
    ) -> Result<Change, TooLarge> {
        let (regions, more) = decided.regions(calls, limits::DIFFERENT_KINDS)?;
        let mut kinds = Vec::new();
        for region in regions {
            let mut judged = None;
            let found = decided.find(region.calls, &mut |call| {
                let [(before, old), (after, new)] = judges(call);
                let both = [before, after];
                let record = self.joint.record(decided.tool, self.sides, &[old, new]);
                let shows = is_so(&what, &both) && region.has(&decided.with_own_slots(record));
                judged = shows.then_some(both);
                shows
            });
            let example = match found {
                Found::Call(call) => judged.map(|both| (once(*call), both)),
                _ => None,
            };
            kinds.push(Kind {
                meaning: region.meaning,
                conditions: region.conditions,
                example,
            });
        }
        Ok(Change {
            direction: self.direction(&what),
            what,
            kinds,
            more,
        })
    }

    /// What is gone and nothing new covers is loosened; what has come and nothing old covered is tightened.
    fn direction(&self, what: &What) -> Direction {
        let by = |gone: &[String], come: &[String], covers: &dyn Fn(&str, &str) -> bool| {
            let covered = |some: &[String], by: &[String]| {
                some.iter().all(|one| by.iter().any(|other| covers(other, one)))
            };
            match (covered(gone, come), covered(come, gone)) {
                (false, _) => Direction::Loosened,
                (true, true) => Direction::Sideways,
                (true, false) => Direction::Tightened,
            }
        };
        match what {
            What::Verdict(from, to) if to < from => Direction::Loosened,
            What::Verdict(..) => Direction::Tightened,
            What::Codes(..) => Direction::Sideways,
            What::Approvals(gone, come) => by(gone, come, &|strong, weak| self.covers(strong, weak)),
            What::Obligations(gone, come) => by(gone, come, &|strong, weak| self.obliges(strong, weak)),
        }
    }

    /// Whether who does what is obliged by one text does what is obliged by the other.
    fn obliges(&self, strong: &str, weak: &str) -> bool {
        let of = |text: &str| {
            self.sides.iter().find_map(|package| {
                let duties = package.rules.iter().flat_map(|rule| &rule.duties);
                let mut duties = duties.map(|duty| &duty.node);
                Some((*package, duties.find(|duty| obliged(package, duty) == text)?))
            })
        };
        match (of(strong), of(weak)) {
            (Some((by, strong)), Some((package, weak))) => weak.adds_nothing(package, strong, by),
            _ => false,
        }
    }

    /// What is asked as text; people are named where they are not those of another role of this name.
    fn asked(&self, spec: &ApprovalSpec) -> String {
        let text = spec.to_string();
        let rules = self.joint.package.rules.iter();
        let mut all = rules.flat_map(|rule| &rule.approvals);
        match &spec.from {
            Some(role) if all.any(|other| *other != *spec && other.to_string() == text) => {
                format!("{text} ({})", role.members.join(", "))
            }
            _ => text,
        }
    }

    /// Whether whoever has what is asked by one text has what is asked by the other.
    fn covers(&self, strong: &str, weak: &str) -> bool {
        let rules = self.joint.package.rules.iter();
        let mut specs: BTreeMap<String, &ApprovalSpec> = rules
            .flat_map(|rule| &rule.approvals)
            .map(|spec| (self.asked(spec), spec))
            .collect();
        let plain = ApprovalSpec::default();
        specs.insert(plain.to_string(), &plain);
        match (specs.get(strong), specs.get(weak)) {
            (Some(strong), Some(weak)) => strong.covers(weak),
            _ => false,
        }
    }
}

/// The call without what is there twice, because it is of another type in the first policy.
fn once(call: Case) -> Case {
    let only = |object: Json| match object {
        Json::Object(members) => {
            let members = members.into_iter().filter(|(name, _)| !name.ends_with(BEFORE));
            Json::Object(members.collect())
        }
        other => other,
    };
    Case {
        args: only(call.args),
        given: only(call.given),
        ..call
    }
}

fn add(decided: &mut Decided<'_>, said: &mut Said, text: String, calls: Function) -> Result<(), TooLarge> {
    let known = said.get(&text).copied().unwrap_or(Function::NOTHING);
    let all = decided.logic().or(known, calls)?;
    said.insert(text, all);
    Ok(())
}

/// Whether a call shows a difference.
fn is_so(what: &What, [before, after]: &[Decision; 2]) -> bool {
    match what {
        What::Verdict(from, to) => (before.verdict, after.verdict) == (*from, *to),
        _ if before.verdict != after.verdict => false,
        What::Approvals(..) => before.approvals != after.approvals,
        What::Obligations(..) => before.obligations != after.obligations,
        What::Codes(..) => before.codes != after.codes,
    }
}

/// An obligation as text.
fn obliged(package: &Package, duty: &Duty) -> String {
    let kind = package.obligations.get(duty.kind as usize);
    let Some(kind) = kind else { return String::new() };
    let mut told: Vec<String> = Vec::new();
    match duty.place.as_deref() {
        Some([]) => told.push("args".to_owned()),
        Some(names) => told.push(format!("args.{}", names.join("."))),
        None => {}
    }
    for (param, value) in kind.params.iter().zip(&duty.values) {
        let value = canonical_json(&crate::builtins::bind::to_json(value, &param.field.ty));
        told.push(format!("{}: {value}", param.field.name));
    }
    match told.as_slice() {
        [] => kind.name.clone(),
        told => format!("{}({})", kind.name, told.join(", ")),
    }
}
