//! `broad_allow`: a rule without conditions that allows a tool whose effects last, with no stricter rule beside it.

use super::meaning::not;
use super::{Context, Group, Lint};
use crate::diag::codes::BROAD_ALLOW;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::source::Span;
use crate::syntax::ast::Selector;

/// The lint.
pub const LINT: Lint = Lint {
    name: "broad_allow",
    code: BROAD_ALLOW,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Effects that cannot be taken back by the next call.
const LASTING: [&str; 7] = [
    "irreversible",
    "net.egress",
    "money.move",
    "access.change",
    "proc.exec",
    "fs.delete",
    "data.delete",
];

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        let on = written.on.iter().map(Selector::span).reduce(Span::to);
        let on = on.unwrap_or(written.name.span);
        if written.conditions.is_empty()
            && let Some(star) = written.on.iter().find(|s| matches!(s, Selector::All(_)))
        {
            let message = format!("rule `{}` allows every call of every tool", rule.name);
            let report = LINT
                .finding(star.span(), message)
                .label("this is also every tool declared later")
                .why("a tool that somebody adds next year would be allowed unseen");
            out.push(
                report.help("name the tools, or select them by what they do: `tools with effect only { … }`"),
            );
            continue;
        }
        let mut found: Vec<(&str, &str)> = Vec::new();
        for (index, tool, cond) in context.on(rule) {
            let lasting = LASTING.iter().find(|e| tool.effects.iter().any(|own| own == *e));
            let Some(effect) = lasting else { continue };
            let stricter = context.stricter(rule.verdict, index).next().is_some();
            if !stricter && context.calls(tool).impossible(&[&not(cond)]) {
                found.push((tool.name.as_str(), effect));
            }
        }
        if let Some((tool, effect)) = found.first() {
            let more = match found.len() - 1 {
                0 => String::new(),
                1 => " and of one other tool".to_owned(),
                n => format!(" and of {n} other tools"),
            };
            let message = format!("rule `{}` allows every call of `{tool}`{more}", rule.name);
            let report = LINT
                .finding(on, message)
                .label(format!("`{tool}` has the effect `{effect}`"))
                .why("no condition and no stricter rule looks at the call, and its effect cannot be taken back");
            out.push(report.help("say with `when` which calls are meant, or ask with `require_approval`"));
        }
    }
}
