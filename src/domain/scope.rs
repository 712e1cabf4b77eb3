//! The scopes of policies that are composed: an organisation's, a team's, a repository's.

use std::fmt;

/// Whom a policy is for. The order is the rank: a policy stands under one of a greater scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyScope {
    /// One repository.
    Repo,
    /// A team.
    Team,
    /// The whole organisation.
    Org,
}

impl PolicyScope {
    /// All, from the narrowest.
    pub const ALL: [PolicyScope; 3] = [PolicyScope::Repo, PolicyScope::Team, PolicyScope::Org];

    /// The word in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyScope::Repo => "repo",
            PolicyScope::Team => "team",
            PolicyScope::Org => "org",
        }
    }

    /// The scope with this word.
    pub fn parse(text: &str) -> Option<PolicyScope> {
        PolicyScope::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// The policy a rule is part of, where that policy is for a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleScope {
    /// Whom it is for.
    pub scope: PolicyScope,
    /// Its name.
    pub policy: String,
}

impl fmt::Display for RuleScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scope, self.policy)
    }
}

impl fmt::Display for PolicyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
