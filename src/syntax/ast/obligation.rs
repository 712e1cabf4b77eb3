//! What must be done besides, as written: declared obligations, and what rules oblige.

use super::{Expr, Name, TypeExpr};
use crate::source::Span;

/// `obligation ticket { queue: String[max 32], priority: Priority merge max }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// Its name.
    pub name: Name,
    /// What it is told, in order.
    pub params: Vec<ObligationParam>,
    /// The whole item.
    pub span: Span,
}

/// `priority: Priority merge max`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObligationParam {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// `merge max`: how the values of several rules become one.
    pub merge: Option<Name>,
}

/// `mask(args.card, keep_last: 4)` after `oblige`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The obligation.
    pub name: Name,
    /// What it is told, in order.
    pub given: Vec<Given>,
    /// The whole of it.
    pub span: Span,
}

/// One of the things an obligation is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// `keep_last:`, where it is named.
    pub name: Option<Expr>,
    /// The place or the constant.
    pub value: Expr,
}
