//! Permits: what was allowed runs once, soon, and as it was judged. The signed trace of an allowed call is its permit; a
//! store that gates share says what became of it. In: a verified trace, what is about to run or what became of it, the
//! time, a store. Out: the right to run it once, or why not. Whoever executes calls redeems the permit first.

use super::call_digest;
use crate::artifact::envelope::{self, Signed};
use crate::artifact::{
    BuildError, CallOutcome, Digest, SettledLimit, SigningKey, TraceRecord, Verified, time,
};
use crate::domain::counter::Settlement;
use crate::domain::{Enforcement, Outcome, Request, Verdict};
use crate::gate;
use crate::json::Json;
use crate::kill_switch::Consulted;
use crate::store::permits::{Permit, Settled};
use crate::store::{self, Key, Records, Store, StoreError, counters};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Why a call must not run, or what became of it cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermitError {
    /// What was decided does not bind.
    #[error("the trace is of a bundle that enforces nothing ({0}) and is no permit")]
    Unenforced(Enforcement),
    /// The trace is none of a call that may run.
    #[error("the trace says {verdict} and is no permit")]
    None {
        /// What it says.
        verdict: Verdict,
    },
    /// Something else would run.
    #[error("what is about to run is not what was judged")]
    OtherCall,
    /// The call is a script, and it was not said which step is about to run.
    #[error("the trace is of a script with {steps} steps, and no step is named")]
    NoStep {
        /// How many it has.
        steps: usize,
    },
    /// The call has no such step.
    #[error("the call has {steps} steps, and no step {step}")]
    UnknownStep {
        /// The one that was named.
        step: u64,
        /// How many it has.
        steps: usize,
    },
    /// Steps run in their order.
    #[error("step {step} comes after step {before}, which was not redeemed")]
    StepTooEarly {
        /// The one that was named.
        step: u64,
        /// The first one that was not redeemed.
        before: u64,
    },
    /// Somebody has stopped it since.
    #[error("stop `{0}` of the kill switch is on")]
    Stopped(String),
    /// Nobody knows whether somebody has.
    #[error("the kill switch cannot be asked: {0}")]
    KillSwitch(String),
    /// It was redeemed before.
    #[error("the permit was redeemed at {}", time::print(*at))]
    Redeemed {
        /// When.
        at: Timestamp,
    },
    /// Its time is over.
    #[error("the permit was good until {}", time::print(*until))]
    Expired {
        /// Until when it was good.
        until: Timestamp,
    },
    /// The clock shows a time before the decision.
    #[error("the call was judged at {}, which is later than the clock shows", time::print(*at))]
    Early {
        /// When it was judged.
        at: Timestamp,
    },
    /// It was said what became of the call.
    #[error("it was said at {} that the call was {}", time::print(*at), outcome.as_str())]
    Settled {
        /// What became of it.
        outcome: Outcome,
        /// When that was said.
        at: Timestamp,
    },
    /// What was not redeemed was not started.
    #[error("{} of {steps} steps were redeemed, so the call was not {}", redeemed, outcome.as_str())]
    NotRedeemed {
        /// What was said.
        outcome: Outcome,
        /// How many steps were redeemed.
        redeemed: usize,
        /// How many there are.
        steps: usize,
    },
    /// A limit that has not counted the call.
    #[error("limit `{0}` does not count this call")]
    NotCounted(String),
    /// An amount of a call that does not count.
    #[error("a call that was {} costs nothing", .0.as_str())]
    NoCost(Outcome),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The outcome cannot be signed.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl PermitError {
    /// The stable code; none where another error says it.
    pub fn code(&self) -> Option<&'static str> {
        let code = match self {
            PermitError::Unenforced(_) => "permit.unenforced",
            PermitError::None { .. } => "permit.none",
            PermitError::OtherCall => "permit.other_call",
            PermitError::NoStep { .. } | PermitError::UnknownStep { .. } => "permit.step",
            PermitError::StepTooEarly { .. } => "permit.step_too_early",
            PermitError::Stopped(_) => "permit.stopped",
            PermitError::KillSwitch(_) => "permit.kill_switch",
            PermitError::Redeemed { .. } => "permit.redeemed",
            PermitError::Expired { .. } => "permit.expired",
            PermitError::Early { .. } => "permit.early",
            PermitError::Settled { .. } => "permit.settled",
            PermitError::NotRedeemed { .. } => "permit.not_redeemed",
            PermitError::NotCounted(_) | PermitError::NoCost(_) => "permit.amount",
            PermitError::Store(_) | PermitError::Build(_) => return None,
        };
        Some(code)
    }
}

/// What is about to run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The step of a script, from 1; none where the call is none.
    pub step: Option<u64>,
    /// The tool.
    pub tool: &'a str,
    /// Its arguments, as the executor would hand them to the tool.
    pub args: &'a Json,
}

