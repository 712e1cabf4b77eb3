//! Building the index of each tool: questions gathered per variable, values cut into classes, conditions turned into
//! rows. What would be too large, and conditions that can never hold, are reported here, before anything is lowered.

use super::masks::{Constraint, Masks};
use super::rows::{self, Literal, Names, Row};
use super::space::{self, Level, Variable};
use super::{List, Predicate, Scope, Severity, ToolProgram, Var};
use crate::classes::{ClassSet, Classifier, Matchers, Partition, partition, partition_with};
use crate::diag::Diagnostic;
use crate::diag::codes::{CONSTANT_CONDITION, TOO_LARGE};
use crate::hir::{Atom, Cond, Package, Question, Shape, Step};
use crate::limits;
use crate::source::Span;
use crate::ty::Ty;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The index of every tool of a package; reports instead where it cannot be built.
pub fn build(package: &Package, out: &mut Vec<Diagnostic>) -> Vec<ToolProgram> {
    let mut matchable: BTreeSet<usize> = BTreeSet::new();
    let mut always: BTreeMap<usize, usize> = BTreeMap::new();
    let mut matchers = Matchers::default();
    let mut tools: Vec<ToolProgram> = (0..package.tools.len())
        .filter_map(|tool| one_tool(package, tool, &mut matchers, &mut matchable, &mut always, out))
        .collect();
    if out.iter().any(Diagnostic::is_error) {
        return tools;
    }
    super::cost::check(package, &mut tools, out);
    for (index, rule) in package.rules.iter().enumerate() {
        let conditional = rule.on.iter().any(|(_, c)| *c != Cond::And(Vec::new()));
        if !rule.on.is_empty() && !matchable.contains(&index) {
            let message = format!("rule `{}` can never match", rule.name);
            let span = rule.conditions_span.unwrap_or(rule.name_span);
            let report = Diagnostic::error(CONSTANT_CONDITION, span, message);
            out.push(
                report
                    .label("no call satisfies this")
                    .why("its conditions exclude one another")
                    .help("remove the rule or mend its conditions"),
            );
        } else if conditional && always.get(&index) == Some(&rule.on.len()) {
            let message = format!("the conditions of rule `{}` always hold", rule.name);
            let span = rule.conditions_span.unwrap_or(rule.name_span);
            let report = Diagnostic::warning(CONSTANT_CONDITION, span, message);
            let report = report.label("every call satisfies this");
            out.push(report.help("leave them out, or mend them if they should tell calls apart"));
        }
    }
    tools
}

