//! Comments at the ends of lines, below each other. In: laid-out text and where such comments start. Out: the text with
//! blanks before them.

use std::collections::BTreeMap;

/// Moves comments that trail neighbouring lines of one indentation below each other. `trailing` says where they start.
pub(super) fn comments(text: &str, trailing: &[usize]) -> String {
    /// A line with a comment after its code.
    struct Line<'t> {
        number: usize,
        indent: usize,
        code: &'t str,
    }
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut starts = trailing.iter().copied().peekable();
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(start) = starts.next_if(|start| *start < at + line.len()) {
            let code = line.get(..start - at).unwrap_or_default();
            let indent = code.len() - code.trim_start().len();
            lines.push(Line { number, indent, code });
        }
        at += line.len();
    }
    let mut pads: BTreeMap<usize, usize> = BTreeMap::new();
    for run in lines.chunk_by(|a, b| a.number + 1 == b.number && a.indent == b.indent) {
        let width = |line: &Line<'_>| line.code.chars().count();
        let widest = run.iter().map(width).max().unwrap_or(0);
        for line in run {
            pads.insert(line.number, widest - width(line));
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut starts = trailing.iter().copied().peekable();
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match starts.next_if(|start| *start < at + line.len()) {
            Some(start) => {
                let (code, comment) = line.split_at_checked(start - at).unwrap_or((line, ""));
                out.push_str(code);
                out.extend(std::iter::repeat_n(' ', pads.get(&number).copied().unwrap_or(0)));
                out.push_str(comment);
            }
            None => out.push_str(line),
        }
        at += line.len();
    }
    out
}
