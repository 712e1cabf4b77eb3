//! `default_approval`: an approval as the default for calls that cannot be undone.

use super::meaning::not;
use super::{Context, Group, Lint};
use crate::diag::codes::DEFAULT_APPROVAL;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::Cond;
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "default_approval",
    code: DEFAULT_APPROVAL,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let default = context.module.items.iter().find_map(|item| match item {
        Item::Default(default) if default.verdict.node == Verdict::RequireApproval => Some(default),
        _ => None,
    });
    let Some(default) = default else { return };
    let falls = context.package.tools.iter().enumerate().find(|(index, tool)| {
        if !tool.effects.iter().any(|effect| effect == "irreversible") {
            return false;
        }
        let about = context.about(*index);
        let unmatched: Vec<Cond> = about.iter().map(|(_, cond)| not(cond)).collect();
        let all: Vec<&Cond> = unmatched.iter().collect();
        all.len() > RULES || context.calls(tool).possible(&all)
    });
    if let Some((_, tool)) = falls {
        let message = format!(
            "calls of `{}` that no rule speaks of end with an approval",
            tool.name
        );
        let report = LINT
            .finding(default.verdict.span, message)
            .why("whoever approves sees a call that nobody thought of, and one tired click runs it");
        out.push(report.help("write `default block`, and rules that say which calls need an approval"));
    }
}

/// Rules on one tool past which calls that none matches are taken for granted.
const RULES: usize = 24;
