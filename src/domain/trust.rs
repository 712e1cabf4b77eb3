//! Whether a value about a call is verified or only said, and who vouches for it. The compiler lets a claim raise a verdict and never
//! lower it.

use super::approval::Role;
use std::sync::Arc;

/// Where a value's authority comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Trust {
    /// Supplied or verified by the host, or by an adapter the policy's author trusts.
    Fact = 0,
    /// Said by the caller.
    Claim = 1,
}

impl Trust {
    /// The word in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Trust::Fact => "fact",
            Trust::Claim => "claim",
        }
    }
}

/// Who vouches for a fact by signature, instead of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedBy {
    /// Whose members may.
    pub by: Arc<Role>,
    /// How old their word may be at the time of the call, in milliseconds.
    pub within: u64,
}
