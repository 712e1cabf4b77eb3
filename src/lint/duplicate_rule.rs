//! `duplicate_rule`: two rules that ask the same of the same tools and give the same verdict.

use super::{Context, Group, Lint};
use crate::diag::codes::DUPLICATE_RULE;
use crate::diag::{Diagnostic, Level};
use crate::hir::{Cond, Duty};
use crate::source::Span;
use std::collections::BTreeMap;

/// The lint.
pub const LINT: Lint = Lint {
    name: "duplicate_rule",
    code: DUPLICATE_RULE,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for (written, rule) in context.rules() {
        let asks: Vec<(usize, Cond)> = rule
            .on
            .iter()
            .map(|(tool, cond)| (*tool, cond.unplaced()))
            .collect();
        let duties: Vec<&Duty> = rule.duties.iter().map(|duty| &duty.node).collect();
        let key = format!("{} {:?} {duties:?} {asks:?}", rule.verdict, rule.approvals);
        match seen.get(&key) {
            None => {
                seen.insert(key, written.name.span);
            }
            Some(first) => {
                let other = context.text(*first);
                let message = format!(
                    "rule `{}` asks what rule `{other}` asks, with the same verdict",
                    rule.name
                );
                let report = LINT
                    .finding(written.name.span, message)
                    .also(*first, "the other rule")
                    .help("remove one of them, or mend the one that should differ");
                out.push(report);
            }
        }
    }
}
