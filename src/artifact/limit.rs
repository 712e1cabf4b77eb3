//! What a decision says of limits, as JSON in traces and outputs. In: facts. Out: their documents, and back.

use super::fields::{Fields, named, refuse};
use super::{Digest, VerifyError};
use crate::domain::LimitFact;
use crate::json::Json;

/// The documents of facts.
pub fn list(facts: &[LimitFact]) -> Json {
    let document = |fact: &LimitFact| {
        Json::object([
            ("limit", Json::str(&fact.limit)),
            ("counter", Json::str(&fact.counter)),
            ("used", fact.used.clone()),
            ("cost", fact.cost.clone()),
            ("max", fact.max.clone()),
        ])
    };
    Json::Array(facts.iter().map(document).collect())
}

/// The facts of a document; none where the member is not there.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<LimitFact>, VerifyError> {
    if fields.optional("limits").is_none() {
        return Ok(Vec::new());
    }
    let facts = fields.list("limits", |json| {
        let fact = Fields::open("trace limit", json, &["limit", "counter", "used", "cost", "max"])?;
        Ok(LimitFact {
            limit: fact.text("limit")?.to_owned(),
            counter: fact.text("counter")?.to_owned(),
            used: fact.any("used")?.clone(),
            cost: fact.any("cost")?.clone(),
            max: fact.any("max")?.clone(),
        })
    })?;
    if facts.is_empty() {
        return Err(fields.refuse(TWICE));
    }
    Ok(facts)
}

const TWICE: &str = "`limits` is empty, or counts one call twice";

/// What has to hold of facts: one per counter.
pub(super) fn check(facts: &[LimitFact]) -> Result<(), VerifyError> {
    let what = "trace limit";
    for (at, fact) in facts.iter().enumerate() {
        named(what, "limit", &fact.limit)?;
        if Digest::parse(&fact.counter).is_none() {
            return Err(refuse(what, "`counter` is not a digest"));
        }
        let numbers = [("used", &fact.used), ("cost", &fact.cost), ("max", &fact.max)];
        let is_number = |json: &Json| matches!(json, Json::Number(_) | Json::String(_));
        if let Some((name, _)) = numbers.iter().find(|(_, json)| !is_number(json)) {
            return Err(refuse(what, format!("`{name}` is no number")));
        }
        let mut before = facts.iter().take(at);
        if before.any(|other| other.counter == fact.counter) {
            return Err(refuse("trace", TWICE));
        }
    }
    Ok(())
}
