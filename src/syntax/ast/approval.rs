//! Who must approve, as written: roles, and the clauses after `require_approval`.

use super::Name;
use crate::source::{Span, Spanned};

/// `role finance { "ann@acme.com", "bob@acme.com" }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: Name,
    /// Its members.
    pub members: Vec<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// `{ from finance count 2 distinct }` after `require_approval`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The clauses, in order.
    pub clauses: Vec<Spanned<ApprovalClause>>,
    /// The braces and what is between them.
    pub span: Span,
}

/// A clause of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalClause {
    /// `from finance`
    From(Name),
    /// `count 2 distinct`
    Count {
        /// How many, without `_`.
        number: Spanned<String>,
        /// Of as many people.
        distinct: bool,
    },
    /// `excluding requester, chain`
    Excluding(Vec<Name>),
    /// `expires 15m`, without `_`.
    Expires(Spanned<String>),
    /// `single_use`
    SingleUse,
    /// `bind args, policy`
    Bind(Vec<Name>),
}

impl ApprovalClause {
    /// Its keyword.
    pub fn keyword(&self) -> &'static str {
        match self {
            ApprovalClause::From(_) => "from",
            ApprovalClause::Count { .. } => "count",
            ApprovalClause::Excluding(_) => "excluding",
            ApprovalClause::Expires(_) => "expires",
            ApprovalClause::SingleUse => "single_use",
            ApprovalClause::Bind(_) => "bind",
        }
    }
}
