//! Credentials of allowed calls: what a policy asks for is got from the broker of that name, held to what was asked, and handed to
//! the one call whose permit was just redeemed. In: a verified trace, what was redeemed, a broker. Out: variables for the call, and
//! the record of it, which has no secret in it. It must not know who redeems permits, or how calls are run.

pub mod brokers;
pub mod receipt;

pub use brokers::{Broker, Source};
pub use receipt::{Fault, Secret};

use crate::artifact::credential::BrokerKind;
use crate::artifact::{CredentialRecord, Digest, TraceRecord, Verified, digest, jcs, time};
use crate::domain::{Decision, Obligation, Profile, obligation};
use crate::host::{AskError, Host, HostError, Os, Question};
use crate::json::Json;
use crate::limits;
use brokers::{Command, seconds};
use jiff::Timestamp;
use receipt::{Expiry, Receipt, Terms};
use std::collections::BTreeMap;

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The policy has an obligation of this name that says something else.
    #[error("what the call obliges to is no credential as `std.credentials` declares it: {0}")]
    Obligation(&'static str),
    /// No broker hands out this one.
    #[error("no broker is configured for the credential `{0}`")]
    NoBroker(String),
    /// The policy is held too strictly for this kind of broker.
    #[error("a policy of profile strict takes credentials that were made for a call, and `{}` makes none", .0.as_str())]
    Profile(BrokerKind),
    /// The broker's program is not to be trusted.
    #[error(transparent)]
    Program(HostError),
    /// The broker's program is not the one that was pinned.
    #[error("the program of the broker is not the one that `sha256` says")]
    OtherProgram,
    /// The broker's variable is not there, or is none.
    #[error("the variable {0} is missing or no time")]
    Variable(String),
    /// The broker does not answer.
    #[error("the broker does not answer: {0}")]
    Broker(AskError),
    /// What it answers is refused.
    #[error(transparent)]
    Receipt(#[from] Fault),
}

impl CredentialError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            CredentialError::Obligation(_) => "credential.obligation",
            CredentialError::NoBroker(_) => "credential.no_broker",
            CredentialError::Profile(_) => "credential.profile",
            CredentialError::Program(error) => error.code(),
            CredentialError::OtherProgram => "credential.program",
            CredentialError::Variable(_) => "credential.variable",
            CredentialError::Broker(_) => "credential.broker",
            CredentialError::Receipt(fault) => fault.code(),
        }
    }
}

/// What a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The credential's name.
    pub name: String,
    /// What it may be good for; sorted, distinct.
    pub scope: Vec<String>,
    /// How long, in whole seconds.
    pub ttl: u64,
}

/// The credential that a call obliges to, or a step of a script, from 1; none where it obliges to none.
pub fn wanted(record: &TraceRecord, step: Option<u64>) -> Result<Option<Wanted>, CredentialError> {
    let decision = decision(record, step);
    let mut obliged = decision.obligations.iter();
    let found = obliged.find(|one| one.name == obligation::CREDENTIAL);
    found.map(wanted_of).transpose()
}

/// What was decided of a call, or of a step of it.
/// The session of a trace, where the gate was given it: what an intent alone says is whatever its writer likes.
fn session(record: &TraceRecord) -> Option<String> {
    record.session_id.clone().filter(|_| record.state.is_some())
}

fn decision(record: &TraceRecord, step: Option<u64>) -> &Decision {
    let index = step.and_then(|step| usize::try_from(step).ok()?.checked_sub(1));
    let of_step = index.and_then(|index| record.decision.steps.get(index));
    of_step.map_or(&record.decision, |step| &step.decision)
}

fn wanted_of(one: &Obligation) -> Result<Wanted, CredentialError> {
    let param = |name: &str| one.params.iter().find(|(param, _)| param == name).map(|(_, v)| v);
    let no = CredentialError::Obligation;
    let name = one.credential().ok_or(no("`name` is no text"))?;
    let scope = param("scope").and_then(Json::as_array);
    let scope = scope.ok_or(no("`scope` is no set of texts"))?.iter();
    let scope: Option<Vec<String>> = scope.map(|one| one.as_str().map(str::to_owned)).collect();
    let mut scope = scope.ok_or(no("`scope` is no set of texts"))?;
    scope.sort();
    scope.dedup();
    let ttl = param("ttl").and_then(Json::as_str).and_then(seconds);
    let ttl = ttl.filter(|ttl| *ttl > 0);
    if one.params.len() != 3 {
        return Err(no("it has other parameters"));
    }
    if scope.len() > limits::CREDENTIAL_SCOPES || scope.iter().any(String::is_empty) {
        return Err(no("`scope` has too many members, or an empty one"));
    }
    Ok(Wanted {
        name: name.to_owned(),
        scope,
        ttl: ttl.ok_or(no("`ttl` is no time of a second or more"))?,
    })
}

