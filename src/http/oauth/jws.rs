//! Signed documents in one line (JSON Web Signature, compact, RFC 7515 section 7.1), read as RFC 8725 asks for. In: a token and keys. Out:
//! what was signed. Where to find a key is taken from the set alone, and never from the token.

use super::keys::{Algorithm, Keys};
use crate::json::{self, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The payload of a token whose signature is that of the key that it names.
pub fn verified(token: &[u8], keys: &Keys) -> Result<Vec<u8>, &'static str> {
    let no_token = "the token is no signed token (JWS, compact)";
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(head), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(no_token);
    };
    let decoded = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).map_err(|_| no_token);
    let (algorithm, id) = header(&decoded(head)?)?;
    let key = keys.find(id.as_deref(), algorithm);
    let key = key.ok_or("the issuer has no key that the token names, or several that it may mean")?;
    let message = [head, b".", payload].concat();
    match key.verifies(algorithm, &message, &decoded(signature)?) {
        true => decoded(payload),
        false => Err("the signature of the token is not of the issuer"),
    }
}

/// The algorithm and the key that a header names.
fn header(bytes: &[u8]) -> Result<(Algorithm, Option<String>), &'static str> {
    let header = json::parse_any_numbers(bytes).map_err(|_| "the header of the token is no JSON")?;
    let text = |member: &str| header.get(member).and_then(Json::as_str);
    if header.get("crit").is_some() {
        return Err("the token asks for what nobody here knows (`crit`)");
    }
    // RFC 9068, section 2.1; `JWT` is what issuers wrote before. An identity token is for the client.
    let kind = text("typ").unwrap_or("JWT");
    let kind = kind.strip_prefix("application/").unwrap_or(kind);
    if !["at+jwt", "jwt"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
    {
        return Err("the token is of another type than an access token");
    }
    let algorithm = text("alg").and_then(Algorithm::named);
    let algorithm = algorithm.ok_or("the token is not signed as RS256, PS256, ES256 or EdDSA")?;
    match header.get("kid").map(Json::as_str) {
        None => Ok((algorithm, None)),
        Some(Some(id)) => Ok((algorithm, Some(id.to_owned()))),
        Some(None) => Err("the token names its key by something else than a text"),
    }
}
