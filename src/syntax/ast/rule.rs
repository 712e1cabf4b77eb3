//! Rules. Like every node they say what was written, not what it means.

use super::{Asked, Duty, Expr, Name, Selector};
use crate::domain::Verdict;
use crate::source::{Span, Spanned};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `final`: no other rule may refine it.
    pub is_final: bool,
    /// Its name.
    pub name: Name,
    /// `"…"` after the name.
    pub description: Option<Spanned<String>>,
    /// `on …`
    pub on: Vec<Selector>,
    /// Every `when` (all must hold) and `unless` (none may hold), in order.
    pub conditions: Vec<Condition>,
    /// `refines y`: the rules that give way where this one matches.
    pub refines: Vec<Name>,
    /// The verdict it asks for.
    pub verdict: Spanned<Verdict>,
    /// `{ from finance }` after `require_approval`.
    pub approval: Option<Asked>,
    /// `code name`; the rule's name where it is left out.
    pub code: Option<Name>,
    /// `hint "…"`
    pub hint: Option<Spanned<String>>,
    /// `oblige log(level: info)`
    pub duties: Vec<Duty>,
    /// The whole item.
    pub span: Span,
}

impl Rule {
    /// A rule that says which calls it is about and which verdict they get, and nothing else.
    pub fn about(
        name: Name,
        on: Vec<Selector>,
        conditions: Vec<Condition>,
        verdict: Spanned<Verdict>,
        span: Span,
    ) -> Rule {
        Rule {
            is_final: false,
            name,
            description: None,
            on,
            conditions,
            refines: Vec::new(),
            verdict,
            approval: None,
            code: None,
            hint: None,
            duties: Vec::new(),
            span,
        }
    }
}

/// A `when` or `unless` clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `unless`
    pub negated: bool,
    /// What is asked.
    pub expr: Expr,
    /// The clause.
    pub span: Span,
}
