//! The gate as the gateway asks it: an intent in, a verdict out once its trace is on disk, and words for whoever asked. A call that
//! waits for people is asked with their approvals when it is made again.

use super::call::{self, Caller};
use super::frame::{self, INVALID_PARAMS, Kind, Message};
use super::method::Class;
use super::rounds::{self, Going, Rounds, Wanted};
use super::told;
use crate::approvals::desk::ApprovalDesk;
use crate::approvals::inbox::Place;
use crate::artifact::{SigningKey, TrustedKeys, digest};
use crate::attestation::Statements;
use crate::boundary::{
    Boundary, Call, Clock, Desk, KillSwitchFile, Moment, TraceFiles, Traces, WriteError, Written,
};
use crate::delegation::Chain;
use crate::domain::{Intent, Request, Verdict};
use crate::gate;
#[cfg(all(feature = "serve", unix))]
use crate::host::HostError;
use crate::host::{Host, Os};
use crate::json::Json;
use crate::kill_switch;
use crate::store::Store;
#[cfg(all(feature = "serve", unix))]
use crate::trace_log::TraceLog;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// The fact that says who asks, where an authorization server does.
pub const PRINCIPAL: &str = "principal";
/// The fact that says who asks, by name.
pub const IDENTITY: &str = "identity";

/// What calls are judged with.
pub struct Setup {
    /// The bundle that decides.
    pub boundary: Boundary,
    /// The key that signs traces.
    pub key: SigningKey,
    /// What gates share.
    pub store: Box<dyn Store>,
    /// Where traces go.
    pub traces: Keeps,
    /// The kill switch, and who may have signed it.
    pub kill_switch: Option<(PathBuf, TrustedKeys)>,
    /// Who may approve, what waits for them, and their answers.
    pub approvals: Option<ApprovalDesk>,
    /// The trust file that says whose keys may delegate, and the links that calls are made under.
    pub delegation: Option<(PathBuf, Vec<PathBuf>)>,
    /// The trust file that says whose keys may attest, and the statements that calls are made with.
    pub attested: Option<(PathBuf, Vec<PathBuf>)>,
    /// What the host knows of the calls.
    pub facts: Option<Json>,
    /// What the runtime fulfils of what decisions oblige to.
    pub fulfils: Vec<String>,
    /// Who asks.
    pub caller: Caller,
    /// What is never drawn twice: it tells the calls of this process from all others.
    pub nonce: String,
    /// Whether tools are listed that no call could be allowed of.
    pub shows_all: bool,
}

/// Where traces go.
pub enum Keeps {
    /// A folder, with a file for each: several gateways may write to it.
    Files(PathBuf),
    /// A log that one gateway has to itself.
    #[cfg(all(feature = "serve", unix))]
    Log(TraceLog),
}

impl Keeps {
    /// Whether another trace can be kept.
    #[cfg(all(feature = "serve", unix))]
    pub fn ready(&self) -> Result<(), HostError> {
        self.with(|traces| traces.ready())
    }

    /// Says from now on what goes wrong beside the calls.
    #[cfg(all(feature = "serve", unix))]
    pub fn tell_troubles(&self, tell: impl Fn(&HostError) + Send + 'static) {
        if let Keeps::Log(log) = self {
            log.tell_troubles(tell);
        }
    }

    /// Does something with them.
    fn with<T>(&self, work: impl FnOnce(&dyn Traces) -> T) -> T {
        match self {
            Keeps::Files(folder) => work(&TraceFiles::new(&Os, &folder.join(""))),
            #[cfg(all(feature = "serve", unix))]
            Keeps::Log(log) => work(log),
        }
    }
}

/// A session of calls and its journal.
pub type Session = (String, PathBuf);

/// The gate as many threads ask it.
pub struct Gatekeeper {
    setup: Setup,
    calls: AtomicU64,
}

