//! Statements that are handed over with a call: genuine, of somebody who is known, and good now. In: envelopes, whose keys may attest,
//! the time. Out: the statements, or why they are none. Whether a policy takes their word is asked where it is known.

use crate::approvals::{self, TrustError, signed};
use crate::artifact::attestation;
use crate::artifact::{Approvers, Attestation, Digest, StatementRef, VerifyError, time};
use crate::host::{Host, HostError};
use crate::limits;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Statements, at most one of a kind, sorted by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    all: Vec<Statement>,
    /// What the clock showed when they were taken.
    clock: Timestamp,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name.
    pub digest: Digest,
    /// Whose key has signed it, as the trust file names them.
    pub by: String,
    /// What it says.
    pub said: Attestation,
}

/// Why statements are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// There are more than a call may have.
    #[error("more than {} statements are handed over", limits::ATTESTATIONS)]
    Many,
    /// Two of them are of one kind.
    #[error("`{}` is attested twice", .0.escape_debug())]
    Twice(String),
    /// It is not what a known key has signed.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The key attests nothing now.
    #[error("`{}` is attested by a key of {} that is {why}", kind.escape_debug(), by.escape_debug())]
    Key {
        /// What.
        kind: String,
        /// Whose key it is.
        by: String,
        /// Why it attests nothing.
        why: &'static str,
    },
    /// It is not good at the time of the call, or by the clock.
    #[error("`{}` is attested from {} until {}", kind.escape_debug(), time::print(*from), time::print(*until))]
    Time {
        /// What.
        kind: String,
        /// From when on it is good.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Nobody knows whose keys may attest.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Statements {
    /// The statements in envelopes, in whatever order they come, at a time and by the clock.
    pub fn of(
        envelopes: &[Vec<u8>],
        attestors: &Approvers,
        at: Timestamp,
        clock: Timestamp,
    ) -> Result<Statements, StatementError> {
        if envelopes.len() > limits::ATTESTATIONS {
            return Err(StatementError::Many);
        }
        let signers = attestors.signers();
        let mut all: Vec<Statement> = Vec::new();
        for bytes in envelopes {
            let verified = attestation::verify(bytes, &signers, clock)?;
            let digest = verified.digest();
            let said = verified.into_value();
            let known = attestors
                .find(said.key)
                .ok_or(VerifyError::KeyUnknown(said.key))?;
            let (kind, by) = (said.kind.clone(), known.principal.clone());
            if let Some(why) = signed::out_of_use(known, [at, clock]) {
                return Err(StatementError::Key { kind, by, why });
            }
            is_good(&said, [at, clock])?;
            if all.iter().any(|other| other.said.kind == kind) {
                return Err(StatementError::Twice(kind));
            }
            all.push(Statement { digest, by, said });
        }
        all.sort_by(|a, b| a.said.kind.cmp(&b.said.kind));
        Ok(Statements { all, clock })
    }

    /// The statements in files, by those whom a trust file lets attest.
    pub fn in_files(
        host: &dyn Host,
        trust: &Path,
        files: &[PathBuf],
        at: Option<Timestamp>,
    ) -> Result<Statements, StatementError> {
        let attestors = approvals::read(host, trust)?;
        let clock = host.now();
        Statements::of(
            &signed::read(host, files)?,
            &attestors,
            at.unwrap_or(clock),
            clock,
        )
    }

    /// The statements that a gate saw, by a clock that shows the time at which it did, and when the first of their keys was revoked
    /// since. Those count that the gate has named; all, where it has named none of them.
    pub fn as_of(
        host: &dyn Host,
        trust: &Path,
        files: &[PathBuf],
        (at, named): (Timestamp, &[StatementRef]),
    ) -> Result<(Statements, Option<Timestamp>), StatementError> {
        let attestors = approvals::read(host, trust)?;
        let is_named = |bytes: &[u8]| {
            attestation::claimed(bytes).is_ok_and(|(_, digest)| named.iter().any(|one| one.digest == digest))
        };
        let files = signed::named(signed::read(host, files)?, is_named);
        let statements = Statements::of(&files, &attestors.as_of(at), at, at)?;
        let keys = statements
            .all
            .iter()
            .filter_map(|one| attestors.find(one.said.key));
        let since = keys.filter_map(|known| known.revoked_at).min();
        Ok((statements, since))
    }

    /// Each of them.
    pub fn all(&self) -> &[Statement] {
        &self.all
    }

    /// What the clock showed when they were taken.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Their names.
    pub fn refs(&self) -> Vec<StatementRef> {
        let named = |one: &Statement| StatementRef {
            kind: one.said.kind.clone(),
            digest: one.digest,
        };
        self.all.iter().map(named).collect()
    }
}

/// Errors where a statement is not good at each of these times.
pub fn is_good(said: &Attestation, times: [Timestamp; 2]) -> Result<(), StatementError> {
    let is_in = |at: &Timestamp| (said.issued_at..said.expires_at).contains(at);
    if times.iter().all(is_in) {
        return Ok(());
    }
    Err(StatementError::Time {
        kind: said.kind.clone(),
        from: said.issued_at,
        until: said.expires_at,
    })
}
