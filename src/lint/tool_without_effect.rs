//! `tool_without_effect`: a tool that declares no effect, so that no rule about effects is about it.

use super::{Context, Group, Lint};
use crate::diag::codes::TOOL_WITHOUT_EFFECT;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Tool;

/// The lint.
pub const LINT: Lint = Lint {
    name: "tool_without_effect",
    code: TOOL_WITHOUT_EFFECT,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut bare = context.tools().filter(|(_, _, tool)| tool.effects.is_empty());
    let Some((first, _, _)) = bare.next() else { return };
    let others: Vec<&Tool> = bare.map(|(tool, _, _)| tool).collect();
    let message = match others.len() {
        0 => format!("tool `{}` declares no effect", first.name.text),
        1 => format!("tool `{}` and one other declare no effect", first.name.text),
        n => format!("tool `{}` and {n} others declare no effect", first.name.text),
    };
    let mut report = LINT
        .finding(first.name.span, message)
        .why("rules on `tools with effect …` leave it out, whatever it does");
    for tool in others.iter().take(SHOWN) {
        report = report.also(tool.name.span, "nor does this");
    }
    out.push(report.help("say what it does with `effect`; `data.read` is the least"));
}

/// Tools a report points at, beside the first.
const SHOWN: usize = 8;
