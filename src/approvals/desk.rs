//! Where a running gate and people meet: the calls that wait, who may answer them, and the folder of their answers. In: decisions, signed answers.
//! Out: what waits, and the answers of a call that is made again. An answer is signed where the person is; here it is verified and put where
//! calls find it. Nothing is decided and nothing runs.

use super::inbox::{Place, Waiting};
use super::waiting::WaitingCalls;
use super::{Handed, TrustError, distinct, file_name, found, in_folder, read, verify};
use crate::artifact::{Approvers, Digest, TraceRecord, VerifyError};
use crate::domain::approval::Standing;
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::limits;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The desk of one gate.
#[derive(Debug)]
pub struct ApprovalDesk {
    trust: PathBuf,
    folder: PathBuf,
    waiting: Mutex<WaitingCalls>,
}

/// Why what waits cannot be told, or an answer is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nobody knows who may answer.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It is not what a known key has signed.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The key may not answer now.
    #[error("the answer of {} would be {}", by.escape_debug(), standing.said())]
    NotCounted {
        /// Whose key it is.
        by: String,
        /// Why not.
        standing: Standing,
    },
    /// No call waits for it.
    #[error("no call waits for this answer")]
    NotWaiting,
    /// It cannot be kept.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl AnswerError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AnswerError::Trust(_) => "trust.unreadable",
            AnswerError::Verify(error) => error.code(),
            AnswerError::NotCounted { .. } => "approval.not_counted",
            AnswerError::NotWaiting => "approval.not_waiting",
            AnswerError::Host(error) => error.code(),
        }
    }
}

impl ApprovalDesk {
    /// With nothing waiting: the trust file says whose keys may answer, and answers are in the folder.
    pub fn new(trust: PathBuf, folder: PathBuf) -> ApprovalDesk {
        ApprovalDesk {
            trust,
            folder,
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, WaitingCalls> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of those who may answer, as the trust file has them now.
    pub fn known(&self, host: &dyn Host) -> Result<Approvers, TrustError> {
        read(host, &self.trust)
    }

    /// The answers to a call, by the digest of its whole intent. They are looked for where it has waited before, or where whoever asks brings
    /// approvals along: a denial counts against those, too. Otherwise no approval counts, so that no denial need be known.
    pub fn answers(&self, host: &dyn Host, call: Digest, bundle: Digest, brings: bool) -> Vec<Handed> {
        if !brings && !self.waiting().has(call) {
            return Vec::new();
        }
        found(host, (&self.trust, &self.folder), call, bundle)
    }

    /// Takes note of a decision about a call. `intent` is what is kept of the whole intent.
    pub fn note(&self, call: Digest, record: &TraceRecord, intent: &[u8], place: Place) {
        self.waiting().note(call, record, intent, place);
    }

    /// How many calls wait.
    pub fn count(&self, host: &dyn Host) -> usize {
        self.waiting().count(host.now())
    }

    /// The calls that wait, with the answers that are there.
    pub fn list(&self, host: &dyn Host) -> Result<Json, AnswerError> {
        let known = self.known(host)?;
        // Nobody has answered anything yet, or the folder cannot be read: then no answer counts, either.
        let given = distinct(in_folder(host, &self.folder, &known).unwrap_or_default());
        let mut waiting = self.waiting().list(host.now());
        for one in &mut waiting {
            let own = given.iter().filter(|given| given.about.is_of(&one.subject));
            one.given = own.cloned().collect();
        }
        Ok(Json::object([
            ("ok", Json::Bool(true)),
            (
                "waiting",
                Json::Array(waiting.iter().map(Waiting::to_json).collect()),
            ),
        ]))
    }

    /// Takes the answer of a person to a call that waits: it is in the folder, durable, when this returns.
    pub fn take(&self, host: &dyn Host, bytes: &[u8]) -> Result<Json, AnswerError> {
        let now = host.now();
        if bytes.len() > limits::ENVELOPE_BYTES {
            let limit = limits::ENVELOPE_BYTES as u64;
            let path = PathBuf::from("the answer");
            return Err(HostError::TooLarge { path, limit }.into());
        }
        let answer = verify(bytes, &self.known(host)?, now, now)?;
        if let Some(standing) = answer.flaw {
            let by = answer.by;
            return Err(AnswerError::NotCounted { by, standing });
        }
        let is_asked = |waiting: &Waiting| answer.about.is_of(&waiting.subject);
        if !self.waiting().list(now).iter().any(is_asked) {
            return Err(AnswerError::NotWaiting);
        }
        let file = self.folder.join(file_name(answer.digest));
        match host.write_new(&file, bytes, Mode::Public) {
            // It was sent before.
            Ok(()) | Err(HostError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(file.to_string_lossy())),
            ("digest", answer.digest.to_json()),
            ("by", Json::str(&answer.by)),
            ("denied", answer.answer.denies().map_or(Json::Null, Json::str)),
        ]))
    }
}
