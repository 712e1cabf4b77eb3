//! Cedar: every rule is a `permit` whose annotation `@verdict` says what it asks for, since the engine tells all permits
//! that are satisfied; what joins their verdicts is here. A `forbid` would leave two verdicts of four.

use super::Wire;
use crate::engine::{Answer, Engine, Failure};
use cedar_policy::{
    Authorizer, Context, Entities, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression,
};
use gait::domain::Verdict;
use std::collections::BTreeMap;
use std::str::FromStr as _;

/// A request's principal, action, resource and context.
pub struct Asked {
    /// Who asks.
    pub principal: EntityUid,
    /// What for.
    pub action: EntityUid,
    /// On what.
    pub resource: EntityUid,
    /// The rest.
    pub context: Vec<(String, RestrictedExpression)>,
}

/// Makes a request of an intent.
pub type Ask = fn(&Names, Wire) -> Result<Asked, Failure>;

/// Names that most requests use, made once.
pub struct Names {
    /// The type of actions.
    pub action: EntityTypeName,
    /// Who asks in suites that look at arguments only.
    pub agent: EntityUid,
    /// What is asked about in suites that look at arguments only.
    pub gate: EntityUid,
    /// The types of users and resources, in suites that have them.
    pub types: BTreeMap<&'static str, EntityTypeName>,
}

/// The types of entities that requests name.
const TYPES: [&str; 6] = ["App", "Document", "Folder", "List", "Repository", "User"];

/// A set of policies that decides.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    verdicts: BTreeMap<PolicyId, Verdict>,
    entities: Entities,
    names: Names,
    ask: Ask,
    kept: Vec<Request>,
}

impl Cedar {
    /// From the text of policies and the entities they look at.
    pub fn load(text: &str, entities: Entities, ask: Ask) -> Result<Cedar, Failure> {
        let policies = PolicySet::from_str(text)?;
        let verdicts = policies.policies().map(|policy| {
            let name = policy.annotation("verdict").unwrap_or("allow");
            let verdict = Verdict::parse(name).ok_or("no such verdict")?;
            Ok((policy.id().clone(), verdict))
        });
        let types: Result<_, Failure> = TYPES.into_iter().map(|name| Ok((name, name.parse()?))).collect();
        Ok(Cedar {
            authorizer: Authorizer::new(),
            verdicts: verdicts.collect::<Result<_, Failure>>()?,
            policies,
            entities,
            names: Names {
                action: "Action".parse()?,
                agent: "Agent::\"agent\"".parse()?,
                gate: "Gate::\"gate\"".parse()?,
                types: types?,
            },
            ask,
            kept: Vec::new(),
        })
    }

    fn request(&self, bytes: &[u8]) -> Result<Request, Failure> {
        let asked = (self.ask)(&self.names, serde_json::from_slice(bytes)?)?;
        let context = Context::from_pairs(asked.context)?;
        Ok(Request::new(
            asked.principal,
            asked.action,
            asked.resource,
            context,
            None,
        )?)
    }

    /// A policy whose condition fails is left out of the answer, as the engine does.
    fn decide(&self, request: &Request) -> Verdict {
        let response = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        let satisfied = response.diagnostics().reason();
        let asked = satisfied.filter_map(|id| self.verdicts.get(id).copied());
        asked.max().unwrap_or(Verdict::Block)
    }
}

impl Engine for Cedar {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.kept.push(self.request(bytes)?);
        Ok(())
    }

    fn warm(&mut self, number: usize) -> Answer {
        let request = self.kept.get(number);
        request.map_or(Answer::Refuses, |request| Answer::Says(self.decide(request)))
    }

    fn cold(&mut self, bytes: &[u8]) -> Answer {
        Answer::of(self.request(bytes).map(|request| self.decide(&request)))
    }
}

/// A call of a tool as a request: the tool is the action, its arguments are the context.
pub fn call(names: &Names, tool: String, context: Vec<(String, RestrictedExpression)>) -> Asked {
    Asked {
        principal: names.agent.clone(),
        action: EntityUid::from_type_name_and_id(names.action.clone(), EntityId::new(tool)),
        resource: names.gate.clone(),
        context,
    }
}

/// A JSON value as a Cedar value. Cedar has no null and no numbers with a fraction.
pub fn expression(value: serde_json::Value) -> Result<RestrictedExpression, Failure> {
    use serde_json::Value as Json;
    Ok(match value {
        Json::Null => return Err("Cedar has no null".into()),
        Json::Bool(value) => RestrictedExpression::new_bool(value),
        Json::Number(number) => {
            RestrictedExpression::new_long(number.as_i64().ok_or("Cedar has no such number")?)
        }
        Json::String(text) => RestrictedExpression::new_string(text),
        Json::Array(items) => {
            let items: Result<Vec<_>, Failure> = items.into_iter().map(expression).collect();
            RestrictedExpression::new_set(items?)
        }
        Json::Object(members) => RestrictedExpression::new_record(pairs(members)?)?,
    })
}

/// The members of an object as Cedar values.
pub fn pairs(
    members: serde_json::Map<String, serde_json::Value>,
) -> Result<Vec<(String, RestrictedExpression)>, Failure> {
    let one = |(name, value)| Ok((name, expression(value)?));
    members.into_iter().map(one).collect()
}

/// An amount as whole hundredths, since Cedar compares no numbers with a fraction.
pub fn hundredths(value: &serde_json::Value) -> Result<RestrictedExpression, Failure> {
    let amount = value.as_f64().ok_or("an amount is a number")? * 100.0;
    let whole = amount.round();
    if (amount - whole).abs() > 1e-6 || whole.abs() > 9e15 {
        return Err("an amount has at most two places".into());
    }
    #[expect(clippy::cast_possible_truncation, reason = "its size is checked above")]
    Ok(RestrictedExpression::new_long(whole as i64))
}
