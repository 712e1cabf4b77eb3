//! DSSE envelopes (secure-systems-lab/dsse, protocol v1) and the one verifier of the crate. In: bytes, trusted keys,
//! `now`. Out: `Verified<T>`, which nothing else can make. What is signed starts with the kind of artifact, so a
//! signature over one kind is worthless for another.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::digest::{Digest, sha256};
use super::fields::Fields;
use super::key::{KeyId, SigningKey, VerifyingKey};
use super::{BuildError, VerifyError, jcs};
use crate::json::{self, Json};
use crate::limits;

/// The kinds of signed artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PayloadType {
    /// The manifest of a bundle.
    BundleManifest,
    /// The record of one decision.
    Trace,
    /// The manifest of a runpack.
    RunpackManifest,
    /// What one person has approved.
    Approval,
    /// The calls that an operator has stopped.
    KillSwitch,
    /// What became of one allowed call.
    Outcome,
    /// Somebody lets somebody else act for them.
    Delegation,
    /// What one person has approved of every script of a shape.
    ScriptApproval,
    /// Somebody vouches for a fact.
    Attestation,
    /// A credential that was handed out for one allowed call.
    Credential,
}

impl PayloadType {
    /// Every kind.
    pub const ALL: [PayloadType; 10] = [
        Self::BundleManifest,
        Self::Trace,
        Self::RunpackManifest,
        Self::Approval,
        Self::KillSwitch,
        Self::Outcome,
        Self::Delegation,
        Self::ScriptApproval,
        Self::Attestation,
        Self::Credential,
    ];

    /// The media type that is signed with the payload.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::BundleManifest => "application/vnd.gait.bundle-manifest.v1+json",
            Self::Trace => "application/vnd.gait.trace.v1+json",
            Self::RunpackManifest => "application/vnd.gait.runpack-manifest.v1+json",
            Self::Approval => "application/vnd.gait.approval.v1+json",
            Self::KillSwitch => "application/vnd.gait.kill-switch.v1+json",
            Self::Outcome => "application/vnd.gait.outcome.v1+json",
            Self::Delegation => "application/vnd.gait.delegation.v1+json",
            Self::ScriptApproval => "application/vnd.gait.script-approval.v1+json",
            Self::Attestation => "application/vnd.gait.attestation.v1+json",
            Self::Credential => "application/vnd.gait.credential.v1+json",
        }
    }

    /// The schema of the payload.
    pub fn schema(self) -> &'static str {
        match self {
            Self::BundleManifest => "gait.bundle.manifest/1",
            Self::Trace => "gait.trace/1",
            Self::RunpackManifest => "gait.runpack.manifest/1",
            Self::Approval => "gait.approval/1",
            Self::KillSwitch => "gait.kill_switch/1",
            Self::Outcome => "gait.outcome/1",
            Self::Delegation => "gait.delegation/1",
            Self::ScriptApproval => "gait.script_approval/1",
            Self::Attestation => "gait.attestation/1",
            Self::Credential => "gait.credential/1",
        }
    }
}

/// What an envelope can carry.
pub trait Payload: Sized + PartialEq {
    /// The kind.
    const TYPE: PayloadType;
    /// The document, with its `schema` member.
    fn to_json(&self) -> Json;
    /// Reads the document strictly; unknown members are errors.
    fn from_json(json: &Json) -> Result<Self, VerifyError>;

    /// The canonical text of the document.
    fn to_text(&self) -> Vec<u8> {
        jcs::to_vec(&self.to_json())
    }

    /// Errors where the document, whose canonical text this is, would not be read back.
    fn check(&self, text: &[u8]) -> Result<(), VerifyError> {
        let json = self.to_json();
        if json.depth() >= limits::JSON_DEPTH {
            payload(text)?;
        }
        let read = Self::from_json(&json)?;
        // Equal values have equal documents; others may, such as times of which only the milliseconds are kept.
        if read != *self && read.to_text() != text {
            return Err(VerifyError::PayloadNotCanonical);
        }
        Ok(())
    }
}

/// The document of a payload.
pub(super) fn payload(text: &[u8]) -> Result<Json, VerifyError> {
    json::parse(text).map_err(|error| VerifyError::NotJson {
        what: "payload",
        error,
    })
}

/// Envelope bytes that claim to carry a `T`; nothing in them is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    bytes: Vec<u8>,
    kind: std::marker::PhantomData<T>,
}

