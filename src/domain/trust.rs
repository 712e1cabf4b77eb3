//! Whether a value about a call is verified or only said. The compiler lets a claim raise a verdict and never lower it.

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
