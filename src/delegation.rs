//! Chains of delegation: tokens that only narrow, from somebody who is known to the one who asks. In: tokens, who may delegate, the
//! time. Out: the chain, or why there is none; and whether it covers a call. It decides no call.

use crate::approvals::{self, TrustError, signed};
use crate::artifact::delegation::{self, Delegation};
use crate::artifact::{Approvers, Digest, KeyId, TrustedKeys, Verified, VerifyError, time};
use crate::builtins::person::person;
use crate::host::{Host, HostError};
use crate::json::Json;
use crate::limits;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Tokens that make a chain, the first one before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(Vec<Link>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Link {
    digest: Digest,
    token: Delegation,
}

/// A call that is asked for under a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered<'c> {
    /// Who asks, as the intent names them.
    pub requester: &'c str,
    /// Whatever else is said of who asks.
    pub requesters: Vec<String>,
    /// The tools that it uses.
    pub tools: Vec<&'c str>,
    /// The environments that somebody says who is trusted to.
    pub known: Vec<&'c str>,
    /// Those that the caller says.
    pub claimed: Vec<&'c str>,
    /// When it is decided.
    pub at: Timestamp,
}

/// Why tokens make no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// There is none, or more than a chain may have.
    #[error("a chain has 1 to {} links", limits::DELEGATIONS)]
    Length,
    /// None of them is the first, or several are.
    #[error("not exactly one of the tokens is a first link")]
    Root,
    /// A token is there twice, or follows none of the others.
    #[error("the tokens do not follow each other: one is missing, there twice, or of another chain")]
    Broken,
    /// It is not what the key has signed that must have.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The key of the first link is not one that may delegate now.
    #[error("the key of {} may not delegate: it is {why}", by.escape_debug())]
    Key {
        /// Whose it is.
        by: String,
        /// Why not.
        why: &'static str,
    },
    /// Somebody delegates in the name of somebody else.
    #[error("the link of {} is signed in the name of {}", is.escape_debug(), says.escape_debug())]
    Name {
        /// Who must have signed.
        is: String,
        /// Whom it names.
        says: String,
    },
    /// A link hands on more than the one before it has.
    #[error("the link to {} hands on more {what} than the one before it has", to.escape_debug())]
    Wider {
        /// To whom.
        to: String,
        /// What.
        what: &'static str,
    },
    /// Somebody, or a key, is in the chain twice.
    #[error("{} is in the chain twice, or has the key of somebody else in it", .0.escape_debug())]
    Twice(String),
    /// A file cannot be read.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Nobody knows who may delegate.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A link is not good now.
    #[error("the link to {} is good from {} until {}", to.escape_debug(), time::print(*from), time::print(*until))]
    Time {
        /// To whom.
        to: String,
        /// From when on it is good.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
}

/// Whether tools are all among others: each is a name, `group.*`, or `*`.
fn is_among(tools: &str, others: &[String]) -> bool {
    others.iter().any(|other| match other.strip_suffix(".*") {
        _ if other == "*" || other == tools => true,
        Some(group) => {
            let name = tools.strip_suffix(".*").unwrap_or(tools);
            let rest = name.strip_prefix(group);
            tools != "*" && rest.is_some_and(|rest| rest.starts_with('.'))
        }
        None => false,
    })
}

impl Chain {
    /// The chain of tokens, in whatever order they come, at a time and by the clock.
    pub fn of(
        tokens: &[Vec<u8>],
        roots: &Approvers,
        at: Timestamp,
        clock: Timestamp,
    ) -> Result<Chain, ChainError> {
        if tokens.is_empty() || tokens.len() > limits::DELEGATIONS as usize {
            return Err(ChainError::Length);
        }
        if tokens.iter().collect::<BTreeSet<_>>().len() < tokens.len() {
            return Err(ChainError::Broken);
        }
        let (first, mut rest) = first(tokens, roots, clock)?;
        is_root(first.value(), roots, [at, clock])?;
        let mut last = link(first);
        let mut chain = Vec::new();
        while !rest.is_empty() {
            let signer = TrustedKeys::new([last.token.delegate_key.clone()]);
            let mut each = rest.iter().enumerate();
            let next = each.find_map(|(at, bytes)| {
                let verified = delegation::verify(bytes, &signer, clock).ok()?;
                (verified.value().parent == Some(last.digest)).then_some((at, verified))
            });
            let (at, next) = match (next, rest.as_slice()) {
                (Some(next), _) => next,
                // The last one that is left says best what is wrong.
                (None, [only]) => {
                    delegation::verify(only, &signer, clock)?;
                    return Err(ChainError::Broken);
                }
                (None, _) => return Err(ChainError::Broken),
            };
            rest.swap_remove(at);
            follows(&last.token, next.value())?;
            chain.push(std::mem::replace(&mut last, link(next)));
        }
        chain.push(last);
        let chain = Chain(chain);
        chain.is_of_different_people()?;
        chain.has_no_revoked_key(roots)?;
        [at, clock].iter().try_for_each(|at| chain.is_good(*at))?;
        Ok(chain)
    }

