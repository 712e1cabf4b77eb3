//! Who must approve, as written: roles, the clauses after `require_approval`, and what gives them a name.

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

/// `approval four_eyes(who: role) { from who count 2 distinct }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSpec {
    /// Its name.
    pub name: Name,
    /// The roles that whoever names it gives.
    pub params: Vec<Name>,
    /// What it asks.
    pub asks: Approval,
    /// The whole item.
    pub span: Span,
}

/// What follows `require_approval`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `{ from finance }`
    Written(Approval),
    /// `four_eyes(finance), single`: all of them.
    Named(Vec<NamedApproval>, Span),
}

impl Asked {
    /// Where it is written.
    pub fn span(&self) -> Span {
        match self {
            Asked::Written(approval) => approval.span,
            Asked::Named(_, span) => *span,
        }
    }

    /// What is asked by name.
    pub fn named(&self) -> &[NamedApproval] {
        match self {
            Asked::Written(_) => &[],
            Asked::Named(named, _) => named,
        }
    }
}

/// `four_eyes(finance)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedApproval {
    /// The name of an approval.
    pub name: Name,
    /// The roles it is given.
    pub roles: Vec<Name>,
    /// All of it.
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
