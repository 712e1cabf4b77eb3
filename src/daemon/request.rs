//! What `POST /v1/decide` is asked: one strict JSON object around an intent. In: bytes. Out: the call, or the first mistake.
//! Nothing is repaired, and what is not known is refused.

use super::refusal::Refusal;
use crate::artifact::{is_id, jcs};
use crate::domain::Intent;
use crate::gate::IntentError;
use crate::json::{self, Json, Text};
use crate::limits;
use std::collections::BTreeSet;

/// A call as it is asked for.
#[derive(Debug)]
pub struct Asked {
    /// The intent.
    pub intent: Intent,
    /// What the host knows of the call.
    pub facts: Option<Json>,
    /// The session it is the next call of.
    pub session: Option<String>,
    /// The run it belongs to.
    pub run: Option<String>,
    /// What the runtime will do of what decisions oblige to; sorted, distinct.
    pub fulfils: Vec<String>,
    /// Signed approvals, in canonical bytes.
    pub approvals: Vec<Vec<u8>>,
    /// Whether the trace keeps the intent.
    pub keep_intent: bool,
}

/// The members of a request.
#[derive(Default)]
struct Members {
    intent: Option<Json>,
    facts: Option<Json>,
    session: Option<String>,
    run: Option<String>,
    fulfils: BTreeSet<String>,
    approvals: Vec<Vec<u8>>,
    keep_intent: bool,
}

/// Reads a request.
pub fn read(bytes: &[u8]) -> Result<Asked, Refusal> {
    let document = json::parse(bytes).map_err(IntentError::from)?;
    let Json::Object(given) = document else {
        let message = format!("a request is an object; this is {}", document.kind());
        return Err(Refusal::new(400, "request.wrong_type", message));
    };
    let mut members = Members::default();
    for (name, value) in given {
        members.take(&name, value)?;
    }
    let missing = || Refusal::new(400, "request.missing_field", "`intent` is missing");
    Ok(Asked {
        intent: Intent::from_document(members.intent.ok_or_else(missing)?)?,
        facts: members.facts,
        session: members.session,
        run: members.run,
        fulfils: members.fulfils.into_iter().collect(),
        approvals: members.approvals,
        keep_intent: members.keep_intent,
    })
}

impl Members {
    fn take(&mut self, name: &Text, value: Json) -> Result<(), Refusal> {
        match (name.as_str(), value) {
            ("intent", intent) => self.intent = Some(intent),
            ("facts", facts @ Json::Object(_)) => self.facts = Some(facts),
            ("session", Json::String(id)) => self.session = Some(checked_id("session", id)?),
            ("run", Json::String(id)) => self.run = Some(checked_id("run", id)?),
            ("fulfils", Json::Array(names)) => self.fulfils = promised(names)?,
            ("approvals", Json::Array(all)) => self.approvals = envelopes(&all)?,
            ("keep_intent", Json::Bool(keep)) => self.keep_intent = keep,
            ("facts" | "session" | "run" | "fulfils" | "approvals" | "keep_intent", other) => {
                let message = format!("`{name}` cannot be {}", other.kind());
                return Err(Refusal::new(400, "request.wrong_type", message));
            }
            (other, _) => {
                let shown: String = other.chars().take(limits::SHOWN_NAME_CHARS).collect();
                let message = format!("a request has no member `{}`", shown.escape_debug());
                return Err(Refusal::new(400, "request.unknown_field", message)
                    .hint("GET /openapi.json describes every member"));
            }
        }
        Ok(())
    }
}

fn bad_value(message: String) -> Refusal {
    Refusal::new(400, "request.bad_value", message)
}

fn checked_id(what: &str, id: Text) -> Result<String, Refusal> {
    if is_id(&id) {
        return Ok(id.into());
    }
    Err(bad_value(format!("`{what}` is not an id"))
        .hint("an id is 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or digit"))
}

fn promised(names: Vec<Json>) -> Result<BTreeSet<String>, Refusal> {
    let name = |name| match name {
        Json::String(name) if !name.is_empty() => Ok(name.into()),
        _ => Err(bad_value("`fulfils` has what is no name".to_owned())),
    };
    names.into_iter().map(name).collect()
}

/// An envelope is signed over its payload, which is text in it, and has one canonical form; so its bytes are those it had.
fn envelopes(all: &[Json]) -> Result<Vec<Vec<u8>>, Refusal> {
    if all.len() > limits::HANDED_APPROVALS {
        let message = format!("more than {} approvals are handed over", limits::HANDED_APPROVALS);
        return Err(bad_value(message));
    }
    Ok(all.iter().map(jcs::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::read;

    const INTENT: &str = include_str!("../../policies/starter/intents/allow.json");

    #[test]
    fn a_request_is_what_its_schema_says_and_nothing_else() {
        let with = |more: &str| read(format!("{{\"intent\": {INTENT}{more}}}").as_bytes());
        let asked = with(r#", "facts": {"a": 1}, "session": "s", "run": "r", "fulfils": ["b", "a", "b"], "approvals": [{}], "keep_intent": true"#)
            .unwrap();
        assert_eq!(asked.fulfils, ["a", "b"]);
        assert_eq!(asked.approvals, [b"{}"]);
        assert_eq!(
            (asked.session.as_deref(), asked.run.as_deref()),
            (Some("s"), Some("r"))
        );
        assert!(asked.keep_intent && asked.facts.is_some());
        for (more, code) in [
            (r#", "facts": []"#, "request.wrong_type"),
            (r#", "facts": null"#, "request.wrong_type"),
            (r#", "session": 1"#, "request.wrong_type"),
            (r#", "session": "../x""#, "request.bad_value"),
            (r#", "run": """#, "request.bad_value"),
            (r#", "fulfils": [1]"#, "request.bad_value"),
            (r#", "fulfils": [""]"#, "request.bad_value"),
            (r#", "keep_intent": "yes""#, "request.wrong_type"),
            (r#", "key": "x""#, "request.unknown_field"),
            (r#", "now": "2026-01-01T00:00:00Z""#, "request.unknown_field"),
            (r#", "session": "a", "session": "b""#, "intent.duplicate_key"),
            (r#", "facts": {"a": 1e400}"#, "intent.number_not_exact"),
        ] {
            assert_eq!(with(more).unwrap_err().code, code, "{more}");
        }
        for (text, code) in [
            ("", "intent.syntax"),
            ("[]", "request.wrong_type"),
            ("{}", "request.missing_field"),
            (r#"{"intent": 1}"#, "intent.wrong_type"),
            (r#"{"intent": {}} x"#, "intent.syntax"),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap_err().code, code, "{text}");
        }
        let deep = format!("{{\"facts\": {{\"a\": {}{}}}}}", "[".repeat(100), "]".repeat(100));
        let refused = read(deep.as_bytes()).unwrap_err();
        assert_eq!((refused.status, refused.code), (413, "intent.too_large"));
    }
}
