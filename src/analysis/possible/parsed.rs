//! The parts of a command line or of SQL that say the same: `.opaque` and whether there are `.doubts`, `.programs` and the
//! programs of `.commands`, `.kinds` and the kinds of `.statements`. In: what is asked of the parts. Out: a function that is
//! true of every text there can be.

use super::super::Calls;
use super::super::diagram::{Function, TooLarge};
use crate::builtins;
use crate::classes::{self, ClassSet, Classifier, sample};
use crate::hir::answer::View;
use crate::hir::{Part, Step, place};
use crate::ir::space::{Level, List, Needs};
use crate::ty::Ty;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TooLarge>;

/// Lists of names, and where the names are: a list and the member of its elements.
const NAMES: [(&str, &str, &str); 5] = [
    ("programs", "commands", "program"),
    ("kinds", "statements", "kind"),
    ("tables", "statements", "tables"),
    ("writes", "statements", "writes"),
    ("functions", "statements", "functions"),
];

/// Lists in which SQL with a doubt has an element that is not known, and the member that says so.
const UNKNOWN: [(&str, Option<&str>); 5] = [
    ("statements", Some("kind")),
    ("kinds", None),
    ("tables", None),
    ("writes", None),
    ("functions", None),
];

/// What holds of every text that is read into parts.
pub(super) fn possible(calls: &mut Calls, ty: &Ty) -> Result<Function> {
    let mut all = Function::EVERYTHING;
    let level = calls.level.clone();
    for (whole, of) in texts(&level, ty) {
        let own = Text {
            level: &level,
            whole: &whole,
            ty: &of,
        };
        let doubts = own.doubts(calls)?;
        all = calls.logic.and(all, doubts)?;
        for (list, other, member) in NAMES {
            let names = own.names(calls, list, (other, member))?;
            all = calls.logic.and(all, names)?;
        }
    }
    Ok(all)
}

/// Where the texts are whose parts are asked about.
fn texts(level: &Level, ty: &Ty) -> Vec<(Vec<Step>, Ty)> {
    let variables = level.variables.iter().map(|variable| &variable.steps);
    let places = variables.chain(level.lists.iter().map(|list| &list.steps));
    let mut found: Vec<(Vec<Step>, Ty)> = Vec::new();
    for steps in places {
        for length in 0..steps.len() {
            let Some(whole) = steps.get(..length) else {
                continue;
            };
            let of = place::ty_at(ty, whole).filter(|of| matches!(of, Ty::Command | Ty::Sql));
            if let Some(of) = of
                && found.iter().all(|(known, _)| known != whole)
            {
                found.push((whole.to_vec(), of));
            }
        }
    }
    found
}

/// A text whose parts are asked about.
struct Text<'a> {
    level: &'a Level,
    whole: &'a [Step],
    ty: &'a Ty,
}

/// Values of which an element may have one, and values of which one is enough, as classes of a variable.
struct Values<'a> {
    ty: &'a Ty,
    classifier: &'a Classifier,
    may: ClassSet,
    enough: ClassSet,
}