impl<T: Payload> Signed<T> {
    /// Bytes received.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Signed {
            bytes,
            kind: std::marker::PhantomData,
        }
    }

    /// The envelope as it is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The envelope as it is stored, taken out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The `verify` of this module.
    pub fn verify(&self, trusted: &TrustedKeys, now: Timestamp) -> Result<Verified<T>, VerifyError> {
        verify(&self.bytes, trusted, now)
    }
}

/// A value that `verify` accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    digest: Digest,
    keys: Vec<KeyId>,
}

impl<T> Verified<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The value, taken out.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The digest of the signed payload: the artifact's name.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The distinct trusted keys that signed, sorted.
    pub fn keys(&self) -> &[KeyId] {
        &self.keys
    }

    /// What the verified value stands for, once its other parts are verified too.
    pub(super) fn try_map<U>(
        self,
        f: impl FnOnce(T) -> Result<U, VerifyError>,
    ) -> Result<Verified<U>, VerifyError> {
        Ok(Verified {
            value: f(self.value)?,
            digest: self.digest,
            keys: self.keys,
        })
    }
}

/// The keys a caller trusts for one purpose. They come from local configuration, never from an artifact.
#[derive(Clone, Debug)]
pub struct TrustedKeys {
    keys: Vec<VerifyingKey>,
    required: usize,
}

impl TrustedKeys {
    /// Trusts these keys; one signature suffices. No key at all refuses everything.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> TrustedKeys {
        let mut keys: Vec<VerifyingKey> = keys.into_iter().collect();
        keys.sort_by_key(VerifyingKey::id);
        TrustedKeys { keys, required: 1 }
    }

    /// These keys and those.
    pub fn and(&self, others: &TrustedKeys) -> TrustedKeys {
        let keys = self.keys.iter().chain(&others.keys);
        TrustedKeys::new(keys.cloned()).requiring(self.required)
    }

    /// Whether a key is one of them, at whatever time.
    pub fn knows(&self, id: KeyId) -> bool {
        self.entries(id).next().is_some()
    }

    /// Requires signatures by this many distinct keys; 0 counts as 1.
    pub fn requiring(self, distinct: usize) -> TrustedKeys {
        TrustedKeys {
            required: distinct.max(1),
            ..self
        }
    }

    /// Whether signatures of this key are accepted at `now`. Errors: unknown, expired, or not valid yet.
    pub fn accepts(&self, id: KeyId, now: Timestamp) -> Result<(), VerifyError> {
        let mut known = false;
        for key in self.entries(id) {
            known = true;
            if key.valid_from.is_some_and(|from| now < from) {
                return Err(VerifyError::KeyNotYetValid(id));
            }
            if key.valid_until.is_some_and(|until| now > until) {
                return Err(VerifyError::KeyExpired(id));
            }
        }
        if known {
            Ok(())
        } else {
            Err(VerifyError::KeyUnknown(id))
        }
    }

    /// Every entry of one id; a key listed twice is held to both windows.
    fn entries(&self, id: KeyId) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter().filter(move |key| key.id() == id)
    }
}

/// The pre-authentication encoding (DSSE protocol v1): what the signature covers.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (type_bytes, bytes) = (payload_type.len().to_string(), payload.len().to_string());
    let head = ["DSSEv1", &type_bytes, payload_type, &bytes, ""].join(" ");
    [head.as_bytes(), payload].concat()
}

/// Signs a value. Errors when its document would not be accepted by `verify`.
pub fn sign<T: Payload>(value: &T, key: &SigningKey) -> Result<Signed<T>, BuildError> {
    sign_all(value, &[key])
}

/// Signs a value with several distinct keys.
pub fn sign_all<T: Payload>(value: &T, keys: &[&SigningKey]) -> Result<Signed<T>, BuildError> {
    Ok(sign_and_name(value, keys)?.0)
}

/// Signs a value with several distinct keys, and tells the digest of the payload: the artifact's name. Before that, what
/// could not be read back is refused, and the bounds of an envelope are checked after. The signature itself is not verified
/// (docs/decisions.md, "A fresh signature is not verified").
pub fn sign_and_name<T: Payload>(value: &T, keys: &[&SigningKey]) -> Result<(Signed<T>, Digest), BuildError> {
    let payload = value.to_text();
    value.check(&payload)?;
    let media_type = T::TYPE.media_type();
    let message = pae(media_type, &payload);
    let mut signatures: Vec<(KeyId, [u8; 64])> =
        keys.iter().map(|key| (key.id(), key.sign(&message))).collect();
    signatures.sort();
    Ok((
        Signed::from_bytes(seal(media_type, &payload, &signatures)?),
        sha256(&payload),
    ))
}

