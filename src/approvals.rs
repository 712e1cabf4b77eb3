//! Approvals in files: the trust file that says whose keys may approve, and the approvals that are handed over with a
//! call. In: a host, paths, bytes, the time. Out: lists of keys, approvals with the one who gave them, or why not. Whether
//! they are enough is the gate's to say.

pub mod desk;
pub mod inbox;
pub mod rows;
pub mod signed;
pub mod waiting;

use crate::artifact::{
    Approver, Approvers, Digest, GivenApproval, KeyError, KeyId, Kind, SigningKey, StepShape, Subject,
    VerifyError, VerifyingKey, approvers, given, kind, script_approval, time,
};
use crate::builtins::person::person;
use crate::domain::Approval;
use crate::domain::approval::Standing;
use crate::host::{self, Host, HostError, Mode};
use crate::json::Json;
use crate::limits;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Where the trust file lies unless the caller says otherwise.
pub const TRUST_FILE: &str = "gait-trust.json";

/// Why a trust file cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It is no trust file.
    #[error("{}: {error}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        error: KeyError,
    },
    /// The key is there already.
    #[error("key {key} is there already, as one of {}", principal.escape_debug())]
    Known {
        /// The key.
        key: KeyId,
        /// Whose it is.
        principal: String,
    },
    /// The key is not there.
    #[error("key {0} is not there")]
    Unknown(KeyId),
    /// The key is revoked already.
    #[error("key {0} is revoked already")]
    Revoked(KeyId),
    /// A principal that nobody could be asked by.
    #[error("`{}` cannot be a principal: {reason}", principal.escape_debug())]
    Principal {
        /// The principal.
        principal: String,
        /// Why.
        reason: &'static str,
    },
    /// The key would not be trusted at any time.
    #[error("trust in the key would end before it starts")]
    Window,
    /// The machine refuses.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// Reads a trust file.
pub fn read(host: &dyn Host, path: &Path) -> Result<Approvers, TrustError> {
    let bytes = host.read(path, limits::TRUST_FILE_BYTES as u64)?;
    Approvers::parse(&bytes).map_err(|error| TrustError::Document {
        path: path.to_owned(),
        error,
    })
}

/// Adds a key of a principal, trusted until `until` or its own end, whichever comes first.
pub fn add(
    host: &dyn Host,
    path: &Path,
    principal: &str,
    mut key: VerifyingKey,
    until: Option<Timestamp>,
) -> Result<Approver, TrustError> {
    let names_nobody = person(principal).is_empty().then_some("it names nobody");
    if let Some(reason) = approvers::check_principal(principal).err().or(names_nobody) {
        let principal = principal.to_owned();
        return Err(TrustError::Principal { principal, reason });
    }
    key.valid_until = [key.valid_until, until].into_iter().flatten().min();
    let now = host.now();
    if key
        .valid_until
        .is_some_and(|until| until <= key.valid_from.unwrap_or(now).max(now))
    {
        return Err(TrustError::Window);
    }
    let id = key.id();
    let approver = Approver {
        principal: principal.to_owned(),
        key,
        added_at: time::cut(now),
        revoked_at: None,
    };
    let changed = change(host, path, |known| {
        let principal = known.find(id).map(|one| one.principal.clone());
        let principal = principal.unwrap_or_default();
        known
            .with(approver)
            .ok_or(TrustError::Known { key: id, principal })
    })?;
    changed.find(id).cloned().ok_or(TrustError::Unknown(id))
}

/// Takes trust in a key back, from now on and for what it has signed before.
pub fn revoke(host: &dyn Host, path: &Path, id: KeyId) -> Result<Approver, TrustError> {
    let now = host.now();
    // A file that is not there is a misspelt path, and nothing to make.
    read(host, path)?;
    let changed = change(host, path, |known| {
        let error = match known.find(id) {
            None => TrustError::Unknown(id),
            Some(_) => TrustError::Revoked(id),
        };
        known.revoking(id, now).ok_or(error)
    })?;
    changed.find(id).cloned().ok_or(TrustError::Unknown(id))
}

/// Changes a trust file, which need not be there yet, while no other process does.
fn change(
    host: &dyn Host,
    path: &Path,
    work: impl FnOnce(Approvers) -> Result<Approvers, TrustError>,
) -> Result<Approvers, TrustError> {
    host::alone(host, path, || changed(host, path, work))?
}

fn changed(
    host: &dyn Host,
    path: &Path,
    work: impl FnOnce(Approvers) -> Result<Approvers, TrustError>,
) -> Result<Approvers, TrustError> {
    let known = match read(host, path) {
        Err(TrustError::Host(HostError::NotFound { .. })) => Approvers::default(),
        read => read?,
    };
    let changed = work(known)?;
    let bytes = changed.to_file();
    if bytes.len() > limits::TRUST_FILE_BYTES {
        let (path, limit) = (path.to_owned(), limits::TRUST_FILE_BYTES as u64);
        return Err(HostError::TooLarge { path, limit }.into());
    }
    host.write_atomic(path, &bytes, Mode::Kept)?;
    Ok(changed)
}

