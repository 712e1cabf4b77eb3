//! Which approvals are used up, and by which call: a record per approval, by its digest.

use super::{Key, Kind, Records, StoreError};
use crate::artifact::Digest;
use crate::json::Json;
use std::collections::BTreeMap;

/// The schema of a record.
pub const SCHEMA: &str = "gait.used_approval/1";

/// The kind. A value is the id of the trace of the call; none where that call gave the approval back.
#[derive(Clone, Copy, Debug)]
pub struct UsedApprovals;

impl Kind for UsedApprovals {
    type Value = Option<String>;
    const NAME: &'static str = "used_approval";

    fn write(name: &str, by: &Option<String>) -> Json {
        Json::object([
            ("schema", Json::str(SCHEMA)),
            ("approval", Json::str(name)),
            ("trace_id", by.as_ref().map_or(Json::Null, Json::str)),
        ])
    }

    fn read(_: &str, json: &Json) -> Result<Option<String>, String> {
        let by = json.get("trace_id").and_then(Json::as_str).map(str::to_owned);
        Ok(by)
    }
}

/// Approvals of a call, by their digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used(BTreeMap<Digest, Option<String>>);

impl Used {
    /// The keys of approvals.
    pub fn keys(approvals: &[Digest]) -> impl Iterator<Item = Key> {
        let key = |approval: &Digest| Key::of::<UsedApprovals>(approval.to_string());
        approvals.iter().map(key)
    }

    /// What records say of approvals.
    pub fn read(records: &Records, approvals: &[Digest]) -> Result<Used, StoreError> {
        let mut used = Used::default();
        for approval in approvals {
            if let Some(by) = records.get::<UsedApprovals>(&approval.to_string())? {
                used.0.insert(*approval, by);
            }
        }
        Ok(used)
    }

    /// Writes them into records.
    pub fn write(&self, records: &mut Records) -> Result<(), StoreError> {
        let mut all = self.0.iter();
        all.try_for_each(|(approval, by)| records.put::<UsedApprovals>(&approval.to_string(), by))
    }

    /// Whether a call has used an approval up.
    pub fn is_used(&self, approval: Digest) -> bool {
        self.0.get(&approval).is_some_and(Option::is_some)
    }

    /// Uses an approval up for a call.
    pub fn use_up(&mut self, approval: Digest, trace_id: &str) {
        self.0.insert(approval, Some(trace_id.to_owned()));
    }

    /// Gives an approval back that this call has used up, which has come to nothing.
    pub fn give_back(&mut self, approval: Digest, trace_id: &str) {
        if let Some(by) = self.0.get_mut(&approval)
            && by.as_deref() == Some(trace_id)
        {
            *by = None;
        }
    }
}
