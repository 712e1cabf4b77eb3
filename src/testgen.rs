//! Tests that are made from a policy: calls on and beside the boundary of every condition, and one for each verdict that
//! a tool's calls can get, each expecting what the policy decides today. In: a checked policy. Out: the tests, as text and
//! as intents, and what no call was found for. Every call was judged by the production evaluator. Pure: the same policy
//! gives the same tests.

mod seeds;
mod write;

use crate::analysis::coverage;
use crate::analysis::edges::{self, Edge, Gap, Missed};
use crate::compile::Checked;
use crate::domain::{Decision, Verdict, reserved};
use crate::hir::{Case, Package};
use crate::source::{Position, Span};
use crate::suite::{self, Runner};
use crate::syntax::written;
use std::collections::BTreeSet;

pub use seeds::{Seed, seeds};
pub use write::text;

/// What was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The tests, in the order of the rules, then by tool.
    pub tests: Vec<Made>,
    /// What no call was found for.
    pub gaps: Vec<Left>,
    /// How many conditions were looked at, and how many have both sides.
    pub conditions: (usize, usize),
}

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Its name, which no test of the policy has.
    pub name: String,
    /// The rule it is about; none where it is about what a tool's calls can get.
    pub rule: Option<String>,
    /// The condition it is about, as written.
    pub condition: Option<String>,
    /// Its cases, all in the same context and session.
    pub cases: Vec<Judged>,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The call.
    pub call: Case,
    /// Whether the condition holds of it; none where the test is about no condition.
    pub holds: Option<bool>,
    /// What the policy decides.
    pub verdict: Verdict,
    /// Whether the rule matched.
    pub matched: bool,
}

/// A side of a condition without the call that was looked for, or a verdict of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The rule.
    pub rule: String,
    /// The condition, as written.
    pub condition: Option<String>,
    /// Where it is written.
    pub at: Position,
    /// What was not found.
    pub gap: Gap,
}

impl Left {
    /// What is missing, and why, for people.
    pub fn because(&self) -> String {
        let side = if self.gap.holds { "holds" } else { "does not hold" };
        match self.gap.why {
            Missed::Impossible if self.gap.instead => {
                format!("where it {side} no call lies on the boundary; the test has one away from it")
            }
            Missed::Impossible => format!("there is no call in which it {side}"),
            Missed::Masked => {
                format!("where it {side} other conditions of the rule decide, in all calls found")
            }
            Missed::NotFound if self.gap.instead => {
                format!("where it {side} no call on the boundary was found; the test has one away from it")
            }
            Missed::NotFound => {
                format!("no call was found in which it {side}, which is no proof that there is none")
            }
            Missed::TooLarge => "too many kinds of calls are told apart on the tool".to_owned(),
        }
    }
}

/// Makes the tests of a policy.
pub fn generate(checked: &Checked) -> Generated {
    let mut maker = Maker {
        package: checked.package(),
        runner: Runner::new(checked),
        names: checked
            .package()
            .tests
            .iter()
            .map(|test| test.name.clone())
            .collect(),
        out: Generated {
            tests: Vec::new(),
            gaps: Vec::new(),
            conditions: (0, 0),
        },
    };
    let found = {
        let runner = &mut maker.runner;
        edges::edges(maker.package, &mut |call| {
            judged(runner, call).and_then(|judged| judged.record)
        })
    };
    for edge in found {
        maker.edge(edge);
    }
    maker.verdicts();
    maker.out
}

/// A call that a test can say, as it was judged; none for one that the gate refuses before any rule.
fn judged(runner: &mut Runner<'_>, call: &Case) -> Option<crate::gate::Judged> {
    if !write::can_say(call) {
        return None;
    }
    let judged = runner.judge(call);
    let refused = |code: &String| code.starts_with(reserved::PREFIX);
    (judged.record.is_some() && !judged.decision.reason_codes.iter().any(refused)).then_some(judged)
}

struct Maker<'c> {
    package: &'c Package,
    runner: Runner<'c>,
    /// The names of tests that are taken.
    names: BTreeSet<String>,
    out: Generated,
}

