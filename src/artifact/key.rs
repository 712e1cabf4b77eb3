//! Ed25519 keys (RFC 8032) and their text form. In: seeds, key files. Out: keys that sign or verify. Verification is
//! strict only; a key of small order is refused at import. It draws no randomness: seeds are handed in.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer as _;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::digest::{Digest, sha256};
use super::fields::Fields;
use super::{VerifyError, jcs, time};
use crate::json::{self, Json};
use crate::limits;

/// The schema of a private key file.
pub const PRIVATE_SCHEMA: &str = "gait.key.private/1";
/// The schema of a public key file.
pub const PUBLIC_SCHEMA: &str = "gait.key.public/1";

/// The name of a key: the SHA-256 of its 32 public bytes, so that no key can carry another's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Digest);

impl KeyId {
    /// Reads the printed form.
    pub fn parse(text: &str) -> Option<KeyId> {
        Digest::parse(text).map(KeyId)
    }

    /// The digest of the public bytes.
    pub fn digest(self) -> Digest {
        self.0
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The file does not follow its schema.
    #[error(transparent)]
    Document(#[from] VerifyError),
    /// The key material is not 32 bytes of canonical base64.
    #[error("`{0}` is not 32 bytes of canonical base64")]
    Encoding(&'static str),
    /// The public bytes are no point of the curve.
    #[error("the public key is no point of the curve")]
    NotAPoint,
    /// A key of small order, under which anything verifies.
    #[error("the public key is weak (of small order)")]
    Weak,
    /// The file names another key than it holds.
    #[error("`key_id` is not the digest of this key")]
    IdMismatch,
    /// A window that ends before it starts.
    #[error("`valid_until` lies before `valid_from`")]
    Window,
}

impl KeyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(_) => "key.document",
            Self::Encoding(_) => "key.encoding",
            Self::NotAPoint => "key.not_a_point",
            Self::Weak => "key.weak",
            Self::IdMismatch => "key.id_mismatch",
            Self::Window => "key.window",
        }
    }
}

/// A private key. Wiped from memory when dropped; `Debug` shows its id only.
pub struct SigningKey {
    inner: ed25519_dalek::SigningKey,
    id: KeyId,
}

impl SigningKey {
    /// Makes a key from 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> SigningKey {
        let inner = ed25519_dalek::SigningKey::from_bytes(seed);
        let id = KeyId(sha256(inner.verifying_key().as_bytes()));
        SigningKey { inner, id }
    }

    /// Reads a private key file; its secret texts are wiped after use.
    pub fn parse(bytes: &[u8]) -> Result<SigningKey, KeyError> {
        let mut json = document("private key", bytes, limits::KEY_FILE_BYTES)?;
        let key = SigningKey::from_json(&json);
        json.wipe();
        key
    }

    fn from_json(json: &Json) -> Result<SigningKey, KeyError> {
        let fields = Fields::open("private key", json, &["schema", "key_id", "seed"])?;
        fields.constant("schema", PRIVATE_SCHEMA)?;
        let seed = Zeroizing::new(bytes32("seed", fields.text("seed")?)?);
        let key = SigningKey::from_seed(&seed);
        if fields.text("key_id")? != key.id.to_string() {
            return Err(KeyError::IdMismatch);
        }
        Ok(key)
    }

    /// The private key file. The caller keeps it secret and on a disk only.
    pub fn to_file(&self) -> Zeroizing<Vec<u8>> {
        let mut json = Json::object([
            ("schema", Json::str(PRIVATE_SCHEMA)),
            ("key_id", Json::str(self.id.to_string())),
            ("seed", Json::str(STANDARD.encode(self.inner.as_bytes()))),
        ]);
        let file = Zeroizing::new(line(&json));
        json.wipe();
        file
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The public half, without a validity window.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey {
            inner: self.inner.verifying_key(),
            id: self.id,
            valid_from: None,
            valid_until: None,
        }
    }

    /// Signs a message (RFC 8032 section 5.1.6; deterministic).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.inner.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

/// A public key with the window in which it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    inner: ed25519_dalek::VerifyingKey,
    id: KeyId,
    /// First instant of trust; none means always.
    pub valid_from: Option<Timestamp>,
    /// Last instant of trust; none means for ever.
    pub valid_until: Option<Timestamp>,
}

