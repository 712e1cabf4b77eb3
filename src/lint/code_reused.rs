//! `code_reused`: one reason code for different verdicts.

use super::{Context, Group, Lint};
use crate::diag::codes::CODE_REUSED;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::source::Span;
use crate::syntax::ast::Item;
use std::collections::BTreeMap;

/// The lint.
pub const LINT: Lint = Lint {
    name: "code_reused",
    code: CODE_REUSED,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, (Verdict, Span)> = BTreeMap::new();
    let default = context.module.items.iter().find_map(|item| match item {
        Item::Default(default) => default.code.as_ref().map(|code| (default.verdict.node, code)),
        _ => None,
    });
    let rules = context.rules().map(|(written, rule)| {
        let name = written.code.as_ref().unwrap_or(&written.name);
        (rule.verdict, name)
    });
    for (verdict, code) in default.into_iter().chain(rules) {
        match seen.get(code.text.as_str()) {
            Some((first, span)) if *first != verdict => {
                let message = format!(
                    "code `{}` stands for `{verdict}` here and for `{first}` elsewhere",
                    code.text
                );
                let report = LINT
                    .finding(code.span, message)
                    .also(*span, format!("here for `{first}`"))
                    .why("whoever reads the code of a decision cannot tell what happened");
                out.push(report.help("give each verdict a code of its own"));
            }
            Some(_) => {}
            None => {
                seen.insert(&code.text, (verdict, code.span));
            }
        }
    }
}
