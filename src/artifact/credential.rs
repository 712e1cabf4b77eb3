//! Records of credentials: the signed word of an executor that one was handed out, for which allowed call, and what it is good
//! for. In: what the call is, what was asked for, what a receipt says. Out: envelope bytes, and back. It holds no secret and no
//! digest of one, and proves who says so, not that it is so.

use jiff::{SignedDuration, Timestamp};

use super::envelope::{Payload, PayloadType};
use super::fields::{Fields, number};
use super::{Digest, VerifyError, time};
use crate::json::Json;
use crate::limits;

/// What hands credentials out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BrokerKind {
    /// A program that gets one for each call.
    Command,
    /// Variables of the environment: a credential that was there before the call.
    Env,
    /// Nothing that anybody takes.
    Stub,
}

impl BrokerKind {
    /// All of them.
    pub const ALL: [BrokerKind; 3] = [BrokerKind::Command, BrokerKind::Env, BrokerKind::Stub];

    /// The name in documents and configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            BrokerKind::Command => "command",
            BrokerKind::Env => "env",
            BrokerKind::Stub => "stub",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<BrokerKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One credential that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// The trace that allowed the call.
    pub trace_digest: Digest,
    /// The id of that trace.
    pub trace_id: String,
    /// The tool that was about to run.
    pub tool: String,
    /// Which step it is, from 1.
    pub step: u64,
    /// Tool and arguments that were about to run.
    pub call_digest: Digest,
    /// The run of the trace.
    pub run_id: Option<String>,
    /// The session of the trace.
    pub session_id: Option<String>,
    /// The name of the credential, as the policy has it.
    pub credential: String,
    /// What handed it out.
    pub broker: BrokerKind,
    /// The form of its receipt; a command's.
    pub format: Option<String>,
    /// The program of the broker, where it was pinned.
    pub program_digest: Option<Digest>,
    /// What the broker was asked.
    pub request_digest: Digest,
    /// Who issued it, where its receipt says so.
    pub issuer: Option<String>,
    /// For whom, where its receipt says so.
    pub subject: Option<String>,
    /// What the policy asked for; sorted, distinct.
    pub scope_asked: Vec<String>,
    /// What it is good for; sorted, distinct, all of it asked for.
    pub scope: Vec<String>,
    /// Whether the receipt says so; otherwise it says nothing, and means what was asked for.
    pub scope_stated: bool,
    /// How long it might be good for at most, in seconds.
    pub ttl_seconds: u64,
    /// When it was issued, where its receipt says so.
    pub issued_at: Option<Timestamp>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When the permit was redeemed.
    pub redeemed_at: Timestamp,
    /// When the receipt was there.
    pub received_at: Timestamp,
}

const WHAT: &str = "credential";

const MEMBERS: [&str; 23] = [
    "schema",
    "trace_digest",
    "trace_id",
    "tool",
    "step",
    "call_digest",
    "run_id",
    "session_id",
    "credential",
    "broker",
    "format",
    "program_digest",
    "request_digest",
    "issuer",
    "subject",
    "scope_asked",
    "scope",
    "scope_stated",
    "ttl_seconds",
    "issued_at",
    "expires_at",
    "redeemed_at",
    "received_at",
];

impl Payload for CredentialRecord {
    const TYPE: PayloadType = PayloadType::Credential;

