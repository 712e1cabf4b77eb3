//! What two policies declare differently, in words: tools with their arguments, the context, limits, the profile. In: two
//! packages. Out: a line each, with the way it goes. What rules make of it is told elsewhere.

use super::Direction;
use super::joint::meet;
use crate::builtins::duration;
use crate::builtins::written::number;
use crate::domain::{AttestedBy, Trust};
use crate::hir::{ContextField, Limit, Package, Per, Place, Step, Tool};
use crate::ty::{Field, Ty};
use std::collections::BTreeSet;

/// Something that is declared differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Which way.
    pub direction: Direction,
    /// What, in words.
    pub text: String,
    /// What the words leave out, for who compares two of these.
    pub meaning: String,
}

impl Declared {
    fn new(direction: Direction, text: impl Into<String>) -> Declared {
        Declared {
            direction,
            text: text.into(),
            meaning: String::new(),
        }
    }

    fn meaning(self, meaning: String) -> Declared {
        Declared { meaning, ..self }
    }
}

/// What is declared differently of a tool; `is_open` says whether any call of it gets through, `labels` whether a rule asks
/// for labels.
pub(super) fn tool(
    before: Option<&Tool>,
    after: Option<&Tool>,
    is_open: bool,
    labels: bool,
) -> Vec<Declared> {
    let all = match (before, after) {
        (Some(before), Some(after)) => arguments(before, after)
            .into_iter()
            .chain(beside_arguments(before, after))
            .collect(),
        // What is said to come of a tool that is not declared may come of anything.
        (None, Some(_)) if labels => {
            let text = "a new tool: what is said to come of it has its labels, and no others";
            return vec![Declared::new(Direction::Loosened, text)];
        }
        (Some(_), None) if labels => {
            let text = "no longer declared: what is said to come of it may come of any tool";
            return vec![Declared::new(Direction::Loosened, text)];
        }
        (None, Some(_)) => vec![Declared::new(Direction::Loosened, "a new tool")],
        (Some(_), None) => vec![Declared::new(Direction::Tightened, "no longer declared")],
        (None, None) => Vec::new(),
    };
    let mut all: Vec<Declared> = all;
    for one in &mut all {
        if one.direction == Direction::Loosened && !is_open {
            one.direction = Direction::Sideways;
        }
    }
    all
}

/// Which way another type goes.
fn by_type(old: &Ty, new: &Ty) -> Direction {
    match meet(old, new) {
        Some(both) if both == *new => Direction::Tightened,
        _ => Direction::Loosened,
    }
}

fn by_order(is_looser: bool) -> Direction {
    match is_looser {
        true => Direction::Loosened,
        false => Direction::Tightened,
    }
}

fn arguments(before: &Tool, after: &Tool) -> Vec<Declared> {
    let mut all = Vec::new();
    let named = |fields: &[Field], name: &str| fields.iter().find(|field| field.name == name).cloned();
    for field in &before.args {
        match named(&after.args, &field.name) {
            None => {
                // Calls without it, or with any value of it, are no longer refused.
                let looser = !field.ty.is_optional() || after.open;
                let text = format!("argument `{}` is gone", field.name);
                all.push(Declared::new(by_order(looser), text));
            }
            Some(now) if now.ty != field.ty => {
                let text = was("argument", &field.name, &field.ty, &now.ty);
                all.push(Declared::new(by_type(&field.ty, &now.ty), text));
            }
            Some(_) => {}
        }
    }
    for field in &after.args {
        if named(&before.args, &field.name).is_none() {
            let text = format!("a new argument `{}`: `{}`", field.name, field.ty);
            all.push(Declared::new(by_order(!before.open), text));
        }
    }
    all
}

