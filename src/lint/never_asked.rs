//! `never_asked`: a tool whose effect cannot be undone, allowed by rules and stopped by none.

use super::{Context, Group, Lint};
use crate::diag::codes::NEVER_ASKED;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::Rule;

/// The lint.
pub const LINT: Lint = Lint {
    name: "never_asked",
    code: NEVER_ASKED,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, index, tool) in context.tools() {
        let lasting = tool.effects.iter().any(|effect| effect == "irreversible");
        let about = |rule: &&Rule| rule.on.iter().any(|(on, _)| *on == index);
        let mut rules = context.package.rules.iter().filter(about);
        let allowed = rules.clone().any(|rule| rule.verdict == Verdict::Allow);
        if lasting && allowed && !rules.any(|rule| rule.verdict > Verdict::Allow) {
            let message = format!(
                "no rule asks a person about `{}`, which cannot be undone",
                tool.name
            );
            out.push(
                LINT.finding(written.name.span, message)
                    .why("every call is either run at once or left to the default")
                    .help("write a rule with `require_approval` for the calls in between"),
            );
        }
    }
}
