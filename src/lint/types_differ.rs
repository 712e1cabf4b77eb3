//! `types_differ`: a comparison that reads text on one tool and a host, URL, path or address on another.

use super::{Context, Group, Lint};
use crate::diag::codes::TYPES_DIFFER;
use crate::diag::{Diagnostic, Level};
use crate::hir::Step;
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "types_differ",
    code: TYPES_DIFFER,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for comparison in context.comparisons() {
        let text = comparison.asked.iter().find(|asked| {
            let whole = matches!(asked.atom.place.steps.last(), None | Some(Step::Field(_)));
            whole && matches!(asked.atom.ty, Ty::String { .. })
        });
        let more = comparison.asked.iter().find(|asked| {
            matches!(
                asked.atom.ty,
                Ty::Host
                    | Ty::Url
                    | Ty::Path
                    | Ty::Email
                    | Ty::Command
                    | Ty::Sql
                    | Ty::Repo
                    | Ty::Digest
                    | Ty::Cidr
            )
        });
        let (Some(text), Some(more)) = (text, more) else {
            continue;
        };
        let name = |index: usize| context.tool(index).map_or("", |tool| tool.name.as_str());
        let message = format!(
            "`{}` compares {} on `{}` and plain text on `{}`",
            context.text(comparison.expr.span),
            more.atom.ty.phrase(),
            name(more.tool),
            name(text.tool)
        );
        let report = LINT
            .finding(comparison.expr.span, message)
            .why("plain text has no canonical form: upper case, `..` or a dot at the end make it another");
        out.push(report.help("declare the argument with the same type in all tools of the rule"));
    }
}