/// A request that is judged where it acts.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The request.
    pub message: &'a Message,
    /// What is done with its method.
    pub class: Class,
    /// Who asks.
    pub caller: &'a Caller,
    /// The session it is the next call of.
    pub session: Option<&'a Session>,
}

/// What is to be done with a request.
#[cfg_attr(
    not(all(feature = "serve", unix)),
    expect(dead_code, reason = "only the gateway of many servers tells people more")
)]
pub struct Answer {
    /// What the policy says; none where it was not asked, or its word could not be kept.
    pub verdict: Option<Verdict>,
    /// The answer to a request that must not go on; none where it may.
    pub refused: Option<Json>,
    /// What was decided and is in a trace.
    pub written: Option<Box<Written>>,
    /// The call that may go on, where its server may want something of the client first.
    pub going: Option<Box<Going>>,
}

impl Gatekeeper {
    /// With nothing waiting.
    pub fn new(setup: Setup) -> Gatekeeper {
        Gatekeeper {
            setup,
            calls: AtomicU64::new(0),
        }
    }

    /// What it judges with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Whether a call of a tool could run: the policy declares it, or is only tried out.
    pub fn knows(&self, tool: &str) -> bool {
        !self.setup.boundary.enforcement().binds()
            || self.setup.boundary.gate().program().tool(tool).is_some()
    }

    /// Whether a request may go on, and what is told where it may not.
    pub fn answer(&self, asked: Asked<'_>, id: &Json) -> Answer {
        let (message, class) = (asked.message, asked.class);
        let refused = |verdict, refused| Answer {
            verdict,
            refused,
            written: None,
            going: None,
        };
        let intent = match call::intent(message, class, asked.caller) {
            Ok(Some(intent)) => intent,
            Ok(None) => return refused(None, None),
            Err(error) => {
                let error = frame::error(id, INVALID_PARAMS, &error.to_string(), None);
                return refused(None, Some(error));
            }
        };
        match self.judge(&intent, call::traceparent(message), asked) {
            Ok(written) => {
                let verdict = written.recorded.record.decision.verdict;
                let runs = written.recorded.record.runs;
                let answer = (!runs).then(|| told::stopped(message, class, id, &written));
                let going = match &message.kind {
                    Kind::Request(_, method) if runs && rounds::may_want(method) => Some(Box::new(Going {
                        method: method.clone(),
                        caller: asked.caller.clone(),
                        intent,
                        targets: written.recorded.record.decision.targets.clone(),
                        rounds: 1,
                    })),
                    _ => None,
                };
                Answer {
                    written: Some(Box::new(written)),
                    going,
                    ..refused(Some(verdict), answer)
                }
            }
            Err(error) => refused(None, Some(told::unrecorded(message, class, id, &error))),
        }
    }

    /// What the host knows of a call: what it was started with, and who asks.
    fn facts(&self, caller: &Caller) -> Option<Json> {
        let mut facts = self.setup.facts.clone();
        if let Some(principal) = &caller.principal {
            let said = [
                (PRINCIPAL, principal.clone()),
                (IDENTITY, Json::str(&caller.identity)),
            ];
            for (name, value) in said {
                facts = self
                    .setup
                    .boundary
                    .with_fact(facts.as_ref(), name, value)
                    .or(facts);
            }
        }
        facts
    }

    /// The call that a state is of, which a client sends back: it was judged, and is not again. None where it sends no state; an error where
    /// that is no state of this call.
    pub fn resumed(&self, asked: Asked<'_>, rounds: &Rounds) -> Result<Option<(Wanted, Going)>, Json> {
        let (_, Some(state)) = rounds::given(asked.message)? else {
            return Ok(None);
        };
        let Kind::Request(_, method) = &asked.message.kind else {
            return Ok(None);
        };
        let intent = call::intent(asked.message, asked.class, asked.caller)
            .ok()
            .flatten();
        let intent = intent.ok_or_else(rounds::no_state)?;
        let found = rounds.take(state, (method, asked.caller), intent);
        found.map(Some).ok_or_else(rounds::no_state)
    }

