//! What people have answered when they were asked to approve: each signed by the key of the person, for one call under one
//! bundle. In: what is approved or denied, keys, the time. Out: envelope bytes, and back. Whose key it is and whether the
//! answer counts is decided elsewhere.

use jiff::Timestamp;

use super::envelope::{self, Payload, PayloadType, Signed, TrustedKeys, Verified};
use super::fields::Fields;
use super::key::{KeyId, SigningKey};
use super::trace::TraceRecord;
use super::{BuildError, Digest, VerifyError, time};
use crate::domain::hidden;
use crate::json::Json;
use crate::limits;

/// What is approved: one call, or all the calls of a script, under one bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The bundle that asked.
    pub bundle_digest: Digest,
    /// The whole intent, as its trace names it.
    pub intent_digest: Digest,
    /// Tool and canonical arguments: of the call, or of each step of the script in order.
    pub call_digests: Vec<Digest>,
}

impl Subject {
    /// What a trace is about; none where a call of it has no canonical form.
    pub fn of_trace(record: &TraceRecord) -> Option<Subject> {
        let call_digests: Option<Vec<Digest>> = record.calls().into_iter().collect();
        Some(Subject {
            bundle_digest: record.bundle_digest,
            intent_digest: record.intent_digest,
            call_digests: call_digests?,
        })
    }
}

/// One approval, good for one use; or a denial, good while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenApproval {
    /// What is approved.
    pub subject: Subject,
    /// Why it is denied: one line; none where it is approved.
    pub denied: Option<String>,
    /// The tool, for people; `subject` binds it.
    pub tool: String,
    /// The key of who approves, which alone signs.
    pub key: KeyId,
    /// When it was given; milliseconds are kept.
    pub given_at: Timestamp,
    /// From when on it is no longer good.
    pub expires_at: Timestamp,
    /// What tells two approvals apart that one key gives in one moment: 64 lowercase hexadecimal digits.
    pub nonce: String,
}

/// Signs an approval by the key it names.
pub fn sign(
    approval: &GivenApproval,
    key: &SigningKey,
) -> Result<(Signed<GivenApproval>, Digest), BuildError> {
    envelope::sign_and_name(approval, &[key])
}

/// Verifies an approval as `envelope::verify` does, and that it is signed by the key it names and no other.
pub fn verify(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<GivenApproval>, VerifyError> {
    envelope::verify_own(bytes, (trusted, now), ("approval", |one: &GivenApproval| one.key))
}

/// Errors where a text is no reason that people can be told: one line, and not empty.
pub fn check_reason(why: &str) -> Result<(), &'static str> {
    hidden::check_line(why, limits::REASON_BYTES)
}

const MEMBERS: [&str; 10] = [
    "schema",
    "bundle_digest",
    "intent_digest",
    "call_digests",
    "denied",
    "tool",
    "key_id",
    "given_at",
    "expires_at",
    "nonce",
];

impl Payload for GivenApproval {
    const TYPE: PayloadType = PayloadType::Approval;

    fn to_json(&self) -> Json {
        let calls = self.subject.call_digests.iter().map(Digest::to_json);
        let mut members = vec![
            ("schema", Json::str(Self::TYPE.schema())),
            ("bundle_digest", self.subject.bundle_digest.to_json()),
            ("intent_digest", self.subject.intent_digest.to_json()),
            ("call_digests", Json::Array(calls.collect())),
            ("tool", Json::str(&self.tool)),
            ("key_id", self.key.digest().to_json()),
            ("given_at", Json::str(time::print(self.given_at))),
            ("expires_at", Json::str(time::print(self.expires_at))),
            ("nonce", Json::str(&self.nonce)),
        ];
        members.extend(self.denied.as_ref().map(|why| ("denied", Json::str(why))));
        Json::record(members)
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("approval", json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let call_digests = fields.list("call_digests", |json| {
            let digest = json.as_str().and_then(Digest::parse);
            digest.ok_or_else(|| fields.refuse("`call_digests` has one that is no digest"))
        })?;
        if call_digests.is_empty() || call_digests.len() > limits::SCRIPT_STEPS {
            return Err(fields.refuse("`call_digests` has none, or too many"));
        }
        let key = KeyId::parse(fields.text("key_id")?);
        let denied = fields.optional_text("denied")?;
        if let Some(Err(reason)) = denied.as_ref().map(|why| check_reason(why)) {
            return Err(fields.refuse(format!("`denied` is no reason: {reason}")));
        }
        let approval = GivenApproval {
            denied,
            subject: Subject {
                bundle_digest: fields.digest("bundle_digest")?,
                intent_digest: fields.digest("intent_digest")?,
                call_digests,
            },
            tool: fields.name("tool")?,
            key: key.ok_or_else(|| fields.refuse("`key_id` is not a key id"))?,
            given_at: fields.instant("given_at")?,
            expires_at: fields.instant("expires_at")?,
            nonce: fields.nonce("nonce")?,
        };
        if approval.expires_at <= approval.given_at {
            return Err(fields.refuse("`expires_at` is not after `given_at`"));
        }
        Ok(approval)
    }
}