/// Adds the signature of one more key to an envelope that verifies. Errors when that key has signed already.
pub fn cosign<T: Payload>(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
    key: &SigningKey,
) -> Result<Signed<T>, BuildError> {
    let verified = verify::<T>(bytes, trusted, now)?;
    if verified.keys().contains(&key.id()) {
        return Err(BuildError::Duplicate(key.id().to_string()));
    }
    let parts = parts(bytes, T::TYPE)?;
    let media_type = T::TYPE.media_type();
    let mut signatures = parts.signatures;
    signatures.push((key.id(), key.sign(&pae(media_type, &parts.payload)).to_vec()));
    signatures.sort();
    Ok(Signed::from_bytes(seal(media_type, &parts.payload, &signatures)?))
}

/// The envelope of a payload and its signatures, which are sorted.
fn seal<S: AsRef<[u8]>>(
    media_type: &str,
    payload: &[u8],
    signatures: &[(KeyId, S)],
) -> Result<Vec<u8>, VerifyError> {
    check_signers(signatures.iter().map(|(id, _)| *id))?;
    // Canonical as it stands: members in their order, and no text with a character to escape.
    let mut text = String::with_capacity(payload.len() * 4 / 3 + 512);
    text.push_str("{\"payload\":\"");
    STANDARD.encode_string(payload, &mut text);
    text.push_str("\",\"payloadType\":\"");
    text.push_str(media_type);
    text.push_str("\",\"signatures\":[");
    for (number, (id, signature)) in signatures.iter().enumerate() {
        text.push_str(if number == 0 { "" } else { "," });
        text.push_str("{\"keyid\":\"");
        id.digest().push_to(&mut text);
        text.push_str("\",\"sig\":\"");
        STANDARD.encode_string(signature, &mut text);
        text.push_str("\"}");
    }
    text.push_str("]}");
    let bytes = text.into_bytes();
    check_size(&bytes)?;
    Ok(bytes)
}

