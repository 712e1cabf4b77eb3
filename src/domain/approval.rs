//! Approvals: what rules ask of people before a call may run, and what people have given.

use super::Trust;
use std::fmt;
use std::sync::Arc;

/// What a rule asks for: how many approvals, whose, and what they must be good for. Printed as a policy writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApprovalSpec {
    /// Who may give them; anybody where none is named.
    pub from: Option<Arc<Role>>,
    /// How many; at least one.
    pub count: u32,
    /// Whether they must come from as many people.
    pub distinct: bool,
    /// Whether the approvals of who asks for the call do not count.
    pub excluding_requester: bool,
    /// Whether those of everybody in the delegation do not count.
    pub excluding_chain: bool,
    /// How long an approval is good for after it was given, in milliseconds; for ever where nothing is said.
    pub expires: Option<u64>,
    /// Whether each must be one that is used up by the call.
    pub single_use: bool,
    /// Whether each must be for exactly these arguments.
    pub bind_args: bool,
    /// Whether each must be for exactly this policy.
    pub bind_policy: bool,
}

impl Default for ApprovalSpec {
    /// One approval of anybody: what `require_approval` alone asks for.
    fn default() -> ApprovalSpec {
        ApprovalSpec {
            from: None,
            count: 1,
            distinct: false,
            excluding_requester: false,
            excluding_chain: false,
            expires: None,
            single_use: false,
            bind_args: false,
            bind_policy: false,
        }
    }
}

impl ApprovalSpec {
    /// Whether approvals that are enough for this one are always enough for another.
    pub fn covers(&self, other: &ApprovalSpec) -> bool {
        let expires = match (self.expires, other.expires) {
            (_, None) => true,
            (Some(own), Some(other)) => own <= other,
            (None, Some(_)) => false,
        };
        expires && self.implies(other)
    }

    /// Whether approvals that are enough for this one are enough for another, where both expire alike.
    pub fn implies(&self, other: &ApprovalSpec) -> bool {
        let from = match (&self.from, &other.from) {
            (_, None) => true,
            (Some(own), Some(other)) => own.members.iter().all(|one| other.members.contains(one)),
            (None, Some(_)) => false,
        };
        from && self.count >= other.count
            // One approval always comes from one person.
            && (self.distinct || !other.distinct || other.count == 1)
            && self.excluding_requester >= other.excluding_requester
            && self.excluding_chain >= other.excluding_chain
            && self.single_use >= other.single_use
            && self.bind_args >= other.bind_args
            && self.bind_policy >= other.bind_policy
    }
}

impl fmt::Display for ApprovalSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(role) => write!(f, "from {}", role.name)?,
            None => f.write_str("from anybody")?,
        }
        write!(f, " count {}", self.count)?;
        if self.distinct {
            f.write_str(" distinct")?;
        }
        let list = |f: &mut fmt::Formatter<'_>, word: &str, members: [(&str, bool); 2]| {
            let said: Vec<&str> = members
                .into_iter()
                .filter(|(_, said)| *said)
                .map(|(name, _)| name)
                .collect();
            match said.as_slice() {
                [] => Ok(()),
                said => write!(f, " {word} {}", said.join(", ")),
            }
        };
        let excluding = [
            ("requester", self.excluding_requester),
            ("chain", self.excluding_chain),
        ];
        list(f, "excluding", excluding)?;
        if let Some(millis) = self.expires {
            let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
            let whole = units.into_iter().find(|(_, unit)| millis % unit == 0);
            let (word, unit) = whole.unwrap_or(("ms", 1));
            write!(f, " expires {}{word}", millis / unit)?;
        }
        if self.single_use {
            f.write_str(" single_use")?;
        }
        list(
            f,
            "bind",
            [("args", self.bind_args), ("policy", self.bind_policy)],
        )
    }
}

/// People who may approve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its name in the policy.
    pub name: String,
    /// The principals, compared exactly; sorted, of different people.
    pub members: Vec<String>,
}

/// An approval that was given and verified: whoever hands it over has checked that it is `by`'s, for this call, and not
/// used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who gave it.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub given_at: i128,
    /// From when on it is no longer good; `None` when it does not say.
    pub expires_at: Option<i128>,
    /// Whether the call uses it up.
    pub single_use: bool,
    /// Whether it is for exactly these arguments.
    pub binds_args: bool,
    /// Whether it is for exactly this policy.
    pub binds_policy: bool,
}