    /// Whether somebody has stopped a call since it was decided, or nobody can tell.
    pub fn is_stopped(&self, going: &Going) -> bool {
        let setup = &self.setup;
        let Some((path, operators)) = &setup.kill_switch else {
            return false;
        };
        let profile = setup.boundary.policy().profile;
        let asked = kill_switch::consult((&Os, setup.store.as_ref()), path, operators, Os.now(), profile);
        let nothing = Json::Object(Vec::new());
        let facts = self.facts(&going.caller).unwrap_or(nothing);
        let request = Request::intent(&going.intent).with_facts(&facts);
        match asked.stops {
            Ok(stops) => gate::stop_of(&stops, &request, &going.targets, true).is_some(),
            Err(_) => true,
        }
    }

    /// The answer to a request by which a call would go on that somebody has stopped since it was decided; it is judged again, so that its trace says
    /// so. None where nobody has.
    pub fn stopped(&self, going: &Going, asked: Asked<'_>, id: &Json) -> Option<Json> {
        if !self.is_stopped(going) {
            return None;
        }
        match self.judge(&going.intent, call::traceparent(asked.message), asked) {
            Ok(written) if written.recorded.record.runs => None,
            Ok(written) => Some(told::stopped(asked.message, asked.class, id, &written)),
            Err(error) => Some(told::unrecorded(asked.message, asked.class, id, &error)),
        }
    }

    /// Judges a call and keeps its trace. An error means that there is no verdict, and the call must not run.
    fn judge(
        &self,
        intent: &Intent,
        traceparent: Option<String>,
        Asked { caller, session, .. }: Asked<'_>,
    ) -> Result<Written, WriteError> {
        let approvals = self.setup.approvals.as_ref();
        let approvals = approvals.map(|desk| (desk, digest::of_json(&intent.covered())));
        let bundle = self.setup.boundary.bundle();
        let handed = approvals.map_or_else(Vec::new, |(desk, call)| desk.answers(&Os, call, bundle, false));
        let setup = &self.setup;
        // Read each time: a link or statement ends, and a key is revoked, while the gateway runs.
        let (delegation, attested) = (setup.delegation.as_ref(), setup.attested.as_ref());
        let moment = Moment {
            session_id: session.map(|(id, _)| id.clone()),
            run_id: session.map(|(id, _)| id.clone()),
            traceparent,
            facts: self.facts(caller),
            fulfils: setup.fulfils.clone(),
            handed,
            delegation: delegation.map(|(trust, links)| Chain::in_files(&Os, trust, links, None).into()),
            attested: attested.map(|(trust, all)| Statements::in_files(&Os, trust, all, None).into()),
            event: Some(format!(
                "{}/{}",
                setup.nonce,
                self.calls.fetch_add(1, Ordering::Relaxed)
            )),
            // Whoever approves sees what the trace keeps.
            keeps_intent: true,
            ..Moment::default()
        };
        let kill_switch = setup.kill_switch.as_ref();
        let call = Call {
            intent,
            moment: &moment,
            clock: Clock::Machine,
            journal: session.map(|(_, journal)| journal.as_path()),
        };
        // Each call has working space of its own.
        let judged = |traces: &dyn Traces| {
            let desk = Desk {
                host: &Os,
                store: setup.store.as_ref(),
                key: &setup.key,
                traces,
                kill_switch: kill_switch.map(|(path, operators)| KillSwitchFile { path, operators }),
            };
            setup.boundary.clone().judge_written(desk, call)
        };
        let written = setup.traces.with(judged)?;
        if let Some((desk, call)) = approvals {
            let recorded = &written.recorded;
            let place = Place {
                file: written.place.file.clone(),
                line: written.place.line,
            };
            desk.note(call, &recorded.record, &recorded.intent, place);
        }
        Ok(written)
    }
}
