//! Calls that a server answers once the client has answered something (2026-07-28, `input_required`). In: what the server wants and the state
//! that it wants back. Out: a state of the gateway's own, which nobody can guess; and, for that, once and for the same call, what was kept. The
//! server's own state reaches no client. The last ones are kept, and none for long.

use super::call::Caller;
use super::frame::{self, INVALID_PARAMS, Message};
use super::views::{self, Judge};
use crate::artifact::{Digest, digest};
use crate::domain::{Intent, Target};
use crate::host::{self, Host, HostError, Os};
use crate::json::{Json, Text};
use crate::limits;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where clients answer.
const ANSWERS: &str = "inputResponses";
/// Where clients send back what they were given.
const STATE: &str = "requestState";

/// A call that was judged and goes on.
#[derive(Clone, Debug)]
pub struct Going {
    /// The method.
    pub method: String,
    /// Who asks.
    pub caller: Caller,
    /// What was judged.
    pub intent: Intent,
    /// What it is to touch, as it was decided.
    pub targets: Vec<Target>,
    /// How often the server was asked, this time with it.
    pub rounds: usize,
}

impl Going {
    /// Whether the server may want anything more.
    pub fn may_want(&self) -> bool {
        self.rounds < limits::MCP_ROUNDS
    }

    /// What is kept of it while the client answers.
    pub fn waits(&self, wanted: Wanted) -> Round {
        Round {
            call: call(&self.method, &self.caller, &self.intent),
            wanted,
            targets: self.targets.clone(),
            rounds: self.rounds,
        }
    }
}

/// What a server wants of the client first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// What it asks for, by name: a method, and its parameters.
    pub requests: Vec<(Text, String, Json)>,
    /// What it wants back.
    pub state: Option<Json>,
}

/// A call that goes on once the client has answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    call: Digest,
    /// What the server wants.
    pub wanted: Wanted,
    targets: Vec<Target>,
    rounds: usize,
}

/// The calls that wait for their clients.
#[derive(Debug, Default)]
pub struct Rounds(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    rounds: BTreeMap<String, (i64, Round)>,
    order: VecDeque<String>,
}

/// Which call this is: who asks for what with which arguments, and of which server.
fn call(method: &str, caller: &Caller, intent: &Intent) -> Digest {
    let server = caller.server.as_ref().map_or(Json::Null, Json::str);
    let principal = caller.principal.clone().unwrap_or(Json::Null);
    let covered = intent.covered().into_owned();
    digest::of_json(&Json::Array(vec![Json::str(method), server, principal, covered]))
}

/// Whether a request may be answered so that the client has to answer first.
pub fn may_want(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get" | "resources/read")
}

/// What a result wants of the client first; none where it wants nothing. An error where that is more than is passed on, or cannot be read.
pub fn wanted(result: &Json) -> Option<Result<Wanted, Unreadable>> {
    let kind = result.get("resultType").and_then(Json::as_str);
    let asked = result.get("inputRequests");
    (kind == Some("input_required") || asked.is_some()).then(|| read(asked, result.get(STATE)))
}

/// What a server wants cannot be read, or is more than is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

fn read(asked: Option<&Json>, state: Option<&Json>) -> Result<Wanted, Unreadable> {
    let none = Json::Object(Vec::new());
    let all = asked.unwrap_or(&none).as_object().ok_or(Unreadable)?;
    let is_short = |state: &Json| frame::key(state).len() <= limits::MCP_STATE_BYTES;
    if (all.is_empty() && state.is_none()) || all.len() > limits::MCP_WANTED || !state.is_none_or(is_short) {
        return Err(Unreadable);
    }
    let one = |(name, request): &(Text, Json)| {
        let method = request.get("method")?.as_str()?;
        let params = request.get("params").unwrap_or(&none);
        params.as_object()?;
        Some((name.clone(), method.to_owned(), params.clone()))
    };
    let requests: Option<Vec<_>> = all.iter().map(one).collect();
    Ok(Wanted {
        requests: requests.ok_or(Unreadable)?,
        state: state.cloned(),
    })
}

/// What a client gets of a result that wants something of it: the same with a state of the gateway's own.
pub fn with_state(result: &Json, state: Json) -> Json {
    let members = result.as_object().unwrap_or_default().iter();
    let mut kept: Vec<_> = members.filter(|(name, _)| name != STATE).cloned().collect();
    kept.push((Text::const_new(STATE), state));
    Json::Object(kept)
}

/// Parameters without what a client answers: what is no answer to what it was asked for reaches no server.
pub fn without(params: Json) -> Json {
    let Json::Object(mut members) = params else {
        return params;
    };
    members.retain(|(name, _)| name != ANSWERS && name != STATE);
    Json::Object(members)
}

/// Parameters with answers, and with what the server wants back.
pub fn with(params: Json, answers: Vec<(Text, Json)>, state: Option<Json>) -> Json {
    let Json::Object(mut members) = without(params) else {
        return Json::Null;
    };
    if !answers.is_empty() {
        members.push((Text::const_new(ANSWERS), Json::Object(answers)));
    }
    members.extend(state.map(|state| (Text::const_new(STATE), state)));
    Json::Object(members)
}

