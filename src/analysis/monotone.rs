//! What may only ever make a verdict stricter: labels, of which a call has too many rather than too few wherever somebody
//! says nothing, and what the tools of a lower policy do in a session to the rules above it. In: a package with claims.
//! Out: a report per rule that gets looser by more labels, or by more such calls; what cannot be decided is one, too.

mod asked;

use super::Decided;
use super::apart::told_apart;
use super::asking::Asking;
use super::diagram::{Function, TooLarge};
use super::text::Writer;
use crate::classes::Matchers;
use crate::diag::Diagnostic;
use crate::diag::codes::{FOR_UPPER, LABEL_LOOSENS, NOT_DECIDED};
use crate::domain::Verdict;
use crate::hir::{
    Beside, Cond, Event, Labelled, Monitor, Package, PatternStep, Place, RelationOp, Rule, Slot, Step, Term,
    Tool,
};
use crate::ir::space::{Level, Needs};
use crate::source::Span;
use asked::{Weakened, What};

type Result<T> = std::result::Result<T, TooLarge>;

/// Checks the rules on every tool.
pub fn check(package: &Package, out: &mut Vec<Diagnostic>) {
    let mut matchers = Matchers::default();
    for (number, tool) in package.tools.iter().enumerate() {
        if !tool.slots.iter().any(|slot| may_matter(package, tool, slot)) {
            continue;
        }
        let found = Asking::about(package, number, &[]).ask(&mut matchers, &mut |decided| {
            let mut found = Vec::new();
            Search { package, tool }.run(decided, &mut found)?;
            Ok(found)
        });
        for report in found.unwrap_or_else(|TooLarge| vec![not_decided(package, number)]) {
            let known = |d: &Diagnostic| (d.code, d.primary.span) == (report.code, report.primary.span);
            if !out.iter().any(known) {
                out.push(report);
            }
        }
    }
}

/// Whether more labels, or calls of tools of a lower policy, may change what a slot says.
fn may_matter(package: &Package, tool: &Tool, slot: &Slot) -> bool {
    let search = Search { package, tool };
    match slot {
        Slot::Label { .. } | Slot::Each(_) => true,
        Slot::Holds(cond) => search.moved(cond, &mut Vec::new()) != (false, false),
        Slot::History(number) | Slot::Tally(number) => {
            let monitor = package.history.monitors.get(*number as usize);
            let highest = package.policies.len().saturating_sub(1);
            let counted = [Counted::Labels, Counted::Calls(highest)];
            monitor.is_some_and(|monitor| counted.iter().any(|of| !search.by(monitor, *of).is_empty()))
        }
        _ => false,
    }
}

/// What there is more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    /// Calls of tools that are declared below a level of the policies, of which the policy itself is level 0.
    Calls(usize),
    /// Labels of the calls that there are.
    Labels,
}

fn flipped((more, less): (bool, bool)) -> (bool, bool) {
    (less, more)
}

fn either(a: (bool, bool), b: (bool, bool)) -> (bool, bool) {
    (a.0 | b.0, a.1 | b.1)
}

/// Whether an event is one by labels: of its result, or of the arguments of its call.
fn asks_labels(package: &Package, event: &Event) -> bool {
    let mut calls = event.calls.iter();
    event.labels != 0
        || calls.any(|(number, cond)| {
            let Some(tool) = package.tools.get(*number) else {
                return false;
            };
            let search = Search { package, tool };
            search.moved(cond, &mut Vec::new()) != (false, false)
        })
}

/// Whether a tool is declared below a level of the policies.
fn is_lower(package: &Package, tool: &Tool, level: usize) -> bool {
    let own = package.source_policies.get(tool.span.file.0 as usize);
    own.is_some_and(|own| *own < level)
}

/// A way in which a variable may change.
struct Move<'p> {
    variable: u32,
    from: u32,
    to: u32,
    /// What the policy asks there.
    text: String,
    /// The tool of a lower policy whose calls do it; labels do where there is none.
    by: Option<&'p Tool>,
}

/// Verdicts that must not get looser.
struct Kept<'a> {
    default: Verdict,
    is_of: &'a dyn Fn(usize) -> bool,
}

/// A verdict that does: the rule that starts or stops to match, and both verdicts.
struct Loosened<'p> {
    rule: &'p Rule,
    from: Verdict,
    to: Verdict,
}

struct Search<'p> {
    package: &'p Package,
    tool: &'p Tool,
}

