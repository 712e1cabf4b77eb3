//! Walking expressions: their parts, and the dotted name one may be.

use super::{Event, EventKind, Expr, ExprKind, History, Name, PatternItem};

impl History {
    /// The conditions on its events, in order.
    pub fn conditions(&self) -> Vec<&Expr> {
        self.events().into_iter().filter_map(Event::condition).collect()
    }

    /// Its events, in order.
    pub fn events(&self) -> Vec<&Event> {
        match self {
            History::Once { event, since: other }
            | History::After {
                event,
                without: other,
            } => std::iter::once(event).chain(other).collect(),
            History::NotYet { event } | History::Count { event, .. } => vec![event],
            History::Pattern(items) => items
                .iter()
                .filter_map(|item| match item {
                    PatternItem::Event(event) => Some(event),
                    PatternItem::Gap(..) => None,
                })
                .collect(),
        }
    }
}

impl Event {
    /// What is asked of the arguments of its call.
    pub fn condition(&self) -> Option<&Expr> {
        match &self.kind {
            EventKind::Call { when, .. } => when.as_ref(),
            EventKind::Turn => None,
        }
    }
}

impl Expr {
    /// The expressions it is made of, in order.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Or(a, b)
            | ExprKind::And(a, b)
            | ExprKind::Compare(a, _, b)
            | ExprKind::Arith(a, _, b)
            | ExprKind::Else(a, b)
            | ExprKind::Lookup(a, b)
            | ExprKind::Aggregate { list: a, body: b, .. }
            | ExprKind::Quantified { list: a, body: b, .. } => vec![a, b],
            ExprKind::Not(a) | ExprKind::Present(a) | ExprKind::Field(a, _) => vec![a],
            ExprKind::Call(_, parts) | ExprKind::Set(parts) => parts.iter().collect(),
            ExprKind::History(history) => history.conditions(),
            ExprKind::Name(_) | ExprKind::String(_) | ExprKind::Number(_) | ExprKind::Bool(_) => Vec::new(),
        }
    }

    /// The dotted name this is, such as `shared.acme`; `None` for anything else.
    pub fn dotted(&self) -> Option<Name> {
        match &self.kind {
            ExprKind::Name(name) => Some(name.clone()),
            ExprKind::Field(of, name) => {
                let of = of.dotted()?;
                Some(Name {
                    text: format!("{}.{}", of.text, name.text),
                    span: self.span,
                })
            }
            _ => None,
        }
    }

    /// The name a chain of names starts with.
    pub fn root(&self) -> Option<&Name> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            ExprKind::Field(of, _) | ExprKind::Lookup(of, _) => of.root(),
            _ => None,
        }
    }
}