impl Maker<'_> {
    /// The tests of one condition: one for each context and session that its calls need.
    fn edge(&mut self, edge: Edge) {
        let Some(rule) = self.package.rules.get(edge.rule) else {
            return;
        };
        let condition = edge.span.map(|span| written::one_line(self.slice(span)));
        if condition.is_some() {
            let sides: BTreeSet<bool> = edge.shown.iter().map(|shown| shown.holds).collect();
            self.out.conditions.0 += 1;
            self.out.conditions.1 += usize::from(sides.len() == 2);
        }
        // `a != b` and `all` are kept as the opposite of what is written.
        let opposite = condition
            .as_deref()
            .is_some_and(|text| written::asks_opposite(text) || written::is_about_all(text));
        let name = match &condition {
            Some(condition) => format!("boundary of {}: {}", rule.name, short(condition)),
            None => format!("calls of {}", rule.name),
        };
        let calls = edge.shown.into_iter();
        let calls = calls.map(|shown| (shown.call, condition.is_some().then_some(shown.holds != opposite)));
        self.tests((&name, Some(&rule.name), condition.as_deref()), calls.collect());
        for mut gap in edge.gaps {
            gap.holds ^= opposite;
            self.out.gaps.push(Left {
                rule: rule.name.clone(),
                condition: condition.clone(),
                at: suite::position(self.package, edge.span.unwrap_or(rule.name_span)),
                gap,
            });
        }
    }

    fn tests(
        &mut self,
        (name, rule, condition): (&str, Option<&str>, Option<&str>),
        calls: Vec<(Case, Option<bool>)>,
    ) {
        let mut groups: Vec<Vec<Judged>> = Vec::new();
        for (call, holds) in calls {
            let Some(judged) = judged(&mut self.runner, &call) else {
                continue;
            };
            let Decision { verdict, matched, .. } = judged.decision;
            let case = Judged {
                verdict,
                matched: matched.iter().any(|of| Some(of.name.as_str()) == rule),
                call,
                holds,
            };
            let group = groups.iter_mut().find(|group| {
                let first = group.first();
                first.is_some_and(|first| are_together(&first.call, &case.call))
            });
            match group {
                Some(group) if group.iter().any(|known| known.call == case.call) => {}
                Some(group) => group.push(case),
                None => groups.push(vec![case]),
            }
        }
        for cases in groups {
            let name = self.free(name);
            self.out.tests.push(Made {
                name,
                rule: rule.map(str::to_owned),
                condition: condition.map(str::to_owned),
                cases,
            });
        }
    }

    /// A name of a test that is not taken.
    fn free(&mut self, name: &str) -> String {
        let numbered = (2u32..).map(|number| format!("{name} ({number})"));
        let all = std::iter::once(name.to_owned()).chain(numbered);
        let free = all.into_iter().find(|name| !self.names.contains(name));
        let free = free.unwrap_or_else(|| name.to_owned());
        self.names.insert(free.clone());
        free
    }

    /// A call for each verdict of each tool that no test so far shows.
    fn verdicts(&mut self) {
        let package = self.package;
        let runner = &mut self.runner;
        let covered = coverage::coverage_of(package, &|tool| !edges::is_heavy(tool), &mut |call| {
            let decision = judged(runner, call)?.decision;
            Some((decision.verdict, Vec::new()))
        });
        let mut all = Vec::new();
        for tool in covered {
            let shown = |verdict: Verdict| {
                let mut cases = self.out.tests.iter().flat_map(|test| &test.cases);
                cases.any(|case| case.call.tool == tool.tool && case.verdict == verdict)
            };
            let left = tool.reached.iter().filter(|reached| !shown(reached.verdict));
            let calls = left.filter_map(|reached| Some((reached.call.clone()?, None)));
            all.extend(calls);
        }
        self.tests(("other verdicts", None, None), all);
    }

    fn slice(&self, span: Span) -> &str {
        let source = self.package.sources.iter().find(|source| source.id == span.file);
        source.map_or("", |source| source.slice(span))
    }
}

/// Whether one test can hold both calls.
fn are_together(one: &Case, other: &Case) -> bool {
    one.given == other.given && one.session == other.session
}

/// A condition as far as the name of a test repeats it.
fn short(condition: &str) -> String {
    const CHARS: usize = 80;
    match condition.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", condition.get(..at).unwrap_or_default()),
        None => condition.to_owned(),
    }
}
