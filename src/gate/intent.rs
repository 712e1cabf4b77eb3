//! The one typed boundary: bytes of a v1 IntentRequest in, a checked `Intent` or one reason for refusal out. Nothing
//! is repaired: no trimming, no lower case, no default, no last-wins. It computes no digest and trusts no claim.

mod check;
mod shape;

use crate::domain::intent::SCRIPT;
use crate::domain::{ArgumentOrigin, Intent, ScriptStep};
use crate::json::pointer::Place;
use crate::json::{self, Json, JsonError, JsonErrorKind, Text};
use crate::limits;
use crate::secrets;

/// The `schema_id` of an intent.
pub const SCHEMA_ID: &str = "gait.gate.intent_request";
/// The `schema_version` this crate reads.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// Every code of `IntentError` with its meaning.
pub const CODES: [(&str, &str); 10] = [
    ("intent.syntax", "the bytes are not one JSON document"),
    ("intent.duplicate_key", "an object names a member twice"),
    ("intent.number_not_exact", "a number that RFC 8785 would change"),
    ("intent.too_large", "longer or deeper than the limit"),
    (
        "intent.schema_version",
        "another kind of document, or another version of it",
    ),
    (
        "intent.bad_script",
        "a script without steps, with too many, or with more than its steps",
    ),
    ("intent.unknown_field", "a member the schema does not have"),
    ("intent.missing_field", "a required member is not there"),
    ("intent.wrong_type", "a value of another JSON type"),
    (
        "intent.bad_value",
        "the right JSON type, but not a value this member may have",
    ),
];

/// Why an intent was refused: the first mistake found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct IntentError {
    /// A stable code, one of `CODES`.
    pub code: &'static str,
    /// Where, as a JSON Pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// One sentence that names the place and, where there is one, the way out.
    pub message: String,
}

impl Intent {
    /// Reads and checks one v1 IntentRequest. Checks, in order:
    /// 1. strict JSON (`json::parse`);
    /// 2. `schema_id` and `schema_version`;
    /// 3. the closed shape of `schemas/v1/gate/intent_request.schema.json`;
    /// 4. a script has steps, no more than the bound, and nothing to run beside them;
    /// 5. no negative zero anywhere, since RFC 8785 would drop its sign.
    pub fn read(bytes: &[u8]) -> Result<Intent, IntentError> {
        Intent::from_document(json::parse(bytes)?)
    }

    /// Checks an intent that came inside another document, which `json::parse` has read: steps 2 to 5 of `read`.
    pub fn from_document(document: Json) -> Result<Intent, IntentError> {
        header(&document)?;
        check::record(&document, &Place::ROOT, shape::INTENT)?;
        script(&document)?;
        check::no_negative_zero(&document, &Place::ROOT)?;
        Ok(build(document))
    }
}

fn refuse(code: &'static str, pointer: &impl ToString, message: impl Into<String>) -> IntentError {
    // A name that is wrong may be a secret in the wrong place.
    IntentError {
        code,
        pointer: secrets::hidden(&pointer.to_string()).into_owned(),
        message: secrets::hidden(&message.into()).into_owned(),
    }
}

/// Bytes that are not one JSON document.
impl From<JsonError> for IntentError {
    fn from(error: JsonError) -> Self {
        let code = match error.kind {
            JsonErrorKind::Syntax => "intent.syntax",
            JsonErrorKind::DuplicateKey => "intent.duplicate_key",
            JsonErrorKind::Number => "intent.number_not_exact",
            JsonErrorKind::Depth | JsonErrorKind::Size => "intent.too_large",
        };
        refuse(code, &Place::ROOT, error.to_string())
    }
}

/// Comes before the shape, so that another kind of document is named as that and not by its first unknown member.
fn header(document: &Json) -> Result<(), IntentError> {
    if document.as_object().is_none() {
        let message = format!("an intent is an object; this is {}", document.kind());
        return Err(refuse("intent.wrong_type", &Place::ROOT, message));
    }
    for (field, expected) in [("schema_id", SCHEMA_ID), ("schema_version", SCHEMA_VERSION)] {
        match document.get(field) {
            Some(Json::String(text)) if text != expected => {
                let shown = check::shown(text);
                let message = format!("`/{field}` is `{shown}`; this gate reads `{expected}`");
                return Err(refuse("intent.schema_version", &format!("/{field}"), message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a script runs are its steps, so its intent names no other tool and no other arguments: they would not be judged.
fn script(document: &Json) -> Result<(), IntentError> {
    let Some(steps) = steps(document) else {
        return Ok(());
    };
    let most = limits::SCRIPT_STEPS;
    let (at, message) = match steps.len() {
        0 => (
            "/script/steps",
            "`/script/steps` is empty; a script has at least one step".to_owned(),
        ),
        n if n > most => (
            "/script/steps",
            format!("`/script/steps` has {n} steps; a script has at most {most}, so send several scripts"),
        ),
        _ if document.get("tool_name").and_then(Json::as_str) != Some(SCRIPT) => (
            "/tool_name",
            format!("`/tool_name` has to be `{SCRIPT}`, since what runs are the steps"),
        ),
        _ if document.get("args").and_then(Json::as_object) != Some(&[]) => (
            "/args",
            "`/args` has to be empty, since a script's arguments are those of its steps".to_owned(),
        ),
        _ => return Ok(()),
    };
    Err(refuse("intent.bad_script", &at, message))
}

fn steps(document: &Json) -> Option<&[Json]> {
    document.get("script")?.get("steps")?.as_array()
}

/// INVARIANT: `document` has passed `check::record`, so required members are there and are strings.
fn build(document: Json) -> Intent {
    let text = |at: &Json, name: &str| match at.get(name) {
        Some(Json::String(text)) => text.clone(),
        _ => Text::default(),
    };
    let some = |at: &Json, name: &str| Some(text(at, name)).filter(|t| !t.is_empty());
    let empty = Json::Object(Vec::new());
    let context = document.get("context").unwrap_or(&empty);
    let args = |at: &Json| at.get("args").cloned().unwrap_or(Json::Object(Vec::new()));
    let step = |step: &Json| ScriptStep {
        tool: text(step, "tool_name").into(),
        args: args(step),
        origins: ArgumentOrigin::of_intent(step),
        said: step.clone(),
    };
    Intent {
        tool: text(&document, "tool_name"),
        steps: steps(&document).unwrap_or_default().iter().map(step).collect(),
        identity: text(context, "identity"),
        workspace: text(context, "workspace"),
        risk_class: text(context, "risk_class"),
        session_id: some(context, "session_id"),
        run_id: some(context, "run_id"),
        request_id: some(context, "request_id"),
        created_at: text(&document, "created_at"),
        document,
    }
}
