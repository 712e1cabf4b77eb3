//! What a policy can decide, for a pull request: GitHub-flavoured Markdown.

use super::Covered;
use super::plain::{by, notes};
use crate::analysis::document;
use crate::cli::markdown::span;
use crate::hir::canonical_json;

pub(super) fn page(one: &Covered) -> String {
    let mut out = format!("### {}\n\n{}\n", span(&one.file), span(&one.total()));
    for tool in &one.tools {
        out.push_str(&format!("\n#### {}\n\n", span(&tool.tool)));
        for reached in &tool.reached {
            let call = match &reached.call {
                Some(call) => span(&canonical_json(&document(call))),
                None => "perhaps: no call was found that gets it".to_owned(),
            };
            let verdict = span(reached.verdict.as_str());
            out.push_str(&format!("- {verdict} {}\n  - {call}\n", span(&by(one, reached))));
        }
        for (_, note) in notes(one, tool) {
            out.push_str(&format!("- {}\n", span(&note)));
        }
    }
    out
}
