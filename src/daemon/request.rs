//! What requests say: one strict JSON object each. In: bytes. Out: members by name, or the first mistake. Nothing is repaired, and
//! what is not known is refused.

use crate::artifact::{is_id, jcs};
use crate::domain::{Intent, hidden};
use crate::gate::IntentError;
use crate::http::Refusal;
use crate::json::{self, Json, Text};
use crate::limits;
use std::collections::BTreeSet;

/// The members of a request, which are taken out one by one.
#[derive(Debug)]
pub struct Given(Vec<(Text, Json)>);

impl Given {
    /// Reads a body.
    pub fn read(bytes: &[u8]) -> Result<Given, Refusal> {
        match json::parse(bytes).map_err(IntentError::from)? {
            Json::Object(members) => Ok(Given(members)),
            other => {
                let message = format!("a request is an object; this is {}", other.kind());
                Err(Refusal::new(400, "request.wrong_type", message))
            }
        }
    }

    /// Takes a member out.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes a text out.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.into())),
            Some(other) => Err(wrong_type(name, &other)),
        }
    }

    /// Takes an id out.
    pub fn id(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(id) if !is_id(&id) => Err(bad_value(format!("`{name}` is not an id"))
                .hint("an id is 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or digit")),
            id => Ok(id),
        }
    }

    /// Takes a line of so many bytes out.
    pub fn line(&mut self, name: &str, bytes: usize) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(line) => match hidden::check_line(&line, bytes) {
                Ok(()) => Ok(Some(line)),
                Err(why) => Err(bad_value(format!("`{name}`: {why}"))),
            },
            None => Ok(None),
        }
    }

    /// Takes an object out, as it is.
    pub fn object(&mut self, name: &str) -> Result<Option<Json>, Refusal> {
        match self.take(name) {
            Some(other) if other.as_object().is_none() => Err(wrong_type(name, &other)),
            object => Ok(object),
        }
    }

    /// Takes a list out.
    pub fn list(&mut self, name: &str) -> Result<Vec<Json>, Refusal> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) => Ok(items),
            Some(other) => Err(wrong_type(name, &other)),
        }
    }

    /// Errors where something is left.
    pub fn end(self) -> Result<(), Refusal> {
        let Some((name, _)) = self.0.first() else {
            return Ok(());
        };
        let shown: String = name.chars().take(limits::SHOWN_NAME_CHARS).collect();
        let message = format!("this request has no member `{}`", shown.escape_debug());
        Err(Refusal::new(400, "request.unknown_field", message)
            .hint("GET /openapi.json describes every member"))
    }
}

/// A member is not there.
pub fn missing(name: &str) -> Refusal {
    Refusal::new(400, "request.missing_field", format!("`{name}` is missing"))
}

/// A member has another type than it must have.
pub fn wrong_type(name: &str, found: &Json) -> Refusal {
    let message = format!("`{name}` cannot be {}", found.kind());
    Refusal::new(400, "request.wrong_type", message)
}

/// A member has a value that it cannot have.
pub fn bad_value(message: String) -> Refusal {
    Refusal::new(400, "request.bad_value", message)
}

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
    /// What the caller calls the whole that it is part of.
    pub correlation_id: Option<String>,
    /// What the runtime will do of what decisions oblige to; sorted, distinct.
    pub fulfils: Vec<String>,
    /// Signed approvals, in canonical bytes.
    pub approvals: Vec<Vec<u8>>,
    /// Signed links of a delegation, in canonical bytes.
    pub delegation: Vec<Vec<u8>>,
    /// Signed statements that vouch for facts, in canonical bytes.
    pub attestations: Vec<Vec<u8>>,
    /// Whether the trace keeps the intent.
    pub keep_intent: bool,
}

/// Reads the request for a decision.
pub fn read(bytes: &[u8]) -> Result<Asked, Refusal> {
    let mut given = Given::read(bytes)?;
    let intent = given.take("intent");
    let (session, run) = (given.id("session")?, given.id("run")?);
    let correlation_id = given.line("correlation_id", limits::CORRELATION_BYTES)?;
    let facts = given.object("facts")?;
    let fulfils = promised(given.list("fulfils")?)?;
    let approvals = envelopes(&given.list("approvals")?, "approvals")?;
    let delegation = envelopes(&given.list("delegation")?, "links of a delegation")?;
    let attestations = envelopes(&given.list("attestations")?, "attestations")?;
    let keep_intent = match given.take("keep_intent") {
        None => false,
        Some(Json::Bool(keep)) => keep,
        Some(other) => return Err(wrong_type("keep_intent", &other)),
    };
    given.end()?;
    Ok(Asked {
        intent: Intent::from_document(intent.ok_or_else(|| missing("intent"))?)?,
        facts,
        session,
        run,
        correlation_id,
        fulfils: fulfils.into_iter().collect(),
        approvals,
        delegation,
        attestations,
        keep_intent,
    })
}

fn promised(names: Vec<Json>) -> Result<BTreeSet<String>, Refusal> {
    let name = |name| match name {
        Json::String(name) if !name.is_empty() => Ok(name.into()),
        _ => Err(bad_value("`fulfils` has what is no name".to_owned())),
    };
    names.into_iter().map(name).collect()
}

/// An envelope is signed over its payload, which is text in it, and has one canonical form; so its bytes are those it had.
fn envelopes(all: &[Json], what: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    if all.len() > limits::HANDED_APPROVALS {
        let message = format!("more than {} {what} are handed over", limits::HANDED_APPROVALS);
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
        let asked = with(r#", "facts": {"a": 1}, "session": "s", "run": "r", "correlation_id": "c 1", "fulfils": ["b", "a", "b"], "approvals": [{}], "keep_intent": true"#)
            .unwrap();
        assert_eq!(asked.fulfils, ["a", "b"]);
        assert_eq!(asked.approvals, [b"{}"]);
        assert_eq!(
            (asked.session.as_deref(), asked.run.as_deref()),
            (Some("s"), Some("r"))
        );
        assert!(asked.keep_intent && asked.facts.is_some());
        assert_eq!(asked.correlation_id.as_deref(), Some("c 1"));
        for (more, code) in [
            (r#", "facts": []"#, "request.wrong_type"),
            (r#", "facts": null"#, "request.wrong_type"),
            (r#", "session": 1"#, "request.wrong_type"),
            (r#", "session": "../x""#, "request.bad_value"),
            (r#", "run": """#, "request.bad_value"),
            (r#", "correlation_id": 1"#, "request.wrong_type"),
            (r#", "correlation_id": """#, "request.bad_value"),
            (r#", "correlation_id": "a\u202eb""#, "request.bad_value"),
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
