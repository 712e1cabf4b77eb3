//! Which refusal an error of the library is: whose mistake it was, and what to do.

use crate::approvals::desk::AnswerError;
use crate::artifact::VerifyError;
use crate::boundary::WriteError;
use crate::gate::IntentError;
use crate::host::HostError;
use crate::http::Refusal;
use crate::session::SessionError;
use crate::store::StoreError;

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

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            AnswerError::Verify(error) => error.into(),
            AnswerError::Host(HostError::TooLarge { .. }) => Refusal::new(413, "request.too_large", message),
            AnswerError::Host(error) => error.into(),
            AnswerError::Trust(_) => Refusal::new(503, code, message),
            AnswerError::NotCounted { .. } => Refusal::new(409, code, message),
            AnswerError::NotWaiting => {
                Refusal::new(404, code, message).hint("GET /v1/approvals lists the calls that wait")
            }
        }
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