fn one_tool(
    package: &Package,
    tool: usize,
    matchers: &mut Matchers,
    matchable: &mut BTreeSet<usize>,
    always: &mut BTreeMap<usize, usize>,
    out: &mut Vec<Diagnostic>,
) -> Option<ToolProgram> {
    let declared = package.tools.get(tool)?;
    let mut rules: Vec<(usize, &Cond)> = Vec::new();
    for (index, rule) in package.rules.iter().enumerate() {
        rules.extend(
            rule.on
                .iter()
                .filter(|(t, _)| *t == tool)
                .map(|(_, c)| (index, c)),
        );
    }
    let uses = super::context::uses(declared.args.len(), &declared.slots, {
        let asked = package.history.events.iter().flat_map(|event| &event.calls);
        let asked = asked.filter(|(of, _)| *of == tool).map(|(_, cond)| cond);
        rules.iter().map(|(_, cond)| *cond).chain(asked)
    });
    let first = u32::try_from(declared.args.len() + 1).unwrap_or(u32::MAX);
    let mut slots = declared.slots.clone();
    let written = rules;
    let rules: Vec<(usize, Cond)> = written
        .iter()
        .map(|(index, cond)| (*index, super::apart::apart(cond, first, &mut slots)))
        .collect();
    let mut builder = Builder::new();
    for (_, cond) in &rules {
        builder.gather(cond, &mut BTreeMap::from([(0, 0)]));
    }
    if let Err(span) = builder.cut(matchers) {
        let report = Diagnostic::error(TOO_LARGE, span, "this pattern needs too large an automaton");
        out.push(report.help("make it more specific, or bound its repetitions"));
        return None;
    }
    builder.reflect();
    let with_slots = crate::hir::Tool {
        slots: slots.clone(),
        ..declared.clone()
    };
    super::polarity::check(package, &with_slots, &written, &rules, &mut builder, out);
    let mut all: Vec<Row> = Vec::new();
    let mut rule_of = Vec::new();
    for (index, cond) in &rules {
        let index = *index;
        let rule = package.rules.get(index)?;
        let Ok(rows) = rows::rows(cond, &mut builder) else {
            let limit = limits::ROWS_PER_RULE;
            let message = format!("the conditions of rule `{}` need over {limit} rows", rule.name);
            let report = Diagnostic::error(TOO_LARGE, rule.name_span, message);
            out.push(report.help("split it into several rules"));
            continue;
        };
        if !rows.is_empty() {
            matchable.insert(index);
        }
        if rows.iter().any(Row::is_empty) {
            *always.entry(index).or_default() += 1;
        }
        rule_of.extend(rows.iter().map(|_| u32::try_from(index).unwrap_or(u32::MAX)));
        all.extend(rows);
    }
    super::obligation::check(package, all.iter().zip(&rule_of), out);
    if builder.table_bytes(all.len()) > limits::CLASS_TABLE_BYTES {
        let message = format!("the rules on tool `{}` need too large an index", declared.name);
        let report = Diagnostic::error(TOO_LARGE, declared.span, message);
        out.push(report.help("use fewer rules, or fewer different constants for one argument"));
        return None;
    }
    let (all, rule_of) = cluster(all, rule_of);
    let scope = builder.finish(0, &all);
    if builder.lost.get() {
        let message = format!("the rules on tool `{}` nest too many alternatives", declared.name);
        let report = Diagnostic::error(TOO_LARGE, declared.span, message);
        out.push(report.help("split rules with many alternatives into several"));
        return None;
    }
    let severity = Severity::new(&rule_of, |rule| {
        package.rules.get(rule as usize).map(|r| (r.verdict, r.limit))
    });
    let (name, args, targets) = (
        declared.name.clone(),
        declared.args.clone(),
        declared.targets.clone(),
    );
    Some(ToolProgram {
        name,
        args,
        open: declared.open,
        targets,
        uses,
        slots,
        carries: declared.carries.clone(),
        returns: declared.returns,
        events: super::session::events(package, tool),
        limits: super::limit::of_tool(package, tool),
        rows: rule_of,
        severity,
        scope,
        // Known once every tool is there.
        steps: 0,
    })
}

/// Puts rows side by side that demand alike: sorted by what they ask of the variable that rules out most, then of the next.
/// Whatever class that variable has, the rows it leaves are neighbours, and only their words are looked at afterwards.
fn cluster(rows: Vec<Row>, rule_of: Vec<u32>) -> (Vec<Row>, Vec<u32>) {
    let worth = worth(&rows);
    let mut ranked: Vec<(Reverse<u64>, Literal)> = worth.into_iter().map(|(l, w)| (Reverse(w), l)).collect();
    ranked.sort_unstable();
    let rank: BTreeMap<Literal, usize> = ranked.into_iter().map(|(_, l)| l).zip(0..).collect();
    let key = |row: &Row| {
        let mut key: Vec<(Option<usize>, ClassSet)> = row
            .iter()
            .map(|(l, classes)| (rank.get(l).copied(), classes.clone()))
            .collect();
        key.sort_unstable();
        key
    };
    let mut keyed: Vec<_> = rows
        .into_iter()
        .zip(rule_of)
        .map(|(row, rule)| (key(&row), rule, row))
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, rule, row)| (row, rule)).unzip()
}

/// How much each variable or predicate rules out: over all rows the share of its classes that they refuse, in thousandths.
fn worth(rows: &[Row]) -> BTreeMap<Literal, u64> {
    let mut worth: BTreeMap<Literal, u64> = BTreeMap::new();
    for (literal, classes) in rows.iter().flatten() {
        let all = u64::from(classes.count().max(1));
        let refused = all.saturating_sub(u64::from(classes.len()));
        *worth.entry(*literal).or_default() += refused * 1000 / all;
    }
    worth
}

/// A scope being built.
#[derive(Default)]
struct Building {
    variables: BTreeMap<Vec<Step>, Asked>,
    /// Element scopes of lists in this scope, numbered in order of `steps`.
    lists: BTreeMap<Vec<Step>, usize>,
    /// The number of the first variable of each place, once cut.
    first: BTreeMap<Vec<Step>, u32>,
    partitions: BTreeMap<Vec<Step>, Partition>,
    /// Rows of each predicate, where this is the scope of a list's elements.
    predicates: Vec<Vec<Row>>,
}