/// The right to run one call, or one step, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// What may run: the digest of tool and arguments.
    pub call: Digest,
    /// Which step that is, from 1.
    pub step: u64,
    /// How many there are.
    pub steps: usize,
    /// When it was redeemed; milliseconds are kept.
    pub at: Timestamp,
}

impl Redeemed {
    /// What whoever asked is told.
    pub fn document(&self, trace_id: &str, tool: &str) -> Json {
        let count = |n: u64| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
        Json::object([
            ("ok", Json::Bool(true)),
            ("trace_id", Json::str(trace_id)),
            ("tool", Json::str(tool)),
            ("call_digest", self.call.to_json()),
            ("step", count(self.step)),
            ("steps", count(self.steps as u64)),
            ("redeemed_at", Json::str(time::print(self.at))),
        ])
    }
}

/// Redeems the permit of an allowed call: it is used up in the store, durable, when this returns. An error means that the
/// call must not run. `asked` is what the kill switch says now; a call whose gate has asked one is not redeemed without.
pub fn redeem(
    store: &dyn Store,
    trace: &Verified<TraceRecord>,
    run: Run<'_>,
    asked: Option<&Consulted>,
    now: Timestamp,
) -> Result<Redeemed, PermitError> {
    let record = trace.value();
    let until = permit_until(record)?;
    let calls = record.calls();
    let steps = calls.len();
    let step = match run.step {
        Some(step) => step,
        None if record.script.is_some() => return Err(PermitError::NoStep { steps }),
        None => 1,
    };
    let index = step.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    let expected = index.and_then(|index| Some((index, (*calls.get(index)?)?)));
    let (index, expected) = expected.ok_or(PermitError::UnknownStep { step, steps })?;
    if call_digest(run.tool, run.args) != expected {
        return Err(PermitError::OtherCall);
    }
    if now < record.created_at {
        return Err(PermitError::Early {
            at: record.created_at,
        });
    }
    if now >= until {
        return Err(PermitError::Expired { until });
    }
    is_on(record, index, run, asked)?;
    let at = time::cut(now);
    change(store, [Permit::key(trace.digest())], |records| {
        let mut permit = Permit::read(records, trace.digest())?;
        if let Some(refused) = refusal(&permit, index, step) {
            return Ok(Err(refused));
        }
        permit.redeemed.push(at);
        permit.write(records, trace.digest())?;
        Ok(Ok(()))
    })?;
    Ok(Redeemed {
        call: expected,
        step,
        steps,
        at,
    })
}

/// Errors where somebody has stopped the call, or nobody knows. What its trace does not tell of it counts as what a stop names.
fn is_on(
    record: &TraceRecord,
    index: usize,
    run: Run<'_>,
    asked: Option<&Consulted>,
) -> Result<(), PermitError> {
    let stops = match (asked.map(|asked| &asked.stops), record.kill_switch) {
        (Some(Ok(stops)), _) => stops,
        (Some(Err(why)), _) => return Err(PermitError::KillSwitch(why.clone())),
        (None, Some(_)) => {
            let why = "the gate has asked one, and none is named here".to_owned();
            return Err(PermitError::KillSwitch(why));
        }
        (None, None) => return Ok(()),
    };
    let step = record.decision.steps.get(index);
    let targets = step.map_or(&record.decision.targets, |step| &step.decision.targets);
    let nothing = Json::Object(Vec::new());
    let identity = record.identity.as_ref().map(|name| ("identity", Json::str(name)));
    let known = Json::object([("context", Json::object(identity))]);
    let request = Request {
        intent: record.intent.as_ref().unwrap_or(&known),
        ..Request::call(run.tool, run.args)
    };
    let request = request.with_facts(record.facts.as_ref().unwrap_or(&nothing));
    match gate::stop_of(stops, &request, targets, record.intent.is_some()) {
        Some(stop) => Err(PermitError::Stopped(stop.id.clone())),
        None => Ok(()),
    }
}

/// Why a step may not be redeemed now.
fn refusal(permit: &Permit, index: usize, step: u64) -> Option<PermitError> {
    if let Some(settled) = &permit.settled {
        let (outcome, at) = (settled.outcome, settled.at);
        return Some(PermitError::Settled { outcome, at });
    }
    if let Some(at) = permit.redeemed.get(index) {
        return Some(PermitError::Redeemed { at: *at });
    }
    let before = u64::try_from(permit.redeemed.len())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    (before < step).then_some(PermitError::StepTooEarly { step, before })
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What became of it.
    pub outcome: Outcome,
    /// What it really cost of limits, by their names: as written, and in the limit's smallest unit.
    pub amounts: BTreeMap<String, (String, i128)>,
}

