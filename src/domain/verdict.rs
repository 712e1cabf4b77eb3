//! The four verdicts and their order. Verdicts combine by `max`; nothing else decides which one wins.

/// What the gate says about a tool call. Ordered from loosest to strictest; only `Allow` may execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// The call may run.
    Allow = 0,
    /// The call may be rehearsed without its effects.
    DryRun = 1,
    /// The call waits for an approval.
    RequireApproval = 2,
    /// The call must not run.
    Block = 3,
}

impl Verdict {
    /// All four, from loosest to strictest.
    pub const ALL: [Verdict; 4] = [Verdict::Allow, Verdict::DryRun, Verdict::RequireApproval, Verdict::Block];

    /// The name used in policies, traces and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::DryRun => "dry_run",
            Verdict::RequireApproval => "require_approval",
            Verdict::Block => "block",
        }
    }

    /// Reads the name; nothing but the four exact names is a verdict.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }

    /// The verdict with this rank (0 is `allow`).
    pub fn from_rank(rank: u8) -> Option<Self> {
        Self::ALL.get(usize::from(rank)).copied()
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
