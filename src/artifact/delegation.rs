//! Delegation tokens: somebody lets somebody else act for them, for some tools and some time, and hands on no more than they
//! have. In: who, to whom, what, keys, the time. Out: envelope bytes, and back. Whether tokens make a chain is asked elsewhere.

use jiff::Timestamp;

use super::approvers::check_principal;
use super::envelope::{self, Payload, PayloadType, Signed, TrustedKeys, Verified};
use super::fields::Fields;
use super::key::{KeyId, SigningKey, VerifyingKey};
use super::{BuildError, Digest, VerifyError, time};
use crate::json::Json;
use crate::limits;

/// One link: `delegator` lets `delegate` act for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Who delegates.
    pub delegator: String,
    /// The key of who delegates, which alone signs.
    pub key: KeyId,
    /// To whom.
    pub delegate: String,
    /// Their key, which signs what they hand on.
    pub delegate_key: VerifyingKey,
    /// The tools, by name, as `group.*`, or `*`; sorted, distinct.
    pub tools: Vec<String>,
    /// The only environment it is for; any where none is named.
    pub environment: Option<String>,
    /// From when on it is good; milliseconds are kept.
    pub not_before: Timestamp,
    /// From when on it is no longer good.
    pub expires_at: Timestamp,
    /// How many further links may follow.
    pub depth: u32,
    /// The link before this one; none where it is the first.
    pub parent: Option<Digest>,
    /// What tells two tokens apart that are otherwise alike: 64 lowercase hexadecimal digits.
    pub nonce: String,
}

/// Signs a token by the key it names.
pub fn sign(token: &Delegation, key: &SigningKey) -> Result<(Signed<Delegation>, Digest), BuildError> {
    envelope::sign_and_name(token, &[key])
}

/// Verifies a token as `envelope::verify` does, and that it is signed by the key it names and no other.
pub fn verify(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<Delegation>, VerifyError> {
    envelope::verify_own(bytes, (trusted, now), ("delegation", |one: &Delegation| one.key))
}

/// What a token claims, and its digest, whoever has signed it: for whoever hands on what was delegated to them. Nothing is decided by it.
pub fn claimed(bytes: &[u8]) -> Result<(Delegation, Digest), VerifyError> {
    envelope::claimed(bytes)
}

/// Refuses what names no tools: a tool, `group.*`, or `*`.
pub fn check_tools(tools: &str) -> Result<(), &'static str> {
    let name = tools.strip_suffix(".*").unwrap_or(tools);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    match tools {
        "*" => Ok(()),
        _ if !name.is_empty() && name.chars().all(plain) && name.len() <= limits::PRINCIPAL_BYTES => Ok(()),
        _ => Err("it is neither the name of a tool, nor `group.*`, nor `*`"),
    }
}

const MEMBERS: [&str; 12] = [
    "schema",
    "delegator",
    "key_id",
    "delegate",
    "delegate_key",
    "tools",
    "environment",
    "not_before",
    "expires_at",
    "depth",
    "parent",
    "nonce",
];

impl Payload for Delegation {
    const TYPE: PayloadType = PayloadType::Delegation;

    fn to_json(&self) -> Json {
        let mut members = vec![
            ("schema", Json::str(Self::TYPE.schema())),
            ("delegator", Json::str(&self.delegator)),
            ("key_id", self.key.digest().to_json()),
            ("delegate", Json::str(&self.delegate)),
            ("delegate_key", Json::object(self.delegate_key.members())),
            ("tools", Json::Array(self.tools.iter().map(Json::str).collect())),
            ("not_before", Json::str(time::print(self.not_before))),
            ("expires_at", Json::str(time::print(self.expires_at))),
            ("depth", Json::int(self.depth.into())),
            ("parent", self.parent.as_ref().map_or(Json::Null, Digest::to_json)),
            ("nonce", Json::str(&self.nonce)),
        ];
        members.extend(
            self.environment
                .as_ref()
                .map(|name| ("environment", Json::str(name))),
        );
        Json::record(members)
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("delegation", json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let key = Fields::open(
            "delegation key",
            fields.any("delegate_key")?,
            &["key_id", "public_key", "valid_from", "valid_until"],
        )?;
        let delegate_key = VerifyingKey::of(&key);
        let tools = fields.list("tools", |json| match json.as_str() {
            Some(tools) if check_tools(tools).is_ok() => Ok(tools.to_owned()),
            _ => Err(fields.refuse("`tools` has one that names no tools")),
        })?;
        fields.sorted("tools", &tools)?;
        if tools.is_empty() || tools.len() > limits::DELEGATED_TOOLS {
            return Err(fields.refuse("`tools` has none, or too many"));
        }
        let named = |key: &'static str| {
            let name = fields.name(key)?;
            check_principal(&name).map_err(|reason| fields.refuse(format!("`{key}`: {reason}")))?;
            Ok::<_, VerifyError>(name)
        };
        let token = Delegation {
            delegator: named("delegator")?,
            key: KeyId::parse(fields.text("key_id")?)
                .ok_or_else(|| fields.refuse("`key_id` is not a key id"))?,
            delegate: named("delegate")?,
            delegate_key: delegate_key
                .map_err(|error| fields.refuse(format!("`delegate_key` is no key: {error}")))?,
            tools,
            environment: fields
                .optional("environment")
                .map(|_| named("environment"))
                .transpose()?,
            not_before: fields.instant("not_before")?,
            expires_at: fields.instant("expires_at")?,
            depth: fields.small("depth")?,
            parent: fields.digest_or_null("parent")?,
            nonce: fields.nonce("nonce")?,
        };
        if token.expires_at <= token.not_before {
            return Err(fields.refuse("`expires_at` is not after `not_before`"));
        }
        if token.depth >= limits::DELEGATIONS {
            return Err(fields.refuse("`depth` is more than any chain may have"));
        }
        Ok(token)
    }
}
