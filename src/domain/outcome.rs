//! What became of a call that was allowed: the words, and what each means for limits that have counted the call.

/// What became of a call that was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It ran and did what it should.
    Executed,
    /// It ran and nothing came of it.
    Failed,
    /// It was started, and nobody knows what came of it.
    Ambiguous,
    /// It was not started.
    NotExecuted,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 4] = [
        Outcome::Executed,
        Outcome::Failed,
        Outcome::Ambiguous,
        Outcome::NotExecuted,
    ];

    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Executed => "executed",
            Outcome::Failed => "failed",
            Outcome::Ambiguous => "ambiguous",
            Outcome::NotExecuted => "not_executed",
        }
    }

    /// The outcome of a name.
    pub fn parse(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether the call was started.
    pub fn was_started(self) -> bool {
        self != Outcome::NotExecuted
    }

    /// Whether limits go on counting the call. Where nobody knows what came of it, they do.
    pub fn counts(self) -> bool {
        matches!(self, Outcome::Executed | Outcome::Ambiguous)
    }
}
