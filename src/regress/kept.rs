//! Recorded calls of which values were not kept. In: the places of these values, the tool as the bundle declares it now,
//! the recorded arguments. Out: arguments that are a call of the tool again, with the plainest values in these places,
//! and whether any rule looks there; where none does, the decision is that of the real call.

use crate::builtins::bind;
use crate::eval::redact;
use crate::hir::{Step, place};
use crate::ir::ToolProgram;
use crate::json::Json;
use crate::ty::Ty;

/// The arguments with a value of its type in every place.
pub(super) fn filled(args: &Json, places: &[Vec<String>], tool: &ToolProgram) -> Json {
    let mut args = args.clone();
    for names in places {
        if let Some(ty) = ty_at(tool, names) {
            redact::each(&mut args, names, &mut |value| fill(value, &ty));
        }
    }
    args
}

fn fill(value: &mut Json, ty: &Ty) {
    match (&mut *value, ty.required()) {
        (Json::Null, _) => {}
        (Json::Array(items), Ty::List { element, .. }) => {
            items.iter_mut().for_each(|item| fill(item, element))
        }
        (_, ty) => {
            if let Some(plain) = place::plain(ty) {
                *value = bind::to_json(&plain, ty);
            }
        }
    }
}

/// The type of a place, lists on the way stepped into.
fn ty_at(tool: &ToolProgram, names: &[String]) -> Option<Ty> {
    names.iter().try_fold(Ty::Record(tool.args.clone()), |ty, name| {
        field(&inside(ty), name).map(|(_, ty)| ty)
    })
}

/// The type inside optionals, lists and sets.
fn inside(ty: Ty) -> Ty {
    match ty {
        Ty::Optional(inner) | Ty::List { element: inner, .. } | Ty::Set { element: inner, .. } => {
            inside(*inner)
        }
        other => other,
    }
}

fn field(ty: &Ty, name: &str) -> Option<(Step, Ty)> {
    let Ty::Record(fields) = ty else { return None };
    let at = fields.iter().position(|field| field.name == name)?;
    Some((Step::Field(u32::try_from(at).ok()?), fields.get(at)?.ty.clone()))
}

/// Whether anything that decides a call of the tool, or that its session goes on by, looks at one of the places.
pub(super) fn is_looked_at(places: &[Vec<String>], tool: &ToolProgram) -> bool {
    let places: Vec<Vec<Step>> = places.iter().map(|names| steps(tool, names)).collect();
    let touches = |seen: &[Step]| {
        places
            .iter()
            .any(|at| at.starts_with(seen) || seen.starts_with(at))
    };
    let mut found = tool.scope.vars.iter().any(|var| touches(&var.steps))
        || tool.scope.lists.iter().any(|list| touches(&list.steps));
    let mut see = |place: &crate::hir::Place| found |= place.level == 0 && touches(&place.steps);
    tool.slots.iter().for_each(|slot| slot.each_place(&mut see));
    tool.events.iter().for_each(|(_, cond)| cond.each_place(&mut see));
    found
}

/// The steps to a place, as far as its first list.
fn steps(tool: &ToolProgram, names: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut ty = Ty::Record(tool.args.clone());
    for name in names {
        let Some((step, next)) = field(ty.required(), name) else {
            break;
        };
        steps.push(step);
        ty = next;
    }
    steps
}
