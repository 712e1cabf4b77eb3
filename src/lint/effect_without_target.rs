//! `effect_without_target`: an effect on something that the arguments name and the declaration does not.

use super::{Context, Group, Lint};
use crate::diag::codes::EFFECT_WITHOUT_TARGET;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::quote::member_name;
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "effect_without_target",
    code: EFFECT_WITHOUT_TARGET,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _, tool) in context.tools() {
        for effect in written.effects.iter().filter(|e| e.target.is_none()) {
            let name = effect.name.text.as_str();
            let elsewhere = tool.targets.iter().any(|t| t.effect == name);
            if elsewhere {
                continue;
            }
            let Some((arg, path)) = tool
                .args
                .iter()
                .find_map(|arg| Some((arg, target(name, &arg.ty)?)))
            else {
                continue;
            };
            let each = matches!(arg.ty.required(), Ty::List { .. });
            let each = if each { "each " } else { "" };
            let to = format!(" to {each}{}{path}", member_name(&arg.name));
            let end = Span {
                start: effect.name.span.end,
                ..effect.name.span
            };
            let message = format!(
                "effect `{name}` does not say what it acts on, and `{}` does",
                member_name(&arg.name)
            );
            let report = LINT
                .finding(effect.name.span, message)
                .why("rules about targets, and traces, know nothing of it");
            out.push(report.help(format!("write `effect {name}{to}`")).suggest(end, to));
        }
    }
}

/// What is written after an argument of this type to name the target of an effect.
fn target(effect: &str, ty: &Ty) -> Option<&'static str> {
    let ty = match ty.required() {
        Ty::List { element, .. } => element.required(),
        other => other,
    };
    match (effect, ty) {
        ("net.read" | "net.egress", Ty::Url) => Some(".host"),
        ("net.read" | "net.egress", Ty::Host) => Some(""),
        ("net.egress", Ty::Email) => Some(".domain"),
        ("message.send", Ty::Email) => Some(""),
        ("fs.read" | "fs.write" | "fs.delete", Ty::Path) => Some(""),
        _ => None,
    }
}