/// A broker that was looked at and may be asked.
#[derive(Clone, Debug)]
pub struct Chosen<'b> {
    wanted: Wanted,
    broker: &'b Broker,
    program: Option<Digest>,
}

/// Chooses the broker of what is wanted, and looks whether it may be asked. It is asked nothing yet, so no permit is lost where it
/// may not.
pub fn choose<'b>(
    host: &dyn Host,
    brokers: &'b BTreeMap<String, Broker>,
    wanted: Wanted,
    profile: Profile,
) -> Result<Chosen<'b>, CredentialError> {
    let found = brokers.get(&wanted.name);
    let broker = found.ok_or_else(|| CredentialError::NoBroker(wanted.name.clone()))?;
    if profile == Profile::Strict && broker.kind() != BrokerKind::Command {
        return Err(CredentialError::Profile(broker.kind()));
    }
    let program = match &broker.source {
        Source::Command(command) => program(command)?,
        Source::Env { prefix, .. } => {
            env_expiry(host, prefix)?;
            None
        }
        Source::Stub => None,
    };
    Ok(Chosen {
        wanted,
        broker,
        program,
    })
}

/// The digest of a broker's program, where it is pinned; nobody else can exchange the program after that.
fn program(command: &Command) -> Result<Option<Digest>, CredentialError> {
    Os.is_safe_file(&command.program)
        .map_err(CredentialError::Program)?;
    let Some(pin) = command.pin else {
        return Ok(None);
    };
    let bytes = Os.read(&command.program, limits::PROGRAM_BYTES);
    match digest::sha256(&bytes.map_err(CredentialError::Program)?) == pin {
        true => Ok(Some(pin)),
        false => Err(CredentialError::OtherProgram),
    }
}

/// The call whose permit was redeemed.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The trace that allowed it.
    pub trace: &'a Verified<TraceRecord>,
    /// The tool that is about to run.
    pub tool: &'a str,
    /// Which step it is, from 1.
    pub step: u64,
    /// Tool and arguments.
    pub digest: Digest,
    /// When the permit was redeemed.
    pub redeemed_at: Timestamp,
}

/// A credential that was got for a call.
#[derive(Clone, Debug)]
pub struct Issued {
    /// What the call finds in its environment.
    pub variables: Vec<(String, Secret)>,
    /// The record of it.
    pub record: CredentialRecord,
}

