//! Who asks, as an authorization server says it: the gateway as an OAuth 2.1 resource server. In: the head of a request, the keys of the
//! authorization server. Out: a principal, or why the request is refused and where a token is to be had (RFC 6750, RFC 9728). Tokens are
//! signed documents (RFC 9068); none is asked about anywhere, kept, or passed on.

mod claims;
mod jws;
mod keys;

use super::guard::only;
use super::refusal::Refusal;
use super::token;
use crate::host::{Host, Os};
use crate::json::Json;
use crate::limits;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use jiff::Timestamp;
use keys::Keys;
use std::path::PathBuf;

pub use claims::Principal;

/// Where the metadata of a resource is, before the path of the resource (RFC 9728, section 3).
pub const METADATA: &str = "/.well-known/oauth-protected-resource";

/// A resource whose tokens an authorization server gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Who gives tokens, exactly as `iss` says it.
    pub issuer: String,
    /// Whom tokens are for, exactly as `aud` says it: the resource (RFC 8707).
    pub audience: String,
    /// The scopes that a token must have, each.
    pub scopes: Vec<String>,
    /// The file with the keys of the issuer (JSON Web Key Set, RFC 7517), read for each request.
    pub keys: PathBuf,
    /// Where the metadata is.
    pub metadata: String,
}

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Untrusted {
    /// It is none, or not of this issuer, for this resource, now.
    #[error("{0}")]
    Invalid(&'static str),
    /// It is one, and not for this.
    #[error("the token has no scope `{0}`")]
    Scope(String),
    /// It cannot be told.
    #[error("the keys of the issuer cannot be read: {0}")]
    Keys(String),
}

impl Resource {
    /// Who asks. Reads the keys of the issuer, so it blocks.
    pub fn principal(&self, headers: &HeaderMap, now: Timestamp) -> Result<Principal, Refusal> {
        let Some(shown) = only(headers, &AUTHORIZATION) else {
            let challenge = format!("Bearer {}", self.challenge());
            let message = "the request shows no token";
            return Err(Refusal::new(401, "request.token", message).challenge(challenge));
        };
        self.of_header(shown, now).map_err(|untrusted| {
            let message = untrusted.to_string();
            let challenge = |error| format!("Bearer error=\"{error}\", {}", self.challenge());
            match untrusted {
                Untrusted::Invalid(_) => {
                    Refusal::new(401, "request.token", message).challenge(challenge("invalid_token"))
                }
                Untrusted::Scope(_) => {
                    Refusal::new(403, "request.scope", message).challenge(challenge("insufficient_scope"))
                }
                Untrusted::Keys(_) => Refusal::new(503, "request.token_keys", message),
            }
        })
    }

    /// Errors where the keys of the issuer cannot be read, or are none.
    pub fn check(&self, host: &dyn Host) -> Result<(), String> {
        self.keys(host).map(|_| ())
    }

    fn keys(&self, host: &dyn Host) -> Result<Keys, String> {
        let bytes = host.read(&self.keys, limits::TOKEN_KEYS_BYTES);
        let bytes = bytes.map_err(|error| error.to_string())?;
        Keys::read(&bytes).map_err(str::to_owned)
    }

    /// The parameters of a challenge that say where a token is to be had.
    fn challenge(&self) -> String {
        let scope = match self.scopes.is_empty() {
            true => String::new(),
            false => format!(", scope=\"{}\"", self.scopes.join(" ")),
        };
        format!("resource_metadata=\"{}\"{scope}", self.metadata)
    }

    fn of_header(&self, shown: &[u8], now: Timestamp) -> Result<Principal, Untrusted> {
        let token = token::bearer(shown).ok_or(Untrusted::Invalid("the request shows no bearer token"))?;
        let keys = self.keys(&Os).map_err(Untrusted::Keys)?;
        let payload = jws::verified(token, &keys).map_err(Untrusted::Invalid)?;
        self.principal_of(&payload, now)
    }

    /// What the resource is, for clients that look for a token (RFC 9728, section 2).
    pub fn document(&self) -> Json {
        let texts = |texts: &[String]| Json::Array(texts.iter().map(Json::str).collect());
        let mut members = vec![
            ("resource", Json::str(&self.audience)),
            ("authorization_servers", texts(std::slice::from_ref(&self.issuer))),
            ("bearer_methods_supported", texts(&["header".to_owned()])),
        ];
        if !self.scopes.is_empty() {
            members.push(("scopes_supported", texts(&self.scopes)));
        }
        Json::object(members)
    }
}