impl<'p> Search<'p> {
    fn run(&self, decided: &mut Decided<'p>, out: &mut Vec<Diagnostic>) -> Result<()> {
        let package = self.package;
        let moves = self.by_labels(decided);
        let kept = Kept {
            default: package.default.0,
            is_of: &|_| true,
        };
        // Labels may come in any company: of which sources a value is not known is not known either.
        let possible = decided.calls.possible;
        for step in &moves {
            let known = decided.calls.possible;
            let logic = &mut decided.calls.logic;
            let ends = [
                logic.at(known, step.variable, step.from)?,
                logic.at(known, step.variable, step.to)?,
            ];
            decided.calls.possible = logic.any(ends)?;
        }
        self.look(decided, &moves, &kept, out)?;
        decided.calls.possible = possible;
        for (level, policy) in package.policies.iter().enumerate().skip(1) {
            let moves = self.by_calls(decided, Counted::Calls(level));
            let kept = Kept {
                default: policy.default,
                is_of: &|rule| package.rules.get(rule).is_some_and(|rule| rule.policy >= level),
            };
            self.look(decided, &moves, &kept, out)?;
        }
        Ok(())
    }

    fn look(
        &self,
        decided: &mut Decided<'p>,
        moves: &[Move<'p>],
        kept: &Kept<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> Result<()> {
        if moves.is_empty() {
            return Ok(());
        }
        let verdicts = decided.verdicts(kept.default, kept.is_of)?;
        for step in moves {
            if let Some(found) = loosened(decided, step, kept, &verdicts)? {
                out.push(self.report(step, &found));
            } else {
                let found = asked::weakened(decided, step, kept, &verdicts)?;
                out.extend(found.iter().map(|found| self.report_weakened(step, found)));
            }
        }
        Ok(())
    }

    /// How more labels change what is asked.
    fn by_labels(&self, decided: &Decided<'_>) -> Vec<Move<'p>> {
        let writer = Writer::new(self.package, self.tool, &decided.slots);
        let mut moves = Vec::new();
        for (at, slot) in decided.slots.iter().enumerate() {
            match slot {
                Slot::Label { .. } => {
                    let variable = variable(decided, self.tool, at);
                    moves.extend(variable.map(|variable| up(variable, writer.asked(slot))));
                }
                Slot::Holds(cond) => {
                    let Some(variable) = variable(decided, self.tool, at) else {
                        continue;
                    };
                    let (more, less) = self.moved(cond, &mut Vec::new());
                    let text = || writer.asked(slot);
                    moves.extend(more.then(|| up(variable, text())));
                    moves.extend(less.then(|| down(variable, text())));
                }
                Slot::Each(labelled) => {
                    let text = format!("labels of what is in {}", writer.asked(slot));
                    moves.extend(of_elements(decided, &field(self.tool, at), labelled, &text));
                }
                _ => {}
            }
        }
        moves.extend(self.by_calls(decided, Counted::Labels));
        moves
    }

    /// Whether more labels can make a condition hold, and fail; `open` has the lists of open quantifiers with labels.
    fn moved<'c>(&'c self, cond: &'c Cond, open: &mut Vec<(u32, &'c Labelled)>) -> (bool, bool) {
        match cond {
            Cond::Const(_) => (false, false),
            Cond::Not(inner) => flipped(self.moved(inner, open)),
            Cond::And(parts) | Cond::Or(parts) => parts
                .iter()
                .fold((false, false), |all, part| either(all, self.moved(part, open))),
            Cond::Atom(atom) => {
                let list = open.iter().rev().find(|(level, _)| *level == atom.place.level);
                let beside = list.and_then(|(_, labelled)| labelled.beside(&atom.place.steps));
                let is_label = matches!(beside, Some(Beside::Label { .. }))
                    || matches!(self.slot(&atom.place), Some(Slot::Label { .. }));
                (is_label, false)
            }
            Cond::Any {
                list, level, body, ..
            } => self.within(list, *level, open, |search, open| search.moved(body, open)),
            Cond::Relation(relation) => {
                let (left, right) = (
                    self.grown(&relation.left, open),
                    self.grown(&relation.right, open),
                );
                let less = either(flipped(left), right);
                match relation.op {
                    RelationOp::Less | RelationOp::LessOrEqual => less,
                    RelationOp::Equal | RelationOp::Under => either(less, flipped(less)),
                }
            }
        }
    }

    /// Whether more labels can make a number greater, and less.
    fn grown<'c>(&'c self, term: &'c Term, open: &mut Vec<(u32, &'c Labelled)>) -> (bool, bool) {
        match term {
            Term::Place(_) | Term::Const(_) | Term::Else(..) => (false, false),
            Term::Add(a, b) => either(self.grown(a, open), self.grown(b, open)),
            Term::Sub(a, b) => either(self.grown(a, open), flipped(self.grown(b, open))),
            Term::Sum { term, list, level } => {
                self.within(list, *level, open, |search, open| search.grown(term, open))
            }
            Term::Count { list, level, body } => {
                self.within(list, *level, open, |search, open| search.moved(body, open))
            }
        }
    }

    /// What is asked of the elements of a list.
    fn within<'c>(
        &'c self,
        list: &'c Place,
        level: u32,
        open: &mut Vec<(u32, &'c Labelled)>,
        ask: impl FnOnce(&'c Self, &mut Vec<(u32, &'c Labelled)>) -> (bool, bool),
    ) -> (bool, bool) {
        let outer = open.iter().rev().find(|(of, _)| *of == list.level);
        let inner = match outer.map(|(_, labelled)| labelled.beside(&list.steps)) {
            Some(Some(Beside::List(inner))) => Some(inner),
            Some(_) => None,
            None => match self.slot(list) {
                Some(Slot::Each(labelled)) => Some(labelled),
                _ => None,
            },
        };
        let Some(inner) = inner else {
            return ask(self, open);
        };
        open.push((level, inner));
        let found = ask(self, open);
        open.pop();
        found
    }

    /// What the gate computes at a place.
    fn slot(&self, place: &Place) -> Option<&Slot> {
        let (0, [Step::Field(first), ..]) = (place.level, place.steps.as_slice()) else {
            return None;
        };
        let at = (*first as usize).checked_sub(self.tool.args.len() + 1)?;
        self.tool.slots.get(at)
    }

    /// How more calls, or labels, can change what a monitor says: whether to more, whether to less, and the tool that is
    /// called.
    fn by(&self, monitor: &Monitor, counted: Counted) -> Vec<(bool, bool, Option<&'p Tool>)> {
        let package = self.package;
        let tool = |number: &usize| package.tools.get(*number);
        let by_event = |number: u32| {
            let event = package.history.events.get(number as usize)?;
            match counted {
                Counted::Labels => asks_labels(package, event).then_some(None),
                Counted::Calls(level) => {
                    let mut tools = event.calls.iter().filter_map(|(number, _)| tool(number));
                    tools.find(|tool| is_lower(package, tool, level)).map(Some)
                }
            }
        };
        let one = |number: u32, more, less| by_event(number).map(|tool| (more, less, tool));
        match (monitor, counted) {
            (Monitor::Flag { set, clear, .. }, _) => {
                let clear = clear.and_then(|clear| one(clear, false, true));
                one(*set, true, false).into_iter().chain(clear).collect()
            }
            // Whatever call it is, it comes between others.
            (Monitor::Pattern(_), Counted::Calls(level)) => {
                let mut tools = package.tools.iter();
                let lower = tools.find(|tool| is_lower(package, tool, level));
                lower.map(|tool| (true, true, Some(tool))).into_iter().collect()
            }
            // A call that has more labels is still the same call in its place.
            (Monitor::Pattern(steps), Counted::Labels) => {
                let event = |step: &PatternStep| match step {
                    PatternStep::Event(event) => one(*event, true, false),
                    PatternStep::Any | PatternStep::Maybe => None,
                };
                steps.iter().filter_map(event).collect()
            }
            (Monitor::Count { event, .. } | Monitor::Recent { event, .. }, _) => {
                one(*event, true, false).into_iter().collect()
            }
        }
    }

    /// How more calls, or labels, change what is asked of the session.
    fn by_calls(&self, decided: &Decided<'_>, counted: Counted) -> Vec<Move<'p>> {
        let writer = Writer::new(self.package, self.tool, &decided.slots);
        let mut moves = Vec::new();
        for (at, slot) in decided.slots.iter().enumerate() {
            let (Slot::History(number) | Slot::Tally(number)) = slot else {
                continue;
            };
            let (Some(variable), Some(monitor)) = (
                variable(decided, self.tool, at),
                self.package.history.monitors.get(*number as usize),
            ) else {
                continue;
            };
            // The last class is that of a missing value, which is never missing.
            let most = decided.calls.logic.count(variable).saturating_sub(2);
            for (more, less, by) in self.by(monitor, counted) {
                let each = |(from, to)| Move {
                    variable,
                    from,
                    to,
                    text: writer.asked(slot),
                    by,
                };
                let ways = (0..most).map(|class| (class, class + 1));
                if more {
                    moves.extend(ways.clone().map(each));
                }
                if less {
                    moves.extend(ways.map(|(a, b)| each((b, a))));
                }
            }
        }
        moves
    }

    fn report(&self, step: &Move<'_>, found: &Loosened<'_>) -> Diagnostic {
        let (rule, tool) = (found.rule, &self.tool.name);
        let gives = format!("this rule gives `{}`", rule.verdict);
        if let Some(by) = step.by {
            let message = format!(
                "calls of `{}` could loosen a verdict that is given above, on `{tool}` from `{}` to `{}`",
                by.name, found.from, found.to
            );
            return Diagnostic::error(FOR_UPPER, by.span, message)
                .label("declared by a lower policy")
                .also(
                    rule.name_span,
                    format!("this rule of a policy above asks for `{}`", step.text),
                )
                .help(
                    "have the policy above declare the tool, or name in its rule the tools that are meant",
                );
        }
        let message = format!(
            "`{}` could loosen the verdict on `{tool}`: `{}` without, `{}` with it",
            step.text, found.from, found.to
        );
        let span = rule.conditions_span.unwrap_or(rule.name_span);
        Diagnostic::error(LABEL_LOOSENS, span, message)
            .label("asks for a label to be looser")
            .also(rule.name_span, gives)
            .why("where nobody says where a value comes from, or the session is not known, it has every label that it may have")
            .help("ask for labels only to be stricter: `unless labels(…) has untrusted`, with `source` or `declassify` for what is vouched for")
    }
}