struct Asked {
    ty: Ty,
    questions: BTreeSet<Question>,
    /// Where each pattern is asked first.
    shapes: BTreeMap<Shape, Span>,
}

impl Asked {
    /// The place of a pattern that is too large by itself.
    fn too_large(&self) -> Span {
        let alone = |shape: &Shape| BTreeSet::from([Question::Shape(shape.clone())]);
        let mut large = self
            .shapes
            .iter()
            .filter(|(shape, _)| partition(&self.ty, &alone(shape)).is_none());
        large.next().map(|(_, span)| *span).unwrap_or_default()
    }
}

/// The scopes of one tool being built, the arguments' first.
#[derive(Default)]
pub(super) struct Builder {
    scopes: Vec<Building>,
    /// Whether a row asks for what no scope has.
    lost: Cell<bool>,
}

impl Builder {
    /// Nothing but the arguments.
    pub(super) fn new() -> Self {
        Self {
            scopes: vec![Building::default()],
            lost: Cell::new(false),
        }
    }

    /// Whether every question of a condition has its classes.
    pub(super) fn knows(&self, cond: &Cond, chain: &mut BTreeMap<u32, usize>) -> bool {
        match cond {
            Cond::Const(_) | Cond::Relation(_) => true,
            Cond::Not(inner) => self.knows(inner, chain),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().all(|part| self.knows(part, chain)),
            Cond::Atom(atom) => {
                let scope = chain
                    .get(&atom.place.level)
                    .and_then(|scope| self.scopes.get(*scope));
                let cut = scope.and_then(|scope| scope.partitions.get(&atom.place.steps));
                cut.is_some_and(|cut| cut.answers.contains_key(&atom.test))
            }
            Cond::Any {
                list, level, body, ..
            } => {
                let outer = chain.get(&list.level).and_then(|scope| self.scopes.get(*scope));
                let Some(inner) = outer.and_then(|outer| outer.lists.get(&list.steps)).copied() else {
                    return false;
                };
                chain.insert(*level, inner);
                let known = self.knows(body, chain);
                chain.remove(level);
                known
            }
        }
    }

    /// Cuts the variables that have questions without classes, and numbers all of them. What finds the class of a value
    /// is left out: nothing is decided with these.
    pub(super) fn cut_again(&mut self, matchers: &mut Matchers) -> Option<()> {
        for scope in &mut self.scopes {
            let mut number = 0;
            for (steps, variable) in &scope.variables {
                let known = scope.partitions.get(steps);
                let asked = |cut: &Partition| variable.questions.iter().all(|q| cut.answers.contains_key(q));
                if !known.is_some_and(asked) {
                    let mut cut = partition_with(&variable.ty, &variable.questions, matchers)?;
                    cut.groups
                        .iter_mut()
                        .for_each(|group| group.classifier = Classifier::Any);
                    scope.partitions.insert(steps.clone(), cut);
                }
                let groups = scope.partitions.get(steps).map_or(0, |cut| cut.groups.len());
                scope.first.insert(steps.clone(), number);
                number += u32::try_from(groups).unwrap_or(u32::MAX);
            }
        }
        Some(())
    }

    /// Drops the predicates of the conditions seen so far.
    pub(super) fn forget(&mut self) {
        self.scopes.iter_mut().for_each(|scope| scope.predicates.clear());
    }

    /// Takes back `reflect`, which was the last change.
    pub(super) fn unreflect(&mut self) {
        self.scopes.pop();
        if let Some(top) = self.scopes.first_mut() {
            top.lists.remove(&Vec::new());
        }
    }

