//! `unbounded_text`: an argument of type `String` without a `max`.

use super::{Context, Group, Lint};
use crate::diag::codes::UNBOUNDED_TEXT;
use crate::diag::{Diagnostic, Level};
use crate::limits;
use crate::syntax::ast::{TypeExpr, TypeKind, TypeParam};

/// The lint.
pub const LINT: Lint = Lint {
    name: "unbounded_text",
    code: UNBOUNDED_TEXT,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _, _) in context.tools() {
        for arg in &written.args {
            each(&arg.ty, &mut |ty| {
                if let TypeKind::Named(name, params) = &ty.kind
                    && name.text == "String"
                    && params.is_empty()
                {
                    let message = format!("`{}` may be {} bytes long", arg.name.text, limits::STRING_BYTES);
                    out.push(
                        LINT.finding(ty.span, message)
                            .help("say how long it is at most: `String[max 200]`"),
                    );
                }
            });
        }
    }
}

fn each<'a>(ty: &'a TypeExpr, visit: &mut impl FnMut(&'a TypeExpr)) {
    visit(ty);
    match &ty.kind {
        TypeKind::Named(_, params) => {
            for param in params {
                if let TypeParam::Type(inner) = param {
                    each(inner, visit);
                }
            }
        }
        TypeKind::Record(fields) => fields.iter().for_each(|field| each(&field.ty, visit)),
        TypeKind::Optional(inner) => each(inner, visit),
        TypeKind::Enum(_) => {}
    }
}
