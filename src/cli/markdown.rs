//! GitHub-flavoured Markdown from texts of policies.

use super::ui::one_line;

/// A code span that ends where its text ends (CommonMark 0.31, section 6.1).
pub fn span(text: &str) -> String {
    let text = one_line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}