impl Approval {
    /// One that was given at this moment for a call of this moment, and is good for everything that can be asked.
    pub fn just_given(by: &str, at: i128) -> Approval {
        Approval {
            by: by.to_owned(),
            given_at: at,
            expires_at: None,
            single_use: true,
            binds_args: true,
            binds_policy: true,
        }
    }
}

/// What became of an approval that was handed over with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is one of those that were enough.
    Counted,
    /// It would count; more are asked for.
    NotEnough,
    /// Nobody asks for one.
    NotAsked,
    /// It is from nobody in the role that is asked.
    NotFrom,
    /// Whoever gave it asks for the call.
    Requester,
    /// Whoever gave it is in the delegation.
    Chain,
    /// It was given after the moment it is asked at.
    Early,
    /// It is no longer good.
    Late,
    /// It is for another call.
    OtherCall,
    /// It is for a call under another bundle.
    OtherBundle,
    /// The key was revoked.
    KeyRevoked,
    /// The key is out of its time.
    KeyNotValid,
    /// A call has used it up.
    Used,
    /// Nobody keeps which approvals are used up, or what is kept cannot be read.
    NoStore,
    /// It denies the call.
    Denies,
    /// Somebody else has denied the call.
    Denied,
}

impl Standing {
    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Counted => "counted",
            Standing::NotEnough => "not_enough",
            Standing::NotAsked => "not_asked",
            Standing::NotFrom => "not_from",
            Standing::Requester => "requester",
            Standing::Chain => "chain",
            Standing::Early => "early",
            Standing::Late => "late",
            Standing::OtherCall => "other_call",
            Standing::OtherBundle => "other_bundle",
            Standing::KeyRevoked => "key_revoked",
            Standing::KeyNotValid => "key_not_valid",
            Standing::Used => "used",
            Standing::NoStore => "no_store",
            Standing::Denies => "denies",
            Standing::Denied => "denied",
        }
    }

    /// The same for people, after the name of who gave it.
    pub fn said(self) -> &'static str {
        match self {
            Standing::Counted => "counted",
            Standing::NotEnough => "would count, and more approvals are asked for",
            Standing::NotAsked => "not counted: nothing here waits for an approval",
            Standing::NotFrom => "not counted: not in the role that is asked",
            Standing::Requester => "not counted: asks for the call, or nobody knows who does",
            Standing::Chain => "not counted: in the delegation, or nobody knows who is",
            Standing::Early => "not counted: given after the time of the call",
            Standing::Late => "not counted: too old",
            Standing::OtherCall => "not counted: for another call",
            Standing::OtherBundle => "not counted: for a call under another bundle",
            Standing::KeyRevoked => "not counted: the key is revoked",
            Standing::KeyNotValid => "not counted: the key is out of its time",
            Standing::Used => "not counted: a call has used it up",
            Standing::NoStore => "not counted: it cannot be told whether it is used up",
            Standing::Denies => "denies the call",
            Standing::Denied => "not counted: somebody has denied the call",
        }
    }
}

/// Whether a field of the context says who asks for a call, and is more than the caller's word.
pub fn says_who_asks(name: &str, trust: Trust, from: Option<&[String]>) -> bool {
    is_fact_at(name, trust, from, ("identity", &["context", "identity"]))
}

/// Whether a field of the context says on whose behalf a call is asked for, and is more than the caller's word.
pub fn says_the_chain(name: &str, trust: Trust, from: Option<&[String]>) -> bool {
    is_fact_at(name, trust, from, ("delegation", &["delegation"]))
}

fn is_fact_at(name: &str, trust: Trust, from: Option<&[String]>, (own, place): (&str, &[&str])) -> bool {
    trust == Trust::Fact && from.map_or(name == own, |from| from.iter().eq(place))
}

#[cfg(test)]
mod tests {
    use super::{ApprovalSpec, Role};
    use std::sync::Arc;

    #[test]
    fn a_spec_prints_as_it_is_written() {
        let spec = ApprovalSpec {
            from: Some(Arc::new(Role {
                name: "finance".into(),
                members: vec!["ann".into(), "bob".into()],
            })),
            count: 2,
            distinct: true,
            excluding_requester: true,
            excluding_chain: true,
            expires: Some(900_000),
            single_use: true,
            bind_args: true,
            bind_policy: true,
        };
        assert_eq!(
            spec.to_string(),
            "from finance count 2 distinct excluding requester, chain expires 15m single_use bind args, policy"
        );
        assert_eq!(ApprovalSpec::default().to_string(), "from anybody count 1");
    }
}
