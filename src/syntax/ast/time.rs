//! Windows of time and limits as written.

use super::{Asked, Condition, Expr, Name, Selector};
use crate::domain::Verdict;
use crate::source::{Span, Spanned};

/// Times in which something may happen, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: Name,
    /// The spans it is made of.
    pub spans: Vec<WindowSpan>,
    /// The time zone, by its name in the tz database.
    pub zone: Spanned<String>,
    /// The whole item.
    pub span: Span,
}

/// `mon..fri "08:00".."18:00"`, `"2026-12-28T18:00".."2027-01-02T06:00"`: from the first, up to and without the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowSpan {
    /// The days of the week; none for a span between two moments.
    pub days: Option<Days>,
    /// When it opens.
    pub start: Spanned<String>,
    /// When it is over.
    pub end: Spanned<String>,
    /// The whole span.
    pub span: Span,
}

/// `mon`, `mon..fri`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: Name,
    /// The last, where there are several.
    pub last: Option<Name>,
}

/// How much may be spent of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: Name,
    /// `"…"` after the name.
    pub description: Option<Spanned<String>>,
    /// `on …`
    pub on: Vec<Selector>,
    /// Every `when` and `unless`, in order: which calls count.
    pub conditions: Vec<Condition>,
    /// The most there may be: a number.
    pub max: Expr,
    /// `of args.amount`: what is added up; none for `calls`.
    pub of: Option<Expr>,
    /// `per 1h`
    pub per: Spanned<Per>,
    /// `by context.user, tool`: what has counters of its own.
    pub by: Vec<Name>,
    /// `exceed …`: the verdict on a call that would go over.
    pub verdict: Spanned<Verdict>,
    /// `{ from finance }` after `require_approval`.
    pub approval: Option<Asked>,
    /// `code name`
    pub code: Option<Name>,
    /// `hint "…"`
    pub hint: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// Within what a limit counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Per {
    /// A span of time.
    Time(Spanned<String>),
    /// `session`
    Session,
    /// `run`
    Run,
}
