//! Named sets of constants: their elements, read once as values of the set's type, and the questions asked with them.
//! `in` asks for one of the elements; `under`, `like` and the other shapes ask for any of them.

use super::names::Names;
use super::{Question, Shape, constant, data, types};
use crate::diag::codes::{BAD_DATA, BAD_TYPE, DUPLICATE_ELEMENT, TYPE_MISMATCH, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::limits;
use crate::source::{FileId, Source, Span};
use crate::syntax::ast::{self, Expr, ExprKind, Op};
use crate::ty::Ty;
use std::collections::{BTreeMap, BTreeSet};

/// A named set.
pub(super) struct Set {
    /// The type of its elements.
    pub ty: Ty,
    /// Its elements, as the question whether a value is one of them; `None` where something was wrong.
    pub elements: Option<Question>,
    /// Where it is declared.
    pub span: Span,
}

/// A set in which something was wrong, so that nothing more is said about it.
pub(super) static BROKEN: Set = Set {
    ty: Ty::Poison,
    elements: None,
    span: Span {
        file: FileId(0),
        start: 0,
        end: 0,
    },
};

/// Reads a set's elements; those of the sets it joins are known already.
pub(super) fn resolve(declared: &ast::Set, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Set {
    let ty = types::resolve(&declared.ty, names, out);
    let mut set = Set {
        elements: None,
        span: declared.name.span,
        ty,
    };
    if set.ty == Ty::Poison {
        return set;
    }
    if matches!(
        set.ty,
        Ty::Bool | Ty::List { .. } | Ty::Optional(_) | Ty::Record(_)
    ) {
        let message = format!("a set cannot hold {}", set.ty.phrase());
        let report = Diagnostic::error(BAD_TYPE, declared.ty.span, message);
        out.push(report.help("sets hold texts, numbers and enum members"));
        return set;
    }
    let before = out.iter().filter(|d| d.is_error()).count();
    let mut own: BTreeMap<Question, Span> = BTreeMap::new();
    let mut joined: Vec<Question> = Vec::new();
    let mut broken = false;
    if let Some(data) = &declared.data {
        // A file that could not be read is reported where it is named.
        match names.data(declared) {
            Some(source) => from_file(declared, data, source, &set.ty, &mut own, out),
            None => broken = true,
        }
    }
    for term in &declared.terms {
        match &term.kind {
            ExprKind::Set(items) => items
                .iter()
                .for_each(|item| element(item, &set.ty, &mut own, out)),
            _ => match member_set(term, &set.ty, names, out) {
                Some(elements) => joined.push(elements),
                None => broken = true,
            },
        }
    }
    if !broken && before == out.iter().filter(|d| d.is_error()).count() {
        set.elements = union(own.into_keys().chain(joined));
    }
    set
}

/// Adds one constant between the braces.
fn element(item: &Expr, ty: &Ty, own: &mut BTreeMap<Question, Span>, out: &mut Vec<Diagnostic>) {
    match constant::question(ty, Op::Eq, item.span, item) {
        Err(report) => out.push(report),
        Ok((value, _)) => match own.get(&value) {
            None => {
                own.insert(value, item.span);
            }
            Some(first) => {
                let report =
                    Diagnostic::warning(DUPLICATE_ELEMENT, item.span, "this value is in the set already");
                out.push(report.also(*first, "first written here").help("leave it out"));
            }
        },
    }
}

/// Adds the elements of a data file, each read as a value of the set's type.
fn from_file(
    declared: &ast::Set,
    data: &ast::Data,
    source: &Source,
    ty: &Ty,
    own: &mut BTreeMap<Question, Span>,
    out: &mut Vec<Diagnostic>,
) {
    let cells = match data::cells(source, data) {
        Ok(cells) => cells,
        Err(report) => return out.push(report),
    };
    let mut again: Vec<(Span, Span)> = Vec::new();
    let mut wrong = 0;
    for cell in cells {
        let read = match data::hidden(source, data, &cell) {
            Some(report) => Err(report),
            None => value(&cell, ty).map_err(|why| data::wrong(source, data, cell.span, &why)),
        };
        match read {
            Ok(value) => match own.get(&value) {
                None => {
                    own.insert(value, cell.span);
                }
                Some(first) => again.push((cell.span, *first)),
            },
            Err(report) => {
                wrong += 1;
                if wrong <= limits::DATA_ERRORS {
                    out.push(report);
                }
            }
        }
    }
    if wrong > limits::DATA_ERRORS {
        let more = wrong - limits::DATA_ERRORS;
        let message = format!(
            "`{}` has {more} more values that are none of the set",
            data.path.node
        );
        out.push(Diagnostic::error(BAD_DATA, data.path.span, message));
    }
    if let Some((_, first)) = again.first().copied() {
        let again: Vec<Span> = again.into_iter().map(|(span, _)| span).collect();
        out.push(data::twice(source, data, &declared.name, &again, first));
    }
}

/// An element of a file as the question whether a value is it.
fn value(cell: &data::Cell, ty: &Ty) -> Result<Question, String> {
    let is_number = ty.is_numeric() && !matches!(ty, Ty::Instant | Ty::Date | Ty::Ip);
    if cell.text.is_empty() {
        return Err("the value is empty".to_owned());
    }
    if !is_number && !cell.is_text {
        return Err(format!(
            "{} is a number, and the set holds {}",
            cell.text,
            ty.phrase()
        ));
    }
    let kind = if is_number {
        ExprKind::Number(cell.text.clone())
    } else {
        ExprKind::String(cell.text.clone())
    };
    let written = Expr {
        kind,
        span: cell.span,
    };
    let (value, _) = constant::question(ty, Op::Eq, cell.span, &written).map_err(|report| report.message)?;
    Ok(value)
}

/// The elements of a set that another one joins; `None` where something is wrong.
fn member_set(term: &Expr, ty: &Ty, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Option<Question> {
    let Some(name) = term.dotted() else {
        let report = Diagnostic::error(TYPE_MISMATCH, term.span, "this is no set");
        out.push(report.help("a set is made of constants in braces and of other sets: `{ \"a\" }, others`"));
        return None;
    };
    let Some(other) = names.set(&name) else {
        out.push(unknown(&name, names));
        return None;
    };
    let elements = other.elements.clone()?;
    if !same_kind(ty, &other.ty) {
        let message = format!(
            "`{}` is a set of {}, and this one of {}",
            name.text,
            plural(&other.ty),
            plural(ty)
        );
        let report = Diagnostic::error(TYPE_MISMATCH, term.span, message);
        out.push(report.also(other.span, "it is declared here"));
        return None;
    }
    Some(elements)
}

/// The report for a name that is no set.
pub(super) fn unknown(name: &ast::Name, names: &Names<'_>) -> Diagnostic {
    if let Some(report) = names.private(name) {
        return report;
    }
    if let Some((_, declared)) = names.find(name) {
        let message = format!("`{}` is {}, not a set", name.text, declared.what());
        let report = Diagnostic::error(TYPE_MISMATCH, name.span, message);
        return report.also(declared.name().span, "it is declared here");
    }
    let report = Diagnostic::error(
        UNKNOWN_NAME,
        name.span,
        format!("no set is called `{}`", name.text),
    );
    let known = names.visible(name.span.file, |d| matches!(d, super::names::Declared::Set(_)));
    match suggest::nearest(&name.text, known.iter().map(String::as_str)) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => {
            report.help("write the values in braces: `in { … }`, or declare it: `set name: Type = { … }`")
        }
    }
}

fn plural(ty: &Ty) -> String {
    format!("`{ty}`")
}

/// Whether values of both types are compared with each other: texts of any length, otherwise the same type.
pub(super) fn same_kind(a: &Ty, b: &Ty) -> bool {
    matches!((a, b), (Ty::String { .. }, Ty::String { .. })) || a == b
}

/// The question for one of the values that any of the questions asks for.
fn union(questions: impl Iterator<Item = Question>) -> Option<Question> {
    let mut texts: BTreeSet<Box<str>> = BTreeSet::new();
    let mut members: BTreeSet<u32> = BTreeSet::new();
    let mut ranges: Vec<(i128, i128)> = Vec::new();
    let mut kind = None;
    for question in questions {
        kind = Some(std::mem::discriminant(&question));
        match question {
            Question::OneOf(more) => texts.extend(more),
            Question::Member(more) => members.extend(more),
            Question::Within(more) => ranges.extend(more),
            Question::Present | Question::True | Question::Shape(_) => return None,
        }
    }
    ranges.sort_unstable();
    let all = [
        Question::OneOf(texts),
        Question::Member(members),
        Question::Within(constant::merge(ranges)),
    ];
    all.into_iter().find(|q| Some(std::mem::discriminant(q)) == kind)
}

/// The question `place op set` asks of a value of type `ty`; negated operators give `(question, false)`. `None` where
/// the set is wrong already.
pub(super) fn question(
    set: &Set,
    ty: &Ty,
    op: Op,
    op_span: Span,
    written: &Expr,
    names: &Names<'_>,
) -> Result<(Question, bool), Option<Diagnostic>> {
    let elements = set.elements.as_ref().ok_or(None)?;
    let refuse = |message: String, help: &str| {
        let report = Diagnostic::error(TYPE_MISMATCH, written.span, message).help(help.to_owned());
        Err(Some(report.also(set.span, "the set is declared here")))
    };
    match op {
        Op::In | Op::NotIn if same_kind(ty, &set.ty) => Ok((elements.clone(), op == Op::In)),
        Op::In | Op::NotIn => refuse(
            format!("{} is never one of a set of {}", ty.phrase(), plural(&set.ty)),
            "compare it with a set of its own type",
        ),
        Op::Has | Op::HasAny | Op::HasAll => refuse(
            format!("`{}` asks about labels", op.as_str()),
            "write `labels(…) has …`",
        ),
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => refuse(
            format!("`{}` compares with one value, and this is a set", op.as_str()),
            "ask with `in` or `not in`",
        ),
        Op::StartsWith | Op::EndsWith | Op::Contains | Op::Like | Op::Matches | Op::Under => {
            let Question::OneOf(texts) = elements else {
                return refuse(
                    format!(
                        "`{}` needs texts, and this is a set of {}",
                        op.as_str(),
                        plural(&set.ty)
                    ),
                    "ask with `in` or `not in`",
                );
            };
            let item = |text: &str| Expr {
                kind: ExprKind::String(text.to_owned()),
                span: written.span,
            };
            let make = || {
                let items: Vec<Expr> = texts.iter().map(|text| item(text)).collect();
                any_of(ty, op, op_span, &items)
            };
            let shape = names
                .shape((set.span, op, ty), make)
                .map_err(|report| Some(report.also(set.span, "the set is declared here")))?;
            Ok((Question::Shape(shape), true))
        }
    }
}

/// The shape of a text that has any of the shapes `op` makes of the constants.
pub(super) fn any_of(ty: &Ty, op: Op, op_span: Span, items: &[Expr]) -> Result<Shape, Diagnostic> {
    let mut shapes = items
        .iter()
        .map(|item| constant::shape(ty, op, op_span, item))
        .collect::<Result<BTreeSet<Shape>, Diagnostic>>()?;
    match (shapes.pop_first(), shapes.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(first), false) => {
            shapes.insert(first);
            Ok(Shape::AnyOf(shapes))
        }
        (None, _) => Ok(Shape::AnyOf(shapes)),
    }
}
