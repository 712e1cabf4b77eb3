//! `under_root`: a rule that allows every absolute path.

use super::walk::Polarity;
use super::{Context, Group, Lint};
use crate::diag::codes::UNDER_ROOT;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::syntax::ast::Op;

/// The lint.
pub const LINT: Lint = Lint {
    name: "under_root",
    code: UNDER_ROOT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        for comparison in context.comparisons_of(written) {
            let (Op::Under, Polarity::Holds) = (comparison.op.node, comparison.polarity) else {
                continue;
            };
            let texts = comparison.texts();
            if let Some((_, span)) = texts.iter().find(|(text, _)| *text == "/") {
                let report = LINT
                    .finding(*span, "every absolute path is under `/`")
                    .label("the root of the file system");
                out.push(report.help("name the folder that is meant"));
            }
        }
    }
}