impl Search<'_> {
    fn report_weakened(&self, step: &Move<'_>, found: &Weakened<'_>) -> Diagnostic {
        let (rule, tool) = (found.rule, &self.tool.name);
        let what = match found.what {
            What::Approvals => "the approvals that it asks for",
            What::Obligation => "what it obliges",
        };
        if let Some(by) = step.by {
            let message = format!(
                "calls of `{}` could switch off what rule `{}` above asks for on `{tool}`",
                by.name, rule.name
            );
            return Diagnostic::error(FOR_UPPER, by.span, message)
                .label("declared by a lower policy")
                .also(rule.name_span, format!("it asks for `{}`", step.text))
                .why(format!(
                    "where it does not match, {what} may be asked for by no rule"
                ))
                .help(
                    "have the policy above declare the tool, or name in its rule the tools that are meant",
                );
        }
        let message = format!(
            "`{}` could switch off what rule `{}` asks for on `{tool}`",
            step.text, rule.name
        );
        let span = rule.conditions_span.unwrap_or(rule.name_span);
        Diagnostic::error(LABEL_LOOSENS, span, message)
            .label("asks for less where there is a label")
            .why(format!(
                "where it does not match, {what} may be asked for by no rule, and the call may still run"
            ))
            .help("ask for labels only to be stricter, or have a rule that no label moves ask for the same")
    }
}

