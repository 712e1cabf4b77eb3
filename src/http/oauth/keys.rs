//! The keys of an authorization server: a JSON Web Key Set (RFC 7517, RFC 7518 section 6, RFC 8037). In: the bytes of the set. Out: keys that
//! verify signatures. Keys of other kinds are left out; a set with a secret is none, since whoever published it gave it away.

use crate::json::{self, Json};
use crate::limits;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

/// How a signature is made (RFC 7518, section 3.1; RFC 8037). None of them is shared with who verifies, and `none` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// The algorithm of a name; none where it is not one of these.
    pub fn named(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point of P-256, uncompressed (SEC 1, section 2.3.3).
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// One key.
pub struct Key {
    id: Option<String>,
    only: Option<Algorithm>,
    material: Material,
}

impl Key {
    /// Whether it is made for an algorithm.
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let kind = match self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        kind && self.only.is_none_or(|only| only == algorithm)
    }

    /// Whether a signature is its own.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let plain = |how, key: &[u8]| {
            UnparsedPublicKey::new(how, key)
                .verify(message, signature)
                .is_ok()
        };
        match &self.material {
            Material::Rsa { n, e } => {
                let how = match algorithm {
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }
                    .verify(how, message, signature)
                    .is_ok()
            }
            Material::P256(point) => plain(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::Ed25519(point) => UnparsedPublicKey::new(&signature::ED25519, point)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// All keys of an issuer.
pub struct Keys(Vec<Key>);

impl Keys {
    /// The keys of a set.
    pub fn read(bytes: &[u8]) -> Result<Keys, &'static str> {
        let document = json::parse_any_numbers(bytes).map_err(|_| "no JSON that every reader reads alike")?;
        let listed = document
            .get("keys")
            .and_then(Json::as_array)
            .ok_or("no member `keys`")?;
        if listed.len() > limits::TOKEN_KEYS {
            return Err("too many keys");
        }
        if listed.iter().any(is_secret) {
            return Err("a key in it is secret");
        }
        Ok(Keys(listed.iter().filter_map(key).collect()))
    }

    /// The key that a token names; where it names none, the only one that it can be.
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut found = self
            .0
            .iter()
            .filter(|key| key.is_for(algorithm) && id.is_none_or(|id| key.id.as_deref() == Some(id)));
        match (found.next(), found.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }
}

/// Whether a key has what its owner alone may know (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
fn is_secret(key: &Json) -> bool {
    ["d", "k", "p", "q", "dp", "dq", "qi", "oth"]
        .iter()
        .any(|member| key.get(member).is_some())
}

fn key(json: &Json) -> Option<Key> {
    let text = |member: &str| json.get(member).and_then(Json::as_str);
    let bytes = |member: &str| URL_SAFE_NO_PAD.decode(text(member)?).ok();
    if text("use").is_some_and(|for_what| for_what != "sig") {
        return None;
    }
    let only = match text("alg") {
        Some(name) => Some(Algorithm::named(name)?),
        None => None,
    };
    let material = match (text("kty")?, text("crv")) {
        ("RSA", None) => Material::Rsa {
            n: bytes("n")?,
            e: bytes("e")?,
        },
        ("EC", Some("P-256")) => Material::P256([vec![4], bytes("x")?, bytes("y")?].concat()),
        ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
        _ => return None,
    };
    let id = text("kid").map(str::to_owned);
    Some(Key { id, only, material })
}
