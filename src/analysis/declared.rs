//! What two policies declare differently, in words: tools with their arguments, the context, limits, the profile. In: two
//! packages. Out: a line each, with the way it goes. What rules make of it is told elsewhere.

use super::Direction;
use super::joint::meet;
use crate::builtins::written::number;
use crate::domain::Trust;
use crate::hir::{Package, Per, Place, Step, Tool};
use crate::ty::Ty;

/// Something that is declared differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Which way.
    pub direction: Direction,
    /// What, in words.
    pub text: String,
    /// All of it, for who compares two of these.
    pub meaning: String,
}

/// What is declared differently of a tool; `is_open` says whether any call of it gets through, `source` whether it matters
/// what else comes from it.
pub(super) fn tool(
    before: Option<&Tool>,
    after: Option<&Tool>,
    is_open: bool,
    source: bool,
) -> Vec<Declared> {
    let is_open = is_open || (source && (before.is_none() || after.is_none()));
    let mut out = Vec::new();
    let mut say = |direction: Direction, text: String| {
        let direction = match direction {
            Direction::Loosened if !is_open => Direction::Sideways,
            other => other,
        };
        let meaning = String::new();
        out.push(Declared {
            direction,
            text,
            meaning,
        });
    };
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(_)) => {
            say(Direction::Loosened, "a new tool".to_owned());
            return out;
        }
        (Some(_), None) => {
            let direction = if source {
                Direction::Loosened
            } else {
                Direction::Tightened
            };
            say(direction, "no longer declared".to_owned());
            return out;
        }
        (None, None) => return out,
    };
    for field in &before.args {
        let Some(now) = after.args.iter().find(|arg| arg.name == field.name) else {
            let direction = match field.ty.is_optional() && !after.open {
                true => Direction::Tightened,
                // Calls without it, or with any value of it, are no longer refused.
                false => Direction::Loosened,
            };
            say(direction, format!("argument `{}` is gone", field.name));
            continue;
        };
        if now.ty == field.ty {
            continue;
        }
        let direction = match meet(&field.ty, &now.ty) {
            Some(both) if both == now.ty => Direction::Tightened,
            _ => Direction::Loosened,
        };
        let text = was("argument", &field.name, &field.ty, &now.ty);
        say(direction, text);
    }
    for field in &after.args {
        if !before.args.iter().any(|arg| arg.name == field.name) {
            let text = format!("a new argument `{}`: `{}`", field.name, field.ty);
            let direction = match before.open {
                true => Direction::Tightened,
                false => Direction::Loosened,
            };
            say(direction, text);
        }
    }
    match (before.open, after.open) {
        (false, true) => say(
            Direction::Loosened,
            "takes arguments that are not declared".to_owned(),
        ),
        (true, false) => say(Direction::Tightened, "takes declared arguments only".to_owned()),
        _ => {}
    }
    if before.effects != after.effects {
        let list = |tool: &Tool| match tool.effects.as_slice() {
            [] => "none".to_owned(),
            effects => effects.join(", "),
        };
        say(
            Direction::Sideways,
            format!("effects were {}, are {}", list(before), list(after)),
        );
    }
    if before.carries != after.carries {
        say(
            Direction::Sideways,
            "other arguments leave the boundary".to_owned(),
        );
    }
    out
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

/// Whether a rule reads a field of the context.
fn reads(package: &Package, name: &str) -> bool {
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
        let names = package.labels.names.iter().enumerate();
        let mut names: Vec<&str> = names
            .filter(|(bit, _)| mask & 1 << bit != 0)
            .map(|(_, name)| name.as_str())
            .collect();
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
        let names = package.labels.names.iter().enumerate();
        let names = names.filter(|(bit, _)| tool.returns & 1 << bit != 0);
        let names: Vec<&str> = names.map(|(_, name)| name.as_str()).collect();
        Some(match names.as_slice() {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        })
    };
    let (old, new) = (names(before)?, names(after)?);
    (old != new).then(|| Declared {
        meaning: String::new(),
        direction: Direction::Sideways,
        text: format!("what it returns was labelled {old}, is labelled {new}"),
    })
}

/// What is declared differently beside the tools.
pub(super) fn policy(before: &Package, after: &Package) -> Vec<Declared> {
    let mut out = Vec::new();
    let mut say = |direction, text: String, meaning: String| {
        out.push(Declared {
            direction,
            text,
            meaning,
        })
    };
    if before.profile != after.profile {
        let direction = match after.profile < before.profile {
            true => Direction::Loosened,
            false => Direction::Tightened,
        };
        say(
            direction,
            format!("profile was `{}`, is `{}`", before.profile, after.profile),
            String::new(),
        );
    }
    for field in &before.context {
        let now = after
            .context
            .iter()
            .find(|now| now.field.name == field.field.name);
        let Some(now) = now else {
            if reads(before, &field.field.name) {
                // What refused calls without it, or with a wrong value, is gone.
                let text = format!("context `{}` is gone", field.field.name);
                say(Direction::Loosened, text, String::new());
            }
            continue;
        };
        if now.field.ty != field.field.ty && (reads(before, &now.field.name) || reads(after, &now.field.name))
        {
            let direction = match meet(&field.field.ty, &now.field.ty) {
                Some(both) if both == now.field.ty => Direction::Tightened,
                _ => Direction::Loosened,
            };
            say(
                direction,
                was("context", &field.field.name, &field.field.ty, &now.field.ty),
                String::new(),
            );
        }
        if now.trust != field.trust {
            let direction = match now.trust {
                Trust::Claim => Direction::Loosened,
                Trust::Fact => Direction::Tightened,
            };
            let text = format!(
                "context `{}` was a {}, is a {}",
                field.field.name,
                field.trust.as_str(),
                now.trust.as_str()
            );
            say(direction, text, String::new());
        }
        if now.from != field.from {
            let text = format!("context `{}` is taken from elsewhere", field.field.name);
            let meaning = format!("{:?} {:?}", field.from, now.from);
            say(Direction::Loosened, text, meaning);
        }
    }
    for old in &before.obligations {
        let new = after.obligations.iter().find(|new| new.name == old.name);
        if new.is_some_and(|new| new != old) {
            let text = format!(
                "obligation `{}` is told other things, or joins them otherwise",
                old.name
            );
            say(Direction::Loosened, text, format!("{old:?} {new:?}"));
        }
    }
    if lifts(before) != lifts(after) {
        let text = "other approvals take labels off arguments".to_owned();
        say(
            Direction::Loosened,
            text,
            format!("{:?} {:?}", lifts(before), lifts(after)),
        );
    }
    for old in &before.limits {
        let new = after.limits.iter().find(|limit| limit.spec.name == old.spec.name);
        let Some(new) = new else { continue };
        if new.spec.per != old.spec.per {
            let direction = match (old.spec.per, new.spec.per) {
                // What is counted for longer is used up sooner.
                (Per::Time(old), Per::Time(new)) if new > old => Direction::Tightened,
                (Per::Time(_), Per::Time(_)) => Direction::Loosened,
                _ => Direction::Sideways,
            };
            let text = format!("limit `{}` counts within another span", old.spec.name);
            say(direction, text, String::new());
        }
        if new.spec.max != old.spec.max && new.spec.ty == old.spec.ty {
            let direction = match new.spec.max > old.spec.max {
                true => Direction::Loosened,
                false => Direction::Tightened,
            };
            let number = |n| number(n, &new.spec.ty);
            let text = format!(
                "limit `{}` was {}, is {}",
                old.spec.name,
                number(old.spec.max),
                number(new.spec.max)
            );
            say(direction, text, String::new());
        }
    }
    out
}
