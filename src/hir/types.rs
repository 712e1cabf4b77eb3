//! Types as written to types as meant: names, parameters, sizes, and the targets of effects.

use super::names::{Declared, Names};
use super::scope::{member_names, member_of, target_kind};
use super::{Step, TargetSource};
use crate::diag::codes::{BAD_TARGET, BAD_TYPE, DUPLICATE_NAME, TOO_LARGE, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::ty::{Field, Ty, Unit};

const NAMES: [&str; 21] = [
    "Bool", "Int", "Decimal", "Money", "Duration", "Instant", "Date", "String", "Path", "Url", "Host", "Ip",
    "Email", "Command", "Sql", "Repo", "Digest", "Cidr", "List", "Set", "Map",
];

/// Whether the language itself has a type of this name.
pub(super) fn is_built_in(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The meaning of a type; a wrong one is reported and poisoned.
pub(super) fn resolve(expr: &ast::TypeExpr, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Ty {
    match &expr.kind {
        ast::TypeKind::Optional(inner) => match resolve(inner, names, out) {
            Ty::Optional(_) => wrong(out, expr.span, "an optional type cannot be optional again"),
            ty => Ty::Optional(Box::new(ty)),
        },
        ast::TypeKind::Record(fields) => Ty::Record(self::fields(fields, names, out)),
        ast::TypeKind::Enum(members) => Ty::Enum {
            name: enum_name(members),
            members: self::members(members, out),
            ordered: false,
        },
        ast::TypeKind::Named(name, params) => named(name, params, expr.span, names, out),
    }
}

/// The type an alias stands for, unless aliases in aliases made it too large or deep.
pub(super) fn bounded(ty: Ty, span: Span, out: &mut Vec<Diagnostic>) -> Ty {
    fn measure(ty: &Ty, depth: usize, nodes: &mut usize) -> bool {
        *nodes += 1;
        let fits = *nodes <= limits::ALIAS_NODES && depth <= limits::ALIAS_DEPTH;
        fits && match ty {
            Ty::Optional(inner) | Ty::List { element: inner, .. } | Ty::Set { element: inner, .. } => {
                measure(inner, depth + 1, nodes)
            }
            Ty::Map { key, value, .. } => measure(key, depth + 1, nodes) && measure(value, depth + 1, nodes),
            Ty::Record(fields) => fields.iter().all(|f| measure(&f.ty, depth + 1, nodes)),
            _ => true,
        }
    }
    if measure(&ty, 0, &mut 0) {
        return ty;
    }
    let message = format!(
        "the type has over {} parts or is nested deeper than {} levels, with every type in it written out",
        limits::ALIAS_NODES,
        limits::ALIAS_DEPTH
    );
    out.push(Diagnostic::error(TOO_LARGE, span, message).help("use fewer types inside one another"));
    Ty::Poison
}

fn enum_name(members: &[ast::Name]) -> String {
    let names: Vec<&str> = members.iter().map(|m| m.text.as_str()).collect();
    format!("enum {{ {} }}", names.join(", "))
}

/// Members of an enum, each once.
pub(super) fn members(names: &[ast::Name], out: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut members: Vec<String> = Vec::new();
    for name in names {
        if members.contains(&name.text) {
            let message = format!("enum member `{}` is declared twice", name.text);
            out.push(Diagnostic::error(DUPLICATE_NAME, name.span, message).help("remove one of them"));
        } else {
            members.push(name.text.clone());
        }
    }
    members
}

/// Arguments or record fields, each name once.
pub(super) fn fields(args: &[ast::Arg], names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (index, arg) in args.iter().enumerate() {
        let ty = resolve(&arg.ty, names, out);
        let first = args.iter().take(index).find(|a| a.name.text == arg.name.text);
        if let Some(first) = first {
            let message = format!("`{}` is declared twice", arg.name.text);
            let report = Diagnostic::error(DUPLICATE_NAME, arg.name.span, message);
            out.push(
                report
                    .also(first.name.span, "first declared here")
                    .help("rename or remove one of them"),
            );
        } else {
            fields.push(Field {
                name: arg.name.text.clone(),
                ty,
            });
        }
    }
    fields
}

fn wrong(out: &mut Vec<Diagnostic>, span: Span, message: impl Into<String>) -> Ty {
    out.push(Diagnostic::error(BAD_TYPE, span, message));
    Ty::Poison
}

fn named(
    name: &ast::Name,
    params: &[ast::TypeParam],
    span: Span,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Ty {
    let plain = |ty: Ty, out: &mut Vec<Diagnostic>| {
        if params.is_empty() {
            ty
        } else {
            wrong(out, span, format!("`{}` takes no parameters", name.text))
        }
    };
    match name.text.as_str() {
        "Bool" => plain(Ty::Bool, out),
        "Int" => plain(Ty::Int, out),
        "Path" => plain(Ty::Path, out),
        "Url" => plain(Ty::Url, out),
        "Host" => plain(Ty::Host, out),
        "Ip" => plain(Ty::Ip, out),
        "Email" => plain(Ty::Email, out),
        "Command" => plain(Ty::Command, out),
        "Sql" => plain(Ty::Sql, out),
        "Repo" => plain(Ty::Repo, out),
        "Digest" => plain(Ty::Digest, out),
        "Cidr" => plain(Ty::Cidr, out),
        "Instant" => plain(Ty::Instant, out),
        "Date" => plain(Ty::Date, out),
        "Duration" => duration(params, span, out),
        "Decimal" => decimal(params, span, out),
        "Money" => money(params, span, out),
        "String" => string(params, span, out),
        "List" | "Set" => list(&name.text, params, span, names, out),
        "Map" => map(params, span, names, out),
        _ => match names.ty(name) {
            Some(ty) => plain(ty, out),
            None => unknown(name, names, out),
        },
    }
}

fn unknown(name: &ast::Name, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Ty {
    if let Some(report) = names.private(name) {
        out.push(report);
        return Ty::Poison;
    }
    if let Some((_, declared)) = names.find(name) {
        let message = format!("`{}` is {}, not a type", name.text, declared.what());
        let report = Diagnostic::error(BAD_TYPE, name.span, message);
        out.push(report.also(declared.name().span, "it is declared here"));
        return Ty::Poison;
    }
    let declared = names.visible(name.span.file, |d| {
        matches!(d, Declared::Enum(_) | Declared::Type(_))
    });
    let candidates = NAMES.into_iter().chain(declared.iter().map(String::as_str));
    let mut report = Diagnostic::error(
        UNKNOWN_NAME,
        name.span,
        format!("no type is called `{}`", name.text),
    );
    if let Some(near) = suggest::nearest(&name.text, candidates) {
        report = report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near);
    } else {
        report = report.help(format!(
            "types are {}, declared enums and declared types",
            NAMES.join(", ")
        ));
    }
    out.push(report);
    Ty::Poison
}

fn decimal(params: &[ast::TypeParam], span: Span, out: &mut Vec<Diagnostic>) -> Ty {
    match params {
        [ast::TypeParam::Count(places)] => match self::places(places) {
            Some(places) => Ty::Decimal { places },
            None => too_many_places(places.span, out),
        },
        _ => wrong(
            out,
            span,
            "`Decimal` needs its number of decimal places: `Decimal[2]`",
        ),
    }
}

fn money(params: &[ast::TypeParam], span: Span, out: &mut Vec<Diagnostic>) -> Ty {
    let [ast::TypeParam::Type(currency), ast::TypeParam::Count(places)] = params else {
        return wrong(
            out,
            span,
            "`Money` needs a currency and its decimal places: `Money[USD, 2]`",
        );
    };
    let letters = match &currency.kind {
        ast::TypeKind::Named(name, none) if none.is_empty() => name.text.as_str(),
        _ => "",
    };
    if letters.len() != 3 || !letters.bytes().all(|b| b.is_ascii_uppercase()) {
        return wrong(
            out,
            currency.span,
            "a currency is three capital letters (ISO 4217), such as `USD`",
        );
    }
    match self::places(places) {
        Some(places) => Ty::Money {
            currency: letters.to_owned(),
            places,
        },
        None => too_many_places(places.span, out),
    }
}

fn duration(params: &[ast::TypeParam], span: Span, out: &mut Vec<Diagnostic>) -> Ty {
    let word = match params {
        [] => return Ty::Duration { unit: None },
        [ast::TypeParam::Type(unit)] => match &unit.kind {
            ast::TypeKind::Named(name, none) if none.is_empty() => name.text.as_str(),
            _ => "",
        },
        _ => "",
    };
    match Unit::ALL.into_iter().find(|unit| unit.as_str() == word) {
        Some(unit) => Ty::Duration { unit: Some(unit) },
        None => wrong(
            out,
            span,
            "`Duration` takes no parameter, or the unit that the tool counts in: `ms`, `s`, `m`, `h` or `d`",
        ),
    }
}

fn places(text: &Spanned<String>) -> Option<u32> {
    text.node.parse().ok().filter(|p| *p <= limits::DECIMAL_PLACES)
}

fn too_many_places(span: Span, out: &mut Vec<Diagnostic>) -> Ty {
    wrong(
        out,
        span,
        format!(
            "decimal places are a whole number from 0 to {}",
            limits::DECIMAL_PLACES
        ),
    )
}

fn string(params: &[ast::TypeParam], span: Span, out: &mut Vec<Diagnostic>) -> Ty {
    match params {
        [] => Ty::String {
            max: limits::STRING_BYTES,
        },
        [ast::TypeParam::Max(max)] => match size(max, limits::STRING_BYTES) {
            Some(max) => Ty::String { max },
            None => {
                let message = format!(
                    "`max` of a `String` is a size from 1B to {} bytes",
                    limits::STRING_BYTES
                );
                wrong(out, max.span, message)
            }
        },
        _ => wrong(
            out,
            span,
            "`String` takes one parameter, its size in bytes: `String[max 64KiB]`",
        ),
    }
}

/// A list or set, by its word.
fn list(
    word: &str,
    params: &[ast::TypeParam],
    span: Span,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Ty {
    let [ast::TypeParam::Type(element), rest @ ..] = params else {
        let message = format!("`{word}` needs its element type and its size: `{word}[Email, max 50]`");
        return wrong(out, span, message);
    };
    let Some(max) = count(word, "Email", rest, span, out) else {
        return Ty::Poison;
    };
    match resolve(element, names, out) {
        Ty::Optional(_) => {
            let what = if word == "Set" { "set" } else { "list" };
            wrong(
                out,
                element.span,
                format!("elements of a {what} cannot be optional"),
            )
        }
        inner if word == "Set" => Ty::Set {
            element: Box::new(inner),
            max,
        },
        inner => Ty::List {
            element: Box::new(inner),
            max,
        },
    }
}

fn map(params: &[ast::TypeParam], span: Span, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Ty {
    let [ast::TypeParam::Type(key), ast::TypeParam::Type(value), rest @ ..] = params else {
        let message =
            "`Map` needs the types of its keys and values and its size: `Map[String[max 64], Int, max 50]`";
        return wrong(out, span, message);
    };
    let Some(max) = count("Map", "String[max 64], Int", rest, span, out) else {
        return Ty::Poison;
    };
    let (keys, values) = (resolve(key, names, out), resolve(value, names, out));
    if !matches!(keys, Ty::String { .. } | Ty::Enum { .. } | Ty::Poison) {
        return wrong(out, key.span, "keys of a map are of a `String` or an enum");
    }
    if values.is_optional() {
        return wrong(out, value.span, "values of a map cannot be optional");
    }
    Ty::Map {
        key: Box::new(keys),
        value: Box::new(values),
        max,
    }
}

/// The `max` of a collection; `None` when it is wrong, which is reported.
fn count(
    word: &str,
    of: &str,
    rest: &[ast::TypeParam],
    span: Span,
    out: &mut Vec<Diagnostic>,
) -> Option<u64> {
    let [ast::TypeParam::Max(max)] = rest else {
        wrong(
            out,
            span,
            format!("`{word}` needs a bound, as in `{word}[{of}, max 50]`"),
        );
        return None;
    };
    let count = size(max, limits::LIST_ITEMS);
    if count.is_none() {
        let message = format!("`max` of a `{word}` is a count from 1 to {}", limits::LIST_ITEMS);
        wrong(out, max.span, message);
    }
    count
}

fn size(text: &Spanned<String>, most: u64) -> Option<u64> {
    let value = crate::builtins::literal::number(&text.node, &Ty::Int).ok()?;
    u64::try_from(value).ok().filter(|n| (1..=most).contains(n))
}

/// Where an effect's targets come from.
pub(super) fn target(
    effect: &ast::Effect,
    target: &ast::EffectTarget,
    args: &[Field],
    out: &mut Vec<Diagnostic>,
) -> Option<TargetSource> {
    let mut ty = Ty::Record(args.to_vec());
    let mut list: Option<Vec<Step>> = None;
    let mut steps: Vec<Step> = Vec::new();
    for name in &target.path {
        open(&mut ty, &mut list, &mut steps, target, out)?;
        let Some((step, inner)) = member_of(&ty, &name.text) else {
            let mut report = Diagnostic::error(
                UNKNOWN_NAME,
                name.span,
                format!("{} has no `{}`", the(&ty), name.text),
            );
            if let Some(near) = suggest::nearest(&name.text, member_names(&ty)) {
                report = report
                    .help(format!("did you mean `{near}`?"))
                    .edit(name.span, near);
            }
            out.push(report);
            return None;
        };
        steps.push(step);
        ty = inner;
    }
    open(&mut ty, &mut list, &mut steps, target, out)?;
    if ty == Ty::Poison {
        return None;
    }
    let Some(kind) = target_kind(&ty) else {
        let message = format!("a `{ty}` does not name anything an effect could act on");
        let report = Diagnostic::error(BAD_TARGET, target.span, message);
        out.push(report.help("targets are `Host`, `Url`, `Path`, `Email`, `String` or enum values"));
        return None;
    };
    Some(TargetSource {
        effect: effect.name.text.clone(),
        kind,
        list,
        steps,
        ty,
    })
}

fn the(ty: &Ty) -> String {
    match ty {
        Ty::Record(_) => "the record of arguments".to_owned(),
        other => format!("`{other}`"),
    }
}

/// Steps into a list or optional on the way to a target; only one may be on the way.
fn open(
    ty: &mut Ty,
    list: &mut Option<Vec<Step>>,
    steps: &mut Vec<Step>,
    target: &ast::EffectTarget,
    out: &mut Vec<Diagnostic>,
) -> Option<()> {
    let (inner, is_list) = match &*ty {
        Ty::Optional(inner) if inner.element().is_some() => {
            // A missing list has no elements, so the optional adds nothing.
            let inner = (**inner).clone();
            *ty = inner;
            return open(ty, list, steps, target, out);
        }
        Ty::Optional(inner) => ((**inner).clone(), false),
        other => match other.element() {
            Some(element) => (element, true),
            None => return Some(()),
        },
    };
    let problem = if is_list && !target.each {
        Some((
            "this argument is a list, set or map",
            "write `to each …`: every element is a target",
        ))
    } else if list.is_some() {
        Some((
            "a target may lie in one list or optional only",
            "declare the inner values as an argument of their own",
        ))
    } else {
        None
    };
    if let Some((message, help)) = problem {
        out.push(Diagnostic::error(BAD_TARGET, target.span, message).help(help));
        return None;
    }
    *list = Some(std::mem::take(steps));
    *ty = inner;
    Some(())
}