/// Whether a key may approve at a time: `Counted` where it may.
pub fn standing_of_key(approver: &Approver, at: Timestamp) -> Standing {
    let key = &approver.key;
    if approver.revoked_at.is_some() {
        return Standing::KeyRevoked;
    }
    let early = key.valid_from.is_some_and(|from| at < from);
    if early || key.valid_until.is_some_and(|until| at > until) {
        return Standing::KeyNotValid;
    }
    Standing::Counted
}

/// An approval that is handed over with a call: genuine, and from somebody who is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Its name.
    pub digest: Digest,
    /// The key that signed it.
    pub key: KeyId,
    /// Whose key that is.
    pub by: String,
    /// All keys of theirs that the trust file knows.
    pub keys: Vec<KeyId>,
    /// What it is about.
    pub about: About,
    /// What the gate makes of it, were it for this call.
    pub answer: Answer,
    /// Why it does not count, whatever it is for; none where nothing is known against it.
    pub flaw: Option<Standing>,
}

impl Handed {
    /// Whether a call that it lets run uses it up.
    pub fn is_used_up(&self) -> bool {
        matches!(&self.answer, Answer::Approves(approval) if approval.single_use)
    }

    /// The document of an answer: who has given it, and what is known against it.
    pub fn to_json(&self) -> Json {
        let against = self.flaw.map(Standing::as_str);
        Json::object([
            ("by", Json::str(&self.by)),
            ("key_id", self.key.digest().to_json()),
            ("digest", self.digest.to_json()),
            ("denied", self.answer.denies().map_or(Json::Null, Json::str)),
            ("against", against.map_or(Json::Null, Json::str)),
        ])
    }
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One call, or the calls of one script.
    Call(Subject),
    /// Every script of a shape.
    Script {
        /// The bundle that asked.
        bundle_digest: Digest,
        /// The steps, in order.
        steps: Vec<StepShape>,
    },
}

impl About {
    /// The bundle that asked.
    pub fn bundle(&self) -> Digest {
        match self {
            About::Call(subject) => subject.bundle_digest,
            About::Script { bundle_digest, .. } => *bundle_digest,
        }
    }

    /// Whether it is about a call that waits.
    pub fn is_of(&self, subject: &Subject) -> bool {
        matches!(self, About::Call(own) if own == subject)
    }
}

/// What somebody who was asked has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The call is approved.
    Approves(Approval),
    /// It is denied.
    Denies {
        /// Why: one line.
        why: String,
        /// When, in milliseconds since 1970.
        given_at: i128,
        /// From when on that is over.
        expires_at: i128,
    },
}

impl Answer {
    /// When it was given, in milliseconds since 1970.
    pub fn given_at(&self) -> i128 {
        match self {
            Answer::Approves(approval) => approval.given_at,
            Answer::Denies { given_at, .. } => *given_at,
        }
    }

    /// From when on it is no longer good; none where it does not say.
    pub fn expires_at(&self) -> Option<i128> {
        match self {
            Answer::Approves(approval) => approval.expires_at,
            Answer::Denies { expires_at, .. } => Some(*expires_at),
        }
    }

    /// Why the call is denied; none where it is approved.
    pub fn denies(&self) -> Option<&str> {
        match self {
            Answer::Approves(_) => None,
            Answer::Denies { why, .. } => Some(why),
        }
    }
}

/// Each approval once, in the order of the digests, as they are handed over.
pub fn distinct(mut all: Vec<Handed>) -> Vec<Handed> {
    all.sort_by_key(|one| one.digest);
    all.dedup_by_key(|one| one.digest);
    all
}

/// The approvals in a folder that a known key has signed; other files in it count for nothing.
///
/// # Errors
/// The folder is not there, or cannot be read.
pub fn in_folder(host: &dyn Host, folder: &Path, known: &Approvers) -> Result<Vec<Handed>, HostError> {
    let names = host.list_dir(folder)?;
    let now = host.now();
    let one = |name: &String| {
        let bytes = host
            .read(&folder.join(name), limits::ENVELOPE_BYTES as u64)
            .ok()?;
        verify(&bytes, known, now, now).ok()
    };
    let named = names.iter().filter(|name| name.ends_with(".json"));
    Ok(named.filter_map(one).collect())
}

