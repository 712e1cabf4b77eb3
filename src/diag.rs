//! Diagnostics as data: what is wrong in a policy, where, why, and the change that mends it. Each is built beside
//! the check that finds it; renderers (`diag/` siblings) only print. It must not know syntax or types.

pub mod codes;
pub mod suggest;

use crate::source::Span;
pub use codes::Code;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Compilation goes on and succeeds.
    Warning,
    /// Nothing is compiled.
    Error,
}

/// A place with a few words about it: what is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A lowercase phrase; may be empty.
    pub text: String,
}

/// What a lint's findings count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// They are not reported.
    Allow,
    /// Warnings.
    Warn,
    /// Errors.
    Deny,
}

impl Level {
    /// The word in policies and flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        }
    }
}

/// Who may apply a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// `--fix`: it mends a mistake, or says the same in another way.
    Mends,
    /// A person, who knows whether it is what was meant: the policy decides otherwise after it.
    Suggests,
}

/// A change of the source that mends the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace; empty to insert.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
    /// Who may apply it.
    pub applicability: Applicability,
}

/// One mistake, reported once, at its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// One lowercase sentence without a period; the author's names in backticks.
    pub message: String,
    /// Where the mistake is.
    pub primary: Label,
    /// Other places that explain it.
    pub secondary: Vec<Label>,
    /// Why this is refused, where the message does not say it already.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// An intent (canonical JSON of tool and arguments) that shows the mistake, where one exists.
    pub witness: Option<String>,
    /// A change that mends it.
    pub edit: Option<Edit>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label {
                span,
                text: String::new(),
            },
            secondary: Vec::new(),
            why: None,
            help: None,
            witness: None,
            edit: None,
        }
    }

    /// The same as a warning.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Says what is at the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says why.
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Shows an intent.
    pub fn witness(mut self, witness: impl Into<String>) -> Self {
        self.witness = Some(witness.into());
        self
    }

    /// Gives the change that mends it.
    pub fn edit(self, span: Span, replacement: impl Into<String>) -> Self {
        self.change(span, replacement.into(), Applicability::Mends)
    }

    /// Suggests a change that `--fix` does not apply.
    pub fn suggest(self, span: Span, replacement: impl Into<String>) -> Self {
        self.change(span, replacement.into(), Applicability::Suggests)
    }

    fn change(mut self, span: Span, replacement: String, applicability: Applicability) -> Self {
        self.edit = Some(Edit {
            span,
            replacement,
            applicability,
        });
        self
    }

    /// Whether it stops compilation.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
