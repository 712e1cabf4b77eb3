//! Conditions as trees of what held: each question with the value it looked at, each quantifier with the elements that
//! decided it. In: a typed condition and the values in reach. Out: a `Node`. Its truth is that of
//! `hir::answer::holds`, the plain meaning; `tests/it/explain.rs` holds the two against each other.

use super::frame::Frame;
use super::{Place, Seen, Shown, Subject, show};
use crate::hir::answer::{View, elements, holds, view};
use crate::hir::{self, Cond, Relation, Term, labelled, place};
use crate::json::Json;
use crate::limits;
use crate::source::Span;
use crate::syntax::written;
use crate::ty::Ty;
use crate::value::Value;

/// What a condition is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Decided when the policy was compiled.
    Constant,
    /// A question about values.
    Question,
    /// `not`
    Not,
    /// `and`
    And,
    /// `or`
    Or,
    /// `any x in …`
    Any,
    /// `all x in …`
    All,
}

impl Kind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Constant => "constant",
            Kind::Question => "question",
            Kind::Not => "not",
            Kind::And => "and",
            Kind::Or => "or",
            Kind::Any => "any",
            Kind::All => "all",
        }
    }
}

/// A condition and whether it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is made of.
    pub kind: Kind,
    /// Whether it held.
    pub holds: bool,
    /// Its text on one line; empty for what has no text of its own.
    pub source: String,
    /// Where it is written.
    pub at: Option<Place>,
    /// The values a question looked at.
    pub seen: Vec<Seen>,
    /// The parts of `not`, `and` and `or`.
    pub parts: Vec<Node>,
    /// The elements that decided a quantifier; where none did, all of them.
    pub elements: Vec<Element>,
    /// How many such elements are not shown, past the first `limits::EXPLAINED_ELEMENTS`.
    pub left_out: usize,
    /// How many elements a quantifier looked at.
    pub count: usize,
    /// The places it is about, by name: what a question looks at, the list of a quantifier.
    pub(super) about: Vec<String>,
}

/// An element a quantifier looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The element.
    pub seen: Seen,
    /// The quantifier's body for it.
    pub body: Node,
}

impl Node {
    /// The same node as written at `span`.
    pub(super) fn placed(mut self, subject: &Subject<'_>, span: Span) -> Node {
        self.source = written::one_line(subject.text(span));
        self.at = Some(subject.place(span));
        self
    }

    fn new(kind: Kind, holds: bool) -> Node {
        Node {
            kind,
            holds,
            source: String::new(),
            at: None,
            seen: Vec::new(),
            parts: Vec::new(),
            elements: Vec::new(),
            left_out: 0,
            count: 0,
            about: Vec::new(),
        }
    }

    /// The questions and quantifiers of the tree, in order; not those about single elements.
    pub(super) fn leaves<'n>(&'n self, out: &mut Vec<&'n Node>) {
        match self.kind {
            Kind::Question | Kind::Any | Kind::All => out.push(self),
            _ => self.parts.iter().for_each(|part| part.leaves(out)),
        }
    }
}

/// What became of a condition; `frames` has the request first, then the element of each quantifier by its level.
pub(super) fn node(subject: &Subject<'_>, cond: &Cond, frames: &[&Frame<'_>]) -> Node {
    match cond {
        Cond::Const(b) => Node::new(Kind::Constant, *b),
        Cond::Atom(atom) => {
            let held = holds(cond, &values(frames));
            let mut node = Node::new(Kind::Question, held).placed(subject, atom.span);
            if let Some(frame) = frames.get(atom.place.level as usize) {
                let seen = frame.seen(subject, &atom.place.steps);
                // That something happened is all there is to say of it.
                let is_itself = frame.slot(&atom.place.steps).is_some()
                    && matches!(
                        &seen.value,
                        Shown::Value {
                            json: Json::Bool(_),
                            ..
                        }
                    );
                node.seen = if is_itself { Vec::new() } else { vec![seen] };
                node.about = vec![frame.written(&atom.place.steps)];
            }
            node
        }
        Cond::Relation(relation) => {
            let held = holds(cond, &values(frames));
            let mut node = Node::new(Kind::Question, held).placed(subject, relation.span);
            node.seen = sides(subject, relation, frames);
            relation.each_place(&mut |place| {
                let frame = frames.get(place.level as usize);
                node.about.extend(frame.map(|frame| frame.written(&place.steps)));
            });
            node
        }
        Cond::Not(inner) => not(subject, inner, frames),
        Cond::And(parts) => joined(subject, Kind::And, parts, frames),
        Cond::Or(parts) => match quantifier(parts).filter(|span| is_quantifier(subject, *span)) {
            Some(span) => quantified(subject, Kind::Any, span, parts, frames),
            None => joined(subject, Kind::Or, parts, frames),
        },
        Cond::Any { span, .. } if !is_quantifier(subject, *span) => member(subject, cond, *span, frames),
        Cond::Any { span, .. } => quantified(subject, Kind::Any, *span, std::slice::from_ref(cond), frames),
    }
}

