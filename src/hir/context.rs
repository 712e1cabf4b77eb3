//! The context: what is said and known about a call beside its arguments. A policy's own declaration of a field takes
//! the place of the library's. In: `context` items. Out: fields, each with its type, its trust and where it is found.

use super::approval::Roles;
use super::names::Names;
use super::{Package, Tool, types};
use crate::builtins::duration;
use crate::diag::codes::{BAD_CONTEXT, BAD_LITERAL, DUPLICATE_NAME, TOO_LARGE};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{AttestedBy, Profile, Trust, approval};
use crate::limits;
use crate::source::{Span, Spanned};
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
    /// The member of the intent that holds it, step by step from the document; none for what the host supplies, or somebody attests.
    pub from: Option<Vec<String>>,
    /// Who vouches for it, where it is not the host.
    pub attested: Option<AttestedBy>,
    /// Where it is declared.
    pub span: Span,
}

/// The type of what a call is judged by: a record of its arguments and of the context, which comes last. What the gate
/// computes follows.
pub fn request_ty(tool: &Tool, context: &[ContextField]) -> Ty {
    let context = Field {
        name: "context".to_owned(),
        ty: Ty::Record(context.iter().map(|c| c.field.clone()).collect()),
    };
    Ty::Record(tool.args.iter().cloned().chain([context]).collect())
}

/// The fields of all `context` items: the library's first, then the policy's, each name once.
pub(super) fn lower(
    items: &[&Item],
    (names, roles): (&Names<'_>, &Roles<'_>),
    profile: Profile,
    out: &mut Vec<Diagnostic>,
) -> Vec<ContextField> {
    let mut fields: Vec<ContextField> = Vec::new();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        let Item::Context(context) = item else { continue };
        for declared in &context.fields {
            let library = at
                .get(declared.name.text.as_str())
                .and_then(|i| fields.get(*i))
                .filter(|earlier| names.is_prelude(earlier.span.file));
            let ty = match &declared.ty {
                Some(ty) => types::resolve(ty, names, out),
                None => type_of_library(declared, library, &fields, out),
            };
            let attested = declared.attested.as_ref();
            let attested = attested.and_then(|written| attested_by(written, roles, out));
            let field = ContextField {
                attested,
                ..field(declared, ty, profile, out)
            };
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

/// The type of a field that states none: that of the library's field of this name, found in the same place.
fn type_of_library(
    declared: &ast::ContextField,
    library: Option<&ContextField>,
    fields: &[ContextField],
    out: &mut Vec<Diagnostic>,
) -> Ty {
    let name = &declared.name;
    let from = declared.from.as_deref().map(steps);
    let report = match library {
        Some(library) if library.from == from => return library.field.ty.clone(),
        Some(library) => {
            let place = library.from.as_deref().unwrap_or_default().join(".");
            let message = format!("the library finds `{}` at `{place}`", name.text);
            let report =
                Diagnostic::error(BAD_CONTEXT, declared.span, message).label("no type is written here");
            report.help("name that place, or write a type after the name")
        }
        None => {
            let message = format!("`{}` has no type", name.text);
            let report = Diagnostic::error(BAD_CONTEXT, name.span, message)
                .label("the library has no field of this name to take it from");
            match suggest::nearest(&name.text, fields.iter().map(|f| f.field.name.as_str())) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(name.span, near),
                None => report.help("write one after the name, such as `: String[max 256]?`"),
            }
        }
    };
    out.push(report);
    Ty::Poison
}

fn field(declared: &ast::ContextField, ty: Ty, profile: Profile, out: &mut Vec<Diagnostic>) -> ContextField {
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
            Diagnostic::error(BAD_CONTEXT, span_of(from).unwrap_or(declared.span), message)
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
        from: declared.from.as_deref().map(steps),
        attested: None,
        span: declared.span,
    }
}

/// Who vouches for a field, and how old that may be.
fn attested_by(
    written: &ast::AttestedBy,
    roles: &Roles<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<AttestedBy> {
    let (by, within) = (roles.find(&written.by, out), within(&written.within, out));
    Some(AttestedBy {
        by: by?.0,
        within: within?,
    })
}

fn within(length: &Spanned<String>, out: &mut Vec<Diagnostic>) -> Option<u64> {
    let report = match duration::compact(&length.node) {
        Ok(0) => {
            let message = "what is too old at once never counts";
            let report = Diagnostic::error(BAD_CONTEXT, length.span, message);
            report.help("give it a while, such as `within 10m`")
        }
        Ok(millis) if millis > limits::ATTESTATION_MILLIS => {
            let message = "what somebody attests is at most 31 days old";
            let report = Diagnostic::error(TOO_LARGE, length.span, message);
            report.help("write a shorter time: whoever attests it can do so again")
        }
        Ok(millis) => return u64::try_from(millis).ok(),
        Err(refused) => Diagnostic::error(BAD_LITERAL, length.span, refused.reason),
    };
    out.push(report);
    None
}

fn steps(names: &[ast::Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}

fn span_of(names: &[ast::Name]) -> Option<Span> {
    names.iter().map(|name| name.span).reduce(Span::to)
}

/// The context as the type of one record.
pub(super) fn record(fields: &[ContextField]) -> Ty {
    Ty::Record(fields.iter().map(|f| f.field.clone()).collect())
}

impl Package {
    /// Whether a field of the context says who asks, or in whose name, and an approval excludes these people.
    pub fn says_whom_to_exclude(&self, name: &str) -> bool {
        let of_rules = self.rules.iter().flat_map(|rule| &rule.approvals);
        let mut asked = of_rules.chain(self.labels.lifted.iter().map(|(spec, _)| spec));
        let says = |known: &ContextField| {
            let (name, from) = (&known.field.name, known.from.as_deref());
            (
                approval::says_who_asks(name, known.trust, from),
                approval::says_the_chain(name, known.trust, from),
            )
        };
        let field = self.context.iter().find(|known| known.field.name == name);
        field.map(says).is_some_and(|(requester, chain)| {
            asked.any(|spec| requester && spec.excluding_requester || chain && spec.excluding_chain)
        })
    }
}
