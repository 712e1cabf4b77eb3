//! `todo_text`: a note of the author in a text that callers see.

use super::{Context, Group, Lint};
use crate::diag::codes::TODO_TEXT;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "todo_text",
    code: TODO_TEXT,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

const NOTES: [&str; 5] = ["TODO", "FIXME", "XXX", "TBD", "HACK"];

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules() {
        for (text, what) in [(&written.description, "description"), (&written.hint, "hint")] {
            let Some(text) = text else { continue };
            let mut words = text.node.split(|c: char| !c.is_ascii_alphanumeric());
            if let Some(note) = words.find(|word| NOTES.contains(word)) {
                let message = format!("the {what} of rule `{}` says `{note}`", written.name.text);
                out.push(
                    LINT.finding(text.span, message)
                        .why("it is shown to whoever is stopped by the rule")
                        .help("finish the text; notes belong in comments"),
                );
            }
        }
    }
}
