//! Recorded calls of which values were not kept. In: the places of these values, the tool as the bundle declares it now,
//! the recorded arguments. Out: arguments that are a call of the tool again, with the plainest values in these places,
//! and whether any rule looks there; where none does, the decision is that of the real call.

use crate::artifact::TraceSecret;
use crate::builtins::bind;
use crate::domain::labels;
use crate::eval::redact;
use crate::hir::{Step, place};
use crate::ir::{Scope, ToolProgram};
use crate::json::Json;
use crate::limits;
use crate::ty::Ty;

/// Where secrets were taken out of the arguments of a recorded call, or of a step of it by its number.
pub(super) fn secrets(hidden: &[TraceSecret], step: Option<usize>) -> Vec<Vec<String>> {
    // Of more than a trace names nobody knows where they were.
    if hidden.len() >= limits::SECRETS_NAMED {
        return vec![Vec::new()];
    }
    let start = step.map_or_else(
        || "args.".to_owned(),
        |step| format!("script.steps[{step}].args."),
    );
    let own = hidden
        .iter()
        .filter_map(|one| one.at.strip_prefix(start.as_str()));
    let names = |at: &str| {
        let path = labels::written_path(at).into_iter();
        path.filter(|step| step.parse::<usize>().is_err()).collect()
    };
    own.map(names).collect()
}

/// Whether a secret was taken out of something else than arguments, which claims may be read from.
pub(super) fn is_elsewhere(hidden: &[TraceSecret]) -> bool {
    let is_args = |at: &str| at.starts_with("args.") || at.starts_with("script.steps[");
    hidden.iter().any(|one| !is_args(&one.at))
}

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
    let within: Vec<Vec<Vec<Step>>> = places.iter().map(|names| steps(tool, names)).collect();
    let places: Vec<&[Step]> = within
        .iter()
        .filter_map(|at| at.first())
        .map(Vec::as_slice)
        .collect();
    let touches = |seen: &[Step]| places.iter().any(|at| overlap(at, seen));
    let mut found = within.iter().any(|at| in_scope(&tool.scope, at));
    let mut see = |place: &crate::hir::Place| found |= place.level == 0 && touches(&place.steps);
    tool.slots.iter().for_each(|slot| slot.each_place(&mut see));
    tool.events.iter().for_each(|(_, cond)| cond.each_place(&mut see));
    found
}

fn overlap(a: &[Step], b: &[Step]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// Whether a variable or list of a scope looks at a place. The place is the steps to each list on the way, then those in
/// its elements.
fn in_scope(scope: &Scope, at: &[Vec<Step>]) -> bool {
    let Some((first, inner)) = at.split_first() else {
        return true;
    };
    // Of a list in whose elements something was taken out the length is known, and that it is there.
    let vars = inner.is_empty() && scope.vars.iter().any(|var| overlap(first, &var.steps));
    vars || scope
        .lists
        .iter()
        .any(|list| match first.strip_prefix(list.steps.as_slice()) {
            Some([]) if !inner.is_empty() => in_scope(&list.scope, inner),
            // An optional on the way to it.
            Some(rest @ [_, ..]) => {
                let rest: Vec<Vec<Step>> = [rest.to_vec()].into_iter().chain(inner.to_vec()).collect();
                in_scope(&list.scope, &rest)
            }
            _ => overlap(first, &list.steps),
        })
}

/// The steps to a place: as far as its first list, then from an element of it, and so on.
fn steps(tool: &ToolProgram, names: &[String]) -> Vec<Vec<Step>> {
    let mut all = vec![Vec::new()];
    let mut ty = Ty::Record(tool.args.clone());
    for name in names {
        while let Ty::List { element, .. } | Ty::Set { element, .. } = ty.required() {
            ty = (**element).clone();
            all.push(Vec::new());
        }
        let Some((step, next)) = field(ty.required(), name) else {
            break;
        };
        if let Some(last) = all.last_mut() {
            last.push(step);
        }
        ty = next;
    }
    all
}
