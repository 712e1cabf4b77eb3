//! Differences for a pull request: GitHub-flavoured Markdown. Texts of policies stand in code spans and blocks.

use super::Comparison;
use super::entries::{Entry, by};
use super::plain::total;
use crate::analysis::{Direction, document};
use crate::cli::markdown::span;
use crate::hir::canonical_json;

pub(super) fn page(comparison: &Comparison) -> String {
    let mut out = format!("### Policy change\n\n{}\n", span(&total(comparison)));
    for direction in Direction::ALL {
        let entries = comparison.entries.iter().filter(|e| e.direction == direction);
        let entries: Vec<&Entry> = entries.collect();
        if entries.is_empty() {
            continue;
        }
        out.push_str(&format!("\n#### {}\n\n", heading(direction)));
        entries.iter().for_each(|entry| out.push_str(&item(entry)));
    }
    out
}

pub(super) fn heading(direction: Direction) -> &'static str {
    match direction {
        Direction::Loosened => "Loosened",
        Direction::Sideways => "Sideways",
        Direction::Tightened => "Tightened",
    }
}

fn item(entry: &Entry) -> String {
    let mut head: Vec<String> = entry.tool.iter().map(|tool| span(tool)).collect();
    head.push(span(&entry.title));
    if !entry.is_certain {
        head.push("(perhaps: no call was found that shows it)".to_owned());
    }
    if let Some(calls) = entry.recorded {
        head.push(format!("({calls} recorded)"));
    }
    if entry.is_accepted {
        head.push("(accepted)".to_owned());
    }
    let mut out = format!("- {} {}\n", head.join(" "), span(&entry.id));
    if !entry.conditions.is_empty() {
        let all: Vec<String> = entry.conditions.iter().map(|text| span(text)).collect();
        out.push_str(&format!("  when {}\n", all.join(" and ")));
    }
    if let Some((call, [before, after])) = &entry.example {
        let call = span(&canonical_json(&document(call)));
        let (before, after) = (span(&by(before)), span(&by(after)));
        out.push_str(&format!("  - {call}\n  - {before}, now {after}\n"));
    }
    out
}