/// Whether a quantifier is written as one; `args.id in args.ids` is a question about a list.
fn is_quantifier(subject: &Subject<'_>, span: Span) -> bool {
    written::is_quantifier(subject.text(span))
}

/// `args.id in args.ids`: the value and the list.
fn member(subject: &Subject<'_>, cond: &Cond, span: Span, frames: &[&Frame<'_>]) -> Node {
    let held = holds(cond, &values(frames));
    let mut node = Node::new(Kind::Question, held).placed(subject, span);
    cond.each_place(&mut |place| {
        // The element itself is no value of its own.
        if let Some(frame) = frames.get(place.level as usize) {
            node.seen.push(frame.seen(subject, &place.steps));
            node.about.push(frame.written(&place.steps));
        }
    });
    node
}

fn values<'v>(frames: &[&Frame<'v>]) -> Vec<&'v Value> {
    frames.iter().map(|frame| frame.value).collect()
}

/// `and` and `or` over any number of parts: a chain of the same word is one node.
fn joined(subject: &Subject<'_>, kind: Kind, parts: &[Cond], frames: &[&Frame<'_>]) -> Node {
    let mut flat: Vec<Node> = Vec::new();
    for part in parts {
        let part = node(subject, part, frames);
        if part.kind == kind {
            flat.extend(part.parts);
        } else {
            flat.push(part);
        }
    }
    if let [only] = flat.as_slice() {
        return only.clone();
    }
    let holds = match kind {
        Kind::Or => flat.iter().any(|part| part.holds),
        _ => flat.iter().all(|part| part.holds),
    };
    Node {
        parts: flat,
        ..Node::new(kind, holds)
    }
}

/// A negation. Where the text itself asks for the opposite (`!=`, `not in`, `all`), the node is what is written.
fn not(subject: &Subject<'_>, inner: &Cond, frames: &[&Frame<'_>]) -> Node {
    if let Cond::Or(parts) = inner
        && let Some(span) = quantifier(parts)
        && written::is_about_all(subject.text(span))
    {
        return quantified(subject, Kind::All, span, parts, frames);
    }
    let mut part = node(subject, inner, frames);
    let span = match inner {
        Cond::Atom(atom) => Some(atom.span),
        Cond::Relation(relation) => Some(relation.span),
        Cond::Any { span, .. } => Some(*span),
        _ => None,
    };
    if span.is_some_and(|span| written::asks_opposite(subject.text(span))) {
        part.holds = !part.holds;
        return part;
    }
    Node {
        parts: vec![part.clone()],
        ..Node::new(Kind::Not, !part.holds)
    }
}

/// Where the one quantifier is written that an `Or` stands for: one part for each list it ranges over.
fn quantifier(parts: &[Cond]) -> Option<Span> {
    let mut spans = parts.iter().map(|part| match part {
        Cond::Any { span, .. } => Some(*span),
        _ => None,
    });
    let first = spans.next()??;
    spans.all(|span| span == Some(first)).then_some(first)
}