    /// The chain of tokens in files, by those whom a trust file lets delegate.
    pub fn in_files(
        host: &dyn Host,
        trust: &Path,
        files: &[PathBuf],
        at: Option<Timestamp>,
    ) -> Result<Chain, ChainError> {
        let roots = approvals::read(host, trust)?;
        let clock = host.now();
        Chain::of(&signed::read(host, files)?, &roots, at.unwrap_or(clock), clock)
    }

    /// The chain that a gate saw, by a clock that shows the time at which it did, and when the key that begins it was revoked since. Of
    /// the tokens those count that the gate has named; all, where it has named none of them.
    pub fn as_of(
        host: &dyn Host,
        trust: &Path,
        files: &[PathBuf],
        (at, named): (Timestamp, &[Digest]),
    ) -> Result<(Chain, Option<Timestamp>), ChainError> {
        let roots = approvals::read(host, trust)?;
        let is_named = |bytes: &[u8]| delegation::claimed(bytes).is_ok_and(|(_, name)| named.contains(&name));
        let tokens = signed::named(signed::read(host, files)?, is_named);
        let chain = Chain::of(&tokens, &roots.as_of(at), at, at)?;
        let root = chain.0.first().and_then(|link| roots.find(link.token.key));
        let since = root.and_then(|root| root.revoked_at);
        Ok((chain, since))
    }

    fn is_of_different_people(&self) -> Result<(), ChainError> {
        let (mut people, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (name, key) in self.members() {
            if !people.insert(person(name)) || !keys.insert(key) {
                return Err(ChainError::Twice(name.to_owned()));
            }
        }
        Ok(())
    }

    /// A key that the trust file knows as revoked delegates nothing and gets nothing delegated, wherever it is in the chain.
    fn has_no_revoked_key(&self, roots: &Approvers) -> Result<(), ChainError> {
        let revoked = |(_, key): &(&str, KeyId)| roots.find(*key).is_some_and(|one| one.revoked_at.is_some());
        match self.members().find(revoked) {
            None => Ok(()),
            Some((by, _)) => Err(ChainError::Key {
                by: by.to_owned(),
                why: "revoked",
            }),
        }
    }

    /// When the chain is over: with the link that ends first.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.iter().map(|link| link.token.expires_at).min()
    }

    fn is_good(&self, at: Timestamp) -> Result<(), ChainError> {
        let bad = self
            .0
            .iter()
            .find(|link| at < link.token.not_before || at >= link.token.expires_at);
        match bad {
            None => Ok(()),
            Some(Link { token, .. }) => Err(ChainError::Time {
                to: token.delegate.clone(),
                from: token.not_before,
                until: token.expires_at,
            }),
        }
    }

    /// Everybody in it with their key, who delegated first before all others.
    pub fn members(&self) -> impl Iterator<Item = (&str, KeyId)> {
        let first = self
            .0
            .first()
            .map(|link| (link.token.delegator.as_str(), link.token.key));
        let others = self
            .0
            .iter()
            .map(|link| (link.token.delegate.as_str(), link.token.delegate_key.id()));
        first.into_iter().chain(others)
    }

    /// Whether an approval of somebody would be one of the chain itself: by any key of theirs, or by the name.
    pub fn has(&self, name: &str, keys: &[KeyId]) -> bool {
        self.members()
            .any(|(known, id)| keys.contains(&id) || person(known) == person(name))
    }

    /// The digests of the tokens, in order.
    pub fn digests(&self) -> Vec<Digest> {
        self.0.iter().map(|link| link.digest).collect()
    }

    /// Errors where the chain does not cover a call: asked for by somebody else than its last one, with a tool, in an environment or at
    /// a time that it is not for.
    pub fn covers(&self, call: &Covered<'_>) -> Result<(), String> {
        let Some(last) = self.0.last().map(|link| &link.token) else {
            return Err("the chain has no link".to_owned());
        };
        let is_last = |who: &str| person(who) == person(&last.delegate);
        let others = call.requesters.iter().map(String::as_str);
        let stranger = Some(call.requester).filter(|who| *who != last.delegate);
        if let Some(who) = stranger.or_else(|| others.into_iter().find(|who| !is_last(who))) {
            return Err(format!("{who} asks, and the last delegate is {}", last.delegate));
        }
        if let Some(tool) = call.tools.iter().find(|tool| !is_among(tool, &last.tools)) {
            let tools = last.tools.join(", ");
            return Err(format!("`{tool}` is not among what is delegated: {tools}"));
        }
        self.is_good(call.at).map_err(|error| error.to_string())?;
        // A link names it as the one before it does. What the caller says of it may refuse a call, and covers none.
        let mut said = call.known.iter().chain(&call.claimed);
        match &last.environment {
            Some(name) if said.any(|found| found != name) => Err(format!(
                "it is delegated for {name}, and the call is for another environment"
            )),
            Some(name) if call.known.is_empty() => Err(format!(
                "it is delegated for {name}, and no fact says where the call is"
            )),
            _ => Ok(()),
        }
    }

