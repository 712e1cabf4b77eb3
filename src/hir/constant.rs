//! Constants beside operators: a literal read as a value of the type it is compared with, once, at compile time, and
//! turned with its operator into a `Question`.

use super::{Question, Shape};
use crate::builtins::glob::GlobKind;
use crate::builtins::regex::Fault;
use crate::builtins::{Refused, duration, glob, ip, literal};
use crate::diag::codes::{BAD_LITERAL, BAD_PATTERN, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::limits;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Op};
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeSet;

/// Least and greatest number; every declared range lies well inside.
const MIN: i128 = i128::MIN;
const MAX: i128 = i128::MAX;

/// The question `place op constant` asks of a value of type `ty`; negated operators give `(question, false)`.
pub(super) fn question(
    ty: &Ty,
    op: Op,
    op_span: Span,
    constant: &Expr,
) -> Result<(Question, bool), Diagnostic> {
    let positive = !matches!(op, Op::Ne | Op::NotIn);
    let question = match op {
        Op::Eq | Op::Ne => equal(ty, std::slice::from_ref(constant))?,
        Op::In | Op::NotIn => match &constant.kind {
            ExprKind::Set(items) => equal(ty, items)?,
            _ => {
                let report = Diagnostic::error(TYPE_MISMATCH, constant.span, "`in` needs a set of constants");
                return Err(report.help("write the values in braces: `in { … }`"));
            }
        },
        Op::Has | Op::HasAny | Op::HasAll => {
            let message = format!("`{}` asks about labels, and this is {}", op.as_str(), ty.phrase());
            let report = Diagnostic::error(TYPE_MISMATCH, op_span, message);
            return Err(report.help("write `labels(…) has …`"));
        }
        Op::Lt | Op::Le | Op::Gt | Op::Ge => ordered(ty, op, op_span, constant)?,
        Op::Under if *ty == Ty::Ip => match &constant.kind {
            ExprKind::Set(items) => networks(items)?,
            _ => networks(std::slice::from_ref(constant))?,
        },
        Op::StartsWith | Op::EndsWith | Op::Contains | Op::Like | Op::Matches | Op::Under => {
            Question::Shape(shape(ty, op, op_span, constant)?)
        }
    };
    Ok((question, positive))
}

fn equal(ty: &Ty, items: &[Expr]) -> Result<Question, Diagnostic> {
    match ty {
        Ty::Bool => match items {
            [
                Expr {
                    kind: ExprKind::Bool(true),
                    ..
                },
            ] => Ok(Question::True),
            _ => Err(mismatch(ty, items.first())),
        },
        Ty::Enum { name, members, .. } => {
            let picked: Result<BTreeSet<u32>, Diagnostic> =
                items.iter().map(|i| member(i, ty, name, members)).collect();
            Ok(Question::Member(picked?))
        }
        _ if ty.is_numeric() => {
            let mut values = items
                .iter()
                .map(|i| exact(ty, i))
                .collect::<Result<Vec<_>, _>>()?;
            values.sort_unstable();
            values.dedup();
            Ok(Question::Within(merge(values.into_iter().map(|v| (v, v)))))
        }
        Ty::String { .. }
        | Ty::Path
        | Ty::Url
        | Ty::Host
        | Ty::Email
        | Ty::Command
        | Ty::Sql
        | Ty::Repo
        | Ty::Digest
        | Ty::Cidr => {
            let texts: Result<BTreeSet<Box<str>>, Diagnostic> = items.iter().map(|i| text(ty, i)).collect();
            Ok(Question::OneOf(texts?))
        }
        _ => Err(mismatch(ty, items.first())),
    }
}

/// What a constant is, in words.
fn kind(constant: &Expr) -> String {
    match &constant.kind {
        ExprKind::String(_) => "a text".to_owned(),
        ExprKind::Number(text) if duration::compact(text).is_ok() => "a duration".to_owned(),
        ExprKind::Number(_) => "a number".to_owned(),
        ExprKind::Bool(_) => "a truth value".to_owned(),
        ExprKind::Set(_) => "a set".to_owned(),
        ExprKind::Name(name) => format!("the name `{}`", name.text),
        _ => "this".to_owned(),
    }
}

