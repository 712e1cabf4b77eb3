//! A suite: one policy as each engine writes it, requests, and odd requests that show who fails open.

use crate::engine::{Contestant, Failure};

/// One piece of work that all engines do.
pub struct Suite {
    /// Its name on the command line and in tables.
    pub name: String,
    /// How many rules the policy has.
    pub rules: usize,
    /// Who takes part; Gait is first.
    pub contestants: Vec<Contestant>,
    /// The requests, as v1 intents.
    pub intents: Vec<Vec<u8>>,
    /// Requests with something wrong, by what is wrong.
    pub odd: Vec<(&'static str, Vec<u8>)>,
}

/// A v1 intent for a call.
pub fn intent(tool: &str, args: &serde_json::Value) -> Result<Vec<u8>, Failure> {
    let document = serde_json::json!({
        "schema_id": "gait.gate.intent_request",
        "schema_version": "1.0.0",
        "created_at": "2026-11-23T00:00:00Z",
        "producer_version": "peers",
        "tool_name": tool,
        "args": args,
        "targets": [],
        "context": { "identity": "agent", "workspace": "/ws", "risk_class": "high" },
    });
    Ok(serde_json::to_vec(&document)?)
}
