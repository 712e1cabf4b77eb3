//! Differences as one page without scripts or anything from elsewhere.

use super::Comparison;
use super::entries::{Entry, by};
use super::markdown::heading;
use super::plain::total;
use crate::analysis::{Direction, document};
use crate::cli::ui::one_line;
use crate::hir::canonical_json;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
code{font:13px/1.5 ui-monospace,monospace;background:#f3f4f6;padding:.1rem .3rem;border-radius:4px;overflow-wrap:anywhere}\
section{border-left:4px solid #999;padding:.2rem 1rem;margin:1rem 0}\
.loosened{border-color:#c62828}.sideways{border-color:#c77700}.tightened{border-color:#2e7d32}\
p{margin:.3rem 0}.dim{color:#57606a}";

pub(super) fn page(comparison: &Comparison) -> String {
    let title = escape(&format!("{} -> {}", comparison.before, comparison.after));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body>\n<h1>Policy change</h1>\n<p>{}</p>\n",
        escape(&total(comparison))
    );
    for direction in Direction::ALL {
        let mut entries = comparison
            .entries
            .iter()
            .filter(|e| e.direction == direction)
            .peekable();
        if entries.peek().is_some() {
            out.push_str(&format!("<h2>{}</h2>\n", heading(direction)));
        }
        entries.for_each(|entry| out.push_str(&section(entry)));
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn section(entry: &Entry) -> String {
    let mut out = format!("<section class=\"{}\">\n<p>", entry.direction.as_str());
    if let Some(tool) = &entry.tool {
        out.push_str(&format!("<strong>{}</strong> ", escape(tool)));
    }
    out.push_str(&escape(&entry.title));
    if !entry.is_certain {
        out.push_str(" (perhaps: no call was found that shows it)");
    }
    if let Some(calls) = entry.recorded {
        out.push_str(&format!(" ({calls} recorded)"));
    }
    if entry.is_accepted {
        out.push_str(" (accepted)");
    }
    out.push_str(&format!(
        " <span class=\"dim\">{}</span></p>\n",
        escape(&entry.id)
    ));
    if !entry.conditions.is_empty() {
        let all: Vec<String> = entry.conditions.iter().map(|text| code(text)).collect();
        out.push_str(&format!("<p>when {}</p>\n", all.join(" and ")));
    }
    if let Some((call, [before, after])) = &entry.example {
        let call = code(&canonical_json(&document(call)));
        let (before, after) = (escape(&by(before)), escape(&by(after)));
        out.push_str(&format!(
            "<p>{call}</p>\n<p class=\"dim\">{before}, now {after}</p>\n"
        ));
    }
    out.push_str("</section>\n");
    out
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Text within an element or an attribute.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
