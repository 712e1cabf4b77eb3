//! Attestations: somebody vouches for a fact about a caller, for a while. In: the fact, whom it is about, a key, the time. Out: envelope
//! bytes, and back. Whether the fact is one of a policy, and who may vouch for it, is asked elsewhere.

use jiff::Timestamp;

use super::approvers::check_principal;
use super::envelope::{self, Payload, PayloadType, Signed, TrustedKeys, Verified};
use super::fields::{Fields, refuse};
use super::key::{KeyId, SigningKey};
use super::{BuildError, Digest, VerifyError, time};
use crate::json::Json;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What kind of fact: the name by which policies declare it.
    pub kind: String,
    /// Whom and what calls it is about.
    pub about: About,
    /// The fact.
    pub body: Json,
    /// When it was so; milliseconds are kept.
    pub issued_at: Timestamp,
    /// From when on it is no longer good.
    pub expires_at: Timestamp,
    /// The key of who vouches for it, which alone signs.
    pub key: KeyId,
    /// What tells two statements apart that are otherwise alike: 64 lowercase hexadecimal digits.
    pub nonce: String,
}

/// Whose calls a statement is about: all that is named has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Who asks.
    pub identity: String,
    /// The session.
    pub session: Option<String>,
    /// The run.
    pub run: Option<String>,
    /// Where the caller works.
    pub workspace: Option<String>,
    /// The environment.
    pub environment: Option<String>,
}

/// A statement by its name, as a trace has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementRef {
    /// What kind of fact.
    pub kind: String,
    /// The digest of the statement.
    pub digest: Digest,
}

/// Signs a statement by the key it names.
pub fn sign(statement: &Attestation, key: &SigningKey) -> Result<(Signed<Attestation>, Digest), BuildError> {
    envelope::sign_and_name(statement, &[key])
}

/// Verifies a statement as `envelope::verify` does, and that it is signed by the key it names and no other.
pub fn verify(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<Attestation>, VerifyError> {
    envelope::verify_own(
        bytes,
        (trusted, now),
        ("attestation", |one: &Attestation| one.key),
    )
}

/// What a statement claims, and its digest, whoever has signed it. Nothing is decided by it.
pub fn claimed(bytes: &[u8]) -> Result<(Attestation, Digest), VerifyError> {
    envelope::claimed(bytes)
}

const MEMBERS: [&str; 8] = [
    "schema",
    "kind",
    "about",
    "body",
    "issued_at",
    "expires_at",
    "key_id",
    "nonce",
];
const ABOUT: [&str; 5] = ["identity", "session", "run", "workspace", "environment"];

impl Payload for Attestation {
    const TYPE: PayloadType = PayloadType::Attestation;

    fn to_json(&self) -> Json {
        Json::record(vec![
            ("schema", Json::str(Self::TYPE.schema())),
            ("kind", Json::str(&self.kind)),
            ("about", self.about.to_json()),
            ("body", self.body.clone()),
            ("issued_at", Json::str(time::print(self.issued_at))),
            ("expires_at", Json::str(time::print(self.expires_at))),
            ("key_id", self.key.digest().to_json()),
            ("nonce", Json::str(&self.nonce)),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("attestation", json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let statement = Attestation {
            kind: named(&fields, "kind")?,
            about: About::from_json(fields.any("about")?)?,
            body: fields.any("body")?.clone(),
            issued_at: fields.instant("issued_at")?,
            expires_at: fields.instant("expires_at")?,
            key: KeyId::parse(fields.text("key_id")?)
                .ok_or_else(|| fields.refuse("`key_id` is not a key id"))?,
            nonce: fields.nonce("nonce")?,
        };
        if statement.expires_at <= statement.issued_at {
            return Err(fields.refuse("`expires_at` is not after `issued_at`"));
        }
        Ok(statement)
    }
}

impl About {
    /// The document: what is not named is not there.
    pub fn to_json(&self) -> Json {
        let others = [
            ("session", &self.session),
            ("run", &self.run),
            ("workspace", &self.workspace),
            ("environment", &self.environment),
        ];
        let others = others
            .into_iter()
            .filter_map(|(name, of)| Some((name, of.as_ref()?)));
        let mut members = vec![("identity", Json::str(&self.identity))];
        members.extend(others.map(|(name, of)| (name, Json::str(of))));
        Json::record(members)
    }

    fn from_json(json: &Json) -> Result<About, VerifyError> {
        let fields = Fields::open("attestation about", json, &ABOUT)?;
        let optional = |key: &'static str| fields.optional(key).map(|_| named(&fields, key)).transpose();
        Ok(About {
            identity: named(&fields, "identity")?,
            session: optional("session")?,
            run: optional("run")?,
            workspace: optional("workspace")?,
            environment: optional("environment")?,
        })
    }
}

impl StatementRef {
    /// Reads a list of them, in order of their kinds, each of which is there once.
    pub(super) fn list(fields: &Fields<'_>, key: &'static str) -> Result<Vec<StatementRef>, VerifyError> {
        if fields.optional(key).is_none() {
            return Ok(Vec::new());
        }
        let all = fields.list(key, |json| {
            let one = Fields::open("attested_with", json, &["kind", "digest"])?;
            Ok(StatementRef {
                kind: one.name("kind")?,
                digest: one.digest("digest")?,
            })
        })?;
        if all.is_empty() {
            return Err(fields.refuse(format!("`{key}` has no element")));
        }
        Ok(all)
    }

    /// Errors where there are too many, or one kind is there twice.
    pub(super) fn check(all: &[StatementRef]) -> Result<(), VerifyError> {
        let kinds: Vec<&str> = all.iter().map(|one| one.kind.as_str()).collect();
        if all.len() > crate::limits::ATTESTATIONS || !kinds.is_sorted_by(|a, b| a < b) {
            return Err(refuse(
                "trace",
                "`attested_with` has too many, or is not sorted by kinds, each once",
            ));
        }
        Ok(())
    }
}

/// A name that people can read.
fn named(fields: &Fields<'_>, key: &'static str) -> Result<String, VerifyError> {
    let name = fields.name(key)?;
    check_name(&name).map_err(|reason| fields.refuse(format!("`{key}`: {reason}")))?;
    Ok(name)
}

/// Refuses what can be neither a kind of fact nor whom or where one is about: people could not read it, or it is too long.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    check_principal(name)
}
