//! The context: what is said and known about a call beside its arguments. A policy's own declaration of a field takes
//! the place of the library's. In: `context` items. Out: fields, each with its type, its trust and where it is found.

use super::names::Names;
use super::types;
use crate::diag::Diagnostic;
use crate::diag::codes::{BAD_CONTEXT, DUPLICATE_NAME};
use crate::domain::{Profile, Trust};
use crate::source::Span;
use crate::syntax::ast::{self, Item};
use crate::ty::{Field, Ty};
use std::collections::BTreeMap;

/// A field of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextField {
    /// Its name and type.
    pub field: Field,
    /// Whether it is verified.
    pub trust: Trust,
    /// The member of the intent that holds it, step by step from the document; none for what the host supplies.
    pub from: Option<Vec<String>>,
    /// Where it is declared.
    pub span: Span,
}

/// The fields of all `context` items: the library's first, then the policy's, each name once.
pub(super) fn lower(
    items: &[&Item],
    names: &Names<'_>,
    profile: Profile,
    out: &mut Vec<Diagnostic>,
) -> Vec<ContextField> {
    let mut fields: Vec<ContextField> = Vec::new();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        let Item::Context(context) = item else { continue };
        for declared in &context.fields {
            let field = field(declared, names, profile, out);
            match at
                .get(declared.name.text.as_str())
                .and_then(|i| fields.get_mut(*i))
            {
                None => {
                    at.insert(&declared.name.text, fields.len());
                    fields.push(field);
                }
                // Only what the library says may be said anew: of two files of a policy neither speaks for the other.
                Some(earlier) if !names.is_prelude(earlier.span.file) => {
                    let message = format!("`{}` is declared twice", declared.name.text);
                    let report = Diagnostic::error(DUPLICATE_NAME, declared.name.span, message);
                    out.push(
                        report
                            .also(earlier.span, "first declared here")
                            .help("remove one of them"),
                    );
                }
                Some(earlier) => *earlier = field,
            }
        }
    }
    fields
}

fn field(
    declared: &ast::ContextField,
    names: &Names<'_>,
    profile: Profile,
    out: &mut Vec<Diagnostic>,
) -> ContextField {
    let ty = types::resolve(&declared.ty, names, out);
    if declared.trust == Trust::Claim && declared.from.is_none() {
        let message = format!(
            "claim `{}` does not say where the caller makes it",
            declared.name.text
        );
        let end = Span {
            start: declared.span.end,
            ..declared.span
        };
        let from = format!(" from intent context.{}", declared.name.text);
        out.push(
            Diagnostic::error(BAD_CONTEXT, declared.span, message)
                .help(format!("add `{}`", from.trim_start()))
                .edit(end, from),
        );
    }
    if let (Trust::Fact, Some(from), Profile::Strict) = (declared.trust, &declared.from, profile) {
        let message = format!(
            "under `profile strict` the caller's word for `{}` is no fact",
            declared.name.text
        );
        out.push(
            Diagnostic::error(BAD_CONTEXT, from.span, message)
                .why("whoever makes the call could loosen a verdict with it")
                .help("let the host supply it: leave `from intent …` out"),
        );
    }
    ContextField {
        field: Field {
            name: declared.name.text.clone(),
            ty,
        },
        trust: declared.trust,
        from: declared.from.as_ref().map(|name| steps(&name.text)),
        span: declared.span,
    }
}

fn steps(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

/// The context as the type of one record.
pub(super) fn record(fields: &[ContextField]) -> Ty {
    Ty::Record(fields.iter().map(|f| f.field.clone()).collect())
}
