//! The trust file of approvals: which keys are whose, and until when. In: bytes, or keys and principals. Out: the list,
//! and its one canonical text. It comes from local configuration, like every key that is trusted.

use jiff::Timestamp;

use super::envelope::TrustedKeys;
use super::fields::Fields;
use super::key::{KeyError, KeyId, VerifyingKey, document, line};
use super::time;
use crate::domain::hidden;
use crate::json::Json;
use crate::limits;

/// The schema of the file.
pub const SCHEMA: &str = "gait.approvers/1";

/// A key of somebody who may approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// Whose it is, as roles of policies name people.
    pub principal: String,
    /// The key and the time it is trusted in.
    pub key: VerifyingKey,
    /// When it was added.
    pub added_at: Timestamp,
    /// When trust in it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Every key of a trust file, sorted by key id; a key is there once, and belongs to one principal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvers(Vec<Approver>);

impl Approvers {
    /// Reads a trust file. Errors on any text that `to_file` would not write.
    pub fn parse(bytes: &[u8]) -> Result<Approvers, KeyError> {
        let json = document("trust file", bytes, limits::TRUST_FILE_BYTES)?;
        let fields = Fields::open("trust file", &json, &["schema", "approvers"])?;
        fields.constant("schema", SCHEMA)?;
        let mut all = Vec::new();
        for json in fields.any("approvers")?.as_array().unwrap_or_default() {
            all.push(approver(json)?);
        }
        let read = Approvers(all);
        let ids: Vec<KeyId> = read.0.iter().map(|one| one.key.id()).collect();
        fields.sorted("approvers", &ids)?;
        if read.to_file() != bytes {
            return Err(fields
                .refuse("it is not in canonical form; `gait trust` writes it")
                .into());
        }
        Ok(read)
    }

    /// The one text of the list.
    pub fn to_file(&self) -> Vec<u8> {
        line(&Json::object([
            ("schema", Json::str(SCHEMA)),
            ("approvers", Json::Array(self.0.iter().map(to_json).collect())),
        ]))
    }

    /// The keys, sorted by key id.
    pub fn all(&self) -> &[Approver] {
        &self.0
    }

    /// The entry of a key.
    pub fn find(&self, id: KeyId) -> Option<&Approver> {
        self.0.iter().find(|one| one.key.id() == id)
    }

    /// The list with one more key; `None` where the key is there already, revoked or not.
    pub fn with(mut self, approver: Approver) -> Option<Approvers> {
        let id = approver.key.id();
        let at = self.0.binary_search_by_key(&id, |one| one.key.id()).err()?;
        self.0.insert(at, approver);
        Some(self)
    }

    /// The list with a key revoked; `None` where there is no such key, or it is revoked already.
    pub fn revoking(mut self, id: KeyId, at: Timestamp) -> Option<Approvers> {
        let mut keys = self.0.iter_mut();
        let one = keys.find(|one| one.key.id() == id && one.revoked_at.is_none())?;
        one.revoked_at = Some(time::cut(at));
        Some(self)
    }

    /// The list as it was at a time, of those that are in it now: what was revoked later was not revoked then.
    pub fn as_of(&self, at: Timestamp) -> Approvers {
        let mut then = self.clone();
        for one in &mut then.0 {
            one.revoked_at = one.revoked_at.filter(|revoked| *revoked <= at);
        }
        then
    }

    /// The keys to verify signatures with, whatever their time: whether a key may still approve is asked of its entry.
    pub fn signers(&self) -> TrustedKeys {
        TrustedKeys::new(self.0.iter().map(|one| {
            let mut key = one.key.clone();
            (key.valid_from, key.valid_until) = (None, None);
            key
        }))
    }
}

fn to_json(one: &Approver) -> Json {
    let mut members = one.key.members();
    members.push(("principal", Json::str(&one.principal)));
    members.push(("added_at", Json::str(time::print(one.added_at))));
    members.extend(
        one.revoked_at
            .map(|at| ("revoked_at", Json::str(time::print(at)))),
    );
    Json::object(members)
}

fn approver(json: &Json) -> Result<Approver, KeyError> {
    let known = [
        "key_id",
        "public_key",
        "valid_from",
        "valid_until",
        "principal",
        "added_at",
        "revoked_at",
    ];
    let fields = Fields::open("approver", json, &known)?;
    let principal = fields.name("principal")?;
    check_principal(&principal).map_err(|reason| fields.refuse(format!("`principal`: {reason}")))?;
    Ok(Approver {
        principal,
        key: VerifyingKey::of(&fields)?,
        added_at: fields.instant("added_at")?,
        revoked_at: fields
            .optional("revoked_at")
            .map(|_| fields.instant("revoked_at"))
            .transpose()?,
    })
}

/// Refuses a principal that no role could name, or that people could not read.
pub fn check_principal(principal: &str) -> Result<(), &'static str> {
    hidden::check_line(principal, limits::PRINCIPAL_BYTES)
}