    /// Collects every question, per scope and variable.
    pub(super) fn gather(&mut self, cond: &Cond, chain: &mut BTreeMap<u32, usize>) {
        match cond {
            // A comparison between values has become a slot.
            Cond::Const(_) | Cond::Relation(_) => {}
            Cond::Not(inner) => self.gather(inner, chain),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|p| self.gather(p, chain)),
            Cond::Atom(atom) => {
                let scope = chain.get(&atom.place.level).copied().unwrap_or(0);
                if let Some(scope) = self.scopes.get_mut(scope) {
                    let fresh = || Asked {
                        ty: atom.ty.clone(),
                        questions: BTreeSet::new(),
                        shapes: BTreeMap::new(),
                    };
                    let variable = scope
                        .variables
                        .entry(atom.place.steps.clone())
                        .or_insert_with(fresh);
                    variable.questions.insert(atom.test.clone());
                    if let Question::Shape(shape) = &atom.test {
                        variable.shapes.entry(shape.clone()).or_insert(atom.span);
                    }
                }
            }
            Cond::Any {
                list, level, body, ..
            } => {
                let outer = chain.get(&list.level).copied().unwrap_or(0);
                let fresh = self.scopes.len();
                let inner = match self.scopes.get_mut(outer) {
                    Some(scope) => *scope.lists.entry(list.steps.clone()).or_insert(fresh),
                    None => return,
                };
                if inner == fresh {
                    self.scopes.push(Building::default());
                }
                chain.insert(*level, inner);
                self.gather(body, chain);
                chain.remove(level);
            }
        }
    }

    /// Cuts every variable into classes; the place of a pattern that is too large otherwise.
    pub(super) fn cut(&mut self, matchers: &mut Matchers) -> Result<(), Span> {
        for scope in &mut self.scopes {
            let mut number = 0;
            for (steps, variable) in &scope.variables {
                let cut = partition_with(&variable.ty, &variable.questions, matchers)
                    .ok_or_else(|| variable.too_large())?;
                scope.first.insert(steps.clone(), number);
                number += u32::try_from(cut.groups.len()).unwrap_or(u32::MAX);
                scope.partitions.insert(steps.clone(), cut);
            }
        }
        Ok(())
    }

    /// What is known of a scope, to those who do not decide with it.
    pub(super) fn level(&self, scope: usize) -> Level {
        let Some(building) = self.scopes.get(scope) else {
            return Level::default();
        };
        let variables = building.variables.iter().flat_map(|(steps, variable)| {
            let groups = building.partitions.get(steps).map_or(&[][..], |cut| &cut.groups);
            groups.iter().map(|group| Variable {
                steps: steps.clone(),
                ty: variable.ty.clone(),
                classifier: group.classifier.clone(),
                count: group.count,
            })
        });
        let lists = building.lists.iter().map(|(steps, inner)| space::List {
            steps: steps.clone(),
            element: self.level(*inner),
            predicates: self.scopes.get(*inner).map_or(Vec::new(), |inner| {
                let of = |rows: &Vec<Row>| rows.iter().map(space::needs).collect();
                inner.predicates.iter().map(of).collect()
            }),
        });
        Level {
            variables: variables.collect(),
            lists: lists.collect(),
        }
    }

    /// Gives the arguments a list of one, themselves, with the same variables and lists: what a condition asks apart.
    pub(super) fn reflect(&mut self) {
        let fresh = self.scopes.len();
        let Some(top) = self.scopes.first_mut() else {
            return;
        };
        let mut itself = Building {
            lists: top.lists.clone(),
            first: top.first.clone(),
            partitions: top.partitions.clone(),
            ..Building::default()
        };
        top.lists.insert(Vec::new(), fresh);
        // Numbers of lists follow their steps; the twin keeps a place for the list it does not have.
        itself.lists.insert(Vec::new(), usize::MAX);
        self.scopes.push(itself);
    }

    /// The most the masks of all scopes can take, in bytes, when no scope has more than `rows` rows of its own.
    fn table_bytes(&self, rows: usize) -> usize {
        let of = |scope: &Building| -> usize {
            let own: usize = scope.predicates.iter().map(Vec::len).sum();
            let rows = u32::try_from(rows.max(own)).unwrap_or(u32::MAX);
            let groups = scope.partitions.values().flat_map(|p| &p.groups);
            let tables = groups.map(|group| super::masks::bytes(group.count, rows));
            tables.fold(0, usize::saturating_add)
        };
        self.scopes.iter().map(of).fold(0, usize::saturating_add)
    }

    /// The scope with the masks its rows need.
    fn finish(&self, scope: usize, rows: &[Row]) -> Scope {
        let Some(building) = self.scopes.get(scope) else {
            return Scope {
                rows: 0,
                vars: Vec::new(),
                lists: Vec::new(),
            };
        };
        let mut demands = demands(rows);
        let worth = worth(rows);
        let of_scope = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut vars: Vec<(Reverse<u64>, Var)> = Vec::new();
        let mut number = 0;
        for (steps, cut) in &building.partitions {
            for group in &cut.groups {
                let literal = Literal::Var(number);
                if let Some(constraints) = demands.remove(&literal) {
                    let var = Var {
                        steps: steps.clone(),
                        classifier: group.classifier.clone(),
                        count: group.count,
                        masks: Masks::build(group.count, of_scope, constraints),
                    };
                    vars.push((Reverse(worth.get(&literal).copied().unwrap_or(0)), var));
                }
                number += 1;
            }
        }
        vars.sort_by_key(|(worth, var)| (cost(&var.classifier), *worth));
        let lists = building
            .lists
            .iter()
            .enumerate()
            .filter_map(|(number, (steps, inner))| {
                self.list(u32::try_from(number).ok()?, steps, *inner, of_scope, &mut demands)
            });
        let lists = lists.collect();
        // A row that has lost a condition would match too much.
        if !demands.is_empty() {
            self.lost.set(true);
        }
        Scope {
            rows: of_scope,
            vars: vars.into_iter().map(|(_, var)| var).collect(),
            lists,
        }
    }

    fn list(
        &self,
        number: u32,
        steps: &[Step],
        inner: usize,
        outer: u32,
        demands: &mut BTreeMap<Literal, Vec<Constraint>>,
    ) -> Option<List> {
        let building = self.scopes.get(inner)?;
        let mut rows: Vec<Row> = Vec::new();
        let mut predicates = Vec::new();
        for (predicate, own) in building.predicates.iter().enumerate() {
            // A predicate that no row asks for in the end was lifted away.
            let key = Literal::Any(number, u32::try_from(predicate).ok()?);
            let Some(constraints) = demands.remove(&key) else {
                continue;
            };
            let start = u32::try_from(rows.len()).ok()?;
            rows.extend(own.iter().cloned());
            let end = u32::try_from(rows.len()).ok()?;
            predicates.push(Predicate {
                start,
                end,
                masks: Masks::build(2, outer, constraints),
            });
        }
        (!predicates.is_empty()).then(|| List {
            steps: steps.to_vec(),
            scope: self.finish(inner, &rows),
            predicates,
        })
    }
}

