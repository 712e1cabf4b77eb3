//! What a token says (RFC 9068, section 2.2), and whether it is for this resource, now. In: the payload of a verified token. Out: who asks.

use super::{Resource, Untrusted};
use crate::domain::hidden;
use crate::json::{self, Json};
use crate::limits;
use jiff::Timestamp;

/// Somebody for whom an authorization server has given a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The authorization server.
    pub issuer: String,
    /// Who, by the name that the authorization server has for it.
    pub subject: String,
    /// The client that asks for it (`client_id`).
    pub client: Option<String>,
    /// What it may do, in the order of names.
    pub scopes: Vec<String>,
}

impl Principal {
    /// What a policy may know of it.
    pub fn fact(&self) -> Json {
        let mut members = vec![
            ("issuer", Json::str(&self.issuer)),
            ("subject", Json::str(&self.subject)),
            ("scopes", Json::Array(self.scopes.iter().map(Json::str).collect())),
        ];
        members.extend(self.client.as_ref().map(|client| ("client", Json::str(client))));
        Json::object(members)
    }
}

impl Resource {
    /// Who asks, where a token is of this issuer, for this resource, and good now.
    pub(super) fn principal_of(&self, payload: &[u8], now: Timestamp) -> Result<Principal, Untrusted> {
        let claims = json::parse_any_numbers(payload);
        let claims = claims.map_err(|_| Untrusted::Invalid("what the token says is no JSON"))?;
        let text = |member: &str| claims.get(member).and_then(Json::as_str);
        let invalid = |why| Err(Untrusted::Invalid(why));
        if text("iss") != Some(&self.issuer) {
            return invalid("the token is of another issuer");
        }
        if !is_for(claims.get("aud"), &self.audience) {
            return invalid("the token is for another resource");
        }
        good_at(&claims, now.as_second()).map_err(Untrusted::Invalid)?;
        let line = |text: &str| hidden::check_line(text, limits::PRINCIPAL_BYTES).is_ok();
        let Some(subject) = text("sub").filter(|subject| line(subject)) else {
            return invalid("the token does not say for whom it is");
        };
        let client = match claims.get("client_id").map(Json::as_str) {
            None => None,
            Some(Some(client)) if line(client) => Some(client.to_owned()),
            Some(_) => return invalid("the token names its client by what is no line of text"),
        };
        let mut scopes: Vec<String> = match claims.get("scope").map(Json::as_str) {
            None => Vec::new(),
            Some(Some(scopes)) => scopes
                .split(' ')
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
            Some(None) => return invalid("the token names its scopes by something else than a text"),
        };
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() > limits::TOKEN_SCOPES {
            return invalid("the token has too many scopes");
        }
        if let Some(missing) = self.scopes.iter().find(|scope| !scopes.contains(scope)) {
            return Err(Untrusted::Scope(missing.clone()));
        }
        Ok(Principal {
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
            client,
            scopes,
        })
    }
}

/// Whether a token is for a resource: a text, or a list of texts (RFC 7519, section 4.1.3).
fn is_for(audience: Option<&Json>, resource: &str) -> bool {
    match audience {
        Some(Json::Array(several)) => several.iter().any(|one| one.as_str() == Some(resource)),
        Some(one) => one.as_str() == Some(resource),
        None => false,
    }
}

/// Errors where a token is over, or not yet good, beyond what clocks may differ by. It must say when it is over.
fn good_at(claims: &Json, now: i64) -> Result<(), &'static str> {
    let skew = limits::TOKEN_SKEW_SECONDS;
    let moment = |member: &str| match claims.get(member) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or("the token has a time that is no whole number of seconds"),
    };
    let ends = moment("exp")?.ok_or("the token does not say when it is over")?;
    if now >= ends.saturating_add(skew) {
        return Err("the token is over");
    }
    for member in ["nbf", "iat"] {
        if moment(member)?.is_some_and(|from| now < from.saturating_sub(skew)) {
            return Err("the token is not good yet");
        }
    }
    Ok(())
}