fn mismatch(ty: &Ty, constant: Option<&Expr>) -> Diagnostic {
    let span = constant.map(|c| c.span).unwrap_or_default();
    let report = Diagnostic::error(
        TYPE_MISMATCH,
        span,
        format!(
            "{} cannot be compared with {}",
            ty.phrase(),
            constant.map_or("nothing".to_owned(), kind)
        ),
    );
    match ty {
        Ty::List { .. } | Ty::Set { .. } => {
            report.help("quantify over it: `any x in …: …` or `all x in …: …`")
        }
        Ty::Map { .. } => report.help("quantify over its entries: `any e in …: e.key == … and e.value …`"),
        Ty::Record(_) => report.help("compare one of its fields"),
        Ty::Bool => report.help("write the value alone, or `not` before it"),
        _ => report,
    }
}

/// Joins sorted inclusive ranges that touch.
pub(super) fn merge(ranges: impl IntoIterator<Item = (i128, i128)>) -> Vec<(i128, i128)> {
    let mut out: Vec<(i128, i128)> = Vec::new();
    for (lo, hi) in ranges {
        match out.last_mut() {
            Some(last) if last.1.checked_add(1).is_none_or(|next| next >= lo) => last.1 = last.1.max(hi),
            _ => out.push((lo, hi)),
        }
    }
    out
}

/// Whether an address is in one of the networks.
fn networks(items: &[Expr]) -> Result<Question, Diagnostic> {
    let mut ranges = Vec::new();
    for item in items {
        let written = string(&Ty::Ip, item)?;
        let network = ip::network(written).map_err(|why| {
            let quoted = crate::syntax::quote::string(written);
            let message = format!("{quoted} is no network: {why}");
            let report = Diagnostic::error(BAD_LITERAL, item.span, message);
            if ip::parse(written).is_ok() {
                return report.help("ask for a single address with `==`");
            }
            report.help("`gait explain Ip` says how a network is written")
        })?;
        ranges.extend(network.ranges());
    }
    ranges.sort_unstable();
    Ok(Question::Within(merge(ranges)))
}

fn ordered(ty: &Ty, op: Op, op_span: Span, constant: &Expr) -> Result<Question, Diagnostic> {
    if let Ty::Enum {
        name,
        members,
        ordered: true,
    } = ty
    {
        return ordered_members(ty, op, constant, name, members);
    }
    if !ty.is_ordered() {
        let message = format!(
            "`{}` compares values that have an order, and this is {}",
            op.as_str(),
            ty.phrase()
        );
        let report = Diagnostic::error(TYPE_MISMATCH, op_span, message);
        return Err(match ty {
            Ty::String { .. } | Ty::List { .. } | Ty::Set { .. } | Ty::Map { .. } => {
                report.help("`len(…)` gives its size")
            }
            Ty::Ip => report.help("ask for a network: `under \"10.0.0.0/8\"`"),
            Ty::Enum { name, .. } if name.starts_with("enum ") => report.help(
                "declare the enum by a name of its own: `enum Name ordered { … }`, the least member first",
            ),
            Ty::Enum { name, .. } => report.help(format!(
                "declare it `enum {name} ordered {{ … }}`, the least member first"
            )),
            _ => report.help("use `==`, `!=` or `in`"),
        });
    }
    let n = number(ty, constant)?;
    let range = match op {
        Op::Lt => n.checked_sub(1).map(|n| (MIN, n)),
        Op::Le => Some((MIN, n)),
        Op::Gt => n.checked_add(1).map(|n| (n, MAX)),
        _ => Some((n, MAX)),
    };
    Ok(Question::Within(range.into_iter().collect()))
}

/// The members on one side of a member.
fn ordered_members(
    ty: &Ty,
    op: Op,
    constant: &Expr,
    name: &str,
    members: &[String],
) -> Result<Question, Diagnostic> {
    let bound = member(constant, ty, name, members)?;
    let fits = |at: &u32| match op {
        Op::Lt => *at < bound,
        Op::Le => *at <= bound,
        Op::Gt => *at > bound,
        _ => *at >= bound,
    };
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    Ok(Question::Member((0..count).filter(fits).collect()))
}

/// A number that a value may be equal to.
fn exact(ty: &Ty, constant: &Expr) -> Result<i128, Diagnostic> {
    let value = number(ty, constant)?;
    if let Ty::Duration { unit: Some(unit) } = ty
        && value % unit.millis() != 0
    {
        let message = format!(
            "`{}` is not {}: it is no whole number of `{}`",
            duration::to_text(value),
            ty.phrase(),
            unit.as_str()
        );
        return Err(Diagnostic::error(BAD_LITERAL, constant.span, message)
            .why("the argument counts whole units, so the comparison would never hold")
            .help("compare with `<`, `<=`, `>` or `>=`, or write a whole number of units"));
    }
    Ok(value)
}

