//! Slots, conditions and values as canonical bytes, both ways.

use super::codec::{Reader, Writer};
use super::decode::{self, DecodeError};
use super::encode;
use crate::builtins::glob::GlobKind;
use crate::domain::LabelOf;
use crate::hir::{Atom, Beside, Cond, Labelled, Place, Question, Relation, RelationOp, Shape, Slot, Term};
use crate::source::Span;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, DecodeError>;

pub(super) fn encode_slot(w: &mut Writer, slot: &Slot) {
    match slot {
        Slot::Holds(cond) => {
            w.byte(0);
            encode_cond(w, cond);
        }
        Slot::Label { of, mask } => {
            w.byte(1);
            match of {
                LabelOf::Argument(path) => {
                    w.byte(0);
                    w.list(path, |w, name| w.text(name));
                }
                LabelOf::Carried => w.byte(1),
                LabelOf::Session => w.byte(2),
            }
            w.int(*mask);
        }
        Slot::History(monitor) => {
            w.byte(2);
            w.int(u64::from(*monitor));
        }
        Slot::Tally(monitor) => {
            w.byte(3);
            w.int(u64::from(*monitor));
        }
        Slot::Lookup { map, key, ty } => {
            w.byte(4);
            place(w, map);
            term(w, key);
            encode::ty(w, ty);
        }
        Slot::Window(window) => {
            w.byte(5);
            w.int(u64::from(*window));
        }
        Slot::Now => w.byte(6),
        Slot::Used { limit, by, ty } => {
            w.byte(7);
            w.int(u64::from(*limit));
            w.list(by, place);
            encode::ty(w, ty);
        }
        Slot::Each(of) => {
            w.byte(8);
            labelled(w, of);
        }
    }
}

fn labelled(w: &mut Writer, of: &Labelled) {
    encode::steps(w, &of.list);
    w.list(&of.names, |w, name| w.text(name));
    encode::ty(w, &of.element);
    w.int(of.max);
    w.list(&of.beside, |w, beside| match beside {
        Beside::Label { path, mask } => {
            w.byte(0);
            w.list(path, |w, name| w.text(name));
            w.int(*mask);
        }
        Beside::List(inner) => {
            w.byte(1);
            labelled(w, inner);
        }
    });
}

fn decode_labelled(r: &mut Reader<'_>) -> Result<Labelled> {
    r.nested(|r| {
        Ok(Labelled {
            list: decode::steps(r)?,
            names: r.list(Reader::text)?,
            element: decode::ty(r)?,
            max: r.int()?,
            beside: r.list(|r| match r.byte()? {
                0 => Ok(Beside::Label {
                    path: r.list(Reader::text)?,
                    mask: r.int()?,
                }),
                1 => decode_labelled(r).map(Beside::List),
                _ => Err(DecodeError::Malformed("labels of elements")),
            })?,
        })
    })
}

pub(super) fn decode_slot(r: &mut Reader<'_>) -> Result<Slot> {
    Ok(match r.byte()? {
        0 => Slot::Holds(decode_cond(r)?),
        1 => Slot::Label {
            of: match r.byte()? {
                0 => LabelOf::Argument(r.list(Reader::text)?),
                1 => LabelOf::Carried,
                2 => LabelOf::Session,
                _ => return Err(DecodeError::Malformed("labels")),
            },
            mask: r.int()?,
        },
        2 => Slot::History(r.small()?),
        3 => Slot::Tally(r.small()?),
        4 => Slot::Lookup {
            map: decode_place(r)?,
            key: decode_term(r)?,
            ty: match decode::ty(r)? {
                ty @ Ty::Optional(_) => ty,
                _ => return Err(DecodeError::Malformed("look-up")),
            },
        },
        5 => Slot::Window(r.small()?),
        6 => Slot::Now,
        7 => Slot::Used {
            limit: r.small()?,
            by: r.list(decode_place)?,
            ty: decode::ty(r)?,
        },
        8 => Slot::Each(decode_labelled(r)?),
        _ => return Err(DecodeError::Malformed("slot")),
    })
}

