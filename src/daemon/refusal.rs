//! Why a request is not answered with a verdict: an HTTP status, a stable code, a sentence. In: errors of the library. Out: the
//! document of `schemas/v1/daemon/error.schema.json`. A refusal never looks like a verdict.

use crate::artifact::VerifyError;
use crate::boundary::WriteError;
use crate::gate::IntentError;
use crate::host::HostError;
use crate::json::Json;
use crate::session::SessionError;
use crate::store::StoreError;

/// A request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Stable and dotted; programs may match it.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Says what to do.
    pub fn hint(self, hint: &'static str) -> Refusal {
        Refusal {
            hint: Some(hint),
            ..self
        }
    }

    /// Whether the same request may be answered later.
    pub fn may_retry(&self) -> bool {
        self.status == 503
    }

    /// The document.
    pub fn document(&self) -> Json {
        let mut members = vec![
            ("ok", Json::Bool(false)),
            ("code", Json::str(self.code)),
            ("message", Json::str(&self.message)),
        ];
        members.extend(self.hint.map(|hint| ("hint", Json::str(hint))));
        Json::object(members)
    }
}

impl From<IntentError> for Refusal {
    fn from(error: IntentError) -> Self {
        let status = if error.code == "intent.too_large" {
            413
        } else {
            400
        };
        Refusal::new(status, error.code, error.message)
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Refusal::new(400, error.code(), error.to_string())
    }
}

/// The machine is the daemon's own: none of its errors is the caller's.
impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        Refusal::new(503, error.code(), error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::new(503, error.code(), error.to_string())
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        let code = error.code();
        let status = match &error {
            WriteError::Build(_) | WriteError::Session(SessionError::NoTrace(_)) => 422,
            WriteError::Session(SessionError::Host(_) | SessionError::Store(_)) | WriteError::Traces(_) => {
                503
            }
            WriteError::Session(
                SessionError::Entry { .. }
                | SessionError::Last { .. }
                | SessionError::Foreign { .. }
                | SessionError::Forked { .. },
            ) => 409,
        };
        let refusal = Refusal::new(status, code, error.to_string());
        match status {
            409 => refusal.hint("keep the journal as evidence, and go on in a new session"),
            _ => refusal.hint("there is no verdict, so the call must not run"),
        }
    }
}