    fn to_json(&self) -> Json {
        let text = |text: &Option<String>| text.as_ref().map_or(Json::Null, Json::str);
        let texts = |all: &[String]| Json::Array(all.iter().map(Json::str).collect());
        let at = |at: Timestamp| Json::str(time::print(at));
        Json::record([
            ("schema", Json::str(Self::TYPE.schema())),
            ("trace_digest", self.trace_digest.to_json()),
            ("trace_id", Json::str(&self.trace_id)),
            ("tool", Json::str(&self.tool)),
            ("step", number(self.step)),
            ("call_digest", self.call_digest.to_json()),
            ("run_id", text(&self.run_id)),
            ("session_id", text(&self.session_id)),
            ("credential", Json::str(&self.credential)),
            ("broker", Json::str(self.broker.as_str())),
            ("format", text(&self.format)),
            (
                "program_digest",
                self.program_digest.map_or(Json::Null, |digest| digest.to_json()),
            ),
            ("request_digest", self.request_digest.to_json()),
            ("issuer", text(&self.issuer)),
            ("subject", text(&self.subject)),
            ("scope_asked", texts(&self.scope_asked)),
            ("scope", texts(&self.scope)),
            ("scope_stated", Json::Bool(self.scope_stated)),
            ("ttl_seconds", number(self.ttl_seconds)),
            ("issued_at", self.issued_at.map_or(Json::Null, at)),
            ("expires_at", at(self.expires_at)),
            ("redeemed_at", at(self.redeemed_at)),
            ("received_at", at(self.received_at)),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open(WHAT, json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let text = |key| match fields.any(key)? {
            Json::Null => Ok(None),
            _ => fields.name(key).map(Some),
        };
        let broker = BrokerKind::parse(fields.text("broker")?);
        let issued_at = match fields.any("issued_at")? {
            Json::Null => None,
            _ => Some(fields.instant("issued_at")?),
        };
        let record = CredentialRecord {
            trace_digest: fields.digest("trace_digest")?,
            trace_id: fields.id("trace_id")?,
            tool: fields.name("tool")?,
            step: fields.count("step")?,
            call_digest: fields.digest("call_digest")?,
            run_id: text("run_id")?,
            session_id: text("session_id")?,
            credential: fields.name("credential")?,
            broker: broker.ok_or_else(|| fields.refuse("`broker` is none of the three"))?,
            format: text("format")?,
            program_digest: fields.digest_or_null("program_digest")?,
            request_digest: fields.digest("request_digest")?,
            issuer: text("issuer")?,
            subject: text("subject")?,
            scope_asked: scopes(&fields, "scope_asked")?,
            scope: scopes(&fields, "scope")?,
            scope_stated: match fields.any("scope_stated")? {
                Json::Bool(stated) => *stated,
                _ => return Err(fields.refuse("`scope_stated` is neither true nor false")),
            },
            ttl_seconds: fields.count("ttl_seconds")?,
            issued_at,
            expires_at: fields.instant("expires_at")?,
            redeemed_at: fields.instant("redeemed_at")?,
            received_at: fields.instant("received_at")?,
        };
        match record.flaw() {
            Some(flaw) => Err(fields.refuse(flaw)),
            None => Ok(record),
        }
    }
}

impl CredentialRecord {
    /// What does not go together in it.
    fn flaw(&self) -> Option<&'static str> {
        let is_command = self.broker == BrokerKind::Command;
        let ttl = SignedDuration::from_secs(i64::try_from(self.ttl_seconds).unwrap_or(i64::MAX));
        let skew = SignedDuration::from_millis(limits::CREDENTIAL_SKEW_MILLIS);
        let good_for = self.expires_at.duration_since(self.received_at);
        let flaws = [
            (
                !(1..=limits::SCRIPT_STEPS as u64).contains(&self.step),
                "`step` is none",
            ),
            (
                is_command != self.format.is_some() || (!is_command && self.program_digest.is_some()),
                "`format` and `program_digest` do not go with `broker`",
            ),
            (
                !(1..=limits::CREDENTIAL_SECONDS).contains(&self.ttl_seconds),
                "`ttl_seconds` is out of its bounds",
            ),
            (
                self.scope.iter().any(|one| !self.scope_asked.contains(one)),
                "`scope` has more than `scope_asked`",
            ),
            (
                !self.scope_stated && self.scope != self.scope_asked,
                "`scope` is not stated and not what was asked for",
            ),
            (
                self.received_at < self.redeemed_at,
                "`received_at` is before `redeemed_at`",
            ),
            (
                good_for <= SignedDuration::ZERO || good_for.saturating_sub(skew) > ttl,
                "`expires_at` does not go with `ttl_seconds`",
            ),
        ];
        flaws.into_iter().find(|(is_so, _)| *is_so).map(|(_, flaw)| flaw)
    }
}

/// A list of texts, sorted and distinct.
fn scopes(fields: &Fields<'_>, key: &str) -> Result<Vec<String>, VerifyError> {
    let all = fields.list(key, |json| match json.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(fields.refuse(format!("`{key}` has one that is no text"))),
    })?;
    if all.len() > limits::CREDENTIAL_SCOPES {
        return Err(fields.refuse(format!("`{key}` has too many")));
    }
    fields.sorted(key, &all)?;
    Ok(all)
}
