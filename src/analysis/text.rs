//! Conditions as a policy would write them, from their meaning: for people who are shown what a policy does rather than
//! what its author wrote. In: conditions of one tool. Out: one line of text each.

mod question;

use super::joint::BEFORE;
use crate::builtins::written::number;
use crate::classes::{Classifier, sample};
use crate::hir::{
    Atom, Beside, Cond, Labelled, Monitor, Package, Part, PatternStep, Per, Place, Question, Relation,
    RelationOp, Slot, Step, Term, Tool, place,
};
use crate::ir::space::{Literal, Variable};
use crate::syntax::quote::dotted_name;
use crate::ty::Ty;
use question::{asking_first, constant, literal, not, question, some, within};
use std::collections::BTreeMap;

/// Writes conditions on the calls of one tool.
pub(super) struct Writer<'a> {
    package: &'a Package,
    tool: &'a Tool,
    slots: &'a [Slot],
    request: Ty,
}

/// What the variable of a quantifier is written as, its type, and what lies beside it.
struct Element<'a> {
    name: String,
    ty: Ty,
    labelled: Option<&'a Labelled>,
}

type Chain<'a> = BTreeMap<u32, Element<'a>>;

impl<'a> Writer<'a> {
    pub fn new(package: &'a Package, tool: &'a Tool, slots: &'a [Slot]) -> Writer<'a> {
        Writer {
            package,
            tool,
            slots,
            request: super::computed_ty(package, tool, slots),
        }
    }

    /// What a literal asks, or that it is not so.
    pub fn literal(&self, literal: &Literal, holds: bool) -> String {
        match literal {
            Literal::Is(_, _, atom) => self.atom(atom, holds, &Chain::new()),
            Literal::Some(_, _, cond, true) => self.cond(cond, holds, &mut Chain::new()),
            Literal::Some(_, _, cond, false) => {
                let text = self.cond(cond, true, &mut Chain::new());
                not(&format!("in part ({text})"), holds)
            }
        }
    }

    /// What a variable is about.
    pub fn thing(&self, variable: &Variable) -> String {
        let place = Place {
            level: 0,
            steps: variable.steps.clone(),
        };
        self.place(&place, &Chain::new())
    }

    /// That the value of a variable is in one class.
    pub fn class(&self, variable: &Variable, class: u32) -> String {
        let place = Place {
            level: 0,
            steps: variable.steps.clone(),
        };
        let at = self.place(&place, &Chain::new());
        let before = self.optionals(&place, &Chain::new());
        let is_missing = class + 1 == variable.count;
        match (before.split_last(), is_missing) {
            (None, true) => format!("not present {at}"),
            (Some((last, [])), true) => format!("not present {last}"),
            (Some((last, before)), true) => not(&asking_first(before, format!("present {last}")), false),
            (None, false) => self.of_class(&at, variable, class),
            (Some(_), false) => asking_first(&before, self.of_class(&at, variable, class)),
        }
    }

    fn of_class(&self, at: &str, variable: &Variable, class: u32) -> String {
        if let Classifier::Cuts(cuts) = &variable.classifier
            && let Some(range) = sample::interval(&variable.ty, cuts, class)
        {
            return within(at, &[range], &variable.ty, true);
        }
        let kind = sample::Kind {
            ty: &variable.ty,
            part: None,
        };
        let samples = sample::samples(kind, &variable.classifier, variable.count);
        match samples.get(class as usize) {
            Some(Some(value)) => format!("{at} is like {}", constant(value, &variable.ty)),
            _ => format!("{at} is of some kind"),
        }
    }

    fn cond(&self, cond: &Cond, holds: bool, chain: &mut Chain<'a>) -> String {
        match cond {
            Cond::Const(known) => (*known == holds).to_string(),
            Cond::Atom(atom) => self.atom(atom, holds, chain),
            Cond::Relation(relation) => {
                let ty = self
                    .ty_of(&relation.left, chain)
                    .or_else(|| self.ty_of(&relation.right, chain));
                let ty = ty.unwrap_or(Ty::Int);
                self.relation(relation, &ty, holds, chain)
            }
            Cond::Not(inner) => self.cond(inner, !holds, chain),
            Cond::And(parts) => self.joined(parts, holds, chain, if holds { "and" } else { "or" }),
            Cond::Or(parts) => self.joined(parts, holds, chain, if holds { "or" } else { "and" }),
            Cond::Any {
                list, level, body, ..
            } => self.any(list, *level, body, holds, chain),
        }
    }

    /// A comparison, a constant on its right.
    fn relation(&self, relation: &Relation, ty: &Ty, holds: bool, chain: &mut Chain<'a>) -> String {
        let turned = matches!(relation.left, Term::Const(_));
        let (left, right) = match turned {
            true => (&relation.right, &relation.left),
            false => (&relation.left, &relation.right),
        };
        // Where something is missing, neither it nor its opposite holds.
        let mut before = Vec::new();
        [left, right]
            .into_iter()
            .for_each(|term| self.missing(term, chain, &mut before));
        let opposite = !holds && before.is_empty();
        let word = match (relation.op, turned, opposite) {
            (RelationOp::Equal, _, false) => "==",
            (RelationOp::Equal, _, true) => "!=",
            (RelationOp::Less, false, false) | (RelationOp::LessOrEqual, true, true) => "<",
            (RelationOp::Less, true, false) | (RelationOp::LessOrEqual, false, true) => ">",
            (RelationOp::LessOrEqual, false, false) | (RelationOp::Less, true, true) => "<=",
            (RelationOp::LessOrEqual, true, false) | (RelationOp::Less, false, true) => ">=",
            (RelationOp::Under, ..) => "under",
        };
        let text = format!(
            "{} {word} {}",
            self.term(left, ty, chain),
            self.term(right, ty, chain)
        );
        if !before.is_empty() {
            return not(&asking_first(&before, text), holds);
        }
        match holds || relation.op != RelationOp::Under {
            true => text,
            false => format!("not ({text})"),
        }
    }

    /// The optionals that a term needs.
    fn missing(&self, term: &Term, chain: &Chain<'a>, found: &mut Vec<String>) {
        match term {
            Term::Place(place) => {
                for optional in self.optionals(place, chain) {
                    if !found.contains(&optional) {
                        found.push(optional);
                    }
                }
            }
            Term::Add(a, b) | Term::Sub(a, b) => {
                self.missing(a, chain, found);
                self.missing(b, chain, found);
            }
            Term::Const(_) | Term::Else(..) | Term::Sum { .. } | Term::Count { .. } => {}
        }
    }

    fn joined(&self, parts: &[Cond], holds: bool, chain: &mut Chain<'a>, word: &str) -> String {
        let mut texts: Vec<String> = Vec::new();
        for part in parts {
            let text = self.cond(part, holds, chain);
            let is_open = text.starts_with("any ") || text.starts_with("all ");
            let text = if is_open { format!("({text})") } else { text };
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        match texts.as_slice() {
            [] => (word == "and").to_string(),
            [one] => one.clone(),
            _ => format!("({})", texts.join(&format!(" {word} "))),
        }
    }

    fn any(&self, list: &Place, level: u32, body: &Cond, holds: bool, chain: &mut Chain<'a>) -> String {
        let at = self.place(list, chain);
        let (ty, labelled) = self.elements(list, chain);
        let element = ty.element();
        let in_list = element.is_some();
        if *body == Cond::Const(true) {
            return match (in_list, holds) {
                (true, true) => format!("len({at}) > 0"),
                (true, false) => format!("len({at}) == 0"),
                (false, _) => not(&format!("present {at}"), holds),
            };
        }
        let name = match in_list {
            true => ["x", "y", "z"].get(chain.len()).unwrap_or(&"e").to_string(),
            false => at.clone(),
        };
        let own = Element {
            name: name.clone(),
            ty: element.unwrap_or(ty),
            labelled,
        };
        let hidden = chain.insert(level, own);
        let mut before = self.optionals(list, chain);
        before.retain(|optional| *optional != at);
        let inner = self.cond(body, holds || !in_list || !before.is_empty(), chain);
        chain.remove(&level);
        if let Some(hidden) = hidden {
            chain.insert(level, hidden);
        }
        if in_list && !before.is_empty() {
            let text = format!("(any {name} in {at}: {inner})");
            return not(&asking_first(&before, text), holds);
        }
        match (in_list, holds) {
            (true, true) => format!("any {name} in {at}: {inner}"),
            (true, false) => format!("all {name} in {at}: {inner}"),
            (false, true) => format!("(present {at} and {inner})"),
            (false, false) => format!("not (present {at} and {inner})"),
        }
    }

    /// The type of a list, and what lies beside its elements.
    fn elements(&self, list: &Place, chain: &Chain<'a>) -> (Ty, Option<&'a Labelled>) {
        if let (0, Some(Slot::Each(labelled))) = (list.level, self.slot(&list.steps)) {
            return (labelled.ty(), Some(labelled));
        }
        if let Some(element) = chain.get(&list.level)
            && let Some(labelled) = element.labelled
            && let Some(Beside::List(inner)) = labelled.beside(&list.steps)
        {
            return (inner.ty(), Some(inner));
        }
        let base = match chain.get(&list.level) {
            Some(element) => &element.ty,
            None => &self.request,
        };
        (place::ty_at(base, &list.steps).unwrap_or(Ty::Poison), None)
    }

    fn slot(&self, steps: &[Step]) -> Option<&'a Slot> {
        match steps.first() {
            Some(Step::Field(field)) => {
                let at = (*field as usize).checked_sub(self.tool.args.len() + 1)?;
                self.slots.get(at)
            }
            _ => None,
        }
    }

    fn place(&self, place: &Place, chain: &Chain<'a>) -> String {
        if let Some(element) = chain.get(&place.level) {
            return self.in_element(element, &place.steps);
        }
        if let Some(slot) = self.slot(&place.steps) {
            let rest = place.steps.get(1..).unwrap_or_default();
            return place::written(&self.of_slot(slot, true), &slot.ty(), rest);
        }
        let (base, ty, steps) = match place.steps.as_slice() {
            [Step::Field(first), rest @ ..] if *first as usize == self.tool.args.len() => {
                let context = self.package.context.iter().map(|context| context.field.clone());
                ("context", Ty::Record(context.collect()), rest)
            }
            all => ("args", Ty::Record(self.tool.args.clone()), all),
        };
        place::written(base, &ty, steps)
    }

    fn in_element(&self, element: &Element<'_>, steps: &[Step]) -> String {
        let Some(labelled) = element.labelled else {
            return place::written(&element.name, &element.ty, steps);
        };
        match labelled.beside(steps) {
            Some(Beside::Label { path, mask }) => {
                let of: Vec<&str> = std::iter::once(element.name.as_str())
                    .chain(path.iter().map(String::as_str))
                    .collect();
                self.labels(&of.join("."), *mask)
            }
            Some(Beside::List(inner)) => format!("{}.{}", element.name, inner.names.join(".")),
            None => {
                let within = crate::hir::labelled::within(steps);
                place::written(&element.name, &labelled.element, within)
            }
        }
    }

    fn atom(&self, atom: &Atom, holds: bool, chain: &Chain<'a>) -> String {
        let asked = match (atom.place.level, &atom.test, self.slot(&atom.place.steps)) {
            (0, Question::True, Some(slot)) if atom.place.steps.len() == 1 => {
                return self.of_slot(slot, holds);
            }
            _ => &atom.test,
        };
        let at = self.place(&atom.place, chain);
        let mut before = self.optionals(&atom.place, chain);
        if *asked == Question::Present {
            before.retain(|optional| *optional != at);
        }
        if before.is_empty() {
            return question(&at, asked, &atom.ty, holds);
        }
        // What is missing is asked for first, as the language wants it.
        let holds_if_absent = atom.when_absent == holds;
        let text = question(&at, asked, &atom.ty, holds != holds_if_absent);
        not(&asking_first(&before, text), !holds_if_absent)
    }

    /// The optionals on the way to a place.
    fn optionals(&self, place: &Place, chain: &Chain<'a>) -> Vec<String> {
        let mut ty = match chain.get(&place.level) {
            Some(element) => element.ty.clone(),
            None => self.request.clone(),
        };
        let mut found = Vec::new();
        for (number, step) in place.steps.iter().enumerate() {
            let Some((_, next)) = place::step(&ty, *step) else {
                break;
            };
            ty = next;
            if ty.is_optional() || *step == Step::Part(Part::Ip) {
                let to = Place {
                    level: place.level,
                    steps: place.steps.iter().take(number + 1).copied().collect(),
                };
                found.push(self.place(&to, chain));
            }
        }
        found
    }

    /// What a slot is asked for, in words.
    pub fn asked(&self, slot: &Slot) -> String {
        self.of_slot(slot, true)
    }

    /// A slot in words; one that another like it comes before means something else in the policy that was.
    fn of_slot(&self, slot: &Slot, holds: bool) -> String {
        let mut like = self.slots.iter().filter(|known| *known == slot);
        let is_first = like.next().is_none_or(|first| std::ptr::eq(first, slot));
        let text = self.slot_text(slot, holds);
        match is_first {
            true => text,
            false => format!("{text}{BEFORE}"),
        }
    }

    fn slot_text(&self, slot: &Slot, holds: bool) -> String {
        let monitor = |number: &u32| {
            let found = self.package.history.monitors.get(*number as usize);
            found.map_or_else(String::new, |monitor| self.monitor(monitor))
        };
        match slot {
            Slot::Holds(cond) => self.cond(cond, holds, &mut Chain::new()),
            Slot::Label { of, mask } => not(&self.labels(&of.to_string(), *mask), holds),
            Slot::Each(labelled) => format!("args.{}", labelled.names.join(".")),
            Slot::History(number) => not(&monitor(number), holds),
            Slot::Tally(number) => monitor(number),
            Slot::Window(window) => {
                let windows = &self.package.windows;
                let Some(own) = windows.get(*window as usize) else {
                    return String::new();
                };
                let first = windows.iter().position(|known| known.name == own.name);
                let before = if first == Some(*window as usize) {
                    ""
                } else {
                    BEFORE
                };
                let word = if holds { "in" } else { "not in" };
                format!("now {word} {}{before}", own.name)
            }
            Slot::Now => "now".to_owned(),
            Slot::Used { limit, .. } => {
                let Some(limit) = self.package.limits.get(*limit as usize) else {
                    return String::new();
                };
                let per = match limit.spec.per {
                    Per::Time(millis) => literal(i128::from(millis), &Ty::Duration { unit: None }),
                    Per::Session => "session".to_owned(),
                    Per::Run => "run".to_owned(),
                };
                let name = &limit.spec.name;
                let mut like = self.package.limits.iter();
                let first = like.find(|known| known.spec.name == *name && known.spec.per == limit.spec.per);
                let before = if first.is_some_and(|first| std::ptr::eq(first, limit)) {
                    ""
                } else {
                    BEFORE
                };
                format!("used of {name} per {per}{before}")
            }
            Slot::Lookup { map, key, .. } => {
                let ty = match place::ty_at(&self.request, &map.steps) {
                    Some(Ty::Map { key, .. }) => *key,
                    _ => Ty::Poison,
                };
                let key = self.term(key, &ty, &mut Chain::new());
                format!("{}[{key}]", self.place(map, &Chain::new()))
            }
        }
    }

    fn labels(&self, of: &str, mask: u64) -> String {
        let names: Vec<&str> = self.package.labels.names_of(mask).collect();
        match names.as_slice() {
            [one] => format!("labels({of}) has {one}"),
            all => format!("labels({of}) has any {{ {} }}", all.join(", ")),
        }
    }

    fn monitor(&self, monitor: &Monitor) -> String {
        match monitor {
            Monitor::Flag { set, clear: None, .. } => format!("once({})", self.event(*set)),
            Monitor::Flag {
                set,
                clear: Some(clear),
                clear_wins,
            } => match clear_wins {
                true => format!("once({}) since({})", self.event(*set), self.event(*clear)),
                false => format!("after({}) without({})", self.event(*set), self.event(*clear)),
            },
            Monitor::Pattern(steps) => {
                let steps: Vec<String> = steps
                    .iter()
                    .map(|step| match step {
                        PatternStep::Event(event) => self.event(*event),
                        PatternStep::Any => "*".to_owned(),
                        PatternStep::Maybe => "* up_to 1".to_owned(),
                    })
                    .collect();
                format!("history matches [{}]", steps.join(", "))
            }
            Monitor::Count { event, .. } => format!("count({})", self.event(*event)),
            Monitor::Recent { event, within, .. } => {
                let within = number(i128::from(*within), &Ty::Duration { unit: None });
                format!("count({} within {within})", self.event(*event))
            }
        }
    }

    fn event(&self, event: u32) -> String {
        let Some(event) = self.package.history.events.get(event as usize) else {
            return String::new();
        };
        if event.turn {
            return "turn".to_owned();
        }
        let mut parts = Vec::new();
        if event.calls.len() < self.package.tools.len() {
            let tools = event.calls.iter().map(|(tool, cond)| {
                let name = self.package.tools.get(*tool).map(|tool| dotted_name(&tool.name));
                let name = name.unwrap_or_default();
                let Some(tool) = self.package.tools.get(*tool) else {
                    return name;
                };
                let writer = Writer::new(self.package, tool, &tool.slots);
                match writer.cond(cond, true, &mut Chain::new()).as_str() {
                    "true" => name,
                    cond => format!("{name} when {cond}"),
                }
            });
            parts.push(format!("call {}", some(tools.collect(), ", ")));
        }
        if event.labels != 0 {
            parts.push(
                self.labels("result", event.labels)
                    .replace("labels(result)", "result"),
            );
        }
        match event.ok {
            Some(true) => parts.push("result ok".to_owned()),
            Some(false) => parts.push("result failed".to_owned()),
            None => {}
        }
        match parts.is_empty() {
            true => "call *".to_owned(),
            false => parts.join(" "),
        }
    }

    /// The type of a term, where it has one by itself.
    fn ty_of(&self, term: &Term, chain: &Chain<'a>) -> Option<Ty> {
        match term {
            Term::Place(place) | Term::Else(place, _) => match chain.get(&place.level) {
                Some(element) => place::ty_at(&element.ty, &place.steps),
                None => place::ty_at(&self.request, &place.steps),
            },
            Term::Const(_) => None,
            Term::Add(a, b) | Term::Sub(a, b) => self.ty_of(a, chain).or_else(|| self.ty_of(b, chain)),
            Term::Sum { .. } | Term::Count { .. } => Some(Ty::Int),
        }
    }

    fn term(&self, term: &Term, ty: &Ty, chain: &mut Chain<'a>) -> String {
        match term {
            Term::Place(place) => self.place(place, chain),
            Term::Const(value) => constant(value, ty),
            Term::Else(place, value) => {
                format!("({} else {})", self.place(place, chain), constant(value, ty))
            }
            Term::Add(a, b) => format!("{} + {}", self.term(a, ty, chain), self.term(b, ty, chain)),
            Term::Sub(a, b) => format!("{} - {}", self.term(a, ty, chain), self.term(b, ty, chain)),
            Term::Sum { list, level, term } => {
                let at = self.place(list, chain);
                let (of, labelled) = self.elements(list, chain);
                let own = Element {
                    name: "x".to_owned(),
                    ty: of.element().unwrap_or(of),
                    labelled,
                };
                let hidden = chain.insert(*level, own);
                let inner = self.term(term, ty, chain);
                chain.remove(level);
                if let Some(hidden) = hidden {
                    chain.insert(*level, hidden);
                }
                format!("sum(x in {at}: {inner})")
            }
            Term::Count { list, level, body } => {
                let inner = self.any(list, *level, body, true, chain);
                format!("count({})", inner.trim_start_matches("any "))
            }
        }
    }
}
