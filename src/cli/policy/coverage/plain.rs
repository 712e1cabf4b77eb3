//! What a policy can decide, for a terminal.

use super::Covered;
use crate::analysis::coverage::{Reached, ToolCoverage};
use crate::analysis::document;
use crate::analysis::idle::{Idle, Kind};
use crate::cli::error::CliError;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::domain::Verdict;
use crate::hir::canonical_json;

pub(super) fn print(ui: &mut Ui, one: &Covered) -> Result<(), CliError> {
    for tool in &one.tools {
        ui.line(&paint(Tone::Strong, &one_line(&tool.tool)))?;
        for reached in &tool.reached {
            let word = paint(
                tone(reached.verdict),
                &format!("{:<16}", reached.verdict.as_str()),
            );
            ui.line(&format!("  {word} {}", one_line(&by(one, reached))))?;
            let call = match &reached.call {
                Some(call) => canonical_json(&document(call)),
                None => "perhaps: no call was found that gets it".to_owned(),
            };
            ui.line(&paint(Tone::Dim, &format!("    {}", one_line(&call))))?;
        }
        for (tone, note) in notes(one, tool) {
            ui.line(&format!("  {}", paint(tone, &one_line(&note))))?;
        }
    }
    ui.line(&format!("{}: {}", one_line(&one.file), one.total()))
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Allow => Tone::Good,
        Verdict::Block => Tone::Bad,
        _ => Tone::Warn,
    }
}

/// Who gives a verdict.
pub(super) fn by(one: &Covered, reached: &Reached) -> String {
    let mut by = one.rules(&reached.rules);
    if reached.default {
        by.push("default");
    }
    format!("by {}", by.join(", "))
}

/// What else there is to say of a tool.
pub(super) fn notes(one: &Covered, tool: &ToolCoverage) -> Vec<(Tone, String)> {
    let mut notes = Vec::new();
    if tool.too_large {
        let text = "its rules tell too many kinds of calls apart for more to be known";
        notes.push((Tone::Bad, text.to_owned()));
    }
    if !tool.spoken {
        notes.push((Tone::Warn, "no rule is about it".to_owned()));
    }
    match &tool.unguarded {
        Some(Some(call)) => {
            let call = canonical_json(&document(call));
            notes.push((
                Tone::Bad,
                format!("runs by default, and cannot be undone: {call}"),
            ));
        }
        Some(None) => {
            let text = "perhaps runs by default, and cannot be undone: no call was found that does";
            notes.push((Tone::Bad, text.to_owned()));
        }
        None => {}
    }
    if !tool.unasked.is_empty() {
        let args = tool.unasked.iter().map(|arg| format!("args.{arg}"));
        let args: Vec<String> = args.collect();
        notes.push((Tone::Dim, format!("nothing asks about {}", args.join(", "))));
    }
    for (rule, found) in &tool.idle {
        notes.push((Tone::Warn, idle(one, *rule, found)));
    }
    notes
}

fn idle(one: &Covered, rule: usize, idle: &Idle) -> String {
    let name = one.rules(&[rule]).join("");
    let mut covers = one.rules(&idle.covers);
    if idle.default {
        covers.push("default");
    }
    match idle.kind {
        Kind::Vacuous => format!("rule {name} matches no call"),
        Kind::Dead => format!("rule {name} changes nothing beside {}", covers.join(", ")),
        Kind::Subsumed => format!("rule {name} adds nothing but its name to {}", covers.join(", ")),
    }
}