impl Chosen<'_> {
    /// Gets the credential for a call whose permit was just redeemed. An error means that the call must not run.
    pub fn issue(&self, host: &dyn Host, call: &Call<'_>) -> Result<Issued, CredentialError> {
        let ttl = self.wanted.ttl.min(self.broker.max_ttl);
        let request = self.request(call, ttl);
        let request_digest = digest::of_json(&request);
        let receipt = self.receipt(host, &request, ttl)?;
        let received_at = time::cut(host.now()).max(call.redeemed_at);
        let (issuer, subject) = self.owners();
        let record = call.trace.value();
        let terms = Terms {
            request: request_digest,
            issuer,
            subject,
            scope: &self.wanted.scope,
            ttl,
            judged_at: record.created_at,
            received_at,
        };
        let held = receipt::hold(&receipt, &terms)?;
        let variables = receipt::variables(&receipt, &self.broker.variables)?;
        let record = CredentialRecord {
            trace_digest: call.trace.digest(),
            trace_id: record.trace_id.clone(),
            tool: call.tool.to_owned(),
            step: call.step,
            call_digest: call.digest,
            run_id: record.run_id.clone(),
            session_id: session(record),
            credential: self.wanted.name.clone(),
            broker: self.broker.kind(),
            format: match &self.broker.source {
                Source::Command(command) => Some(command.format.as_str().to_owned()),
                Source::Env { .. } | Source::Stub => None,
            },
            program_digest: self.program,
            request_digest,
            issuer: receipt.issuer,
            subject: receipt.subject,
            scope_asked: self.wanted.scope.clone(),
            scope: held.scope,
            scope_stated: held.scope_stated,
            ttl_seconds: ttl,
            issued_at: receipt.issued_at.map(time::cut),
            expires_at: time::cut(held.expires_at),
            redeemed_at: call.redeemed_at,
            received_at,
        };
        Ok(Issued { variables, record })
    }

    /// Who must have issued it, and for whom.
    fn owners(&self) -> (Option<&str>, Option<&str>) {
        match &self.broker.source {
            Source::Command(command) => (
                command.issuer.as_deref().or(command.format.issuer()),
                command.subject.as_deref(),
            ),
            Source::Env { .. } | Source::Stub => (None, None),
        }
    }

    /// What the broker is asked. It tells nothing of the arguments but their digest and the targets that the trace has.
    fn request(&self, call: &Call<'_>, ttl: u64) -> Json {
        let record = call.trace.value();
        let text = |text: &Option<String>| text.as_ref().map_or(Json::Null, Json::str);
        let number = |n: u64| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
        let step = record.script.is_some().then_some(call.step);
        let targets = decision(record, step).targets.iter().map(|target| {
            Json::object([
                ("effect", Json::str(&target.effect)),
                ("kind", Json::str(&target.kind)),
                ("value", Json::str(&target.value)),
            ])
        });
        Json::object([
            ("schema", Json::str("gait.credential_request/1")),
            ("credential", Json::str(&self.wanted.name)),
            (
                "scope",
                Json::Array(self.wanted.scope.iter().map(Json::str).collect()),
            ),
            ("ttl_seconds", number(ttl)),
            ("tool", Json::str(call.tool)),
            ("step", number(call.step)),
            ("targets", Json::Array(targets.collect())),
            ("call_digest", call.digest.to_json()),
            ("trace_digest", call.trace.digest().to_json()),
            ("trace_id", Json::str(&record.trace_id)),
            ("identity", text(&record.identity)),
            ("run_id", text(&record.run_id)),
            ("session_id", text(&session(record))),
            ("redeemed_at", Json::str(time::print(call.redeemed_at))),
        ])
    }

    fn receipt(&self, host: &dyn Host, request: &Json, ttl: u64) -> Result<Receipt, CredentialError> {
        match &self.broker.source {
            Source::Command(command) => asked(host, command, request),
            Source::Env { prefix, scope } => self.env(host, prefix, scope),
            Source::Stub => Ok(self.stub(request, ttl)),
        }
    }

    /// What the environment has: a credential that somebody put there before.
    fn env(&self, host: &dyn Host, prefix: &str, scope: &[String]) -> Result<Receipt, CredentialError> {
        let expires_at = env_expiry(host, prefix)?;
        let parts = self.broker.variables.values();
        let secret = parts.filter_map(|part| {
            let value = host.env(&format!("{prefix}{part}"))?;
            Some((part.clone(), Secret::new(value)))
        });
        Ok(Receipt {
            request: None,
            issuer: None,
            subject: None,
            scope: Some(scope.to_vec()),
            issued_at: None,
            good_from: None,
            expiry: Expiry::At(expires_at),
            secret: secret.collect(),
        })
    }

    /// What nobody takes, the same of the same request.
    fn stub(&self, request: &Json, ttl: u64) -> Receipt {
        let parts = self.broker.variables.values().map(|part| {
            let text = format!("stub:{part}:{}", digest::of_json(request));
            (part.clone(), Secret::new(text))
        });
        Receipt {
            request: None,
            issuer: None,
            subject: None,
            scope: None,
            issued_at: None,
            good_from: None,
            expiry: Expiry::In(ttl),
            secret: parts.collect(),
        }
    }
}

/// Until when the credential in the environment is good.
fn env_expiry(host: &dyn Host, prefix: &str) -> Result<Timestamp, CredentialError> {
    let name = format!("{prefix}EXPIRES_AT");
    let at = host.env(&name).and_then(|at| at.parse().ok());
    at.ok_or(CredentialError::Variable(name))
}

/// Asks a program.
fn asked(host: &dyn Host, command: &Command, request: &Json) -> Result<Receipt, CredentialError> {
    let env: Vec<(String, String)> = command
        .passed()
        .filter_map(|name| Some((name.clone(), host.env(name)?)))
        .collect();
    let question = Question {
        program: &command.program,
        args: &command.args,
        env: &env,
        input: &jcs::to_vec(request),
        millis: limits::BROKER_MILLIS,
        bytes: limits::BROKER_BYTES,
    };
    let answer = Os.ask(&question).map_err(CredentialError::Broker)?;
    Ok(command.format.read(&answer)?)
}
