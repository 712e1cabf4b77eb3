//! Items of policies that are composed: which scope a policy is for, which policy it stands under, and what it leaves to
//! those below. Like every node they say what was written, not what it means.

use super::{Condition, Name, Selector};
use crate::domain::Verdict;
use crate::source::{Span, Spanned};

/// `scope team under "org.gaitpol"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `org`, `team` or `repo`.
    pub scope: Name,
    /// The policy above it.
    pub under: Option<Under>,
    /// The whole item.
    pub span: Span,
}

/// The file of a policy that another one stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Under {
    /// Its path, from the folder of the file that names it.
    pub path: Spanned<String>,
    /// `digest "sha256:…"`
    pub digest: Option<Spanned<String>>,
}

/// `delegate allow on fs.read when args.path under "/ws" to team, repo`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegate {
    /// What is left to them.
    pub what: Delegated,
    /// The scopes it is left to.
    pub to: Vec<Name>,
    /// The whole item.
    pub span: Span,
}

/// What a policy leaves to those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delegated {
    /// `tools`: they declare tools of their own.
    Tools,
    /// They give this verdict, and stricter ones, to calls that meet the conditions.
    Region {
        /// The verdict.
        verdict: Spanned<Verdict>,
        /// The tools.
        on: Vec<Selector>,
        /// Every `when` and `unless`, in order.
        conditions: Vec<Condition>,
    },
}