impl Text<'_> {
    fn part(&self, name: &str) -> Option<Vec<Step>> {
        let at = builtins::fields(self.ty)
            .iter()
            .position(|field| field.name == name)?;
        let mut steps = self.whole.to_vec();
        steps.push(Step::Field(u32::try_from(at).ok()?));
        Some(steps)
    }

    fn list(&self, name: &str) -> Option<(usize, &List)> {
        let steps = self.part(name)?;
        self.level
            .lists
            .iter()
            .enumerate()
            .find(|(_, list)| list.steps == steps)
    }

    /// There are doubts where it says so.
    fn doubts(&self, calls: &mut Calls) -> Result<Function> {
        let asked = self.part("opaque");
        let mut variables = (0u32..).zip(&self.level.variables);
        let Some((opaque, _)) = variables.find(|(_, variable)| Some(&variable.steps) == asked.as_ref())
        else {
            return Ok(Function::EVERYTHING);
        };
        let mut yes = ClassSet::empty(calls.logic.count(opaque));
        yes.insert(1);
        let is_opaque = calls.logic.is(opaque, &yes)?;
        let some = self.some_doubt(calls)?;
        let against = calls.logic.without(some, is_opaque)?;
        let mut all = calls.logic.not(against)?;
        for (length, none) in self.lengths("doubts") {
            let none = calls.logic.is(length, &none)?;
            let against = calls.logic.and(none, is_opaque)?;
            all = calls.logic.without(all, against)?;
        }
        for known in self.unknown(calls)? {
            let against = calls.logic.without(is_opaque, known)?;
            all = calls.logic.without(all, against)?;
        }
        Ok(all)
    }

    /// What is true of SQL with a doubt: a statement of it is not known, nor what that names.
    fn unknown(&self, calls: &mut Calls) -> Result<Vec<Function>> {
        let mut out = Vec::new();
        for (name, member) in UNKNOWN.iter().filter(|_| *self.ty == Ty::Sql) {
            let Some((number, list)) = self.list(name) else {
                continue;
            };
            let steps = match member {
                Some(member) => self.member(name, member).into_iter().collect(),
                None => Vec::new(),
            };
            for (predicate, rows) in list.predicates.iter().enumerate() {
                let Some(values) = values(&list.element, rows, &steps) else {
                    continue;
                };
                let seen = match values.ty.required() {
                    Ty::Enum { members, .. } => {
                        let at = members.iter().position(|member| member == "unknown");
                        at.and_then(|at| u32::try_from(at).ok()).map(View::Member)
                    }
                    _ => Some(View::Text("")),
                };
                let class = seen.and_then(|seen| values.classifier.class(&seen));
                if class.is_some_and(|class| values.enough.contains(class)) {
                    out.push(calls.predicate(number, predicate)?);
                }
            }
        }
        Ok(out)
    }

    /// The step to a member of the elements of a list.
    fn member(&self, list: &str, member: &str) -> Option<Step> {
        let steps = self.part(list)?;
        let element = place::ty_at(self.ty, steps.get(self.whole.len()..)?)?.element()?;
        let Ty::Record(fields) = element else { return None };
        let at = fields.iter().position(|field| field.name == member)?;
        u32::try_from(at).ok().map(Step::Field)
    }

    /// Where some doubt is asked about that is there, or there are doubts by their number.
    fn some_doubt(&self, calls: &mut Calls) -> Result<Function> {
        let mut some = Function::NOTHING;
        if let Some((number, list)) = self.list("doubts") {
            for predicate in 0..list.predicates.len() {
                let own = calls.predicate(number, predicate)?;
                some = calls.logic.or(some, own)?;
            }
        }
        for (length, none) in self.lengths("doubts") {
            let own = calls.logic.is(length, &none.complement())?;
            some = calls.logic.or(some, own)?;
        }
        Ok(some)
    }

    /// The variables of the length of a list, and the classes in which it is empty.
    fn lengths(&self, name: &str) -> Vec<(u32, ClassSet)> {
        let Some(mut steps) = self.part(name) else {
            return Vec::new();
        };
        steps.push(Step::Part(Part::Len));
        let variables = (0u32..).zip(&self.level.variables);
        let those = variables.filter(|(_, variable)| variable.steps == steps);
        let empty = those.filter_map(|(number, variable)| {
            let Classifier::Cuts(cuts) = &variable.classifier else {
                return None;
            };
            let mut none = ClassSet::empty(variable.count);
            for class in 0..variable.count.saturating_sub(1) {
                let (least, most) = sample::interval(&variable.ty, cuts, class).unwrap_or((1, 0));
                // A class with and without elements tells nothing.
                if least <= 0 && most > 0 {
                    return None;
                }
                if most <= 0 {
                    none.insert(class);
                }
            }
            Some((number, none))
        });
        empty.collect()
    }

    /// What is asked of a list of names is asked of those that have the names.
    fn names(&self, calls: &mut Calls, list: &str, (other, member): (&str, &str)) -> Result<Function> {
        let (Some((names, own)), Some((bearers, of))) = (self.list(list), self.list(other)) else {
            return Ok(Function::EVERYTHING);
        };
        let Some(step) = self.member(other, member) else {
            return Ok(Function::EVERYTHING);
        };
        let steps = [step];
        let mut all = Function::EVERYTHING;
        for (name, rows) in own.predicates.iter().enumerate() {
            for (bearer, needs) in of.predicates.iter().enumerate() {
                let (Some(a), Some(b)) = (
                    values(&own.element, rows, &[]),
                    values(&of.element, needs, &steps),
                ) else {
                    continue;
                };
                let (name, bearer) = (calls.predicate(names, name)?, calls.predicate(bearers, bearer)?);
                for (from, to, narrow, wide) in [(name, bearer, &a, &b), (bearer, name, &b, &a)] {
                    if is_enough(narrow, wide) {
                        let against = calls.logic.without(from, to)?;
                        all = calls.logic.without(all, against)?;
                    }
                }
            }
        }
        Ok(all)
    }
}