/// What each variable must be, by row.
fn demands(rows: &[Row]) -> BTreeMap<Literal, Vec<Constraint>> {
    let mut demands: BTreeMap<Literal, Vec<Constraint>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        for (literal, classes) in row {
            let row = u32::try_from(number).unwrap_or(u32::MAX);
            demands.entry(*literal).or_default().push(Constraint {
                row,
                classes: classes.clone(),
            });
        }
    }
    demands
}

/// Cheaper look-ups first: they may leave nothing for the dearer ones to decide. Among equals, what rules out most.
fn cost(classifier: &Classifier) -> u8 {
    match classifier {
        Classifier::Any | Classifier::Bool | Classifier::Members(_) => 0,
        Classifier::Cuts(_) => 1,
        Classifier::Texts(texts) => 2 + u8::from(texts.parts().1.is_some()),
    }
}

impl Names for Builder {
    fn itself(&self, scope: usize) -> Option<(usize, u32)> {
        let reflected = self
            .scopes
            .first()
            .is_some_and(|top| top.lists.contains_key(&Vec::new()));
        (scope == 0 && reflected).then(|| Names::list(self, 0, &[]))
    }

    fn list(&self, scope: usize, steps: &[Step]) -> (usize, u32) {
        let lists = self.scopes.get(scope).map(|s| &s.lists);
        let number = lists
            .and_then(|l| l.keys().position(|k| k == steps))
            .unwrap_or(usize::MAX);
        let inner = lists.and_then(|l| l.get(steps)).copied().unwrap_or(usize::MAX);
        (inner, u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn classes(&self, scope: usize, atom: &Atom) -> (u32, ClassSet) {
        let found = self.scopes.get(scope).and_then(|s| {
            let first = s.first.get(&atom.place.steps)?;
            let cut = s.partitions.get(&atom.place.steps)?;
            let (group, yes) = cut.answers.get(&atom.test)?;
            let absent = cut.groups.get(*group)?.absent();
            Some((first + u32::try_from(*group).ok()?, yes.clone(), absent))
        });
        let Some((variable, mut yes, absent)) = found else {
            return (u32::MAX, ClassSet::empty(1));
        };
        if atom.when_absent {
            yes.insert(absent);
        }
        (variable, yes)
    }

    fn predicate(&mut self, scope: usize, rows: Vec<Row>) -> u32 {
        let Some(building) = self.scopes.get_mut(scope) else {
            return u32::MAX;
        };
        let at = building
            .predicates
            .iter()
            .position(|known| *known == rows)
            .unwrap_or_else(|| {
                building.predicates.push(rows);
                building.predicates.len() - 1
            });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}
