//! Diagnostics for people and for programs, in four formats behind one function each. In: diagnostics and the texts
//! they point into. Out: text or JSON. Everything quoted from a policy is escaped, since a policy is text from
//! outside. It must not check anything.

pub mod concise;
pub mod diff;
pub mod human;
pub mod json;
pub mod sarif;

use crate::diag::Diagnostic;
use crate::lint;
use crate::source::{Position, Source, Span};

/// How `check` shows what it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// With excerpts of the source
    #[default]
    Human,
    /// One line each
    Concise,
    /// As `--json`
    Json,
    /// SARIF 2.1.0, for code scanning services
    Sarif,
}

/// Diagnostics of one run, with the texts they point into.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    /// What was found, in order.
    pub diagnostics: &'a [Diagnostic],
    /// The texts.
    pub sources: &'a [Source],
}

impl<'a> Findings<'a> {
    /// The text a span lies in.
    pub fn source(&self, span: Span) -> Option<&'a Source> {
        self.sources.iter().find(|s| s.id == span.file)
    }

    /// The file's name and where the span starts.
    pub fn place(&self, span: Span) -> (&'a str, Position) {
        let nowhere = Position { line: 1, column: 1 };
        self.source(span)
            .map_or(("", nowhere), |s| (s.name.as_str(), s.position(span.start)))
    }
}

/// The name of the lint that found it, which levels and silences are written with.
pub fn lint_name(diagnostic: &Diagnostic) -> Option<&'static str> {
    lint::by_code(diagnostic.code).map(|lint| lint.name)
}

/// `error` or `warning`.
pub fn severity(diagnostic: &Diagnostic) -> &'static str {
    if diagnostic.is_error() { "error" } else { "warning" }
}
