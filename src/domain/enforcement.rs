//! What becomes of a call that is not allowed: a setting of a deployment, carried in bundles and traces. No policy and no rule
//! knows it.

use std::fmt;

/// Whether what is decided binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforcement {
    /// Calls run whatever is decided, and traces keep their intents: for finding out what agents do.
    Observe,
    /// Calls run whatever is decided: for trying a policy out.
    Shadow,
    /// What is not allowed does not run.
    #[default]
    Enforce,
}

impl Enforcement {
    /// All, the loosest first.
    pub const ALL: [Enforcement; 3] = [Enforcement::Observe, Enforcement::Shadow, Enforcement::Enforce];

    /// The word in bundles and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Enforcement::Observe => "observe",
            Enforcement::Shadow => "shadow",
            Enforcement::Enforce => "enforce",
        }
    }

    /// The level with this word.
    pub fn parse(text: &str) -> Option<Enforcement> {
        Enforcement::ALL.into_iter().find(|level| level.as_str() == text)
    }

    /// Whether what is not allowed does not run.
    pub fn binds(self) -> bool {
        self == Enforcement::Enforce
    }
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
