//! What the tests of a policy have shown: which rules matched, which verdicts each tool got, and which conditions decided
//! their rule. In: a package, and every judged case with the record its rules looked at. Out: goals, met or not.
//!
//! Conditions are measured by masking MC/DC (modified condition/decision coverage): a condition is covered when some
//! case has it true and some case has it false, each time so that the rule's outcome would be the other one with only
//! this condition changed. A condition stands once in its rule and only under `and`, `or` and `not`, so two such cases
//! have different outcomes: they are the pair that shows its independent effect. Other conditions may differ between
//! the two where they are masked; the unique-cause form, which forbids that, cannot be met by conditions that depend on
//! one another, such as `args.n > 1` beside `args.n > 5`. A quantifier is one condition of its rule; the conditions in
//! its body are measured on the elements it looked at, by the outcome of the body.

use super::Seen;
use crate::domain::Verdict;
use crate::hir::answer::{elements, holds};
use crate::hir::{Cond, Package};
use crate::source::Span;
use crate::syntax::written;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was shown, and what was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Every rule, in the order of the sources.
    pub rules: Vec<RuleGoal>,
    /// Every verdict that a tool's rules, or the default, may give; by tool, mildest first.
    pub verdicts: Vec<VerdictGoal>,
    /// Every condition of every rule, in the order of the sources.
    pub conditions: Vec<ConditionGoal>,
}

/// A rule should match in some case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleGoal {
    /// Its name.
    pub name: String,
    /// Where its name is written.
    pub span: Span,
    /// Cases in which it matched.
    pub cases: usize,
}

/// A call of a tool should get a verdict in some case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictGoal {
    /// The tool.
    pub tool: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Where the tool is declared.
    pub span: Span,
    /// Cases in which a call of the tool got it.
    pub cases: usize,
}

/// A condition should decide its rule both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionGoal {
    /// The rule.
    pub rule: String,
    /// Where the condition is written.
    pub span: Span,
    /// How often it decided by being true.
    pub when_true: usize,
    /// How often it decided by being false.
    pub when_false: usize,
}

impl ConditionGoal {
    /// Whether it decided both ways.
    pub fn is_covered(&self) -> bool {
        self.when_true > 0 && self.when_false > 0
    }
}

impl Coverage {
    /// Goals met and goals there are: of rules, of verdicts, of conditions.
    pub fn counts(&self) -> [(usize, usize); 3] {
        [
            (
                self.rules.iter().filter(|g| g.cases > 0).count(),
                self.rules.len(),
            ),
            (
                self.verdicts.iter().filter(|g| g.cases > 0).count(),
                self.verdicts.len(),
            ),
            (
                self.conditions.iter().filter(|g| g.is_covered()).count(),
                self.conditions.len(),
            ),
        ]
    }

    /// Goals met and goals there are, of all kinds together.
    pub fn total(&self) -> (usize, usize) {
        let sum = |(met, all): (usize, usize), (more_met, more): (usize, usize)| (met + more_met, all + more);
        self.counts().into_iter().fold((0, 0), sum)
    }
}

/// Counts while cases run.
#[derive(Debug)]
pub struct Meter<'p> {
    package: &'p Package,
    rules: BTreeMap<&'p str, usize>,
    verdicts: BTreeMap<(usize, Verdict), usize>,
    /// By rule and place: how often the condition decided by being false, and by being true.
    conditions: BTreeMap<(usize, Span), [usize; 2]>,
}

