//! `untargeted_egress`: a rule that allows to send data out without looking at where it goes.

use super::meaning::not;
use super::{Context, Group, Lint, targets};
use crate::diag::codes::UNTARGETED_EGRESS;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Cond, TargetSource};
use crate::source::Span;
use crate::syntax::ast::Selector;

/// The lint.
pub const LINT: Lint = Lint {
    name: "untargeted_egress",
    code: UNTARGETED_EGRESS,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        let blind = context.on(rule).find(|(index, tool, cond)| {
            let targets: Vec<&TargetSource> =
                tool.targets.iter().filter(|t| t.effect == "net.egress").collect();
            let stricter: Vec<&Cond> = context.stricter(rule.verdict, *index).collect();
            let looks = |cond: &Cond| targets.iter().any(|target| targets::looks_at(cond, target));
            if targets.is_empty() || looks(cond) || stricter.iter().any(|cond| looks(cond)) {
                return false;
            }
            // Without any condition it is a broad rule, which has a lint of its own.
            !(stricter.is_empty() && context.calls(tool).impossible(&[&not(cond)]))
        });
        if let Some((_, tool, _)) = blind {
            let on = written.on.iter().map(Selector::span).reduce(Span::to);
            let message = format!(
                "rule `{}` allows `{}` without looking at where it sends",
                rule.name, tool.name
            );
            let report = LINT
                .finding(on.unwrap_or(written.name.span), message)
                .label(format!("`{}` has the effect `net.egress`", tool.name))
                .why("neither it nor a stricter rule asks about a target of the effect");
            out.push(
                report.help("ask for the host: `all h in targets.host: h under …`, or name the argument"),
            );
        }
    }
}