/// How labels of the elements of a list change its quantifiers.
fn of_elements<'p>(decided: &Decided<'_>, at: &[Step], labelled: &Labelled, text: &str) -> Vec<Move<'p>> {
    let mut moves = Vec::new();
    let lists = decided.calls.level.lists.iter().zip(&decided.calls.lists);
    for (list, (first, _)) in lists.filter(|(list, _)| list.steps == at) {
        for (variable, rows) in (*first..).zip(&list.predicates) {
            let (more, less) = direction(rows, &list.element, labelled);
            if more {
                moves.push(up(variable, text.to_owned()));
            }
            if less {
                moves.push(down(variable, text.to_owned()));
            }
        }
    }
    moves
}

fn up<'p>(variable: u32, text: String) -> Move<'p> {
    Move {
        variable,
        from: 0,
        to: 1,
        text,
        by: None,
    }
}

fn down<'p>(variable: u32, text: String) -> Move<'p> {
    Move {
        from: 1,
        to: 0,
        ..up(variable, text)
    }
}

/// Where the gate puts a slot.
fn field(tool: &Tool, at: usize) -> Vec<Step> {
    let field = u32::try_from(tool.args.len() + 1 + at).unwrap_or(u32::MAX);
    vec![Step::Field(field)]
}

fn variable(decided: &Decided<'_>, tool: &Tool, at: usize) -> Option<u32> {
    let steps = field(tool, at);
    let all = &decided.calls.level.variables;
    let found = all.iter().position(|variable| variable.steps == steps)?;
    u32::try_from(found).ok()
}