fn beside_arguments(before: &Tool, after: &Tool) -> Vec<Declared> {
    let mut all = Vec::new();
    if before.open != after.open {
        let text = match after.open {
            true => "takes arguments that are not declared",
            false => "takes declared arguments only",
        };
        all.push(Declared::new(by_order(after.open), text));
    }
    if before.effects != after.effects {
        let list = |tool: &Tool| match tool.effects.as_slice() {
            [] => "none".to_owned(),
            effects => effects.join(", "),
        };
        let text = format!("effects were {}, are {}", list(before), list(after));
        all.push(Declared::new(Direction::Sideways, text));
    }
    if before.carries != after.carries {
        let list = |tool: &Tool| match tool.carries.as_slice() {
            [] => "nothing".to_owned(),
            carries => {
                let carries = carries.iter().map(|path| path.join("."));
                carries.collect::<Vec<_>>().join(", ")
            }
        };
        let text = format!("carried {}, carries {}", list(before), list(after));
        all.push(Declared::new(Direction::Sideways, text));
    }
    all
}

/// What takes other values than before, in words.
fn was(what: &str, name: &str, old: &Ty, new: &Ty) -> String {
    match (old.required(), new.required()) {
        (Ty::Enum { members, .. }, Ty::Enum { members: now, .. }) if old.to_string() == new.to_string() => {
            let (old, new) = (members.join(", "), now.join(", "));
            format!("{what} `{name}` was one of {old}, is one of {new}")
        }
        _ if old.to_string() == new.to_string() => format!("{what} `{name}` takes other values of `{old}`"),
        _ => format!("{what} `{name}` was `{old}`, is `{new}`"),
    }
}

/// Whether a rule reads a field of the context, or asks for approvals of others than those it names.
fn reads(package: &Package, name: &str) -> bool {
    asks(package, name) || package.says_whom_to_exclude(name)
}

fn asks(package: &Package, name: &str) -> bool {
    let field = package
        .context
        .iter()
        .position(|context| context.field.name == name);
    let field = field.and_then(|field| u32::try_from(field).ok());
    let mut found = false;
    let mut see = |tool: &Tool, place: &Place| {
        if let (0, [Step::Field(first), Step::Field(at), ..]) = (place.level, place.steps.as_slice()) {
            found |= *first as usize == tool.args.len() && Some(*at) == field;
        }
    };
    for tool in &package.tools {
        for slot in &tool.slots {
            slot.each_place(&mut |place| see(tool, place));
        }
    }
    for (tool, cond) in package.rules.iter().flat_map(|rule| &rule.on) {
        if let Some(tool) = package.tools.get(*tool) {
            cond.each_place(&mut |place| see(tool, place));
        }
    }
    found
}

/// Which approvals take which labels off, by the names of those.
fn lifts(package: &Package) -> Vec<(String, Vec<&str>)> {
    let names = |mask: u64| {
        let mut names: Vec<&str> = package.labels.names_of(mask).collect();
        names.sort_unstable();
        names
    };
    let lifted = package.labels.lifted.iter();
    lifted
        .map(|(spec, mask)| (format!("{spec:?}"), names(*mask)))
        .collect()
}

/// The labels of what tools return, where they are others.
pub(super) fn returned(before: &Package, after: &Package, tool: &str) -> Option<Declared> {
    let names = |package: &Package| {
        let tool = package.tools.iter().find(|known| known.name == tool)?;
        let names: Vec<&str> = package.labels.names_of(tool.returns).collect();
        Some(match names.as_slice() {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        })
    };
    let (old, new) = (names(before)?, names(after)?);
    let text = format!("what it returns was labelled {old}, is labelled {new}");
    (old != new).then(|| Declared::new(Direction::Sideways, text))
}

/// What is declared differently beside the tools.
pub(super) fn policy(before: &Package, after: &Package) -> Vec<Declared> {
    let mut all = Vec::new();
    if before.profile != after.profile {
        let text = format!("profile was `{}`, is `{}`", before.profile, after.profile);
        all.push(Declared::new(by_order(after.profile < before.profile), text));
    }
    all.extend(context(before, after));
    for old in &before.obligations {
        let new = after.obligations.iter().find(|new| new.name == old.name);
        if new.is_some_and(|new| new != old) {
            let name = &old.name;
            let text = format!("obligation `{name}` is told other things, or joins them otherwise");
            all.push(Declared::new(Direction::Loosened, text).meaning(format!("{old:?} {new:?}")));
        }
    }
    let (old, new) = (lifts(before), lifts(after));
    if old != new {
        let text = "other approvals take labels off arguments";
        all.push(Declared::new(Direction::Loosened, text).meaning(format!("{old:?} {new:?}")));
    }
    for old in &before.limits {
        let new = after.limits.iter().find(|new| new.spec.name == old.spec.name);
        all.extend(new.into_iter().flat_map(|new| limit(old, new)));
    }
    all
}