    /// What a policy may know of the chain, as the member `delegation` of an intent says it.
    pub fn fact(&self) -> Json {
        let text = |at: Timestamp| Json::str(time::print(at));
        let link = |link: &Link| {
            Json::object([
                ("delegator_identity", Json::str(&link.token.delegator)),
                ("delegate_identity", Json::str(&link.token.delegate)),
                ("token_ref", Json::str(link.digest.to_string())),
                ("issued_at", text(link.token.not_before)),
                ("expires_at", text(link.token.expires_at)),
            ])
        };
        let (first, last) = (self.0.first(), self.0.last());
        let requester = last.map_or(Json::Null, |link| Json::str(&link.token.delegate));
        let refs = self
            .digests()
            .iter()
            .map(|digest| Json::str(digest.to_string()))
            .collect();
        Json::object([
            ("requester_identity", requester),
            ("token_refs", Json::Array(refs)),
            (
                "issued_at",
                first.map_or(Json::Null, |link| text(link.token.not_before)),
            ),
            ("expires_at", self.expires_at().map_or(Json::Null, text)),
            ("chain", Json::Array(self.0.iter().map(link).collect())),
        ])
    }
}

fn link(verified: Verified<Delegation>) -> Link {
    Link {
        digest: verified.digest(),
        token: verified.into_value(),
    }
}

/// The one first link, which a key that is known has signed, and the others.
fn first<'t>(
    tokens: &'t [Vec<u8>],
    roots: &Approvers,
    clock: Timestamp,
) -> Result<(Verified<Delegation>, Vec<&'t Vec<u8>>), ChainError> {
    let signers = roots.signers();
    let (mut firsts, mut rest, mut refused) = (Vec::new(), Vec::new(), None);
    for bytes in tokens {
        match delegation::verify(bytes, &signers, clock) {
            Ok(verified) if verified.value().parent.is_none() => firsts.push(verified),
            Ok(_) => rest.push(bytes),
            Err(error) => {
                refused.get_or_insert(error);
                rest.push(bytes);
            }
        }
    }
    match (firsts.pop(), firsts.is_empty(), refused) {
        (Some(first), true, _) => Ok((first, rest)),
        (None, _, Some(error)) if tokens.len() == 1 => Err(error.into()),
        _ => Err(ChainError::Root),
    }
}

/// The first link is by somebody whose key may delegate, in their own name.
fn is_root(token: &Delegation, roots: &Approvers, times: [Timestamp; 2]) -> Result<(), ChainError> {
    let root = roots.find(token.key).ok_or(VerifyError::KeyUnknown(token.key))?;
    if let Some(why) = signed::out_of_use(root, times) {
        let by = root.principal.clone();
        return Err(ChainError::Key { by, why });
    }
    is_in_the_name_of(&root.principal, token)
}

fn is_in_the_name_of(is: &str, token: &Delegation) -> Result<(), ChainError> {
    if token.delegator == is {
        return Ok(());
    }
    Err(ChainError::Name {
        is: is.to_owned(),
        says: token.delegator.clone(),
    })
}

/// Errors unless a link is by the delegate of the one before it, and hands on no more than that has.
pub fn follows(before: &Delegation, token: &Delegation) -> Result<(), ChainError> {
    is_in_the_name_of(&before.delegate, token)?;
    let wider = [
        (
            !token.tools.iter().all(|tools| is_among(tools, &before.tools)),
            "tools",
        ),
        (
            token.not_before < before.not_before || token.expires_at > before.expires_at,
            "time",
        ),
        (token.depth >= before.depth, "links"),
        (
            before.environment.is_some() && token.environment != before.environment,
            "environments",
        ),
    ];
    match wider.into_iter().find(|(is, _)| *is) {
        None => Ok(()),
        Some((_, what)) => Err(ChainError::Wider {
            to: token.delegate.clone(),
            what,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn a_group_has_the_tools_below_its_name() {
        for (tools, others, among) in [
            ("crm.read", "crm.*", true),
            ("crm.read.all", "crm.*", true),
            ("crm.read.*", "crm.*", true),
            ("crm.*", "crm.*", true),
            ("crm.*", "*", true),
            ("*", "*", true),
            ("crm", "crm.*", false),
            ("crmx.read", "crm.*", false),
            ("crm.*", "crm.read", false),
            ("crm.*", "crm.read.*", false),
            ("*", "crm.*", false),
            ("CRM.read", "crm.*", false),
        ] {
            assert_eq!(
                is_among(tools, &[others.to_owned()]),
                among,
                "{tools} among {others}"
            );
        }
    }
}