fn number(ty: &Ty, constant: &Expr) -> Result<i128, Diagnostic> {
    if matches!(ty, Ty::Instant | Ty::Date | Ty::Ip) {
        return quoted_number(ty, constant);
    }
    let ExprKind::Number(text) = &constant.kind else {
        if matches!(ty, Ty::Duration { .. }) {
            return Err(no_duration(ty, constant));
        }
        let message = format!(
            "{} is compared with a number, not with {}",
            ty.phrase(),
            kind(constant)
        );
        let report = Diagnostic::error(TYPE_MISMATCH, constant.span, message);
        return Err(match &constant.kind {
            ExprKind::String(text) if literal::number(text, ty).is_ok() => report
                .help("write the number without quotes")
                .edit(constant.span, text.clone()),
            _ => report,
        });
    };
    literal::number(text, ty).map_err(|why| {
        let message = format!("`{text}` is not {}: {why}", ty.phrase());
        let report = Diagnostic::error(BAD_LITERAL, constant.span, message);
        match ty {
            Ty::Duration { unit: Some(unit) } if literal::number(text, &Ty::Int).is_ok() => report
                .why("a number alone does not say which unit its author had in mind")
                .help(format!("write `{text}{}`", unit.as_str()))
                .edit(constant.span, format!("{text}{}", unit.as_str())),
            Ty::Duration { .. } => report.help(number_help(ty)),
            _ => report
                .why("nothing is rounded, so the constant must be a value that a call can have")
                .help(number_help(ty)),
        }
    })
}

/// A number that is written as a text: a moment or a date.
fn quoted_number(ty: &Ty, constant: &Expr) -> Result<i128, Diagnostic> {
    let written = string(ty, constant)?;
    literal::number(written, ty).map_err(|why| bad_text(ty, written, &why, constant.span))
}

/// The report for something else where a duration belongs; a text that reads as one loses its quotes.
fn no_duration(ty: &Ty, constant: &Expr) -> Diagnostic {
    let message = format!(
        "{} is compared with a duration, not with {}",
        ty.phrase(),
        kind(constant)
    );
    let report = Diagnostic::error(TYPE_MISMATCH, constant.span, message);
    match &constant.kind {
        ExprKind::String(text) => match duration::parse(text) {
            Ok(millis) => report
                .help("write the duration without quotes")
                .edit(constant.span, duration::to_text(millis)),
            Err(_) => report.help(number_help(ty)),
        },
        _ => report.help(number_help(ty)),
    }
}

/// What a number of the type looks like.
fn number_help(ty: &Ty) -> String {
    match ty {
        Ty::Decimal { places: 0 } | Ty::Money { places: 0, .. } | Ty::Int => {
            "write a whole number, such as `1_000`".to_owned()
        }
        Ty::Decimal { places } | Ty::Money { places, .. } => {
            format!("write at most {places} digits after the point")
        }
        Ty::Duration { .. } => {
            "write numbers with their units, the largest first: `500ms`, `15m`, `1h30m`, `7d`".to_owned()
        }
        _ => "write a number".to_owned(),
    }
}

/// The word `gait explain` knows the type by.
fn manual_word(ty: &Ty) -> String {
    ty.to_string().split('[').next().unwrap_or_default().to_owned()
}

fn text(ty: &Ty, constant: &Expr) -> Result<Box<str>, Diagnostic> {
    let written = string(ty, constant)?;
    let canonical = literal::text(written, ty).map_err(|why| bad_text(ty, written, &why, constant.span))?;
    if let Ty::String { max } = ty
        && canonical.len() as u64 > *max
    {
        let message = format!(
            "the text is {} bytes long, but the argument holds at most {max}",
            canonical.len()
        );
        return Err(Diagnostic::error(BAD_LITERAL, constant.span, message)
            .why("it could never be equal")
            .help("shorten the text, or raise `max` in the tool's declaration if the tool takes more"));
    }
    Ok(canonical)
}

fn bad_text(ty: &Ty, written: &str, why: &Refused, span: Span) -> Diagnostic {
    let quoted = crate::syntax::quote::string(written);
    let message = format!("{quoted} is not {}: {why}", ty.phrase());
    Diagnostic::error(BAD_LITERAL, span, message)
        .why("no argument could have this value, so the comparison would never hold")
        .help(format!(
            "`gait explain {}` lists what the type accepts",
            manual_word(ty)
        ))
}

