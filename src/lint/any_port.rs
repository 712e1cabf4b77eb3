//! `any_port`: a rule that allows a host on every port.

use super::meaning::not;
use super::{Context, Group, Lint, targets};
use crate::diag::codes::ANY_PORT;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Atom, Cond, Part, Place, Question, Step, place};
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "any_port",
    code: ANY_PORT,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, rule) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        let open = context.on(rule).find_map(|(index, tool, cond)| {
            let hosts = tool
                .targets
                .iter()
                .filter(|t| t.effect.starts_with("net.") && t.list.is_none());
            let mut urls = hosts.filter_map(|target| match target.steps.split_last() {
                Some((Step::Part(Part::Host), url)) => Some((target, url)),
                _ => None,
            });
            let stricter: Vec<Cond> = context.stricter(rule.verdict, index).map(not).collect();
            let (_, url) = urls.find(|(target, url)| {
                let mut steps = url.to_vec();
                steps.push(Step::Part(Part::Port));
                let odd = Cond::Atom(Atom {
                    place: Place { level: 0, steps },
                    ty: Ty::Int,
                    test: Question::Within(vec![(0, 79), (81, 442), (444, 65_535)]),
                    when_absent: false,
                    span: written.span,
                });
                let mut all = vec![cond, &odd];
                all.extend(&stricter);
                targets::looks_at(cond, target) && context.calls(tool).possible(&all)
            })?;
            Some((tool, place::written("args", &Ty::Record(tool.args.clone()), url)))
        });
        if let Some((tool, url)) = open {
            let message = format!(
                "rule `{}` allows `{}` on every port of the host",
                rule.name, tool.name
            );
            out.push(
                LINT.finding(written.verdict.span, message)
                    .why("what listens on another port of a host is often not meant for everybody")
                    .help(format!("add `{url}.port in {{ 80, 443 }}`")),
            );
        }
    }
}
