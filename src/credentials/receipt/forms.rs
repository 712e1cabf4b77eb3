//! The forms of receipts, each as its issuer has published it. In: bytes. Out: a receipt, or which part is not as it should be,
//! in our own words. Members that we do not know are passed over where others own the form (RFC 6749, section 5.1), and refused in
//! our own.

use super::{Expiry, Fault, Receipt, Secret};
use crate::artifact::Digest;
use crate::json::{self, Json};
use crate::limits;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A form of receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Our own, for programs that are written for it.
    Gait,
    /// AWS Security Token Service: what `aws sts assume-role` writes. The scope is the role that was assumed.
    AwsSts,
    /// Microsoft Entra ID: the token response of a client with a federated credential.
    AzureFederated,
    /// Google Security Token Service: the response of a token exchange (RFC 8693).
    GcpSts,
    /// GitHub Actions: the response with an OpenID Connect token. The scope is its audiences.
    GithubOidc,
    /// Okta: the token response, which says its scope.
    Okta,
    /// HashiCorp Vault: a secret with a lease. The scope is the path it was read from.
    Vault,
}

impl Format {
    /// All of them, by name.
    pub const ALL: [Format; 7] = [
        Format::AwsSts,
        Format::AzureFederated,
        Format::Gait,
        Format::GcpSts,
        Format::GithubOidc,
        Format::Okta,
        Format::Vault,
    ];

    /// The name in configurations and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Gait => "gait",
            Format::AwsSts => "aws_sts",
            Format::AzureFederated => "azure_federated",
            Format::GcpSts => "gcp_sts",
            Format::GithubOidc => "github_oidc",
            Format::Okta => "okta",
            Format::Vault => "vault",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<Format> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    /// Whether a receipt says who issued the credential.
    pub fn says_issuer(self) -> bool {
        matches!(self, Format::Gait | Format::GithubOidc)
    }

    /// Whether a receipt says for whom it is.
    pub fn says_subject(self) -> bool {
        matches!(self, Format::Gait | Format::GithubOidc | Format::AwsSts)
    }

    /// Who issues credentials of this form unless another one is named.
    pub fn issuer(self) -> Option<&'static str> {
        (self == Format::GithubOidc).then_some("https://token.actions.githubusercontent.com")
    }

    /// Reads a receipt.
    pub fn read(self, bytes: &[u8]) -> Result<Receipt, Fault> {
        let document = Document::read(bytes)?;
        let answer = &document.0;
        let receipt = match self {
            Format::Gait => gait(answer),
            Format::AwsSts => aws_sts(answer),
            Format::AzureFederated => token(answer),
            Format::GcpSts => gcp_sts(answer),
            Format::GithubOidc => github_oidc(answer),
            Format::Okta => okta(answer),
            Format::Vault => vault(answer),
        }?;
        let said = receipt.issuer.iter().chain(&receipt.subject);
        let mut said = said.chain(receipt.scope.iter().flatten());
        if said.any(|text| text.is_empty() || text.len() > limits::CREDENTIAL_TEXT_BYTES) {
            return Err(Fault::Form("what is said of the credential is empty or too long"));
        }
        if receipt
            .scope
            .as_ref()
            .is_some_and(|scope| scope.len() > limits::CREDENTIAL_SCOPES)
        {
            return Err(Fault::Form("the scope has too many members"));
        }
        Ok(receipt)
    }
}

/// A document that is overwritten when it is dropped.
struct Document(Json);