fn string<'e>(ty: &Ty, constant: &'e Expr) -> Result<&'e str, Diagnostic> {
    match &constant.kind {
        ExprKind::String(text) => Ok(text),
        ExprKind::Name(name) => {
            let message = format!(
                "{} is compared with a text, not with {}",
                ty.phrase(),
                kind(constant)
            );
            let quoted = crate::syntax::quote::string(&name.text);
            Err(Diagnostic::error(TYPE_MISMATCH, constant.span, message)
                .help(format!("put it in quotes: {quoted}"))
                .edit(constant.span, quoted))
        }
        _ => {
            let message = format!(
                "{} is compared with a text, not with {}",
                ty.phrase(),
                kind(constant)
            );
            let report = Diagnostic::error(TYPE_MISMATCH, constant.span, message);
            Err(match ty {
                Ty::Instant => report.help("write it in quotes, with its offset: `\"2026-12-29T14:00:00Z\"`"),
                Ty::Date => report.help("write it in quotes: `\"2026-12-29\"`"),
                Ty::Ip => report.help("write it in quotes: `\"10.0.0.1\"`"),
                _ => report,
            })
        }
    }
}

fn member(constant: &Expr, of: &Ty, name: &str, members: &[String]) -> Result<u32, Diagnostic> {
    let written = match &constant.kind {
        ExprKind::Name(n) => n.text.as_str(),
        ExprKind::String(text) => text,
        // Behind the enum's name, which may itself stand behind that of its module.
        ExprKind::Field(owner, n)
            if owner
                .dotted()
                .is_some_and(|owner| owner.text.rsplit('.').next() == Some(name)) =>
        {
            n.text.as_str()
        }
        _ => {
            let message = format!("{} is compared with one of its members", of.phrase());
            let report = Diagnostic::error(TYPE_MISMATCH, constant.span, message);
            return Err(report.help(format!("its members are {}", members.join(", "))));
        }
    };
    if let Some(index) = members.iter().position(|m| m == written) {
        return Ok(u32::try_from(index).unwrap_or(u32::MAX));
    }
    let report = Diagnostic::error(
        UNKNOWN_NAME,
        constant.span,
        format!("`{name}` has no member `{written}`"),
    );
    Err(
        match suggest::nearest(written, members.iter().map(String::as_str)) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(constant.span, crate::syntax::quote::member_name(near)),
            None => report.help(format!("its members are {}", members.join(", "))),
        },
    )
}

/// The shape an operator asks for: with one constant, or with any of those in braces.
pub(super) fn shape(ty: &Ty, op: Op, op_span: Span, constant: &Expr) -> Result<Shape, Diagnostic> {
    if let ExprKind::Set(items) = &constant.kind {
        return super::sets::any_of(ty, op, op_span, items);
    }
    let unfit = |help: &str| {
        let message = format!("`{}` does not apply to {}", op.as_str(), ty.phrase());
        Err(Diagnostic::error(TYPE_MISMATCH, op_span, message).help(help.to_owned()))
    };
    match (ty, op) {
        (Ty::String { .. }, Op::StartsWith) => Ok(Shape::Prefix(string(ty, constant)?.to_owned())),
        (Ty::String { .. }, Op::EndsWith) => Ok(Shape::Suffix(string(ty, constant)?.to_owned())),
        (Ty::String { .. }, Op::Contains) => Ok(Shape::Contains(string(ty, constant)?.to_owned())),
        (Ty::String { .. }, Op::Matches) => regex(string(ty, constant)?, constant.span),
        (Ty::String { .. }, Op::Like) => pattern(GlobKind::String, string(ty, constant)?, constant.span),
        (Ty::Path, Op::Like) => pattern(GlobKind::Path, string(ty, constant)?, constant.span),
        (Ty::Host, Op::Like) => pattern(GlobKind::Host, string(ty, constant)?, constant.span),
        (Ty::Url, Op::Like) => pattern(GlobKind::Url, string(ty, constant)?, constant.span),
        (Ty::Path, Op::Under) => Ok(Shape::UnderPath(text(ty, constant)?.into())),
        (Ty::Host, Op::Under) => Ok(Shape::UnderHost(text(ty, constant)?.into())),
        (Ty::Path, _) => unfit("a `Path` is judged with `==`, `in`, `under` and `like`"),
        (Ty::Host, _) => unfit("a `Host` is judged with `==`, `in`, `under` and `like`, by whole labels"),
        (Ty::Url, _) => unfit("judge a part of it, such as `.host` or `.path`, or use `==`, `in` and `like`"),
        (Ty::Command, _) => unfit(
            "judge what it starts: `.commands` and `.opaque`, or use `==` and `in` for whole command lines",
        ),
        (Ty::Sql, _) => unfit(
            "judge what it does: `.kinds`, `.tables` and `.opaque`, or use `==` and `in` for whole texts",
        ),
        (Ty::Repo, _) => unfit("judge a part of it: `.host`, `.owner` or `.name`, or use `==` and `in`"),
        (Ty::Digest, _) => unfit("a `Digest` is judged with `==` and `in`, or by its `.algorithm`"),
        (Ty::Cidr, _) => {
            unfit("judge a part of it, as in `args.net.first under \"10.0.0.0/8\"`, or use `==` and `in`")
        }
        (Ty::Email, _) => unfit("judge a part of it: `.domain` or `.local`"),
        (Ty::Ip, _) => unfit("an `Ip` is judged with `==`, `in` and `under`, as in `under \"10.0.0.0/8\"`"),
        _ if ty.is_numeric() => unfit("use `==`, `!=`, `<`, `<=`, `>`, `>=` or `in`"),
        (Ty::List { .. } | Ty::Set { .. } | Ty::Map { .. }, _) => {
            unfit("quantify over it: `any x in …: …` or `all x in …: …`")
        }
        _ => unfit("it applies to texts"),
    }
}

