//! Differences for a terminal.

use super::Comparison;
use super::entries::{Entry, by};
use crate::analysis::{Direction, document};
use crate::cli::error::CliError;
use crate::cli::ui::{Tone, Ui, count, one_line, paint, tally};
use crate::hir::canonical_json;

pub(super) fn print(ui: &mut Ui, comparison: &Comparison) -> Result<(), CliError> {
    for entry in &comparison.entries {
        for line in lines(entry) {
            ui.line(&line)?;
        }
    }
    ui.line(&total(comparison))
}

fn tone(direction: Direction) -> Tone {
    match direction {
        Direction::Loosened => Tone::Bad,
        Direction::Sideways => Tone::Warn,
        Direction::Tightened => Tone::Good,
    }
}

fn lines(entry: &Entry) -> Vec<String> {
    let mut head = vec![paint(
        tone(entry.direction),
        &format!("{:<9}", entry.direction.as_str()),
    )];
    if let Some(tool) = &entry.tool {
        head.push(paint(Tone::Strong, &one_line(tool)));
    }
    head.push(one_line(&entry.title));
    if !entry.is_certain {
        head.push("(perhaps: no call was found that shows it)".to_owned());
    }
    if let Some(calls) = entry.recorded {
        head.push(format!("({} of the tool)", tally(calls, "recorded call")));
    }
    if entry.is_accepted {
        head.push("(accepted)".to_owned());
    }
    head.push(paint(Tone::Dim, &entry.id));
    let mut lines = vec![head.join("  ")];
    for (number, condition) in entry.conditions.iter().enumerate() {
        let word = if number == 0 { "when" } else { " and" };
        lines.push(format!("    {word} {}", one_line(condition)));
    }
    if let Some((call, [before, after])) = &entry.example {
        lines.push(format!("    {}", one_line(&canonical_json(&document(call)))));
        let both = format!("    {}; now {}", one_line(&by(before)), one_line(&by(after)));
        lines.push(paint(Tone::Dim, &both));
    }
    lines
}

/// One line over everything.
pub(super) fn total(comparison: &Comparison) -> String {
    let of = |direction: Direction| {
        let entries = comparison.entries.iter();
        entries.filter(|entry| entry.direction == direction).count()
    };
    let files = format!(
        "{} -> {}",
        one_line(&comparison.before),
        one_line(&comparison.after)
    );
    let recorded = match &comparison.recorded {
        Some(recorded) => format!(
            "; {} of {} get another verdict",
            recorded.changed.values().sum::<u64>(),
            tally(recorded.calls, "recorded call")
        ),
        None => String::new(),
    };
    let tools = count(comparison.compared, "tool");
    if comparison.entries.is_empty() {
        return format!("{files}: every call of {tools} is decided the same{recorded}");
    }
    let each = Direction::ALL.map(|direction| format!("{} {}", of(direction), direction.as_str()));
    format!("{files}: {}; {tools} compared{recorded}", each.join(", "))
}
