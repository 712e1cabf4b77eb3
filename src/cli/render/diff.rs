//! What changes from one text to another, as a unified diff that `patch` applies. In: a name and two texts. Out: text;
//! colours are in it and `Ui` drops them where the stream has none. It knows nothing of policies.

use crate::cli::ui::{Tone, one_line, paint};
use similar::TextDiff;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// The diff without colour; empty when the texts are equal.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let name = one_line(name);
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// The same diff for people.
///
/// INVARIANT: only the ends of lines can hold characters that do not show, a carriage return before the line feed.
pub fn coloured(diff: &str) -> String {
    let line = |line: &str| {
        let (body, end) = match line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')) {
            Some(body) => (body, line.get(body.len()..).unwrap_or_default()),
            None => (line, ""),
        };
        let tone = match body.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Tone::Strong,
            [b'@', ..] | [b'\\', ..] => Tone::Dim,
            [b'+', ..] => Tone::Good,
            [b'-', ..] => Tone::Bad,
            _ => return line.to_owned(),
        };
        format!("{}{end}", tinted(tone, body))
    };
    diff.split_inclusive('\n').map(line).collect()
}

/// A line in one colour; unlike `paint`, tabs stay.
fn tinted(tone: Tone, body: &str) -> String {
    let parts: Vec<String> = body.split('\t').map(|part| paint(tone, part)).collect();
    parts.join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_what_patch_reads() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh";
        let new = "a\nb\nc\nD\ne\nf\ng\nh\n";
        assert_eq!(
            unified("p\n.x", old, new),
            "--- a/p\\n.x\n+++ b/p\\n.x\n@@ -1,8 +1,8 @@\n a\n b\n c\n-d\n+D\n e\n f\n g\n-h\n\\ No newline at end of file\n+h\n"
        );
        assert_eq!(unified("p", new, new), "");
    }

    #[test]
    fn colours_add_nothing_but_colours() {
        let diff = unified("p", "a\r\n\tb\nsame\n", "a\n\tc\nsame\n");
        let shown = coloured(&diff);
        assert!(shown.contains("\u{1b}["));
        assert_eq!(anstream::adapter::strip_str(&shown).to_string(), diff);
    }
}
