//! Receipts: what brokers answer, in the forms that issuers have published. In: bytes, and what was asked for. Out: who issued a
//! credential, for whom, for what and how long, and its secret; or the one reason for which it is refused. No error tells
//! anything of an answer: any part of one may be a secret.

mod forms;

pub use forms::Format;

use crate::artifact::Digest;
use crate::limits;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A text that nobody sees but the call it is for. It is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes care of a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text, for the call.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text, taken out for the call.
    pub fn into_inner(self) -> Zeroizing<String> {
        self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// When a credential is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// So many seconds after it was handed out.
    In(u64),
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The question that it answers, where it says so.
    pub request: Option<Digest>,
    /// Who issued the credential.
    pub issuer: Option<String>,
    /// For whom.
    pub subject: Option<String>,
    /// What it is good for; none where the form may leave out what was asked for.
    pub scope: Option<Vec<String>>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// From when it is good.
    pub good_from: Option<Timestamp>,
    /// Until when.
    pub expiry: Expiry,
    /// The parts of the secret, by the names they have in the form.
    pub secret: BTreeMap<String, Secret>,
}

/// Why a receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not have the form; which part has not, is ours to say.
    #[error("the answer is no receipt: {0}")]
    Form(&'static str),
    /// It answers another question.
    #[error("the receipt is one of another request")]
    OtherRequest,
    /// Somebody else issued it.
    #[error("the credential was issued by somebody else")]
    Issuer,
    /// It is for somebody else.
    #[error("the credential is for somebody else")]
    Subject,
    /// It was there before the call was judged.
    #[error("the credential was issued before the call was judged")]
    NotForThisCall,
    /// It is good later, or was issued later than now.
    #[error("the credential is good later than now")]
    Early,
    /// It is over.
    #[error("the credential is over")]
    Expired,
    /// It is good for too long.
    #[error("the credential is good for longer than was asked for")]
    TooLong,
    /// It is good for too much.
    #[error("the credential is good for more than was asked for")]
    Scope,
    /// What is said of it has the secret in it.
    #[error("what the receipt says of the credential has the secret in it")]
    Leak,
    /// A variable has no part of it.
    #[error("the credential has no part for one of the variables")]
    Part,
}

impl Fault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Form(_) => "credential.receipt",
            Fault::OtherRequest => "credential.other_request",
            Fault::Issuer => "credential.issuer",
            Fault::Subject => "credential.subject",
            Fault::NotForThisCall => "credential.not_for_this_call",
            Fault::Early => "credential.early",
            Fault::Expired => "credential.expired",
            Fault::TooLong => "credential.too_long",
            Fault::Scope => "credential.scope",
            Fault::Leak => "credential.leak",
            Fault::Part => "credential.part",
        }
    }
}

/// What a receipt is held to.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The question.
    pub request: Digest,
    /// Who must have issued it.
    pub issuer: Option<&'a str>,
    /// For whom it must be.
    pub subject: Option<&'a str>,
    /// What it may be good for.
    pub scope: &'a [String],
    /// How long, in seconds.
    pub ttl: u64,
    /// When the call was judged.
    pub judged_at: Timestamp,
    /// When the answer was there.
    pub received_at: Timestamp,
}

/// What holds of a credential that may be handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it is good for; sorted, distinct.
    pub scope: Vec<String>,
    /// Whether the receipt says so.
    pub scope_stated: bool,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Holds a receipt to its terms.
pub fn hold(receipt: &Receipt, terms: &Terms<'_>) -> Result<Held, Fault> {
    if receipt.request.is_some_and(|request| request != terms.request) {
        return Err(Fault::OtherRequest);
    }
    if terms.issuer.is_some() && receipt.issuer.as_deref() != terms.issuer {
        return Err(Fault::Issuer);
    }
    if terms.subject.is_some() && receipt.subject.as_deref() != terms.subject {
        return Err(Fault::Subject);
    }
    let expires_at = in_time(receipt, terms)?;
    let asked = |one: &String| terms.scope.contains(one);
    let mut scope = match &receipt.scope {
        Some(scope) if !scope.iter().all(asked) => return Err(Fault::Scope),
        Some(scope) => scope.clone(),
        None => terms.scope.to_vec(),
    };
    scope.sort();
    scope.dedup();
    no_leak(receipt)?;
    Ok(Held {
        scope,
        scope_stated: receipt.scope.is_some(),
        expires_at,
    })
}

/// Until when a credential is good that is good now, and not for too long.
fn in_time(receipt: &Receipt, terms: &Terms<'_>) -> Result<Timestamp, Fault> {
    let (now, skew) = (
        terms.received_at,
        SignedDuration::from_millis(limits::CREDENTIAL_SKEW_MILLIS),
    );
    let after = |at: Timestamp, than: Timestamp| at.duration_since(than) > skew;
    if receipt.issued_at.is_some_and(|at| after(terms.judged_at, at)) {
        return Err(Fault::NotForThisCall);
    }
    let starts = [receipt.issued_at, receipt.good_from];
    if starts.into_iter().flatten().any(|at| after(at, now)) {
        return Err(Fault::Early);
    }
    let ttl = SignedDuration::from_secs(i64::try_from(terms.ttl).unwrap_or(i64::MAX));
    let expires_at = match receipt.expiry {
        Expiry::In(seconds) if seconds > terms.ttl => return Err(Fault::TooLong),
        Expiry::In(seconds) => {
            let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            now.checked_add(length).map_err(|_| Fault::TooLong)?
        }
        Expiry::At(at) => at,
    };
    let length = expires_at.duration_since(now);
    if length <= SignedDuration::ZERO {
        return Err(Fault::Expired);
    }
    if length.saturating_sub(skew) > ttl {
        return Err(Fault::TooLong);
    }
    Ok(expires_at)
}

/// What is written down of a credential has none of its secret in it.
fn no_leak(receipt: &Receipt) -> Result<(), Fault> {
    let said = [&receipt.issuer, &receipt.subject].into_iter().flatten();
    let mut said = said.chain(receipt.scope.iter().flatten());
    let leaks = |text: &String| {
        let mut parts = receipt.secret.values().map(Secret::reveal);
        parts.any(|part| part.len() >= limits::CREDENTIAL_SECRET_BYTES && text.contains(part))
    };
    match said.any(leaks) {
        true => Err(Fault::Leak),
        false => Ok(()),
    }
}

/// The variables of a call with the parts of the secret that they have.
pub fn variables(
    receipt: &Receipt,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<(String, Secret)>, Fault> {
    let one = |(variable, part): (&String, &String)| {
        let secret = receipt.secret.get(part).ok_or(Fault::Part)?;
        // A variable ends at a NUL.
        match secret.reveal().is_empty() || secret.reveal().contains('\0') {
            true => Err(Fault::Part),
            false => Ok((variable.clone(), secret.clone())),
        }
    };
    variables.iter().map(one).collect()
}
