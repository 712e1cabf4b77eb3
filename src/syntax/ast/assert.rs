//! What a policy claims of itself: which verdicts some calls may get. Like every node they say what was written, not what
//! it means.

use super::{Condition, Name, Selector};
use crate::domain::Verdict;
use crate::source::{Span, Spanned};

/// `assert two_people on pay.transfer when args.amount > 1_000.00 verdict >= require_approval`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assert {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Spanned<String>>,
    /// The tools it is about.
    pub on: Vec<Selector>,
    /// Every `when` and `unless`, in order.
    pub conditions: Vec<Condition>,
    /// How the verdict compares.
    pub order: VerdictOrder,
    /// With what.
    pub verdict: Spanned<Verdict>,
    /// The whole item.
    pub span: Span,
}

/// How a verdict compares with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictOrder {
    /// `==`
    Is,
    /// `!=`
    IsNot,
    /// `>=`: as strict or stricter.
    AtLeast,
    /// `<=`: as loose or looser.
    AtMost,
}

impl VerdictOrder {
    /// Whether a verdict compares so with another.
    pub fn holds(self, verdict: Verdict, other: Verdict) -> bool {
        match self {
            VerdictOrder::Is => verdict == other,
            VerdictOrder::IsNot => verdict != other,
            VerdictOrder::AtLeast => verdict >= other,
            VerdictOrder::AtMost => verdict <= other,
        }
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            VerdictOrder::Is => "==",
            VerdictOrder::IsNot => "!=",
            VerdictOrder::AtLeast => ">=",
            VerdictOrder::AtMost => "<=",
        }
    }
}