/// Whether more labels of an element can make one of these conjunctions hold, and fail.
fn direction(rows: &[Needs], element: &Level, labelled: &Labelled) -> (bool, bool) {
    let (mut more, mut less) = (false, false);
    for needs in rows {
        for (variable, classes) in &needs.classes {
            let variable = element.variables.get(*variable as usize);
            let beside = variable.and_then(|variable| labelled.beside(&variable.steps));
            if matches!(beside, Some(Beside::Label { .. })) {
                more |= !classes.contains(0);
                less |= !classes.contains(1);
            }
        }
        for (list, predicate, wanted) in &needs.lists {
            let Some(list) = element.lists.get(*list as usize) else {
                continue;
            };
            let (Some(Beside::List(inner)), Some(rows)) = (
                labelled.beside(&list.steps),
                list.predicates.get(*predicate as usize),
            ) else {
                continue;
            };
            let (up, down) = direction(rows, &list.element, inner);
            more |= if *wanted { up } else { down };
            less |= if *wanted { down } else { up };
        }
    }
    (more, less)
}

/// A rule by which some call gets a looser verdict where a variable changes so.
fn loosened<'p>(
    decided: &mut Decided<'p>,
    step: &Move<'_>,
    kept: &Kept<'_>,
    verdicts: &[Function; 4],
) -> Result<Option<Loosened<'p>>> {
    let package = decided.package;
    let possible = decided.possible();
    let logic = decided.logic();
    let there = logic.at(possible, step.variable, step.to)?;
    // A label may leave to people what would be refused: they still decide.
    let by_labels = |least: &Verdict| step.by.is_some() || *least <= Verdict::RequireApproval;
    for least in Verdict::ALL.into_iter().skip(1).filter(by_labels) {
        let strict = logic.any(verdicts.iter().skip(least as usize).copied())?;
        let before = logic.at(strict, step.variable, step.from)?;
        let after = logic.at(strict, step.variable, step.to)?;
        let lost = logic.without(before, after)?;
        let lost = logic.and(lost, there)?;
        let Some(point) = logic.point(lost)? else {
            continue;
        };
        let with = |class: u32| {
            let mut point = point.clone();
            if let Some(value) = point.get_mut(step.variable as usize) {
                *value = class;
            }
            point
        };
        let ends = [with(step.from), with(step.to)];
        let matching = |logic: &super::logic::Logic, rules: &[(usize, Function)], end: &[u32]| {
            let those = rules
                .iter()
                .filter(|(rule, calls)| (kept.is_of)(*rule) && logic.is_at(*calls, end));
            those
                .filter_map(|(rule, _)| package.rules.get(*rule))
                .collect::<Vec<&Rule>>()
        };
        let [from, to] = ends.map(|end| matching(&decided.calls.logic, &decided.rules, &end));
        let is_in = |some: &[&Rule], rule: &&Rule| some.iter().any(|other| other.name == rule.name);
        let stops = from
            .iter()
            .find(|rule| rule.verdict >= least && !is_in(&to, rule));
        let starts = to.iter().find(|rule| !is_in(&from, rule));
        let verdict = |rules: &[&Rule]| {
            let given = rules.iter().map(|rule| rule.verdict).max();
            let silent = rules.iter().all(|rule| rule.limit).then_some(kept.default);
            given.max(silent).unwrap_or(kept.default)
        };
        return Ok(stops.or(starts).map(|rule| Loosened {
            rule,
            from: verdict(&from),
            to: verdict(&to),
        }));
    }
    Ok(None)
}

fn not_decided(package: &Package, number: usize) -> Diagnostic {
    let tool = package.tools.get(number);
    let (name, span) = tool.map_or(("", Span::default()), |tool| (tool.name.as_str(), tool.span));
    let message = format!("whether labels could loosen a verdict on `{name}` was not decided");
    Diagnostic::error(NOT_DECIDED, span, message)
        .why(told_apart(package, number, &[]))
        .help("split the tool, or the rules on it")
}