pub(super) fn encode_cond(w: &mut Writer, cond: &Cond) {
    match cond {
        Cond::Const(b) => {
            w.byte(0);
            w.byte(u8::from(*b));
        }
        Cond::Atom(atom) => {
            w.byte(1);
            place(w, &atom.place);
            encode::ty(w, &atom.ty);
            question(w, &atom.test);
            w.byte(u8::from(atom.when_absent));
        }
        Cond::Not(inner) => {
            w.byte(2);
            encode_cond(w, inner);
        }
        Cond::And(parts) => {
            w.byte(3);
            w.list(parts, encode_cond);
        }
        Cond::Or(parts) => {
            w.byte(4);
            w.list(parts, encode_cond);
        }
        Cond::Any {
            list, level, body, ..
        } => {
            w.byte(5);
            place(w, list);
            w.int(u64::from(*level));
            encode_cond(w, body);
        }
        Cond::Relation(relation) => {
            w.byte(6);
            term(w, &relation.left);
            w.byte(relation.op as u8);
            term(w, &relation.right);
        }
    }
}

pub(super) fn decode_cond(r: &mut Reader<'_>) -> Result<Cond> {
    r.nested(|r| {
        Ok(match r.byte()? {
            0 => Cond::Const(truth(r)?),
            1 => Cond::Atom(Atom {
                place: decode_place(r)?,
                ty: decode::ty(r)?,
                test: decode_question(r)?,
                when_absent: truth(r)?,
                span: Span::default(),
            }),
            2 => Cond::Not(Box::new(decode_cond(r)?)),
            3 => Cond::And(r.list(decode_cond)?),
            4 => Cond::Or(r.list(decode_cond)?),
            5 => {
                let list = decode_place(r)?;
                let level = level(r, &list)?;
                Cond::Any {
                    list,
                    level,
                    body: Box::new(decode_cond(r)?),
                    span: Span::default(),
                }
            }
            6 => Cond::Relation(Box::new(Relation {
                left: decode_term(r)?,
                op: {
                    let op = RelationOp::ALL.get(usize::from(r.byte()?)).copied();
                    op.ok_or(DecodeError::Malformed("comparison"))?
                },
                right: decode_term(r)?,
                span: Span::default(),
            })),
            _ => return Err(DecodeError::Malformed("condition")),
        })
    })
}

/// The level of a quantifier's variable: above that of its list, and no deeper than conditions nest.
fn level(r: &mut Reader<'_>, list: &Place) -> Result<u32> {
    let level = r.small()?;
    if level > list.level && level as usize <= crate::limits::SYNTAX_DEPTH + 1 {
        Ok(level)
    } else {
        Err(DecodeError::Malformed("level"))
    }
}

fn truth(r: &mut Reader<'_>) -> Result<bool> {
    match r.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Malformed("truth value")),
    }
}

fn place(w: &mut Writer, place: &Place) {
    w.int(u64::from(place.level));
    encode::steps(w, &place.steps);
}

fn decode_place(r: &mut Reader<'_>) -> Result<Place> {
    Ok(Place {
        level: r.small()?,
        steps: decode::steps(r)?,
    })
}

pub(super) fn term(w: &mut Writer, of: &Term) {
    match of {
        Term::Place(at) => {
            w.byte(0);
            place(w, at);
        }
        Term::Const(constant) => {
            w.byte(1);
            value(w, constant);
        }
        Term::Else(at, constant) => {
            w.byte(2);
            place(w, at);
            value(w, constant);
        }
        Term::Add(a, b) => {
            w.byte(3);
            term(w, a);
            term(w, b);
        }
        Term::Sub(a, b) => {
            w.byte(4);
            term(w, a);
            term(w, b);
        }
        Term::Sum { list, level, term } => {
            w.byte(5);
            place(w, list);
            w.int(u64::from(*level));
            self::term(w, term);
        }
        Term::Count { list, level, body } => {
            w.byte(6);
            place(w, list);
            w.int(u64::from(*level));
            encode_cond(w, body);
        }
    }
}

pub(super) fn decode_term(r: &mut Reader<'_>) -> Result<Term> {
    r.nested(|r| {
        Ok(match r.byte()? {
            0 => Term::Place(decode_place(r)?),
            1 => Term::Const(decode_value(r)?),
            2 => Term::Else(decode_place(r)?, decode_value(r)?),
            3 => Term::Add(Box::new(decode_term(r)?), Box::new(decode_term(r)?)),
            4 => Term::Sub(Box::new(decode_term(r)?), Box::new(decode_term(r)?)),
            5 => {
                let list = decode_place(r)?;
                let level = level(r, &list)?;
                Term::Sum {
                    list,
                    level,
                    term: Box::new(decode_term(r)?),
                }
            }
            6 => {
                let list = decode_place(r)?;
                let level = level(r, &list)?;
                Term::Count {
                    list,
                    level,
                    body: Box::new(decode_cond(r)?),
                }
            }
            _ => return Err(DecodeError::Malformed("term")),
        })
    })
}

