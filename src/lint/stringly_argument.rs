//! `stringly_argument`: an argument declared as `String` whose name says that it is more.

use super::{Context, Group, Lint};
use crate::diag::codes::STRINGLY_ARGUMENT;
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::{TypeExpr, TypeKind, TypeParam};

/// The lint.
pub const LINT: Lint = Lint {
    name: "stringly_argument",
    code: STRINGLY_ARGUMENT,
    group: Group::Correctness,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _, _) in context.tools() {
        for arg in &written.args {
            let Some((name, span)) = text_type(&arg.ty) else {
                continue;
            };
            let Some(ty) = meant(&arg.name.text) else { continue };
            let message = format!(
                "argument `{}` is a `String`, but its name says `{ty}`",
                arg.name.text
            );
            let report = LINT
                .finding(arg.ty.span, message)
                .why("a text is compared byte by byte: `..`, upper case and a user name before `@` pass for something else");
            let help = format!("declare it as `{ty}`");
            out.push(match name {
                Some(()) => report.help(help).suggest(span, ty),
                None => report.help(help),
            });
        }
    }
}

/// The `String` in a type, alone, in a list or optional; whether it can be replaced in place, and where it is.
fn text_type(ty: &TypeExpr) -> Option<(Option<()>, Span)> {
    match &ty.kind {
        TypeKind::Named(name, _) if name.text == "String" => Some((Some(()), ty.span)),
        TypeKind::Named(name, params) if name.text == "List" => match params.first() {
            Some(TypeParam::Type(element)) => text_type(element),
            _ => None,
        },
        TypeKind::Optional(inner) => text_type(inner),
        _ => None,
    }
}

/// The type that a name says, by its last word.
fn meant(name: &str) -> Option<&'static str> {
    let word = words(name).pop()?;
    Some(match word.strip_suffix('s').unwrap_or(&word) {
        "url" | "uri" | "webhook" => "Url",
        "host" | "hostname" | "domain" => "Host",
        "path" | "filepath" | "dir" | "directory" => "Path",
        "email" => "Email",
        "command" | "cmd" => "Command",
        "sql" => "Sql",
        _ => return None,
    })
}

/// The words of `file_path`, `file-path` and `filePath`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn names_say_types_by_their_last_word() {
        for (name, ty) in [
            ("url", Some("Url")),
            ("image_urls", Some("Url")),
            ("callbackUrl", Some("Url")),
            ("file-path", Some("Path")),
            ("user_email", Some("Email")),
            ("cmd", Some("Command")),
            ("raw_sql", Some("Sql")),
            ("path_prefix_note", None),
            ("emailBody", None),
            ("curl", None),
            ("", None),
        ] {
            assert_eq!(meant(name), ty, "{name}");
        }
    }
}
