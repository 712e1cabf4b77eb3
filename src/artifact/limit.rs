//! What a decision says of limits, as JSON in traces and outputs. In: facts. Out: their documents, and back.

use super::VerifyError;
use super::fields::Fields;
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

/// The facts of a document: one per counter; none where the member is not there.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<LimitFact>, VerifyError> {
    if fields.optional("limits").is_none() {
        return Ok(Vec::new());
    }
    let facts = fields.list("limits", |json| {
        let fact = Fields::open("trace limit", json, &["limit", "counter", "used", "cost", "max"])?;
        let number = |name: &str| match fact.any(name)? {
            number @ (Json::Number(_) | Json::String(_)) => Ok(number.clone()),
            _ => Err(fact.refuse(format!("`{name}` is no number"))),
        };
        Ok(LimitFact {
            limit: fact.name("limit")?,
            counter: fact.digest("counter")?.to_string(),
            used: number("used")?,
            cost: number("cost")?,
            max: number("max")?,
        })
    })?;
    let counters: Vec<&str> = facts.iter().map(|fact| fact.counter.as_str()).collect();
    let twice = (1..counters.len()).any(|at| {
        counters
            .get(..at)
            .unwrap_or_default()
            .contains(counters.get(at).unwrap_or(&""))
    });
    if facts.is_empty() || twice {
        return Err(fields.refuse("`limits` is empty, or counts one call twice"));
    }
    Ok(facts)
}