fn context(before: &Package, after: &Package) -> Vec<Declared> {
    let mut all = Vec::new();
    for old in &before.context {
        let name = &old.field.name;
        let Some(new) = after.context.iter().find(|new| new.field.name == *name) else {
            if reads(before, name) {
                // What refused calls without it, or with a wrong value, is gone.
                let text = format!("context `{name}` is gone");
                all.push(Declared::new(Direction::Loosened, text));
            }
            continue;
        };
        let is_read = reads(before, name) || reads(after, name);
        all.extend(context_field(old, new, is_read));
    }
    all
}

fn context_field(old: &ContextField, new: &ContextField, is_read: bool) -> Vec<Declared> {
    let mut all = Vec::new();
    let (name, was_ty, is_ty) = (&old.field.name, &old.field.ty, &new.field.ty);
    if was_ty != is_ty && is_read {
        let text = was("context", name, was_ty, is_ty);
        all.push(Declared::new(by_type(was_ty, is_ty), text));
    }
    if old.trust != new.trust {
        let (old, trust) = (old.trust.as_str(), new.trust.as_str());
        let text = format!("context `{name}` was a {old}, is a {trust}");
        all.push(Declared::new(by_order(new.trust == Trust::Claim), text));
    }
    all.extend(attested(name, old.attested.as_ref(), new.attested.as_ref()));
    if old.from != new.from {
        let text = format!("context `{name}` is taken from elsewhere");
        let meaning = format!("{:?} {:?}", old.from, new.from);
        all.push(Declared::new(Direction::Loosened, text).meaning(meaning));
    }
    all
}

/// Who vouches for a field of the context, and for how long that is good.
fn attested(name: &str, old: Option<&AttestedBy>, new: Option<&AttestedBy>) -> Vec<Declared> {
    let (old, new) = match (old, new) {
        (None, None) => return Vec::new(),
        (None, Some(new)) => {
            let text = format!("context `{name}` is attested by `{}`", new.by.name);
            return vec![Declared::new(Direction::Tightened, text)];
        }
        (Some(old), None) => {
            let text = format!(
                "context `{name}` was attested by `{}`, and is no more",
                old.by.name
            );
            return vec![Declared::new(Direction::Loosened, text)];
        }
        (Some(old), Some(new)) => (old, new),
    };
    let mut all = Vec::new();
    let people = |of: &AttestedBy| -> BTreeSet<String> { of.by.members.iter().cloned().collect() };
    let (before, after) = (people(old), people(new));
    if before != after {
        let text = format!("context `{name}` is attested by other people");
        let meaning = format!("{before:?} {after:?}");
        let direction = by_order(!after.is_subset(&before));
        all.push(Declared::new(direction, text).meaning(meaning));
    }
    if old.within != new.within {
        let [was, is] = [old, new].map(|of| duration::to_text(of.within.into()));
        let text = format!("context `{name}` is attested within {is}, was {was}");
        all.push(Declared::new(by_order(new.within > old.within), text));
    }
    all
}

fn limit(old: &Limit, new: &Limit) -> Vec<Declared> {
    let mut all = Vec::new();
    let (old, new) = (&old.spec, &new.spec);
    if new.per != old.per {
        let direction = match (old.per, new.per) {
            // What is counted for longer is used up sooner.
            (Per::Time(old), Per::Time(new)) => by_order(new < old),
            _ => Direction::Sideways,
        };
        let text = format!("limit `{}` counts within another span", old.name);
        let meaning = format!("{:?} {:?}", old.per, new.per);
        all.push(Declared::new(direction, text).meaning(meaning));
    }
    if new.max != old.max && new.ty == old.ty {
        let number = |n| number(n, &new.ty);
        let text = format!(
            "limit `{}` was {}, is {}",
            old.name,
            number(old.max),
            number(new.max)
        );
        all.push(Declared::new(by_order(new.max > old.max), text));
    }
    all
}