/// What rows say of the names at a place of an element, or in a list there.
fn values<'l>(level: &'l Level, rows: &[Needs], steps: &[Step]) -> Option<Values<'l>> {
    let mut here = (0u32..)
        .zip(&level.variables)
        .filter(|(_, variable)| variable.steps == steps);
    if let Some((number, variable)) = here.next() {
        if here.next().is_some() {
            return None;
        }
        let mut values = none(&variable.ty, &variable.classifier, variable.count);
        for needs in rows {
            let own = needs.classes.iter().find(|(of, _)| *of == number);
            let all = ClassSet::empty(variable.count).complement();
            let classes = own.map_or(&all, |(_, classes)| classes);
            values.add(
                classes,
                classes,
                needs.classes.len() + needs.lists.len() <= usize::from(own.is_some()),
            );
        }
        return Some(values);
    }
    let mut lists = (0u32..).zip(&level.lists);
    let (number, list) = lists.find(|(_, list)| list.steps == steps)?;
    let mut values: Option<Values<'l>> = None;
    for needs in rows {
        let mut own = needs
            .lists
            .iter()
            .filter(|(of, _, wanted)| *of == number && *wanted);
        let (_, predicate, _) = own.next()?;
        let inner = self::values(&list.element, list.predicates.get(*predicate as usize)?, &[])?;
        let is_alone = needs.classes.is_empty() && needs.lists.len() == 1;
        let all = values.get_or_insert_with(|| none(inner.ty, inner.classifier, inner.may.count()));
        all.add(&inner.may, &inner.enough, is_alone);
    }
    values
}

fn none<'l>(ty: &'l Ty, classifier: &'l Classifier, count: u32) -> Values<'l> {
    Values {
        ty,
        classifier,
        may: ClassSet::empty(count),
        enough: ClassSet::empty(count),
    }
}

impl Values<'_> {
    fn add(&mut self, may: &ClassSet, enough: &ClassSet, is_alone: bool) {
        may.iter().for_each(|class| self.may.insert(class));
        enough
            .iter()
            .filter(|_| is_alone)
            .for_each(|class| self.enough.insert(class));
    }
}

/// Whether any value that one may have is enough for the other.
fn is_enough(one: &Values<'_>, other: &Values<'_>) -> bool {
    let pairs: Option<BTreeSet<(u32, u32)>> = classes::together(one.classifier, other.classifier);
    pairs.is_some_and(|pairs| {
        pairs
            .iter()
            .all(|(a, b)| !one.may.contains(*a) || other.enough.contains(*b))
    })
}