impl Document {
    fn read(bytes: &[u8]) -> Result<Document, Fault> {
        // What the reader would say quotes the text.
        let json = json::parse(bytes).map_err(|_| Fault::Form("it is no strict JSON"))?;
        let document = Document(json);
        match &document.0 {
            Json::Object(_) => Ok(document),
            _ => Err(Fault::Form("it is no object")),
        }
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

fn text<'j>(json: &'j Json, key: &str, fault: &'static str) -> Result<&'j str, Fault> {
    let text = json.get(key).and_then(Json::as_str);
    text.filter(|text| !text.is_empty()).ok_or(Fault::Form(fault))
}

fn count(json: &Json, key: &str, fault: &'static str) -> Result<u64, Fault> {
    let number = json.get(key).and_then(Json::as_i64);
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.ok_or(Fault::Form(fault))
}

fn instant(json: &Json, key: &str, fault: &'static str) -> Result<Timestamp, Fault> {
    text(json, key, fault)?.parse().map_err(|_| Fault::Form(fault))
}

/// A list of texts, or one text.
fn texts(json: &Json, fault: &'static str) -> Result<Vec<String>, Fault> {
    let one = |json: &Json| json.as_str().map(str::to_owned).ok_or(Fault::Form(fault));
    match json {
        Json::Array(items) => items.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

fn parts<const N: usize>(parts: [(&str, &str); N]) -> BTreeMap<String, Secret> {
    let one = |(name, text): (&str, &str)| (name.to_owned(), Secret::new(text));
    parts.into_iter().map(one).collect()
}

/// The schema of our own form.
pub const SCHEMA: &str = "gait.credential_receipt/1";

fn gait(json: &Json) -> Result<Receipt, Fault> {
    let known = [
        "schema",
        "request_digest",
        "issuer",
        "subject",
        "scope",
        "issued_at",
        "expires_at",
        "secret",
    ];
    let members = json.as_object().unwrap_or_default();
    if members.iter().any(|(name, _)| !known.contains(&name.as_str())) {
        return Err(Fault::Form("it has a member that nobody knows"));
    }
    if text(json, "schema", "`schema` is missing")? != SCHEMA {
        return Err(Fault::Form("`schema` is another one"));
    }
    let request = Digest::parse(text(json, "request_digest", "`request_digest` is missing")?);
    let secret = json.get("secret").and_then(Json::as_object);
    let secret = secret.ok_or(Fault::Form("`secret` is no object"))?;
    let part = |(name, value): &(json::Text, Json)| {
        let value = value
            .as_str()
            .ok_or(Fault::Form("`secret` has a part that is no text"))?;
        Ok((name.to_string(), Secret::new(value)))
    };
    let scope = json.get("scope").filter(|scope| scope.as_array().is_some());
    let scope = scope.ok_or(Fault::Form("`scope` is no list"))?;
    Ok(Receipt {
        request: Some(request.ok_or(Fault::Form("`request_digest` is none"))?),
        issuer: Some(text(json, "issuer", "`issuer` is missing")?.to_owned()),
        subject: Some(text(json, "subject", "`subject` is missing")?.to_owned()),
        scope: Some(texts(scope, "`scope` has a member that is no text")?),
        issued_at: Some(instant(json, "issued_at", "`issued_at` is no time")?),
        good_from: None,
        expiry: Expiry::At(instant(json, "expires_at", "`expires_at` is no time")?),
        secret: secret.iter().map(part).collect::<Result<_, Fault>>()?,
    })
}

fn aws_sts(json: &Json) -> Result<Receipt, Fault> {
    let none = Json::Null;
    let user = json.get("AssumedRoleUser").unwrap_or(&none);
    let arn = text(user, "Arn", "`AssumedRoleUser.Arn` is missing")?;
    let role = arn.rsplit_once('/').map(|(role, _)| role);
    let role = role.filter(|role| role.starts_with("arn:") && role.contains(":assumed-role/"));
    let role = role.ok_or(Fault::Form("`AssumedRoleUser.Arn` is no role that was assumed"))?;
    let of = json.get("Credentials").unwrap_or(&none);
    let (id, key, token) = ("AccessKeyId", "SecretAccessKey", "SessionToken");
    let secret = parts([
        (id, text(of, id, "`Credentials.AccessKeyId` is missing")?),
        (key, text(of, key, "`Credentials.SecretAccessKey` is missing")?),
        (token, text(of, token, "`Credentials.SessionToken` is missing")?),
    ]);
    Ok(Receipt {
        request: None,
        issuer: None,
        subject: Some(arn.to_owned()),
        scope: Some(vec![role.to_owned()]),
        issued_at: None,
        good_from: None,
        expiry: Expiry::At(instant(of, "Expiration", "`Credentials.Expiration` is no time")?),
        secret,
    })
}

/// The token response of OAuth 2.0 (RFC 6749, section 5.1). A scope that is left out is the one that was asked for.
fn token(json: &Json) -> Result<Receipt, Fault> {
    let name = "access_token";
    let kind = text(json, "token_type", "`token_type` is missing")?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(Fault::Form("`token_type` is not Bearer"));
    }
    let scope = match json.get("scope") {
        None => None,
        Some(scope) => {
            let scope = scope.as_str().ok_or(Fault::Form("`scope` is no text"))?;
            Some(scope.split(' ').map(str::to_owned).collect())
        }
    };
    let token = text(json, name, "`access_token` is missing")?;
    Ok(Receipt {
        request: None,
        issuer: None,
        subject: None,
        scope,
        issued_at: None,
        good_from: None,
        expiry: Expiry::In(count(json, "expires_in", "`expires_in` is no whole number")?),
        secret: parts([(name, token)]),
    })
}

fn gcp_sts(json: &Json) -> Result<Receipt, Fault> {
    let kind = text(json, "issued_token_type", "`issued_token_type` is missing")?;
    if kind != "urn:ietf:params:oauth:token-type:access_token" {
        return Err(Fault::Form("`issued_token_type` is not that of an access token"));
    }
    token(json)
}

fn okta(json: &Json) -> Result<Receipt, Fault> {
    let receipt = token(json)?;
    match receipt.scope {
        Some(_) => Ok(receipt),
        None => Err(Fault::Form("`scope` is missing")),
    }
}

fn github_oidc(json: &Json) -> Result<Receipt, Fault> {
    let token = text(json, "value", "`value` is missing")?;
    let claims = claims(token)?;
    let claims = &claims.0;
    let at = |key, fault| {
        let seconds = count(claims, key, fault)?;
        let at = i64::try_from(seconds)
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok());
        at.ok_or(Fault::Form(fault))
    };
    let good_from = match claims.get("nbf") {
        None => None,
        Some(_) => Some(at("nbf", "the claim `nbf` is no time")?),
    };
    let audience = claims
        .get("aud")
        .ok_or(Fault::Form("the claim `aud` is missing"))?;
    Ok(Receipt {
        request: None,
        issuer: Some(text(claims, "iss", "the claim `iss` is missing")?.to_owned()),
        subject: Some(text(claims, "sub", "the claim `sub` is missing")?.to_owned()),
        scope: Some(texts(audience, "the claim `aud` is no text")?),
        issued_at: Some(at("iat", "the claim `iat` is no time")?),
        good_from,
        expiry: Expiry::At(at("exp", "the claim `exp` is no time")?),
        secret: parts([("value", token)]),
    })
}

/// The claims of a signed token (RFC 7519). Its signature is for whom it is shown to: no key is known here.
fn claims(token: &str) -> Result<Document, Fault> {
    let fault = Fault::Form("`value` is no signed token");
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(fault);
    };
    if signature.is_empty() {
        return Err(fault);
    }
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).map_err(|_| fault)?);
    Document::read(&claims)
}

fn vault(json: &Json) -> Result<Receipt, Fault> {
    let lease = text(
        json,
        "lease_id",
        "`lease_id` is missing, so it is no secret with a lease",
    )?;
    let path = lease.rsplit_once('/').map(|(path, _)| path);
    let path = path.filter(|path| !path.is_empty());
    let data = json.get("data").and_then(Json::as_object);
    let part = |(name, value): &(json::Text, Json)| Some((name.to_string(), Secret::new(value.as_str()?)));
    Ok(Receipt {
        request: None,
        issuer: None,
        subject: None,
        scope: Some(vec![
            path.ok_or(Fault::Form("`lease_id` has no path"))?.to_owned(),
        ]),
        issued_at: None,
        good_from: None,
        expiry: Expiry::In(count(
            json,
            "lease_duration",
            "`lease_duration` is no whole number",
        )?),
        secret: data
            .ok_or(Fault::Form("`data` is no object"))?
            .iter()
            .filter_map(part)
            .collect(),
    })
}