/// Verifies an envelope; the only way to a `Verified<T>`. The steps, each with its own error:
///
/// 1. size: at most `limits::ENVELOPE_BYTES`
/// 2. shape: strict JSON, exactly the members of DSSE, text canonical, base64 canonical
/// 3. payload type: the kind asked for
/// 4. signatures: at least one, at most `limits::SIGNATURES`, one per key, sorted by key id
/// 5. payload: strict JSON, canonical bytes
/// 6. schema: the only id of this kind and version
/// 7. keys: every signing key is trusted
/// 8. signatures: every one verifies strictly over the bytes received
/// 9. validity window: every signing key is valid at `now`
/// 10. threshold: enough distinct keys
/// 11. typed document: every member known and well formed, nothing lost when written again
pub fn verify<T: Payload>(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<T>, VerifyError> {
    // 1 to 6
    let (parts, json) = opened::<T>(bytes)?;
    // 7, 8, 9
    let message = pae(T::TYPE.media_type(), &parts.payload);
    let mut keys = Vec::new();
    for (id, signature) in &parts.signatures {
        signed_by(*id, &message, signature, trusted, now)?;
        keys.push(*id);
    }
    // 10
    if keys.len() < trusted.required {
        return Err(VerifyError::Threshold {
            found: keys.len(),
            required: trusted.required,
        });
    }
    // 11
    let value = typed::<T>(&json, &parts.payload)?;
    Ok(Verified {
        value,
        digest: sha256(&parts.payload),
        keys,
    })
}

/// The same of a document that names the one key that has to have signed it, and no other.
pub(super) fn verify_own<T: Payload>(
    bytes: &[u8],
    (trusted, now): (&TrustedKeys, Timestamp),
    (what, key): (&'static str, fn(&T) -> KeyId),
) -> Result<Verified<T>, VerifyError> {
    let verified = verify::<T>(bytes, trusted, now)?;
    if verified.keys() == [key(verified.value())] {
        return Ok(verified);
    }
    Err(VerifyError::Contents {
        what,
        reason: "it is not signed by the key it names, and no other".to_owned(),
    })
}

/// What bytes claim, and the digest of it, whoever has signed it: to be shown or built on, and never to decide by.
pub(super) fn claimed<T: Payload>(bytes: &[u8]) -> Result<(T, Digest), VerifyError> {
    let (parts, json) = opened::<T>(bytes)?;
    Ok((typed::<T>(&json, &parts.payload)?, sha256(&parts.payload)))
}

/// Steps 1 to 6.
fn opened<T: Payload>(bytes: &[u8]) -> Result<(Parts, Json), VerifyError> {
    // 1 to 4
    let parts = parts(bytes, T::TYPE)?;
    // 5
    let json = payload(&parts.payload)?;
    if !jcs::is_canonical(&json, &parts.payload) {
        return Err(VerifyError::PayloadNotCanonical);
    }
    // 6
    schema(&json, T::TYPE)?;
    Ok((parts, json))
}

struct Parts {
    payload: Vec<u8>,
    signatures: Vec<(KeyId, Vec<u8>)>,
}

/// Steps 1 to 4.
fn parts(bytes: &[u8], kind: PayloadType) -> Result<Parts, VerifyError> {
    // 1
    check_size(bytes)?;
    // 2
    let json = json::parse(bytes).map_err(|error| VerifyError::NotJson {
        what: "envelope",
        error,
    })?;
    let fields = Fields::open("envelope", &json, &["payload", "payloadType", "signatures"])?;
    if !jcs::is_canonical(&json, bytes) {
        return Err(VerifyError::EnvelopeNotCanonical);
    }
    let payload = base64("payload", fields.text("payload")?)?;
    let signatures = fields.list("signatures", signature)?;
    // 3
    let found = fields.text("payloadType")?;
    if found != kind.media_type() {
        return Err(VerifyError::PayloadType {
            expected: kind.media_type(),
            found: found.to_owned(),
        });
    }
    // 4
    check_signers(signatures.iter().map(|(id, _)| *id))?;
    Ok(Parts { payload, signatures })
}

/// Step 1.
fn check_size(envelope: &[u8]) -> Result<(), VerifyError> {
    if envelope.len() > limits::ENVELOPE_BYTES {
        return Err(VerifyError::TooLarge {
            what: "envelope",
            limit: limits::ENVELOPE_BYTES,
        });
    }
    Ok(())
}

/// Step 4.
fn check_signers(ids: impl ExactSizeIterator<Item = KeyId> + Clone) -> Result<(), VerifyError> {
    match ids.len() {
        0 => return Err(VerifyError::Unsigned),
        n if n > limits::SIGNATURES => {
            return Err(VerifyError::TooManySignatures {
                limit: limits::SIGNATURES,
            });
        }
        _ => {}
    }
    if !ids.is_sorted_by(|a, b| a < b) {
        return Err(VerifyError::SignatureOrder);
    }
    Ok(())
}

fn signature(json: &Json) -> Result<(KeyId, Vec<u8>), VerifyError> {
    let fields = Fields::open("envelope", json, &["keyid", "sig"])?;
    let id = KeyId::parse(fields.text("keyid")?).ok_or_else(|| fields.refuse("`keyid` is not a key id"))?;
    Ok((id, base64("sig", fields.text("sig")?)?))
}

/// Standard alphabet, padding required, no trailing bits: one text per value.
fn base64(member: &'static str, text: &str) -> Result<Vec<u8>, VerifyError> {
    STANDARD.decode(text).map_err(|_| VerifyError::Base64 { member })
}

fn schema(json: &Json, kind: PayloadType) -> Result<(), VerifyError> {
    let found = json.get("schema").and_then(Json::as_str).unwrap_or_default();
    if found == kind.schema() {
        return Ok(());
    }
    Err(VerifyError::Schema {
        expected: kind.schema(),
        found: found.to_owned(),
    })
}

/// Steps 7, 8 and 9 for one signature.
fn signed_by(
    id: KeyId,
    message: &[u8],
    signature: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<(), VerifyError> {
    let key = trusted.entries(id).next().ok_or(VerifyError::KeyUnknown(id))?;
    if !key.verify(message, signature) {
        return Err(VerifyError::SignatureInvalid(id));
    }
    trusted.accepts(id, now)
}

/// Step 11.
fn typed<T: Payload>(json: &Json, payload: &[u8]) -> Result<T, VerifyError> {
    let value = T::from_json(json)?;
    if value.to_text() != payload {
        return Err(VerifyError::PayloadNotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::pae;

    #[test]
    fn pae_is_that_of_the_dsse_specification() {
        let vector = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), vector);
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }
}
