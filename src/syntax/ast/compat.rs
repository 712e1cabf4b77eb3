//! What a policy promises about an earlier one. Like every node it says what was written, not what it means.

use super::{Name, Under};
use crate::source::{Span, Spanned};

/// `compat never_looser with "releases/1.gaitpol" narrows`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compat {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Spanned<String>>,
    /// The file of the earlier policy.
    pub with: Under,
    /// What is promised.
    pub promise: Promise,
    /// The whole item.
    pub span: Span,
}

/// Which way a policy may differ from an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Nothing is looser than there.
    Narrows,
    /// Nothing is stricter than there.
    Widens,
}

impl Promise {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Promise::Narrows => "narrows",
            Promise::Widens => "widens",
        }
    }
}