impl VerifyingKey {
    /// Imports 32 public bytes. Errors when they are no point, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
        let inner = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        if inner.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(VerifyingKey {
            inner,
            id: KeyId(sha256(bytes)),
            valid_from: None,
            valid_until: None,
        })
    }

    /// Reads a public key file.
    pub fn parse(bytes: &[u8]) -> Result<VerifyingKey, KeyError> {
        let json = document("public key", bytes, limits::KEY_FILE_BYTES)?;
        let known = ["schema", "key_id", "public_key", "valid_from", "valid_until"];
        let fields = Fields::open("public key", &json, &known)?;
        fields.constant("schema", PUBLIC_SCHEMA)?;
        VerifyingKey::of(&fields)
    }

    /// Reads the members that `members` writes.
    pub(super) fn of(fields: &Fields<'_>) -> Result<VerifyingKey, KeyError> {
        let mut key = VerifyingKey::from_bytes(&bytes32("public_key", fields.text("public_key")?)?)?;
        if fields.text("key_id")? != key.id.to_string() {
            return Err(KeyError::IdMismatch);
        }
        key.valid_from = fields
            .optional("valid_from")
            .map(|_| fields.instant("valid_from"))
            .transpose()?;
        key.valid_until = fields
            .optional("valid_until")
            .map(|_| fields.instant("valid_until"))
            .transpose()?;
        match (key.valid_from, key.valid_until) {
            (Some(from), Some(until)) if until < from => Err(KeyError::Window),
            _ => Ok(key),
        }
    }

    /// The public key file.
    pub fn to_file(&self) -> Vec<u8> {
        let mut members = self.members();
        members.push(("schema", Json::str(PUBLIC_SCHEMA)));
        line(&Json::object(members))
    }

    /// The key and its window, as members of a document.
    pub(super) fn members(&self) -> Vec<(&'static str, Json)> {
        let mut members = vec![
            ("key_id", Json::str(self.id.to_string())),
            ("public_key", Json::str(STANDARD.encode(self.inner.as_bytes()))),
        ];
        members.extend(
            self.valid_from
                .map(|at| ("valid_from", Json::str(time::print(at)))),
        );
        members.extend(
            self.valid_until
                .map(|at| ("valid_until", Json::str(time::print(at)))),
        );
        members
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The 32 public bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.inner.as_bytes()
    }

    /// Whether the signature is this key's over the message, without the slack of RFC 8032 section 5.1.7: canonical
    /// encodings only, no small-order parts.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.inner.verify_strict(message, &signature).is_ok())
    }
}

/// Reads a document of at most `limit` bytes.
pub(super) fn document(what: &'static str, bytes: &[u8], limit: usize) -> Result<Json, VerifyError> {
    if bytes.len() > limit {
        return Err(VerifyError::TooLarge { what, limit });
    }
    json::parse(bytes).map_err(|error| VerifyError::NotJson { what, error })
}

fn bytes32(member: &'static str, text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| KeyError::Encoding(member))?);
    bytes
        .as_slice()
        .try_into()
        .map_err(|_| KeyError::Encoding(member))
}

/// The canonical text with a line end.
pub(super) fn line(json: &Json) -> Vec<u8> {
    let mut text = jcs::to_vec(json);
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{KeyError, SigningKey, VerifyingKey};

    #[test]
    fn key_files_read_back() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert_eq!(SigningKey::parse(&key.to_file()).unwrap().id(), key.id());
        let mut public = key.verifying_key();
        public.valid_from = super::time::parse("2026-01-01T00:00:00.000Z");
        public.valid_until = super::time::parse("2027-01-01T00:00:00.000Z");
        assert_eq!(VerifyingKey::parse(&public.to_file()), Ok(public.clone()));
        assert!(!format!("{key:?}").contains("BwcH"), "the seed is never printed");
        std::mem::swap(&mut public.valid_from, &mut public.valid_until);
        assert_eq!(VerifyingKey::parse(&public.to_file()), Err(KeyError::Window));
    }

    #[test]
    fn refuses_keys_under_which_anything_verifies() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerifyingKey::from_bytes(&identity), Err(KeyError::Weak));
        assert_eq!(VerifyingKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
        let mut none = [0; 32];
        none[0] = 2;
        assert_eq!(VerifyingKey::from_bytes(&none), Err(KeyError::NotAPoint));
    }

    #[test]
    fn refuses_files_that_name_another_key() {
        let (a, b) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let swap = |file: &[u8]| {
            String::from_utf8(file.to_vec())
                .unwrap()
                .replace(&a.id().to_string(), &b.id().to_string())
        };
        let error = VerifyingKey::parse(swap(&a.verifying_key().to_file()).as_bytes());
        assert_eq!(error, Err(KeyError::IdMismatch));
        let error = SigningKey::parse(swap(&a.to_file()).as_bytes()).map(|key| key.id());
        assert_eq!(error, Err(KeyError::IdMismatch));
    }
}