fn pattern(kind: GlobKind, written: &str, span: Span) -> Result<Shape, Diagnostic> {
    let bad = |why: String| {
        let message = format!("the glob cannot be used: {why}");
        Diagnostic::error(BAD_PATTERN, span, message).help(match kind {
            GlobKind::String => "`*` is any run of characters and `?` one of them",
            GlobKind::Path => {
                "`*` stays within a segment, `**` stands for any number of whole segments: `/ws/**/*.rs`"
            }
            GlobKind::Host => "`*` is one label and `**` one or more: `*.acme.com`",
            GlobKind::Url => "write the host out and end it with `/`: `https://*.acme.com/*`",
        })
    };
    if written.len() > limits::PATTERN_BYTES {
        return Err(bad(format!("it is over {} bytes", limits::PATTERN_BYTES)));
    }
    glob::to_regex(kind, written).map_err(|why| bad(why.to_string()))?;
    Ok(Shape::Glob(kind, written.to_owned()))
}

fn regex(written: &str, span: Span) -> Result<Shape, Diagnostic> {
    crate::builtins::regex::check(written).map_err(|fault| match fault {
        Fault::Malformed(why) => {
            let message = format!("the regular expression cannot be used: {why}");
            Diagnostic::error(BAD_PATTERN, span, message)
                .help("the syntax is that of the `regex` crate; there are no back-references and no look-around")
        }
        Fault::TooLarge => Diagnostic::error(TOO_LARGE, span, "this pattern needs too large an automaton")
            .why("it is compiled into a table, so that every decision takes one step per byte")
            .help("make it more specific, bound its repetitions, or use `starts_with`, `ends_with` or `contains`"),
    })?;
    Ok(Shape::Regex(written.to_owned()))
}

/// The answer to a question for a constant of the same type, for `else`.
pub(super) fn answer(question: &Question, ty: &Ty, constant: &Expr) -> Result<bool, Diagnostic> {
    let value = value(ty, constant)?;
    Ok(super::answer::answer(question, &super::answer::View::of(&value)))
}

/// A constant as a value of a type.
pub(super) fn value(ty: &Ty, constant: &Expr) -> Result<Value, Diagnostic> {
    Ok(match ty {
        Ty::Bool => match constant.kind {
            ExprKind::Bool(b) => Value::Bool(b),
            _ => return Err(mismatch(ty, Some(constant))),
        },
        Ty::Enum { name, members, .. } => Value::Enum(member(constant, ty, name, members)?),
        _ if ty.is_numeric() => Value::Num(number(ty, constant)?),
        Ty::Path => Value::Path(text(ty, constant)?.into()),
        Ty::String { .. }
        | Ty::Url
        | Ty::Host
        | Ty::Email
        | Ty::Command
        | Ty::Sql
        | Ty::Repo
        | Ty::Digest
        | Ty::Cidr => Value::Str(text(ty, constant)?.into()),
        _ => return Err(mismatch(ty, Some(constant))),
    })
}
