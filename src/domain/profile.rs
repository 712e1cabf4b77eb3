//! How strictly a policy asks to be held: a word of its header, carried into programs, bundles and traces.

use std::fmt;

/// A policy's profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Profile {
    /// For trying out: a `default` may be any verdict, and imports need no lock.
    Dev = 0,
    /// What holds where nothing is written.
    #[default]
    Standard = 1,
    /// For production: nothing is taken on trust that could be pinned.
    Strict = 2,
}

impl Profile {
    /// All, by rank.
    pub const ALL: [Profile; 3] = [Profile::Dev, Profile::Standard, Profile::Strict];

    /// The word in policies, bundles and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Dev => "dev",
            Profile::Standard => "standard",
            Profile::Strict => "strict",
        }
    }

    /// The profile with this word.
    pub fn parse(text: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|p| p.as_str() == text)
    }

    /// The profile with this rank.
    pub fn from_rank(rank: u8) -> Option<Profile> {
        Profile::ALL.get(usize::from(rank)).copied()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
