//! What two policies declare differently, in words: tools with their arguments, the context, limits, the profile. In: two
//! packages. Out: a line each, with the way it goes. What rules make of it is told elsewhere.

use super::Direction;
use super::joint::meet;
use crate::builtins::written::number;
use crate::domain::Trust;
use crate::hir::{Package, Per, Tool};
use crate::ty::Ty;

/// Something that is declared differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Which way.
    pub direction: Direction,
    /// What, in words.
    pub text: String,
}

/// What is declared differently of a tool; `is_open` says whether any call of it gets through.
pub(super) fn tool(before: Option<&Tool>, after: Option<&Tool>, is_open: bool) -> Vec<Declared> {
    let mut out = Vec::new();
    let mut say = |direction: Direction, text: String| {
        let direction = match direction {
            Direction::Loosened if !is_open => Direction::Sideways,
            other => other,
        };
        out.push(Declared { direction, text });
    };
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(_)) => {
            say(Direction::Loosened, "a new tool".to_owned());
            return out;
        }
        (Some(_), None) => {
            say(Direction::Tightened, "no longer declared".to_owned());
            return out;
        }
        (None, None) => return out,
    };
    for field in &before.args {
        let Some(now) = after.args.iter().find(|arg| arg.name == field.name) else {
            let direction = match field.ty.is_optional() {
                true => Direction::Tightened,
                // Calls without it are no longer refused.
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
        let (old, new) = (&field.ty, &now.ty);
        let text = match (old.required(), new.required()) {
            (Ty::Enum { members, .. }, Ty::Enum { members: now, .. })
                if old.to_string() == new.to_string() =>
            {
                format!(
                    "argument `{}` was one of {}, is one of {}",
                    field.name,
                    members.join(", "),
                    now.join(", ")
                )
            }
            _ if old.to_string() == new.to_string() => {
                format!("argument `{}` takes other values of `{old}`", field.name)
            }
            _ => format!("argument `{}` was `{old}`, is `{new}`", field.name),
        };
        say(direction, text);
    }
    for field in &after.args {
        if !before.args.iter().any(|arg| arg.name == field.name) {
            let text = format!("a new argument `{}`: `{}`", field.name, field.ty);
            say(Direction::Loosened, text);
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
        direction: Direction::Sideways,
        text: format!("what it returns was labelled {old}, is labelled {new}"),
    })
}

/// What is declared differently beside the tools.
pub(super) fn policy(before: &Package, after: &Package) -> Vec<Declared> {
    let mut out = Vec::new();
    let mut say = |direction, text: String| out.push(Declared { direction, text });
    if before.profile != after.profile {
        let direction = match after.profile < before.profile {
            true => Direction::Loosened,
            false => Direction::Tightened,
        };
        say(
            direction,
            format!("profile was `{}`, is `{}`", before.profile, after.profile),
        );
    }
    for field in &before.context {
        let now = after
            .context
            .iter()
            .find(|now| now.field.name == field.field.name);
        let Some(now) = now else { continue };
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
            say(direction, text);
        }
        if now.from != field.from {
            let text = format!("context `{}` is taken from elsewhere", field.field.name);
            say(Direction::Sideways, text);
        }
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
            say(direction, text);
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
            say(direction, text);
        }
    }
    out
}
