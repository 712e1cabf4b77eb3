//! `plain_http`: a rule that allows to send data out without encryption.

use super::walk::Polarity;
use super::{Context, Group, Lint};
use crate::diag::codes::PLAIN_HTTP;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::{Part, Step};
use crate::syntax::ast::Op;
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "plain_http",
    code: PLAIN_HTTP,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        for comparison in context.comparisons_of(written) {
            let egress = comparison.asked.iter().any(|asked| {
                let tool = context.tool(asked.tool);
                tool.is_some_and(|tool| tool.effects.iter().any(|effect| effect == "net.egress"))
            });
            if !egress || comparison.polarity == Polarity::Fails {
                continue;
            }
            let scheme = comparison
                .asked
                .iter()
                .any(|asked| asked.atom.place.steps.last() == Some(&Step::Part(Part::Scheme)));
            let url = comparison.asked.iter().any(|asked| asked.atom.ty == Ty::Url);
            let plain = |text: &str| match comparison.op.node {
                Op::Eq | Op::In => (scheme && text == "http") || (url && text.starts_with("http://")),
                Op::Like => url && text.starts_with("http://"),
                _ => false,
            };
            if let Some((_, span)) = comparison.texts().into_iter().find(|(text, _)| plain(text)) {
                let report = LINT
                    .finding(span, "what is sent by `http` can be read and changed on its way")
                    .label("without encryption");
                out.push(report.help("allow `https` only"));
            }
        }
    }
}
