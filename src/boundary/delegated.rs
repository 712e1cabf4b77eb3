//! What was handed over of a delegation, beside a call: what the policy may know of it, and whether it covers the call. In: a chain,
//! an intent, facts. Out: facts, or why the call is blocked. Without tokens nothing here says anything.

use crate::artifact::Digest;
use crate::delegation::{Chain, ChainError};
use crate::domain::Intent;
use crate::gate::Gate;
use crate::json::Json;
use crate::ty::Ty;

/// The member of the facts that says it.
pub const FACT: &str = "delegation";

/// What was handed over of a delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delegated {
    /// A chain.
    Chain(Chain),
    /// Tokens that make none, and why.
    Refused(String),
    /// What a trace says of it, which nobody weighs again.
    Believed {
        /// The tokens.
        digests: Vec<Digest>,
        /// Why the call is blocked by it.
        refused: Option<String>,
    },
}

impl From<Result<Chain, ChainError>> for Delegated {
    /// Tokens that make no chain block a call, and its trace says why.
    fn from(found: Result<Chain, ChainError>) -> Self {
        match found {
            Ok(chain) => Delegated::Chain(chain),
            Err(error) => Delegated::Refused(error.to_string()),
        }
    }
}

impl Delegated {
    /// The tokens that make a chain.
    pub(super) fn digests(&self) -> Vec<Digest> {
        match self {
            Delegated::Chain(chain) => chain.digests(),
            Delegated::Refused(_) => Vec::new(),
            Delegated::Believed { digests, .. } => digests.clone(),
        }
    }

    /// The chain, where it is known.
    pub(super) fn chain(&self) -> Option<&Chain> {
        match self {
            Delegated::Chain(chain) => Some(chain),
            Delegated::Refused(_) | Delegated::Believed { .. } => None,
        }
    }

    /// Why it does not cover a call; none where it does.
    pub(super) fn refusal(&self, intent: &Intent, facts: Option<&Json>) -> Option<String> {
        let chain = match self {
            Delegated::Chain(chain) => chain,
            Delegated::Refused(why) => return Some(why.clone()),
            Delegated::Believed { refused, .. } => return refused.clone(),
        };
        let steps: Vec<&str> = intent.steps.iter().map(|step| step.tool.as_str()).collect();
        let tools = if steps.is_empty() {
            vec![intent.tool.as_str()]
        } else {
            steps
        };
        let claimed = intent
            .document
            .get("context")
            .and_then(|context| context.get("environment"));
        let known = facts.and_then(|facts| facts.get("environment"));
        let environments: Vec<&str> = [claimed, known]
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        chain.covers(&intent.identity, &tools, &environments).err()
    }
}

/// The facts of a call with what a chain says, where the policy declares the fact; what it does not declare is left out. None where the
/// host says it, too.
pub(super) fn facts(gate: &Gate, chain: &Chain, facts: Option<&Json>) -> Option<Json> {
    let mut members = facts.and_then(Json::as_object).unwrap_or_default().to_vec();
    if members.iter().any(|(name, _)| name == FACT) {
        return None;
    }
    let mut declared = gate.program().context.iter();
    let declared = declared.find(|field| field.from.is_none() && field.field.name == FACT);
    if let Some(declared) = declared {
        members.push((FACT.into(), within(chain.fact(), &declared.field.ty)));
    }
    Some(Json::Object(members))
}

/// What of a document a type has members for.
fn within(json: Json, ty: &Ty) -> Json {
    match (json, ty) {
        (json, Ty::Optional(inner)) => within(json, inner),
        (Json::Object(members), Ty::Record(fields)) => {
            let kept = members.into_iter().filter_map(|(name, value)| {
                let field = fields.iter().find(|field| *field.name == *name)?;
                Some((name, within(value, &field.ty)))
            });
            Json::Object(kept.collect())
        }
        (Json::Array(items), Ty::List { element, .. }) => {
            Json::Array(items.into_iter().map(|item| within(item, element)).collect())
        }
        (json, _) => json,
    }
}
