//! The exit codes of every command, and the only two functions that choose one: from an error's category, and from
//! a verdict. No message text is ever looked at.

use super::error::Category;
use crate::artifact::TraceRecord;
use crate::domain::Verdict;

/// What the process tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or the call is allowed.
    Success = 0,
    /// A bug, or the machine failed.
    Internal = 1,
    /// A signature, digest or archive is not what it must be.
    VerificationFailed = 2,
    /// The call is blocked.
    Block = 3,
    /// The call waits for an approval.
    ApprovalRequired = 4,
    /// A recorded decision came out differently.
    Regression = 5,
    /// A policy, intent or command line that cannot be used.
    InvalidInput = 6,
    /// Something that must be installed or configured is not there.
    MissingDependency = 7,
    /// The operation would lose or expose something.
    UnsafeRefused = 8,
    /// The call may only be rehearsed.
    DryRun = 9,
}

impl Exit {
    /// The process's exit status.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit of an error.
    pub fn of_category(category: Category) -> Exit {
        match category {
            Category::Internal => Exit::Internal,
            Category::Verification => Exit::VerificationFailed,
            Category::Regression => Exit::Regression,
            Category::InvalidInput => Exit::InvalidInput,
            Category::MissingDependency => Exit::MissingDependency,
            Category::Unsafe => Exit::UnsafeRefused,
        }
    }

    /// The exit of a call that was decided and recorded: success only where it may run.
    pub fn of_record(record: &TraceRecord) -> Exit {
        match record.runs {
            true => Exit::Success,
            false => Exit::of_verdict(record.decision.verdict),
        }
    }

    /// The exit of a verdict.
    pub fn of_verdict(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Allow => Exit::Success,
            Verdict::DryRun => Exit::DryRun,
            Verdict::RequireApproval => Exit::ApprovalRequired,
            Verdict::Block => Exit::Block,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Category, Exit, Verdict};

    #[test]
    fn only_allow_is_success_and_no_error_looks_like_a_verdict() {
        let verdicts = Verdict::ALL.map(|v| Exit::of_verdict(v).code());
        assert_eq!(verdicts, [0, 9, 4, 3]);
        let errors = Category::ALL.map(|c| Exit::of_category(c).code());
        assert_eq!(errors, [1, 2, 5, 6, 7, 8]);
    }
}
