//! `text_as_host`: the end or a part of a host name looked for in a text, which other hosts hold too.

use super::{Context, Group, Lint, looks, walk};
use crate::diag::codes::TEXT_AS_HOST;
use crate::diag::{Diagnostic, Level};
use crate::hir::{Question, Shape, Step};
use crate::syntax::ast::{ExprKind, Op};
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "text_as_host",
    code: TEXT_AS_HOST,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules() {
        walk::conditions(written, &mut |expr, _| {
            let ExprKind::Compare(left, op, right) = &expr.kind else {
                return;
            };
            let ExprKind::String(text) = &right.kind else {
                return;
            };
            let part = matches!(op.node, Op::StartsWith | Op::EndsWith | Op::Contains | Op::Like);
            if !part || !looks::is_domain(text.trim_end_matches('*')) {
                return;
            }
            let of_text = context.asked(left.span.to(right.span)).iter().any(|asked| {
                let shape = matches!(
                    asked.atom.test,
                    Question::Shape(
                        Shape::Prefix(_) | Shape::Suffix(_) | Shape::Contains(_) | Shape::Glob(..)
                    )
                );
                let whole = matches!(asked.atom.place.steps.last(), None | Some(Step::Field(_)));
                shape && whole && matches!(asked.atom.ty, Ty::String { .. })
            });
            if !of_text {
                return;
            }
            let domain = text.trim_matches('*').trim_matches('.');
            let other = match op.node {
                Op::EndsWith if !text.starts_with(['.', '*']) => format!("evil{domain}"),
                Op::Like if text.starts_with("*.") => format!("evil.example/x.{domain}"),
                Op::Like if text.starts_with('*') => format!("evil{domain}"),
                Op::EndsWith => format!("evil.example/x.{domain}"),
                _ => format!("{domain}.evil.example"),
            };
            let message = format!("`{}` also holds for `{other}`", context.text(expr.span));
            let report = LINT
                .finding(expr.span, message)
                .label("compares text, not hosts")
                .why("a part of a text says nothing about which host a name belongs to");
            out.push(report.help(format!(
                "declare `{}` as `Host` or `Url`, and write `under \"{domain}\"` about the host",
                context.text(left.span)
            )));
        });
    }
}
