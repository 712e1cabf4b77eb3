//! Windows of time as written.

use super::Name;
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
