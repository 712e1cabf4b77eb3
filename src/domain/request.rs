//! What the gate judges: a call with everything that is said and known about it. Borrowed data; the gate reads it and
//! changes nothing.

use super::{Approval, ArgumentOrigin, HeldFact, ScriptStep, State, Stops, Usage};
use crate::json::Json;
use std::borrow::Cow;

/// A call to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The tool.
    pub tool: &'r str,
    /// Its arguments, an object.
    pub args: &'r Json,
    /// Its calls where it is a script, which are judged instead of `tool` and `args`; none where it is one call.
    pub steps: &'r [ScriptStep],
    /// The intent as received, for what the caller says beside the arguments; an empty object where there is none.
    pub intent: &'r Json,
    /// What the host knows, an object with one member per fact.
    pub facts: &'r Json,
    /// What it knows besides and holds for many calls.
    pub held: &'r [&'r HeldFact],
    /// Where the arguments come from, as the adapter says; `None` when it says nothing.
    pub origins: Option<&'r [ArgumentOrigin]>,
    /// What happened in the session so far; `None` when nobody keeps it.
    pub state: Option<&'r State>,
    /// The labels of what earlier steps of the same script read, as bits.
    pub earlier: u64,
    /// The verified approvals of this call.
    pub approvals: &'r [Approval],
    /// What the runtime promises to fulfil of what a decision obliges to, beside what the gate does itself; `None` where
    /// nobody is going to run the call, so that nothing has to be promised.
    pub fulfils: Option<&'r [String]>,
    /// The time, in milliseconds since 1970; `None` when nobody says.
    pub now: Option<i128>,
    /// The session, where the host keeps one.
    pub session: Option<&'r str>,
    /// The run, where the host knows one.
    pub run: Option<&'r str>,
    /// How much has been spent of limits; `None` where nobody counts.
    pub usage: Option<&'r Usage>,
    /// The calls that an operator has stopped.
    pub stops: Stops<'r>,
}

/// An object without members.
static NOTHING: Json = Json::Object(Vec::new());

impl<'r> Request<'r> {
    /// A call about which nothing more is said or known.
    pub fn call(tool: &'r str, args: &'r Json) -> Request<'r> {
        Request {
            tool,
            args,
            steps: &[],
            intent: &NOTHING,
            facts: &NOTHING,
            held: &[],
            origins: None,
            state: None,
            earlier: 0,
            approvals: &[],
            fulfils: Some(&[]),
            now: None,
            session: None,
            run: None,
            usage: None,
            stops: Stops::NotKept,
        }
    }

    /// The call of an intent.
    pub fn intent(intent: &'r super::Intent) -> Request<'r> {
        Request {
            intent: &intent.document,
            steps: &intent.steps,
            ..Request::call(&intent.tool, intent.args())
        }
    }

    /// The same call with what the host knows.
    pub fn with_facts(self, facts: &'r Json) -> Request<'r> {
        Request { facts, ..self }
    }

    /// The same call with what the host holds.
    pub fn with_held(self, held: &'r [&'r HeldFact]) -> Request<'r> {
        Request { held, ..self }
    }

    /// What the host knows under a name.
    pub fn fact(&self, name: &str) -> Option<&'r Json> {
        let held = || self.held.iter().find(|held| held.name() == name);
        self.facts.get(name).or_else(|| held().map(|held| held.said()))
    }

    /// All that the host knows.
    pub fn all_facts(&self) -> Cow<'r, Json> {
        match self.facts {
            Json::Object(members) if !self.held.is_empty() => {
                let held = self.held.iter();
                let held = held.map(|held| (held.name().into(), held.said().clone()));
                Cow::Owned(Json::Object(members.iter().cloned().chain(held).collect()))
            }
            facts => Cow::Borrowed(facts),
        }
    }
}