/// The answers in a folder about calls under a bundle that are good now, by keys that a trust file knows and nothing is known against; none where
/// the folder or the file cannot be read. Which of them are for a call is found out when it is judged. Where there are too many, those that
/// seem to be for `call` go before others, and no denial is left out.
fn found(host: &dyn Host, (trust, folder): (&Path, &Path), call: Digest, bundle: Digest) -> Vec<Handed> {
    let known = read(host, trust);
    let all = known.ok().and_then(|known| in_folder(host, folder, &known).ok());
    let now = i128::from(host.now().as_millisecond());
    let is_good = |one: &Handed| {
        let is_over = one.answer.expires_at().is_some_and(|end| now >= end);
        one.flaw.is_none() && one.about.bundle() == bundle && !is_over
    };
    let good = all.unwrap_or_default().into_iter().filter(is_good);
    let (mut denials, mut approvals): (Vec<Handed>, Vec<Handed>) =
        good.partition(|one| one.answer.denies().is_some());
    let is_for = |one: &Handed| match &one.about {
        About::Call(subject) => subject.intent_digest == call,
        About::Script { .. } => true,
    };
    approvals.sort_by_key(|one| (!is_for(one), std::cmp::Reverse(one.answer.given_at())));
    approvals.truncate(limits::HANDED_APPROVALS);
    denials.extend(approvals);
    distinct(denials)
}

/// Verifies an approval by the keys of a trust file, at the time of a call and by the clock. Errors: it is not what a known
/// key has signed.
pub fn verify(
    bytes: &[u8],
    known: &Approvers,
    at: Timestamp,
    clock: Timestamp,
) -> Result<Handed, VerifyError> {
    if kind::claimed(bytes) == Some(Kind::ScriptApproval) {
        return of_script(bytes, known, [at, clock]);
    }
    let verified = given::verify(bytes, &known.signers(), clock)?;
    let given = verified.value();
    let approver = known.find(given.key).ok_or(VerifyError::KeyUnknown(given.key))?;
    let flaws = [at, clock].map(|at| standing_of_key(approver, at));
    let [given_at, expires_at] = [given.given_at, given.expires_at].map(|at| i128::from(at.as_millisecond()));
    let answer = match &given.denied {
        Some(why) => Answer::Denies {
            why: why.clone(),
            given_at,
            expires_at,
        },
        None => Answer::Approves(Approval {
            by: approver.principal.clone(),
            given_at,
            expires_at: Some(expires_at),
            single_use: true,
            binds_args: true,
            binds_policy: true,
        }),
    };
    Ok(Handed {
        answer,
        digest: verified.digest(),
        key: given.key,
        by: approver.principal.clone(),
        keys: keys_of(known, &approver.principal),
        about: About::Call(given.subject.clone()),
        flaw: flaws.into_iter().find(|standing| *standing != Standing::Counted),
    })
}

/// The same of an approval of every script of a shape. It is not used up, so it counts only where rules do not ask for one that is.
fn of_script(bytes: &[u8], known: &Approvers, times: [Timestamp; 2]) -> Result<Handed, VerifyError> {
    let verified = script_approval::verify(bytes, &known.signers(), times[1])?;
    let given = verified.value();
    let approver = known.find(given.key).ok_or(VerifyError::KeyUnknown(given.key))?;
    let flaws = times.map(|at| standing_of_key(approver, at));
    let millis = |at: Timestamp| i128::from(at.as_millisecond());
    Ok(Handed {
        answer: Answer::Approves(Approval {
            by: approver.principal.clone(),
            given_at: millis(given.given_at),
            expires_at: Some(millis(given.expires_at)),
            single_use: false,
            binds_args: false,
            binds_policy: true,
        }),
        digest: verified.digest(),
        key: given.key,
        by: approver.principal.clone(),
        keys: keys_of(known, &approver.principal),
        about: About::Script {
            bundle_digest: given.bundle_digest,
            steps: given.steps.clone(),
        },
        flaw: flaws.into_iter().find(|standing| *standing != Standing::Counted),
    })
}

/// Every key of a person, by whatever spelling of the name.
fn keys_of(known: &Approvers, principal: &str) -> Vec<KeyId> {
    let own = known
        .all()
        .iter()
        .filter(|one| person(&one.principal) == person(principal));
    own.map(|one| one.key.id()).collect()
}

/// What the file of an answer is called, unless somebody says otherwise.
pub fn file_name(name: Digest) -> String {
    let hex = name.to_string();
    let hex = hex.trim_start_matches("sha256:").chars().take(24);
    format!("approval_{}.json", hex.collect::<String>())
}

/// Answers a call that waits: it is approved, or denied for a reason, from now on for so many milliseconds. `None` where that is no
/// time.
pub fn give(
    host: &dyn Host,
    (subject, tool): (Subject, &str),
    denied: Option<String>,
    millis: i64,
    key: &SigningKey,
) -> Result<Option<GivenApproval>, HostError> {
    let nonce = host::nonce(host)?;
    let now = time::cut(host.now());
    let expires = now.as_millisecond().checked_add(millis);
    let expires = expires.and_then(|at| Timestamp::from_millisecond(at).ok());
    Ok(expires.map(|expires_at| GivenApproval {
        denied,
        subject,
        tool: tool.to_owned(),
        key: key.id(),
        given_at: now,
        expires_at,
        nonce,
    }))
}