/// What a client answers, by name, and the state that it sends back.
pub type Given<'m> = (&'m [(Text, Json)], Option<&'m Json>);

/// What a client answers with a request, and the state that it sends back; or the error where they are none.
pub fn given(message: &Message) -> Result<Given<'_>, Json> {
    let answers = match message.param(ANSWERS).map(Json::as_object) {
        None => &[],
        Some(Some(answers)) => answers,
        Some(None) => return Err(invalid("`inputResponses` is no object")),
    };
    Ok((answers, message.param(STATE)))
}

/// The error of a state that was given for no such call, or is used, or over.
pub fn no_state() -> Json {
    invalid(
        "`requestState` is of no call that waits for answers, of another one, or is over; make the call again without it",
    )
}

fn invalid(why: &str) -> Json {
    let error = frame::error(&Json::Null, INVALID_PARAMS, why, None);
    error.get("error").cloned().unwrap_or(Json::Null)
}

impl Wanted {
    /// Whether everything is answered.
    pub fn is_in(&self, given: &[(Text, Json)]) -> bool {
        let is_given = |name: &Text| given.iter().any(|(other, _)| other == name);
        self.requests.iter().all(|(name, ..)| is_given(name))
    }

    /// What of the answers goes on to the server, each judged: those to what it has asked for, and no other. An error where one may not be.
    pub fn let_through(
        &self,
        given: &[(Text, Json)],
        server: Option<&str>,
        judge: &Judge<'_>,
    ) -> Result<Vec<(Text, Json)>, Json> {
        let mut through = Vec::new();
        for (name, method, _) in &self.requests {
            if let Some((_, answer)) = given.iter().find(|(other, _)| other == name) {
                through.push((name.clone(), views::let_through((method, answer), server, judge)?));
            }
        }
        Ok(through)
    }
}

impl Rounds {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a call; gives the state that the client gets.
    pub fn keep(&self, round: Round) -> Result<Json, HostError> {
        let name = host::nonce(&Os)?;
        self.open().keep(name.clone(), round, Os.now().as_millisecond());
        Ok(Json::str(name))
    }

    /// What was kept for a state that a client sends with a call; none where it is no state of this call, or not any more.
    pub fn take(
        &self,
        state: &Json,
        (method, caller): (&str, &Caller),
        intent: Intent,
    ) -> Option<(Wanted, Going)> {
        let call = call(method, caller, &intent);
        let round = self
            .open()
            .take(state.as_str()?, call, Os.now().as_millisecond())?;
        let going = Going {
            method: method.to_owned(),
            caller: caller.clone(),
            intent,
            targets: round.targets,
            rounds: round.rounds.saturating_add(1),
        };
        Some((round.wanted, going))
    }
}

impl Open {
    fn keep(&mut self, name: String, round: Round, now: i64) {
        if self.order.len() >= limits::MCP_STATES
            && let Some(oldest) = self.order.pop_front()
        {
            self.rounds.remove(&oldest);
        }
        self.order.push_back(name.clone());
        self.rounds.insert(name, (now, round));
    }

    /// A state that is sent with another call is used up, too: whoever tries does not try again.
    fn take(&mut self, name: &str, call: Digest, now: i64) -> Option<Round> {
        let (since, round) = self.rounds.remove(name)?;
        self.order.retain(|other| other != name);
        let is_fresh = (0..limits::MCP_STATE_MILLIS).contains(&now.saturating_sub(since));
        (is_fresh && round.call == call).then_some(round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(call: u8, rounds: usize) -> Round {
        Round {
            call: digest::sha256(&[call]),
            wanted: Wanted::default(),
            targets: Vec::new(),
            rounds,
        }
    }

    #[test]
    fn a_state_is_good_once_for_its_call_and_a_while() {
        let late = limits::MCP_STATE_MILLIS;
        for (name, call, now, is_taken) in [
            ("a", 1, 10, true),
            ("a", 2, 10, false),
            ("b", 1, 10, false),
            ("a", 1, 5 + late - 1, true),
            ("a", 1, 5 + late, false),
            ("a", 1, 4, false),
        ] {
            let mut open = Open::default();
            open.keep("a".into(), round(1, 1), 5);
            let call = digest::sha256(&[call]);
            assert_eq!(open.take(name, call, now).is_some(), is_taken, "{name} {now}");
            // It was used, whoever has tried.
            assert_eq!(open.rounds.is_empty(), name == "a");
            assert_eq!(open.take(name, digest::sha256(&[1]), now), None);
        }
    }

    #[test]
    fn the_oldest_state_is_forgotten_first() {
        let mut open = Open::default();
        for at in 0..=limits::MCP_STATES {
            open.keep(at.to_string(), round(1, at), 0);
        }
        assert_eq!(
            (open.rounds.len(), open.order.len()),
            (limits::MCP_STATES, limits::MCP_STATES)
        );
        let call = digest::sha256(&[1]);
        assert_eq!(open.take("0", call, 0), None);
        assert_eq!(open.take("1", call, 0).map(|round| round.rounds), Some(1));
        assert_eq!(open.order.len(), limits::MCP_STATES - 1);
    }
}