/// A constant of a comparison: a number, truth value, enum member or text.
pub(super) fn value(w: &mut Writer, constant: &Value) {
    match constant {
        Value::Num(n) => {
            w.byte(0);
            w.wide(*n);
        }
        Value::Bool(b) => {
            w.byte(1);
            w.byte(u8::from(*b));
        }
        Value::Enum(member) => {
            w.byte(2);
            w.int(u64::from(*member));
        }
        Value::Path(text) => {
            w.byte(4);
            w.text(text);
        }
        other => {
            w.byte(3);
            w.text(other.text().unwrap_or_default());
        }
    }
}

pub(super) fn decode_value(r: &mut Reader<'_>) -> Result<Value> {
    Ok(match r.byte()? {
        0 => Value::Num(r.wide()?),
        1 => Value::Bool(truth(r)?),
        2 => Value::Enum(r.small()?),
        3 => Value::Str(r.text()?.into()),
        4 => Value::Path(r.text()?.into()),
        _ => return Err(DecodeError::Malformed("constant")),
    })
}

fn question(w: &mut Writer, question: &Question) {
    match question {
        Question::Present => w.byte(0),
        Question::True => w.byte(1),
        Question::Within(ranges) => {
            w.byte(2);
            w.list(ranges, |w, (low, high)| {
                w.wide(*low);
                w.wide(*high);
            });
        }
        Question::Member(members) => {
            w.byte(3);
            let members: Vec<u32> = members.iter().copied().collect();
            w.list(&members, |w, member| w.int(u64::from(*member)));
        }
        Question::OneOf(texts) => {
            w.byte(4);
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            w.list(&texts, |w, text| w.text(text));
        }
        Question::Shape(of) => {
            w.byte(5);
            shape(w, of);
        }
    }
}

fn decode_question(r: &mut Reader<'_>) -> Result<Question> {
    Ok(match r.byte()? {
        0 => Question::Present,
        1 => Question::True,
        2 => Question::Within(r.list(|r| Ok((r.wide()?, r.wide()?)))?),
        3 => Question::Member(sorted(r.list(Reader::small)?)?),
        4 => Question::OneOf(sorted(r.list(|r| r.text().map(String::into_boxed_str))?)?),
        5 => Question::Shape(decode_shape(r)?),
        _ => return Err(DecodeError::Malformed("question")),
    })
}

fn sorted<T: Ord>(items: Vec<T>) -> Result<BTreeSet<T>> {
    if items.windows(2).all(|w| matches!(w, [a, b] if a < b)) {
        Ok(items.into_iter().collect())
    } else {
        Err(DecodeError::NotCanonical)
    }
}

const GLOBS: [GlobKind; 4] = [GlobKind::String, GlobKind::Path, GlobKind::Host, GlobKind::Url];

/// The tag of a shape that is any of several.
const ANY_OF: u8 = 255;

fn shape(w: &mut Writer, shape: &Shape) {
    let (tag, text) = match shape {
        Shape::Prefix(text) => (0, text),
        Shape::Suffix(text) => (1, text),
        Shape::Contains(text) => (2, text),
        Shape::Regex(text) => (3, text),
        Shape::UnderPath(text) => (4, text),
        Shape::UnderHost(text) => (5, text),
        Shape::Glob(kind, text) => {
            let kind = GLOBS.iter().position(|known| known == kind).unwrap_or(0);
            (6 + u8::try_from(kind).unwrap_or(0), text)
        }
        Shape::AnyOf(shapes) => {
            w.byte(ANY_OF);
            let shapes: Vec<&Shape> = shapes.iter().collect();
            return w.list(&shapes, |w, one| self::shape(w, one));
        }
    };
    w.byte(tag);
    w.text(text);
}

fn decode_shape(r: &mut Reader<'_>) -> Result<Shape> {
    let tag = r.byte()?;
    if tag == ANY_OF {
        return r.nested(|r| Ok(Shape::AnyOf(sorted(r.list(decode_shape)?)?)));
    }
    let text = r.text()?;
    Ok(match tag {
        0 => Shape::Prefix(text),
        1 => Shape::Suffix(text),
        2 => Shape::Contains(text),
        3 => Shape::Regex(text),
        4 => Shape::UnderPath(text),
        5 => Shape::UnderHost(text),
        _ => {
            let kind = tag.checked_sub(6).and_then(|kind| GLOBS.get(usize::from(kind)));
            Shape::Glob(*kind.ok_or(DecodeError::Malformed("shape"))?, text)
        }
    })
}