fn quantified(subject: &Subject<'_>, kind: Kind, span: Span, ranges: &[Cond], frames: &[&Frame<'_>]) -> Node {
    // An element decides `any` where the body holds, and `all` where it does not.
    let decides = kind == Kind::Any;
    let mut deciding: Vec<Element> = Vec::new();
    let mut others: Vec<Element> = Vec::new();
    let mut decided = 0;
    let mut total = 0;
    let mut about = Vec::new();
    for range in ranges {
        let Cond::Any {
            list, level, body, ..
        } = range
        else {
            continue;
        };
        let body = match (&**body, kind) {
            (Cond::Not(body), Kind::All) => body,
            (body, _) => body,
        };
        let Some(outer) = frames.get(list.level as usize) else {
            continue;
        };
        about.push(outer.written(&list.steps));
        let whole = matches!(view(outer.value, &list.steps), View::Whole(Value::List(_)));
        for (number, element) in elements(outer.value, &list.steps).iter().enumerate() {
            let frame = outer.element(&list.steps, whole.then_some(number), element);
            let mut inner: Vec<&Frame<'_>> = frames.to_vec();
            inner.resize(*level as usize, &frame);
            inner.push(&frame);
            total += 1;
            let decisive = holds(body, &values(&inner)) == decides;
            decided += usize::from(decisive);
            let shown = if decisive { &mut deciding } else { &mut others };
            if shown.len() < limits::EXPLAINED_ELEMENTS {
                shown.push(Element {
                    seen: frame.seen(subject, &[]),
                    body: node(subject, body, &inner),
                });
            }
        }
    }
    let (elements, all) = if decided > 0 {
        (deciding, decided)
    } else {
        (others, total)
    };
    Node {
        left_out: all - elements.len(),
        count: total,
        elements,
        about,
        ..Node::new(kind, (decided > 0) == decides)
    }
    .placed(subject, span)
}

/// The two sides of a comparison between values, as far as they are no constants.
fn sides(subject: &Subject<'_>, relation: &Relation, frames: &[&Frame<'_>]) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for side in [&relation.left, &relation.right] {
        term(subject, side, frames, &mut seen);
    }
    seen
}

/// The values a side is computed from; a list is named with the number of its elements.
fn term(subject: &Subject<'_>, term: &Term, frames: &[&Frame<'_>], out: &mut Vec<Seen>) {
    term.each_place(&mut |place| {
        // Elements of the list that a sum or count runs over are no values of their own.
        let Some(frame) = frames.get(place.level as usize) else {
            return;
        };
        let seen = frame.seen(subject, &place.steps);
        if !out.contains(&seen) {
            out.push(seen);
        }
    });
    if let Some(value) = term.computed(&values(frames)) {
        let name = match term {
            Term::Place(_) | Term::Const(_) | Term::Else(..) => return,
            Term::Add(..) => "sum of both",
            Term::Sub(..) => "difference",
            Term::Sum { .. } => "sum",
            Term::Count { .. } => "count",
        };
        let ty = ty(term, frames).unwrap_or(Ty::Int);
        let hidden = out.iter().any(|seen| seen.value == Shown::Redacted);
        out.push(Seen {
            place: name.to_owned(),
            value: if hidden {
                Shown::Redacted
            } else {
                show::value(&value, &ty)
            },
            because: None,
        });
    }
}

/// The type of what a term computes, as far as its places tell.
fn ty(term: &Term, frames: &[&Frame<'_>]) -> Option<Ty> {
    let at = |place: &hir::Place| {
        let frame = frames.get(place.level as usize)?;
        frame.ty_at(&place.steps)
    };
    match term {
        Term::Place(place) | Term::Else(place, _) => at(place),
        Term::Sub(a, b) if [a, b].map(|side| ty(side, frames)) == [Some(Ty::Instant), Some(Ty::Instant)] => {
            Some(Ty::Duration { unit: None })
        }
        Term::Add(a, b) | Term::Sub(a, b) => ty(a, frames).or_else(|| ty(b, frames)),
        Term::Sum { list, level, term } => match (at(list)?, &**term) {
            (Ty::List { element, .. }, Term::Place(inner)) if inner.level == *level => {
                let outer = frames.get(list.level as usize)?;
                let is_labelled = outer.labelled(&list.steps).is_some();
                let steps = if is_labelled {
                    labelled::within(&inner.steps)
                } else {
                    &inner.steps
                };
                place::ty_at(&element, steps)
            }
            (_, inner) => ty(inner, frames),
        },
        Term::Const(_) | Term::Count { .. } => None,
    }
}
