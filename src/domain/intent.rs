//! An intent: one request to run a tool, as data. `gate::intent` is the only place that builds one from bytes.

use super::ArgumentOrigin;
use crate::json::{Json, Text};
use std::borrow::Cow;

/// A checked v1 IntentRequest. Everything except the tool, the arguments and the steps is what the caller says about itself: it is kept,
/// recorded and digested, never believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// The tool to run, exactly as received.
    pub tool: Text,
    /// Its calls, in order, where it is a script; none where it is one call.
    pub steps: Vec<ScriptStep>,
    /// Who asks (claimed).
    pub identity: Text,
    /// Where the caller works (claimed).
    pub workspace: Text,
    /// The caller's own risk label, free text (claimed).
    pub risk_class: Text,
    /// The caller's session (claimed); `None` when missing or empty.
    pub session_id: Option<Text>,
    /// The caller's run (claimed).
    pub run_id: Option<Text>,
    /// The caller's number for this request (claimed); `None` when missing or empty.
    pub request_id: Option<Text>,
    /// When the caller wrote the request, RFC 3339 text (claimed).
    pub created_at: Text,
    /// The whole document as received, members in their order.
    pub document: Json,
}

/// The tool a script's intent names, and a script's trace: what runs are its steps.
pub const SCRIPT: &str = "script";

/// One call of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptStep {
    /// The tool to run, exactly as received.
    pub tool: String,
    /// Its arguments, an object, exactly as received.
    pub args: Json,
    /// Where they come from, as the adapter says of this step; `None` when it says nothing.
    pub origins: Option<Vec<ArgumentOrigin>>,
    /// The whole step as received; what it says goes before what the intent says beside it.
    pub said: Json,
}

/// Members that claim digests. They are checked for form and otherwise ignored: every decision and every record
/// rests on digests computed here, so a placeholder or a lie in them changes nothing.
pub const CLAIMED_DIGESTS: [&str; 3] = ["args_digest", "intent_digest", "script_hash"];

/// An object without members.
static NOTHING: Json = Json::Object(Vec::new());

impl Intent {
    /// The arguments of the call, an object, exactly as received.
    pub fn args(&self) -> &Json {
        self.document.get("args").unwrap_or(&NOTHING)
    }

    /// The document the intent digest covers: everything received except the three claimed digests. Members keep
    /// the order received; the digest's RFC 8785 form sorts them.
    pub fn covered(&self) -> Cow<'_, Json> {
        let members = self.document.as_object().unwrap_or_default();
        let claims = |key: &str| CLAIMED_DIGESTS.contains(&key);
        if !members.iter().any(|(key, _)| claims(key)) {
            return Cow::Borrowed(&self.document);
        }
        let covered = members.iter().filter(|(key, _)| !claims(key));
        Cow::Owned(Json::Object(covered.cloned().collect()))
    }

    /// The same document, taken.
    pub fn canonical(&self) -> Json {
        self.covered().into_owned()
    }
}