impl<'p> Meter<'p> {
    /// Nothing is shown yet.
    pub fn new(package: &'p Package) -> Meter<'p> {
        let mut meter = Meter {
            package,
            rules: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            conditions: BTreeMap::new(),
        };
        let mut floors: BTreeMap<usize, Verdict> = BTreeMap::new();
        for (number, rule) in package.rules.iter().enumerate() {
            for (tool, cond) in &rule.on {
                meter.verdicts.insert((*tool, rule.verdict), 0);
                if *cond == Cond::And(Vec::new()) {
                    let floor = floors.entry(*tool).or_insert(rule.verdict);
                    *floor = rule.verdict.max(*floor);
                }
                each_condition(cond, &mut |span| {
                    meter.conditions.insert((number, span), [0, 0]);
                });
            }
        }
        for tool in 0..package.tools.len() {
            match floors.get(&tool) {
                // A rule without conditions is always there: nothing milder, and no default.
                Some(floor) => meter
                    .verdicts
                    .retain(|(t, verdict), _| *t != tool || verdict >= floor),
                None => {
                    meter.verdicts.insert((tool, package.default.0), 0);
                }
            }
        }
        meter
    }

    /// Whether a condition as written is the opposite of what is kept of it.
    fn is_opposite(&self, span: Span) -> bool {
        let source = self.package.sources.iter().find(|s| s.id == span.file);
        source.is_some_and(|source| {
            let text = source.slice(span);
            written::asks_opposite(text) || written::is_about_all(text)
        })
    }

    /// Counts a case: every call of it, and each rule once that matched one of them.
    pub fn see(&mut self, calls: &[Seen]) {
        let mut matched = BTreeSet::new();
        for call in calls {
            self.call(&call.tool, call.verdict, call.record.as_ref(), &mut matched);
        }
        for name in matched {
            *self.rules.entry(name).or_default() += 1;
        }
    }

    /// Counts a judged call; `record` is what the rules looked at, missing for a call that no rule was asked about.
    fn call(
        &mut self,
        tool: &str,
        verdict: Verdict,
        record: Option<&Value>,
        matched: &mut BTreeSet<&'p str>,
    ) {
        let package = self.package;
        let found = package.tools.iter().position(|t| t.name == tool);
        let (Some(tool), Some(record)) = (found, record) else {
            return;
        };
        if let Some(cases) = self.verdicts.get_mut(&(tool, verdict)) {
            *cases += 1;
        }
        for (number, rule) in package.rules.iter().enumerate() {
            let Some((_, cond)) = rule.on.iter().find(|(t, _)| *t == tool) else {
                continue;
            };
            let mut tally = |span: Span, value: bool| {
                if let Some(counts) = self.conditions.get_mut(&(number, span))
                    && let Some(count) = counts.get_mut(usize::from(value))
                {
                    *count += 1;
                }
            };
            if decide(cond, &[record], true, &mut tally) {
                matched.insert(&rule.name);
            }
        }
    }

    /// What was shown.
    pub fn finish(&self) -> Coverage {
        let rules = self.package.rules.iter().map(|rule| RuleGoal {
            name: rule.name.clone(),
            span: rule.name_span,
            cases: self.rules.get(rule.name.as_str()).copied().unwrap_or(0),
        });
        let verdicts = self.verdicts.iter().filter_map(|((tool, verdict), cases)| {
            let tool = self.package.tools.get(*tool)?;
            Some(VerdictGoal {
                tool: tool.name.clone(),
                verdict: *verdict,
                span: tool.span,
                cases: *cases,
            })
        });
        let conditions = self
            .conditions
            .iter()
            .filter_map(|((rule, span), [when_false, when_true])| {
                let (when_true, when_false) = if self.is_opposite(*span) {
                    (*when_false, *when_true)
                } else {
                    (*when_true, *when_false)
                };
                Some(ConditionGoal {
                    rule: self.package.rules.get(*rule)?.name.clone(),
                    span: *span,
                    when_true,
                    when_false,
                })
            });
        Coverage {
            rules: rules.collect(),
            verdicts: verdicts.collect(),
            conditions: conditions.collect(),
        }
    }
}

/// Shows the place of every condition.
fn each_condition(cond: &Cond, see: &mut impl FnMut(Span)) {
    cond.own_place().into_iter().for_each(&mut *see);
    match cond {
        Cond::Not(inner) => each_condition(inner, see),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| each_condition(part, see)),
        _ => cond
            .own_body()
            .into_iter()
            .for_each(|body| each_condition(body, see)),
    }
}

/// Whether a condition holds. Shows every place at which changing only that condition would change the outcome, with
/// what the condition was; `decides` says whether changing this one would.
fn decide(cond: &Cond, chain: &[&Value], decides: bool, tally: &mut impl FnMut(Span, bool)) -> bool {
    match cond {
        Cond::Const(b) => *b,
        Cond::Not(inner) => !decide(inner, chain, decides, tally),
        Cond::And(parts) => joined(parts, true, chain, decides, tally),
        Cond::Or(parts) => joined(parts, false, chain, decides, tally),
        Cond::Atom(_) | Cond::Relation(_) | Cond::Any { .. } => {
            let value = holds(cond, chain);
            if let (true, Some(span)) = (decides, cond.own_place()) {
                tally(span, value);
            }
            if let (Some(body), Cond::Any { list, level, .. }) = (cond.own_body(), cond) {
                let items = chain
                    .get(list.level as usize)
                    .map(|outer| elements(outer, &list.steps));
                for item in items.unwrap_or_default() {
                    let mut inner = chain.to_vec();
                    inner.resize(*level as usize, item);
                    inner.push(item);
                    decide(body, &inner, true, tally);
                }
            }
            value
        }
    }
}

/// `and` with `neutral` true, `or` with `neutral` false: a part decides where every other is neutral.
fn joined(
    parts: &[Cond],
    neutral: bool,
    chain: &[&Value],
    decides: bool,
    tally: &mut impl FnMut(Span, bool),
) -> bool {
    let others: BTreeSet<usize> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| holds(part, chain) != neutral)
        .map(|(at, _)| at)
        .collect();
    for (at, part) in parts.iter().enumerate() {
        let alone = others.iter().all(|other| *other == at);
        decide(part, chain, decides && alone, tally);
    }
    if neutral {
        others.is_empty()
    } else {
        !others.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::trees::{asked, tree};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_condition_decides_where_changing_it_changes_the_outcome(tree in tree(), bits in any::<u32>()) {
            let mut count = 0;
            let cond = asked(&tree, &mut count);
            let record = |bits: u32| Value::Record((0..count).map(|i| Value::Bool(bits >> (i % 32) & 1 == 1)).collect());
            let before = record(bits);
            let mut seen = BTreeMap::new();
            let outcome = decide(&cond, &[&before], true, &mut |span, value| {
                seen.insert(span.start, value);
            });
            prop_assert_eq!(outcome, holds(&cond, &[&before]));
            for number in 0..count {
                let Value::Record(mut values) = before.clone() else { unreachable!() };
                let Value::Bool(value) = values[number as usize] else { unreachable!() };
                values[number as usize] = Value::Bool(!value);
                let changed = holds(&cond, &[&Value::Record(values)]) != outcome;
                prop_assert_eq!(seen.get(&number), changed.then_some(&value));
            }
        }
    }
}
