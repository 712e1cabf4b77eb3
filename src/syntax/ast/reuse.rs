//! Items that name things for reuse: sets, types and predicates. Like every node they say what was written, not what it
//! means.

use super::{Arg, Expr, Name, TypeExpr};
use crate::source::Span;

/// `set acme: Host = { "acme.com" }, partners`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: Name,
    /// The type of its elements.
    pub ty: TypeExpr,
    /// What it joins: braces with constants, and other sets by name.
    pub terms: Vec<Expr>,
    /// The whole item.
    pub span: Span,
}

/// `type Amount = Decimal[2]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Its name.
    pub name: Name,
    /// The type it stands for.
    pub ty: TypeExpr,
    /// The whole item.
    pub span: Span,
}

/// `pred internal(h: Host) = h under "acme.com" or h in acme`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pred {
    /// Its name.
    pub name: Name,
    /// What is passed to it.
    pub params: Vec<Arg>,
    /// What it asks.
    pub body: Expr,
    /// The whole item.
    pub span: Span,
}
