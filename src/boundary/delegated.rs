//! What was handed over of a delegation, beside a call: what the policy may know of it, and whether it covers the call. In: a chain,
//! an intent, facts. Out: facts, or why the call is blocked. Without tokens nothing here says anything.

use crate::artifact::{Digest, time};
use crate::delegation::{Chain, ChainError, Covered};
use crate::domain::{Intent, Request, Trust};
use crate::gate::Gate;
use crate::gate::approval::Asking;
use crate::json::Json;
use crate::ty::Ty;
use jiff::Timestamp;

/// The member of the facts that says it.
pub const FACT: &str = "delegation";
/// The member of the facts, and of an intent's context, that says where a call is.
const ENVIRONMENT: &str = "environment";

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

    /// When the chain is over, where it is known: no permit outlives it.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.chain().and_then(Chain::expires_at)
    }

    /// The chain, where it is known.
    pub(super) fn chain(&self) -> Option<&Chain> {
        match self {
            Delegated::Chain(chain) => Some(chain),
            Delegated::Refused(_) | Delegated::Believed { .. } => None,
        }
    }

    /// Why it does not cover a call that is decided at a time; none where it does.
    pub(super) fn refusal(
        &self,
        gate: &Gate,
        (intent, request): (&Intent, &Request<'_>),
        at: Timestamp,
    ) -> Option<String> {
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
        let (known, claimed) = said(gate, request, ENVIRONMENT);
        let call = Covered {
            requester: &intent.identity,
            requesters: Asking::of(gate.program(), request).requester,
            tools,
            known,
            claimed,
            at: time::cut(at),
        };
        chain.covers(&call).err()
    }
}

/// What is said of a call by a name such as `environment`: by facts, of the host or of whom the policy believes, and by the caller in
/// its context.
pub(super) fn said<'r>(gate: &Gate, request: &Request<'r>, name: &str) -> (Vec<&'r str>, Vec<&'r str>) {
    let said = || request.intent.get("context")?.get(name)?.as_str();
    let said = said();
    let is_believed = gate.program().context.iter().any(|field| {
        let from = field.from.as_ref().map(|from| from.iter());
        field.trust == Trust::Fact && from.is_some_and(|from| from.eq(["context", name]))
    });
    let of_host = request.fact(name).and_then(Json::as_str);
    let known = of_host.into_iter().chain(said.filter(|_| is_believed));
    (known.collect(), said.into_iter().collect())
}

/// The facts of a call with one more, where the policy declares it; what it does not declare of it is left out. None where the host says
/// it, too.
pub(super) fn with_fact(gate: &Gate, facts: Option<&Json>, name: &str, value: Json) -> Option<Json> {
    let mut members = facts.and_then(Json::as_object).unwrap_or_default().to_vec();
    if members.iter().any(|(known, _)| known == name) {
        return None;
    }
    let mut declared = gate.program().context.iter();
    let declared = declared.find(|field| field.is_of_host() && field.field.name == name);
    if let Some(declared) = declared {
        members.push((name.into(), within(value, &declared.field.ty)));
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