/// Says what became of an allowed call, once: limits go on counting it or not, its permit is closed, and the outcome is
/// signed. Saying the same again gives the same outcome again, so that one that was lost is written once more.
pub fn settle(
    store: &dyn Store,
    trace: &Verified<TraceRecord>,
    ended: &Ended,
    now: Timestamp,
    key: &SigningKey,
) -> Result<(CallOutcome, Signed<CallOutcome>), PermitError> {
    let record = trace.value();
    permit_until(record)?;
    check_amounts(record, ended)?;
    let counted = || record.decision.limits.iter().map(|fact| fact.counter.as_str());
    let keys: Vec<Key> = counters::keys(counted())
        .chain([Permit::key(trace.digest())])
        .collect();
    let (redeemed_at, settled) = change(store, keys, |records| {
        let mut permit = Permit::read(records, trace.digest())?;
        if let Err(refused) = may_settle(&permit, record, ended) {
            return Ok(Err(refused));
        }
        let settled = match permit.settled.clone() {
            Some(settled) => settled,
            None => settle_counters(records, record, ended, now)?,
        };
        permit.settled = Some(settled.clone());
        permit.write(records, trace.digest())?;
        Ok(Ok((permit.redeemed, settled)))
    })?;
    let outcome = CallOutcome {
        trace_digest: trace.digest(),
        trace_id: record.trace_id.clone(),
        tool: record.tool.clone(),
        outcome: settled.outcome,
        redeemed_at,
        settled_at: settled.at,
        limits: settled.limits,
    };
    let signed = envelope::sign(&outcome, key)?;
    Ok((outcome, signed))
}

/// Changes records as the store does, where what is done with them may be refused.
fn change<T>(
    store: &dyn Store,
    keys: impl IntoIterator<Item = Key>,
    work: impl FnOnce(&mut Records) -> Result<Result<T, PermitError>, StoreError>,
) -> Result<T, PermitError> {
    store::change(store, keys, work)?
}

fn permit_until(record: &TraceRecord) -> Result<Timestamp, PermitError> {
    if !record.enforcement.binds() {
        return Err(PermitError::Unenforced(record.enforcement));
    }
    let verdict = record.decision.verdict;
    record.permit_until.ok_or(PermitError::None { verdict })
}

/// Only what counts costs, and only of limits that have counted it.
fn check_amounts(record: &TraceRecord, ended: &Ended) -> Result<(), PermitError> {
    if !ended.outcome.counts() && !ended.amounts.is_empty() {
        return Err(PermitError::NoCost(ended.outcome));
    }
    let is_counted = |name: &&String| record.decision.limits.iter().any(|fact| fact.limit == **name);
    match ended.amounts.keys().find(|name| !is_counted(name)) {
        Some(name) => Err(PermitError::NotCounted(name.clone())),
        None => Ok(()),
    }
}

fn may_settle(permit: &Permit, record: &TraceRecord, ended: &Ended) -> Result<(), PermitError> {
    let outcome = ended.outcome;
    if let Some(settled) = &permit.settled {
        let amount = |one: &SettledLimit| Some((one.limit.clone(), one.amount.clone()?));
        let said: Vec<(String, String)> = settled.limits.iter().filter_map(amount).collect();
        let same = |(name, (written, _)): (&String, &(String, i128))| {
            said.contains(&(name.clone(), written.clone()))
        };
        if settled.outcome == outcome && said.len() == ended.amounts.len() && ended.amounts.iter().all(same) {
            return Ok(());
        }
        let (outcome, at) = (settled.outcome, settled.at);
        return Err(PermitError::Settled { outcome, at });
    }
    let (redeemed, steps) = (permit.redeemed.len(), record.calls().len());
    let needed = match outcome {
        Outcome::Executed => steps,
        Outcome::Failed | Outcome::Ambiguous => 1,
        Outcome::NotExecuted => 0,
    };
    if redeemed < needed {
        return Err(PermitError::NotRedeemed {
            outcome,
            redeemed,
            steps,
        });
    }
    Ok(())
}

/// Settles the call in every counter its trace names. A counter that does not hold its charge any more, which went into a
/// sum, is left as it is.
fn settle_counters(
    records: &mut Records,
    record: &TraceRecord,
    ended: &Ended,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let names = || record.decision.limits.iter().map(|fact| fact.counter.as_str());
    let mut counters = counters::read(records, names())?;
    let mut limits = Vec::new();
    for fact in &record.decision.limits {
        let amount = ended.amounts.get(&fact.limit);
        let settlement = match ended.outcome.counts() {
            true => Settlement::Keep(amount.map(|(_, amount)| *amount)),
            false => Settlement::TakeBack,
        };
        let counter = counters.0.get_mut(&fact.counter);
        if counter.is_some_and(|counter| counter.settle(&record.trace_id, settlement)) {
            limits.push(SettledLimit {
                limit: fact.limit.clone(),
                amount: amount.map(|(written, _)| written.clone()),
            });
        }
    }
    counters::write(records, &counters)?;
    Ok(Settled {
        outcome: ended.outcome,
        at: time::cut(now),
        limits,
    })
}
