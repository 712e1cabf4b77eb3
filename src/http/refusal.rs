//! Why a request is refused: an HTTP status, a stable code, a sentence. Out: the document of `schemas/v1/daemon/error.schema.json`. A
//! refusal never looks like a verdict.

use crate::json::Json;

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
    /// Where and how to show who asks (`WWW-Authenticate`).
    pub challenge: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
            hint: None,
            challenge: None,
        }
    }

    /// Says what to do.
    pub fn hint(self, hint: &'static str) -> Refusal {
        Refusal {
            hint: Some(hint),
            ..self
        }
    }

    /// Says where and how to show who asks.
    pub fn challenge(self, challenge: String) -> Refusal {
        Refusal {
            challenge: Some(challenge),
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
